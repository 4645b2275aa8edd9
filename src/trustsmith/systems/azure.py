"""Azure Resource Manager: role assignments, by role GUID and principal id."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from trustsmith.model import naming
from trustsmith.model.observing import is_below
from trustsmith.model.resource import Key
from trustsmith.model.resources import ORPHAN, RoleAssignment, ServicePrincipal
from trustsmith.model.state import State
from trustsmith.systems import together
from trustsmith.systems.sight import HIDDEN, Sight, why_hidden

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping, Sequence

    from trustsmith.clients.arm import Arm
    from trustsmith.model.facts import Facts
    from trustsmith.model.plan import Change
    from trustsmith.model.resource import Resource
    from trustsmith.systems import Minted

Json = dict[str, Any]
#: Role assignments of an identity are looked for in this many subscriptions at most, those of the file first.
MOST_SUBSCRIPTIONS = 20


class AzureReader:
    """Reads the role assignments of our identities.

    places: scopes at and below which they are looked for; None for every subscription that is visible.
    """

    def __init__(self, arm: Arm, sight: Sight | None = None, places: Sequence[str] | None = None) -> None:
        self._arm = arm
        self._sight = sight or Sight()
        self._places = places

    async def read(self, wanted: State, facts: Facts, identities: Awaitable[State]) -> State:
        """What is assigned at the wanted scopes, and wherever else our principals have a role."""
        scopes = sorted({r.scope for r in wanted.values() if isinstance(r, RoleAssignment)})
        seen, places, *at_scopes = await together(
            identities,
            self._where(scopes),
            *(self._asked(scope, "atScope()") for scope in scopes),
        )
        principals = _principals(seen)
        asked = [(principal, place) for principal in principals for place in places]
        elsewhere = await together(*(self._asked(s, f"principalId eq '{p}'") for p, s in asked))
        self._hide(wanted, dict(zip(scopes, at_scopes, strict=True)))
        for (principal, place), found in zip(asked, elsewhere, strict=True):
            if isinstance(found, str):
                name = f"{principals[principal].identity}: others below {place}"
                self._sight.hide([Key(RoleAssignment.kind, name)], found)
        lists = [found for found in (*at_scopes, *elsewhere) if not isinstance(found, str)]
        answers = {a["id"].lower(): a for found in lists for a in found}.values()
        found = [_assignment(answer, principals, facts) for answer in answers]
        keep = [r for r in found if r.owned or r.key in wanted or _is_stray(r, principals)]
        if "entra" in seen.unread:
            keep = []  # without principals, nothing can be said to be an orphan
        return State.of({assignment.key: assignment for assignment in keep}.values())

    async def _asked(self, scope: str, which: str) -> list[Json] | str:
        """Role assignments; for an observer who may not read them, why."""
        try:
            return await self._arm.role_assignments(scope, which)
        except HIDDEN as error:
            if not self._sight.observing:
                raise
            return why_hidden(error)

    def _hide(self, wanted: State, found: Mapping[str, list[Json] | str]) -> None:
        """What is wanted where nothing may be read, unless a scope below it, which inherits it, says what is there."""
        seen = [scope for scope, answer in found.items() if not isinstance(answer, str)]
        for scope, answer in found.items():
            if isinstance(answer, str) and not any(is_below(one, scope) for one in seen):
                here = [r.key for r in wanted.values() if isinstance(r, RoleAssignment) and r.scope == scope]
                self._sight.hide(here, answer)

    async def _where(self, scopes: list[str]) -> list[str]:
        """The places; else the subscriptions of the wanted scopes, then the others that the caller can see."""
        if self._places is not None:
            return list(self._places)
        visible = [str(s["subscriptionId"]).lower() for s in await self._arm.subscriptions()]
        first = [scope.split("/")[2].lower() for scope in scopes]
        return [f"/subscriptions/{s}" for s in list(dict.fromkeys([*first, *visible]))[:MOST_SUBSCRIPTIONS]]


def _principals(identities: State) -> Mapping[str, ServicePrincipal]:
    found = [r for r in identities.values() if isinstance(r, ServicePrincipal)]
    return {principal.minted["principal_id"].lower(): principal for principal in found}


def _assignment(answer: Json, principals: Mapping[str, ServicePrincipal], facts: Facts) -> RoleAssignment:
    """A role assignment; one with our mark and a principal that nobody names any more is an orphan of ours."""
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

    def __init__(self, arm: Arm, sight: Sight | None = None, places: Sequence[str] | None = None) -> None:
        super().__init__(arm, sight, places)
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
