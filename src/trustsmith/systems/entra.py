"""Entra: applications, service principals and federated credentials, over Microsoft Graph.

Applications are found by `uniqueName` and by tag, never by display name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trustsmith.errors import ServiceError
from trustsmith.model import naming, subject
from trustsmith.model.resource import Key, Resource
from trustsmith.model.resources import (
    Application,
    ClientSecret,
    FederatedCredential,
    GraphPermission,
    ServicePrincipal,
)
from trustsmith.model.state import State
from trustsmith.systems import together

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Mapping

    from trustsmith.clients.graph import Graph
    from trustsmith.model.facts import Facts
    from trustsmith.model.plan import Change
    from trustsmith.systems import Minted

Json = dict[str, Any]


class EntraReader:
    """Reads applications with their credentials, and their service principals."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph

    async def read(self, wanted: State, facts: Facts, identities: Awaitable[State]) -> State:
        """All applications of this repository, and those that the file names by client id."""
        del identities
        tag = naming.repository_tag(facts.host, facts.repository.id)
        names = [r.unique_name for r in wanted.values() if isinstance(r, Application)]
        named = {r.identity for r in wanted.values() if isinstance(r, FederatedCredential)} - set(names)
        listed, principals, deleted, by_name, by_client = await together(
            self._graph.applications(tag),
            self._graph.service_principals(tag),
            self._graph.deleted_applications(),
            together(*(self._graph.application(name) for name in names)),
            together(*(self._graph.application_by_client_id(client) for client in sorted(named))),
        )
        # One that the file names by client id is not ours to delete, even when we once made it.
        external = {app["id"] for app in by_client if app} - {app["id"] for app in by_name if app}
        ours = {app["id"]: app for app in (*listed, *by_name) if app and app.get("uniqueName")}
        apps = [_Seen(app, app["uniqueName"], tag) for app in ours.values() if app["id"] not in external]
        apps += [_Seen(app, app["appId"], None) for app in by_client if app]
        found = await self._with_principals(apps, principals)
        owners, permissions = await together(self._owners(apps, facts), self._permissions(found, wanted))
        resources: list[Resource] = [*found, *permissions]
        for app in apps:
            resources += app.resources(wanted, facts, owners.get(app.object_id, frozenset()))
        return State(State.of(resources).resources, _deleted(deleted, tag))

    async def _with_principals(self, apps: list[_Seen], listed: list[Json]) -> list[ServicePrincipal]:
        """A principal whose tags were changed is not in the list; it is asked for by its client id."""
        by_client = {principal["appId"]: principal for principal in listed}
        missing = [app for app in apps if app.client_id not in by_client]
        asked = await together(*(self._graph.service_principal(app.client_id) for app in missing))
        by_client |= {principal["appId"]: principal for principal in asked if principal}
        return [app.principal(by_client[app.client_id]) for app in apps if app.client_id in by_client]

    async def _permissions(self, principals: list[ServicePrincipal], wanted: State) -> list[GraphPermission]:
        """What those may do on Graph for whom the file says something about it."""
        asked = {r.identity for r in wanted.values() if isinstance(r, GraphPermission)}
        holders = [principal for principal in principals if principal.identity in asked]
        if not holders:
            return []
        graph, *lists = await together(
            self._graph.graph_principal(),
            *(self._graph.app_role_assignments(one.minted["principal_id"]) for one in holders),
        )
        names = {role["id"]: str(role["value"]) for role in graph["appRoles"]}
        found = [
            _permission(holder, answer, names)
            for holder, answers in zip(holders, lists, strict=True)
            for answer in answers
            if answer["resourceId"] == graph["id"]
        ]
        return [one for one in found if one.key in wanted or _is_ours(one, principals)]

    async def _owners(self, apps: list[_Seen], facts: Facts) -> Mapping[str, frozenset[str]]:
        """Owners are read only when the file names some."""
        if not facts.owners:
            return {}
        own = [app for app in apps if app.owned]
        lists = await together(*(self._graph.owners(app.object_id) for app in own))
        return {a.object_id: frozenset(o["id"] for o in owners) for a, owners in zip(own, lists, strict=True)}


