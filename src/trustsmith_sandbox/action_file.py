"""Reads an action's ``action.yml``: what it takes, what it gives, and what it runs.

Written from GitHub's "metadata syntax". What the sandbox cannot run (Docker) is refused here, by name. It must not
evaluate an expression or start anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("action.yml", "action.yaml")
ALWAYS = "always()"
_NODE = re.compile(r"node\d+")


class ActionError(Exception):
    """There is no such action, its file is none, or the sandbox does not run its kind."""


@dataclass(frozen=True)
class Input:
    """One input: its ``default`` as written (None: there is none), and why not to use it any more."""

    default: Any = None
    deprecated: str | None = None


@dataclass(frozen=True)
class Action:
    """An action as written, unevaluated.

    ``scripts`` has ``main`` and may have ``pre`` and ``post``, files inside ``folder``; it is empty for a composite
    action, which has ``steps``. ``outputs`` maps a composite action's outputs to their values.
    """

    uses: str
    folder: Path
    inputs: dict[str, Input]
    scripts: dict[str, str]
    conditions: dict[str, str]
    steps: list[dict[str, Any]] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)


def read_action(uses: str, folder: Path) -> Action:
    """Return the action in a folder; ``uses`` is how a step names it. Raises ``ActionError``."""
    file = next((folder / name for name in NAMES if (folder / name).is_file()), None)
    if file is None:
        raise ActionError(f"Can't find 'action.yml', 'action.yaml' or 'Dockerfile' for action '{uses}'.")
    try:
        written = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError) as reason:
        raise ActionError(
            f"{file.name} of {uses} is not valid YAML: {' '.join(str(reason).split())}"
        ) from None
    described = _mapping(written)
    runs = _mapping(described.get("runs"))
    inputs = {str(name): _input(each) for name, each in _mapping(described.get("inputs")).items()}
    using = str(runs.get("using", ""))
    if using.lower() == "composite":
        outputs = {
            str(name): _mapping(each).get("value")
            for name, each in _mapping(described.get("outputs")).items()
        }
        return Action(uses, folder, inputs, {}, {}, _steps(uses, runs), outputs)
    return Action(uses, folder, inputs, _scripts(uses, folder, using, runs), _conditions(runs))


def _mapping(value: Any) -> dict[Any, Any]:
    return value if isinstance(value, dict) else {}


def _input(written: Any) -> Input:
    described = _mapping(written)
    message = described.get("deprecationMessage")
    return Input(described.get("default"), None if message is None else str(message))


def _steps(uses: str, runs: dict[str, Any]) -> list[dict[str, Any]]:
    listed = runs.get("steps")
    steps: list[Any] = listed if isinstance(listed, list) else [None]
    if not all(isinstance(step, dict) and step.keys() & {"run", "uses"} for step in steps):
        raise ActionError(
            f"{uses} is not valid: a composite action needs 'steps', each with 'run' or 'uses'."
        )
    for step in steps:
        if "run" in step and "shell" not in step:
            raise ActionError(f"{uses} is not valid: Required property is missing: shell")
    return steps


def _scripts(uses: str, folder: Path, using: str, runs: dict[str, Any]) -> dict[str, str]:
    if using.lower() == "docker":
        raise ActionError(f"The sandbox does not run Docker actions: {uses}.")
    if not _NODE.fullmatch(using.lower()):
        raise ActionError(f"The sandbox does not run actions that use '{using}': {uses}.")
    scripts = {phase: str(runs[phase]) for phase in ("pre", "main", "post") if runs.get(phase)}
    if "main" not in scripts:
        raise ActionError(f"{uses} is not valid: it has no 'main'.")
    if missing := [script for script in scripts.values() if not (folder / script).is_file()]:
        raise ActionError(f"File not found: '{missing[0]}' of {uses}. Was the action built?")
    return scripts


def _conditions(runs: dict[str, Any]) -> dict[str, str]:
    return {phase: str(runs.get(f"{phase}-if") or ALWAYS) for phase in ("pre", "post")}
