"""Subscriptions, resource groups, Foundry accounts and projects, and generic reads by id.

It must not decide who may do what: ``rbac`` does. What is made otherwise is in ``arm_writes``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith_sandbox import arm_core as core
from trustsmith_sandbox import odata, rbac, seed
from trustsmith_sandbox.http import Answer, Call

if TYPE_CHECKING:
    from trustsmith_sandbox.world import Data

_SUBSCRIPTION_KEYS = ("id", "subscriptionId", "tenantId", "displayName", "state")
_GROUPS_READ = "Microsoft.Resources/subscriptions/resourceGroups/read"
_NOT_LISTED = {"resource_groups", "model_deployments"}
_LOCATIONS = ("swedencentral", "westeurope", "eastus2")


def endpoints(call: Call) -> Answer:
    """Answer the cloud's endpoints, as ``az cloud register --endpoint-resource-manager`` asks for them."""
    names = call.world.names
    audience = names.scope("arm").removesuffix("/.default")
    login = {"loginEndpoint": names.authority, "audiences": [audience], "tenant": "common"}
    graph = names.scope("graph").removesuffix(".default")
    shown = {
        "name": "AzureCloud" if names.production else "sandbox",
        "portal": names.origin,
        "authentication": login | {"identityProvider": "AAD"},
        "media": audience,
        "batch": audience,
        "gallery": names.resource_manager,
        "graphAudience": graph,
        "graph": names.graph,
        "microsoftGraphResourceId": graph,
        "resourceManager": names.resource_manager,
        "sqlManagement": names.resource_manager,
        "vmImageAliasDoc": names.origin,
        "suffixes": {},
    }
    return Answer(body=shown)


def tenants(call: Call) -> Answer:
    """Answer the caller's tenant."""
    tenant = call.world.data["tenants"][call.caller.tenant]
    shown = {key: tenant[key] for key in ("id", "tenantId", "displayName", "defaultDomain")}
    shown |= {"tenantCategory": "Home", "countryCode": "SE", "domains": [tenant["defaultDomain"]]}
    return Answer(body={"value": [shown], "nextLink": None})


def subscriptions(call: Call) -> Answer:
    """Answer the subscriptions in which the caller has any role, at or below."""
    everything = call.world.data["subscriptions"].values()
    mine = [s for s in everything if s["tenantId"] == call.caller.tenant and _has_role(call, s)]
    return Answer(body={"value": [_subscription(s) for s in mine], "nextLink": None})


def subscription(call: Call) -> Answer:
    """Answer one subscription."""
    found = call.world.data["subscriptions"][call.params["subscription"].lower()]
    if not _has_role(call, found):
        core.require(call, "Microsoft.Resources/subscriptions/read", found["id"])
    return Answer(body=_subscription(found))


def _has_role(call: Call, subscription: Data) -> bool:
    mine = rbac.identities(call.world, call.caller.object_id)
    return any(
        a["properties"]["principalId"] in mine and rbac.covers(subscription["id"], a["properties"]["scope"])
        for a in call.world.data["role_assignments"].values()
        if call.world.visible(a, lag=call.world.lag.roles)
    )


def _subscription(found: Data) -> Data:
    policies = {"locationPlacementId": "Public_2014-09-01", "quotaId": "EnterpriseAgreement_2014-09-01"}
    shown = {key: found[key] for key in _SUBSCRIPTION_KEYS} | {"authorizationSource": "RoleBased"}
    return shown | {"subscriptionPolicies": policies | {"spendingLimit": "Off"}, "managedByTenants": []}


def locations(call: Call) -> Answer:
    """Answer where resources can be."""
    base = f"/subscriptions/{call.params['subscription']}/locations/"
    return core.listed([{"id": base + name, "name": name, "displayName": name} for name in _LOCATIONS])


def provider(call: Call) -> Answer:
    """Answer whether a resource provider is registered."""
    held = call.world.data["subscriptions"][call.params["subscription"].lower()]
    name = call.params["namespace"]
    known = {p.lower() for p in held["registeredProviders"]}
    state = "Registered" if name.lower() in known else "NotRegistered"
    shown = {"id": f"{held['id']}/providers/{name}", "namespace": name, "resourceTypes": []}
    return Answer(body={**shown, "registrationState": state, "registrationPolicy": "RegistrationRequired"})


def register(call: Call) -> Answer:
    """Register a resource provider."""
    held = call.world.data["subscriptions"][call.params["subscription"].lower()]
    name = call.params["namespace"]
    core.require(call, f"{name}/register/action", held["id"])
    if name.lower() not in {p.lower() for p in held["registeredProviders"]}:
        held["registeredProviders"].append(name)
    return provider(call)


def groups(call: Call) -> Answer:
    """Answer the subscription's resource groups that the caller may read."""
    return _readable(call, "resource_groups", f"/subscriptions/{call.params['subscription']}", _GROUPS_READ)


def group(call: Call) -> Answer:
    """Answer one resource group."""
    scope = f"/subscriptions/{call.params['subscription']}/resourceGroups/{call.params['group']}"
    core.require(call, _GROUPS_READ, scope)
    return Answer(body=core.shown(core.existing(call, scope)))


