"""Pins of actions, and what they would become, as text. Builds lines; must not print or decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith.ui.report import Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trustsmith.model.pins import Pin, Update


def lines(updates: Sequence[Update]) -> Iterator[Line]:
    """Each action with its old and new pin, and a summary."""
    width = max((len(update.action) for update in updates), default=0)
    for update in updates:
        yield from _update(update, width)
    yield Line("")
    yield Line(summary(updates), "bold")


def _update(update: Update, width: int) -> Iterator[Line]:
    there = update.pin.version if update.pin else "not pinned"
    if update.to:
        yield Line(f"  ~ {update.action:<{width}}  {there} → {update.to.version}", "yellow")
        before = f"{_commit(update.pin)} → " if update.pin else ""
        yield Line(f"      {before}{_commit(update.to)}")
    else:
        sign = "=" if update.compared else "?"
        commit = f"  ({_commit(update.pin)})" if update.pin else ""
        yield Line(f"  {sign} {update.action:<{width}}  {there}{commit}")
    if update.url:
        yield Line(f"      {update.url}")
    yield from (Line(f"      {remark}") for remark in update.remarks)


def _commit(pin: Pin) -> str:
    return f"{pin.short}, {pin.date}"


def summary(updates: Sequence[Update]) -> str:
    """All in one sentence."""
    taken, unknown = sum(bool(u.to) for u in updates), sum(not u.compared for u in updates)
    parts = [f"{taken} to update"] if taken else []
    stay = len(updates) - taken - unknown
    parts += [f"{stay} as {'they are' if stay != 1 else 'it is'}"] if stay else []
    parts += [f"{unknown} not compared"] if unknown else []
    return f"Pins: {', '.join(parts) or 'none in use'}."
