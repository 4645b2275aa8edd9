"""Resource Manager's answers about rights: conditions, PIM, deny assignments, locks, providers, networks.

Every 2xx answer is also held to the published description, by the caller itself.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.callers import Caller, arm_of, bystander, person_of

if TYPE_CHECKING:
    from tests.conftest import Sandbox

_NONPROD, _PROD = (f"/subscriptions/aaaaaaaa-0000-0000-0000-00000000000{n}" for n in (1, 2))
_DEV, _LIVE = f"{_NONPROD}/resourceGroups/rg-foundry-dev", f"{_PROD}/resourceGroups/rg-foundry-prod"
_ACCOUNT = f"{_DEV}/providers/Microsoft.CognitiveServices/accounts/foundry-dev"
_PROJECT = f"{_ACCOUNT}/projects/agents"
_RIGHTS = "/providers/Microsoft.Authorization/"
_STABLE, _PREVIEW, _PIM = "2022-04-01", "2022-05-01-preview", "2020-10-01"
_USER, _OWNER = "53ca6127-db72-4b80-b1b0-d745d6d5456d", "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
_RBAC_ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
_OPERATOR, _BYSTANDER = "0b000000-0000-0000-0000-000000000001", "0b000000-0000-0000-0000-000000000002"
_ELIGIBLE = "0c000000-0000-0000-0000-000000000004"


def _arm(sandbox: Sandbox, name: str) -> Caller:
    return person_of(sandbox, f"{name}@contoso.onmicrosoft.com", f"{sandbox.origin}/arm/.default")


def _path(scope: str, kind: str, version: str, text: str = "") -> str:
    query = f"&$filter={text}" if text else ""
    return f"{scope}{_RIGHTS}{kind}?api-version={version}{query}"


def _assign(who: Caller, scope: str, role: str = _USER, status: int = 201) -> Any:
    definition = f"{_NONPROD}{_RIGHTS}roleDefinitions/{role}"
    body = {"properties": {"roleDefinitionId": definition, "principalId": _BYSTANDER}}
    return who.call("PUT", _path(scope, f"roleAssignments/{uuid.uuid4()}", _STABLE), body, status=status)


@pytest.mark.parametrize("scope", [_DEV, _ACCOUNT, _PROJECT])
def test_permissions_carry_the_assignments_condition(sandbox: Sandbox, scope: str) -> None:
    developer = _arm(sandbox, "developer")
    (mine,) = developer.get(_path(scope, "permissions", _PREVIEW))["value"]
    assert _USER in mine["condition"]
    assert mine["conditionVersion"] == "2.0"
    (plain,) = developer.get(_path(scope, "permissions", _STABLE))["value"]
    assert plain.keys() == {"actions", "notActions", "dataActions", "notDataActions"}
    assert developer.get(_path(_NONPROD, "permissions", _PREVIEW))["value"] == []


def test_two_conditions_are_both_shown(sandbox: Sandbox) -> None:
    world = sandbox.state()
    mine = next(a for a in world["role_assignments"].values() if a["name"].endswith("09"))
    manager = "eadc314b-1a2d-4efa-be10-5d325db5065e"
    mine["properties"]["roleDefinitionId"] = f"{_NONPROD}{_RIGHTS}roleDefinitions/{manager}"
    mine["properties"]["condition"] = "(!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'}))"
    sandbox.control("reset", world)
    developer = _arm(sandbox, "developer")
    (shown,) = developer.get(_path(_DEV, "permissions", _PREVIEW))["value"]
    own = world["role_definitions"][manager]["properties"]["permissions"][0]["condition"]
    assert shown["condition"] == f"({own}) AND ({mine['properties']['condition']})"
    _assign(developer, _PROJECT, status=403)


def test_a_condition_decides(sandbox: Sandbox) -> None:
    developer = _arm(sandbox, "developer")
    _assign(developer, _PROJECT)
    assert _assign(developer, _PROJECT, _OWNER, status=403)["error"]["code"] == "AuthorizationFailed"


@pytest.mark.parametrize(
    ("scope", "text", "kinds"),
    [
        (_LIVE, "asTarget()", ["Direct"]),
        (f"{_LIVE}/providers/Microsoft.CognitiveServices/accounts/foundry-prod", "asTarget()", ["Inherited"]),
        (_PROD, "asTarget()", ["Direct"]),
        (_PROD, "atScope() and asTarget()", []),
        ("", "asTarget()", ["Direct"]),
        (_DEV, "asTarget()", []),
        (_LIVE, f"principalId eq '{_ELIGIBLE}'", ["Direct"]),
        (_LIVE, f"assignedTo('{_OPERATOR}')", []),
        (_LIVE, "", ["Direct"]),
    ],
)
def test_eligibilities(sandbox: Sandbox, scope: str, text: str, kinds: list[str]) -> None:
    path = _path(scope, "roleEligibilityScheduleInstances", _PIM, text)
    found = _arm(sandbox, "eligible").get(path)["value"]
    assert [item["properties"]["memberType"] for item in found] == kinds
    for item in found:
        shown = item["properties"]["expandedProperties"]
        assert shown["roleDefinition"]["displayName"] == "Role Based Access Control Administrator"
        assert shown["principal"]["displayName"] == "Sandbox Eligible"


def test_an_eligibility_through_a_group(sandbox: Sandbox) -> None:
    world = sandbox.state()
    group = "0c000000-0000-0000-0000-000000000103"
    world["groups"][group]["members"] = [_ELIGIBLE]
    next(iter(world["role_eligibilities"].values()))["properties"]["principalId"] = group
    sandbox.control("reset", world)
    me, kind = _arm(sandbox, "eligible"), "roleEligibilityScheduleInstances"
    (mine,) = me.get(_path(_LIVE, kind, _PIM, "asTarget()"))["value"]
    assert (mine["properties"]["memberType"], mine["properties"]["principalId"]) == ("Group", group)
    assert me.get(_path(_LIVE, kind, _PIM, f"principalId eq '{_ELIGIBLE}'"))["value"] == []
    assert me.get(_path(_LIVE, kind, _PIM, "atScope() or asTarget()"), status=400)["error"]


def test_pim_is_not_for_every_tenant(sandbox: Sandbox) -> None:
    world = sandbox.state()
    world["tenants"][sandbox.env["AZURE_TENANT_ID"]]["premium"] = False
    sandbox.control("reset", world)
    path = _path(_LIVE, "roleEligibilityScheduleInstances", _PIM, "asTarget()")
    refused = _arm(sandbox, "eligible").get(path, status=400)
    assert refused["error"]["code"] == "AadPremiumLicenseRequired"


def _activation(**changes: Any) -> dict[str, Any]:
    asked = {"principalId": _ELIGIBLE, "requestType": "SelfActivate", "justification": "a release"}
    asked["roleDefinitionId"] = f"{_PROD}{_RIGHTS}roleDefinitions/{_RBAC_ADMINISTRATOR}"
    schedule = {"expiration": {"type": "AfterDuration", "duration": "PT1H"}}
    return {"properties": {**asked, "scheduleInfo": schedule, **changes}}


def _request() -> str:
    return _path(_LIVE, f"roleAssignmentScheduleRequests/{uuid.uuid4()}", _PIM)


def test_activation_works_for_an_hour(sandbox: Sandbox) -> None:
    me, active = (
        _arm(sandbox, "eligible"),
        _path(_LIVE, "roleAssignmentScheduleInstances", _PIM, "asTarget()"),
    )
    _assign(me, _LIVE, status=403)
    made = me.call("PUT", _request(), _activation(), status=201)
    assert made["properties"]["status"] == "Provisioned"
    _assign(me, _LIVE)
    found = {item["properties"]["assignmentType"] for item in me.get(active)["value"]}
    assert found == {"Activated", "Assigned"}
    again = me.call("PUT", _request(), _activation(), status=400)
    assert again["error"]["code"] == "RoleAssignmentExists"
    sandbox.control("clock", {"advance_s": 3500})
    me = _arm(sandbox, "eligible")
    me.call("PUT", _request(), _activation(requestType="SelfDeactivate"), status=201)
    me.call("PUT", _request(), _activation(), status=201)
    sandbox.control("clock", {"advance_s": 3601})
    _assign(_arm(sandbox, "eligible"), _LIVE, status=403)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"justification": ""}, "RoleAssignmentRequestPolicyValidationFailed"),
        (
            {"scheduleInfo": {"expiration": {"duration": "PT9H"}}},
            "RoleAssignmentRequestPolicyValidationFailed",
        ),
        ({"roleDefinitionId": _OWNER}, "RoleAssignmentDoesNotExist"),
        ({"requestType": "AdminAssign"}, "InvalidRoleAssignmentRequest"),
        ({"requestType": "SelfDeactivate"}, "RoleAssignmentDoesNotExist"),
    ],
)
def test_activations_that_pim_refuses(sandbox: Sandbox, changes: dict[str, Any], code: str) -> None:
    answer = _arm(sandbox, "eligible").call("PUT", _request(), _activation(**changes), status=400)
    assert answer["error"]["code"] == code


def test_a_deny_assignment_wins(sandbox: Sandbox) -> None:
    world, name = sandbox.state(), str(uuid.uuid4())
    properties = {
        "denyAssignmentName": "no roles here",
        "scope": _DEV,
        "permissions": [{"actions": ["Microsoft.Authorization/roleAssignments/*"], "notActions": []}],
        "principals": [{"id": "00000000-0000-0000-0000-000000000000", "type": "SystemDefined"}],
        "excludePrincipals": [{"id": _ELIGIBLE, "type": "User"}],
    }
    made: dict[str, Any] = {
        "id": f"{_DEV}{_RIGHTS}denyAssignments/{name}",
        "name": name,
        "properties": properties,
    }
    world["deny_assignments"][made["id"].lower()] = made
    sandbox.control("reset", world)
    arm = arm_of(sandbox)
    refused = _assign(arm, _PROJECT, status=403)["error"]
    assert refused["code"] == "DenyAssignmentAuthorizationFailed"
    assert "no roles here" in refused["message"]
    assert [d["name"] for d in arm.get(_path(_PROJECT, "denyAssignments", _STABLE))["value"]] == [name]
    assert arm.get(_path(_LIVE, "denyAssignments", _STABLE))["value"] == []
    for text, count in (("atScope()", 1), (f"principalId eq '{_BYSTANDER}'", 0)):
        assert len(arm.get(_path(_PROJECT, "denyAssignments", _STABLE, text))["value"]) == count
    made["properties"]["doNotApplyToChildScopes"] = True
    sandbox.control("reset", world)
    _assign(arm, _PROJECT)


def test_a_lock_stops_writing(sandbox: Sandbox) -> None:
    world = sandbox.state()
    lock: dict[str, Any] = {
        "id": f"{_DEV}{_RIGHTS}locks/keep",
        "name": "keep",
        "type": "Microsoft.Authorization/locks",
    }
    world["locks"][lock["id"].lower()] = lock | {"properties": {"level": "CanNotDelete", "notes": None}}
    sandbox.control("reset", world)
    arm = arm_of(sandbox)
    made = _assign(arm, _PROJECT)
    refused = arm.call("DELETE", f"{made['id']}?api-version={_STABLE}", status=409)
    assert refused["error"]["code"] == "ScopeLocked"
    for scope, text, count in ((_PROJECT, "atScope()", 1), (_NONPROD, "", 1), (_NONPROD, "atScope()", 0)):
        found = arm.get(_path(scope, "locks", "2016-09-01", text))["value"]
        assert [lock["name"] for lock in found] == ["keep"] * count
    world["locks"][lock["id"].lower()]["properties"]["level"] = "ReadOnly"
    sandbox.control("reset", world)
    assert _assign(arm, _PROJECT, status=409)["error"]["code"] == "ScopeLocked"


def test_a_provider_that_is_not_registered(sandbox: Sandbox) -> None:
    world, version = sandbox.state(), f"?api-version={_STABLE}"
    world["subscriptions"][_NONPROD.rpartition("/")[2]]["registeredProviders"] = []
    sandbox.control("reset", world)
    arm, provider = arm_of(sandbox), "/providers/Microsoft.CognitiveServices"
    assert arm.get(f"{_NONPROD}{provider}{version}")["registrationState"] == "NotRegistered"
    for path in (_ACCOUNT, _PROJECT, f"{_ACCOUNT}/projects", f"{_NONPROD}{provider}/accounts"):
        refused = arm.get(path + version, status=409)
        assert refused["error"]["code"] == "MissingSubscriptionRegistration"


@pytest.mark.parametrize(
    ("properties", "status", "words"),
    [
        ({"publicNetworkAccess": "Disabled"}, 403, "Public access is disabled"),
        ({"networkAcls": {"defaultAction": "Deny", "ipRules": []}}, 403, "Firewall rules"),
        ({"networkAcls": {"defaultAction": "Deny", "ipRules": [{"value": "127.0.0.0/8"}]}}, 200, ""),
    ],
)
def test_a_network_that_keeps_us_out(
    sandbox: Sandbox, properties: dict[str, Any], status: int, words: str
) -> None:
    world, arm = sandbox.state(), arm_of(sandbox)
    account = world["accounts"][_ACCOUNT.lower()]
    account["properties"] |= properties
    sandbox.control("reset", world)
    seen = arm.get(f"{_ACCOUNT}?api-version=2025-06-01")["properties"]
    assert seen | properties == seen
    _assign(arm, _PROJECT)
    who = tuple(bystander(sandbox).items())
    foundry = Caller(sandbox, "https://ai.azure.com/.default", who=who, checks=False)
    answer = foundry.get("/foundry/foundry-dev/api/projects/agents/agents?api-version=v1", status=status)
    assert words in str(answer)
