"""Which roles of the file reach further than what the jobs do, and what would do. Pure; must not look for what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith.grants.holder import grant_text, highest, listed
from trustsmith.grants.proposals import HOLDS, USUAL
from trustsmith.model.advice import Advice
from trustsmith.model.foundry import role_slug, short_scope
from trustsmith.model.operations import LEVELS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from uuid import UUID

    from trustsmith.grants.holder import Entry, Holder, Need
    from trustsmith.model.operations import Level


def too_wide(holder: Holder) -> Iterator[Advice]:
    """The widest roles first: each is judged without those that were found superfluous, so all that is said holds at once."""
    kept = list(holder.entries)
    judged = [entry for entry in kept if _is_judged(holder, entry)]
    for entry in sorted(judged, key=lambda entry: _width(holder, entry), reverse=True):
        others = [e for e in kept if e.role != entry.role or not set(e.scopes) & set(entry.scopes)]
        needs = [n for n in holder.needs if holder.permits(entry, n) and not holder.permitted(n, others)]
        if needs:
            yield from _far(holder, entry, needs)
        else:
            kept.remove(entry)
            yield _unneeded(holder, entry)


def _is_judged(holder: Holder, entry: Entry) -> bool:
    """Whether enough is known of it, it is for the projects or what they are in, and it is not what is usual there."""
    level = holder.level(entry)
    told = all(holder.permits(entry, need) is not None for need in holder.needs)
    usual = level == "project" and entry.role in USUAL
    return bool(holder.needs) and level is not None and told and not usual


def _width(holder: Holder, entry: Entry) -> tuple[int, int]:
    return _rank(holder.level(entry)), len(HOLDS.get(entry.role, ()))


def _rank(level: Level | None) -> int:
    return LEVELS.index(level) if level else -1


def _unneeded(holder: Holder, entry: Entry) -> Advice:
    why = (
        "is not known to be needed: nothing that the templates of its workflows declare takes it"
        if holder.more
        else "is not needed for anything that its jobs do"
    )
    following = f"Take it out of environments.{entry.environment}.grants."
    return _advice(holder, entry, why, following if entry.because else _role_text(entry, "foundry-user"))


def _far(holder: Holder, entry: Entry, needs: Sequence[Need]) -> Iterator[Advice]:
    """needs: what nothing else permits. Says nothing where less would not do."""
    level = highest(need.operation for need in needs)
    lower = _rank(level) < _rank(holder.level(entry))
    role = _less(holder, entry, needs, lower=lower)
    if not lower and role == entry.role:
        return
    reach = "what the templates of its workflows declare" if holder.more else "what its jobs do"
    does = listed(need.operation.does for need in needs)
    where = listed(short_scope(need.target) for need in needs)
    name = role_slug(role)
    why = f"reaches further than {reach}: they {does}, at {where}, for which {name} with scope: {level} would do"
    in_place = f"In its place, under environments.{entry.environment}.grants:\n  {grant_text(name, level, entry.because)}"
    yield _advice(holder, entry, why, in_place if entry.because else _role_text(entry, name))


def _less(holder: Holder, entry: Entry, needs: Sequence[Need], *, lower: bool) -> UUID:
    """The role that would do. lower: at a narrower scope, where roles for anything are not proposed again."""
    proposed = holder.roles.proposed(dict.fromkeys(need.operation for need in needs))
    holds = HOLDS.get(entry.role, set())
    one = proposed[0].role if len(proposed) == 1 else None
    return one if one and (one in holds or (holds and lower)) else entry.role


def _role_text(entry: Entry, role: str) -> str:
    return f"Under environments.{entry.environment}:\n  role: {role}"


def _advice(holder: Holder, entry: Entry, why: str, following: str) -> Advice:
    where = listed(short_scope(scope) for scope in entry.scopes)
    because = f" The file's reason: {entry.because}" if entry.because else ""
    return Advice(
        environment=entry.environment,
        kind="perhaps-too-wide" if holder.more else "too-wide",
        why=f"{holder.roles.name(entry.role)} at {where} {why}.{because}",
        role=role_slug(entry.role),
        scope=entry.scope,
        because=entry.because,
        next=following,
    )
