"""Deployments of ARM templates at the sandbox's Resource Manager: tried, refused, done; and what they make."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.callers import Caller, arm_of, person_of

if TYPE_CHECKING:
    from tests.conftest import Sandbox

SUBSCRIPTION = "/subscriptions/aaaaaaaa-0000-0000-0000-000000000001"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-foundry-dev"
ACCOUNT = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/foundry-dev"
VERSION = "?api-version=2025-04-01"
MANAGER, CONTRIBUTOR = "eadc314b-1a2d-4efa-be10-5d325db5065e", "b24988ac-6180-42a0-ab88-20f7382dd24c"
USER = "53ca6127-db72-4b80-b1b0-d745d6d5456d"
SCHEMA = "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#"
MODEL = {
    "type": "Microsoft.CognitiveServices/accounts/deployments",
    "apiVersion": "2025-06-01",
    "name": "[format('{0}/{1}', parameters('account'), variables('model'))]",
    "sku": {"name": "GlobalStandard", "capacity": "[parameters('capacity')]"},
    "properties": {"model": {"format": "OpenAI", "name": "[variables('model')]", "version": "2026-01-01"}},
}
TEMPLATE: dict[str, Any] = {
    "$schema": SCHEMA,
    "contentVersion": "1.0.0.0",
    "parameters": {
        "account": {"type": "string", "defaultValue": "foundry-dev"},
        "capacity": {"type": "int", "allowedValues": [1, 10]},
        "key": {"type": "securestring", "defaultValue": "hidden"},
    },
    "variables": {"model": "gpt-5", "names": "[createArray('one', variables('model'))]"},
    "resources": [
        MODEL,
        {
            "type": "Microsoft.Storage/storageAccounts",
            "apiVersion": "2024-01-01",
            "name": "[concat('data', copyIndex('twice', 1))]",
            "copy": {"name": "twice", "count": "[length(variables('names'))]"},
            "location": "[resourceGroup().location]",
            "sku": {"name": "Standard_LRS"},
        },
        {
            "condition": "[equals(parameters('account'), 'other')]",
            "type": "Microsoft.Storage/storageAccounts",
            "apiVersion": "2024-01-01",
            "name": "never",
        },
    ],
    "outputs": {
        "model": {
            "type": "string",
            "value": "[reference(resourceId('Microsoft.CognitiveServices/accounts/deployments', parameters('account'), 'gpt-5')).model.name]",
        }
    },
}


def _body(template: Any = None, location: str | None = None, **parameters: Any) -> dict[str, Any]:
    given = {name: {"value": value} for name, value in ({"capacity": 10} | parameters).items()}
    properties = {"mode": "Incremental", "template": template or TEMPLATE}
    properties["parameters"] = (
        given if template is None else {name: {"value": v} for name, v in parameters.items()}
    )
    return {"properties": properties} | ({"location": location} if location else {})


def _place(name: str = "infra", scope: str = GROUP) -> str:
    return f"{scope}/providers/Microsoft.Resources/deployments/{name}"


def _with(*resources: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"$schema": SCHEMA, "contentVersion": "1.0.0.0", "resources": list(resources), **more}


@pytest.fixture
def owner(sandbox: Sandbox) -> Caller:
    """A person who owns the subscription."""
    return person_of(sandbox, "admin@contoso.onmicrosoft.com", f"{sandbox.origin}/arm/.default")


def _assign(sandbox: Sandbox, owner: Caller, role: str, scope: str) -> Caller:
    """The sandbox's operator, who has that role and no other."""
    world = sandbox.state()
    world["role_assignments"] = {
        key: each
        for key, each in world["role_assignments"].items()
        if "0b0000" not in each["properties"]["principalId"]
    }
    sandbox.control("reset", world)
    definition = f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    properties = {"roleDefinitionId": definition, "principalId": "0b000000-0000-0000-0000-000000000001"}
    path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/11111111-2222-3333-4444-555555555555"
    owner.call("PUT", f"{path}?api-version=2022-04-01", {"properties": properties}, status=201)
    return arm_of(sandbox)


