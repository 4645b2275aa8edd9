"""The world a sandbox starts with: contoso's tenant, its Foundry accounts, who may do what, and GitHub.

Ids are fixed and readable, so that documents and tests can name them. Data only: it must not know how any
of it is served. Values that look like secrets are spelled so that nobody takes them for real ones.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith_sandbox import roles, seed_people, seed_rights

if TYPE_CHECKING:
    from trustsmith_sandbox.names import Names
    from trustsmith_sandbox.world import Data

TENANT = "11111111-1111-1111-1111-111111111111"
OTHER_TENANT = "22222222-2222-2222-2222-222222222222"
NONPROD = "aaaaaaaa-0000-0000-0000-000000000001"
PROD = "aaaaaaaa-0000-0000-0000-000000000002"
OTHER_SUBSCRIPTION = "bbbbbbbb-0000-0000-0000-000000000001"
OPERATOR_APP_ID = "0a000000-0000-0000-0000-000000000001"
BYSTANDER_APP_ID = "0a000000-0000-0000-0000-000000000002"
LEGACY_APP_ID = "0a000000-0000-0000-0000-000000000003"
GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"
_GRAPH_PRINCIPAL_ID = "0b000000-0000-0000-0000-000000000009"
_GRAPH_ROLES = (
    "Application.Read.All",
    "Application.ReadWrite.All",
    "Application.ReadWrite.OwnedBy",
    "AppRoleAssignment.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
    "Policy.Read.All",
)
OPERATOR_SUBJECT = "operator"
BYSTANDER_SUBJECT = "bystander"
_STAMP = "2026-01-15T09:00:00Z"
_LOCATION = "swedencentral"
_ACCOUNTS = (("dev", NONPROD, TENANT), ("staging", NONPROD, TENANT), ("prod", PROD, TENANT))


def default_world(names: Names) -> Data:
    """Return everything but GitHub's part."""
    accounts = [*_ACCOUNTS, ("fabrikam", OTHER_SUBSCRIPTION, OTHER_TENANT)]
    groups = [_group(env, sub) for env, sub, _tenant in accounts]
    return {
        "tenants": {
            TENANT: _tenant(TENANT, "Contoso", "contoso.onmicrosoft.com"),
            OTHER_TENANT: _tenant(OTHER_TENANT, "Fabrikam", "fabrikam.onmicrosoft.com"),
        },
        "subscriptions": {
            NONPROD: _subscription(NONPROD, "contoso-nonprod", TENANT),
            PROD: _subscription(PROD, "contoso-prod", TENANT),
            OTHER_SUBSCRIPTION: _subscription(OTHER_SUBSCRIPTION, "fabrikam", OTHER_TENANT),
        },
        "resource_groups": _by_id(groups),
        "accounts": _by_id([_account(env, sub) for env, sub, _tenant in accounts]),
        "projects": _by_id([project(names, _account(env, sub), "agents") for env, sub, _tenant in accounts]),
        "model_deployments": {},
        "resources": {},
        "template_deployments": {},
        "role_definitions": roles.role_definitions(),
        "role_assignments": _by_id(_assignments()),
        "role_eligibilities": _by_id(seed_rights.eligibilities(PROD, _STAMP)),
        "deny_assignments": {},
        "locks": {},
        "applications": _applications(names),
        "deleted_applications": {},
        "service_principals": _principals(),
        "users": seed_people.users(TENANT),
        "groups": seed_people.groups(TENANT, _STAMP),
    }


def _by_id(things: list[Data]) -> Data:
    return {thing["id"].lower(): thing for thing in things}


def _tenant(tenant: str, name: str, domain: str) -> Data:
    return {
        "id": f"/tenants/{tenant}",
        "tenantId": tenant,
        "displayName": name,
        "defaultDomain": domain,
        "authorizationPolicy": _authorization_policy(),
        "premium": True,
    }


def _authorization_policy() -> Data:
    permissions: Data = {
        "allowedToCreateApps": True,
        "allowedToCreateSecurityGroups": True,
        "allowedToCreateTenants": True,
        "allowedToReadBitlockerKeysForOwnedDevice": True,
        "allowedToReadOtherUsers": True,
        "permissionGrantPoliciesAssigned": [],
    }
    return {
        "id": "authorizationPolicy",
        "displayName": "Authorization Policy",
        "description": "Used to manage authorization related settings across the company.",
        "allowInvitesFrom": "everyone",
        "allowedToSignUpEmailBasedSubscriptions": True,
        "allowedToUseSSPR": True,
        "allowEmailVerifiedUsersToJoinOrganization": False,
        "blockMsolPowerShell": False,
        "defaultUserRolePermissions": permissions,
    }


def _subscription(subscription: str, name: str, tenant: str) -> Data:
    return {
        "id": f"/subscriptions/{subscription}",
        "subscriptionId": subscription,
        "tenantId": tenant,
        "displayName": name,
        "state": "Enabled",
        "registeredProviders": ["Microsoft.CognitiveServices", "Microsoft.Authorization"],
    }


