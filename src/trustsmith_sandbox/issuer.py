"""GitHub's OIDC issuer: discovery, key set, and the tokens that a job asks for.

A job's request token is a JWT of our own that carries the job's claims, so nothing is stored; it is signed
with another key and another algorithm, and no relying party could take it for an identity token. What the
claims are is decided in ``actions`` when the job starts; here they must only be dated, addressed and signed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt

from trustsmith_sandbox import github_properties, keys
from trustsmith_sandbox.http import Answer, Refusal, Route, Service

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trustsmith_sandbox.http import Call
    from trustsmith_sandbox.world import World

LIFETIME = 300  # seconds, as GitHub's tokens live
_BACKDATED = 600  # seconds before ``iat`` that ``nbf`` says, as GitHub's tokens do
_JOB_LIFETIME = 6 * 3600  # seconds: the longest a hosted job may run
_CLAIMS = [
    "sub",
    "aud",
    "exp",
    "iat",
    "iss",
    "jti",
    "nbf",
    "ref",
    "sha",
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "repository_visibility",
    "run_id",
    "run_number",
    "run_attempt",
    "runner_environment",
    "actor",
    "actor_id",
    "workflow",
    "workflow_ref",
    "workflow_sha",
    "job_workflow_ref",
    "job_workflow_sha",
    "head_ref",
    "base_ref",
    "event_name",
    "ref_type",
    "ref_protected",
    "environment",
    "environment_node_id",
    "enterprise",
    "enterprise_id",
    "check_run_id",
]


def request_variables(world: World, claims: Mapping[str, Any]) -> dict[str, str]:
    """Return the two variables that a runner gives to a job whose claims these are.

    ``claims`` lacks ``iss``, ``aud``, ``jti`` and the times: they are added when a token is asked for.
    """
    job = {"job": dict(claims), "exp": int(world.now()) + _JOB_LIFETIME}
    token = jwt.encode(job, keys.process_secret(world), algorithm="HS256")
    url = f"{world.names.issuer}/token/{claims['run_id']}?api-version=2.0"
    return {"ACTIONS_ID_TOKEN_REQUEST_URL": url, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": token}


def mint(world: World, claims: Mapping[str, Any], audience: str) -> str:
    """Return a signed identity token for the audience, valid from now for ``LIFETIME`` seconds."""
    now = int(world.now())
    dated = {"iat": now, "nbf": now - _BACKDATED, "exp": now + LIFETIME, "jti": world.guid()}
    named = world.names.issuer + github_properties.issuer_tail(world, claims["repository_owner"])
    return keys.issuer_key(world).sign({**claims, **dated, "iss": named, "aud": audience})


def _refuse(status: int, message: str) -> Refusal:
    return Refusal(Answer(status, {"message": message}))


def _token(call: Call) -> Answer:
    claims = _job(call)
    audience = call.query.get("audience") or f"{call.world.names.github_web}/{claims['repository_owner']}"
    if not claims.get("sub"):
        raise _refuse(400, "environment is required and must be provided")
    token = mint(call.world, claims, audience)
    return Answer(200, {"count": len(token), "value": token})


def _job(call: Call) -> dict[str, Any]:
    """Return the claims of the job that asks. Raises 401 for anything that is not a current request token."""
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    try:
        options: Any = {"verify_exp": False}  # the world's clock may be ahead of ours
        job = jwt.decode(token, keys.process_secret(call.world), algorithms=["HS256"], options=options)
    except jwt.InvalidTokenError:
        raise _refuse(401, "The request token is not valid.") from None
    current = job["exp"] > call.world.now() and job["job"]["run_id"] == call.params["run"]
    if scheme.lower() != "bearer" or not current:
        raise _refuse(401, "The request token is not valid for this job.")
    claims: dict[str, Any] = job["job"]
    return claims


def _discovery(call: Call) -> Answer:
    issuer = call.world.names.issuer + _enterprise(call)
    body = {
        "issuer": issuer,
        "jwks_uri": f"{issuer}/.well-known/jwks",
        "subject_types_supported": ["public", "pairwise"],
        "response_types_supported": ["id_token"],
        "claims_supported": _CLAIMS,
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid"],
    }
    return Answer(200, body)


def _enterprise(call: Call) -> str:
    """Return the tail of the issuer that is asked about. Raises 404 for an enterprise that there is not."""
    slug = call.params.get("enterprise")
    if slug is not None and slug not in github_properties.enterprise_slugs(call.world):
        raise _refuse(404, "There is no such enterprise.")
    return "" if slug is None else f"/{slug}"


def _key_set(call: Call) -> Answer:
    _enterprise(call)
    return Answer(200, {"keys": [keys.issuer_key(call.world).public()]})


SERVICE = Service(
    name="issuer",
    routes=(
        Route("GET", "/.well-known/openid-configuration", _discovery, "Discovery document", public=True),
        Route("GET", "/.well-known/jwks", _key_set, "Key set", public=True),
        Route(
            "GET",
            "/{enterprise}/.well-known/openid-configuration",
            _discovery,
            "Discovery of an enterprise's own issuer",
            public=True,
        ),
        Route("GET", "/{enterprise}/.well-known/jwks", _key_set, "Key set, the same", public=True),
        Route("GET", "/token/{run}", _token, "Identity token for a job", public=True),
    ),
    roots=("_services",),
    hosts=("token.actions.githubusercontent.com",),
    mounts=("/_services/token", ""),
)
