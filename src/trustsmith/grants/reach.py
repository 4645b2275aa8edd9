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

    from trustsmith.grants.holder import Entry, Holder, Need
    from trustsmith.model.operations import Level


def too_wide(holder: Holder) -> Iterator[Advice]:
    """The widest roles first. Each is judged with what was said of those before it done, so that all of it can be done."""
    kept = list(holder.entries)
    judged = [entry for entry in kept if _is_judged(holder, entry)]
    for entry in sorted(judged, key=lambda entry: _width(holder, entry), reverse=True):
        others = [e for e in kept if e.role != entry.role or not set(e.scopes) & set(entry.scopes)]
        needs = [n for n in holder.needs if holder.permits(entry, n) and not holder.permitted(n, others)]
        kept.remove(entry)
        if not needs:
            yield _unneeded(holder, entry)
            continue
        less = _less(holder, entry, needs)
        kept.append(less)
        if less != entry:
            yield _far(holder, entry, needs, less)


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
        "is not known to be needed: what the templates of its workflows declare is permitted without it"
        if holder.more
        else "is not needed for anything that its workflows do"
    )
    following = f"Take it out of environments.{entry.environment}.grants."
    return _advice(holder, entry, why, following if entry.because else _role_text(entry, "foundry-user"))


def _less(holder: Holder, entry: Entry, needs: Sequence[Need]) -> Entry:
    """What would do for what nothing else permits; the role itself where that is not less.

    At a narrower scope, a role for anything is not proposed again.
    """
    level = highest(need.operation for need in needs)
    lower = _rank(level) < _rank(holder.level(entry))
    proposed = holder.roles.proposed(dict.fromkeys(need.operation for need in needs))
    one, holds = proposed[0].role if len(proposed) == 1 else None, HOLDS.get(entry.role, frozenset())
    role = one if one and (one in holds or (holds and lower)) else entry.role
    if role == entry.role and not lower:
        return entry
    return entry._replace(role=role, scope=level, scopes=holder.scopes(entry.environment, level))


def _far(holder: Holder, entry: Entry, needs: Sequence[Need], less: Entry) -> Advice:
    reach = "what the templates of its workflows declare" if holder.more else "what its workflows do"
    does = ", ".join(dict.fromkeys(need.operation.does for need in needs))
    where = listed(short_scope(need.target) for need in needs)
    name = role_slug(less.role)
    why = f"reaches further than {reach}: they {does}, at {where}, for which {name} with scope: {less.scope} would do"
    text = grant_text(name, less.scope, entry.because)
    following = f"In its place, under environments.{entry.environment}.grants:\n  {text}"
    return _advice(holder, entry, why, following if entry.because else _role_text(entry, name))


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
