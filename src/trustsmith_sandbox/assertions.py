"""Client assertions against federated credentials: what Entra checks when a workload shows its own token.

The issuer's discovery document and keys are fetched over HTTPS by URL, and the signature, the times, the
issuer, the audience and the subject are compared here, byte for byte. It must not mint anything, and it
never calls a host that is not this sandbox.
"""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import jwt

if TYPE_CHECKING:
    from trustsmith_sandbox.http import Call
    from trustsmith_sandbox.world import Data, World

KEYS_LIVE_S = 300.0
OWN_REQUEST = "x-sandbox-own-request"
"""Header of the sandbox's requests to itself: they get neither latency nor faults, and are not logged."""

_ADVICE = (
    " Check your federated identity credential Subject, Audience and Issuer against the presented assertion."
    " https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
)
_CASE_ADVICE = (
    " The subject matches with case-insensitive comparison, but not with case-sensitive comparison. Check"
    " your federated identity credential Subject, Audience and Issuer against the presented assertion. See"
    " documentation at: https://learn.microsoft.com/entra/workload-id/workload-identity-federation. See"
    " breaking change notification and remediation at:"
    " https://learn.microsoft.com/en-us/entra/identity-platform/reference-breaking-changes#august-2024."
)


class AssertionRefused(Exception):
    """Why the assertion is no good: an AADSTS number, its text, and the OAuth error and status to send."""

    def __init__(self, code: int, text: str, error: str = "invalid_client", status: int = 401) -> None:
        super().__init__(text)
        self.code, self.text, self.error, self.status = code, text, error, status


async def check(call: Call, app: Data, assertion: str) -> None:
    """Raise ``AssertionRefused`` unless ``assertion`` is what one of the application's credentials trusts."""
    header, claims = _read(assertion)
    credentials = call.world.seen(app.get("federatedIdentityCredentials", []))
    if not credentials:
        raise AssertionRefused(
            70025,
            f"The client '{app['appId']}'({app['displayName']}) has no configured federated identity"
            " credentials.",
        )
    _match(credentials, claims)
    await _verify(call.world, assertion, header, claims)
    _within_time(call.world, claims)


def _read(assertion: str) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        header = jwt.get_unverified_header(assertion)
        claims = jwt.decode(assertion, options={"verify_signature": False})
    except jwt.InvalidTokenError:
        text = "JWT token is invalid or malformed."
        raise AssertionRefused(50027, text, "invalid_request", 400) from None
    return header, claims


def _audiences(claims: dict[str, Any]) -> list[str]:
    aud = claims.get("aud", [])
    return [aud] if isinstance(aud, str) else list(aud)


def _match(credentials: list[Data], claims: dict[str, Any]) -> None:
    issuer, subject, audiences = claims.get("iss"), claims.get("sub"), _audiences(claims)
    trusted = [c for c in credentials if c["issuer"] == issuer]
    if not trusted:
        raise AssertionRefused(700211, _no_match("issuer", issuer) + _ADVICE)
    named = [c for c in trusted if c["subject"] == subject]
    if not named:
        raise _subject_refused(trusted, str(subject))
    if not any(c["audiences"][0] in audiences for c in named):
        raise AssertionRefused(700212, _no_match("audience", ", ".join(audiences)) + _ADVICE)


def _subject_refused(trusted: list[Data], subject: str) -> AssertionRefused:
    text = _no_match("subject", subject)
    if any((c["subject"] or "").lower() == subject.lower() for c in trusted):
        return AssertionRefused(7002138, text + _CASE_ADVICE)
    return AssertionRefused(700213, text + _ADVICE)


def _no_match(what: str, value: object) -> str:
    return f"No matching federated identity record found for presented assertion {what} '{value}'."


def _within_time(world: World, claims: dict[str, Any]) -> None:
    now, start, end = world.now(), claims.get("nbf", 0), claims.get("exp", 0)
    if not start <= now < end:
        current, first, last = (datetime.fromtimestamp(t, UTC).isoformat() for t in (now, start, end))
        text = (
            f"Client assertion is not within its valid time range. Current time: {current}, assertion valid"
            f" from {first}, expiry time of assertion {last}."
        )
        raise AssertionRefused(700024, text)


async def _verify(world: World, assertion: str, header: dict[str, Any], claims: dict[str, Any]) -> None:
    key = await issuers(world).key(world, claims["iss"], str(header.get("kid")))
    if key is None or not _signed(assertion, key):
        raise AssertionRefused(700027, "Client assertion failed signature validation.")


def _signed(assertion: str, key: jwt.PyJWK) -> bool:
    unchecked = {f"verify_{claim}": False for claim in ("exp", "nbf", "iat", "aud")}
    try:
        jwt.decode(assertion, key, algorithms=["RS256"], options=unchecked)  # type: ignore[arg-type]  # a TypedDict
    except (jwt.InvalidTokenError, jwt.InvalidKeyError):
        return False
    return True


@dataclass
class Issuers:
    """The keys of the issuers asked so far, for ``KEYS_LIVE_S`` seconds, and the client to ask with."""

    keys: dict[str, tuple[float, dict[str, jwt.PyJWK]]] = field(default_factory=dict)
    client: httpx.AsyncClient | None = None

    async def key(self, world: World, issuer: str, kid: str) -> jwt.PyJWK | None:
        """Return the issuer's key of that id; raises ``AssertionRefused`` when the issuer cannot be asked."""
        until, keys = self.keys.get(issuer, (0.0, {}))
        if until < time.monotonic() or kid not in keys:
            keys = await self.ask(world, issuer)
        return keys.get(kid)

    async def ask(self, world: World, issuer: str) -> dict[str, jwt.PyJWK]:
        """Fetch an issuer's keys, and remember them; raises as ``key`` does."""
        keys = await self._fetch(world, issuer)
        self.keys[issuer] = (time.monotonic() + KEYS_LIVE_S, keys)
        return keys

    async def _fetch(self, world: World, issuer: str) -> dict[str, jwt.PyJWK]:
        try:
            found = await self._get(world, issuer + "/.well-known/openid-configuration")
            keys = (await self._get(world, found["jwks_uri"]))["keys"] if found["issuer"] == issuer else []
            return {key["kid"]: jwt.PyJWK(key) for key in keys}
        except (httpx.HTTPError, ValueError, KeyError, TypeError, jwt.PyJWTError):
            raise _unreachable(issuer) from None

    async def _get(self, world: World, url: str) -> Any:
        own = urlsplit(world.names.origin)
        asked = urlsplit(url)
        if asked.scheme != "https" or asked.netloc not in {own.netloc, urlsplit(world.names.issuer).netloc}:
            raise _unreachable(url)
        # The production names are ours, but they may not resolve to us from here: go by our own address.
        target = f"{world.names.origin}{asked.path}"
        if self.client is None:
            trust = ssl.create_default_context(cafile=world.kept("ca file", str))
            self.client = httpx.AsyncClient(verify=trust, timeout=10, trust_env=False)
        headers = {"host": asked.netloc, OWN_REQUEST: world.kept("own request", str)}
        answer = await self.client.get(target, headers=headers)
        return answer.raise_for_status().json()

    async def close(self) -> None:
        """Close the client's connections."""
        if self.client is not None:
            await self.client.aclose()


def issuers(world: World) -> Issuers:
    """Return the world's one memory of issuers."""
    return world.kept("issuers", Issuers)


def _unreachable(issuer: str) -> AssertionRefused:
    text = f"Request to External OIDC endpoint failed. Issuer: '{issuer}'."
    return AssertionRefused(50166, text, "invalid_request", 400)
