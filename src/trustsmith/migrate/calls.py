"""Which scripts of the checkout a step runs, as far as its text says so. Reads no file: it only names paths."""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from typing import TYPE_CHECKING

from trustsmith.migrate.repository import Call
from trustsmith.migrate.shell import commands

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trustsmith.migrate.repository import Repository, Spot

_SCRIPT = re.compile(r"[\w./\\${} -]*\.(?:sh|bash|ps1|psm1|py|js|mjs|cjs|ts|cmd|bat)")
_HERE = re.compile(
    r"^(?:\$\{\{\s*github\.workspace\s*\}\}|\$\{?GITHUB_WORKSPACE\}?|\$env:GITHUB_WORKSPACE|\$\(pwd\)|\$PWD|\$PSScriptRoot)/"
)
_ACTION = re.compile(
    r"^(?:\$\{\{\s*github\.action_path\s*\}\}|\$\{?GITHUB_ACTION_PATH\}?|\$env:GITHUB_ACTION_PATH)/"
)
#: Commands that name a script without running it.
_ONLY_NAME = {
    "chmod",
    "cp",
    "mv",
    "rm",
    "cat",
    "ls",
    "git",
    "echo",
    "test",
    "[",
    "shellcheck",
    "dos2unix",
    "diff",
    "curl",
}
#: So many scripts, and so many calls of each, and words of a call, are followed; no repository has more.
_MOST, _WORDS = 500, 200
#: A script is looked for in so many folders that the commands before it may have changed to, the last ones.
_FOLDERS = 32


def called(repository: Repository) -> dict[str, tuple[Call, ...]]:
    """Every script that steps may run, and who runs it: path from the checkout → calls. Paths need not exist."""
    found: dict[str, list[Call]] = defaultdict(list)
    waiting = [spot for spot in repository.spots if spot.is_script]
    seen: set[str] = set()
    while waiting:
        for call in _calls(waiting.pop()):
            if (len(found) < _MOST or call.path in found) and len(found[call.path]) < _MOST:
                found[call.path].append(call)
            if call.path in repository.scripts and call.path not in seen:
                seen.add(call.path)
                waiting.append(repository.script(call.path, (call,)))
    return {path: tuple(calls) for path, calls in found.items()}


def scripts(repository: Repository) -> Iterator[Spot]:
    """The scripts that are run and that could be read."""
    for path, calls in called(repository).items():
        if path in repository.scripts:
            yield repository.script(path, calls)


def _calls(spot: Spot) -> Iterator[Call]:
    folders = start = _folders(spot)
    for command in commands(spot.node.value):
        if command.name in {"cd", "pushd", "set-location"} and len(command.words) > 1:
            below = [_joined(folder, command.words[1].text) for folder in folders]
            folders = list(dict.fromkeys([*[*below, *folders][:_FOLDERS], *start]))
        if command.name in _ONLY_NAME:
            continue
        for place, word in enumerate(command.words):
            if not _SCRIPT.fullmatch(word.text) or word.text.startswith("-"):
                continue
            after = tuple((each.start, each.end) for each in command.words[place + 1 : place + 1 + _WORDS])
            for path in dict.fromkeys(_paths(spot, folders, word.text)):
                yield Call(path, spot, after)


def _folders(spot: Spot) -> list[str]:
    """Where the script may be run: the step's folder, and the checkout's top; for a script that is called its own too."""
    if spot.step is not None:
        folder = _HERE.sub("", spot.step.folder + "/").rstrip("/")
        return [folder if "$" not in folder else ".", "."]
    return [posixpath.dirname(spot.file) or ".", *(f for call in spot.calls for f in _folders(call.spot))]


def _paths(spot: Spot, folders: list[str], word: str) -> Iterator[str]:
    text = word.replace("\\", "/")
    if _ACTION.match(text) and spot.workflow is not None:
        folders, text = [spot.workflow.folder], _ACTION.sub("", text)
    elif _HERE.match(text):
        folders, text = [*folders, "."], _HERE.sub("", text)
    if "$" in text or text.startswith("/"):
        return
    for folder in folders:
        path = _joined(folder, text)
        if not path.startswith(".."):
            yield path


def _joined(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path))


def started_with(calls: tuple[Call, ...]) -> Mapping[str, bool]:
    """The variables that a script has when it is called."""
    found: dict[str, bool] = {}
    for call in calls:
        for holder in (call.spot.step, call.spot.job, call.spot.workflow):
            found |= dict.fromkeys(holder.env if holder is not None else (), True)
        found |= started_with(call.spot.calls)
    return found
