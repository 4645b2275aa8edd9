"""Entra's own tokens: minted with one key, and checked again when they come back as bearers.

It must not decide who gets a token (``entra`` does) nor what a caller may do (``graph``, ``rbac``).
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from trustsmith_sandbox import directory_roles

if TYPE_CHECKING:
    from trustsmith_sandbox.http import Call
    from trustsmith_sandbox.world import Data, World

LIFETIME_S = 3599
_REMEMBERED_TOKENS = 512
# What Azure CLI's own client is consented to, as far as it matters here (reference "Microsoft Graph", A.6).
_GRAPH_SCOPES = (
    "Application.ReadWrite.All AppRoleAssignment.ReadWrite.All Directory.AccessAsUser.All Group.ReadWrite.All"
    " User.Read.All"
)


@dataclass(frozen=True)
class SigningKey:
    """An RSA key pair with the key id that its JWKS publishes."""

    private: rsa.RSAPrivateKey
    kid: str

    def sign(self, claims: Data) -> str:
        """Return ``claims`` as a compact RS256 JWT."""
        return jwt.encode(claims, self.private, algorithm="RS256", headers={"kid": self.kid})

    def jwks(self) -> Data:
        """Return the public half as a JSON Web Key Set."""
        key = json.loads(RSAAlgorithm.to_jwk(self.private.public_key()))
        return {"keys": [{**key, "kid": self.kid, "use": "sig", "alg": "RS256", "key_ops": ["verify"]}]}


def new_key(name: str) -> SigningKey:
    """Make a 2048-bit key; ``name`` is the start of its key id."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return SigningKey(private, f"{name}-{uuid.uuid4().hex[:12]}")


def entra_key(world: World) -> SigningKey:
    """Return the key that signs access and id tokens."""
    return world.kept("entra key", lambda: new_key("entra"))


def workload_key(world: World) -> SigningKey:
    """Return the key of the issuer that vouches for the sandbox's own workloads (the operator)."""
    return world.kept("workload key", lambda: new_key("workload"))


@dataclass(frozen=True)
class Principal:
    """Who calls: ``kind`` is ``app`` or ``user``; ``object_id`` is what Graph and role assignments call it.

    ``permissions``: an application's, as they were when it got its token.
    """

    object_id: str
    tenant: str
    kind: str
    app_id: str
    service: str | None
    expires: float
    permissions: frozenset[str] = frozenset()


def access_token(world: World, who: Data, *, tenant: str, app_id: str, resource: str) -> str:
    """Mint a bearer for ``resource``; ``who`` is a service principal or (with userPrincipalName) a user."""
    now = int(world.now())
    user = "userPrincipalName" in who
    claims: Data = {
        "aud": resource,
        "iss": f"https://sts.windows.net/{tenant}/",
        "iat": now,
        "nbf": now,
        "exp": now + LIFETIME_S,
        "appid": app_id,
        "oid": who["id"],
        "sub": who["id"],
        "tid": tenant,
        "uti": uuid.uuid4().hex,
        "ver": "1.0",
        "idtyp": "user" if user else "app",
    }
    if user:
        graph = world.names.service_of(resource) == "graph"
        claims |= {"upn": who["userPrincipalName"], "name": who["displayName"]}
        claims["scp"] = _GRAPH_SCOPES if graph else "user_impersonation"
        claims |= {"wids": directory_roles.template_ids(world, who)} if graph else {}
    else:
        claims["roles"] = who.get("graphPermissions", [])
    return entra_key(world).sign(claims)


def bearer(call: Call, service: str) -> Principal | str:
    """Return who the ``Authorization`` header speaks for, or (as text) why the token is no good here."""
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        return "missing"
    known: dict[str, Principal] = call.world.kept("bearers", dict)
    if token not in known:
        try:
            claims = jwt.decode(
                token,
                entra_key(call.world).private.public_key(),
                algorithms=["RS256"],
                # Time and audience are judged below, by the world's clock and per service.
                options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False},
            )
        except jwt.InvalidTokenError:
            return "malformed"
        if len(known) >= _REMEMBERED_TOKENS:
            known.clear()
        known[token] = _principal(call.world, claims)
    return _fitting(call.world, known[token], service)


def _principal(world: World, claims: dict[str, Any]) -> Principal:
    return Principal(
        claims["oid"],
        claims["tid"],
        claims["idtyp"],
        claims["appid"],
        world.names.service_of(claims["aud"]),
        claims["exp"],
        frozenset(claims.get("roles") or ()),
    )


def _fitting(world: World, who: Principal, service: str) -> Principal | str:
    if who.expires <= world.now():
        return "expired"
    return who if who.service == service else "audience"