def _what_if(caller: Caller, body: dict[str, Any], place: str | None = None) -> dict[str, Any]:
    accepted = caller.raw("POST", f"{place or _place()}/whatIf{VERSION}", body)
    assert accepted.status_code == 202
    where = accepted.headers["location"].removeprefix(caller.sandbox.origin)
    found: dict[str, Any] = caller.get(where)
    return found


def test_validate_try_deploy(owner: Caller) -> None:
    checked = owner.call("POST", f"{_place()}/validate{VERSION}", _body())
    made = [f"{ACCOUNT}/deployments/gpt-5"]
    made += [f"{GROUP}/providers/Microsoft.Storage/storageAccounts/data{number}" for number in (1, 2)]
    assert [each["id"] for each in checked["properties"]["validatedResources"]] == made
    assert checked["properties"]["parameters"]["key"] == {"type": "Securestring"}
    changes = _what_if(owner, _body())["properties"]["changes"]
    assert [(each["resourceId"], each["changeType"]) for each in changes[:3]] == [
        (each, "Create") for each in made
    ]
    assert {each["changeType"] for each in changes[3:]} == {"Ignore"}
    assert owner.get(f"{ACCOUNT}/deployments?api-version=2025-06-01")["value"] == []

    accepted = owner.raw("PUT", _place() + VERSION, _body())
    assert (accepted.status_code, accepted.json()["properties"]["provisioningState"]) == (201, "Accepted")
    where = accepted.headers["azure-asyncoperation"].removeprefix(owner.sandbox.origin)
    assert owner.get(where) == {"status": "Succeeded"}
    done = owner.get(_place() + VERSION)["properties"]
    assert done["outputs"] == {"model": {"type": "String", "value": "gpt-5"}}
    assert [each["id"] for each in done["outputResources"]] == made
    ran = owner.get(f"{_place()}/operations{VERSION}")["value"]
    assert [each["properties"]["targetResource"]["id"] for each in ran] == made
    assert [each["name"] for each in owner.get(f"{ACCOUNT}/deployments?api-version=2025-06-01")["value"]] == [
        "gpt-5"
    ]
    assert owner.get(f"{made[1]}?api-version=2024-01-01")["location"] == "swedencentral"
    listed = {each["name"] for each in owner.get(f"{GROUP}/resources?api-version=2021-04-01")["value"]}
    assert listed >= {"foundry-dev", "data1", "data2"}

    again = _what_if(owner, _body(capacity=1))["properties"]["changes"]
    assert [each["changeType"] for each in again[:3]] == ["Modify", "NoChange", "NoChange"]
    assert again[0]["delta"][0] | {"children": None} == {
        "path": "sku.capacity",
        "propertyChangeType": "Modify",
        "before": 10,
        "after": 1,
        "children": None,
    }
    owner.call("PUT", _place() + VERSION, _body(), status=200)
    assert [each["name"] for each in owner.get(f"{_place('')[:-1]}{VERSION}")["value"]] == ["infra"]
    owner.call("DELETE", _place() + VERSION, status=204)
    assert owner.get(_place() + VERSION, status=404)["error"]["code"] == "DeploymentNotFound"


