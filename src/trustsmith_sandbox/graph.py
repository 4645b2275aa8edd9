"""Microsoft Graph: the table of routes, and ``$batch``.

Served under ``/v1.0`` and ``/beta``. It must not hold rules; those are in the ``graph_*`` modules.
"""

from __future__ import annotations

import dataclasses
import inspect
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, QueryParams

from trustsmith_sandbox import graph_app_roles as app_roles
from trustsmith_sandbox import graph_applications as apps
from trustsmith_sandbox import graph_core as core
from trustsmith_sandbox import graph_credentials as credentials
from trustsmith_sandbox import graph_directory as directory
from trustsmith_sandbox import graph_holders as holders
from trustsmith_sandbox.http import Answer, Call, Handler, Refusal, Route, Service

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trustsmith_sandbox.world import Data

_MOST_BATCHED = 20
_KEYS = ("/{id}", "(appId='{appId}')", "(uniqueName='{uniqueName}')")


def _keyed(method: str, kind: str, tail: str, handler: Handler, summary: str) -> Iterator[Route]:
    """Yield the route once for each way to name the object: by id, by appId, by uniqueName."""
    for key in _KEYS if kind == "/applications" else _KEYS[:2]:
        yield Route(method, kind + key + tail, handler, summary)


async def batch(call: Call) -> Answer:
    """Answer up to twenty requests in one, in order; each has its own status (Graph's json-batching)."""
    wanted = apps.fields(call).get("requests")
    if not isinstance(wanted, list) or not 0 < len(wanted) <= _MOST_BATCHED or not all(map(_is_item, wanted)):
        raise core.bad(call, "Invalid batch payload format: 1 to 20 requests.", "BadRequest")
    answers: dict[str, Answer] = {}
    for item in wanted:
        needs = [answers[i].status for i in item.get("dependsOn", []) if i in answers]
        failed = any(status >= 400 for status in needs)  # noqa: PLR2004 - HTTP's own boundary
        answers[str(item["id"])] = _failed_dependency() if failed else await _item(call, item)
    return Answer(body={"responses": [_listed(name, answer) for name, answer in answers.items()]})


def _is_item(item: Any) -> bool:
    return isinstance(item, dict) and {"id", "method", "url"} <= item.keys()


def _failed_dependency() -> Answer:
    return Answer(424, {"error": {"code": "FailedDependency", "message": "A request it depends on failed."}})


async def _item(call: Call, item: Data) -> Answer:
    url = urlsplit(str(item["url"]))
    path = "/" + url.path.lstrip("/")
    found = SERVICE.find(str(item["method"]).upper(), call.mount + path)
    if found is None:
        text = f"The sandbox has no route {item['method']} {path}"
        return Answer(501, {"error": {"code": "NotImplemented", "message": text}})
    route, _mount, params = found
    headers = Headers({str(k).lower(): str(v) for k, v in (item.get("headers") or {}).items()})
    query = QueryParams(url.query)
    inner = dataclasses.replace(
        call,
        method=route.method,
        path=path,
        params=params,
        query=query,
        headers=headers,
        body=item.get("body"),
    )
    try:
        answer = route.handler(inner)
        return await answer if inspect.isawaitable(answer) else answer
    except Refusal as refusal:
        return refusal.answer


def _listed(name: str, answer: Answer) -> dict[str, Any]:
    return {"id": name, "status": answer.status, "headers": dict(answer.headers), "body": answer.body}


def finish(call: Call, answer: Answer) -> Answer:
    """Add the headers that every answer of Graph carries."""
    seen = {"request-id": call.world.guid(), "x-ms-ags-diagnostic": "{}", "Cache-Control": "no-cache"}
    return dataclasses.replace(answer, headers={**seen, "OData-Version": "4.0", **answer.headers})


