"""Service principals, users, groups, directory roles and the organization, as far as setting up a trust needs them.

It must not change applications (``graph_applications`` does). Users and groups are only read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith_sandbox import directory_roles
from trustsmith_sandbox import graph_core as core
from trustsmith_sandbox import graph_views as views
from trustsmith_sandbox.graph_applications import fields
from trustsmith_sandbox.http import Answer, Call

if TYPE_CHECKING:
    from trustsmith_sandbox.world import Data

_WRITABLE = {
    "appId",
    "accountEnabled",
    "displayName",
    "description",
    "notes",
    "tags",
    "appRoleAssignmentRequired",
}
_MOST_IDS = 1000


def principals(call: Call) -> Answer:
    """Answer service principals, filtered."""
    core.may_read(call)
    return core.many(call, views.PRINCIPAL, core.rows(call, "service_principals"))


def principal(call: Call) -> Answer:
    """Answer one service principal by id or appId."""
    thing = core.lookup(call, "service_principals")
    core.may_read(call, thing)
    return core.one(call, views.PRINCIPAL, thing)


def create_principal(call: Call) -> Answer:
    """Make an application's service principal in this tenant."""
    wanted = fields(call)
    return core.one(call, views.PRINCIPAL, _create(call, str(wanted.get("appId", "")), wanted), 201)


def change_principal(call: Call) -> Answer:
    """Update a service principal, or (by appId and with ``Prefer: create-if-missing``) make it."""
    thing, wanted = core.try_lookup(call, "service_principals"), fields(call)
    if thing is None and "appId" in call.params and core.creates_if_missing(call):
        return core.one(
            call, views.PRINCIPAL, _create(call, core.unquoted(call.params["appId"]), wanted), 201
        )
    thing = core.lookup(call, "service_principals")
    core.may_write(call, thing)
    _check(call, wanted)
    thing.update({key: value for key, value in wanted.items() if key != "appId"})
    return Answer(204)


def delete_principal(call: Call) -> Answer:
    """Delete a service principal; its role assignments stay behind as orphans."""
    thing = core.lookup(call, "service_principals")
    core.may_write(call, thing)
    del call.world.data["service_principals"][thing["id"]]
    return Answer(204)


def _check(call: Call, wanted: Data) -> None:
    unknown = sorted(wanted.keys() - _WRITABLE)
    if unknown:
        raise core.bad(call, f"Property '{unknown[0]}' cannot be set on resource 'ServicePrincipal'.")


def _create(call: Call, app_id: str, wanted: Data) -> Data:
    app = _backing(call, app_id)
    core.may_create(call)
    core.may_write(call, app)
    _check(call, wanted)
    if any(p["appId"] == app["appId"] for p in call.world.data["service_principals"].values()):
        text = (
            "The service principal cannot be created, updated, or restored because the service principal name"
            f" {app['appId']} is already in use."
        )
        raise core.refuse(call, 409, "Request_MultipleObjectsWithSameKeyValue", text)
    made: Data = {
        "id": call.world.guid(),
        "tenantId": call.caller.tenant,
        "accountEnabled": True,
        "servicePrincipalType": "Application",
        "createdDateTime": call.world.stamp(),
        "displayName": app["displayName"],
        "tags": list(app.get("tags", [])),
        "passwordCredentials": [],
        "graphPermissions": [],
        "owners": core.first_owners(call),
        **wanted,
        "appId": app["appId"],
    }
    call.world.data["service_principals"][made["id"]] = call.world.written(made)
    return made


def _backing(call: Call, app_id: str) -> Data:
    """Return the application; one that has not replicated yet is refused in Graph's other words."""
    for app in call.world.data["applications"].values():
        if app["appId"].lower() == app_id.lower() and app["tenantId"] == call.caller.tenant:
            if call.world.visible(app):
                found: Data = app
                return found
            text = (
                "When using this permission, the backing application of the service principal being created"
                " must in the local tenant"
            )
            raise core.refuse(call, 403, "Authorization_RequestDenied", text)
    text = f"The appId '{app_id}' of the service principal does not reference a valid application object."
    raise core.bad(call, text)


def users(call: Call) -> Answer:
    """Answer users, filtered."""
    core.may_read_directory(call)
    return core.many(call, views.USER, core.rows(call, "users"))


def user(call: Call) -> Answer:
    """Answer a user by id or user principal name."""
    core.may_read_directory(call)
    wanted = call.params["id"].lower()
    for thing in core.rows(call, "users"):
        if wanted in {thing["id"].lower(), thing["userPrincipalName"].lower()}:
            return core.one(call, views.USER, thing)
    raise core.missing(call, wanted)


