"""Azure Resource Manager through azure-mgmt: subscriptions, Foundry accounts and projects, role assignments.

One method for each thing that is asked or done; objects are plain dicts. It must not decide what should
exist; how a call is made, tried again and understood is in ``arm_wire``.
"""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from trustsmith.clients.arm_wire import Json, Wire
from trustsmith.clients.transport import PACE, OnWait, Pace
from trustsmith.errors import Conflict, NotFound, ServiceError

if TYPE_CHECKING:
    from trustsmith.clients.credentials import Credentials
    from trustsmith.clients.endpoints import Endpoints
    from trustsmith.clients.transport import Answer

_FOUNDRY_API = "2025-06-01"
_SUBSCRIPTIONS_API = "2022-12-01"
_PERMISSIONS_API = "2022-05-01-preview"  # the first that says under which condition something is permitted
_ELIGIBILITY_API = "2020-10-01"
_DENIALS_API = "2022-04-01"
_LOCKS_API = "2016-09-01"
_PROVIDERS_API = "2021-04-01"
_ROLE_FIELDS = ("scope", "roleDefinitionId", "principalId", "principalType", "description", "condition")


class Arm:
    """Azure Resource Manager, asked eight things at a time.

    Every method raises NotSignedIn, NotAllowed, Conflict or another ServiceError (service "arm"). Ids are
    full ARM ids, in any case; a scope is an ARM id too.
    """

    def __init__(
        self,
        credentials: Credentials,
        endpoints: Endpoints,
        *,
        on_wait: OnWait | None = None,
        pace: Pace = PACE,
    ) -> None:
        self._wire = Wire(credentials, endpoints, on_wait=on_wait, pace=pace)
        self._visible: asyncio.Future[list[Json]] | None = None
        self._definitions: dict[tuple[str, str], asyncio.Future[Json | None]] = {}

    async def warm(self) -> None:
        """Load the SDK and make its clients ahead of need, in a thread."""
        await asyncio.to_thread(self._wire.warm)

    async def aclose(self) -> None:
        """Close the connections; the object is not used afterwards."""
        await self._wire.aclose()

    @property
    def _roles(self) -> Any:
        """The SDK's operations; used within threads only, since the first use loads the SDK."""
        return self._wire.authorization.role_assignments

    async def subscriptions(self) -> list[Json]:
        """Return the subscriptions one can see: subscriptionId, displayName, tenantId, state. Asked for once."""
        if self._visible is None:
            self._visible = asyncio.ensure_future(self._list_subscriptions())
        return await self._visible

    async def _list_subscriptions(self) -> list[Json]:
        found = await self._wire.pages("list subscriptions", "/subscriptions", _SUBSCRIPTIONS_API)
        names = ("subscriptionId", "displayName", "tenantId", "state")
        return [{name: item.get(name) for name in names} for item in found]

    async def accounts(self, subscription_id: str) -> list[Json]:
        """Return the Foundry accounts of a subscription: of kind AIServices, and made to hold projects."""
        path = (
            f"/subscriptions/{quote(subscription_id, safe='')}/providers/Microsoft.CognitiveServices/accounts"
        )
        found = await self._wire.pages(f"list Foundry accounts of {subscription_id}", path, _FOUNDRY_API)
        return [item for item in found if _holds_projects(item)]

    async def projects(self, account_id: str) -> list[Json]:
        """Return the projects of a Foundry account; a project's ``name`` is "account/project"."""
        operation = f"list projects of {_last(account_id)}"
        return await self._wire.pages(operation, _path(account_id) + "/projects", _FOUNDRY_API)

    async def project(self, arm_id: str) -> Json | None:
        """Return a Foundry project (its ``properties.endpoints`` say where it is called), or None."""
        return await self._wire.get(f"read project {_last(arm_id)}", _path(arm_id), _FOUNDRY_API)

    @property
    def skew(self) -> float | None:
        """How many seconds ARM's clock is ahead of ours, by its last answer."""
        return self._wire.skew

    async def account(self, arm_id: str) -> Json | None:
        """Return a Foundry account (its ``properties`` say who may reach it over the network), or None."""
        return await self._wire.get(f"read account {_last(arm_id)}", _path(arm_id), _FOUNDRY_API)

    async def provider(self, subscription_id: str, namespace: str) -> Json | None:
        """Return a resource provider with its ``registrationState`` in a subscription, or None."""
        path = f"/subscriptions/{quote(subscription_id, safe='')}/providers/{namespace}"
        return await self._wire.get(f"read provider {namespace}", path, _PROVIDERS_API)

    async def permissions(self, scope: str) -> list[Json]:
        """Return what the caller is permitted at a scope: actions, notActions, condition (ARM: list permissions)."""
        return await self._authorized("permissions", scope, _PERMISSIONS_API, texts=())

    async def eligible_roles(self, scope: str) -> list[Json]:
        """Return the roles that the caller could activate in PIM at a scope (ARM: list role eligibility instances)."""
        kind = "roleEligibilityScheduleInstances"
        return await self._authorized(kind, scope, _ELIGIBILITY_API, only="asTarget()")

    async def deny_assignments(self, scope: str) -> list[Json]:
        """Return the deny assignments at and above a scope; they beat every role."""
        return await self._authorized("denyAssignments", scope, _DENIALS_API, only="atScope()")

    async def locks(self, scope: str) -> list[Json]:
        """Return the locks of a scope and of what it is in, each with its ``level``; they bind everybody."""
        return await self._authorized("locks", scope, _LOCKS_API, only="atScope()")

    async def role_definition(self, scope: str, guid: str) -> Json | None:
        """Return a role definition with its permissions and their conditions, or None. Asked for once a scope."""
        key = (scope.lower(), guid)
        if key not in self._definitions:
            path = f"{_path(scope)}/providers/Microsoft.Authorization/roleDefinitions/{quote(guid, safe='')}"
            reading = self._wire.get(f"read role {guid}", path, _PERMISSIONS_API)
            self._definitions[key] = asyncio.ensure_future(reading)
        return await self._definitions[key]

    async def _authorized(
        self, kind: str, scope: str, version: str, texts: tuple[str, ...] = ("id",), *, only: str = ""
    ) -> list[Json]:
        path = f"{_path(scope)}/providers/Microsoft.Authorization/{kind}"
        return await self._wire.pages(f"list {kind} at {_last(scope)}", path, version, texts, only=only)

    async def role_assignments(self, scope: str, filter: str | None = None) -> list[Json]:  # noqa: A002 - ARM's word
        """Return role assignments at, above and below a scope, as the filter says (ARM: list role assignments).

        Each has id, name, scope, roleDefinitionId, principalId, principalType, description and condition.
        ``atScope()`` leaves out what is below; it does not go together with ``principalId eq``.
        """
        answers = await self._wire.run(
            f"list role assignments at {_last(scope)}",
            lambda hook: list(
                self._roles.list_for_scope(scope.strip("/"), filter=filter, raw_response_hook=hook)
            ),
            check=lambda answer: [_role(answer, item) for item in answer.list("value", "id")],
        )
        return [_role(answer, item) for answer in answers for item in answer.list("value", "id")]

    async def put_role_assignment(
        self, scope: str, name: str, role_definition_id: str, principal_id: str, description: str
    ) -> Json:
        """Assign a role to a service principal; return the assignment, also if it was there under another name.

        `name` is the assignment's GUID. A principal that was just created is waited for, 3 minutes at most.
        Raises Conflict when the name belongs to another assignment.
        """
        properties = {
            "roleDefinitionId": role_definition_id,
            "principalId": principal_id,
            # Named, so that ARM does not look for a principal that has not reached it yet.
            "principalType": "ServicePrincipal",
            "description": description,
        }
        body = json.dumps({"properties": properties}).encode()
        try:
            answers = await self._wire.run(
                f"assign role {_last(role_definition_id)} at {_last(scope)}",
                lambda hook: self._roles.create(scope.strip("/"), name, body, raw_response_hook=hook),
                write=True,
                check=_is_role,
                settle=_is_lag,
            )
        except Conflict as error:
            present = await self._present(scope, role_definition_id, principal_id, error)
            if present is None:
                raise
            return present
        return _role(answers[-1], answers[-1].object("id"))

    async def _present(self, scope: str, role: str, principal_id: str, error: Conflict) -> Json | None:
        """Return the assignment that is in the way because it is the same under another name."""
        if error.code != "RoleAssignmentExists":
            return None
        found = await self.role_assignments(scope, f"principalId eq '{principal_id}'")
        wanted = (scope.strip("/").lower(), _last(role).lower())
        here = (
            i
            for i in found
            if (i["scope"].strip("/").lower(), _last(i["roleDefinitionId"]).lower()) == wanted
        )
        return next(here, None)

    async def delete_role_assignment(self, assignment_id: str) -> None:
        """Take an assignment away, by its full id; one that is gone is done."""
        try:
            await self._wire.run(
                f"delete role assignment {_last(assignment_id)}",
                lambda hook: self._roles.delete_by_id(assignment_id.strip("/"), raw_response_hook=hook),
                write=True,
                check=lambda _: None,
            )
        except NotFound:
            return


def _path(arm_id: str) -> str:
    return "/" + quote(arm_id.strip("/"), safe="/()")


def _last(arm_id: str) -> str:
    return arm_id.rstrip("/").rpartition("/")[2]


def _holds_projects(account: Json) -> bool:
    properties = account.get("properties")
    return account.get("kind") == "AIServices" and bool((properties or {}).get("allowProjectManagement"))


def _is_lag(error: ServiceError) -> bool:
    """Whether ARM only does not see the principal yet (Azure CLI waits for the same, three minutes)."""
    return error.code == "PrincipalNotFound" or " does not exist in the directory " in error.original


def _is_role(answer: Answer) -> object:
    return _role(answer, answer.object("id"))


def _role(answer: Answer, item: Json) -> Json:
    """Return an assignment as one flat object; raises Failed if it lacks what it must have."""
    properties = answer.checked(item.get("properties"), "scope", "roleDefinitionId", "principalId")
    flat: dict[str, Any] = {"id": item["id"], "name": item.get("name")}
    return flat | {name: properties.get(name) for name in _ROLE_FIELDS}
