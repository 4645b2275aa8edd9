"""Changing: shows the plan, refuses or asks, carries it out, and says how it went."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from trustsmith.apply import Run, apply
from trustsmith.errors import Incomplete, Interrupted, Refused, TrustsmithError, UsageError
from trustsmith.flows.look import Picture, look
from trustsmith.flows.preflight import check
from trustsmith.flows.session import Session, Talk
from trustsmith.model.plan import SCHEMA, Plan, fingerprint_of
from trustsmith.model.resource import SIDES, Side

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Collection, Mapping
    from pathlib import Path

    from trustsmith.configfile import Source
    from trustsmith.systems import Writer


#: Stands for the fingerprint of a saved plan that does not say what was saved.
_EDITED = "edited"


class Front(Talk, Protocol):
    """Who shows the plan, asks, and shows what came of it."""

    def show_plan(self, plan: Plan) -> None:
        """The plan, whole, before anything is decided."""
        ...

    def agree(self, question: str) -> bool:
        """Whether to go on. Raises UsageError when nobody can be asked."""
        ...

    def show_run(self, plan: Plan, run: Run) -> None:
        """What was done, what failed and why, what was not reached."""
        ...


@dataclass(frozen=True)
class Wish:
    """What the caller asked for. pinned: the fingerprint of a saved plan."""

    sides: Collection[Side] = SIDES
    allow: Collection[str] = ()
    yes: bool = False
    pinned: str | None = None


def change(runner: asyncio.Runner, session: Session, source: Source, front: Front, wish: Wish) -> None:
    """Look, show, refuse or ask, apply, report. Raises what explains why it is not all done."""

    def take() -> Picture:
        return runner.run(look(session, source, wish.sides, wish.allow, to_write=True))

    carry_out(runner, session, front, wish, take)


def carry_out(
    runner: asyncio.Runner,
    session: Session,
    front: Front,
    wish: Wish,
    take: Callable[[], Picture],
    *,
    agree: Callable[[], bool] | None = None,
    around: Callable[[Mapping[Side, Writer]], Mapping[Side, Writer]] = lambda writers: writers,
    accepted: Callable[[], None] = lambda: None,
) -> Picture:
    """As `change`, for whatever picture is taken; returns the one that was acted on.

    take: looks, and makes the plan. It is called again after somebody was asked, since people take their time.
    agree: asks for a yes in another way than the front does.
    around: puts something around the writers, just before the first change.
    accepted: called when nothing and nobody speaks against the plan, before anything is changed.
    """
    picture = take()
    front.show_plan(picture.plan)
    if picture.plan.changes:
        check_pin(picture.plan, wish.pinned)
    refuse(picture.plan)
    if picture.evidence is not None:
        runner.run(check(session, picture.plan, picture.live, picture.evidence))
    if picture.plan.changes and not wish.yes:
        if not (agree() if agree else front.agree("Apply this plan?")):
            raise Refused("Nothing was applied.", hint="To look at it again:\n  trustsmith plan")
        picture = _unmoved(picture, take())
    accepted()
    plan = picture.plan
    run = Run()
    if plan.changes:
        writers = around(session.writers({each.side for each in plan.changes}))
        run = runner.run(apply(plan, picture.live, picture.facts, writers, front))
    front.show_run(plan, run)
    conclude(run)
    return picture


def _unmoved(shown: Picture, now: Picture) -> Picture:
    """What is there now, when it still makes the plan that was agreed to. Raises Refused."""
    if now.plan.fingerprint != shown.plan.fingerprint:
        raise Refused(
            "Something changed while the plan was on the screen; what you agreed to is no longer what would be done. "
            "Nothing was applied.",
            hint="Run the same again to see the plan as it is now.",
        )
    return now


def refuse(plan: Plan) -> None:
    """Raise Refused for a plan that is a report only; else naming every hazard that was not allowed, and the word for it."""
    if plan.not_compared:
        raise Refused(
            "This plan leaves out what could not be read, so nobody carries it out.",
            hint="Make one with the rights to read everything:\n  trustsmith plan",
        )
    if not plan.blocked:
        return
    words = [f"--allow {shlex.quote(hazard.id)}" for hazard in plan.blocked if hazard.allowable]
    never = [hazard.hint for hazard in plan.blocked if not hazard.allowable]
    hint = "\n".join(dict.fromkeys(hint for hint in never if hint))
    if words and not never:
        hint = "If that is what you want, add:\n  " + " ".join(words)
    reasons = "\n".join(f"  {hazard.id}: {hazard.why}" for hazard in plan.blocked)
    raise Refused(f"Refused for safety; nothing was changed.\n{reasons}", hint=hint)


def check_pin(plan: Plan, pinned: str | None) -> None:
    """Raise Refused when the world has moved since the plan was saved."""
    if pinned is not None and plan.fingerprint != pinned:
        raise Refused(
            "This is not the plan that was saved: something changed since then, or the file was edited. "
            "Nothing was changed now.",
            hint="Read the plan above; if it is right, save it again:\n  trustsmith plan --format json > plan.json",
        )


def read_saved(path: Path) -> str:
    """The fingerprint of a saved plan; no plan has that of one that was edited. Raises UsageError for another file."""
    try:
        saved = json.loads(path.read_text("utf-8"))
        pinned, says = saved["fingerprint"], fingerprint_of(saved)
        known = saved["schema"] == SCHEMA and isinstance(pinned, str)
        partial = bool(saved.get("not_compared"))
    except (OSError, ValueError, TypeError, KeyError):
        known = partial = False
    if partial:
        raise UsageError(
            f"{path} is an observer's report: it leaves out what could not be read, and cannot be applied.",
            hint="Save a plan with the rights to read everything:\n  trustsmith plan --format json > plan.json",
        )
    if not known:
        raise UsageError(
            f"{path} is not a plan that trustsmith saved.",
            hint="Save one with:\n  trustsmith plan --format json > plan.json",
        )
    return str(pinned) if pinned == says else _EDITED


def conclude(run: Run) -> None:
    """Raise what says how the run ended, when it did not end well."""
    done = run.of("done")
    if run.interrupted:
        raise Interrupted("Interrupted. What was done stays done.", hint="Run the same again to go on.")
    if not run.failures:
        return
    first = run.failures[0].error or TrustsmithError("A change failed.")
    if not done:
        raise first
    raise Incomplete(
        f"{len(done)} change{'s were' if len(done) > 1 else ' was'} made, then something failed: {first.message}",
        hint="Mend the cause, then run the same again to go on.",
        original=first.original,
    )