def me(call: Call) -> Answer:
    """Answer the signed-in user; an application is nobody here."""
    return core.one(call, views.USER, _person(call))


def _person(call: Call) -> Data:
    thing: Data | None = call.world.data["users"].get(call.caller.object_id)
    if thing is None:
        raise core.bad(call, "/me request is only valid with delegated authentication flow.", "BadRequest")
    return thing


def groups(call: Call) -> Answer:
    """Answer groups, filtered."""
    core.may_read_directory(call)
    return core.many(call, views.GROUP, core.rows(call, "groups"))


def group(call: Call) -> Answer:
    """Answer one group."""
    core.may_read_directory(call)
    return core.one(call, views.GROUP, core.lookup(call, "groups"))


def members(call: Call) -> Answer:
    """Answer a group's members."""
    core.may_read_directory(call)
    return _objects(call, core.lookup(call, "groups")["members"])


def member_of(call: Call) -> Answer:
    """Answer the groups that somebody is in and the directory roles they hold, themselves or through groups.

    Without an id in the path it is about the signed-in user. A cast in the path leaves only that kind.
    """
    who = _person(call) if "id" not in call.params else _member(call)
    world, through = call.world, "/transitiveMemberOf" in call.path
    direct = [g for g in core.rows(call, "groups") if who["id"] in g["members"]]
    groups = directory_roles.groups_of(world, who["id"]) if through else direct
    cast = call.params.get("cast", "").lower()
    if cast == "directoryrole":
        return core.many(call, views.DIRECTORY_ROLE, _roles(call, who, through_groups=through))
    if cast == "group":
        return core.many(call, views.GROUP, groups)
    shown = views.objects(call, [group["id"] for group in groups])
    kind = {"@odata.type": "#microsoft.graph.directoryRole"}
    shown += [kind | role for role in _roles(call, who, through_groups=through)]
    return Answer(body={"@odata.context": f"{call.base}/$metadata#directoryObjects", "value": shown})


def _roles(call: Call, who: Data, *, through_groups: bool) -> list[Data]:
    names = directory_roles.held(call.world, who, through_groups=through_groups)
    return [directory_roles.shown(name, call.caller.tenant) for name in names]


def _member(call: Call) -> Data:
    """Return the user or service principal of the path; raises 404."""
    core.may_read_directory(call)
    wanted = call.params["id"].lower()
    for thing in [*core.rows(call, "users"), *core.rows(call, "service_principals")]:
        if wanted in {thing["id"], thing.get("userPrincipalName", "").lower()}:
            return thing
    raise core.missing(call, wanted)


def authorization_policy(call: Call) -> Answer:
    """Answer what people without a directory role may do in the tenant."""
    core.may_read_policy(call)
    policy = call.world.data["tenants"][call.caller.tenant]["authorizationPolicy"]
    context = f"{call.base}/$metadata#policies/authorizationPolicy/$entity"
    return Answer(body={"@odata.context": context, **policy})


def directory_object(call: Call) -> Answer:
    """Answer whatever has that id."""
    found = views.objects(call, [call.params["id"]])
    if not found:
        raise core.missing(call, call.params["id"])
    context = f"{call.base}/$metadata#directoryObjects/$entity"
    return Answer(body={"@odata.context": context, **found[0]})


def by_ids(call: Call) -> Answer:
    """Answer many directory objects at once; ids that are nobody's are left out."""
    core.may_read_directory(call)
    wanted = fields(call)
    ids, types = wanted.get("ids"), wanted.get("types") or []
    if not isinstance(ids, list) or not isinstance(types, list) or len(ids) > _MOST_IDS:
        raise core.bad(call, "The number of ids must be between 1 and 1000.")
    return _objects(call, [str(i) for i in ids], {str(t).lower() for t in types})


def _objects(call: Call, ids: list[str], types: set[str] | None = None) -> Answer:
    found = views.objects(call, ids)
    if types and "directoryobject" not in types:
        found = [thing for thing in found if thing["@odata.type"].rpartition(".")[2].lower() in types]
    return Answer(body={"@odata.context": f"{call.base}/$metadata#directoryObjects", "value": found})


def organization(call: Call) -> Answer:
    """Answer the caller's tenant."""
    tenant = call.world.data["tenants"][call.caller.tenant]
    domain = {"name": tenant["defaultDomain"], "isDefault": True, "isInitial": True, "type": "Managed"}
    shown = {
        "id": tenant["tenantId"],
        "displayName": tenant["displayName"],
        "tenantType": "AAD",
        "verifiedDomains": [domain | {"capabilities": "Email, OfficeCommunicationsOnline"}],
    }
    return Answer(body={"@odata.context": f"{call.base}/$metadata#organization", "value": [shown]})
