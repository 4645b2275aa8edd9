"""Applications: create, upsert by ``uniqueName``, change, soft-delete, restore.

The rules are Graph v1.0's (application-upsert, application-delete, directory-deleteditems-*): display names
repeat, ``uniqueName`` does not, is set once, and is kept by a deleted application. It must not handle
what an application holds: federated credentials (``graph_credentials``), passwords, owners (``graph_holders``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trustsmith_sandbox import graph_core as core
from trustsmith_sandbox import graph_views as views
from trustsmith_sandbox.http import Answer, Call

if TYPE_CHECKING:
    from trustsmith_sandbox.world import Data

_LONGEST_NAME = 256
_WRITABLE = {
    "displayName",
    "description",
    "notes",
    "tags",
    "signInAudience",
    "serviceManagementReference",
    "uniqueName",
    "identifierUris",
    "isFallbackPublicClient",
    "isDisabled",
    "requiredResourceAccess",
    "api",
    "web",
    "spa",
    "publicClient",
    "info",
    "optionalClaims",
    "appRoles",
    "groupMembershipClaims",
    "keyCredentials",
    "isDeviceOnlyAuthSupported",
    "parentalControlSettings",
}
_AUDIENCES = {
    "AzureADMyOrg",
    "AzureADMultipleOrgs",
    "AzureADandPersonalMicrosoftAccount",
    "PersonalMicrosoftAccount",
}


def listing(call: Call) -> Answer:
    """Answer applications, filtered."""
    core.may_read(call)
    return core.many(call, views.APPLICATION, core.rows(call, "applications"))


def show(call: Call) -> Answer:
    """Answer one application by id, appId or uniqueName."""
    app = core.lookup(call, "applications")
    core.may_read(call, app)
    return core.one(call, views.APPLICATION, app)


def create(call: Call) -> Answer:
    """Make an application; two calls make two."""
    core.may_create(call)
    return core.one(call, views.APPLICATION, _create(call, fields(call)), 201)


def change(call: Call) -> Answer:
    """Update an application, or (by uniqueName and with ``Prefer: create-if-missing``) make it."""
    app = core.try_lookup(call, "applications")
    wanted = fields(call)
    if app is None:
        if "uniqueName" not in call.params or not core.creates_if_missing(call):
            raise core.missing(call, next(iter(call.params.values())))
        core.may_create(call)
        made = _create(call, wanted | {"uniqueName": core.unquoted(call.params["uniqueName"])})
        return core.one(call, views.APPLICATION, made, 201)
    core.may_write(call, app)
    _update(call, app, wanted)
    return Answer(204)


def fields(call: Call) -> Data:
    """Return the request's JSON object; raises 400 when it is not one."""
    if not isinstance(call.body, dict):
        raise core.bad(call, "Empty Payload. JSON content expected.", "BadRequest")
    return {k: v for k, v in call.body.items() if not k.startswith("@odata.")}


def _create(call: Call, wanted: Data) -> Data:
    _check(call, wanted, creating=True)
    app: Data = {
        "id": call.world.guid(),
        "appId": call.world.guid(),
        "tenantId": call.caller.tenant,
        "uniqueName": None,
        "createdDateTime": call.world.stamp(),
        "createdByAppId": call.caller.app_id,
        "signInAudience": "AzureADMyOrg",
        "tags": [],
        "passwordCredentials": [],
        "federatedIdentityCredentials": [],
        "owners": core.first_owners(call),
        **wanted,
    }
    call.world.data["applications"][app["id"]] = call.world.written(app)
    return app


def _update(call: Call, app: Data, wanted: Data) -> None:
    name = wanted.get("uniqueName", app["uniqueName"])
    if name == app["uniqueName"]:
        wanted.pop("uniqueName", None)
    elif app["uniqueName"] is not None:
        raise core.bad(call, "Property 'uniqueName' is read-only and cannot be set.")
    _check(call, wanted, creating=False)
    app.update(wanted)
    for principal in call.world.data["service_principals"].values():
        if principal["appId"] == app["appId"]:
            principal |= {key: wanted[key] for key in ("tags", "displayName") if key in wanted}