class _Seen:
    """An application as Graph answered it.

    identity: its unique name, or its client id when the file gives that. tag: ours, or None when it is not ours anyway.
    """

    def __init__(self, app: Json, identity: str, tag: str | None) -> None:
        self.identity = identity
        self.owned = tag in (app.get("tags") or ())
        self.object_id = str(app["id"])
        self.client_id = str(app["appId"])
        self._app = app

    def principal(self, answer: Json) -> ServicePrincipal:
        return ServicePrincipal(
            identity=self.identity,
            client_id=self.client_id,
            enabled=answer.get("accountEnabled") is not False,
            minted={"principal_id": str(answer["id"])},
            owned=self.owned,
        )

    def resources(self, wanted: State, facts: Facts, owners: frozenset[str]) -> Iterable[Resource]:
        yield _application(self._app, self.identity, owned=self.owned, owners=owners)
        found = [self._credential(credential, wanted, facts) for credential in self._credentials()]
        named = self.identity == self._app.get("uniqueName")
        if self.owned:
            yield from client_secrets(self._app, self.identity)
        yield from (c for c in found if named or c.owned or c.key in wanted)

    def _credentials(self) -> list[Json]:
        """Those with one of our names first, so that a foreign one never takes their place."""
        credentials = self._app.get("federatedIdentityCredentials") or []
        return sorted(credentials, key=lambda c: not _names_itself(c))

    def _credential(self, answer: Json, wanted: State, facts: Facts) -> FederatedCredential:
        described = answer.get("description")
        marked = naming.is_marked(described, facts.host, facts.repository.id)
        owned = marked or (self.owned and _names_itself(answer))
        name = str(answer["name"])
        key = Key(FederatedCredential.kind, f"{self.identity}/{name}")
        if key not in wanted and not owned:
            name = self._wanted_name(answer, wanted) or name
        said, trusted = (
            naming.described(described or "") if marked else None,
            str(answer.get("subject") or ""),
        )
        environment, jobs = said or (subject.environment_of(trusted), True)
        return FederatedCredential(
            identity=self.identity,
            name=name,
            issuer=str(answer["issuer"]),
            subject=trusted,
            audience=_audience(answer),
            environment=environment or "-",
            jobs=jobs,
            application=self.object_id,
            minted={"name": str(answer["name"])},
            owned=owned,
        )

    def _wanted_name(self, answer: Json, wanted: State) -> str | None:
        """A credential that somebody else made and that trusts just what we want serves as well as ours."""
        trust = (answer["issuer"], answer.get("subject"), _audience(answer))
        for resource in wanted.values():
            if (
                isinstance(resource, FederatedCredential)
                and resource.identity == self.identity
                and (resource.issuer, resource.subject, resource.audience) == trust
            ):
                return resource.name
        return None


def _permission(holder: ServicePrincipal, answer: Json, names: Mapping[str, str]) -> GraphPermission:
    role = str(answer["appRoleId"])
    return GraphPermission(
        identity=holder.identity,
        permission=names.get(role, role),
        principal=holder.minted["principal_id"],
        minted={"id": str(answer["id"])},
    )


def _is_ours(permission: GraphPermission, principals: list[ServicePrincipal]) -> bool:
    """Whether it is on an identity of ours, where anything that the file does not ask for is a stray."""
    return any(one.owned and one.identity == permission.identity for one in principals)


def client_secrets(app: Json, identity: str, principal: Json | None = None) -> list[ClientSecret]:
    """The client secrets of an application, and of its service principal; none of them ours, and none with its value."""
    holders = ((app, False), (principal or {}, True))
    held = [(each, h, of) for h, of in holders for each in h.get("passwordCredentials") or ()]
    return [
        ClientSecret(
            identity=identity,
            key_id=str(answer["keyId"]),
            hint=str(answer.get("hint") or ""),
            name=str(answer.get("displayName") or ""),
            starts=str(answer.get("startDateTime") or ""),
            expires=str(answer.get("endDateTime") or ""),
            of_principal=of_principal,
            minted={"object_id": str(holder["id"])},
            owned=False,
        )
        for answer, holder, of_principal in held
    ]


def _about(answer: Json, field: str, wanted: str) -> None:
    """Raise ServiceError when Graph answers about another object: ids taken from it would go to the wrong one."""
    if str(answer.get(field)).lower() != wanted.lower():
        raise ServiceError(
            f"Asked to write {wanted}, Graph answered about {answer.get(field)}.",
            service="graph",
            hint="Run trustsmith plan to see what is there.",
            unsure=True,
        )


def _is_for_apps(role: Json) -> bool:
    return "Application" in (role.get("allowedMemberTypes") or ())


def _audience(answer: Json) -> str:
    return ", ".join(answer.get("audiences") or ())


def _names_itself(answer: Json) -> bool:
    trust = (str(answer["issuer"]), str(answer.get("subject") or ""), _audience(answer))
    return naming.is_credential_name(str(answer["name"]), *trust)


