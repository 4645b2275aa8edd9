"""Who is signed in to Azure: one credential and one token cache for the whole process.

Azure CLI starts a process for each token and the SDKs ask for one with each request, so tokens are cached
here, and asked for once however many ask at the same time. The chain is explicit; azure-identity's default
chain is not used, because on a laptop it tries a managed identity first. No token is ever shown or logged.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import os
import threading
import time
import uuid
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

from trustsmith import aadsts
from trustsmith.clients import tls
from trustsmith.clients.prefetch import load
from trustsmith.clients.transport import CONNECT_TIMEOUT, READ_TIMEOUT
from trustsmith.errors import NotSignedIn, ServiceError, TrustsmithError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import requests
    from azure.core.credentials import AccessToken, AccessTokenInfo

    from trustsmith.clients.endpoints import Endpoints

Method = Literal["auto", "browser", "device-code"]

WORKLOAD_VARIABLES = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE")
_REFRESH_BEFORE = 120.0  # seconds; longer than any operation's deadline leaves between token and use
_CLI_TIMEOUT = 30
_TOO_MANY = 429
_SERVER_ERROR = 500


class _Source(Protocol):
    def get_token(self, *scopes: str, claims: str | None = None, **kwargs: Any) -> AccessToken: ...


class Credentials:
    """The process's sign-in: make one, and hand it to every client.

    tenant: the tenant that tokens must be of, or None to take whatever the sign-in has.
    method: "auto" (workload identity when its variables are set, else Azure CLI, else azd), "browser" or
    "device-code". on_event: called with a sentence people must read, such as a device code's instructions.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        tenant: str | None = None,
        *,
        method: Method = "auto",
        on_event: Callable[[str], None] | None = None,
    ) -> None:
        self.endpoints = endpoints
        self.tenant = tenant
        self.method: str = method
        self._on_event = on_event or (lambda _message: None)
        self._lock = threading.Lock()
        self._one_prompt = threading.Lock()
        self._gates: dict[tuple[str, str | None], threading.Lock] = {}
        self._tokens: dict[tuple[str, str | None], AccessToken] = {}
        self._kept: tuple[str, _Source] | None = None
        self._session: requests.Session | None = None

    def token(self, scope: str, *, claims: str | None = None) -> AccessToken:
        """Return a token for `scope` that is good for two more minutes; any thread may call this.

        Raises NotSignedIn, or ServiceError when Entra cannot be reached or is overloaded.
        """
        key = (scope, claims)
        with self._lock:
            gate = self._gates.setdefault(key, threading.Lock())
        with gate:
            fresh = self._cached(key)
            if fresh is None:
                fresh = self._fetch(scope, claims)
                self._check_tenant(fresh.token)
                self._tokens[key] = fresh
            return fresh

    async def atoken(self, scope: str, *, claims: str | None = None) -> AccessToken:
        """Return what ``token`` returns, without holding up the event loop."""
        cached = self._cached((scope, claims))
        if cached is not None:
            return cached
        return await asyncio.to_thread(self.token, scope, claims=claims)

    def _cached(self, key: tuple[str, str | None]) -> AccessToken | None:
        found = self._tokens.get(key)
        return found if found is not None and found.expires_on - time.time() > _REFRESH_BEFORE else None

    def close(self) -> None:
        """Close the connections to Entra; tokens that were fetched stay good."""
        if self._session is not None:
            self._session.close()

    async def whoami(self) -> dict[str, str]:
        """Return who is signed in: method, name (of a user, or an application's id), oid, tid.

        Read from the Resource Manager token's claims, unverified: for showing, not for deciding.
        """
        token = await self.atoken(self.endpoints.resource_manager_scope)
        said = claims_of(token.token)
        names = ("upn", "unique_name", "preferred_username", "app_displayname", "appid", "azp", "oid")
        name = next((str(said[key]) for key in names if said.get(key)), "")
        return {
            "method": self._kept[0] if self._kept else self.method,
            "name": name,
            "oid": str(said.get("oid", "")),
            "tid": str(said.get("tid", "")),
        }

    def for_arm(self) -> SyncTokens:
        """Return the credential that azure-mgmt clients take."""
        return SyncTokens(self)

    def for_graph(self) -> AsyncTokens:
        """Return the credential that msgraph takes; an asynchronous one, so that its loop is never blocked."""
        return AsyncTokens(self)

    # -- fetching -------------------------------------------------------------------------------------------

    def _fetch(self, scope: str, claims: str | None) -> AccessToken:
        load("identity")
        from azure.identity import CredentialUnavailableError

        reasons: list[str] = []
        for name, source in [self._kept] if self._kept else self._sources():
            try:
                token = self._ask(source, scope, claims)
            except CredentialUnavailableError as error:
                reasons.append(f"{name}: {error.message}")
                continue
            return token if self._keep(name, source) else self._fetch(scope, claims)
        raise NotSignedIn(
            "Nobody is signed in to Azure.",
            service="entra",
            operation="sign in",
            hint=self._login_hint(),
            original="\n".join(reasons),
        )

    def _keep(self, name: str, source: _Source) -> bool:
        """Stay with the first source that worked; False when another thread's was first, for that one counts."""
        with self._lock:
            self._kept = self._kept or (name, source)
            return self._kept[0] == name

    def _ask(self, source: _Source, scope: str, claims: str | None) -> AccessToken:
        from azure.core.exceptions import AzureError
        from azure.identity import CredentialUnavailableError

        try:
            if self.method == "auto":
                return source.get_token(scope, claims=claims)
            with self._one_prompt:  # the second scope is then answered from the first sign-in
                return source.get_token(scope, claims=claims)
        except CredentialUnavailableError:
            raise
        except (AzureError, ValueError, OSError) as error:
            raise self._failure(error) from error

    def _failure(self, error: Exception) -> TrustsmithError:
        """Put azure-identity's error in plain words; its text never holds a token or an assertion."""
        from azure.core.exceptions import (
            ClientAuthenticationError,
            DecodeError,
            ServiceRequestError,
            ServiceResponseError,
        )

        text = str(getattr(error, "message", "") or error)
        host = self.endpoints.authority.removeprefix("https://")
        status = int(getattr(getattr(error, "response", None), "status_code", None) or 0)
        say = partial(ServiceError, service="entra", operation="sign in", status=status, original=text)
        if isinstance(error, ServiceRequestError | ServiceResponseError):
            hint = (
                "Check the network, HTTPS_PROXY if there is a proxy, and SSL_CERT_FILE if it has its own CA."
            )
            return say(f"Cannot reach {host} to sign in.", hint=hint)
        if status >= _SERVER_ERROR or status == _TOO_MANY:
            return say(f"{host} could not answer.", hint="Try again later.")
        if isinstance(error, DecodeError):
            return say(
                f"{host} answered something that is no token.", hint="Is there a proxy in between? Try again."
            )
        meaning = aadsts.explain(text)
        says = meaning.says if meaning else "The sign-in to Azure was refused."
        if not isinstance(error, ClientAuthenticationError) and not meaning:
            says = "The sign-in to Azure failed."
        hint = "\n".join(part for part in (meaning.next if meaning else "", self._login_hint()) if part)
        return NotSignedIn(
            says,
            service="entra",
            operation="sign in",
            status=status,
            code=aadsts.code(text),
            hint=hint,
            original=text,
        )

    def _login_hint(self) -> str:
        if _workload_identity_is_set():
            names = ", ".join(WORKLOAD_VARIABLES)
            return f"Signed in as a workload ({names}); check these variables."
        return f"az login --tenant {self.tenant}" if self.tenant else "az login"

    def _check_tenant(self, token: str) -> None:
        tid = str(claims_of(token).get("tid", ""))
        if not tid or not self.tenant or not _is_guid(self.tenant) or tid.lower() == self.tenant.lower():
            return
        raise NotSignedIn(
            f"Signed in to tenant {tid}, but the tenant to work in is {self.tenant}.",
            service="entra",
            operation="sign in",
            code="wrong_tenant",
            hint=f"az login --tenant {self.tenant}",
        )

    # -- sources --------------------------------------------------------------------------------------------

    def _sources(self) -> Iterator[tuple[str, _Source]]:
        """Yield the chain, each link made when it is its turn."""
        from azure import identity

        tenant = self.tenant or ""
        if self.method == "browser":
            yield "browser", identity.InteractiveBrowserCredential(**self._people(), timeout=300)
        elif self.method == "device-code":
            yield (
                "device code",
                identity.DeviceCodeCredential(**self._people(), prompt_callback=self._show_code),
            )
        elif _workload_identity_is_set():
            # Its own tenant, not ours: a wrong one is then reported as such, and not as a missing application.
            yield "workload identity", identity.WorkloadIdentityCredential(**self._http())
        else:
            yield "Azure CLI", identity.AzureCliCredential(tenant_id=tenant, process_timeout=_CLI_TIMEOUT)
            yield "azd", identity.AzureDeveloperCliCredential(tenant_id=tenant, process_timeout=_CLI_TIMEOUT)

    def _http(self) -> dict[str, Any]:
        """How azure-identity talks to Entra: our certificates and time-outs, no retries of its own."""
        from azure.core.pipeline.transport import RequestsTransport

        with self._lock:
            self._session = self._session or tls.session(self.endpoints.ca_bundle, self.endpoints.authority)
        return {
            "authority": self.endpoints.authority,
            "disable_instance_discovery": not self.endpoints.discovery,
            "transport": RequestsTransport(session=self._session, session_owner=False),
            "connection_timeout": CONNECT_TIMEOUT,
            "read_timeout": READ_TIMEOUT,
            "retry_total": 0,
        }

    def _people(self) -> dict[str, Any]:
        return self._http() | ({"tenant_id": self.tenant} if self.tenant else {})

    def _show_code(self, uri: str, code: str, _expires: Any) -> None:
        self._on_event(f"To sign in, open {uri} and enter the code {code}")


