"""Entra ID's sign-in endpoints: discovery, keys, the token endpoint, the device code flow.

Answers and refusals as in the AADSTS reference and in captured traffic. It decides who gets a token; it
must not decide what the token opens (``graph`` and ``rbac`` do), and it never puts a credential that it
was shown into an answer.
"""

from __future__ import annotations

import base64
import json
import re
import uuid
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from trustsmith_sandbox import assertions, tokens
from trustsmith_sandbox.http import Answer, Call, Refusal, Route, Service

if TYPE_CHECKING:
    from trustsmith_sandbox.world import Data, World

_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DOMAIN = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_SHARED = ("common", "organizations")
_OIDC_SCOPES = {"openid", "profile", "offline_access"}
PUBLIC_CLIENTS = {
    "04b07795-8ddb-461a-bbee-02f9e1bf7b46": "Microsoft Azure CLI",
    "1950a258-227b-4e31-a9cf-717495945fc2": "Microsoft Azure PowerShell",
}
DEVICE_CODE_S = 900


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


def _tenant(call: Call, *, shared: bool = False) -> str:
    """Return the id of the tenant in the path (its GUID or a domain; ``common`` too when ``shared``)."""
    name = call.params["tenant"]
    if shared and name.lower() in _SHARED:
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


def discovery(call: Call) -> Answer:
    """Answer the tenant's OpenID configuration."""
    tenant = _tenant(call, shared=True)
    root = call.world.names.authority
    issuer = "{tenantid}" if tenant in _SHARED else tenant
    return Answer(
        body={
            "token_endpoint": f"{root}/{tenant}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
            "jwks_uri": f"{root}/{tenant}/discovery/v2.0/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": f"{root}/{issuer}/v2.0",
            "authorization_endpoint": f"{root}/{tenant}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{root}/{tenant}/oauth2/v2.0/devicecode",
            "end_session_endpoint": f"{root}/{tenant}/oauth2/v2.0/logout",
            "claims_supported": ["sub", "iss", "aud", "exp", "iat", "tid", "oid"],
            "cloud_instance_name": "microsoftonline.com",
            "msgraph_host": call.world.names.graph.removeprefix("https://"),
        }
    )


def instances(call: Call) -> Answer:
    """Answer MSAL's question whether the authority is one: it is, and it has no aliases."""
    host = call.world.names.authority.removeprefix("https://")
    configuration = f"{call.world.names.authority}/organizations/v2.0/.well-known/openid-configuration"
    entry = {"preferred_network": host, "preferred_cache": host, "aliases": [host]}
    return Answer(
        body={"tenant_discovery_endpoint": configuration, "api-version": "1.1", "metadata": [entry]}
    )


def keys(call: Call) -> Answer:
    """Answer the keys that tokens are signed with."""
    _tenant(call, shared=True)
    return Answer(body=tokens.entra_key(call.world).jwks())


def workload_discovery(call: Call) -> Answer:
    """Answer the configuration of the issuer that vouches for the operator."""
    issuer = call.world.names.workload_issuer
    return Answer(body={"issuer": issuer, "jwks_uri": issuer + "/keys"})


def workload_keys(call: Call) -> Answer:
    """Answer that issuer's keys."""
    return Answer(body=tokens.workload_key(call.world).jwks())


def operator_assertion(world: World, subject: str, audience: str) -> str:
    """Mint the token that the operator signs in with; it outlives any sandbox (ten years)."""
    now = int(world.now())
    claims = {
        "iss": world.names.workload_issuer,
        "sub": subject,
        "aud": audience,
        "iat": now,
        "nbf": now - 600,
        "exp": now + 10 * 365 * 86400,
    }
    return tokens.workload_key(world).sign(claims)


def _form(call: Call) -> dict[str, str]:
    fields = parse_qs(call.raw.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[-1] for name, values in fields.items()}


def _required(call: Call, form: dict[str, str], *names: str) -> None:
    for name in names:
        if not form.get(name):
            text = f"The request body must contain the following parameter: '{name}'."
            raise refuse(call, 900144, text, "invalid_request")


async def token(call: Call) -> Answer:
    """Exchange whatever the grant type says for an access token."""
    form = _form(call)
    tenant = _tenant(call, shared=True)
    _required(call, form, "grant_type", "client_id")
    grant = form["grant_type"]
    if grant == "client_credentials":
        return await _client_credentials(call, _tenant(call), form)
    if grant == _DEVICE_GRANT:
        return _device_token(call, form)
    if grant == "refresh_token":
        return _refresh(call, tenant, form)
    text = f"The grant type '{grant}' is not supported over the /common or /consumers endpoints or here."
    raise refuse(call, 70003, text, "unsupported_grant_type")


