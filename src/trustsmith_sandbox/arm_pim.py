"""Privileged Identity Management and deny assignments: who could be more, and what nobody may.

Eligibilities and deny assignments are in the world by ARM id, in the shape they are answered in. An activation
is a role assignment that says until when (``_activated``). What is permitted is ``rbac``'s question.
Source: api-version 2020-10-01 (reference "Resource Manager", E.4).
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

from trustsmith_sandbox import arm_core as core
from trustsmith_sandbox import rbac
from trustsmith_sandbox.arm_authorization import in_tenant, scope_of
from trustsmith_sandbox.http import Answer, Call

if TYPE_CHECKING:
    from trustsmith_sandbox.world import Data

_NAMESPACE = "Microsoft.Authorization"
_ASSIGNMENTS = f"{_NAMESPACE}/roleAssignments"
_FILTER = re.compile(
    r"(?P<at>atScope\(\))?(?: and )?(?:(?P<target>asTarget\(\))|assignedTo\('(?P<assigned>[^']*)'\)"
    r"|principalId eq '(?P<principal>[^']*)')?",
    re.IGNORECASE,
)
_DURATION = re.compile(r"PT(?:(\d+)H)?(?:(\d+)M)?")
_LONGEST_S = 8 * 3600.0
_TABLES = (("users", "User"), ("groups", "Group"), ("service_principals", "ServicePrincipal"))


def eligibilities(call: Call) -> Answer:
    """Answer the roles that could be activated around the scope, or what the filter says."""
    things = list(call.world.data["role_eligibilities"].values())
    return core.listed([_shown(call, *each) for each in _around(call, things)])


def instances(call: Call) -> Answer:
    """Answer the role assignments around the scope as PIM sees them: assigned, or activated for a while."""
    return core.listed([_shown(call, _instance(call, a), kind) for a, kind in _around(call, in_tenant(call))])


def denials(call: Call) -> Answer:
    """Answer the deny assignments around the scope, or what the filter says."""
    asked, scope = _asked(call), scope_of(call)
    core.require(call, f"{_NAMESPACE}/denyAssignments/read", scope)
    found = _in_reach(list(call.world.data["deny_assignments"].values()), asked, scope)
    theirs = _whose(call, asked)
    if theirs:
        found = [d for d in found if theirs & {who["id"] for who in d["properties"]["principals"]}]
    return core.listed(found)


def _is_around(thing: Data, scope: str) -> bool:
    own = thing["properties"]["scope"]
    return rbac.covers(own, scope) or rbac.covers(scope, own) or scope == "/"


def _around(call: Call, things: list[Data]) -> list[tuple[Data, str]]:
    """Return what the filter leaves, each with how it came about: Direct, Inherited or Group. Raises 400, 403."""
    asked, scope = _asked(call), scope_of(call)
    if not call.world.data["tenants"][call.caller.tenant]["premium"]:
        text = "The tenant needs to have Microsoft Entra ID P2 or Microsoft Entra ID Governance license."
        raise core.refuse(400, "AadPremiumLicenseRequired", text)
    if not asked["target"]:
        core.require(call, f"{_ASSIGNMENTS}/read", scope)
    found, theirs = _in_reach(things, asked, scope), _whose(call, asked)
    if theirs:
        found = [t for t in found if t["properties"]["principalId"] in theirs]
    who = call.caller.object_id if asked["target"] else (asked["assigned"] or "").lower()
    return [(thing, _member_type(thing, scope, who)) for thing in found]


def _asked(call: Call) -> re.Match[str]:
    text = call.query.get("$filter", "").strip()
    asked = _FILTER.fullmatch(text)
    if asked is None:
        raise core.refuse(400, "UnsupportedQuery", f"The filter '{text}' is not supported.")
    return asked


def _in_reach(things: list[Data], asked: re.Match[str], scope: str) -> list[Data]:
    if asked["at"]:
        return [t for t in things if rbac.covers(t["properties"]["scope"], scope)]
    return [t for t in things if _is_around(t, scope)]


def _whose(call: Call, asked: re.Match[str]) -> set[str]:
    """Return whose entries the filter wants: empty for everybody's; groups count unless it says ``principalId``."""
    if asked["principal"]:
        return {asked["principal"].lower()}
    who = call.caller.object_id if asked["target"] else (asked["assigned"] or "").lower()
    return rbac.identities(call.world, who) if who else set()