def test_the_manager_of_projects_cannot_deploy_a_model(sandbox: Sandbox, owner: Caller) -> None:
    manager = _assign(sandbox, owner, MANAGER, GROUP)
    for_one = _body(
        _with({**MODEL, "name": "foundry-dev/gpt", "sku": {"name": "x"}, "properties": {"model": {}}})
    )
    denied = manager.call("POST", f"{_place()}/validate{VERSION}", for_one, status=400)["error"]
    assert denied["code"] == "InvalidTemplateDeployment"
    assert denied["message"] == (
        "The template deployment failed with error: 'Authorization failed for template resource 'foundry-dev/gpt' of type"
        " 'Microsoft.CognitiveServices/accounts/deployments'. The client '0a000000-0000-0000-0000-000000000001' with"
        " object id '0b000000-0000-0000-0000-000000000001' does not have permission to perform action"
        " 'Microsoft.CognitiveServices/accounts/deployments/write' at scope"
        f" '{ACCOUNT}/deployments/gpt'.'."
    )
    several = manager.call("PUT", _place() + VERSION, _body(), status=400)["error"]["message"]
    assert several.startswith("Deployment failed with multiple errors: 'Authorization failed")
    assert several.count("Authorization failed for template resource") == 3
    tried = _what_if(manager, _body())
    assert (tried["status"], tried["error"]["code"]) == ("Failed", "InvalidTemplateDeployment")
    unchecked = _body()
    unchecked["properties"]["validationLevel"] = "Template"
    assert _what_if(manager, unchecked)["status"] == "Succeeded"
    project = {
        "type": "Microsoft.CognitiveServices/accounts/projects",
        "apiVersion": "2025-06-01",
        "name": "foundry-dev/second",
        "location": "swedencentral",
        "properties": {"displayName": "Second"},
    }
    manager.call("PUT", _place() + VERSION, _body(_with(project)), status=201)
    assert (
        owner.get(f"{ACCOUNT}/projects/second?api-version=2025-06-01")["properties"]["displayName"]
        == "Second"
    )


def test_who_manages_one_project_cannot_deploy_at_all(sandbox: Sandbox, owner: Caller) -> None:
    manager = _assign(sandbox, owner, MANAGER, f"{ACCOUNT}/projects/agents")
    for method, tail, action in (("PUT", "", "write"), ("POST", "/validate", "validate/action")):
        denied = manager.call(method, f"{_place()}{tail}{VERSION}", _body(), status=403)["error"]
        assert denied["code"] == "AuthorizationFailed"
        assert f"'Microsoft.Resources/deployments/{action}' over scope '{_place()}'" in denied["message"]


def test_modules_groups_accounts_and_roles_of_a_subscription(owner: Caller) -> None:
    group = {
        "type": "Microsoft.Resources/resourceGroups",
        "apiVersion": "2024-03-01",
        "name": "rg-new",
        "location": "[deployment().location]",
        "tags": {"by": "template"},
    }
    inside = _with(
        {
            "type": "Microsoft.Authorization/roleAssignments",
            "apiVersion": "2022-04-01",
            "name": "[guid(resourceGroup().id, parameters('who'))]",
            "scope": "[resourceId('Microsoft.CognitiveServices/accounts', 'foundry-new')]",
            "dependsOn": ["[resourceId('Microsoft.CognitiveServices/accounts', 'foundry-new')]"],
            "properties": {
                "roleDefinitionId": f"[subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '{USER}')]",
                "principalId": "[parameters('who')]",
                "principalType": "ServicePrincipal",
            },
        },
        {
            "type": "Microsoft.CognitiveServices/accounts",
            "apiVersion": "2025-06-01",
            "name": "foundry-new",
            "location": "[resourceGroup().location]",
            "kind": "AIServices",
            "sku": {"name": "S0"},
            "properties": {"publicNetworkAccess": "Disabled"},
            "resources": [
                {
                    "type": "projects",
                    "apiVersion": "2025-06-01",
                    "name": "agents",
                    "location": "westeurope",
                    "properties": {},
                }
            ],
        },
        parameters={"who": {"type": "string"}},
        outputs={
            "id": {
                "type": "string",
                "value": "[resourceId('Microsoft.CognitiveServices/accounts', 'foundry-new')]",
            }
        },
    )
    module = {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": "2025-04-01",
        "name": "foundry",
        "resourceGroup": "rg-new",
        "dependsOn": ["rg"],
        "properties": {
            "mode": "Incremental",
            "expressionEvaluationOptions": {"scope": "inner"},
            "template": inside,
            "parameters": {"who": {"value": "0b000000-0000-0000-0000-000000000001"}},
        },
    }
    template = _with(languageVersion="2.0") | {
        "resources": {"foundry": module, "rg": group, "old": {"existing": True}}
    }
    place = _place("whole", SUBSCRIPTION)
    assert (
        owner.call("PUT", place + VERSION, _body(template), status=400)["error"]["code"] == "LocationRequired"
    )
    body = _body(template, location="westeurope")
    changes = _what_if(owner, body, place)["properties"]["changes"]
    assert [each["changeType"] for each in changes] == ["Create"] * 4
    owner.call("PUT", place + VERSION, body, status=201)
    done = owner.get(place + VERSION)
    assert (done["location"], done["properties"]["provisioningState"]) == ("westeurope", "Succeeded")
    new = f"{SUBSCRIPTION}/resourceGroups/rg-new"
    assert owner.get(f"{new}?api-version=2021-04-01")["tags"] == {"by": "template"}
    account = f"{new}/providers/Microsoft.CognitiveServices/accounts/foundry-new"
    assert owner.get(f"{account}?api-version=2025-06-01")["properties"]["publicNetworkAccess"] == "Disabled"
    assert owner.get(f"{account}/projects?api-version=2025-06-01")["value"][0]["name"] == "foundry-new/agents"
    assigned = owner.get(
        f"{account}/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01"
    )["value"]
    assert account in {each["properties"]["scope"] for each in assigned}
    owner.call("DELETE", f"{new}?api-version=2021-04-01", status=200)
    owner.get(f"{account}?api-version=2025-06-01", status=404)


