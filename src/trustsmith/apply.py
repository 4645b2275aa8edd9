"""Plan → Outcomes: carries out changes by dependency, what is independent at the same time.

The only caller of a Writer. Must not plan, print, or decide whether the plan may be carried out.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Protocol

from trustsmith.errors import TrustsmithError
from trustsmith.model.environments import EnvironmentMark
from trustsmith.model.resource import Later, Side

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trustsmith.model.facts import Facts
    from trustsmith.model.plan import Change, Plan
    from trustsmith.model.state import State
    from trustsmith.systems import Writer

Status = Literal["done", "failed", "not reached"]


@dataclass(frozen=True)
class Outcome:
    """How one change went. seconds: how long it took; error: why it failed, or what kept it from being tried."""

    change: Change
    status: Status
    seconds: float = 0.0
    error: TrustsmithError | None = None
    reason: str = ""


class Listener(Protocol):
    """Hears how it goes, as it goes."""

    def started(self, change: Change) -> None:
        """A change is being made."""
        ...

    def finished(self, outcome: Outcome) -> None:
        """A change was made, failed, or will not be tried."""
        ...


@dataclass
class Run:
    """The outcomes so far. interrupted: somebody pressed Ctrl-C; what had begun was finished."""

    outcomes: dict[Change, Outcome] = field(default_factory=dict)
    interrupted: bool = False

    def of(self, status: Status) -> list[Outcome]:
        """The shown outcomes with that status, in the plan's order of completion."""
        return [o for o in self.outcomes.values() if o.status == status and not o.change.implied]

    @property
    def failures(self) -> list[Outcome]:
        """Everything that failed, also what is not shown."""
        return [outcome for outcome in self.outcomes.values() if outcome.status == "failed"]


async def apply(
    plan: Plan, live: State, facts: Facts, writers: Mapping[Side, Writer], listener: Listener
) -> Run:
    """Carry out the plan's changes. Never raises for a change that fails: that is an outcome.

    On cancellation (Ctrl-C) nothing new is begun, and what was begun is finished.
    """
    run = Run()
    doer = _Doer(plan, live, facts, writers, listener, run)
    tasks = {change: asyncio.ensure_future(doer.do(change)) for change in plan.order}
    doer.tasks = tasks
    while pending := [task for task in tasks.values() if not task.done()]:
        try:
            await asyncio.wait(pending)
        except asyncio.CancelledError:
            run.interrupted = True
            current = asyncio.current_task()
            if current is not None:
                current.uncancel()
    for task in tasks.values():
        task.result()  # a bug, and nothing that a service said: not an outcome
    return run


@dataclass
class _Doer:
    """Does one change after what it needs is done."""

    plan: Plan
    live: State
    facts: Facts
    writers: Mapping[Side, Writer]
    listener: Listener
    run: Run
    tasks: Mapping[Change, asyncio.Future[None]] = field(default_factory=dict)
    minted: dict[Later, str] = field(default_factory=dict)

    async def do(self, change: Change) -> None:
        await asyncio.sleep(0)
        blockers = self.plan.order[change]
        if blockers:
            await asyncio.wait([self.tasks[blocker] for blocker in blockers])
        reason = self._kept_from(change, blockers)
        if reason:
            self._finish(Outcome(change, "not reached", reason=reason))
            return
        self.listener.started(change)
        began = time.monotonic()
        try:
            minted = await self.writers[change.side].write(self._filled(change), self.facts)
        except TrustsmithError as error:
            self._finish(Outcome(change, "failed", time.monotonic() - began, error))
        else:
            self.minted |= {Later(change.key, name): value for name, value in minted.items()}
            self._finish(Outcome(change, "done", time.monotonic() - began))

    def _kept_from(self, change: Change, blockers: frozenset[Change]) -> str:
        if self.run.interrupted and not isinstance(change.resource, EnvironmentMark):
            return (
                "interrupted"  # but an environment of ours gets its mark, or it would be taken for another's
            )
        done = {b for b in blockers if b in self.run.outcomes and self.run.outcomes[b].status == "done"}
        failed = blockers - done
        first = next((b for b in self.plan.order if b in failed), None) if failed else None
        needs = "it comes after" if self.plan.one_by_one else "it needs"
        return f"{needs} {first.key}, which was not done" if first else ""

    def _filled(self, change: Change) -> Change:
        after = change.after and change.after.fill(
            lambda later: self.minted.get(later) or self.live.known(later)
        )
        return replace(change, after=after)

    def _finish(self, outcome: Outcome) -> None:
        self.run.outcomes[outcome.change] = outcome
        self.listener.finished(outcome)
