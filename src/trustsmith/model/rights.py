"""Whether permissions, as ARM lists them, permit an action. Pure; must not ask for them.

Source: Microsoft Learn, "How Azure RBAC determines if a user has access to a resource": some permission has a matching
action and no matching notAction, and its condition, if it has one, lets the attempt through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from trustsmith.model.conditions import Attempt, Truth, either, evaluate, matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

Permissions = list[dict[str, Any]]
Plane = Literal["actions", "dataActions"]
ASSIGN_ROLES = "Microsoft.Authorization/roleAssignments/write"
REMOVE_ROLES = "Microsoft.Authorization/roleAssignments/delete"


def permit(permissions: Iterable[Mapping[str, Any]], attempt: Attempt, plane: Plane = "actions") -> Truth:
    """Whether any of the permissions lets the attempt through; None when a condition leaves it open.

    permissions: {"actions": […], "notActions": […], "dataActions": […], "notDataActions": […], "condition": …}.
    plane: dataActions for what is done with a resource's data, such as writing an agent.
    """
    return either([_permits(permission, attempt, plane) for permission in permissions])


def assigning(role: UUID, principal: str | None = None) -> Attempt:
    """Assigning a role to a service principal; None when it is not there yet."""
    return Attempt(ASSIGN_ROLES, "request", _attributes(role, principal))


def removing(role: UUID, principal: str | None = None) -> Attempt:
    """Taking a role away from a service principal."""
    return Attempt(REMOVE_ROLES, "resource", _attributes(role, principal))


def _attributes(role: UUID, principal: str | None) -> dict[str, str | None]:
    return {"roledefinitionid": str(role), "principaltype": "ServicePrincipal", "principalid": principal}


def _permits(permission: Mapping[str, Any], attempt: Attempt, plane: Plane) -> Truth:
    without = "notActions" if plane == "actions" else "notDataActions"
    if not _lists(permission.get(plane), attempt.action) or _lists(permission.get(without), attempt.action):
        return False
    condition = permission.get("condition")
    return evaluate(str(condition), attempt) if condition else True


def _lists(patterns: Iterable[str] | None, action: str) -> bool:
    return any(matches(pattern, action) for pattern in patterns or ())