def _application_routes() -> Iterator[Route]:
    base, fics = "/applications", "/federatedIdentityCredentials"
    yield Route("GET", base, apps.listing, "list applications")
    yield Route("POST", base, apps.create, "create an application")
    for kind in (base, "/servicePrincipals"):
        yield from _keyed("POST", kind, "/addPassword", holders.add_password, "add a password")
        yield from _keyed("POST", kind, "/removePassword", holders.remove_password, "remove a password")
        yield from _keyed("GET", kind, "/owners", holders.owners, "list owners")
        yield from _keyed("POST", kind, "/owners/$ref", holders.add_owner, "add an owner")
        yield from _keyed("DELETE", kind, "/owners/{owner}/$ref", holders.remove_owner, "remove an owner")
    yield from _keyed("GET", base, fics, credentials.listing, "list federated credentials")
    yield from _keyed("POST", base, fics, credentials.create, "create a federated credential")
    for each in (fics + "(name='{credential}')", fics + "/{credential}"):
        yield from _keyed("GET", base, each, credentials.show, "get a federated credential by name or id")
        yield from _keyed("PATCH", base, each, credentials.change, "update (by name: or create) it")
        yield from _keyed("DELETE", base, each, credentials.delete, "delete a federated credential")
    yield from _keyed("GET", base, "", apps.show, "get an application")
    yield from _keyed("PATCH", base, "", apps.change, "update (by uniqueName: or create) an application")
    yield from _keyed("DELETE", base, "", apps.delete, "soft-delete an application")


def _deleted_routes() -> Iterator[Route]:
    base = "/directory/deletedItems"
    yield Route("GET", base, apps.uncast, "refused: the kind is mandatory")
    yield Route(
        "GET", base + "/microsoft.graph.application", apps.deleted, "list deleted applications", any_case=True
    )
    yield Route("GET", base + "/{id}", apps.show_deleted, "get a deleted application")
    yield Route("DELETE", base + "/{id}", apps.purge, "delete it for good")
    for verb in ("/restore", "/microsoft.graph.restore"):
        yield Route("POST", base + "/{id}" + verb, apps.restore, "restore a deleted application")


def _directory_routes() -> Iterator[Route]:
    base = "/servicePrincipals"
    yield Route("GET", base, directory.principals, "list service principals")
    yield Route("POST", base, directory.create_principal, "create a service principal")
    given = "/appRoleAssignments"
    yield from _keyed("GET", base, given, app_roles.assignments, "list the app roles that it has")
    yield from _keyed("POST", base, given, app_roles.assign, "give it an app role of Graph")
    yield from _keyed("DELETE", base, given + "/{assignment}", app_roles.remove, "take an app role away")
    yield from _keyed("GET", base, "", directory.principal, "get a service principal")
    yield from _keyed("PATCH", base, "", directory.change_principal, "update (by appId: or create) it")
    yield from _keyed("DELETE", base, "", directory.delete_principal, "delete a service principal")
    yield Route("GET", "/users", directory.users, "list users")
    yield Route("GET", "/users/{id}", directory.user, "get a user by id or name")
    yield Route("GET", "/me", directory.me, "the signed-in user")
    for who in ("/me", "/users/{id}", base + "/{id}"):
        for verb in ("/memberOf", "/transitiveMemberOf"):
            yield Route("GET", who + verb, directory.member_of, "groups and directory roles")
            cast = verb + "/microsoft.graph.{cast}"
            yield Route("GET", who + cast, directory.member_of, "only group, or only directoryRole")
    yield Route(
        "GET",
        "/policies/authorizationPolicy",
        directory.authorization_policy,
        "what people may do by default",
    )
    yield Route("GET", "/groups", directory.groups, "list groups")
    yield Route("GET", "/groups/{id}", directory.group, "get a group")
    yield Route("GET", "/groups/{id}/members", directory.members, "a group's members")
    yield Route("GET", "/organization", directory.organization, "the tenant")
    yield Route("POST", "/directoryObjects/getByIds", directory.by_ids, "many objects by id")
    yield Route("POST", "/directoryObjects/microsoft.graph.getByIds", directory.by_ids, "the same")
    yield Route("GET", "/directoryObjects/{id}", directory.directory_object, "any object by id")
    yield Route("POST", "/$batch", batch, "up to twenty requests in one")


_PLAIN_ERROR = {"error": {"code": "BadRequest", "message": "Unable to read JSON request payload."}}
SERVICE = Service(
    name="graph",
    hosts=("graph.microsoft.com",),
    roots=("v1.0", "beta"),
    mounts=("/v1.0", "/beta"),
    routes=(*_application_routes(), *_deleted_routes(), *_directory_routes()),
    authenticate=core.authenticate,
    finish=finish,
    malformed=Answer(400, _PLAIN_ERROR),
)
