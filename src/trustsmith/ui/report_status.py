"""Where a repository stands, as text and for machines. Builds lines and values; must not print or decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trustsmith.migrate.stages import upcoming
from trustsmith.ui.report import Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trustsmith.migrate.stages import Stage

_MARKS = {True: ("done", "green"), False: ("open", "yellow"), None: ("-", "dim")}


def as_json(found: Sequence[Stage]) -> dict[str, Any]:
    """The stages for machines. next: the command of the first that is not done, "" when all are."""
    first = upcoming(found)
    return {"stages": [stage.as_json() for stage in found], "next": first.next if first else ""}


def lines(found: Sequence[Stage]) -> Iterator[Line]:
    """A line a stage, and what is next."""
    for stage in found:
        mark, style = _MARKS[stage.done]
        yield Line(f"  {stage.name:<9} {mark:<5} {stage.said}", style)
    first = upcoming(found)
    yield Line("")
    if first is None:
        yield Line("Nothing is left to do.", "bold")
    else:
        yield Line(f"Next: {first.next}", "bold")
