"""Checks of what YAML hands over: inputs of actions, variables, credentials of containers. One function a pattern.

Each looks at one text and says whether it is a credential; must not ask where it comes from.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trustsmith.migrate import names, patterns
from trustsmith.migrate.hits import Hit, is_given, is_minted, is_secret, whole_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trustsmith.migrate.repository import Spot
    from trustsmith.model.workflow import Step

_MICROSOFT = ("azure/", "microsoft/", "azuread/", "azure-samples/")
_CREDS = re.compile(r"(?:azure|arm|service[-_]?principal)?[-_]?cred(?:ential)?s?")
_CLIENT_SECRET = re.compile(r".*client[-_]?secret|.*service[-_]?principal[-_]?(?:key|password|secret)")
_TENANT = re.compile(r"(?:(?:azure|aad|arm)[-_]?)?tenant[-_]?id")
_AZURE = re.compile(r"(?:azure|aad|arm)[-_]?")
_STORAGE = re.compile(r".*(?:connection[-_]?string|account[-_]?key|access[-_]?key|sas[-_]?token)")
_REGISTRY = (
    "registry",
    "login-server",
    "registry-login-server",
    "registry-url",
    "docker-registry-url",
    "image",
)
_USER = ("username", "registry-username", "user")
_PASSWORD = re.compile(
    r"(?:registry|docker|docker-registry|acr|container-registry)?[-_]?(?:server[-_]?)?password"
)
#: Who signs in to a registry with a token of azure/login's sign-in has this name (Azure docs: az acr login).
NO_USER = "00000000-0000-0000-0000-000000000000"


def azure_login(spot: Spot) -> Iterator[Hit]:
    """What azure/login is given: `creds`, or a secret in an input that it does not have."""
    if spot.step is None or spot.step.action != "azure/login" or not is_given(spot.node.value):
        return
    if spot.input == "creds":
        yield _in_json(patterns.AZURE_LOGIN_CREDS, spot)
    elif _CLIENT_SECRET.fullmatch(spot.input) or spot.input == "password":
        yield whole_value(patterns.AZURE_LOGIN_CLIENT_SECRET, spot)


def action_creds(spot: Spot) -> Iterator[Hit]:
    """Other actions of Microsoft's that take a service principal as JSON."""
    if spot.step is None or spot.step.action == "azure/login" or not is_given(spot.node.value):
        return
    if not _CREDS.fullmatch(spot.input):
        return
    if spot.step.action.startswith(_MICROSOFT) or (_AZURE.match(spot.input) and not spot.step.local):
        yield _in_json(patterns.ACTION_CREDS, spot)


def action_client_secret(spot: Spot) -> Iterator[Hit]:
    """Actions that take a client secret of Entra: Microsoft's, and those that are told a tenant as well."""
    step = spot.step
    if step is None or step.local or step.action == "azure/login" or not _CLIENT_SECRET.fullmatch(spot.input):
        return
    has_tenant = any(_TENANT.fullmatch(name) for name in step.inputs)
    if step.action.startswith(_MICROSOFT) or _AZURE.match(spot.input) or has_tenant:
        yield whole_value(patterns.ACTION_CLIENT_SECRET, spot)


def publishing(spot: Spot) -> Iterator[Hit]:
    """Publish profiles, and the deployment tokens of static web apps."""
    if spot.input in {"publish-profile", "azure_static_web_apps_api_token"} and not is_minted(spot):
        yield whole_value(patterns.PUBLISH_CREDENTIAL, spot)


def storage(spot: Spot) -> Iterator[Hit]:
    """Keys and connection strings for actions that copy to a storage account."""
    step = spot.step
    if step is None or step.local or not _STORAGE.fullmatch(spot.input) or is_minted(spot):
        return
    if re.search(r"azure|blob|storage", step.action) and "sql" not in step.action:
        yield whole_value(patterns.STORAGE_KEY, spot)


def registry(spot: Spot) -> Iterator[Hit]:
    """Passwords of Azure container registries, in inputs of actions and in `credentials` of containers."""
    if not is_given(spot.node.value) or is_minted(spot):
        return
    if spot.step is not None and _PASSWORD.fullmatch(spot.input) and _signs_in_to_acr(spot, spot.step):
        yield whole_value(patterns.REGISTRY_PASSWORD, spot)
    if spot.job is not None and spot.path[-2:] == ("credentials", "password"):
        image = _neighbour(spot, "image")
        if names.of_registry(image.partition("/")[0]) or names.of_registry(spot.node.value):
            yield whole_value(patterns.REGISTRY_PASSWORD, spot)


def _signs_in_to_acr(spot: Spot, step: Step) -> bool:
    """Whether the registry of a step is one of Azure's, as far as it can be told."""
    if _value(step, *_USER) == NO_USER:
        return False
    address = _resolved(spot, _value(step, *_REGISTRY))
    if re.search(r"azurecr\.(io|us|cn)", address):
        return True
    if re.fullmatch(r"[\w-]+(\.[\w-]+)+(:\d+)?(/.*)?", address.removeprefix("https://")):
        return False
    if step.action.startswith(_MICROSOFT):
        return True
    about = [_value(step, *_REGISTRY), _value(step, *_USER), spot.node.value]
    return bool(address) and any(names.of_registry(text) for text in about)


def _value(step: Step, *inputs: str) -> str:
    return next((step.inputs[name].value.value for name in inputs if name in step.inputs), "")


def _resolved(spot: Spot, text: str) -> str:
    """A text with `${{ env.X }}` replaced by what the file says that X is."""
    variables: dict[str, str] = {}
    for holder in (spot.workflow, spot.job, spot.step):
        variables |= {name: pair.value.value for name, pair in (holder.env if holder else {}).items()}
    return re.sub(r"\$\{\{\s*env\.(\w+)\s*\}\}", lambda found: variables.get(found[1], found[0]), text)


def _neighbour(spot: Spot, name: str) -> str:
    """A text two levels up: the `image` whose `credentials` these are."""
    node = spot.workflow.root if spot.workflow else None
    for step in spot.path[:-2]:
        if node is None:
            return ""
        node = node.items[step] if isinstance(step, int) else node.get(step)
    return node.text(name) if node is not None else ""


def variables(spot: Spot) -> Iterator[Hit]:
    """Variables that tools read a credential from by themselves."""
    pattern = names.of_variable(spot.variable)
    if pattern and is_given(spot.node.value) and is_secret(spot.node.value):
        yield whole_value(pattern, spot)


def _in_json(pattern: str, spot: Spot) -> Hit:
    """Of a service principal that is put together as JSON, the secret in it; else the whole text."""
    text = spot.node.value
    found = re.search(r"clientSecret\\?[\"']?\s*:\s*\\?[\"']?(\$\{\{.*?\}\})", text)
    if found:
        return Hit(pattern=pattern, spot=spot, start=found.start(1), end=found.end(1))
    return whole_value(pattern, spot)


CHECKS: tuple[Callable[[Spot], Iterator[Hit]], ...] = (
    azure_login,
    action_creds,
    action_client_secret,
    publishing,
    storage,
    registry,
    variables,
)
