"""(live, wanted) → Plan. Pure set arithmetic; must not judge what is dangerous (`hazards` does) or contact anything."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trustsmith.model.environments import (
    UNKNOWN,
    EnvironmentMark,
    EnvironmentSecret,
    EnvironmentVariable,
    GitHubEnvironment,
)
from trustsmith.model.plan import Change, NotCompared, Plan, Waiting
from trustsmith.model.resource import Key, Later, Resource, Side
from trustsmith.model.resources import (
    KINDS,
    ORPHAN,
    Application,
    ClientSecret,
    FederatedCredential,
    GraphPermission,
    RoleAssignment,
    ServicePrincipal,
    WorkflowFile,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from trustsmith.model.state import State

_SIDE_OF = {kind.kind: kind.side for kind in KINDS}
_WHOSE: dict[Side, str] = {
    "entra": "somebody who may register applications runs `trustsmith apply --only entra`",
    "azure": "somebody who may assign roles runs `trustsmith apply --only azure`",
    "github": "an administrator of the repository runs `trustsmith apply --only github`",
    "files": "somebody runs `trustsmith render`",
}


_UNSEEN = (
    "the file no longer names it, and it was set up for an application that was not looked at and may trust it still; put "
    "it back with its client_id and run trustsmith destroy, or remove that trust by hand first"
)
_UNPROVEN = (
    "another credential takes its place, which no job has used yet; once one has (trustsmith verify --run), "
    "trustsmith apply removes this one"
)
_FATES = {
    "merged": "what would be rendered now is merged into it, since it was edited",
    "adopted": "its text is kept, as an edit of what would be rendered now",
    "overwritten": "it becomes what would be rendered now, and what others wrote into it goes",
}
_NOBODY = "its principal is gone, or the file no longer names the application"
_EDITED = "the file no longer asks for it, but somebody wrote into it"
#: What may not stand unseen on an identity of ours.
_STRAYS = (FederatedCredential, ClientSecret, GraphPermission, RoleAssignment)


def diff(live: State, wanted: State, sides: Collection[Side] = ("entra", "azure", "github", "files")) -> Plan:
    """What makes `live` into `wanted`, as far as it is ours, for these sides' parts.

    What needs a part of another side first is under `waiting`.
    """
    foreign = _foreign(live, wanted)

    def known(later: Later) -> str | None:
        return None if later.key in foreign else live.known(later)

    ups = [change for resource in wanted.values() if (change := _up(live, resource, known))]
    ready, waiting = _settle(ups, live, sides, foreign)
    downs = [change for change in _downs(live, wanted) if change.side in sides]
    guarded = _guarded(downs, live)
    changes = (*ready, *(change for change in downs if change.key not in guarded))
    implied = (*_checks(changes), *_refreshed_marks(changes, live, wanted, known))
    held = (*waiting, *(Waiting(key, why) for key, why in guarded.items()))
    strays = tuple(change for change in _strays(live, wanted) if change.side in sides)
    return Plan((*changes, *implied), strays=strays, waiting=held)


def observed(plan: Plan, live: State, wanted: State, sides: Collection[Side]) -> Plan:
    """A plan of whom may not read everything: what was not looked at, and what hangs on it, is not compared.

    It is there for its report; it is not carried out.
    """
    unseen = {
        resource.key: why
        for resource in wanted.values()
        if resource.side in sides and (why := live.unread.get(resource.side))
    }
    known = {key: why for key, why in live.unseen.items() if _SIDE_OF.get(key.kind) in {None, *sides}}
    hanging = {entry.key: entry.unseen for entry in plan.waiting if entry.unseen}
    entries = {**known, **unseen, **hanging}
    return replace(
        plan,
        waiting=tuple(entry for entry in plan.waiting if entry.key not in entries),
        not_compared=tuple(NotCompared(key, why) for key, why in entries.items()),
    )


def _foreign(live: State, wanted: State) -> frozenset[Key]:
    """Identities of ours whose name somebody else holds: their ids must not get into roles and secrets."""
    ours = [key for key, r in wanted.items() if isinstance(r, Application | ServicePrincipal)]
    held = {key: there for key in ours if (there := live.get(key) or live.deleted.get(key))}
    return frozenset(key for key, there in held.items() if not there.owned)


def _up(live: State, resource: Resource, known: Callable[[Later], str | None]) -> Change | None:
    if live.why_unseen(resource.key, resource.side):
        return None
    after = resource.fill(known).over(live)
    before = live.get(after.key)
    if before is None and (deleted := live.deleted.get(after.key)) and deleted.owned:
        return Change("restore", deleted, after, "it was deleted, and Entra still keeps it")
    if before is None:
        return Change("create", None, after, "it is not there yet")
    if before == after:
        return None
    return Change("update", before, after, _difference(before, after))


def _difference(before: Resource, after: Resource) -> str:
    """What differs, in words."""
    match before, after:
        case WorkflowFile(fate=fate), _:
            return (fate and (fate.why or _FATES.get(fate.outcome))) or "what would be rendered now differs"
        case EnvironmentSecret(), _:
            vouched = before.content != UNKNOWN
            return "its value is another one" if vouched else "nothing vouches for its value"
        case EnvironmentMark(readable=True), _:
            return "it announces the ids before they are written"
        case GitHubEnvironment(), GitHubEnvironment():
            return f"it has: {before.rules}; the file asks for: {after.rules}"
        case _:
            was, wanted = before.shown(), after.shown()
            parts = [f"{n} is {_say(was[n])}, not {_say(wanted[n])}" for n in was if was[n] != wanted[n]]
            return "; ".join(parts).replace("_", " ")


def _say(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)


def _downs(live: State, wanted: State) -> Iterator[Change]:
    """Deletions of what is ours; what disappears with its parent is not deleted on its own."""
    gone = {key: r for key, r in live.items() if key not in wanted and r.owned}
    for key in reversed(gone):
        resource = gone[key]
        stays = _is_left_over(resource, wanted) or _is_needed_still(resource, live, wanted)
        stays = stays or bool(live.why_unseen(key, resource.side))
        if not stays and not _falls_with_parent(resource, gone):
            yield Change("delete", resource, None, _gone_why(resource))


def waits_for_proof(live: State, wanted: State) -> list[Key]:
    """The credentials of ours that stay until a job has used what replaces them."""
    return [k for k, r in live.items() if r.owned and k not in wanted and _is_needed_still(r, live, wanted)]


def _successors(credential: FederatedCredential, wanted: State) -> list[FederatedCredential]:
    """What takes the place of a credential that is no longer wanted."""
    found = [r for r in wanted.values() if isinstance(r, FederatedCredential) and r.jobs and credential.jobs]
    place = (credential.identity, credential.environment.casefold())
    return [r for r in found if (r.identity, r.environment.casefold()) == place]


def _is_needed_still(resource: Resource, live: State, wanted: State) -> bool:
    """A credential stays until a job has shown that one of those that replace it works.

    One that is not there (any more) has no proof: a new one takes minutes to be known everywhere, whatever worked once.
    """
    if not isinstance(resource, FederatedCredential):
        return False
    successors = _successors(resource, wanted)
    client = (live.known(Later(Key(Application.kind, resource.identity), "client_id")) or "").lower()
    there = {(client, r.issuer, r.subject, r.audience) for r in successors if r.key in live}
    proven = there & live.proven
    return bool(successors) and not proven


def _gone_why(resource: Resource) -> str:
    match resource:
        case FederatedCredential():
            return f"the file no longer asks for trust in {resource.subject}"
        case RoleAssignment():
            orphan = resource.identity.startswith(ORPHAN)
            return _NOBODY if orphan else "the file no longer asks for this grant"
        case _:
            return "the file no longer asks for it"


def _falls_with_parent(resource: Resource, gone: dict[Key, Resource]) -> bool:
    """A deleted application takes its principal and credentials along, an environment its secrets and variables."""
    match resource:
        case ServicePrincipal() | FederatedCredential() | ClientSecret() | GraphPermission():
            return Key(Application.kind, resource.identity) in gone
        case EnvironmentMark() | EnvironmentSecret() | EnvironmentVariable():
            return Key(GitHubEnvironment.kind, resource.environment) in gone
        case _:
            return False


def _is_left_over(resource: Resource, wanted: State) -> bool:
    """An id of ours that the store's other kind replaces: workflows that are not pushed yet may still read it."""
    ids = isinstance(resource, EnvironmentSecret | EnvironmentVariable)
    return ids and Key(GitHubEnvironment.kind, getattr(resource, "environment", "")) in wanted


