"""Locks: what keeps everybody, whatever their roles, from assigning a role or taking one away. Pure; must not ask Azure.

Source: Microsoft Learn, "Lock your resources to protect your infrastructure". ARM answers `ScopeLocked`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith.doctor.check import AZURE, Check, bad, fine, unread
from trustsmith.doctor.roles import steps_by_scope
from trustsmith.errors import NotFound, TrustsmithError
from trustsmith.model.foundry import short_scope
from trustsmith.model.rights import REMOVE_ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trustsmith.doctor.evidence import Evidence, Json
    from trustsmith.doctor.roles import Step
    from trustsmith.model.findings import Finding

_IN_ID = "/providers/microsoft.authorization/locks/"


def locks(evidence: Evidence) -> Iterator[Finding]:
    """No lock is in the way where a role is to be assigned or taken away."""
    for scope, steps in steps_by_scope(evidence).items():
        rights = evidence.azure.rights.get(scope)
        if rights is None or isinstance(rights.locks, NotFound) or not evidence.is_visible(scope):
            continue
        about = short_scope(steps[0].scope)
        if rights.locks is None or isinstance(rights.locks, TrustsmithError):
            yield from unread(rights.locks, f"the locks of {steps[0].scope}", about)
            continue
        held = [lock for lock in rights.locks if _holds(lock, scope)]
        found = [(lock, step) for step in steps for lock in held if _stops(lock, step)]
        yield _locked(*found[0], about) if found else fine("No lock is in the way.", about)


def _place(lock: Json) -> str:
    """The scope that was locked."""
    return str(lock["id"])[: str(lock["id"]).lower().rfind(_IN_ID)]


def _holds(lock: Json, scope: str) -> bool:
    """Whether it is on a scope, or on what that is in."""
    return f"{scope}/".startswith(f"{_place(lock).lower()}/")


def _stops(lock: Json, step: Step) -> bool:
    level = (lock.get("properties") or {}).get("level")
    return level == "ReadOnly" or (level == "CanNotDelete" and step.attempt.action == REMOVE_ROLES)


def _locked(lock: Json, step: Step, about: str) -> Finding:
    properties = lock.get("properties") or {}
    note = f"; its note: {properties['notes']}" if properties.get("notes") else ""
    return bad(
        f"Nobody may {step.words} at {step.scope}: {short_scope(_place(lock))} has the lock {lock.get('name')!r} "
        f"({properties.get('level')}{note}).",
        about,
        next="Ask whoever made the lock; where it may go for as long as trustsmith apply runs:\n"
        f"  az lock delete --ids {lock['id']}\nand make it again afterwards.",
    )


CHECKS = (Check("resource-locks", AZURE, locks),)
