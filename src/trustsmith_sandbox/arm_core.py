"""What Resource Manager's routes share: refusals, who calls, api-versions, and finding things by id.

Ids are compared without regard to case and answered as they were stored. It must not know the routes.
"""

from __future__ import annotations

import dataclasses
import json
import re
from typing import TYPE_CHECKING, Any

from trustsmith_sandbox import rbac, tokens
from trustsmith_sandbox.http import Answer, Call, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trustsmith_sandbox.world import Data

_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-[a-z]+)?", re.IGNORECASE)
_LENIENT = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*")|(?P<name>[A-Za-z_$][\w$]*)(?=\s*:)|//[^\n]*|/\*.*?\*/|,(?=\s*[}\]])""",
    re.DOTALL,
)
_ID_OF_SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)", re.IGNORECASE)
PROJECTS = "Microsoft.CognitiveServices/accounts/projects"
ACCOUNTS = "Microsoft.CognitiveServices/accounts"
MODELS = "Microsoft.CognitiveServices/accounts/deployments"
TABLES = ("resource_groups", "accounts", "projects", "model_deployments", "resources")


def read_json(raw: bytes) -> Any:
    """Return a body as ARM reads one: comments, commas too many and names without quotes are no matter.

    Azure CLI sends templates as their files are, and names them ``template`` without quotes. Raises ``ValueError``.
    """
    return json.loads(_LENIENT.sub(_strict, raw.decode()))


def _strict(found: re.Match[str]) -> str:
    if found["name"]:
        return f'"{found["name"]}"'
    return found["text"] or " "


