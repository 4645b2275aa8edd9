"""Where a job finds the actions that its steps name: in a folder of actions, or in what the job checked out.

A job works on copies: an action may write where it lies. It must not read what an action says: ``action_file`` does.
"""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from trustsmith_sandbox.action_file import Action, ActionError, read_action

PLAYED = ("actions/checkout", "actions/setup-python")
_REMOTE = re.compile(r"(?P<owner>[\w.-]+)/(?P<name>[\w.-]+)(?P<path>(?:/[\w.-]+)*)@(?P<ref>[\w./-]+)")


@dataclass(frozen=True)
class Shelf:
    """``source`` holds actions as OWNER/NAME@REF or OWNER/NAME (None: there are none); ``copies`` is the job's own."""

    source: Path | None
    copies: Path
    _taken: dict[str, Action | None] = field(default_factory=dict)

    def remote(self, uses: str) -> Action | None:
        """Return the action ``owner/name[/path]@ref``, or None if it is one that is to be played.

        Raises ``ActionError``.
        """
        if uses not in self._taken:
            self._taken[uses] = self._find(uses)
        return self._taken[uses]

    def _find(self, uses: str) -> Action | None:
        if uses.startswith("docker://"):
            raise ActionError(f"The sandbox does not run Docker actions: {uses}.")
        found = _REMOTE.fullmatch(uses)
        if found is None or ".." in Path(uses).parts:
            raise ActionError(f"Expected format {{org}}/{{repo}}[/path]@ref. Actual '{uses}'")
        name = f"{found['owner']}/{found['name']}"
        origin = self._origin(found)
        if origin is None and name.lower() in PLAYED and not found["path"]:
            return None
        if self.source is None:
            raise ActionError(
                f"The sandbox does not run actions: {uses}. It plays {' and '.join(PLAYED)} only; started with"
                " --actions FOLDER it runs those in that folder."
            )
        if origin is None:
            raise ActionError(f"Unable to resolve action {uses}: there is no folder {self.source / name}.")
        copy = self.copies / found["owner"] / found["name"] / found["ref"]
        shutil.copytree(origin, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git"))
        return read_action(uses, copy / found["path"].strip("/"))

    def _origin(self, found: re.Match[str]) -> Path | None:
        owner = _inside(self.source, found["owner"])
        with_ref = _inside(owner, *f"{found['name']}@{found['ref']}".split("/"))
        return with_ref or _inside(owner, found["name"])


def local(uses: str, workspace: Path) -> Action:
    """Return the action ``./path`` of a checkout. Raises ``ActionError``."""
    folder = (workspace / uses).resolve()
    if not folder.is_relative_to(workspace.resolve()):
        raise ActionError(f"'{uses}' leads out of the checkout.")
    if not folder.is_dir():
        raise ActionError(
            f"Can't find 'action.yml', 'action.yaml' or 'Dockerfile' under '{uses}'. Did you forget to run"
            " actions/checkout before running your local action?"
        )
    return read_action(uses, folder)


def _inside(folder: Path | None, *names: str) -> Path | None:
    """Return the folder below another, or None; names count in any case, as GitHub's do."""
    for name in names:
        below = folder.iterdir() if folder is not None and folder.is_dir() else ()
        folder = next(
            (each for each in sorted(below) if each.name.lower() == name.lower() and each.is_dir()), None
        )
    return folder
