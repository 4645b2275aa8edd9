"""Stock `az deployment` tries, validates and makes what a template says; the rights of the sandbox decide."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Sandbox

_GROUP = "/subscriptions/aaaaaaaa-0000-0000-0000-000000000001/resourceGroups/rg-foundry-dev"
_CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
_TEMPLATE = """\
{
  // as templates are written: with comments
  "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
  "contentVersion": "1.0.0.0",
  "parameters": {"capacity": {"type": "int", "defaultValue": 1}},
  "resources": [
    {
      "type": "Microsoft.CognitiveServices/accounts/deployments",
      "apiVersion": "2025-06-01",
      "name": "foundry-dev/gpt",
      "sku": {"name": "GlobalStandard", "capacity": "[parameters('capacity')]"},
      "properties": {"model": {"format": "OpenAI", "name": "gpt", "version": "1"}}
    }
  ]
}
"""


def _contributor(sandbox: Sandbox) -> None:
    """Let the operator write what is in the group."""
    world = sandbox.state()
    held = next(iter(world["role_assignments"].values()))
    name = "99999999-0000-0000-0000-000000000001"
    properties = held["properties"] | {
        "scope": _GROUP,
        "principalId": "0b000000-0000-0000-0000-000000000001",
        "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{_CONTRIBUTOR}",
    }
    place = f"{_GROUP}/providers/Microsoft.Authorization/roleAssignments/{name}"
    world["role_assignments"][place.lower()] = held | {"id": place, "name": name, "properties": properties}
    sandbox.control("reset", world)


def test_az_deploys_a_template(run_az: Callable[..., Any], sandbox: Sandbox, tmp_path: Path) -> None:
    (tmp_path / "infra.json").write_text(_TEMPLATE)
    what = ["--resource-group", "rg-foundry-dev", "--template-file", str(tmp_path / "infra.json")]
    with pytest.raises(AssertionError, match="AuthorizationFailed"):
        run_az("deployment", "group", "create", "--name", "infra", *what)
    _contributor(sandbox)
    tried = run_az("deployment", "group", "what-if", "--no-pretty-print", *what)
    assert [each["changeType"] for each in tried["changes"]] == ["Create", "Ignore", "Ignore"]
    made = run_az("deployment", "group", "create", "--name", "infra", *what)
    assert made["properties"]["provisioningState"] == "Succeeded"
    (model,) = run_az(
        *("cognitiveservices", "account", "deployment", "list"),
        *("--resource-group", "rg-foundry-dev", "--name", "foundry-dev"),
    )
    assert (model["name"], model["sku"]["capacity"]) == ("gpt", 1)
    (operation,) = run_az(
        *("deployment", "operation", "group", "list"),
        *("--name", "infra", "--resource-group", "rg-foundry-dev"),
    )
    assert json.dumps(operation["properties"]["targetResource"]).count("/deployments/gpt") == 1