def _application(
    app: Json, identity: str, *, owned: bool, owners: frozenset[str] = frozenset()
) -> Application:
    return Application(
        unique_name=identity,
        display_name=str(app.get("displayName") or ""),
        tags=frozenset(app.get("tags") or ()),
        audience=str(app.get("signInAudience") or "AzureADMyOrg"),
        service_management_reference=app.get("serviceManagementReference"),
        owners=owners,
        minted={
            "object_id": str(app["id"]),
            "client_id": str(app["appId"]),
            "credentials": str(len(app.get("federatedIdentityCredentials") or ())),
        },
        owned=owned,
    )


def _deleted(answers: list[Json], tag: str) -> Mapping[Key, Application]:
    apps = [
        _application(app, str(app["uniqueName"]), owned=tag in (app.get("tags") or ()))
        for app in answers
        if app.get("uniqueName")
    ]
    return {app.key: app for app in apps}


class EntraWriter(EntraReader):
    """Carries out changes to applications, service principals and federated credentials."""

    async def write(self, change: Change, facts: Facts) -> Minted:
        """Do one change; returns object_id and client_id, or principal_id, or nothing."""
        match change.verb, change.resource:
            case "delete", Application() as app:
                await self._graph.delete_application(app.minted["object_id"])
            case "delete", FederatedCredential() as credential:
                name = credential.minted.get("name", credential.name)
                await self._graph.delete_federated_credential(str(credential.application), name)
            case "delete", ClientSecret() as secret:
                object_id = secret.minted["object_id"]
                await self._graph.remove_password(object_id, secret.key_id, of_principal=secret.of_principal)
            case "delete", GraphPermission() as permission:
                await self._graph.remove_app_role(str(permission.principal), permission.minted["id"])
            case "delete", ServicePrincipal() as principal:
                await self._graph.delete_service_principal(principal.minted["principal_id"])
            case _, Application() as app:
                return await self._write_application(change, app)
            case _, ServicePrincipal() as principal:
                return await self._write_principal(principal)
            case _, FederatedCredential() as credential:
                await self._write_credential(credential, facts)
            case _, GraphPermission() as permission:
                await self._give(permission)
        return {}

    async def _give(self, permission: GraphPermission) -> None:
        """The role's id is Graph's to say; it is asked for by its name."""
        graph = await self._graph.graph_principal()
        roles = {str(role["value"]): str(role["id"]) for role in graph["appRoles"] if _is_for_apps(role)}
        if permission.permission not in roles:
            message = (
                f"Microsoft Graph in this cloud has no permission {permission.permission} for applications."
            )
            raise ServiceError(message, service="graph", hint="Take `observer` out of the file.")
        await self._graph.assign_app_role(
            str(permission.principal), str(graph["id"]), roles[permission.permission]
        )

    async def _write_application(self, change: Change, app: Application) -> Minted:
        before = change.before.minted if change.before else {}
        if change.verb == "restore":
            await self._graph.restore_application(before["object_id"])
        body = {
            "displayName": app.display_name,
            "signInAudience": app.audience,
            "tags": sorted(app.tags),
            "serviceManagementReference": app.service_management_reference,
        }
        if before:
            await self._graph.update_application(before["object_id"], body)
            minted = before
        else:
            body = {name: value for name, value in body.items() if value is not None}
            answer = await self._graph.upsert_application(app.unique_name, body)
            _about(answer, "uniqueName", app.unique_name)
            minted = {"object_id": str(answer["id"]), "client_id": str(answer["appId"])}
        there = change.before.owners if isinstance(change.before, Application) else frozenset()
        for owner in sorted(app.owners - there):
            await self._graph.add_owner(minted["object_id"], owner)
        return minted

    async def _write_principal(self, principal: ServicePrincipal) -> Minted:
        body = {"accountEnabled": principal.enabled}
        answer = await self._graph.upsert_service_principal(str(principal.client_id), body)
        _about(answer, "appId", str(principal.client_id))
        return {"principal_id": str(answer["id"])}

    async def _write_credential(self, credential: FederatedCredential, facts: Facts) -> None:
        mark = naming.mark(facts.host, facts.repository.id)
        body = {
            "name": credential.name,
            "issuer": credential.issuer,
            "subject": credential.subject,
            "audiences": [credential.audience],
            "description": naming.description(mark, credential.environment, jobs=credential.jobs),
        }
        await self._graph.put_federated_credential(str(credential.application), body)


KINDS: tuple[type[Resource], ...] = (
    Application,
    ServicePrincipal,
    FederatedCredential,
    ClientSecret,
    GraphPermission,
)
