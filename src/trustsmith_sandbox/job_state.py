"""What all steps of one job share: its folder, its log, its variables, and what earlier steps left for later ones.

It must not run a step or read an action: ``job_steps`` and ``action_file`` do.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trustsmith_sandbox import job_contexts
from trustsmith_sandbox.step_talk import Talk

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from trustsmith_sandbox.action_shelf import Shelf
    from trustsmith_sandbox.job_log import JobLog
    from trustsmith_sandbox.world import Data, World

# What a workflow's own variables cannot replace (GitHub docs, "default environment variables")
_FIXED = ("GITHUB_", "RUNNER_", "ACTIONS_")


@dataclass(frozen=True)
class Step:
    """A step as written, how it is called in lists, and its place: its number, after that of the step around it."""

    written: Data
    name: str
    place: tuple[int, ...]


class StepError(Exception):
    """A step did not succeed, or the sandbox cannot do what it says. Without a text, the log says why already."""


@dataclass
class JobState:
    """One job under way. ``given`` are the variables of every step; ``env`` and ``path`` what steps added.

    ``states`` is what the phases of each step's action tell each other, by the step's place.
    """

    world: World
    repository: Data
    run: Data
    folder: Path
    log: JobLog
    shelf: Shelf
    github: Data = field(default_factory=dict)
    runner: Data = field(default_factory=dict)
    given: dict[str, str] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)
    states: dict[tuple[int, ...], dict[str, str]] = field(default_factory=dict)
    cancelled: bool = False
    _names: Counter[str] = field(default_factory=Counter)
    _named: dict[tuple[int, ...], str] = field(default_factory=dict)

    @property
    def workspace(self) -> Path:
        """Where the repository is checked out."""
        return self.folder / "work" / str(self.repository["name"])

    @property
    def temp(self) -> Path:
        """Where scripts and the steps' files are."""
        return self.folder / "temp"

    def prepare(self, key: str, github: Mapping[str, Any], variables: Mapping[str, str]) -> None:
        """Make the folders, and complete the ``github`` and ``runner`` contexts and the variables of job ``key``."""
        for path in (self.workspace, self.temp, self.folder / "home"):
            path.mkdir(parents=True)
        own = {"workspace": str(self.workspace), "job": key, "event_path": str(self.temp / "event.json")}
        self.github = {**github, **own}
        self.given = job_contexts.environment_variables(self.world, self.github, self.folder) | dict(
            variables
        )
        places = {"temp": str(self.temp), "workspace": str(self.folder / "work")}
        self.runner = job_contexts.RUNNER | places | {"tool_cache": self.given["RUNNER_TOOL_CACHE"]}

    def talk(self) -> Talk:
        """Return what a step talks to us through."""
        return Talk(self.log, self.temp)

    def variables(
        self, env: Mapping[str, str], talk: Talk, more: Mapping[str, str] | None = None
    ) -> dict[str, str]:
        """Return a step's variables: those of every step, the workflow's ``env``, and what is its own."""
        fixed = {name: value for name, value in self.given.items() if name.startswith(_FIXED)}
        own = {**self.given, **env, **fixed, **talk.variables(), **(more or {})}
        if self.path:
            own["PATH"] = os.pathsep.join([*reversed(self.path), own["PATH"]])
        return own

    def name_of(self, step: Step, kind: str) -> str:
        """Return ``github.action`` of a step: its id, else its kind, numbered from the second one on."""
        if step.place not in self._named:
            name = str(step.written.get("id") or f"__{kind}")
            self._names[name] += 1
            self._named[step.place] = name if self._names[name] == 1 else f"{name}_{self._names[name]}"
        return self._named[step.place]

    def take(self, talk: Talk) -> None:
        """Read what a step that ended has written, and keep it for those that follow. Raises ``TalkError``."""
        try:
            talk.end()
        finally:
            self.env |= talk.env
            self.path += talk.path
