"""Azure Resource Manager: the table of routes, all without regard to case.

It must not hold rules; those are in the other ``arm_*`` modules and in ``rbac``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith_sandbox import arm_authorization as authorization
from trustsmith_sandbox import arm_core as core
from trustsmith_sandbox import arm_deployments as deployments
from trustsmith_sandbox import arm_locks
from trustsmith_sandbox import arm_pim as pim
from trustsmith_sandbox import arm_resources as resources
from trustsmith_sandbox import arm_writes as writes
from trustsmith_sandbox.http import Answer, Handler, Route, Service

if TYPE_CHECKING:
    from collections.abc import Iterator

_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = _SUBSCRIPTION + "/resourceGroups/{group}"
_ACCOUNTS = "/providers/Microsoft.CognitiveServices/accounts"
_AUTHORIZATION = "/providers/Microsoft.Authorization/"


def _route(method: str, pattern: str, handler: Handler, summary: str) -> Route:
    return Route(method, pattern, handler, summary, any_case=True)


def _authorization_routes() -> Iterator[Route]:
    for scope in ("/{scope*}", ""):
        base = scope + _AUTHORIZATION
        yield _route(
            "GET", base + "roleDefinitions", authorization.definitions, "role definitions, by roleName"
        )
        yield _route("GET", base + "roleDefinitions/{name}", authorization.definition, "one role definition")
    base = "/{scope*}" + _AUTHORIZATION
    yield _route("GET", base + "roleAssignments", authorization.listing, "assignments around a scope")
    yield _route("GET", base + "roleAssignments/{name}", authorization.show, "one assignment")
    yield _route("DELETE", base + "roleAssignments/{name}", authorization.delete, "take a role away")
    yield _route(
        "GET", base + "permissions", authorization.permissions, "the caller's permissions at a scope"
    )
    yield _route("GET", base + "denyAssignments", pim.denials, "deny assignments around a scope")
    yield _route("GET", base + "locks", arm_locks.listing, "resource locks")
    request = base + "roleAssignmentScheduleRequests/{name}"
    yield _route("PUT", request, pim.request, "activate an eligible role, or give it back")
    for scope in ("/{scope*}", ""):
        base = scope + _AUTHORIZATION
        yield _route("GET", base + "roleEligibilityScheduleInstances", pim.eligibilities, "eligible roles")
        yield _route(
            "GET", base + "roleAssignmentScheduleInstances", pim.instances, "assigned and activated roles"
        )


def _resource_routes() -> Iterator[Route]:
    yield Route(
        "GET", "/metadata/endpoints", resources.endpoints, "the cloud's endpoints", public=True, any_case=True
    )
    yield _route("GET", "/tenants", resources.tenants, "the caller's tenant")
    yield _route("GET", "/subscriptions", resources.subscriptions, "subscriptions the caller can see")
    yield _route("GET", _SUBSCRIPTION, resources.subscription, "one subscription")
    yield _route("GET", _SUBSCRIPTION + "/locations", resources.locations, "locations")
    yield _route("GET", _SUBSCRIPTION + "/resourceGroups", resources.groups, "resource groups")
    yield _route("GET", _GROUP, resources.group, "one resource group")
    for base in (_SUBSCRIPTION, _GROUP):
        yield _route("GET", base + "/resources", resources.resources, "accounts and projects, as resources")
        yield _route("GET", base + _ACCOUNTS, resources.accounts, "Foundry accounts")
    yield _route(
        "GET", _SUBSCRIPTION + "/providers/{namespace}", resources.provider, "a provider's registration"
    )
    yield _route("POST", _SUBSCRIPTION + "/providers/{namespace}/register", resources.register, "register it")
    account = _GROUP + _ACCOUNTS + "/{account}"
    yield _route("GET", account + "/projects", resources.projects, "an account's projects")
    yield _route("GET", account + "/deployments", resources.models, "models deployed to an account")
    yield _route("DELETE", account + "/projects/{project}", resources.delete_project, "delete a project")
    yield from writes.ROUTES
    yield _route("GET", "/{resource*}", resources.by_id, "any resource by id")


SERVICE = Service(
    name="arm",
    hosts=("management.azure.com",),
    roots=("subscriptions", "tenants", "providers", "metadata"),
    routes=(*deployments.ROUTES, *_authorization_routes(), *_resource_routes()),
    authenticate=core.authenticate,
    finish=core.finish,
    read=core.read_json,
    malformed=Answer(
        400, {"error": {"code": "InvalidRequestContent", "message": "The request content was invalid."}}
    ),
)
