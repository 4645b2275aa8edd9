"""What the token endpoint's grants share: refusals with AADSTS numbers, tenants, forms, resources.

It must not grant anything.
"""

from __future__ import annotations

import re
import uuid
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from trustsmith_sandbox import tokens
from trustsmith_sandbox.http import Answer, Call, Refusal

if TYPE_CHECKING:
    from trustsmith_sandbox.world import Data

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_OIDC_SCOPES = {"openid", "profile", "offline_access"}
SHARED = ("common", "organizations")


def refuse(call: Call, code: int, text: str, error: str, status: int = 400) -> Refusal:
    """Return the refusal in Entra's envelope: everything a client may parse, in text and in fields."""
    trace = str(uuid.uuid4())
    asked = call.headers.get("client-request-id", "")
    correlation = asked if _GUID.fullmatch(asked) else str(uuid.uuid4())
    stamp = call.world.stamp().replace("T", " ")
    described = f"AADSTS{code}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {stamp}"
    body = {
        "error": error,
        "error_description": described,
        "error_codes": [code],
        "timestamp": stamp,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"{call.world.names.authority}/error?code={code}",
    }
    return Refusal(Answer(status, body, {"Cache-Control": "no-store, no-cache"}))


def tenant_of(call: Call, *, shared: bool = False) -> str:
    """Return the id of the tenant in the path (its GUID or a domain; ``common`` too when ``shared``)."""
    name = call.params["tenant"]
    if shared and name.lower() in SHARED:
        return name.lower()
    if not (_GUID.fullmatch(name) or _DOMAIN.fullmatch(name)):
        text = (
            f"Specified tenant identifier '{name}' is neither a valid DNS name, nor a valid external domain."
        )
        raise refuse(call, 900023, text, "invalid_request")
    for tenant in call.world.data["tenants"].values():
        if name.lower() in {tenant["tenantId"].lower(), tenant["defaultDomain"].lower()}:
            found: str = tenant["tenantId"]
            return found
    text = (
        f"Tenant '{name}' not found. Check to make sure you have the correct tenant ID and are signing into"
        " the correct cloud. Check with your subscription administrator, this may happen if there are no"
        " active subscriptions for the tenant."
    )
    raise refuse(call, 90002, text, "invalid_request")


def form_of(call: Call) -> dict[str, str]:
    """Return the form in the body; the last of repeated fields counts."""
    fields = parse_qs(call.raw.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in fields.items()}


def required(call: Call, form: dict[str, str], *names: str) -> None:
    """Raise 900144 for the first field that is absent or empty."""
    for name in names:
        if not form.get(name):
            text = f"The request body must contain the following parameter: '{name}'."
            raise refuse(call, 900144, text, "invalid_request")


def granted(bearer: str) -> Data:
    """Return the body of a successful answer."""
    lifetime = tokens.LIFETIME_S
    return {
        "token_type": "Bearer",
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": bearer,
    }


def resource_of(call: Call, scope: str) -> str:
    """Return the resource that ``{resource}/.default`` names; it must be one that the sandbox has."""
    wanted = [part for part in scope.split() if part not in _OIDC_SCOPES]
    if len(wanted) != 1 or not wanted[0].endswith("/.default"):
        text = (
            f"The provided value for the input parameter 'scope' isn't valid. The scope {scope} is not valid."
        )
        raise refuse(call, 70011, text, "invalid_scope")
    resource = wanted[0].removesuffix("/.default")
    if call.world.names.service_of(resource) is None:
        text = (
            f"The resource principal named {resource} was not found in the tenant named"
            f" {call.params['tenant']}. This can happen if the application has not been installed by the"
            " administrator of the tenant or consented to by any user in the tenant. You might have sent your"
            " authentication request to the wrong tenant."
        )
        raise refuse(call, 500011, text, "invalid_resource")
    return resource
