"""Azure RBAC: which role assignments reach a scope, and whether they permit an action.

Actions and data actions with wildcards, ``not`` lists per role, conditions in roles and in assignments,
groups, inheritance from above, and propagation lag. It must not answer HTTP; ``arm`` and ``foundry`` ask it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from trustsmith_sandbox.conditions import Attempt, permits
from trustsmith_sandbox.directory_roles import groups_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trustsmith_sandbox.world import Data, World

WRITE = "Microsoft.Authorization/roleAssignments/write"
DELETE = "Microsoft.Authorization/roleAssignments/delete"
_EVERYBODY = "00000000-0000-0000-0000-000000000000"  # "all principals" of a deny assignment


def covers(scope: str, target: str) -> bool:
    """Whether ``target`` is ``scope`` or below it; ids are compared without regard to case."""
    above, below = scope.lower().rstrip("/"), target.lower().rstrip("/")
    return above == below or below.startswith(above + "/")


def role_guid(role_definition_id: str) -> str:
    """Return the GUID at the end of a role definition's id, in lower case."""
    return role_definition_id.rstrip("/").rpartition("/")[2].lower()


def identities(world: World, principal: str) -> set[str]:
    """Return the principal's id and those of the groups it is in, also through other groups."""
    return {principal, *(group["id"] for group in groups_of(world, principal))}


def in_effect(world: World, principal: str, scope: str) -> Iterator[Data]:
    """Yield the principal's assignments that reach ``scope``, have propagated and have not run out."""
    mine = identities(world, principal)
    for assignment in world.data["role_assignments"].values():
        properties = assignment["properties"]
        if (
            properties["principalId"] in mine
            and covers(properties["scope"], scope)
            and world.visible(assignment, lag=world.lag.roles)
            and not has_ended(world, assignment)
        ):
            yield assignment


def has_ended(world: World, assignment: Data) -> bool:
    """Whether it is an activation (PIM) whose time is over."""
    activated = assignment.get("_activated")
    return activated is not None and activated["until"] <= world.now()


def permissions(world: World, principal: str, scope: str) -> Iterator[tuple[Data, str | None]]:
    """Yield each permission object in effect, with the condition of the assignment that gives it."""
    for assignment in in_effect(world, principal, scope):
        properties = assignment["properties"]
        role = world.data["role_definitions"].get(role_guid(properties["roleDefinitionId"]))
        for permission in role["properties"]["permissions"] if role else ():
            yield permission, properties["condition"]


def allowed(
    world: World,
    principal: str,
    action: str,
    scope: str,
    *,
    data: bool = False,
    attributes: Mapping[str, str] | None = None,
) -> bool:
    """Whether any assignment permits the action at the scope, and no deny assignment forbids it.

    ``data``: it is a data action. ``attributes``: what conditions may ask about the role assignment that is
    written or deleted (``roledefinitionid``, ``principaltype``, ``principalid``).
    """
    attempt = Attempt(action, attributes or {})
    if denial(world, principal, action, scope, data=data) is not None:
        return False
    return any(
        _permits(permission, action, data=data)
        and all(permits(text, attempt) for text in (permission.get("condition"), condition) if text)
        for permission, condition in permissions(world, principal, scope)
    )


def denial(world: World, principal: str, action: str, scope: str, *, data: bool = False) -> Data | None:
    """Return the deny assignment that forbids the action at the scope, whatever roles permit."""
    mine = {*identities(world, principal), _EVERYBODY}
    for each in world.data["deny_assignments"].values():
        properties = each["properties"]
        applies = _ids(properties, "principals") & mine and not _ids(properties, "excludePrincipals") & mine
        denied = any(_permits(permission, action, data=data) for permission in properties["permissions"])
        if applies and denied and _reaches(properties, scope):
            found: Data = each
            return found
    return None


def _reaches(denied: Data, scope: str) -> bool:
    only_there = denied.get("doNotApplyToChildScopes", False)
    return covers(denied["scope"], scope) and (not only_there or covers(scope, denied["scope"]))


def _ids(properties: Data, key: str) -> set[str]:
    return {who["id"].lower() for who in properties.get(key, [])}


def _permits(permission: Data, action: str, *, data: bool) -> bool:
    yes, no = ("dataActions", "notDataActions") if data else ("actions", "notActions")
    return _any_matches(permission.get(yes, []), action) and not _any_matches(permission.get(no, []), action)


def _any_matches(patterns: list[str], action: str) -> bool:
    return any(_compiled(pattern).fullmatch(action) for pattern in patterns)


@lru_cache(maxsize=1024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.IGNORECASE)
