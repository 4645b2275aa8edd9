"""Custom properties of repositories, and which of them (and of the enterprise) go into Actions tokens.

A property is in a token as ``repo_property_<name>`` once the organization says so (reference "GitHub OIDC",
claims). They are only set in the world's state; it must not mint anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith_sandbox.github_access import Need, organization
from trustsmith_sandbox.github_routes import on_repository
from trustsmith_sandbox.github_wire import field, not_found, refusal
from trustsmith_sandbox.http import Answer, Route

if TYPE_CHECKING:
    from trustsmith_sandbox.http import Call
    from trustsmith_sandbox.world import Data, World

_PATH = "/orgs/{org}/actions/oidc/customization/properties/repo"


def claims(world: World, repository: Data) -> dict[str, str]:
    """Return the claims that an organization and its enterprise add to its repositories' tokens."""
    owner = world.data["github"]["organizations"].get(repository["owner"])
    if owner is None:
        return {}
    values, included = repository["custom_properties"], owner["oidc_properties"]
    added = {f"repo_property_{name}": values[name] for name in included if name in values}
    if owner["enterprise"]:
        added |= {"enterprise": owner["enterprise"]["slug"], "enterprise_id": str(owner["enterprise"]["id"])}
    return added


def enterprise_slugs(world: World) -> set[str]:
    """Return the slugs of all enterprises."""
    organizations = world.data["github"]["organizations"].values()
    return {each["enterprise"]["slug"] for each in organizations if each["enterprise"]}


def issuer_tail(world: World, owner: str) -> str:
    """Return what an owner's tokens have behind the issuer's name: ``/<slug>`` where the enterprise wants it."""
    found = world.data["github"]["organizations"].get(owner, {}).get("enterprise") or {}
    return f"/{found['slug']}" if found.get("include_enterprise_slug") else ""


def _values(_call: Call, repository: Data) -> Answer:
    values = repository["custom_properties"].items()
    return Answer(200, [{"property_name": name, "value": value} for name, value in sorted(values)])


def _included(call: Call) -> Answer:
    owner = organization(call, Need("organization_administration:read", scope="read:org"))
    source = {"inclusion_source": "organization"}
    return Answer(200, [{"custom_property_name": name, **source} for name in owner["oidc_properties"]])


def _include(call: Call) -> Answer:
    owner = organization(call, Need("organization_administration:write", scope="admin:org"))
    name = field(call, "custom_property_name", str, required=True)
    if name in owner["oidc_properties"]:
        raise refusal(422, "The custom property is already included.")
    owner["oidc_properties"].append(name)
    return Answer(201, {"custom_property_name": name, "inclusion_source": "organization"})


def _leave_out(call: Call) -> Answer:
    owner = organization(call, Need("organization_administration:write", scope="admin:org"))
    if call.params["property"] not in owner["oidc_properties"]:
        raise not_found()
    owner["oidc_properties"].remove(call.params["property"])
    return Answer(204)


ROUTES = (
    *on_repository(
        "GET", "/properties/values", _values, "A repository's custom properties", Need("metadata:read")
    ),
    Route("GET", _PATH, _included, "Custom properties that are in tokens"),
    Route("POST", _PATH, _include, "Put a custom property into tokens"),
    Route("DELETE", _PATH + "/{property}", _leave_out, "Leave a custom property out of tokens"),
)
