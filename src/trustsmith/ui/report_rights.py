"""Advice about roles as text. Builds lines; must not print or decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from trustsmith.model.advice import Advice, Kind


class Told(NamedTuple):
    """How a kind of advice is told. whole: with what to write in the file."""

    word: str
    style: str
    whole: bool


#: In the order of their weight. Of the others there is nothing to say to people.
TOLD: Mapping[Kind, Told] = {
    "missing": Told("missing", "yellow", whole=True),
    "too-wide": Told("too wide", "yellow", whole=True),
    "unknown": Told("could not be told", "", whole=False),
    "perhaps-too-wide": Told("perhaps too wide", "dim", whole=False),
}


def told(rights: Iterable[Advice]) -> list[Advice]:
    """What people are told."""
    return [advice for advice in rights if advice.kind in TOLD]


def lines(rights: Iterable[Advice]) -> Iterator[tuple[str, str]]:
    """The advice for people, as lines with their style."""
    said = told(rights)
    if said:
        yield "  Roles, against what the jobs do (advice, which holds nothing up):", "bold"
    for advice in said:
        how = TOLD[advice.kind]
        yield f"    {advice.environment}, {how.word}: {advice.why}", how.style
        yield from ((f"      {line}", "") for line in advice.next.splitlines() if how.whole)
    if said:
        yield "", ""
