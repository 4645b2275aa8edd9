"""What GitHub's Git database can hold beside plain files, and what becomes of more files than it lists."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from trustsmith.systems.remote import read

COMMIT, NAME = "c" * 40, "contoso/shop"
WORKFLOW = "on: push\njobs:\n  a:\n    steps:\n      - run: ./x.sh\n      - run: ./sub/y.sh\n      - uses: ./sub/act\n      - uses: ./far/act\n"
ACTION = "runs: {using: composite, steps: [{run: ./far/z.sh}]}\n"
FILES = {
    ".github/workflows/a.yml": WORKFLOW,
    "far/act/action.yml": ACTION,
    "far/unnamed/action.yml": ACTION,
    "far/z.sh": "true\n",
}


class Database:
    """Files as GitHub keeps them. shown: how many of them one answer may have; odd: entries that are no plain files."""

    def __init__(self, files: dict[str, str], odd: dict[str, dict[str, Any]], shown: int = 1000) -> None:
        self._texts = files
        self._shown = shown
        plain = {"mode": "100644", "type": "blob"}
        self._entries = {path: plain | {"sha": path, "size": len(text)} for path, text in files.items()} | odd

    async def all_below(self, _name: str, tree: str) -> tuple[dict[str, Any], bool]:
        start = "" if tree == COMMIT else tree + "/"
        below = {
            path.removeprefix(start): entry
            for path, entry in sorted(self._entries.items(), reverse=True)
            if path.startswith(start)
        }
        return dict(list(below.items())[: self._shown]), len(below) <= self._shown

    async def folder(self, _name: str, _tree: str, folder: str) -> dict[str, Any]:
        start = "" if folder in {"", "."} else folder + "/"
        found: dict[str, Any] = {}
        for path, entry in self._entries.items():
            if path.startswith(start):
                name, deeper, _ = path.removeprefix(start).partition("/")
                found[name] = {"type": "tree", "sha": start + name} if deeper else entry
        return found

    async def blob(self, _name: str, sha: str, _path: str) -> bytes:
        return self._texts[sha].encode()


def look(database: Database) -> tuple[set[str], set[str], dict[str, str]]:
    """The files and the scripts that were read, and what was said of others."""
    hub: Any = SimpleNamespace(commits=database)
    repository, problems = asyncio.run(read(hub, NAME, COMMIT))
    files = {workflow.file for workflow in repository.workflows}
    return files, set(repository.scripts), {problem.file: problem.message for problem in problems}


def test_links_and_submodules_are_named() -> None:
    link: dict[str, Any] = {"mode": "120000", "type": "blob", "sha": "?", "size": 9}
    odd = {
        "x.sh": link,
        ".github/workflows/b.yml": link,
        "linked": link,
        "sub": {"mode": "160000", "type": "commit", "sha": "?"},
    }
    linked = WORKFLOW.replace("./x.sh", "./linked/x.sh")
    files, scripts, said = look(Database(FILES | {".github/workflows/c.yml": linked}, odd))
    assert (len(files), scripts) == (4, {"far/z.sh"})
    assert {path: message.partition("it is ")[2].partition(" ")[0] for path, message in said.items()} == {
        ".github/workflows/b.yml": "a",
        "linked/x.sh": "a",
        "x.sh": "a",
        "sub/act/action.yml": "in",
        "sub/act/action.yaml": "in",
        "sub/y.sh": "in",
    }


@pytest.mark.parametrize("shown", [1, 2])
def test_of_too_many_files_those_that_matter_are_read(shown: int) -> None:
    """And it is said that not all were seen."""
    files, scripts, said = look(Database(FILES | {"zzz": "", "zzzz": ""}, {}, shown))
    assert files == {".github/workflows/a.yml", "far/act/action.yml"}
    assert scripts == {"far/z.sh"}
    assert "does not list all files of this repository" in said[".github"]


def test_too_many_files_below_github_are_said() -> None:
    more = {f".github/x{number}": "" for number in range(5)}
    _, _, said = look(Database(FILES | more, {}, 3))
    assert "workflows may be missing" in said[".github"]


def test_text_that_is_none_and_files_that_are_too_large() -> None:
    large = {"mode": "100644", "type": "blob", "sha": "?", "size": 1024 * 1024 + 1}
    files, _, said = look(Database(FILES, {".github/workflows/large.yml": large}))
    assert ".github/workflows/a.yml" in files
    assert said == {".github/workflows/large.yml": "This was not read: it is larger than a megabyte."}