def _group_id(environment: str, subscription: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/rg-foundry-{environment}"


def _group(environment: str, subscription: str) -> Data:
    made = group(_group_id(environment, subscription), f"rg-foundry-{environment}", _LOCATION)
    return made | {"tags": {"environment": environment}}


def group(group_id: str, name: str, location: str) -> Data:
    """Return a resource group."""
    return {
        "id": group_id,
        "name": name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": location,
        "tags": {},
        "properties": {"provisioningState": "Succeeded"},
    }


def _account(environment: str, subscription: str) -> Data:
    return account(_group_id(environment, subscription), f"foundry-{environment}", _LOCATION)


def account(group_id: str, name: str, location: str) -> Data:
    """Return a Foundry account that anybody reaches and that holds projects."""
    return {
        "id": f"{group_id}/providers/Microsoft.CognitiveServices/accounts/{name}",
        "name": name,
        "type": "Microsoft.CognitiveServices/accounts",
        "kind": "AIServices",
        "sku": {"name": "S0"},
        "location": location,
        "tags": {},
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "provisioningState": "Succeeded",
            "customSubDomainName": name,
            "allowProjectManagement": True,
            "disableLocalAuth": True,
            "publicNetworkAccess": "Enabled",
            "networkAcls": {"defaultAction": "Allow", "ipRules": [], "virtualNetworkRules": []},
            "privateEndpointConnections": [],
            "endpoint": f"https://{name}.cognitiveservices.azure.com/",
            "endpoints": {"AI Foundry API": f"https://{name}.services.ai.azure.com/"},
            "deletionDate": None,
        },
    }


def project(names: Names, account: Data, name: str, location: str | None = None) -> Data:
    """Return a Foundry project of ``account``; ARM calls it ``account/project``."""
    return {
        "id": f"{account['id']}/projects/{name}",
        "name": f"{account['name']}/{name}",
        "type": "Microsoft.CognitiveServices/accounts/projects",
        "location": location or account["location"],
        "tags": None,
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "displayName": name,
            "description": None,
            "isDefault": True,
            "provisioningState": "Succeeded",
            "endpoints": {"AI Foundry API": names.project_endpoint(account["name"], name)},
        },
    }


def _assignments() -> list[Data]:
    operator, legacy = _PRINCIPAL_IDS["operator"], _PRINCIPAL_IDS["legacy"]
    return seed_rights.assignments(operator, legacy, NONPROD, PROD, _STAMP)


_PRINCIPAL_IDS = {
    "operator": "0b000000-0000-0000-0000-000000000001",
    "bystander": "0b000000-0000-0000-0000-000000000002",
    "legacy": "0b000000-0000-0000-0000-000000000003",
}
_APPS = (
    ("operator", OPERATOR_APP_ID, "0d000000-0000-0000-0000-000000000001"),
    ("bystander", BYSTANDER_APP_ID, "0d000000-0000-0000-0000-000000000002"),
    ("legacy", LEGACY_APP_ID, "0d000000-0000-0000-0000-000000000003"),
)
_DISPLAY = {
    "operator": "sandbox-operator",
    "bystander": "sandbox-bystander",
    "legacy": "contoso-legacy-deploy",
}


def _applications(names: Names) -> Data:
    apps = {object_id: _application(name, app_id, object_id) for name, app_id, object_id in _APPS}
    for name, _app_id, object_id in _APPS[:2]:
        apps[object_id]["federatedIdentityCredentials"] = [_credential(names, name)]
    expired = {"startDateTime": "2024-01-15T09:00:00Z", "endDateTime": "2025-01-15T09:00:00Z"}
    passwords = [_password(1, "terraform") | expired, _password(2, "github-actions")]
    apps[_APPS[2][2]]["passwordCredentials"] = passwords
    return apps


def _application(name: str, app_id: str, object_id: str) -> Data:
    return {
        "id": object_id,
        "appId": app_id,
        "tenantId": TENANT,
        "displayName": _DISPLAY[name],
        "uniqueName": None,
        "signInAudience": "AzureADMyOrg",
        "createdDateTime": _STAMP,
        "tags": [],
        "owners": [],
        "passwordCredentials": [],
        "federatedIdentityCredentials": [],
    }


def _credential(names: Names, subject: str) -> Data:
    return {
        "id": f"0e000000-0000-0000-0000-00000000000{1 if subject == OPERATOR_SUBJECT else 2}",
        "name": subject,
        "issuer": names.workload_issuer,
        "subject": subject,
        "audiences": ["api://AzureADTokenExchange"],
        "description": "How the sandbox's own workloads sign in",
    }


def _password(number: int, name: str) -> Data:
    return {
        "keyId": f"0f000000-0000-0000-0000-00000000000{number}",
        "displayName": name,
        "hint": "san",
        "customKeyIdentifier": None,
        "startDateTime": _STAMP,
        "endDateTime": "2028-01-15T09:00:00Z",
        "secretText": None,
        "_secretText": f"sandbox-legacy-client-credential-{number}",
    }


def _principals() -> Data:
    granted = {"operator": ["Application.ReadWrite.All", "Directory.Read.All"]}
    own = [
        _principal(_PRINCIPAL_IDS[name], app_id, _DISPLAY[name]) | {"graphPermissions": granted.get(name, [])}
        for name, app_id, _object_id in _APPS
    ]
    graph = _principal(_GRAPH_PRINCIPAL_ID, GRAPH_APP_ID, "Microsoft Graph") | {"appRoles": _app_roles()}
    return _by_id([*own, graph])


def _principal(object_id: str, app_id: str, display: str) -> Data:
    return {
        "id": object_id,
        "appId": app_id,
        "tenantId": TENANT,
        "displayName": display,
        "accountEnabled": True,
        "servicePrincipalType": "Application",
        "createdDateTime": _STAMP,
        "tags": [],
        "owners": [],
        "passwordCredentials": [],
    }


def _app_roles() -> list[Data]:
    """What Graph lets applications do; the ids are the sandbox's own, and whoever needs one reads it."""
    return [
        {
            "id": f"0a0e0000-0000-0000-0000-{number:012}",
            "value": value,
            "displayName": value,
            "description": f"The permission {value}.",
            "allowedMemberTypes": ["Application"],
            "isEnabled": True,
            "origin": "Application",
        }
        for number, value in enumerate(_GRAPH_ROLES, start=1)
    ]
