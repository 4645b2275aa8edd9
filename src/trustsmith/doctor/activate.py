"""How to activate a role that PIM holds ready, in words that can be followed and a line that can be pasted.

Pure; nothing is activated here: that is for people, with a reason of their own.
Source: Microsoft Learn, "Activate Azure resource roles in Privileged Identity Management"; ARM, "Role Assignment Schedule
Requests - Create" (2020-10-01).
"""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from trustsmith.doctor.check import bad

if TYPE_CHECKING:
    from trustsmith.doctor.evidence import Json
    from trustsmith.model.findings import Finding


def activation(why: str, instance: Json, scope: str, oid: str, about: str) -> Finding:
    """The finding that an eligible role is not active. instance: ARM's, with its `definition`; oid: of the caller."""
    properties = instance["properties"]
    role = str((instance["definition"].get("properties") or {}).get("roleName"))
    place = str(properties.get("scope") or scope)
    return bad(
        f"{why} now, but you are eligible for {role} at {place}, which has to be activated first.",
        about,
        next="Azure portal, Privileged Identity Management, My roles, Azure resources, Activate; or:\n"
        f"  {_line(properties, place, oid)}",
    )


def _line(properties: Json, scope: str, oid: str) -> str:
    """`az rest` sends a path to the Azure Resource Manager of the cloud that it is signed in to."""
    body = {
        "properties": {
            "principalId": oid or properties.get("principalId"),
            "roleDefinitionId": properties.get("roleDefinitionId"),
            "requestType": "SelfActivate",
            "linkedRoleEligibilityScheduleId": properties.get("roleEligibilityScheduleId"),
            "justification": "trustsmith apply",
            "scheduleInfo": {"expiration": {"type": "AfterDuration", "duration": "PT1H"}},
        }
    }
    path = f"{scope}/providers/Microsoft.Authorization/roleAssignmentScheduleRequests"
    url = f'"{path}/$(uuidgen)?api-version=2020-10-01"'
    return f"az rest --method put --url {url} --body {shlex.quote(json.dumps(body))}"
