"""Microsoft Graph v1.0 through msgraph-sdk: applications, service principals, federated credentials, owners.

One method for each thing that is asked or done. It must not decide what should exist; how a call is made,
tried again and understood is in ``graph_wire``.
"""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING

from trustsmith.clients.graph_wire import Json, Wire, an_object, values
from trustsmith.clients.transport import PACE, OnWait, Pace
from trustsmith.errors import NotAllowed, ServiceError

if TYPE_CHECKING:
    from trustsmith.clients.credentials import Credentials
    from trustsmith.clients.endpoints import Endpoints

# $expand returns at most 20 children without a next page: exactly the limit of credentials (Graph: FIC limits).
_APPLICATION = {
    "select": [
        "id",
        "appId",
        "displayName",
        "uniqueName",
        "tags",
        "signInAudience",
        "serviceManagementReference",
        "notes",
        "createdDateTime",
        "passwordCredentials",
    ],
    "expand": ["federatedIdentityCredentials"],
}
_DELETED = ["id", "appId", "displayName", "uniqueName", "tags", "deletedDateTime"]
_PRINCIPAL = [
    "id",
    "appId",
    "displayName",
    "servicePrincipalType",
    "accountEnabled",
    "appOwnerOrganizationId",
    "tags",
]
#: The client id of Microsoft Graph itself, in every tenant (Microsoft Learn, "Verify first-party Microsoft applications").
_GRAPH = "00000003-0000-0000-c000-000000000000"
_PRINCIPAL_WITH_SECRETS = [*_PRINCIPAL, "passwordCredentials"]
_PERSON = ["id", "displayName", "userPrincipalName"]


