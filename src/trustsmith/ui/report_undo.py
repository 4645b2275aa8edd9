"""How the way back is shown: the diff, the secrets that are read again, and what cannot be restored.

Builds lines and values; must not print or decide.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trustsmith.model.branch import RESTORED
from trustsmith.regenerate import unified
from trustsmith.systems.sources import Changed
from trustsmith.ui.report import Line, markdown_row
from trustsmith.ui.report_migrate import many
from trustsmith.ui.report_pull import counted, framed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trustsmith.rewrite.undo import Restored


@dataclass(frozen=True, kw_only=True)
class Undoing:
    """Files that change, or cannot. texts: of all as they are. secrets: that are read again. written: in the work tree."""

    restored: Sequence[Restored] = ()
    texts: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    written: bool = False
    notes: tuple[str, ...] = ()

    @property
    def changed(self) -> list[Changed]:
        """The files that change."""
        return [
            Changed(each.file, self.texts[each.file], each.text) for each in self.restored if not each.why
        ]

    @property
    def conflicts(self) -> list[Restored]:
        """Those that cannot be restored."""
        return [each for each in self.restored if each.why]


def as_json(undoing: Undoing) -> dict[str, Any]:
    """The way back for machines."""
    return {
        "files": [
            {"file": each.file, "diff": each.diff, "commits": _commits(undoing, each.file)}
            for each in undoing.changed
        ],
        "written": undoing.written,
        "secrets": list(undoing.secrets),
        "notes": list(undoing.notes),
        "conflicts": [{"file": each.file, "why": each.why} for each in undoing.conflicts],
    }


def diff(undoing: Undoing) -> str:
    """What would change, as `git apply` takes it."""
    return "".join(each.diff for each in undoing.changed)


def by_hand(undoing: Undoing) -> str:
    """What would have to change in files that cannot be restored: their rewriting, backwards."""
    turns = (turn for each in undoing.conflicts for turn in each.turns)
    return "".join(unified(turn.file, turn.after, turn.before, exact=True) for turn in turns)


def _commits(undoing: Undoing, file: str) -> list[str]:
    """The commits whose change of a file is taken back; not what is in none yet."""
    return [
        turn.commit for each in undoing.restored if each.file == file for turn in each.turns if turn.commit
    ]


def written(undoing: Undoing) -> Iterator[Line]:
    """The files that were written."""
    return (Line(f"restored: {each.file}") for each in undoing.changed)


def lines(undoing: Undoing) -> Iterator[Line]:
    """What is to be said beside the diff."""
    files = many(len(undoing.changed), "file")
    if not undoing.changed:
        yield Line("Nothing to undo: nothing that signs in without a secret did so with one before.")
        yield from (Line(f"Note: {note}.") for note in undoing.notes)
        return
    yield Line(f"Read again, and still there: {', '.join(undoing.secrets)}")
    yield Line(f"Restored: {files}." if undoing.written else f"{files} can be restored.", "bold")


_INTRODUCTION = (
    f"`{RESTORED.command}` made this. Jobs sign in to Azure with client secrets again, as before they were rewritten; what "
    "was changed since stays. The secrets were there when it was made."
)


def body(undoing: Undoing) -> str:
    """The pull request's text."""
    lines = [_INTRODUCTION, "", "| file | lines | taken back |", "|---|---|---|"]
    for each in undoing.changed:
        commits = ", ".join(commit[:7] for commit in _commits(undoing, each.file))
        lines.append(markdown_row(each.file, counted(each.before, each.after), commits))
    lines += ["", "| secret that is read again |", "|---|", *(markdown_row(name) for name in undoing.secrets)]
    return framed(lines)
