"""How workflow files differ from what would be rendered, as diffs and values. Must not print or decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from trustsmith.model.resources import WorkflowFile
from trustsmith.regenerate import unified
from trustsmith.ui.report import Line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trustsmith.model.plan import Change

_STYLES = {"+": "green", "-": "red", "@": "cyan"}


class Difference(NamedTuple):
    """One file. state: what becomes of it, as `regenerate` says, or `stale` for one that nobody asks for any more.

    diff: unified, from the text that is there to the one that it would get; for a conflict, if it were overwritten.
    """

    path: str
    state: str
    why: str
    diff: str

    def as_json(self) -> dict[str, Any]:
        """The entry in the JSON document."""
        return self._asdict()


def differences(changes: Iterable[Change]) -> list[Difference]:
    """What these changes make of workflow files."""
    return [found for change in changes if (found := _difference(change))]


def lines(files: Iterable[Difference]) -> Iterator[Line]:
    """Diffs for people; tools that take diffs skip the line above each."""
    for file in files:
        yield Line(f"{file.state}: {file.path}  [{file.why}]", "bold")
        yield from diff_lines(file.diff)
        yield Line("")


def diff_lines(diff: str) -> Iterator[Line]:
    """A diff by its lines."""
    for line in diff.removesuffix("\n").split("\n") if diff else ():
        header = line.startswith(("--- ", "+++ "))
        yield Line(line.removesuffix("\r"), "bold" if header else _STYLES.get(line[:1], ""))


def _difference(change: Change) -> Difference | None:
    before, after, file = change.before, change.after, change.resource
    if not isinstance(file, WorkflowFile):
        return None
    old = before.text if isinstance(before, WorkflowFile) else None
    new = after.text if isinstance(after, WorkflowFile) else None
    fate = before.fate.outcome if isinstance(before, WorkflowFile) and before.fate else "missing"
    state = "stale" if change.verb == "delete" else fate
    return Difference(file.path, state, change.why, unified(file.path, old, new))