def _strays(live: State, wanted: State) -> Iterator[Change]:
    """What is on our own identities and not ours, and ids of ours that are no longer used: removed only by name."""
    for key, resource in live.items():
        if key in wanted or live.why_unseen(key, resource.side):
            continue
        if resource.owned and _is_left_over(resource, wanted):
            yield Change("delete", resource, None, "workflows no longer read it once the new ones are pushed")
        elif resource.owned and _is_needed_still(resource, live, wanted):
            yield Change("delete", resource, None, _UNPROVEN)
        elif isinstance(resource, GitHubEnvironment) and resource.unseen:
            yield Change("delete", resource, None, _UNSEEN)
        elif isinstance(resource, WorkflowFile) and resource.base and not resource.owned:
            yield Change("delete", resource, None, _EDITED)
        elif isinstance(resource, GraphPermission) and Key(Application.kind, resource.identity) not in wanted:
            continue  # it goes with its application
        elif not resource.owned and isinstance(resource, _STRAYS):
            yield Change(
                "delete", resource, None, "it is on an identity of ours, but trustsmith did not make it"
            )


def _settle(
    ups: list[Change], live: State, sides: Collection[Side], foreign: frozenset[Key]
) -> tuple[list[Change], tuple[Waiting, ...]]:
    """Those that can be done now by these sides, and those that wait for another's part, with the reason."""
    pending = {change.key for change in ups} | foreign
    ready = [change for change in ups if change.side in sides]
    waiting: dict[Key, Waiting] = {
        c.key: Waiting(c.key, why) for c in ready if (why := live.beyond.get(c.key))
    }
    while True:
        ready = [change for change in ready if change.key not in waiting]
        doable = {change.key for change in ready}
        lacking = {c.key: lack for c in ready if (lack := _lacks(c, doable, pending, live, waiting))}
        if not lacking:
            return ready, tuple(waiting.values())
        waiting |= lacking


