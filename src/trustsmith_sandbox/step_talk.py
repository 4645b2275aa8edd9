"""How one step talks to the runner: workflow commands among what it prints, and the files behind ``GITHUB_OUTPUT``.

Written from GitHub's "workflow commands": ``::name key=value::text`` (and the older ``##[name key=value]text``), with
what stands for line ends and colons decoded; nothing is a command between ``::stop-commands::TOKEN`` and ``::TOKEN::``.
It must not start anything.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from trustsmith_sandbox.job_log import JobLog

_COMMAND = re.compile(r"(?:::|##\[)(?P<name>[^\s:\]]+)(?: (?P<properties>.*?))?(?:::|\])(?P<text>.*)")
_SHOWN = {"group", "endgroup", "error", "warning", "notice"}
_HIDDEN = {"debug", "echo", "add-matcher", "remove-matcher"}
_DISABLED = {"set-env": "GITHUB_ENV", "add-path": "GITHUB_PATH"}
_ESCAPES = (("%0D", "\r"), ("%0A", "\n"))
_MORE_ESCAPES = (("%3A", ":"), ("%2C", ","))
_BEGINNING = re.compile(r"([^=<]+)(?:<<(.+)|=(.*))")
_FILES = ("output", "env", "path", "step_summary", "state")


class TalkError(Exception):
    """A step said something that the runner cannot take; it fails for it."""


class Talk:
    """What a step said: ``outputs``, ``state`` (for its post), ``env`` and ``path`` (for the steps that follow).

    ``folder`` is where its files are; they are read by ``end``.
    """

    def __init__(self, log: JobLog, folder: Path) -> None:
        self.outputs: dict[str, str] = {}
        self.state: dict[str, str] = {}
        self.env: dict[str, str] = {}
        self.path: list[str] = []
        self._log, self._folder = log, folder
        self._resume = self._refused = ""

    def variables(self) -> dict[str, str]:
        """Make the step's files anew and return the variables that say where they are."""
        for name in _FILES:
            self._file(name).write_text("", encoding="utf-8")
        return {f"GITHUB_{name.upper()}": str(self._file(name)) for name in _FILES}

    def _file(self, name: str) -> Path:
        return self._folder / f"step-{name}"

    def hear(self, line: str) -> None:
        """Take a line that the step printed."""
        found = _COMMAND.fullmatch(line.strip())
        name = found["name"].lower() if found else ""
        if found is None or self._resume:
            self._resume = "" if name == self._resume.lower() else self._resume
            self._log.write(line)
        elif not self._obey(name, _properties(found["properties"] or ""), _decoded(found["text"], _ESCAPES)):
            self._log.write(line)

    def _obey(self, name: str, properties: dict[str, str], text: str) -> bool:
        """Do what a command says. False if there is no command of that name."""
        if name in _SHOWN:
            self._log.write(f"##[{name}]{text}")
        elif name in _DISABLED:
            self._refused = f"The `{name}` command is disabled. Please upgrade to using Environment Files: ${_DISABLED[name]}."
        elif name == "add-mask":
            self._log.mask(text)
        elif name == "stop-commands":
            self._resume = text
        elif name == "set-output":
            self.outputs[properties.get("name", "")] = text
        elif name == "save-state":
            self.state[properties.get("name", "")] = text
        else:
            return name in _HIDDEN
        return True

    def end(self) -> None:
        """Read the step's files. Raises ``TalkError``."""
        self.outputs |= _pairs(self._file("output"))
        self.state |= _pairs(self._file("state"))
        self.env |= _pairs(self._file("env"))
        self.path += self._file("path").read_text(encoding="utf-8").split("\n")[:-1]
        if self.env.pop("NODE_OPTIONS", None) is not None:
            raise TalkError("Can't store NODE_OPTIONS output parameter using '$GITHUB_ENV' command.")
        if self._refused:
            raise TalkError(self._refused)


def _properties(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in re.split("[,;]", text) if "=" in part)
    return {name.strip(): _decoded(value, _ESCAPES + _MORE_ESCAPES) for name, _, value in pairs}


def _decoded(text: str, escapes: tuple[tuple[str, str], ...]) -> str:
    for code, character in (*escapes, ("%25", "%")):  # the per cent sign last: it may spell another code
        text = text.replace(code, character)
    return text


def _pairs(path: Path) -> dict[str, str]:
    """Return the pairs of a file: ``name=value`` or ``name<<END`` lines. Raises ``TalkError`` for anything else."""
    pairs: dict[str, str] = {}
    lines = iter(re.split(r"\r?\n", path.read_text(encoding="utf-8")))
    for line in lines:
        if not line:
            continue
        found = _BEGINNING.fullmatch(line)
        if found is None:
            raise TalkError(f"Unable to process file command. Invalid format '{line}'")
        if found[2] is None:
            pairs[found[1]] = found[3]
            continue
        value: list[str] = []
        for inner in lines:
            if inner == found[2]:
                break
            value.append(inner)
        else:
            raise TalkError(f"Invalid value. Matching delimiter not found '{found[2]}'")
        pairs[found[1]] = "\n".join(value)
    return pairs
