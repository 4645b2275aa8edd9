"""Azure Resource Manager: role assignments, by role GUID and principal id."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from uuid import UUID

from trustsmith.model import naming
from trustsmith.model.resources import RoleAssignment, ServicePrincipal
from trustsmith.model.state import State

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

    from trustsmith.clients.arm import Arm
    from trustsmith.model.facts import Facts
    from trustsmith.model.plan import Change
    from trustsmith.model.resource import Resource
    from trustsmith.systems import Minted

Json = dict[str, Any]
#: Role assignments of an identity are looked for in this many subscriptions at most, those of the file first.
MOST_SUBSCRIPTIONS = 20


class AzureReader:
    """Reads the role assignments of our identities."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    async def read(self, wanted: State, facts: Facts, identities: Awaitable[State]) -> State:
        """What is assigned at the wanted scopes, and wherever else our principals have a role."""
        scopes = sorted({r.scope for r in wanted.values() if isinstance(r, RoleAssignment)})
        subscriptions = asyncio.ensure_future(self._subscriptions(scopes))
        at_scopes = asyncio.ensure_future(
            asyncio.gather(*(self._arm.role_assignments(scope, "atScope()") for scope in scopes))
        )
        principals, visible = _principals(await identities), await subscriptions
        asked = [(principal, subscription) for principal in principals for subscription in visible]
        elsewhere = await asyncio.gather(
            *(self._arm.role_assignments(f"/subscriptions/{s}", f"principalId eq '{p}'") for p, s in asked)
        )
        found = {a["id"].lower(): a for answers in (*await at_scopes, *elsewhere) for a in answers}
        seen = [
            _assignment(answer, principals[answer["principalId"].lower()], facts)
            for answer in found.values()
            if answer["principalId"].lower() in principals
        ]
        external = {p.identity for p in principals.values() if not p.owned}
        return State.of(
            _distinct(r for r in seen if r.identity not in external or r.owned or r.key in wanted)
        )

    async def _subscriptions(self, scopes: list[str]) -> list[str]:
        """Those of the wanted scopes, then the others that the caller can see."""
        visible = [str(s["subscriptionId"]).lower() for s in await self._arm.subscriptions()]
        first = [scope.split("/")[2].lower() for scope in scopes]
        return list(dict.fromkeys([*first, *visible]))[:MOST_SUBSCRIPTIONS]


def _principals(identities: State) -> Mapping[str, ServicePrincipal]:
    found = [r for r in identities.values() if isinstance(r, ServicePrincipal)]
    return {principal.minted["principal_id"].lower(): principal for principal in found}


def _assignment(answer: Json, principal: ServicePrincipal, facts: Facts) -> RoleAssignment:
    role = UUID(str(answer["roleDefinitionId"]).rsplit("/", 1)[-1])
    principal_id, scope = str(answer["principalId"]), str(answer["scope"])
    marked = str(answer.get("description") or "").startswith(naming.mark(facts.host, facts.repository.id))
    named = naming.role_assignment_name(scope, principal_id, role) == str(answer["name"]).lower()
    return RoleAssignment(
        identity=principal.identity,
        role=role,
        scope=scope,
        principal=principal_id,
        minted={"id": str(answer["id"])},
        owned=marked or (principal.owned and named),
    )


def _distinct(found: Any) -> list[RoleAssignment]:
    return list({assignment.key: assignment for assignment in found}.values())


class AzureWriter(AzureReader):
    """Assigns and removes roles."""

    async def write(self, change: Change, facts: Facts) -> Minted:
        """Do one change; returns the assignment's id."""
        assignment = change.resource
        if not isinstance(assignment, RoleAssignment):
            raise TypeError(change)
        if change.verb == "delete":
            await self._arm.delete_role_assignment(assignment.minted["id"])
            return {}
        principal, scope = str(assignment.principal), assignment.scope
        described = naming.mark(facts.host, facts.repository.id)
        answer = await self._arm.put_role_assignment(
            scope,
            naming.role_assignment_name(scope, principal, assignment.role),
            f"/subscriptions/{scope.split('/')[2]}/providers/Microsoft.Authorization/roleDefinitions/{assignment.role}",
            principal,
            f"{described}: {assignment.because}" if assignment.because else described,
        )
        return {"id": str(answer["id"])}


KINDS: tuple[type[Resource], ...] = (RoleAssignment,)
