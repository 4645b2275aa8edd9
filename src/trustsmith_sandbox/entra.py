"""Entra ID's sign-in endpoints: discovery, keys, the token endpoint, the device code flow.

Answers and refusals as in the AADSTS reference and in captured traffic. It decides who gets a token; it
must not decide what the token opens (``graph`` and ``rbac`` do), and it never puts a credential that it
was shown into an answer.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from trustsmith_sandbox import assertions, tokens
from trustsmith_sandbox import entra_core as core
from trustsmith_sandbox import entra_users as users
from trustsmith_sandbox.http import Answer, Call, Route, Service

if TYPE_CHECKING:
    from trustsmith_sandbox.world import Data, World

_JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"


def discovery(call: Call) -> Answer:
    """Answer the tenant's OpenID configuration."""
    tenant = core.tenant_of(call, shared=True)
    root = call.world.names.authority
    issuer = "{tenantid}" if tenant in core.SHARED else tenant
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
    core.tenant_of(call, shared=True)
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


async def token(call: Call) -> Answer:
    """Exchange whatever the grant type says for an access token."""
    form = core.form_of(call)
    tenant = core.tenant_of(call, shared=True)
    core.required(call, form, "grant_type", "client_id")
    grant = form["grant_type"]
    if grant == "client_credentials":
        return await _client_credentials(call, core.tenant_of(call), form)
    if grant == _DEVICE_GRANT:
        return users.device_token(call, form)
    if grant == "refresh_token":
        return users.refresh(call, tenant, form)
    text = f"The grant type '{grant}' is not supported over the /common or /consumers endpoints or here."
    raise core.refuse(call, 70003, text, "unsupported_grant_type")


async def _client_credentials(call: Call, tenant: str, form: dict[str, str]) -> Answer:
    core.required(call, form, "scope")
    app = _application(call, tenant, form["client_id"])
    resource = core.resource_of(call, form["scope"])
    if form.get("client_assertion"):
        await _by_assertion(call, app, form)
    elif form.get("client_secret"):
        _by_secret(call, app, form["client_secret"])
    else:
        text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."
        raise core.refuse(call, 7000218, text, "invalid_client", 401)
    principal = _service_principal(call, tenant, app)
    bearer = tokens.access_token(call.world, principal, tenant=tenant, app_id=app["appId"], resource=resource)
    return Answer(
        body=core.granted(bearer), headers={"Cache-Control": "no-store, no-cache", "Pragma": "no-cache"}
    )


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
    raise core.refuse(call, 700016, text, "unauthorized_client")


def _service_principal(call: Call, tenant: str, app: Data) -> Data:
    for principal in call.world.seen(call.world.data["service_principals"].values()):
        if principal["appId"] == app["appId"] and principal["tenantId"] == tenant:
            if not principal["accountEnabled"]:
                text = f"Application '{app['appId']}'({app['displayName']}) is disabled."
                raise core.refuse(call, 7000112, text, "unauthorized_client")
            return principal
    text = f"The client application {app['appId']} is missing service principal in the tenant {tenant}."
    raise core.refuse(call, 7000229, text, "invalid_client", 401)


async def _by_assertion(call: Call, app: Data, form: dict[str, str]) -> None:
    if form.get("client_assertion_type") != _JWT_BEARER:
        text = "The request body must contain the following parameter: 'client_assertion_type'."
        raise core.refuse(call, 900144, text, "invalid_request")
    try:
        await assertions.check(call, app, form["client_assertion"])
    except assertions.AssertionRefused as reason:
        raise core.refuse(call, reason.code, reason.text, reason.error, reason.status) from None


def _by_secret(call: Call, app: Data, secret: str) -> None:
    held = [c for c in app.get("passwordCredentials", []) if c.get("_secretText") == secret]
    name = f"'{app['appId']}'({app['displayName']})"
    if not held:
        text = (
            "Invalid client secret provided. Ensure the secret being sent in the request is the client secret"
            f" value, not the client secret ID, for a secret added to app {name}."
        )
        raise core.refuse(call, 7000215, text, "invalid_client", 401)
    if all(datetime.fromisoformat(c["endDateTime"]).timestamp() <= call.world.now() for c in held):
        text = f"The provided client secret keys for app {name} are expired."
        raise core.refuse(call, 7000222, text, "invalid_client", 401)


def _route(method: str, pattern: str, handler: object, summary: str) -> Route:
    return Route(method, pattern, handler, summary, public=True)  # type: ignore[arg-type]  # any of our handlers


SERVICE = Service(
    name="entra",
    hosts=("login.microsoftonline.com",),
    roots=("_workload",),
    read=None,
    routes=(
        _route(
            "GET", "/_workload/.well-known/openid-configuration", workload_discovery, "the operator's issuer"
        ),
        _route("GET", "/_workload/keys", workload_keys, "the operator's issuer's keys"),
        _route("GET", "/common/discovery/instance", instances, "MSAL's check that the authority is one"),
        _route("GET", "/{tenant}/v2.0/.well-known/openid-configuration", discovery, "OpenID configuration"),
        _route("GET", "/{tenant}/.well-known/openid-configuration", discovery, "the same, older path"),
        _route("GET", "/{tenant}/discovery/v2.0/keys", keys, "signing keys"),
        _route(
            "POST", "/{tenant}/oauth2/v2.0/token", token, "assertion, secret, device code or refresh token"
        ),
        _route("POST", "/{tenant}/oauth2/v2.0/devicecode", users.device_code, "start a device code sign-in"),
    ),
)
