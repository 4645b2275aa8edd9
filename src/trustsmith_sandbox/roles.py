"""Built-in role definitions, as ARM gives them out.

Foundry's are the published role bodies (with their condition); the others are what Azure documents for
built-in roles, shortened where nothing here asks. Data only: what they permit is worked out in ``rbac``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trustsmith_sandbox.world import Data

FOUNDRY_USER = "53ca6127-db72-4b80-b1b0-d745d6d5456d"
FOUNDRY_PROJECT_MANAGER = "eadc314b-1a2d-4efa-be10-5d325db5065e"
FOUNDRY_ACCOUNT_OWNER = "e47c6f54-e4a2-4754-9501-8e0985b135e1"
FOUNDRY_OWNER = "c883944f-8b7b-4483-af10-35834be79c4a"
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
USER_ACCESS_ADMINISTRATOR = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"
RBAC_ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"

_COGNITIVE = "Microsoft.CognitiveServices"
_ASSIGN = ["Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleAssignments/delete"]
ONLY_FOUNDRY_USER = (
    "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR"
    " (@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId]"
    " ForAnyOfAnyValues:GuidEquals{53ca6127-db72-4b80-b1b0-d745d6d5456d})) AND"
    " ((!(ActionMatches{'Microsoft.Authorization/roleAssignments/delete'})) OR"
    " (@Resource[Microsoft.Authorization/roleAssignments:RoleDefinitionId]"
    " ForAnyOfAnyValues:GuidEquals{53ca6127-db72-4b80-b1b0-d745d6d5456d}))"
)
_MONITORING = [
    "Microsoft.Insights/alertRules/read",
    "Microsoft.Insights/diagnosticSettings/read",
    "Microsoft.Insights/logDefinitions/read",
    "Microsoft.Insights/metricdefinitions/read",
    "Microsoft.Insights/metrics/read",
]
_READ_RESOURCES = [
    "Microsoft.Resources/subscriptions/operationresults/read",
    "Microsoft.Resources/subscriptions/read",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
]


def _role(
    name: str,
    actions: list[str],
    data: list[str] | None = None,
    *,
    without: list[str] | None = None,
    condition: str | None = None,
) -> tuple[str, Data]:
    permission: Data = {
        "actions": actions,
        "notActions": without or [],
        "dataActions": data or [],
        "notDataActions": [],
        "condition": condition,
        "conditionVersion": "2.0" if condition else None,
    }
    return name, permission


_FOUNDRY = {
    FOUNDRY_USER: _role(
        "Foundry User",
        [
            f"{_COGNITIVE}/*/read",
            f"{_COGNITIVE}/accounts/listkeys/action",
            *_MONITORING,
            "Microsoft.ResourceHealth/availabilityStatuses/read",
            "Microsoft.Resources/deployments/*",
            *_READ_RESOURCES,
            "Microsoft.Support/*",
        ],
        [f"{_COGNITIVE}/*"],
    ),
    FOUNDRY_PROJECT_MANAGER: _role(
        "Foundry Project Manager",
        [
            *_ASSIGN,
            f"{_COGNITIVE}/accounts/*/read",
            f"{_COGNITIVE}/accounts/projects/*",
            f"{_COGNITIVE}/locations/*/read",
            "Microsoft.Authorization/*/read",
            "Microsoft.Insights/alertRules/*",
            "Microsoft.Resources/deployments/*",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
        ],
        [f"{_COGNITIVE}/*"],
        condition=ONLY_FOUNDRY_USER,
    ),
    FOUNDRY_ACCOUNT_OWNER: _role(
        "Foundry Account Owner",
        [
            "Microsoft.Authorization/*/read",
            *_ASSIGN,
            f"{_COGNITIVE}/*",
            "Microsoft.Features/features/read",
            "Microsoft.Features/providers/features/read",
            "Microsoft.Features/providers/features/register/action",
            "Microsoft.Insights/alertRules/*",
            "Microsoft.Insights/diagnosticSettings/*",
            "Microsoft.Resources/deployments/*",
            "Microsoft.Resources/subscriptions/resourcegroups/deployments/*",
            *_READ_RESOURCES,
            "Microsoft.Support/*",
        ],
        condition=ONLY_FOUNDRY_USER,
    ),
    FOUNDRY_OWNER: _role(
        "Foundry Owner",
        [
            "Microsoft.Authorization/*/read",
            *_ASSIGN,
            f"{_COGNITIVE}/*",
            "Microsoft.Insights/alertRules/*",
            "Microsoft.Resources/deployments/*",
            *_READ_RESOURCES,
            "Microsoft.Support/*",
        ],
        [f"{_COGNITIVE}/*"],
        condition=ONLY_FOUNDRY_USER,
    ),
    "eed3b665-ab3a-47b6-8f48-c9382fb1dad6": _role(
        "Foundry Agent Consumer", [], [f"{_COGNITIVE}/accounts/AIServices/endpoints/interact/action"]
    ),
    "142bfaed-a13f-4c2d-bed2-6db62c4a1009": _role(
        "Foundry Project Runtime User", [], [f"{_COGNITIVE}/accounts/AIServices/responses/*"]
    ),
}
_GENERAL = {
    OWNER: _role("Owner", ["*"]),
    CONTRIBUTOR: _role(
        "Contributor",
        ["*"],
        without=[
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
        ],
    ),
    READER: _role("Reader", ["*/read"]),
    USER_ACCESS_ADMINISTRATOR: _role(
        "User Access Administrator", ["*/read", "Microsoft.Authorization/*", "Microsoft.Support/*"]
    ),
    RBAC_ADMINISTRATOR: _role(
        "Role Based Access Control Administrator", [*_ASSIGN, "*/read", "Microsoft.Support/*"]
    ),
    "a97b65f3-24c7-4388-baec-2e87135dc908": _role(
        "Cognitive Services User",
        [f"{_COGNITIVE}/*/read", f"{_COGNITIVE}/accounts/listkeys/action", *_MONITORING, *_READ_RESOURCES],
        [f"{_COGNITIVE}/*"],
    ),
    "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd": _role(
        "Cognitive Services OpenAI User",
        [f"{_COGNITIVE}/*/read", "Microsoft.Authorization/*/read"],
        [f"{_COGNITIVE}/accounts/OpenAI/*/read", f"{_COGNITIVE}/accounts/OpenAI/deployments/*/action"],
    ),
    "25fbc0a9-bd7c-42a3-aa1a-3b75d497ee68": _role(
        "Cognitive Services Contributor",
        ["Microsoft.Authorization/*/read", f"{_COGNITIVE}/*", *_READ_RESOURCES],
    ),
    "64702f94-c441-49e6-a78b-ef80e0188fee": _role(
        "Azure AI Developer",
        ["Microsoft.MachineLearningServices/workspaces/*/read", *_READ_RESOURCES],
        [f"{_COGNITIVE}/accounts/OpenAI/*", f"{_COGNITIVE}/accounts/SpeechServices/*"],
    ),
}


def role_definitions() -> Data:
    """Return every built-in role by its GUID, each in ARM's shape."""
    return {guid: _definition(guid, *role) for guid, role in (_FOUNDRY | _GENERAL).items()}


def _definition(guid: str, name: str, permission: Data) -> Data:
    stamps = {"createdOn": "2025-05-19T00:00:00.0000000Z", "updatedOn": "2026-06-10T00:00:00.0000000Z"}
    properties = {
        "roleName": name,
        "type": "BuiltInRole",
        "description": f"The built-in role {name}.",
        "assignableScopes": ["/"],
        "permissions": [permission],
        **stamps,
        "createdBy": None,
        "updatedBy": None,
    }
    path = f"/providers/Microsoft.Authorization/roleDefinitions/{guid}"
    return {
        "id": path,
        "type": "Microsoft.Authorization/roleDefinitions",
        "name": guid,
        "properties": properties,
    }