def _check(call: Call, wanted: Data, *, creating: bool) -> None:
    unknown = sorted(wanted.keys() - _WRITABLE)
    if unknown:
        text = f"Property '{unknown[0]}' cannot be set on, or does not exist on resource 'Application'."
        raise core.bad(call, text)
    name = wanted.get("displayName")
    if (creating or "displayName" in wanted) and not (
        isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME
    ):
        raise core.bad(call, "Invalid value specified for property 'displayName' of resource 'Application'.")
    if not _is_texts(wanted.get("tags", [])):
        raise core.bad(call, "Invalid value specified for property 'tags' of resource 'Application'.")
    if str(wanted.get("signInAudience", "AzureADMyOrg")) not in _AUDIENCES:
        raise core.bad(
            call, "Invalid value specified for property 'signInAudience' of resource 'Application'."
        )
    if wanted.get("uniqueName") is not None:
        _check_unique(call, str(wanted["uniqueName"]))


def _is_texts(value: Any) -> bool:
    return (
        isinstance(value, list)
        and all(isinstance(v, str) and v for v in value)
        and len(set(value)) == len(value)
    )


def _check_unique(call: Call, name: str) -> None:
    """Raise 400 when any application has the name: living or deleted, replicated or not."""
    tables = (call.world.data["applications"], call.world.data["deleted_applications"])
    for app in (app for table in tables for app in table.values()):
        if app.get("uniqueName") == name and app["tenantId"] == call.caller.tenant:
            text = "Another object with the same value for property uniqueName already exists."
            raise core.bad(call, text)


def delete(call: Call) -> Answer:
    """Delete softly: the application can be restored for 30 days; its service principal goes with it."""
    app = core.lookup(call, "applications")
    core.may_write(call, app)
    world = call.world
    del world.data["applications"][app["id"]]
    world.data["deleted_applications"][app["id"]] = app | {"deletedDateTime": world.stamp()}
    principals = world.data["service_principals"]
    for principal in [p for p in principals.values() if p["appId"] == app["appId"]]:
        del principals[principal["id"]]
    return Answer(204)


def deleted(call: Call) -> Answer:
    """Answer deleted applications, filtered as applications are."""
    core.may_read(call)
    return core.many(call, views.APPLICATION, core.rows(call, "deleted_applications"))


def uncast(call: Call) -> Answer:
    """Refuse the list of everything deleted: Graph wants the kind in the path."""
    raise core.bad(
        call, "The OData cast (for example microsoft.graph.application) is mandatory.", "BadRequest"
    )


def show_deleted(call: Call) -> Answer:
    """Answer one deleted application."""
    app = core.lookup(call, "deleted_applications")
    core.may_read(call, app)
    shown = core.one(call, views.APPLICATION, app)
    return Answer(200, {**shown.body, "@odata.type": "#microsoft.graph.application"})


def restore(call: Call) -> Answer:
    """Bring a deleted application back; its service principal is not restored and must be made again."""
    app = core.lookup(call, "deleted_applications")
    core.may_write(call, app)
    del call.world.data["deleted_applications"][app["id"]]
    call.world.data["applications"][app["id"]] = call.world.written(app | {"deletedDateTime": None})
    shown = core.one(call, views.APPLICATION, call.world.data["applications"][app["id"]])
    return Answer(200, {**shown.body, "@odata.type": "#microsoft.graph.application"})


def purge(call: Call) -> Answer:
    """Remove a deleted application for good; its ``uniqueName`` is free again."""
    app = core.lookup(call, "deleted_applications")
    core.may_write(call, app)
    del call.world.data["deleted_applications"][app["id"]]
    return Answer(204)