class SyncTokens:
    """A ``TokenCredential`` over the shared cache."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    def get_token(self, *scopes: str, claims: str | None = None, **_: Any) -> AccessToken:
        """Return a token for the one scope given."""
        return self._credentials.token(scopes[0], claims=claims)

    def get_token_info(self, *scopes: str, options: Any = None) -> AccessTokenInfo:
        """Return a token for the one scope given, as newer SDKs ask for it."""
        from azure.core.credentials import AccessTokenInfo

        token = self.get_token(*scopes, claims=(options or {}).get("claims"))
        return AccessTokenInfo(token.token, token.expires_on)


class AsyncTokens:
    """An ``AsyncTokenCredential`` over the shared cache."""

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials

    async def get_token(self, *scopes: str, claims: str | None = None, **_: Any) -> AccessToken:
        """Return a token for the one scope given."""
        return await self._credentials.atoken(scopes[0], claims=claims)

    async def close(self) -> None:
        """Nothing of its own to close."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing of its own to close."""


def _workload_identity_is_set() -> bool:
    return all(os.environ.get(name) for name in WORKLOAD_VARIABLES)


def _is_guid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def claims_of(token: str) -> dict[str, Any]:
    """Return a token's claims without verifying them, {} when it is not a JWT; for showing only."""
    parts = token.split(".")
    if len(parts) != 3:  # noqa: PLR2004 - header, payload, signature (RFC 7519)
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}
