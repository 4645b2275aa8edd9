"""Whether permissions, as ARM lists them, permit an action. Pure; must not ask for them.

Source: Microsoft Learn, "How Azure RBAC determines if a user has access to a resource": some permission has a matching
action and no matching notAction; `*` matches any text, and case does not count.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ASSIGN_ROLES = "Microsoft.Authorization/roleAssignments/write"
REMOVE_ROLES = "Microsoft.Authorization/roleAssignments/delete"


def permit(permissions: Iterable[Mapping[str, Any]], action: str) -> bool:
    """Whether any of the permissions ({"actions": […], "notActions": […]}) lets the action through.

    Conditions are not looked at: ARM does not list them in this version, and says no when it is asked.
    """
    return any(
        _matches(permission.get("actions") or (), action)
        and not _matches(permission.get("notActions") or (), action)
        for permission in permissions
    )


def _matches(patterns: Iterable[str], action: str) -> bool:
    return any(
        re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), action, re.IGNORECASE)
        for pattern in patterns
    )