def refuse(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> Refusal:
    """Return the refusal in ARM's envelope."""
    return Refusal(Answer(status, {"error": {"code": code, "message": message}}, headers or {}))


def authenticate(call: Call) -> tokens.Principal:
    """Return the caller; raises 401 for a bad token or another tenant's, 400 and 404 for a bad request line."""
    who = tokens.bearer(call, "arm")
    if not isinstance(who, tokens.Principal):
        raise _unauthenticated(call, who)
    _check_version(call)
    _check_subscription(call, who)
    return who


def _unauthenticated(call: Call, why: str) -> Refusal:
    code, text = {
        "missing": ("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."),
        "expired": ("ExpiredAuthenticationToken", "The access token expiry time has passed."),
        "audience": (
            "InvalidAuthenticationTokenAudience",
            "The access token has been obtained for wrong audience or resource.",
        ),
    }.get(why, ("InvalidAuthenticationToken", "The access token is invalid."))
    challenge = f'Bearer authorization_uri="{call.world.names.authority}/common", error="invalid_token"'
    return refuse(401, code, text, {"WWW-Authenticate": challenge})


def version(call: Call) -> str:
    """Return the request's api-version."""
    return str(next((v for k, v in call.query.items() if k.lower() == "api-version"), ""))


def _check_version(call: Call) -> None:
    asked = version(call)
    if not asked:
        text = "The api-version query parameter (?api-version=) is required for all requests."
        raise refuse(400, "MissingApiVersionParameter", text)
    if not _VERSION.fullmatch(asked):
        raise refuse(400, "InvalidApiVersionParameter", f"The api-version '{asked}' is invalid.")


def _check_subscription(call: Call, who: tokens.Principal) -> None:
    found = _ID_OF_SUBSCRIPTION.match(call.path)
    if found is None:
        return
    subscription = call.world.data["subscriptions"].get(found[1].lower())
    if subscription is None:
        raise refuse(404, "SubscriptionNotFound", f"The subscription '{found[1]}' could not be found.")
    home = subscription["tenantId"]
    if home != who.tenant:
        text = (
            f"The access token is from the wrong issuer 'https://sts.windows.net/{who.tenant}/'. It must match"
            f" the tenant 'https://sts.windows.net/{home}/' associated with this subscription. Please use the"
            f" authority (URL) 'https://login.windows.net/{home}' to get the token."
        )
        challenge = f'Bearer authorization_uri="{call.world.names.authority}/{home}", error="invalid_token"'
        raise refuse(401, "InvalidAuthenticationTokenTenant", text, {"WWW-Authenticate": challenge})


def may(call: Call, action: str, scope: str, attributes: Mapping[str, str] | None = None) -> bool:
    """Whether the caller's role assignments permit the action."""
    return rbac.allowed(call.world, call.caller.object_id, action, scope, attributes=attributes)


def require(call: Call, action: str, scope: str, attributes: Mapping[str, str] | None = None) -> None:
    """Raise ARM's 403 unless the caller may."""
    if may(call, action, scope, attributes):
        return
    who = f"The client '{name_of(call)}' with object id '{call.caller.object_id}'"
    denied = rbac.denial(call.world, call.caller.object_id, action, scope)
    if denied is not None:
        name = denied["properties"]["denyAssignmentName"]
        text = (
            f"{who} has permission to perform action '{action}' on scope '{scope}'; however, the access is denied"
            f" because of the deny assignment with name '{name}' and Id '{denied['name']}' at scope"
            f" '{denied['properties']['scope']}'."
        )
        raise refuse(403, "DenyAssignmentAuthorizationFailed", text)
    text = (
        f"{who} does not have authorization to perform action '{action}' over scope '{scope}' or the scope is"
        " invalid. If access was recently granted, please refresh your credentials."
    )
    raise refuse(403, "AuthorizationFailed", text)


def name_of(call: Call) -> str:
    """Return how ARM names the caller: an application by its client id, a person by their name."""
    user = call.world.data["users"].get(call.caller.object_id, {})
    return str(user.get("userPrincipalName", call.caller.app_id))


def resource(call: Call, resource_id: str) -> Data | None:
    """Return the subscription or what is in it that has the id, if there is one."""
    key = "/" + resource_id.strip("/").lower()
    parts = key.split("/")
    if len(parts) == 3:  # noqa: PLR2004 - /subscriptions/{id}
        found: Data | None = call.world.data["subscriptions"].get(parts[2])
        return found
    things = (call.world.data[table].get(key) for table in TABLES)
    return next((thing for thing in things if thing is not None and call.world.visible(thing)), None)


def existing(call: Call, resource_id: str) -> Data:
    """Return what has that id; raises ARM's 404 for the first thing on the way that does not exist."""
    found = resource(call, resource_id)
    if found is not None:
        return found
    parts = resource_id.strip("/").split("/")
    if len(parts) >= 4 and resource(call, "/".join(parts[:4])) is None:  # noqa: PLR2004 - …/resourceGroups/{name}
        raise refuse(404, "ResourceGroupNotFound", f"Resource group '{parts[3]}' could not be found.")
    kind = "/".join([parts[5], *parts[6::2]]) if len(parts) > 6 else "Resource"  # noqa: PLR2004 - …/providers/{ns}/{type}
    name = "/".join(parts[7::2])
    text = (
        f"The Resource '{kind}/{name}' under resource group '{parts[3] if len(parts) > 3 else ''}' was not found."  # noqa: PLR2004 - as above
        " For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    )
    raise refuse(404, "ResourceNotFound", text)


def body(call: Call) -> Data:
    """Return the request's JSON object; raises 400."""
    if not isinstance(call.body, dict):
        raise refuse(
            400, "InvalidRequestContent", "The request content was invalid and could not be deserialized."
        )
    return call.body


def shown(thing: Data) -> Data:
    """Return a resource as ARM answers it: without what is ours alone."""
    return {key: value for key, value in thing.items() if not key.startswith("_")}


def listed(things: list[Data]) -> Answer:
    """Answer a list that fits one page."""
    return Answer(body={"value": [shown(thing) for thing in things]})


def finish(call: Call, answer: Answer) -> Answer:
    """Add the headers that every answer of ARM carries."""
    request = call.world.guid()
    headers: dict[str, Any] = {
        "x-ms-request-id": request,
        "x-ms-correlation-request-id": call.headers.get("x-ms-correlation-request-id", request),
        "Cache-Control": "no-cache",
        "x-ms-ratelimit-remaining-subscription-global-reads": "3749",
    }
    exists = call.method == "HEAD" and answer.status == 200  # noqa: PLR2004 - ARM says 204 when asked only whether
    status = 204 if exists else answer.status
    return dataclasses.replace(answer, status=status, headers={**headers, **answer.headers})