class Graph:
    """Microsoft Graph; make it, use it and close it within one event loop.

    Every method raises NotSignedIn, NotAllowed, Conflict or another ServiceError (service "graph"). Objects
    are plain dicts as Graph v1.0 answers them.
    """

    def __init__(
        self,
        credentials: Credentials,
        endpoints: Endpoints,
        *,
        on_wait: OnWait | None = None,
        pace: Pace = PACE,
    ) -> None:
        self._endpoints = endpoints
        self._wire = Wire(credentials, endpoints, on_wait=on_wait, pace=pace)

    async def warm(self) -> None:
        """Load the SDK and make its client ahead of need, in a thread."""
        await asyncio.to_thread(lambda: self._wire.client)

    async def aclose(self) -> None:
        """Close the connection; the object is not used afterwards."""
        await self._wire.aclose()

    @property
    def skew(self) -> float | None:
        """How many seconds Graph's clock is ahead of ours, by its last answer."""
        return self._wire.skew

    # -- applications ---------------------------------------------------------------------------------------

    async def applications(self, tag: str) -> list[Json]:
        """Return the applications with a tag, each with its ``federatedIdentityCredentials``."""
        query = _APPLICATION | {"filter": _tagged(tag)}
        return await self._wire.list_all(
            f"list applications tagged {tag}", self._wire.client.applications, query
        )

    async def application(self, unique_name: str) -> Json | None:
        """Return the application of that ``uniqueName`` with its credentials, or None."""
        builder = self._wire.client.applications_with_unique_name(unique_name)
        return await self._wire.get(f"read application {unique_name}", builder, _APPLICATION)

    async def application_by_client_id(self, client_id: str) -> Json | None:
        """Return the application of that client id (``appId``) with its credentials, or None."""
        builder = self._wire.client.applications_with_app_id(client_id)
        return await self._wire.get(f"read application {client_id}", builder, _APPLICATION)

    async def deleted_applications(self) -> list[Json]:
        """Return all applications deleted in the last 30 days; they keep their ``uniqueName``."""
        builder = self._wire.client.directory.deleted_items.graph_application
        # Graph's page names the type in full; the SDK's short form is nowhere documented.
        builder.url_template = builder.url_template.replace("/graph.", "/microsoft.graph.")
        return await self._wire.list_all(
            "list deleted applications", builder, {"select": _DELETED, "top": 999}
        )

    async def upsert_application(self, unique_name: str, body: Json) -> Json:
        """Create the application of that ``uniqueName``, or update it; return it (Graph: application-upsert).

        Raises Conflict when a deleted application still holds the name.
        """
        builder = self._wire.client.applications_with_unique_name(unique_name)
        operation = f"create application {unique_name}"
        made = await self._wire.upsert(operation, builder, body, "id", "appId")
        return made or await self._wire.read(f"read application {unique_name}", builder, _APPLICATION)

    async def update_application(self, object_id: str, body: Json) -> None:
        """Change an application's properties."""
        operation = f"update application {body.get('displayName', object_id)}"
        builder = self._wire.client.applications.by_application_id(object_id)
        await self._wire.write(operation, "PATCH", builder, body)

    async def delete_application(self, object_id: str) -> None:
        """Delete an application (it can be restored for 30 days); one that is gone is done."""
        builder = self._wire.client.applications.by_application_id(object_id)
        await self._wire.delete(f"delete application {object_id}", builder)

    async def remove_password(self, object_id: str, key_id: str, *, of_principal: bool = False) -> None:
        """Remove a client secret of an application, or of a service principal, by its key id; one that is gone is done.

        How Graph says that it has no such key is nowhere documented, so after a no it is read back.
        """
        client = self._wire.client
        if of_principal:
            holder = client.service_principals.by_service_principal_id(object_id)
        else:
            holder = client.applications.by_application_id(object_id)
        operation = f"remove client secret {key_id}"
        try:
            await self._wire.run(
                operation,
                lambda: self._wire.send("POST", holder.remove_password, body={"keyId": key_id}),
                lambda _: None,
            )
        except NotAllowed:
            raise
        except ServiceError:
            found = await self._wire.get(operation, holder, {"select": ["id", "passwordCredentials"]})
            held = (found or {}).get("passwordCredentials") or ()
            if any(str(each["keyId"]).lower() == key_id.lower() for each in held):
                raise

    async def restore_application(self, object_id: str) -> Json:
        """Bring a deleted application back; return it."""
        operation = f"restore application {object_id}"
        builder = self._wire.client.directory.deleted_items.by_directory_object_id(object_id).restore
        live = self._wire.client.applications.by_application_id(object_id)

        async def restored() -> Json | None:
            return await self._wire.get(operation, live, _APPLICATION)

        return await self._wire.run(
            operation, lambda: self._wire.send("POST", builder), an_object("id", "appId"), read_back=restored
        )

    # -- service principals ---------------------------------------------------------------------------------

    async def service_principal(self, client_id: str) -> Json | None:
        """Return the service principal of a client id, or None. Its ``id`` is what roles are assigned to."""
        builder = self._wire.client.service_principals_with_app_id(client_id)
        return await self._wire.get(f"read service principal of {client_id}", builder, {"select": _PRINCIPAL})

    async def principal_with_passwords(self, client_id: str) -> Json | None:
        """Return the service principal of a client id with its own client secrets: ids, hints and dates; no values."""
        builder = self._wire.client.service_principals_with_app_id(client_id)
        query = {"select": _PRINCIPAL_WITH_SECRETS}
        return await self._wire.get(f"read service principal of {client_id}", builder, query)

    async def service_principals(self, tag: str) -> list[Json]:
        """Return the service principals with a tag (they have their application's tags)."""
        query = {"select": _PRINCIPAL, "filter": _tagged(tag)}
        return await self._wire.list_all(
            f"list service principals tagged {tag}", self._wire.client.service_principals, query
        )

    async def upsert_service_principal(self, client_id: str, body: Json) -> Json:
        """Create the service principal of a client id, or update it; return it.

        Waits until a new application is seen everywhere, 3 minutes at most.
        """
        builder = self._wire.client.service_principals_with_app_id(client_id)
        made = await self._wire.upsert(f"create service principal of {client_id}", builder, body, "id")
        return made or await self._wire.read(
            f"read service principal of {client_id}", builder, {"select": _PRINCIPAL}
        )

    async def delete_service_principal(self, object_id: str) -> None:
        """Delete a service principal; one that is gone is done."""
        builder = self._wire.client.service_principals.by_service_principal_id(object_id)
        await self._wire.delete(f"delete service principal {object_id}", builder)

    # -- permissions on Graph itself ------------------------------------------------------------------------

    async def graph_principal(self) -> Json:
        """Return Graph's own service principal: its ``id``, and which ``appRoles`` it has."""
        builder = self._wire.client.service_principals_with_app_id(_GRAPH)
        operation = "read what Microsoft Graph lets applications do"
        return await self._wire.read(operation, builder, {"select": ["id", "appId", "appRoles"]})

    async def app_role_assignments(self, principal_id: str) -> list[Json]:
        """Return what a service principal may do without a person: ``resourceId``, ``appRoleId``."""
        builder = self._wire.client.service_principals.by_service_principal_id(principal_id)
        return await self._wire.list_all(
            f"list app roles of {principal_id}", builder.app_role_assignments, {}
        )

    async def assign_app_role(self, principal_id: str, resource_id: str, role_id: str) -> None:
        """Give a service principal an app role; one that it has is done (Graph refuses it a second time)."""
        builder = self._wire.client.service_principals.by_service_principal_id(principal_id)
        body = {"principalId": principal_id, "resourceId": resource_id, "appRoleId": role_id}
        operation = f"give {principal_id} an app role"
        try:
            await self._wire.write(operation, "POST", builder.app_role_assignments, body)
        except ServiceError as error:
            if "already exist" not in error.original:
                raise

    async def remove_app_role(self, principal_id: str, assignment_id: str) -> None:
        """Take an app role away, by its assignment's id; one that is gone is done."""
        builder = self._wire.client.service_principals.by_service_principal_id(principal_id)
        one = builder.app_role_assignments.by_app_role_assignment_id(assignment_id)
        await self._wire.delete(f"take an app role of {principal_id} away", one)

    # -- federated credentials ------------------------------------------------------------------------------

    async def put_federated_credential(self, object_id: str, body: Json) -> Json:
        """Create the credential named ``body["name"]``, or update it; return what is now there.

        Write those of one application one after another: Graph documents no parallel writes.
        """
        name = str(body["name"])
        application = self._wire.client.applications.by_application_id(object_id)
        builder = application.federated_identity_credentials_with_name(name)
        made = await self._wire.upsert(f"create federated credential {name}", builder, body, "name")
        return made or body

    async def delete_federated_credential(self, object_id: str, name: str) -> None:
        """Delete a credential by name; one that is gone is done."""
        application = self._wire.client.applications.by_application_id(object_id)
        builder = application.federated_identity_credentials.by_federated_identity_credential_id(name)
        await self._wire.delete(f"delete federated credential {name}", builder)

    # -- people ---------------------------------------------------------------------------------------------

    async def users(self, name: str) -> Json | None:
        """Return the user of that sign-in name, or the user or service principal of that object id, or None."""
        operation = f"find {name}"
        if not _is_guid(name):
            return await self._wire.get(
                operation, self._wire.client.users.by_user_id(name), {"select": _PERSON}
            )
        builder = self._wire.client.directory_objects.get_by_ids
        body = {"ids": [name], "types": ["user", "servicePrincipal"]}
        found = await self._wire.run(
            operation, lambda: self._wire.send("POST", builder, body=body, reads=True), values
        )
        return found[0] if found else None

    async def authorization_policy(self) -> Json | None:
        """Return what people may do in the tenant: ``defaultUserRolePermissions`` (Graph: authorizationPolicy)."""
        builder = self._wire.client.policies.authorization_policy
        return await self._wire.get("read the tenant's authorization policy", builder, {})

    async def directory_roles(self) -> list[Json]:
        """Return the directory roles that the person who is signed in holds, through groups too: ``roleTemplateId``."""
        builder = self._wire.client.users.by_user_id("me").transitive_member_of.graph_directory_role
        # The SDK has no builders below /me; its middleware, which we do without, would turn the address like this.
        template = builder.url_template.replace("/users/{user%2Did}/", "/me/")
        builder.url_template = template.replace("/graph.", "/microsoft.graph.")
        return await self._wire.list_all("list your directory roles", builder, {})

    async def owners(self, object_id: str) -> list[Json]:
        """Return an application's owners: users and service principals."""
        builder = self._wire.client.applications.by_application_id(object_id).owners
        return await self._wire.list_all(f"list owners of {object_id}", builder, {"select": _PERSON})

    async def add_owner(self, object_id: str, owner_id: str) -> None:
        """Make a directory object an owner of an application; one that already is one is done."""
        builder = self._wire.client.applications.by_application_id(object_id).owners.ref
        body = {"@odata.id": f"{self._endpoints.graph}/v1.0/directoryObjects/{owner_id}"}
        try:
            await self._wire.write(f"add owner {owner_id}", "POST", builder, body)
        except ServiceError as error:
            if "already exist" not in error.original:
                raise


def _tagged(tag: str) -> str:
    quoted = tag.replace("'", "''")
    return f"tags/any(t:t eq '{quoted}')"


def _is_guid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