def _member_type(thing: Data, scope: str, who: str) -> str:
    properties = thing["properties"]
    if who and properties["principalId"] != who:
        return "Group"
    above = rbac.covers(properties["scope"], scope) and not rbac.covers(scope, properties["scope"])
    return "Inherited" if above else "Direct"


def _shown(call: Call, thing: Data, member_type: str) -> Data:
    properties = thing["properties"]
    role = call.world.data["role_definitions"].get(rbac.role_guid(properties["roleDefinitionId"]))
    expanded = {
        "roleDefinition": {
            "id": properties["roleDefinitionId"],
            "displayName": role["properties"]["roleName"] if role else None,
            "type": role["properties"]["type"] if role else None,
        },
        "principal": _principal(call, properties["principalId"]),
        "scope": _place(properties["scope"]),
    }
    return thing | {"properties": properties | {"memberType": member_type, "expandedProperties": expanded}}


def _principal(call: Call, object_id: str) -> Data:
    for table, kind in _TABLES:
        thing = call.world.data[table].get(object_id)
        if thing is not None:
            return {"id": object_id, "displayName": thing["displayName"], "type": kind}
    return {"id": object_id}


def _place(scope: str) -> Data:
    parts = scope.strip("/").split("/")
    kind = {2: "subscription", 4: "resourcegroup"}.get(len(parts), "resource")
    return {"id": scope, "displayName": parts[-1], "type": kind}


def _instance(call: Call, assignment: Data) -> Data:
    properties, activated = assignment["properties"], assignment.get("_activated")
    scope, name = properties["scope"], assignment["name"]
    base = f"{scope}/providers/{_NAMESPACE}"
    kept = ("roleDefinitionId", "principalId", "principalType", "scope", "condition", "conditionVersion")
    shown = {key: properties[key] for key in kept} | {
        "assignmentType": "Activated" if activated else "Assigned",
        "originRoleAssignmentId": assignment["id"],
        "roleAssignmentScheduleId": f"{base}/roleAssignmentSchedules/{name}",
        "status": "Provisioned",
        "startDateTime": properties["createdOn"],
        "createdOn": properties["createdOn"],
        "endDateTime": None,
    }
    if activated:
        until = call.world.stamp(offset=activated["until"] - call.world.now())
        shown |= {"endDateTime": until, "linkedRoleEligibilityScheduleId": activated["eligibility"]}
    kind = "roleAssignmentScheduleInstances"
    return {"id": f"{base}/{kind}/{name}", "type": f"{_NAMESPACE}/{kind}", "name": name, "properties": shown}


def request(call: Call) -> Answer:
    """Activate a role that the caller is eligible for, or give it back early. Raises 400 for anything else."""
    wanted = core.body(call).get("properties") or {}
    kind = wanted.get("requestType")
    if kind not in {"SelfActivate", "SelfDeactivate"} or wanted.get("principalId") != call.caller.object_id:
        text = "The sandbox knows SelfActivate and SelfDeactivate, for oneself."
        raise core.refuse(400, "InvalidRoleAssignmentRequest", text)
    eligible, active = _eligible(call, wanted), _active(call, wanted)
    if kind == "SelfActivate":
        _activate(call, wanted, eligible, active)
    elif active is None:
        raise core.refuse(400, "RoleAssignmentDoesNotExist", "The Role assignment does not exist.")
    else:
        del call.world.data["role_assignments"][active["id"].lower()]
    return Answer(201, _request_shown(call, wanted))


