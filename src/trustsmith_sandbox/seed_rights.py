"""Who may do what in Contoso's subscriptions at first: role assignments, and what PIM could make of one.

Data only, as in ``seed``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from trustsmith_sandbox import roles, seed_people

if TYPE_CHECKING:
    from trustsmith_sandbox.world import Data

_AUTHORIZATION = "/providers/Microsoft.Authorization/"


class _Grant(NamedTuple):
    principal: str
    scope: str
    role: str
    condition: str | None = None


def assignments(operator: str, legacy: str, nonprod: str, prod: str, stamp: str) -> list[Data]:
    """Return the role assignments; their names are numbers in this order, so new ones come last."""
    subscriptions = [f"/subscriptions/{subscription}" for subscription in (nonprod, prod)]
    dev, staging = (f"{subscriptions[0]}/resourceGroups/rg-foundry-{name}" for name in ("dev", "staging"))
    groups = [dev, staging, f"{subscriptions[1]}/resourceGroups/rg-foundry-prod"]
    held = [
        *(_Grant(operator, scope, roles.READER) for scope in subscriptions),
        *(_Grant(operator, scope, roles.RBAC_ADMINISTRATOR) for scope in groups),
        _Grant(legacy, subscriptions[0], roles.CONTRIBUTOR),
        *(_Grant(seed_people.ADMIN, scope, roles.OWNER) for scope in subscriptions),
        # Delegated with constraints (reference "Resource Manager", E.2): Foundry User and nothing else
        _Grant(seed_people.DEVELOPER, dev, roles.RBAC_ADMINISTRATOR, roles.ONLY_FOUNDRY_USER),
        _Grant(seed_people.ELIGIBLE, subscriptions[1], roles.READER),
    ]
    return [_assignment(number, grant, stamp) for number, grant in enumerate(held, start=1)]


def _assignment(number: int, grant: _Grant, stamp: str) -> Data:
    name = f"ee000000-0000-0000-0000-{number:012}"
    properties = {
        "roleDefinitionId": _definition(grant.scope, grant.role),
        "principalId": grant.principal,
        "principalType": "User" if grant.principal.startswith("0c") else "ServicePrincipal",
        "scope": grant.scope,
        "description": None,
        "condition": grant.condition,
        "conditionVersion": "2.0" if grant.condition else None,
        "createdOn": stamp,
        "updatedOn": stamp,
        "createdBy": None,
        "updatedBy": None,
        "delegatedManagedIdentityResourceId": None,
    }
    return {
        "id": f"{grant.scope}{_AUTHORIZATION}roleAssignments/{name}",
        "type": "Microsoft.Authorization/roleAssignments",
        "name": name,
        "properties": properties,
    }


def _definition(scope: str, role: str) -> str:
    return f"{'/'.join(scope.split('/')[:3])}{_AUTHORIZATION}roleDefinitions/{role}"


def eligibilities(prod: str, stamp: str) -> list[Data]:
    """Return what PIM lets people activate: RBAC Administrator on production."""
    scope = f"/subscriptions/{prod}/resourceGroups/rg-foundry-prod"
    name = "ef000000-0000-0000-0000-000000000001"
    properties = {
        "roleDefinitionId": _definition(scope, roles.RBAC_ADMINISTRATOR),
        "principalId": seed_people.ELIGIBLE,
        "principalType": "User",
        "scope": scope,
        "roleEligibilityScheduleId": f"{scope}{_AUTHORIZATION}roleEligibilitySchedules/{name}",
        "status": "Provisioned",
        "startDateTime": stamp,
        "endDateTime": None,
        "condition": None,
        "conditionVersion": None,
        "createdOn": stamp,
    }
    return [
        {
            "id": f"{scope}{_AUTHORIZATION}roleEligibilityScheduleInstances/{name}",
            "type": "Microsoft.Authorization/roleEligibilityScheduleInstances",
            "name": name,
            "properties": properties,
        }
    ]
