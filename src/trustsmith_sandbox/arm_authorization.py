"""Role assignments, role definitions and permissions (Microsoft.Authorization), api-version 2022-04-01 and later.

Lists follow the documented filters and refuse the combination that ARM does not support. Whether something
is permitted is ``rbac``'s question; it must not be answered here.
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING

from trustsmith_sandbox import arm_core as core
from trustsmith_sandbox import arm_locks, odata, rbac
from trustsmith_sandbox.http import Answer, Call

if TYPE_CHECKING:
    from trustsmith_sandbox.world import Data

_ASSIGNMENTS = "Microsoft.Authorization/roleAssignments"
_PRINCIPAL = re.compile(r"principalId eq '([^']*)'", re.IGNORECASE)
_ASSIGNED = re.compile(r"assignedTo\('([^']*)'\)", re.IGNORECASE)
_AT_SCOPE = re.compile(r"atScope\(\)(?: and assignedTo\('([^']*)'\))?", re.IGNORECASE)
_TYPES = {"User", "Group", "ServicePrincipal", "ForeignGroup", "Device"}
_WITH_CONDITIONS = "2022-05-01"


def scope_of(call: Call) -> str:
    """Return the scope of the path, with a slash in front and none behind; ``/`` is the tenant."""
    return "/" + call.params.get("scope", "").strip("/")


def in_tenant(call: Call) -> list[Data]:
    """Return the assignments of the caller's tenant that have replicated."""
    owners = {s: v["tenantId"] for s, v in call.world.data["subscriptions"].items()}
    everything = call.world.seen(call.world.data["role_assignments"].values())
    found = [a for a in everything if not rbac.has_ended(call.world, a)]
    return [a for a in found if owners.get(_subscription(a["properties"]["scope"])) == call.caller.tenant]


def _subscription(scope: str) -> str:
    parts = scope.strip("/").split("/")
    return parts[1].lower() if len(parts) > 1 else ""


def listing(call: Call) -> Answer:
    """Answer the assignments at, above and below the scope, or what the filter says."""
    scope = scope_of(call)
    core.require(call, f"{_ASSIGNMENTS}/read", scope)
    above = [a for a in in_tenant(call) if rbac.covers(a["properties"]["scope"], scope)]
    around = above + [a for a in in_tenant(call) if rbac.covers(scope, a["properties"]["scope"])]
    unique = list({a["id"].lower(): a for a in around}.values())
    text = call.query.get("$filter", "").strip()
    if not text:
        return core.listed(unique)
    if found := _PRINCIPAL.fullmatch(text):
        return core.listed([a for a in unique if a["properties"]["principalId"] == found[1].lower()])
    if found := _ASSIGNED.fullmatch(text):
        return core.listed(_assigned(call, unique, found[1]))
    if found := _AT_SCOPE.fullmatch(text):
        return core.listed(_assigned(call, above, found[1]) if found[1] else above)
    message = (
        f"The filter '{text}' is not supported. Supported filters are either 'atScope()' or"
        " 'principalId eq '{value}'' or 'assignedTo('{value}')'."
    )
    raise core.refuse(400, "UnsupportedQuery", message)


def _assigned(call: Call, assignments: list[Data], principal: str) -> list[Data]:
    mine = rbac.identities(call.world, principal.lower())
    return [a for a in assignments if a["properties"]["principalId"] in mine]


def _key(call: Call) -> str:
    return f"{scope_of(call).rstrip('/')}/providers/{_ASSIGNMENTS}/{call.params['name']}".lower()


def show(call: Call) -> Answer:
    """Answer one assignment by its id."""
    core.require(call, f"{_ASSIGNMENTS}/read", scope_of(call))
    found = call.world.data["role_assignments"].get(_key(call))
    if found is None or not call.world.visible(found):
        text = f"The role assignment '{call.params['name']}' is not found."
        raise core.refuse(404, "RoleAssignmentNotFound", text)
    return Answer(body=core.shown(found))


