"""App roles of Microsoft Graph: which there are, which principal has which, and giving and taking them.

What a principal has is in ``graphPermissions``, by name, and in the ``roles`` claim of tokens that it gets from then
on. Sources: Graph v1.0 "List/Grant/Delete appRoleAssignment", and Entra's "least privileged roles by task": app roles
of Graph are given by a Privileged Role Administrator. It must not know applications.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from trustsmith_sandbox import directory_roles
from trustsmith_sandbox import graph_core as core
from trustsmith_sandbox.graph_applications import fields
from trustsmith_sandbox.http import Answer, Call

if TYPE_CHECKING:
    from trustsmith_sandbox.world import Data

_GIVES = "AppRoleAssignment.ReadWrite.All"
_GIVERS = {"Global Administrator", "Privileged Role Administrator"}


def assignments(call: Call) -> Answer:
    """Answer which app roles a service principal has."""
    principal = core.lookup(call, "service_principals")
    core.may_read(call, principal)
    shown = [_shown(call, principal, role) for role in _roles(call) if _has(principal, role)]
    context = f"{call.base}/$metadata#servicePrincipals('{principal['id']}')/appRoleAssignments"
    return Answer(body={"@odata.context": context, "value": shown})


def assign(call: Call) -> Answer:
    """Give a service principal an app role; twice is refused."""
    principal = core.lookup(call, "service_principals")
    _may_give(call)
    wanted = fields(call)
    if str(wanted.get("principalId", "")).lower() != principal["id"]:
        raise core.bad(call, "Invalid value specified for property 'principalId'.")
    resource = _graph(call)
    if str(wanted.get("resourceId", "")).lower() != resource["id"]:
        raise core.missing(call, str(wanted.get("resourceId")))
    role = next((r for r in _roles(call) if r["id"] == str(wanted.get("appRoleId", "")).lower()), None)
    if role is None:
        raise core.bad(call, "Permission being assigned was not found on application.")
    if _has(principal, role):
        raise core.bad(call, "Permission being assigned already exists on the object")
    principal.setdefault("graphPermissions", []).append(role["value"])
    context = f"{call.base}/$metadata#appRoleAssignments/$entity"
    return Answer(201, {"@odata.context": context, **_shown(call, principal, role)})


def remove(call: Call) -> Answer:
    """Take an app role away."""
    principal = core.lookup(call, "service_principals")
    _may_give(call)
    for role in _roles(call):
        if _has(principal, role) and _shown(call, principal, role)["id"] == call.params["assignment"]:
            principal["graphPermissions"].remove(role["value"])
            return Answer(204)
    raise core.missing(call, call.params["assignment"])


def _graph(call: Call) -> Data:
    """Return Graph's own service principal in the caller's tenant."""
    found = [p for p in core.rows(call, "service_principals") if p.get("appRoles")]
    if not found:
        raise core.missing(call, "Microsoft Graph")
    return found[0]


def _roles(call: Call) -> list[Data]:
    roles: list[Data] = _graph(call)["appRoles"]
    return roles


def _has(principal: Data, role: Data) -> bool:
    return role["value"] in principal.get("graphPermissions", [])


def _may_give(call: Call) -> None:
    """Raise 403 unless the caller may give app roles of Graph."""
    if call.caller.kind == "app":
        allowed = _GIVES in core.rights(call)
    else:
        person = call.world.data["users"].get(call.caller.object_id, {"id": ""})
        allowed = bool(_GIVERS & set(directory_roles.held(call.world, person)))
    if not allowed:
        raise core.denied(call)


def _shown(call: Call, principal: Data, role: Data) -> Data:
    resource = _graph(call)
    return {
        "id": str(uuid.uuid5(uuid.UUID(principal["id"]), role["id"])),
        "deletedDateTime": None,
        "appRoleId": role["id"],
        "createdDateTime": principal["createdDateTime"],
        "principalDisplayName": principal["displayName"],
        "principalId": principal["id"],
        "principalType": "ServicePrincipal",
        "resourceDisplayName": resource["displayName"],
        "resourceId": resource["id"],
    }
