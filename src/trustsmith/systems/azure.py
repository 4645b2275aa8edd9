"""Azure Resource Manager: role assignments, by role GUID and principal id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from trustsmith.model import naming
from trustsmith.model.resources import ORPHAN, RoleAssignment, ServicePrincipal
from trustsmith.model.state import State
from trustsmith.systems import together

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
        seen, visible, *at_scopes = await together(
            identities,
            self._subscriptions(scopes),
            *(self._arm.role_assignments(scope, "atScope()") for scope in scopes),
        )
        principals = _principals(seen)
        asked = [(principal, subscription) for principal in principals for subscription in visible]
        elsewhere = await together(
            *(self._arm.role_assignments(f"/subscriptions/{s}", f"principalId eq '{p}'") for p, s in asked)
        )
        answers = {a["id"].lower(): a for found in (*at_scopes, *elsewhere) for a in found}.values()
        found = [_assignment(answer, principals, facts) for answer in answers]
        keep = [r for r in found if r.owned or r.key in wanted or _is_stray(r, principals)]
        if "entra" in seen.unread:
            keep = []  # without principals, nothing can be said to be an orphan
        return State.of({assignment.key: assignment for assignment in keep}.values())

    async def _subscriptions(self, scopes: list[str]) -> list[str]:
        """Those of the wanted scopes, then the others that the caller can see."""
        visible = [str(s["subscriptionId"]).lower() for s in await self._arm.subscriptions()]
        first = [scope.split("/")[2].lower() for scope in scopes]
        return list(dict.fromkeys([*first, *visible]))[:MOST_SUBSCRIPTIONS]


def _principals(identities: State) -> Mapping[str, ServicePrincipal]:
    found = [r for r in identities.values() if isinstance(r, ServicePrincipal)]
    return {principal.minted["principal_id"].lower(): principal for principal in found}


def _assignment(answer: Json, principals: Mapping[str, ServicePrincipal], facts: Facts) -> RoleAssignment:
    """A role assignment; one with our mark and a principal that is no longer there is an orphan of ours."""
    role = UUID(str(answer["roleDefinitionId"]).rsplit("/", 1)[-1])
    principal_id, scope = str(answer["principalId"]), str(answer["scope"])
    principal = principals.get(principal_id.lower())
    marked = naming.is_marked(answer.get("description"), facts.host, facts.repository.id)
    named = naming.role_assignment_name(scope, principal_id, role) == str(answer["name"]).lower()
    return RoleAssignment(
        identity=principal.identity if principal else ORPHAN + principal_id,
        role=role,
        scope=scope,
        principal=principal_id,
        minted={"id": str(answer["id"])},
        owned=marked or bool(principal and principal.owned and named),
    )


def _is_stray(assignment: RoleAssignment, principals: Mapping[str, ServicePrincipal]) -> bool:
    """Somebody else's grant to an identity of ours."""
    principal = principals.get(str(assignment.principal).lower())
    return bool(principal and principal.owned)


class AzureWriter(AzureReader):
    """Assigns and removes roles."""

    def __init__(self, arm: Arm) -> None:
        super().__init__(arm)
        self._written: set[str] = set()

    async def write(self, change: Change, facts: Facts) -> Minted:
        """Do one change; returns the assignment's id."""
        assignment = change.resource
        if not isinstance(assignment, RoleAssignment):
            raise TypeError(change)
        if change.verb == "delete":
            if (
                assignment.minted["id"].lower() not in self._written
            ):  # an orphan whose principal came back stays
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
        self._written.add(str(answer["id"]).lower())
        return {"id": str(answer["id"])}


KINDS: tuple[type[Resource], ...] = (RoleAssignment,)