def test_deployment_that_fails_half_way(owner: Caller) -> None:
    lonely = {**MODEL, "name": "none/gpt", "sku": {"name": "x"}, "properties": {"model": {"name": "gpt"}}}
    owner.call("PUT", _place() + VERSION, _body(_with(lonely)), status=201)
    done = owner.get(_place() + VERSION)["properties"]
    assert done["provisioningState"] == "Failed"
    assert done["error"]["code"] == "DeploymentFailed"
    assert done["error"]["details"][0]["code"] == "ParentResourceNotFound"
    assert owner.get(f"{_place()}/operationStatuses/x{VERSION}")["status"] == "Failed"
    assert owner.get(f"{_place()}/operations{VERSION}")["value"][0]["properties"]["statusCode"] == "404"


@pytest.mark.parametrize(
    ("template", "parameters", "told"),
    [
        (None, {"capacity": 7}, "not part of the allowed value(s): '1,10'"),
        (None, {"capacity": "10"}, "Expected 'Integer'"),
        (None, {"odd": 1}, "The template parameters 'odd' in the parameters file are not valid"),
        (
            TEMPLATE,
            {},
            "The value for the template parameter 'capacity' at line '1' and column '1' is not provided",
        ),
        ({}, {}, "has no resources"),
        (_with({"type": "A.B/c", "name": "[x]"}), {}, "unexpected 'the end'"),
        (
            _with({"type": "A.B/c", "name": "[listKeys('x')]"}),
            {},
            "'listKeys' is not one that the sandbox knows",
        ),
        (_with({"type": "A.B/c", "name": "[variables('x')]"}), {}, "variable 'x' is not found"),
        (_with({"type": "A.B/c", "name": "[resourceGroup().odd]"}), {}, "property 'odd' doesn't exist"),
        (_with({"type": "A.B/c", "name": "[first(createArray())]"}), {}, "Unable to evaluate 'first'"),
        (_with({"type": "A.B/c", "name": "a/b"}), {}, "incorrect segment lengths"),
        (_with({"name": "a"}), {}, "not of the form"),
        (_with({"type": "A.B/c", "name": "a", "properties": {"copy": []}}), {}, "does not expand 'copy'"),
        (_with({"type": "Microsoft.Resources/deployments", "name": "a"}), {}, "has no template"),
        (
            _with(
                {"type": "A.B/c", "name": "a", "dependsOn": ["b"]},
                {"type": "A.B/c", "name": "b", "dependsOn": ["a"]},
            ),
            {},
            "Circular dependency",
        ),
    ],
)
def test_templates_that_are_none(owner: Caller, template: Any, parameters: dict[str, Any], told: str) -> None:
    body = _body(template, **parameters) if template is not None else _body(**parameters)
    if template == {}:
        body["properties"]["template"] = {}
    refused = owner.call("POST", f"{_place()}/validate{VERSION}", body, status=400)["error"]
    assert refused["code"] == "InvalidTemplate"
    assert told in refused["message"]