def accounts(call: Call) -> Answer:
    """Answer the Foundry accounts of a subscription or resource group that the caller may read."""
    check_registered(call)
    return _readable(call, "accounts", _container(call), f"{core.ACCOUNTS}/read")


def projects(call: Call) -> Answer:
    """Answer an account's projects that the caller may read."""
    check_registered(call)
    account = core.existing(call, _account_id(call))
    return _readable(call, "projects", account["id"], f"{core.PROJECTS}/read")


def _readable(call: Call, table: str, scope: str, action: str) -> Answer:
    below = [t for t in call.world.seen(call.world.data[table].values()) if rbac.covers(scope, t["id"])]
    found = [thing for thing in below if core.may(call, action, thing["id"])]
    if below and not found:
        core.require(call, action, scope)
    return core.listed(found)


def _container(call: Call) -> str:
    group_part = f"/resourceGroups/{call.params['group']}" if "group" in call.params else ""
    return f"/subscriptions/{call.params['subscription']}{group_part}"


def _account_id(call: Call) -> str:
    return f"{_container(call)}/providers/{core.ACCOUNTS}/{call.params['account']}"


def by_id(call: Call) -> Answer:
    """Answer any resource by its id, whatever the api-version."""
    scope = "/" + call.params["resource"].strip("/")
    found = core.resource(call, scope)
    kind = found["type"] if found and "type" in found else kind_of(scope)
    core.require(call, f"{kind}/read", scope)
    if "/providers/microsoft.cognitiveservices/" in scope.lower():
        check_registered(call)
    return Answer(body=core.shown(core.existing(call, scope)))


def kind_of(scope: str) -> str:
    """Return the resource type that an id speaks of: the namespace and every second part after it."""
    tail = scope.rpartition("/providers/")[2].split("/")
    return "/".join([tail[0], *tail[1::2]])


def resources(call: Call) -> Answer:
    """Answer what is in a subscription or group as generic resources, filtered by type, name or location."""
    scope = _container(call)
    tables = [table for table in core.TABLES if table not in _NOT_LISTED]
    things = [t for table in tables for t in call.world.seen(call.world.data[table].values())]
    found = [
        t for t in things if rbac.covers(scope, t["id"]) and core.may(call, f"{t['type']}/read", t["id"])
    ]
    text = call.query.get("$filter")
    if text:
        wanted = _parsed(text)
        found = [t for t in found if wanted.matches(t | {"resourceType": t["type"]})]
    keys = ("id", "name", "type", "location", "kind", "sku", "tags", "identity")
    return core.listed([{key: thing.get(key) for key in keys} for thing in found])


def _parsed(text: str) -> odata.Filter:
    try:
        wanted = odata.parse(text)
    except odata.Unsupported as reason:
        raise core.refuse(400, "InvalidFilterInQueryString", str(reason)) from None
    if not {name for name, _operator in wanted.used} <= {"resourceType", "name", "location"}:
        raise core.refuse(
            400, "InvalidFilterInQueryString", f"Invalid $filter '{text}' specified in the query string."
        )
    return wanted


def put_project(call: Call) -> Answer:
    """Make or change a project of an account."""
    scope = f"{_account_id(call)}/projects/{call.params['project']}"
    core.require(call, f"{core.PROJECTS}/write", scope)
    account, wanted = core.existing(call, _account_id(call)), core.body(call)
    check_registered(call)
    held = core.resource(call, scope)
    if held is not None:
        held["tags"] = wanted.get("tags", held["tags"])
        return Answer(200, core.shown(held))
    made = seed.project(call.world.names, account, call.params["project"], wanted.get("location"))
    properties = wanted.get("properties") or {}
    made["properties"] |= {
        key: properties[key] for key in ("displayName", "description") if key in properties
    }
    made["properties"]["isDefault"] = False
    call.world.data["projects"][made["id"].lower()] = call.world.written(made)
    return Answer(201, core.shown(made))


def check_registered(call: Call) -> None:
    """Raise 409 unless Foundry's resource provider is registered; in a subscription without, nothing is found."""
    held = call.world.data["subscriptions"][call.path.split("/")[2].lower()]
    if "microsoft.cognitiveservices" not in {p.lower() for p in held["registeredProviders"]}:
        text = (
            "The subscription is not registered to use namespace 'Microsoft.CognitiveServices'. See"
            " https://aka.ms/rps-not-found for how to register subscriptions."
        )
        raise core.refuse(409, "MissingSubscriptionRegistration", text)


def delete_project(call: Call) -> Answer:
    """Delete a project: 200, or 204 when there was none."""
    scope = f"{_account_id(call)}/projects/{call.params['project']}"
    core.require(call, f"{core.PROJECTS}/delete", scope)
    gone = call.world.data["projects"].pop(scope.lower(), None)
    return Answer(204 if gone is None else 200)


def models(call: Call) -> Answer:
    """Answer an account's model deployments that the caller may read."""
    account = core.existing(call, _account_id(call))
    core.require(call, f"{core.MODELS}/read", account["id"])
    below = call.world.seen(call.world.data["model_deployments"].values())
    return core.listed([each for each in below if rbac.covers(account["id"], each["id"])])