async def _client_credentials(call: Call, tenant: str, form: dict[str, str]) -> Answer:
    _required(call, form, "scope")
    app = _application(call, tenant, form["client_id"])
    resource = _resource(call, form["scope"])
    if form.get("client_assertion"):
        await _by_assertion(call, app, form)
    elif form.get("client_secret"):
        _by_secret(call, app, form["client_secret"])
    else:
        text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
        raise refuse(call, 7000218, text, "invalid_client", 401)
    principal = _service_principal(call, tenant, app)
    bearer = tokens.access_token(call.world, principal, tenant=tenant, app_id=app["appId"], resource=resource)
    return Answer(
        body=_granted(bearer), headers={"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"}
    )


def _granted(bearer: str) -> Data:
    lifetime = tokens.LIFETIME_S
    return {
        "token_type": "Bearer",
        "expires_in": lifetime,
        "ext_expires_in": lifetime,
        "access_token": bearer,
    }


def _application(call: Call, tenant: str, client_id: str) -> Data:
    for app in call.world.seen(call.world.data["applications"].values()):
        if app["appId"].lower() == client_id.lower() and app["tenantId"] == tenant:
            return app
    directory = call.world.data["tenants"][tenant]["displayName"]
    text = (
        f"Application with identifier '{client_id}' was not found in the directory '{directory}'. This can"
        " happen if the application has not been installed by the administrator of the tenant or consented"
        " to by any user in the tenant. You may have sent your authentication request to the wrong tenant."
    )
    raise refuse(call, 700016, text, "unauthorized_client")


def _service_principal(call: Call, tenant: str, app: Data) -> Data:
    for principal in call.world.seen(call.world.data["service_principals"].values()):
        if principal["appId"] == app["appId"] and principal["tenantId"] == tenant:
            if not principal["accountEnabled"]:
                text = f"Application '{app['appId']}'({app['displayName']}) is disabled."
                raise refuse(call, 7000112, text, "unauthorized_client")
            return principal
    text = f"The client application {app['appId']} is missing service principal in the tenant {tenant}."
    raise refuse(call, 7000229, text, "invalid_client", 401)


def _resource(call: Call, scope: str) -> str:
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


async def _by_assertion(call: Call, app: Data, form: dict[str, str]) -> None:
    if form.get("client_assertion_type") != _JWT_BEARER:
        text = "The request body must contain the following parameter: 'client_assertion_type'."
        raise refuse(call, 900144, text, "invalid_request")
    try:
        await assertions.check(call, app, form["client_assertion"])
    except assertions.AssertionRefused as reason:
        raise refuse(call, reason.code, reason.text, reason.error, reason.status) from None


def _by_secret(call: Call, app: Data, secret: str) -> None:
    held = [c for c in app.get("passwordCredentials", []) if c.get("_secretText") == secret]
    name = f"'{app['appId']}'({app['displayName']})"
    if not held:
        text = (
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret"
            f" value, not the client secret ID, for a secret added to app {name}."
        )
        raise refuse(call, 7000215, text, "invalid_client", 401)
    if all(datetime.fromisoformat(c["endDateTime"]).timestamp() <= call.world.now() for c in held):
        text = f"The provided client secret keys for app {name} are expired."
        raise refuse(call, 7000222, text, "invalid_client", 401)


def device_code(call: Call) -> Answer:
    """Start the device code flow; ``POST /_sandbox/devicecode`` plays the person who approves it."""
    tenant, form = _tenant(call, shared=True), _form(call)
    _required(call, form, "client_id", "scope")
    _public_client(call, form["client_id"])
    code = uuid.uuid4().hex
    entry: Data = {"user_code": code[:9].upper(), "tenant": tenant, "user": None, "client": form["client_id"]}
    entry |= {"scope": form["scope"], "expires": call.world.now() + DEVICE_CODE_S}
    _pending(call.world)[code] = entry
    page = f"{call.world.names.authority}/common/oauth2/deviceauth"
    message = f"To sign in, open the page {page} and enter the code {entry['user_code']} to authenticate."
    body = {"user_code": entry["user_code"], "device_code": code, "verification_uri": page}
    return Answer(body={**body, "expires_in": DEVICE_CODE_S, "interval": 1, "message": message})


def _pending(world: World) -> dict[str, Data]:
    return world.kept("device codes", dict)


