"""The checkout: generated workflow files. Writes to a temporary file and renames it, so that nothing is half-written."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from trustsmith.configfile import save
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

    def _file(self, path: str) -> WorkflowFile | None:
        try:
            text = (self._root / PurePosixPath(path)).read_text("utf-8-sig", errors="replace")
        except FileNotFoundError:
            return None
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
        path = self._root / PurePosixPath(file.path)
        if change.verb == "delete":
            path.unlink(missing_ok=True)
        else:
            save(path, file.text)
        return {}


KINDS: tuple[type[Resource], ...] = (WorkflowFile,)