def _eligible(call: Call, wanted: Data) -> Data:
    """Return the caller's eligibility for the role at the scope; raises 400."""
    mine = rbac.identities(call.world, call.caller.object_id)
    for each in call.world.data["role_eligibilities"].values():
        properties = each["properties"]
        same = rbac.role_guid(properties["roleDefinitionId"]) == rbac.role_guid(
            str(wanted.get("roleDefinitionId"))
        )
        if same and properties["principalId"] in mine and rbac.covers(properties["scope"], scope_of(call)):
            found: Data = each
            return found
    raise core.refuse(400, "RoleAssignmentDoesNotExist", "The Role assignment does not exist.")


def _active(call: Call, wanted: Data) -> Data | None:
    role = rbac.role_guid(str(wanted.get("roleDefinitionId")))
    for each in in_tenant(call):
        properties = each["properties"]
        here = properties["scope"].lower() == scope_of(call).lower()
        mine = properties["principalId"] == call.caller.object_id
        if here and mine and rbac.role_guid(properties["roleDefinitionId"]) == role:
            return each
    return None


def _activate(call: Call, wanted: Data, eligible: Data, active: Data | None) -> None:
    if active is not None:
        raise core.refuse(400, "RoleAssignmentExists", "The Role assignment already exists.")
    if not wanted.get("justification"):
        text = 'The following policy rules failed: ["JustificationRule"]'
        raise core.refuse(400, "RoleAssignmentRequestPolicyValidationFailed", text)
    world, scope, name = call.world, scope_of(call), call.world.guid()
    held, now = eligible["properties"], world.stamp(fraction=True)
    properties = {key: held[key] for key in ("roleDefinitionId", "condition", "conditionVersion")}
    properties |= {"principalId": call.caller.object_id, "principalType": "User", "scope": scope}
    properties |= {
        "description": None,
        "createdOn": now,
        "updatedOn": now,
        "createdBy": None,
        "updatedBy": None,
    }
    made = {"id": f"{scope}/providers/{_ASSIGNMENTS}/{name}", "type": _ASSIGNMENTS, "name": name}
    activated = {
        "eligibility": held["roleEligibilityScheduleId"],
        "until": world.now() + _duration(call, wanted),
    }
    world.data["role_assignments"][made["id"].lower()] = world.written(
        made | {"properties": properties, "_activated": activated}
    )


def _duration(call: Call, wanted: Data) -> float:
    """Return the seconds that are asked for: eight hours if nothing is; raises 400 for more."""
    expiration = (wanted.get("scheduleInfo") or {}).get("expiration") or {}
    if expiration.get("type") == "AfterDateTime":
        seconds = datetime.fromisoformat(str(expiration.get("endDateTime"))).timestamp() - call.world.now()
    else:
        found = _DURATION.fullmatch(str(expiration.get("duration", "PT8H")))
        hours, minutes = (found[1], found[2]) if found else (None, None)
        seconds = int(hours or 0) * 3600.0 + int(minutes or 0) * 60.0
    if not 0 < seconds <= _LONGEST_S:
        text = 'The following policy rules failed: ["ExpirationRule"]'
        raise core.refuse(400, "RoleAssignmentRequestPolicyValidationFailed", text)
    return seconds


def _request_shown(call: Call, wanted: Data) -> Data:
    scope, name, kind = scope_of(call), call.params["name"], f"{_NAMESPACE}/roleAssignmentScheduleRequests"
    kept = (
        "requestType",
        "justification",
        "scheduleInfo",
        "linkedRoleEligibilityScheduleId",
        "roleDefinitionId",
    )
    properties = {key: wanted[key] for key in kept if key in wanted}
    properties |= {"principalId": call.caller.object_id, "principalType": "User", "scope": scope}
    properties |= {
        "requestorId": call.caller.object_id,
        "createdOn": call.world.stamp(),
        "status": "Provisioned",
    }
    return {"id": f"{scope}/providers/{kind}/{name}", "type": kind, "name": name, "properties": properties}
