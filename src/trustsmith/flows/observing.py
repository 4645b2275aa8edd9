"""What a look is to an observer: a report of what was compared, and of how far. Must not ask a service."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trustsmith.diff import observed
from trustsmith.model.foundry import short_scope
from trustsmith.model.observing import readable
from trustsmith.model.plan import NotCompared, Plan
from trustsmith.model.resource import Key

if TYPE_CHECKING:
    from collections.abc import Collection

    from trustsmith.model.config import Config
    from trustsmith.model.resource import Side
    from trustsmith.model.state import State


def nothing_seen(config: Config, why: str) -> Plan:
    """Everything hangs on the repository, whose id is in all our names: without it nothing is compared."""
    key = Key("repository", config.repository)
    return Plan(not_compared=(NotCompared(key, f"{why} Without it nothing else can be compared."),))


def reported(config: Config, plan: Plan, live: State, wanted: State, sides: Collection[Side]) -> Plan:
    """The plan as far as it could be seen, and how far that is."""
    return replace(observed(plan, live, wanted, sides), notes=(*plan.notes, *_extent(config)))


def _extent(config: Config) -> tuple[str, ...]:
    """How far an observer looks for roles, where the file keeps it near."""
    if config.observer is None or config.observer.reach == "subscriptions":
        return ()
    places = ", ".join(short_scope(scope) for scope in readable(config))
    elsewhere = "not elsewhere in the subscriptions (observer.reach)"
    return (f"Roles were looked for at {places}, and above; {elsewhere}.",)