def approve(world: World, user_name: str, user_code: str | None) -> int:
    """Let ``user_name`` approve one device code, or all that wait; returns how many. KeyError: no such user."""
    users = world.data["users"].values()
    user = next((u for u in users if u["userPrincipalName"].lower() == user_name.lower()), None)
    if user is None:
        raise KeyError(user_name)
    waiting = [e for e in _pending(world).values() if e["user"] is None]
    chosen = [e for e in waiting if user_code in {None, e["user_code"]}]
    for entry in chosen:
        entry["user"] = user["id"]
    return len(chosen)


def _public_client(call: Call, client_id: str) -> None:
    if client_id.lower() not in PUBLIC_CLIENTS:
        text = f"Application with identifier '{client_id}' was not found in the directory."
        raise refuse(call, 700016, text, "unauthorized_client")


def _device_token(call: Call, form: dict[str, str]) -> Answer:
    _required(call, form, "device_code")
    entry = _pending(call.world).get(form["device_code"])
    if entry is None or entry["expires"] <= call.world.now():
        text = "The device_code is expired, or it was never given out."
        raise refuse(call, 70020, text, "expired_token")
    if entry["user"] is None:
        text = "OAuth 2.0 device flow error. Authorization is pending. Continue polling."
        raise refuse(call, 70016, text, "authorization_pending")
    del _pending(call.world)[form["device_code"]]
    return _for_user(call, entry["user"], entry["client"], entry["scope"])


def _refresh(call: Call, tenant: str, form: dict[str, str]) -> Answer:
    _required(call, form, "refresh_token", "scope")
    _public_client(call, form["client_id"])
    held: dict[str, str] = call.world.kept("refresh tokens", dict)
    user = call.world.data["users"].get(held.get(form["refresh_token"], ""))
    if user is None or tenant not in {*_SHARED, user["tenantId"]}:
        text = "The refresh token is malformed, revoked, or for another tenant."
        raise refuse(call, 9002313, text, "invalid_grant")
    return _for_user(call, user["id"], form["client_id"], form["scope"])


def _for_user(call: Call, user_id: str, client: str, scope: str) -> Answer:
    user = call.world.data["users"][user_id]
    tenant, resource = user["tenantId"], _resource(call, scope)
    bearer = tokens.access_token(call.world, user, tenant=tenant, app_id=client, resource=resource)
    refresh = f"sandbox-refresh-{uuid.uuid4().hex}"
    held: dict[str, str] = call.world.kept("refresh tokens", dict)
    held[refresh] = user_id
    info = json.dumps({"uid": user_id, "utid": tenant}).encode()
    body = _granted(bearer) | {
        "scope": scope,
        "refresh_token": refresh,
        "id_token": _id_token(call, user, client),
    }
    return Answer(body=body | {"client_info": base64.urlsafe_b64encode(info).decode().rstrip("=")})


def _id_token(call: Call, user: Data, client: str) -> str:
    now = int(call.world.now())
    claims: Data = {
        "aud": client,
        "iss": f"{call.world.names.authority}/{user['tenantId']}/v2.0",
        "ver": "2.0",
    }
    claims |= {"iat": now, "nbf": now, "exp": now + tokens.LIFETIME_S, "oid": user["id"], "sub": user["id"]}
    claims |= {
        "tid": user["tenantId"],
        "preferred_username": user["userPrincipalName"],
        "name": user["displayName"],
    }
    return tokens.entra_key(call.world).sign(claims)


def _route(method: str, pattern: str, handler: object, summary: str) -> Route:
    return Route(method, pattern, handler, summary, public=True)  # type: ignore[arg-type]  # any of our handlers


SERVICE = Service(
    name="entra",
    hosts=("login.microsoftonline.com",),
    roots=("_workload",),
    parses=False,
    routes=(
        _route("GET", "/common/discovery/instance", instances, "MSAL's check that the authority is one"),
        _route("GET", "/{tenant}/v2.0/.well-known/openid-configuration", discovery, "OpenID configuration"),
        _route("GET", "/{tenant}/.well-known/openid-configuration", discovery, "the same, older path"),
        _route("GET", "/{tenant}/discovery/v2.0/keys", keys, "signing keys"),
        _route(
            "POST", "/{tenant}/oauth2/v2.0/token", token, "assertion, secret, device code or refresh token"
        ),
        _route("POST", "/{tenant}/oauth2/v2.0/devicecode", device_code, "start a device code sign-in"),
        _route(
            "GET", "/_workload/.well-known/openid-configuration", workload_discovery, "the operator's issuer"
        ),
        _route("GET", "/_workload/keys", workload_keys, "the operator's issuer's keys"),
    ),
)