def put(call: Call) -> Answer:
    """Make an assignment, or change the description and condition of the one that has the name."""
    scope, wanted = scope_of(call), _wanted(call)
    attributes = _attributes(wanted)
    core.require(call, rbac.WRITE, scope, attributes)
    arm_locks.check(call, scope)
    target = core.existing(call, scope)
    if attributes["roledefinitionid"] not in call.world.data["role_definitions"]:
        text = f"The specified role definition with ID '{attributes['roledefinitionid']}' does not exist."
        raise core.refuse(400, "RoleDefinitionDoesNotExist", text)
    kind = _principal_type(call, wanted)
    held = call.world.data["role_assignments"].get(_key(call))
    if held is not None:
        return _changed(call, held, wanted)
    _check_single(call, target["id"], attributes)
    made = _made(call, target["id"], wanted, kind)
    call.world.data["role_assignments"][_key(call)] = call.world.written(made)
    return Answer(201, core.shown(made))


def _wanted(call: Call) -> Data:
    try:
        uuid.UUID(call.params["name"])
    except ValueError:
        text = f"The role assignment ID '{call.params['name']}' is not valid. It must be a GUID."
        raise core.refuse(400, "InvalidRoleAssignmentId", text) from None
    given = core.body(call).get("properties")
    wanted: Data = given if isinstance(given, dict) else {}
    missing = [key for key in ("roleDefinitionId", "principalId") if not isinstance(wanted.get(key), str)]
    if missing or str(wanted.get("principalType") or "User") not in _TYPES:
        text = f"The request to create role assignment is not valid: {missing[0] if missing else 'principalType'}."
        raise core.refuse(400, "InvalidCreateRoleAssignmentRequest", text)
    if wanted.get("condition") and wanted.get("conditionVersion") != "2.0":
        raise core.refuse(400, "InvalidConditionOrConditionVersion", "The condition version must be 2.0.")
    return wanted


def _attributes(properties: Data) -> dict[str, str]:
    """Return what conditions may ask about, in lower case."""
    return {
        "roledefinitionid": rbac.role_guid(properties["roleDefinitionId"]),
        "principalid": properties["principalId"].lower(),
        "principaltype": str(properties.get("principalType") or "").lower(),
    }


def _principal_type(call: Call, wanted: Data) -> str:
    """Return the principal's type: as given (then nothing is looked up, as in ARM), else as found; raises 400."""
    principal, given = wanted["principalId"].lower(), wanted.get("principalType")
    tables = (("service_principals", "ServicePrincipal"), ("users", "User"), ("groups", "Group"))
    for table, kind in tables:
        thing = call.world.data[table].get(principal)
        if thing is not None and (given or call.world.visible(thing)):
            if given not in {None, kind}:
                text = f"The PrincipalId '{principal}' has type '{kind}', which is different from specified PrinciaplType '{given}'."
                raise core.refuse(400, "UnmatchedPrincipalType", text)
            return kind
    if given:
        return str(given)
    text = (
        f"Principal {principal.replace('-', '')} does not exist in the directory {call.caller.tenant}. Check that"
        " you have the correct principal ID. If you are creating this principal and then immediately assigning a"
        " role, this error might be related to a replication delay. In this case, set the role assignment"
        " principalType property to a value, such as ServicePrincipal, User, or Group.  See"
        " https://aka.ms/docs-principaltype"
    )
    raise core.refuse(400, "PrincipalNotFound", text)


def _changed(call: Call, held: Data, wanted: Data) -> Answer:
    properties = held["properties"]
    before, after = _attributes(properties), _attributes(wanted)
    if any(before[key] != after[key] for key in ("roledefinitionid", "principalid")):
        text = "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."
        raise core.refuse(409, "RoleAssignmentUpdateNotPermitted", text)
    for key in ("description", "condition", "conditionVersion"):
        properties[key] = wanted.get(key)
    properties |= {"updatedOn": call.world.stamp(fraction=True), "updatedBy": call.caller.object_id}
    return Answer(200, core.shown(held))


def _check_single(call: Call, scope: str, attributes: dict[str, str]) -> None:
    """Raise 409 when the same role is assigned to the same principal at the same scope under another name."""
    for other in call.world.data["role_assignments"].values():
        properties = other["properties"]
        same = _attributes(properties) | {"principaltype": ""} == attributes | {"principaltype": ""}
        if same and properties["scope"].lower() == scope.lower():
            hexadecimal = other["name"].replace("-", "")
            text = f"The role assignment already exists. The ID of the existing role assignment is {hexadecimal}."
            raise core.refuse(409, "RoleAssignmentExists", text)


