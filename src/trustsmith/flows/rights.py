"""Rights: what can be known before anything is made, about who may not make it. Changes nothing.

What cannot be known here (a condition, a deny assignment, a directory role) the service says when it is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith.clients.credentials import claims_of
from trustsmith.errors import NotAllowed, TrustsmithError
from trustsmith.model.resources import RoleAssignment
from trustsmith.model.rights import ASSIGN_ROLES, REMOVE_ROLES, permit
from trustsmith.systems import together

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from trustsmith.flows.session import Session
    from trustsmith.model.plan import Plan
    from trustsmith.model.resource import Side
    from trustsmith.model.state import State

#: Graph permissions of an application that may register applications (Graph, "Create application").
_MAY_REGISTER = {"Application.ReadWrite.All", "Application.ReadWrite.OwnedBy"}
_ACTIONS = (ASSIGN_ROLES, REMOVE_ROLES)


async def permitted(session: Session, wanted: State) -> Mapping[str, frozenset[str]]:
    """Which of assigning and removing roles is permitted at each wanted scope (lower case)."""
    scopes = sorted({resource.scope for resource in wanted.values() if isinstance(resource, RoleAssignment)})
    listed = await together(*(session.arm.permissions(scope) for scope in scopes))
    return {
        scope.lower(): frozenset(action for action in _ACTIONS if permit(permissions, action))
        for scope, permissions in zip(scopes, listed, strict=True)
    }


def check_roles(plan: Plan, known: Mapping[str, frozenset[str]]) -> None:
    """Raise NotAllowed when the plan assigns or removes a role where that is not permitted."""
    for change in plan.changes:
        resource = change.resource
        if not isinstance(resource, RoleAssignment) or resource.scope.lower() not in known:
            continue
        action = REMOVE_ROLES if change.verb == "delete" else ASSIGN_ROLES
        if action not in known[resource.scope.lower()]:
            raise NotAllowed(
                f"Whoever is signed in may not assign roles at {resource.scope}; nothing was changed.",
                service="arm",
                hint="Ask for Role Based Access Control Administrator or Owner there, or activate it in PIM; or let "
                "somebody who has it do that part:\n  trustsmith apply --only azure",
                original=f"{action} is in none of the permissions that ARM lists there",
            )


async def check_registering(session: Session, plan: Plan, sides: Collection[Side]) -> None:
    """Raise NotAllowed when an application is signed in whose Graph token lacks the permission to register others.

    A person's rights are not in the token; for them Graph's own answer counts.
    """
    if "entra" not in sides or not any(change.side == "entra" for change in plan.changes):
        return
    try:
        token = await session.credentials.atoken(session.endpoints.graph_scope)
    except TrustsmithError:
        return  # whatever needs the token says so itself
    claims = claims_of(token.token)
    if claims.get("idtyp") == "app" and not _MAY_REGISTER & set(claims.get("roles") or ()):
        raise NotAllowed(
            "The application that is signed in may not register applications; nothing was changed.",
            service="graph",
            hint="Give it the Graph permission Application.ReadWrite.OwnedBy, or let somebody who has it do that part:\n"
            "  trustsmith apply --only entra",
        )
