"""The checkout: generated workflow files. Writes to a temporary file and renames it, so that nothing is half-written."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from trustsmith.configfile import save
from trustsmith.errors import UsageError
from trustsmith.generated import inspect
from trustsmith.model.resources import WorkflowFile
from trustsmith.model.state import State

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from trustsmith.model.facts import Facts
    from trustsmith.model.plan import Change
    from trustsmith.model.resource import Resource
    from trustsmith.systems import Minted

_FOLDER = ".github/workflows"


class WorktreeReader:
    """Reads the workflow files that are wanted, and those that carry our header."""

    def __init__(self, root: Path) -> None:
        self._root = root

    async def read(self, wanted: State, facts: Facts, identities: Awaitable[State]) -> State:
        """The wanted files that are there, and other files of ours."""
        del facts, identities
        return self.look(wanted)

    def look(self, wanted: State) -> State:
        """As `read`, for those who need no service: `render` does not sign in."""
        paths = {r.path for r in wanted.values() if isinstance(r, WorkflowFile)}
        there = {path.relative_to(self._root).as_posix() for path in self._root.glob(f"{_FOLDER}/*.y*ml")}
        files = [file for path in sorted(paths | there) if (file := self._file(path))]
        return State.of(file for file in files if file.owned or file.path in paths)

    def _inside(self, path: str) -> Path:
        """The file's place. Raises UsageError when links lead out of the checkout."""
        file = self._root / PurePosixPath(path)
        if not file.resolve().is_relative_to(self._root.resolve()):
            raise UsageError(
                f"{path} leads out of {self._root}.", hint="Put a file in the place of the link."
            )
        return file

    def _file(self, path: str) -> WorkflowFile | None:
        file = self._inside(path)
        if not file.exists():
            return None
        if not file.is_file():
            raise UsageError(f"{path} is there, and is not a file.", hint="Move it out of the way.")
        text = file.read_text("utf-8-sig", errors="replace")
        made = inspect(text)
        return WorkflowFile(
            path=path, body=made.body if made else text, text=text, owned=made is not None and not made.edited
        )


class WorktreeWriter(WorktreeReader):
    """Writes and removes generated files."""

    async def write(self, change: Change, facts: Facts) -> Minted:
        """Do one change."""
        del facts
        file = change.resource
        if not isinstance(file, WorkflowFile):
            raise TypeError(change)
        path = self._inside(file.path)
        if change.verb == "delete":
            path.unlink(missing_ok=True)
        else:
            save(path, file.text)
        return {}


KINDS: tuple[type[Resource], ...] = (WorkflowFile,)
