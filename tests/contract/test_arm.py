"""Resource Manager and Foundry in the sandbox: ids, role assignments with their conditions, and what they open.

Every 2xx answer is also held to the published description, by the caller itself.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.callers import Caller, arm_of, bystander

if TYPE_CHECKING:
    from tests.conftest import Sandbox

_NONPROD = "/subscriptions/aaaaaaaa-0000-0000-0000-000000000001"
_OTHER = "/subscriptions/bbbbbbbb-0000-0000-0000-000000000001"
_GROUP = f"{_NONPROD}/resourceGroups/rg-foundry-dev"
_ACCOUNT = f"{_GROUP}/providers/Microsoft.CognitiveServices/accounts/foundry-dev"
_PROJECT = f"{_ACCOUNT}/projects/agents"
_STAGING = _PROJECT.replace("-dev", "-staging")
_VERSION = "?api-version=2022-04-01"
_USER, _MANAGER = "53ca6127-db72-4b80-b1b0-d745d6d5456d", "eadc314b-1a2d-4efa-be10-5d325db5065e"
_OPERATOR, _BYSTANDER = "0b000000-0000-0000-0000-000000000001", "0b000000-0000-0000-0000-000000000002"


@pytest.fixture
def arm(sandbox: Sandbox) -> Caller:
    return arm_of(sandbox)


def _assignment(scope: str = _PROJECT, name: str = "") -> str:
    name = name or str(uuid.uuid4())
    return f"{scope}/providers/Microsoft.Authorization/roleAssignments/{name}{_VERSION}"


def _body(role: str = _MANAGER, principal: str = _BYSTANDER, **more: Any) -> dict[str, Any]:
    definition = f"{_NONPROD}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    return {"properties": {"roleDefinitionId": definition, "principalId": principal, **more}}


def _foundry(sandbox: Sandbox, **who: str) -> Caller:
    return Caller(sandbox, "https://ai.azure.com/.default", who=tuple(who.items()), checks=False)


def _agents(account: str = "foundry-dev") -> str:
    return f"/foundry/{account}/api/projects/agents/agents?api-version=v1"


def test_ids_are_compared_without_case_and_any_version(arm: Caller) -> None:
    shouted = _PROJECT.upper().replace("/SUBSCRIPTIONS", "/subscriptions")
    project = arm.get(f"{shouted}?api-version=2031-12-31-preview")
    assert (project["id"], project["name"]) == (_PROJECT, "foundry-dev/agents")
    assert project["properties"]["endpoints"]["AI Foundry API"].endswith(
        "/foundry/foundry-dev/api/projects/agents"
    )


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        (_PROJECT, 400, "MissingApiVersionParameter"),
        (f"{_PROJECT}?api-version=latest", 400, "InvalidApiVersionParameter"),
        (f"{_ACCOUNT}/projects/nobody{_VERSION}", 404, "ResourceNotFound"),
        (
            f"{_GROUP}x/providers/Microsoft.CognitiveServices/accounts/a{_VERSION}",
            404,
            "ResourceGroupNotFound",
        ),
        (f"/subscriptions/{_OPERATOR}{_VERSION}", 404, "SubscriptionNotFound"),
        (f"{_OTHER}{_VERSION}", 401, "InvalidAuthenticationTokenTenant"),
        (f"{_OTHER}/resourceGroups/rg-foundry-fabrikam{_VERSION}", 401, "InvalidAuthenticationTokenTenant"),
    ],
)
def test_refusals(arm: Caller, path: str, status: int, code: str) -> None:
    assert arm.get(path, status=status)["error"]["code"] == code


def test_lists(arm: Caller) -> None:
    subscriptions = arm.get(f"/subscriptions{_VERSION}")["value"]
    assert [item["displayName"] for item in subscriptions] == ["contoso-nonprod", "contoso-prod"]
    assert arm.get(f"{_NONPROD}{_VERSION}")["subscriptionId"] == _NONPROD.rpartition("/")[2]
    assert [t["displayName"] for t in arm.get(f"/tenants{_VERSION}")["value"]] == ["Contoso"]
    groups = arm.get(f"{_NONPROD}/resourcegroups{_VERSION}")["value"]
    assert [item["name"] for item in groups] == ["rg-foundry-dev", "rg-foundry-staging"]
    assert arm.get(f"{_GROUP}{_VERSION}")["location"] == "swedencentral"
    accounts = arm.get(f"{_NONPROD}/providers/Microsoft.CognitiveServices/accounts{_VERSION}")["value"]
    assert [item["name"] for item in accounts] == ["foundry-dev", "foundry-staging"]
    assert [item["id"] for item in arm.get(f"{_ACCOUNT}/projects{_VERSION}")["value"]] == [_PROJECT]
    assert arm.get(f"{_NONPROD}/locations{_VERSION}")["value"]


def test_resources_by_type(arm: Caller) -> None:
    kind = "Microsoft.CognitiveServices/accounts/projects"
    found = arm.get(f"{_NONPROD}/resources{_VERSION}&$filter=resourceType eq '{kind}'")["value"]
    assert [item["id"] for item in found] == [_PROJECT, _STAGING]
    arm.get(f"{_NONPROD}/resources{_VERSION}&$filter=colour eq 'blue'", status=400)


def test_projects_can_be_made_by_who_may(sandbox: Sandbox, arm: Caller) -> None:
    path = f"{_ACCOUNT}/projects/more{_VERSION}"
    assert (
        arm.call("PUT", path, {"location": "swedencentral"}, status=403)["error"]["code"]
        == "AuthorizationFailed"
    )
    arm.call("PUT", _assignment(_ACCOUNT), _body(), status=201)
    manager = arm_of(sandbox, **bystander(sandbox))
    assert manager.call("PUT", path, {"location": "swedencentral"}, status=201)["name"] == "foundry-dev/more"
    manager.call("PUT", path, {"location": "swedencentral"}, status=200)
    manager.call("DELETE", path, status=200)
    manager.call("DELETE", path, status=204)


def test_assigning_a_role(arm: Caller) -> None:
    path = _assignment()
    made = arm.call("PUT", path, _body(principalType="ServicePrincipal", description="why"), status=201)
    assert made["id"] == path.partition("?")[0]
    assert made["properties"]["scope"] == _PROJECT
    again = arm.call("PUT", path, _body(principalType="ServicePrincipal", description="because"), status=200)
    assert again["properties"]["description"] == "because"
    assert arm.get(path)["properties"]["principalType"] == "ServicePrincipal"
    assert arm.call("DELETE", path)["name"] == made["name"]
    arm.call("DELETE", path, status=204)
    assert arm.get(path, status=404)["error"]["code"] == "RoleAssignmentNotFound"


def test_assignments_that_clash(arm: Caller) -> None:
    name = str(uuid.uuid4())
    arm.call("PUT", _assignment(name=name), _body(), status=201)
    twice = arm.call("PUT", _assignment(), _body(), status=409)
    assert twice["error"]["code"] == "RoleAssignmentExists"
    assert twice["error"]["message"].endswith(
        f"The ID of the existing role assignment is {name.replace('-', '')}."
    )
    other = arm.call("PUT", _assignment(name=name), _body(principal=_OPERATOR), status=409)
    assert other["error"]["code"] == "RoleAssignmentUpdateNotPermitted"


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        (_assignment(name="not-a-guid"), _body(), "InvalidRoleAssignmentId"),
        (_assignment(), {"properties": {}}, "InvalidCreateRoleAssignmentRequest"),
        (_assignment(), _body(role=_OPERATOR), "RoleDefinitionDoesNotExist"),
        (_assignment(), _body(principal="0d000000-0000-0000-0000-000000000001"), "PrincipalNotFound"),
        (_assignment(), _body(principalType="Group"), "UnmatchedPrincipalType"),
        (_assignment(), _body(condition="x", conditionVersion="1.0"), "InvalidConditionOrConditionVersion"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isalpha() else "",
)
def test_assignments_that_are_not_valid(arm: Caller, path: str, body: dict[str, Any], code: str) -> None:
    assert arm.call("PUT", path, body, status=400)["error"]["code"] == code


def test_a_principal_that_arm_cannot_see_yet(sandbox: Sandbox, arm: Caller) -> None:
    new = str(uuid.uuid4())
    refused = arm.call("PUT", _assignment(), _body(principal=new), status=400)
    assert refused["error"]["message"].startswith(
        f"Principal {new.replace('-', '')} does not exist in the directory"
    )
    arm.call("PUT", _assignment(), _body(principal=new, principalType="ServicePrincipal"), status=201)
    assert sandbox.state()["role_assignments"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 6),
        ("atScope()", 5),
        (f"principalId eq '{_OPERATOR}'", 2),
        (f"principalId eq '{_BYSTANDER}'", 1),
        (f"assignedTo('{_BYSTANDER}')", 1),
        (f"atScope() and assignedTo('{_OPERATOR}')", 2),
    ],
)
def test_listing_assignments(arm: Caller, text: str, count: int) -> None:
    arm.call("PUT", _assignment(), _body(), status=201)
    query = f"&$filter={text}" if text else ""
    path = f"{_GROUP}/providers/Microsoft.Authorization/roleAssignments{_VERSION}{query}"
    found = arm.get(path)["value"]
    assert len(found) == count, [item["properties"]["scope"] for item in found]


def test_the_filter_that_arm_does_not_have(arm: Caller) -> None:
    path = f"{_PROJECT}/providers/Microsoft.Authorization/roleAssignments{_VERSION}"
    arm.get(f"{path}&$filter=atScope() and principalId eq '{_OPERATOR}'", status=400)


def test_groups_count_for_assigned_to_and_for_access(sandbox: Sandbox, arm: Caller) -> None:
    group, member = "0c000000-0000-0000-0000-000000000101", "0c000000-0000-0000-0000-000000000002"
    arm.call("PUT", _assignment(), _body(_USER, group), status=201)
    path = f"{_PROJECT}/providers/Microsoft.Authorization/roleAssignments{_VERSION}&$filter="
    assert len(arm.get(f"{path}assignedTo('{member}')")["value"]) == 1
    assert arm.get(f"{path}principalId eq '{member}'")["value"] == []
    assert sandbox.state()["groups"][group]["members"] == [member]


def test_role_definitions(arm: Caller) -> None:
    base = f"{_PROJECT}/providers/Microsoft.Authorization/roleDefinitions"
    found = arm.get(f"{base}{_VERSION}&$filter=roleName eq 'foundry project manager'")["value"]
    assert [item["name"] for item in found] == [_MANAGER]
    assert found[0]["id"] == f"{_NONPROD}/providers/Microsoft.Authorization/roleDefinitions/{_MANAGER}"
    assert "condition" not in found[0]["properties"]["permissions"][0]
    newer = arm.get(f"{base}/{_MANAGER}?api-version=2022-05-01-preview")
    assert _USER in newer["properties"]["permissions"][0]["condition"]
    assert len(arm.get(f"/providers/Microsoft.Authorization/roleDefinitions{_VERSION}")["value"]) > 10


def test_permissions_say_what_a_caller_may(sandbox: Sandbox, arm: Caller) -> None:
    path = f"{_PROJECT}/providers/Microsoft.Authorization/permissions"
    mine = arm.get(f"{path}{_VERSION}")["value"]
    assert any("Microsoft.Authorization/roleAssignments/write" in item["actions"] for item in mine)
    assert all("condition" not in item for item in mine)
    assert all("condition" in item for item in arm.get(f"{path}?api-version=2022-05-01-preview")["value"])
    assert arm_of(sandbox, **bystander(sandbox)).get(f"{path}{_VERSION}")["value"] == []


def test_without_rights(sandbox: Sandbox) -> None:
    nobody = arm_of(sandbox, **bystander(sandbox))
    assert nobody.get(f"/subscriptions{_VERSION}")["value"] == []
    for path in (_NONPROD, _GROUP, _PROJECT):
        answer = nobody.get(f"{path}{_VERSION}", status=403)
        assert answer["error"]["code"] == "AuthorizationFailed"
        assert f"object id '{_BYSTANDER}'" in answer["error"]["message"]
    nobody.call("PUT", _assignment(), _body(), status=403)


def test_a_project_manager_may_only_make_foundry_users(sandbox: Sandbox, arm: Caller) -> None:
    arm.call("PUT", _assignment(), _body(), status=201)
    manager = arm_of(sandbox, **bystander(sandbox))
    manager.call("PUT", _assignment(), _body(_MANAGER, _OPERATOR), status=403)
    own = _assignment()
    manager.call("PUT", own, _body(_USER, _OPERATOR), status=201)
    manager.call("PUT", _assignment(_STAGING), _body(_USER, _OPERATOR), status=403)
    manager.call("DELETE", own)


def test_conditions_of_an_assignment(sandbox: Sandbox, arm: Caller) -> None:
    only = (
        "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR"
        " (@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals"
        f" {{{_USER}, {_MANAGER}}} AND @Request[Microsoft.Authorization/roleAssignments:PrincipalType]"
        " ForAnyOfAnyValues:StringEqualsIgnoreCase {'ServicePrincipal'}))"
    )
    admin = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
    arm.call("PUT", _assignment(), _body(admin, condition=only, conditionVersion="2.0"), status=201)
    limited = arm_of(sandbox, **bystander(sandbox))
    limited.call(
        "PUT", _assignment(), _body(_MANAGER, _OPERATOR, principalType="ServicePrincipal"), status=201
    )
    limited.call("PUT", _assignment(), _body(admin, _OPERATOR, principalType="ServicePrincipal"), status=403)
    user = "0c000000-0000-0000-0000-000000000002"
    limited.call("PUT", _assignment(), _body(_USER, user, principalType="User"), status=403)


def _add_versions(pipeline: Caller, agent: dict[str, Any]) -> None:
    """A second version of an agent, and the first of another."""

    def at(tail: str) -> str:
        return _agents().replace("/agents?", f"/agents/{tail}?")

    second = pipeline.call("POST", at("helper/versions"), {"definition": agent["definition"]})
    assert (second["id"], pipeline.get(at("helper"))["versions"]["latest"]["version"]) == ("helper:2", "2")
    assert [each["version"] for each in pipeline.get(at("helper/versions"))["data"]] == ["2", "1"]
    first = pipeline.get(at("helper/versions") + "&limit=1")
    assert (first["has_more"], first["last_id"]) == (True, "helper:2")
    rest = pipeline.get(at("helper/versions") + "&after=helper:2")
    assert ([each["id"] for each in rest["data"]], rest["has_more"]) == (["helper:1"], False)
    assert pipeline.get(at("helper/versions") + "&after=helper:1")["data"] == []
    assert pipeline.call("DELETE", at("helper/versions/2"))["deleted"] is True
    assert pipeline.get(at("helper"))["versions"]["latest"]["version"] == "1"
    pipeline.get(at("helper/versions/2"), status=404)
    pipeline.call("POST", at("other/versions"), {"description": "without a definition"}, status=400)
    assert pipeline.call("POST", at("other/versions"), {"definition": {}})["version"] == "1"
    pipeline.call("DELETE", at("other/versions/1"))
    pipeline.get(at("other"), status=404)


def test_foundry_opens_as_far_as_assignments_reach(sandbox: Sandbox, arm: Caller) -> None:
    pipeline = _foundry(sandbox, **bystander(sandbox))
    refused = pipeline.get(_agents(), status=403)["error"]
    assert refused["code"] == "PermissionDenied"
    assert "Microsoft.CognitiveServices/accounts/AIServices/agents/read" in refused["message"]
    arm.call("PUT", _assignment(), _body(), status=201)
    assert pipeline.get(_agents()) == {"object": "list", "data": [], "has_more": False}
    agent = {"name": "helper", "definition": {"kind": "prompt", "model": "gpt"}}
    assert pipeline.call("POST", _agents(), agent)["id"] == "helper"
    assert [item["name"] for item in pipeline.get(_agents())["data"]] == ["helper"]
    _add_versions(pipeline, agent)
    assert pipeline.call("DELETE", _agents().replace("/agents?", "/agents/helper?"))["deleted"] is True
    pipeline.get(_agents("foundry-staging"), status=403)
    pipeline.get(_agents("nobody"), status=404)


@pytest.mark.parametrize(
    ("role", "status"),
    [
        (_USER, 200),
        ("c883944f-8b7b-4483-af10-35834be79c4a", 200),
        ("e47c6f54-e4a2-4754-9501-8e0985b135e1", 403),
        ("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", 403),
        ("64702f94-c441-49e6-a78b-ef80e0188fee", 403),
    ],
    ids=["Foundry User", "Foundry Owner", "Foundry Account Owner", "Owner", "Azure AI Developer"],
)
def test_which_roles_have_data_actions(sandbox: Sandbox, arm: Caller, role: str, status: int) -> None:
    arm.call("PUT", _assignment(), _body(role), status=201)
    _foundry(sandbox, **bystander(sandbox)).get(_agents(), status=status)


def test_roles_take_a_while(sandbox: Sandbox, arm: Caller) -> None:
    sandbox.control("lag", {"roles_s": 300})
    arm.call("PUT", _assignment(), _body(), status=201)
    pipeline = _foundry(sandbox, **bystander(sandbox))
    pipeline.get(_agents(), status=403)
    sandbox.control("clock", {"advance_s": 301})
    pipeline.get(_agents())


def test_foundry_wants_its_own_token_and_tenant(sandbox: Sandbox, arm: Caller) -> None:
    assert arm.call("GET", _agents(), status=401)["error"]["code"] == "Unauthorized"
    wrong = _foundry(sandbox).get(_agents("foundry-fabrikam"), status=400)
    assert "Tenant provided in token" in wrong["error"]["message"]
    _foundry(sandbox).get(_agents().partition("?")[0], status=400)


def test_providers(arm: Caller) -> None:
    path = f"{_NONPROD}/providers/Microsoft.CognitiveServices{_VERSION}"
    assert arm.get(path)["registrationState"] == "Registered"
    other = f"{_NONPROD}/providers/Microsoft.KeyVault"
    assert arm.get(other + _VERSION)["registrationState"] == "NotRegistered"
    arm.call("POST", f"{other}/register{_VERSION}", status=403)


def test_metadata(sandbox: Sandbox) -> None:
    found = sandbox.http.get(f"{sandbox.origin}/metadata/endpoints?api-version=2022-09-01").json()
    assert found["authentication"]["loginEndpoint"] == sandbox.origin
    assert found["authentication"]["audiences"] == [f"{sandbox.origin}/arm"]