def test_requests_that_are_none(owner: Caller) -> None:
    for properties, told in (
        ({"templateLink": {"uri": "https://x"}}, "follows no links"),
        ({"template": TEMPLATE, "mode": "Complete"}, "Incremental only"),
        (
            {"template": TEMPLATE, "parameters": {"capacity": {"reference": {}}}},
            "looks nothing up in a vault",
        ),
    ):
        refused = owner.call("PUT", _place() + VERSION, {"properties": properties}, status=400)["error"]
        assert told in refused["message"]
    owner.call("PUT", _place() + VERSION, {}, status=400)
    nowhere = _place(scope=f"{SUBSCRIPTION}/resourceGroups/none")
    assert (
        owner.call("PUT", nowhere + VERSION, _body(), status=404)["error"]["code"] == "ResourceGroupNotFound"
    )
    owner.get(f"{SUBSCRIPTION}/operationresults/x{VERSION}", status=404)


def test_templates_come_as_their_files_are(owner: Caller) -> None:
    text = """{"properties": {"mode": "Incremental", template: {
      // what it makes
      "resources": [{"type": "A.B/c", "name": "a", /* no more */ "properties": {"url": "https://x"},},],
    }}}"""
    headers = {"Authorization": f"Bearer {owner.token}"}
    answer = owner.sandbox.http.put(
        f"{owner.sandbox.origin}{_place()}{VERSION}", content=text, headers=headers
    )
    assert answer.status_code == 201
    assert owner.get(f"{GROUP}/providers/A.B/c/a{VERSION}")["properties"]["url"] == "https://x"
    answer = owner.sandbox.http.put(
        f"{owner.sandbox.origin}{_place()}{VERSION}", content="{x", headers=headers
    )
    assert answer.json()["error"]["code"] == "InvalidRequestContent"


def test_resources_by_their_own_requests(owner: Caller) -> None:
    model = {
        "sku": {"name": "Standard", "capacity": 1},
        "properties": {"model": {"format": "OpenAI", "name": "gpt"}},
    }
    place = f"{ACCOUNT}/deployments/gpt?api-version=2025-06-01"
    assert owner.call("PUT", place, model, status=201)["properties"]["provisioningState"] == "Succeeded"
    owner.call("PUT", place, model, status=200)
    assert (
        owner.call("PUT", place, {"properties": {}}, status=400)["error"]["code"]
        == "InvalidResourceProperties"
    )
    vault = f"{GROUP}/providers/Microsoft.KeyVault/vaults/kv?api-version=2024-11-01"
    owner.call(
        "PUT", vault, {"location": "westeurope", "tags": {"a": "b"}, "properties": {"x": 1}}, status=201
    )
    assert owner.get(vault)["properties"] == {"x": 1, "provisioningState": "Succeeded"}
    owner.call("DELETE", vault, status=200)
    owner.call("DELETE", vault, status=204)
    group = f"{SUBSCRIPTION}/resourceGroups/rg?api-version=2021-04-01"
    assert owner.call("PUT", group, {}, status=400)["error"]["code"] == "LocationRequired"
    owner.call("PUT", group, {"location": "westeurope"}, status=201)
    owner.call("PUT", group, {"location": "westeurope", "tags": {"a": "b"}}, status=200)
