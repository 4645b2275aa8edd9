"""The rules of this house that no linter knows."""

from __future__ import annotations

import ast
import re
import subprocess
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parents[2]
LONGEST_FUNCTION = 50
LONGEST_MODULE = 350

# What design and README promise, and nothing else. A top level that grows is a house without rooms.
TOP_LEVEL = {"pyproject.toml", "src", "templates", "tests", ".github", "README.md"}
TOP_LEVEL |= {
    "Makefile",
    "LICENSE",
    "CHANGELOG.md",
    "docs",
    "bench",
    ".ci",
    "requirements.lock",
    "requirements-run.lock",
    ".gitignore",
    ".pre-commit-hooks.yaml",
    "action.yml",
}

# Rooms of the core, present or to come; those that are present have to be in the contract.
CORE = {"aadsts", "audit", "desire", "diff", "doctor", "errors", "explain", "generated", "grants", "hazards"}
CORE |= {"drift", "migrate", "model", "regenerate"}

# Put together here, so that this file does not name what it forbids.
_HOSTS = ["pypi" + ".org", "python" + "hosted.org", "npm" + "js.org", "npm" + "js.com", "deb" + ".debian.org"]
_MACHINES = ["/" + "root/", "/" + "home/", "/" + "Users/", "/" + "work/", "/" + "tmp/", ".." + "/shared"]
FORBIDDEN = re.compile(
    "|".join(re.escape(host) for host in _HOSTS)
    + "|"
    + "|".join(r"(?<![\w.}-])" + re.escape(path) for path in _MACHINES)
)


def _tracked() -> list[Path]:
    """The files that git knows and that are there. Without git, as in the source distribution, there is no list."""
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    names = listing.decode().rstrip("\0").split("\0")
    return [path for name in names if (path := ROOT / name).is_file()]


def _text(path: Path) -> str:
    """The file as text; empty for a binary one."""
    data = path.read_bytes()
    return "" if b"\0" in data else data.decode("utf-8")


def _relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _modules() -> list[Path]:
    return sorted((ROOT / "src").rglob("*.py"))


def _project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_no_file_names_a_registry_or_a_path_of_a_machine() -> None:
    found = [
        f"{_relative(path)}:{number}: {line.strip()[:120]}"
        for path in _tracked()
        for number, line in enumerate(_text(path).splitlines(), 1)
        if FORBIDDEN.search(line)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "line", ["see https://" + _HOSTS[0] + "/p", "cd " + _MACHINES[0] + "x", '"' + _MACHINES[4]]
)
def test_the_search_for_them_finds_them(line: str) -> None:
    assert FORBIDDEN.search(line)


def test_top_level_holds_what_was_agreed() -> None:
    assert {path.relative_to(ROOT).parts[0] for path in _tracked()} <= TOP_LEVEL


def _locked(name: str) -> list[str]:
    """The entries of a lock, each on one line."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert "--index" not in text
    return text.replace("\\\n", " ").splitlines()


def _names(entries: Iterable[str]) -> set[str]:
    return {re.split(r"[\[<>=!~; ]", entry, maxsplit=1)[0].replace(".", "-") for entry in entries}


def test_lock_has_a_hash_for_each_requirement_and_no_address() -> None:
    entries = _locked("requirements.lock")
    assert entries
    assert [
        entry for entry in entries if not re.match(r"[a-z0-9.-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", entry)
    ] == []


def test_lock_has_every_requirement_of_the_project() -> None:
    assert _names(_declared()) <= _names(_locked("requirements.lock"))


def test_lock_of_the_action_is_the_part_that_the_tool_needs() -> None:
    run = _locked("requirements-run.lock")
    assert set(run) < set(_locked("requirements.lock")), "`make lock` writes both"
    assert _names(_project()["project"]["dependencies"]) <= _names(run)
    shared = {"markdown-it-py"}  # rich needs it, too
    assert _names(_project()["dependency-groups"]["dev"]) & _names(run) == shared


def test_every_module_says_what_it_is() -> None:
    silent = [_relative(path) for path in _modules() if not ast.get_docstring(ast.parse(_text(path)))]
    assert not silent


def test_no_function_is_long() -> None:
    long = [
        f"{_relative(path)}:{node.lineno} {node.name}: {length} lines"
        for path in _modules()
        for node in ast.walk(ast.parse(_text(path)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > LONGEST_FUNCTION
    ]
    assert not long


def test_no_module_is_long() -> None:
    lengths = {_relative(path): len(_text(path).splitlines()) for path in _modules()}
    assert {name: length for name, length in lengths.items() if length > LONGEST_MODULE} == {}


def test_every_room_of_the_core_is_in_its_contract() -> None:
    contracts = _project()["tool"]["importlinter"]["contracts"]
    (core,) = (contract for contract in contracts if contract["id"] == "pure-core")
    present = {path.stem for path in (ROOT / "src" / "trustsmith").iterdir()} & CORE
    assert set(core["source_modules"]) == {f"trustsmith.{name}" for name in present}


def _pages() -> list[Path]:
    return [path for path in _tracked() if path.suffix == ".md"]


def _links(page: Path) -> list[str]:
    """Targets of a page's links that are files, without what comes after `#`."""
    targets = re.findall(r"\]\(([^)\s]+)\)", _text(page))
    return [target.partition("#")[0] for target in targets if not re.match(r"[a-z]+:|#", target)]


def test_links_between_pages_lead_somewhere() -> None:
    broken = [
        f"{_relative(page)}: {target}"
        for page in _pages()
        for target in _links(page)
        if not (page.parent / target).exists()
    ]
    assert not broken


def test_code_names_pages_that_exist() -> None:
    named = {
        (_relative(path), name)
        for path in _modules()
        for name in re.findall(r"docs/[\w./-]+\.md", _text(path))
    }
    assert sorted((where, name) for where, name in named if not (ROOT / name).exists()) == []


def _declared() -> set[str]:
    """The names of all direct dependencies, as written in pyproject.toml."""
    file = _project()
    project = file["project"]
    lines = [
        *project["dependencies"],
        *project["optional-dependencies"]["sandbox"],
        *file["dependency-groups"]["dev"],
    ]
    return {re.split(r"[\[<>=!~; ]", line, maxsplit=1)[0] for line in lines}


def test_every_dependency_has_its_reason() -> None:
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([\w.-]+)` \| \S", page, re.MULTILINE)) == _declared()


def _uses(path: Path) -> list[str]:
    return re.findall(r"uses:\s*(.+)", _text(path))


def test_own_workflows_pin_actions_by_commit() -> None:
    uses = [line for path in sorted((ROOT / ".github" / "workflows").glob("*.yml")) for line in _uses(path)]
    assert uses
    assert [line for line in uses if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*", line)] == []