def _lacks(
    change: Change, doable: set[Key], pending: set[Key], live: State, waiting: Mapping[Key, Waiting]
) -> Waiting | None:
    """Why a change cannot be done now; None when it can."""
    patient = change.resource.patient
    for need in sorted(change.resource.needs):
        if (need in doable and not patient) or (need in live and need not in pending):
            continue
        if need in doable:
            why = "which takes minutes to be known everywhere; run trustsmith apply again in ten minutes"
            return Waiting(change.key, f"it needs {need}, {why}")
        side = _SIDE_OF.get(need.kind, "azure")
        if unseen := live.why_unseen(need, side):
            why = f"which could not be looked at ({unseen}); it waits until {_WHOSE[side]}"
            return Waiting(change.key, f"it needs {need}, {why}", unseen)
        held = waiting.get(need)
        why = f"it needs {need}; it waits until {_WHOSE[side]}"
        return Waiting(change.key, why, held.unseen if held else "")
    return None


def _guarded(downs: list[Change], live: State) -> dict[Key, str]:
    """Environments that may not go yet, with the reason: a credential that stays still trusts them.

    GitHub makes a missing environment anew, unprotected, for the first job that names it.
    """
    going = {change.key for change in downs}
    trusted = {
        r.environment: r
        for key, r in live.items()
        if isinstance(r, FederatedCredential) and going.isdisjoint({key, Key(Application.kind, r.identity)})
    }
    found: dict[Key, str] = {}
    for change in downs:
        if not isinstance(change.resource, GitHubEnvironment):
            continue
        if "entra" in live.unread:
            found[change.key] = f"who trusts it could not be looked at ({live.unread['entra']})"
        elif credential := trusted.get(change.key.name):
            found[change.key] = f"{credential.key} still trusts it; it waits until {_WHOSE['entra']}"
    return found


def _checks(changes: tuple[Change, ...]) -> Iterator[Change]:
    """An environment is read back after it was written: GitHub may answer 200 and leave rules out."""
    for change in changes:
        if change.verb != "delete" and isinstance(change.resource, GitHubEnvironment):
            yield Change("check", change.before, change.after, "it was written", implied=True)


def _refreshed_marks(
    changes: tuple[Change, ...], live: State, wanted: State, known: Callable[[Later], str | None]
) -> Iterator[Change]:
    """A mark is written again whenever an id that it vouches for is."""
    touched = [
        change.resource.environment
        for change in changes
        if isinstance(change.resource, EnvironmentSecret | EnvironmentVariable)
    ]
    for environment in dict.fromkeys(touched):
        mark = wanted.get(EnvironmentMark(environment=environment).key)
        if mark is not None:
            after = mark.fill(known).over(live)
            yield Change("update", live.get(mark.key), after, "its ids were written", implied=True)