def _made(call: Call, scope: str, wanted: Data, kind: str) -> Data:
    now, name = call.world.stamp(fraction=True), call.params["name"]
    properties = {
        "roleDefinitionId": wanted["roleDefinitionId"],
        "principalId": wanted["principalId"].lower(),
        "principalType": kind,
        "scope": scope,
        "condition": wanted.get("condition"),
        "conditionVersion": wanted.get("conditionVersion"),
        "createdOn": now,
        "updatedOn": now,
        "createdBy": None,  # ARM's answer to the PUT itself says null too
        "updatedBy": call.caller.object_id,
        "delegatedManagedIdentityResourceId": None,
        "description": wanted.get("description"),
    }
    made = {"type": _ASSIGNMENTS, "name": name, "properties": properties}
    return {**made, "id": f"{scope}/providers/{_ASSIGNMENTS}/{name}"}


def delete(call: Call) -> Answer:
    """Delete an assignment: 200 with what it was, or 204 when there was none."""
    held = call.world.data["role_assignments"].get(_key(call))
    attributes = _attributes(held["properties"]) if held else None
    core.require(call, rbac.DELETE, scope_of(call), attributes)
    arm_locks.check(call, scope_of(call))
    if held is None:
        return Answer(204)
    del call.world.data["role_assignments"][_key(call)]
    return Answer(200, core.shown(held))


def definitions(call: Call) -> Answer:
    """Answer role definitions, by name if filtered."""
    everything = [_definition(call, role) for role in call.world.data["role_definitions"].values()]
    text = call.query.get("$filter", "").strip()
    if not text:
        return core.listed(everything)
    if text.lower() in {"atscopeandbelow()", "atscope()"}:
        return core.listed(everything)
    try:
        wanted = odata.parse(re.sub(r"^atScope(AndBelow)?\(\) and ", "", text, flags=re.IGNORECASE))
    except odata.Unsupported as reason:
        raise core.refuse(400, "UnsupportedQuery", str(reason)) from None
    if not wanted.used <= {("roleName", "eq"), ("type", "eq")}:
        raise core.refuse(400, "UnsupportedQuery", f"The filter '{text}' is not supported.")
    return core.listed([role for role in everything if wanted.matches(role["properties"])])


def definition(call: Call) -> Answer:
    """Answer one role definition by its GUID."""
    role = call.world.data["role_definitions"].get(call.params["name"].lower())
    if role is None:
        text = f"The specified role definition with ID '{call.params['name']}' does not exist."
        raise core.refuse(404, "RoleDefinitionDoesNotExist", text)
    return Answer(body=_definition(call, role))


def _definition(call: Call, role: Data) -> Data:
    """Show a role: its id says the subscription it was asked at, and only newer api-versions show conditions."""
    subscription = _subscription(scope_of(call))
    prefix = f"/subscriptions/{subscription}" if subscription else ""
    properties = role["properties"]
    permissions = [_permission(call, p) for p in properties["permissions"]]
    return {**role, "id": prefix + role["id"], "properties": {**properties, "permissions": permissions}}


def _permission(call: Call, permission: Data) -> Data:
    """Show a permission; ``condition`` came with 2022-05-01-preview."""
    hidden = () if core.version(call) >= _WITH_CONDITIONS else ("condition", "conditionVersion")
    return {key: value for key, value in permission.items() if key not in hidden}


def permissions(call: Call) -> Answer:
    """Answer the caller's own permissions at the scope; no right is needed to ask."""
    scope = scope_of(call)
    core.existing(call, scope)
    held = rbac.permissions(call.world, call.caller.object_id, scope)
    return core.listed([_permission(call, _conditioned(*each)) for each in held])


def _conditioned(permission: Data, condition: str | None) -> Data:
    """Return a permission with the role's own condition and its assignment's as one."""
    both = [text for text in (permission["condition"], condition) if text]
    joined = " AND ".join(f"({text})" for text in both) if len(both) > 1 else "".join(both)
    return permission | {"condition": joined or None, "conditionVersion": "2.0" if both else None}
