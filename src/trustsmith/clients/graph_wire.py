"""How Microsoft Graph is talked to through msgraph-sdk: one try, one operation, all pages, what an error means.

Addresses, sign-in and connections are the SDK's; bodies are read as JSON, because the SDK's typed models load
1,200 modules and hold up the event loop for most of a second when the first one is read. This module must not
know any object of Graph's (``graph`` does), and sends nothing to any host but the one in ``Endpoints``.
"""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from trustsmith.clients import tls, transport
from trustsmith.clients.opened import Opened
from trustsmith.clients.prefetch import load
from trustsmith.clients.transport import PACE, Answer, Failed, OnWait, Pace
from trustsmith.errors import Conflict, NotAllowed, NotFound, NotSignedIn, ServiceError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from trustsmith.clients.credentials import Credentials
    from trustsmith.clients.endpoints import Endpoints

T = TypeVar("T")
Json = dict[str, Any]

_CREATE = {"Prefer": "create-if-missing"}
_NOT_YET = ("does not reference", "does not exist", "must in the local tenant", "must be in the local tenant")
_NO_CONTENT = 204


class Wire:
    """One connection to Microsoft Graph, and the shapes of calls that its objects need."""

    def __init__(
        self,
        credentials: Credentials,
        endpoints: Endpoints,
        *,
        on_wait: OnWait | None = None,
        pace: Pace = PACE,
    ) -> None:
        self._credentials = credentials
        self._endpoints = endpoints
        self._on_wait = on_wait
        self._pace = pace
        self._made: Any = None
        self._http: Any = None
        self._opened = Opened()
        self.skew: float | None = None

    async def aclose(self) -> None:
        """Close the connections; the object is not used afterwards."""
        if self._http is not None:
            await self._http.aclose()
        await self._opened.aclose()

    async def get(self, operation: str, builder: Any, query: Json) -> Json | None:
        """Read one object, or None if it is not there."""
        try:
            return await self.run(operation, lambda: self.send("GET", builder, query=query), an_object("id"))
        except NotFound:
            return None

    async def read(self, operation: str, builder: Any, query: Json) -> Json:
        """Read what must be there, because it was just written."""
        return await self.run(
            operation, lambda: self.send("GET", builder, query=query), an_object("id"), settle=_is_lag
        )

    async def list_all(self, operation: str, builder: Any, query: Json) -> list[Json]:
        """Read all pages; a next page on any other host is refused, for it would be sent our token."""
        page = await self._page(operation, builder, query)
        items: list[Json] = page["value"]
        while following := page.get("@odata.nextLink"):
            self._check_host(str(following), operation)
            page = await self._page(operation, builder.with_url(str(following)), {})
            items += page["value"]
        return items

    async def _page(self, operation: str, builder: Any, query: Json) -> Json:
        return await self.run(operation, lambda: self.send("GET", builder, query=query), _page)

    async def upsert(self, operation: str, builder: Any, body: Json, *texts: str) -> Json | None:
        """Create (the new object is returned) or update (None: Graph answers 204 without a body)."""

        def made(answer: Answer) -> Json | None:
            return None if answer.status == _NO_CONTENT else answer.object(*texts)

        def send() -> Awaitable[Answer]:
            return self.send("PATCH", builder, body=body, headers=_CREATE)

        return await self.run(operation, send, made, settle=_is_lag)

    async def write(self, operation: str, verb: str, builder: Any, body: Json) -> None:
        """Change or add something whose answer has no body."""
        await self.run(operation, lambda: self.send(verb, builder, body=body), lambda _: None, settle=_is_lag)

    async def delete(self, operation: str, builder: Any) -> None:
        """Delete something; what is not there is done."""
        try:
            await self.run(operation, lambda: self.send("DELETE", builder), lambda _: None)
        except NotFound:
            return

    async def run(
        self,
        operation: str,
        send: Callable[[], Awaitable[Answer]],
        parse: Callable[[Answer], T],
        *,
        settle: Callable[[ServiceError], bool] | None = None,
        read_back: Callable[[], Awaitable[T | None]] | None = None,
    ) -> T:
        """Carry out one operation under the retry policy: `parse` checks an answer and takes what is wanted.

        With a `read_back` it is something that must not be sent twice.
        """

        async def one_try() -> T:
            return parse(await send())

        return await transport.call(
            one_try,
            operation=operation,
            service="graph",
            repeatable=read_back is None,
            read_back=read_back,
            settle=settle,
            on_wait=self._on_wait,
            pace=self._pace,
        )

    def _check_host(self, url: str, operation: str) -> None:
        if urlsplit(url)[:2] != urlsplit(self._endpoints.graph)[:2]:
            raise ServiceError(
                "Microsoft Graph pointed to another host for the rest of a list; it was not followed.",
                service="graph",
                operation=operation,
            )

    async def send(
        self,
        verb: str,
        builder: Any,
        *,
        query: Mapping[str, Any] | None = None,
        body: Json | None = None,
        headers: Mapping[str, str] | None = None,
        reads: bool = False,
    ) -> Answer:
        """Send once through the SDK's adapter; raises Failed for anything but a success."""
        import httpx

        write = verb != "GET" and not reads
        try:
            response = await self.client.request_adapter.send_primitive_async(
                _request(verb, builder, query or {}, body, headers or {}),
                "bytes",
                None,
            )
        except httpx.TransportError as error:
            early = isinstance(
                error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | httpx.ProxyError
            )
            host = urlsplit(self._endpoints.graph).netloc
            raise transport.unreachable("graph", host, error, sent=not early, write=write) from error
        except NotSignedIn:
            raise
        except ServiceError as error:
            raise transport.no_token(error) from error
        self.skew = transport.skew(response.headers)
        answer = Answer("graph", response.status_code, response.headers, response.content, write)
        if not response.is_success:
            raise _refused(answer)
        return answer

    @property
    def client(self) -> Any:
        """The SDK's client, made on first use: from it come the builders of addresses.

        A copy with parameters of its own at each use. The SDK's `…_with_unique_name(x)` writes x into the parameters
        that all builders of one client share, and a retry, which builds its address anew, would then go to whichever
        object was named last.
        """
        if self._made is None:
            self._made, self._http = _connect(self._credentials, self._endpoints, self._opened)
        own = copy.copy(self._made)
        own.path_parameters = dict(self._made.path_parameters)
        return own


def _connect(credentials: Credentials, endpoints: Endpoints, opened: Opened) -> tuple[Any, Any]:
    """Return the SDK's client and the HTTP client below it: our certificates and time-outs.

    opened: learns of every connection.

    Without the SDK's middleware: its retries are not wanted, and with it connections are never closed.
    """
    load("graph")
    import httpx
    from kiota_authentication_azure.azure_identity_authentication_provider import (
        AzureIdentityAuthenticationProvider,
    )
    from msgraph.graph_request_adapter import GraphRequestAdapter
    from msgraph.graph_service_client import GraphServiceClient

    http = httpx.AsyncClient(
        http2=True,
        verify=tls.context(endpoints.ca_bundle, "h2"),
        timeout=httpx.Timeout(transport.READ_TIMEOUT, connect=transport.CONNECT_TIMEOUT),
        event_hooks=opened.hooks,
    )
    sign_in = AzureIdentityAuthenticationProvider(
        credentials.for_graph(),
        scopes=[endpoints.graph_scope],
        allowed_hosts=[str(urlsplit(endpoints.graph).hostname)],
    )
    adapter = GraphRequestAdapter(sign_in, client=http)
    adapter.base_url = f"{endpoints.graph}/v1.0"
    return GraphServiceClient(request_adapter=adapter), http


def _request(
    verb: str,
    builder: Any,
    query: Mapping[str, Any],
    body: Json | None,
    headers: Mapping[str, str],
) -> Any:
    """Return the SDK's request for a builder's address, whose answer comes back as it was received."""
    from kiota_abstractions.method import Method
    from kiota_abstractions.native_response_handler import NativeResponseHandler
    from kiota_abstractions.request_information import RequestInformation
    from kiota_http.middleware.options import ResponseHandlerOption

    info = RequestInformation(Method(verb), builder.url_template, dict(builder.path_parameters))
    info.path_parameters["baseurl"] = builder.request_adapter.base_url
    info.query_parameters = {f"%24{name}": value for name, value in query.items()}
    # Graph documents $select; the SDK's templates have %24select, which only its middleware turns back.
    info.url = re.sub(r"(?<=[?&])%24", "$", info.url)
    info.headers.try_add("Accept", "application/json")
    for name, value in headers.items():
        info.headers.try_add(name, value)
    if body is not None:
        info.set_stream_content(json.dumps(body).encode(), "application/json")
    info.add_request_options([ResponseHandlerOption(NativeResponseHandler())])
    return info


# -- answers --------------------------------------------------------------------------------------------------


def an_object(*texts: str) -> Callable[[Answer], Json]:
    """Return what checks that an answer is an object with these texts."""
    return lambda answer: answer.object(*texts)


def values(answer: Answer) -> list[Json]:
    """Return the objects of a list's page, each with an id."""
    return answer.list("value", "id")


def _page(answer: Answer) -> Json:
    values(answer)
    return answer.object()


def _is_lag(error: ServiceError) -> bool:
    """Whether a no means only that what was just created is not seen everywhere yet.

    Azure CLI waits up to three minutes for the same phrases when it makes a service principal.
    """
    return isinstance(error, NotFound) or any(phrase in error.original for phrase in _NOT_YET)


_RIGHTS = (
    "People need to own the application or hold the role Application Administrator; a workload needs the "
    "permission Application.ReadWrite.OwnedBy (or .All) on Microsoft Graph."
)


def _refused(answer: Answer) -> Failed:
    """Put Graph's error in plain words (Graph: error responses; application and credential pages)."""
    error = answer.error_json().get("error")
    error = error if isinstance(error, dict) else {}
    code, said = str(error.get("code") or ""), str(error.get("message") or "")
    inner = error.get("innerError")
    number = inner.get("request-id") if isinstance(inner, dict) else answer.headers.get("request-id")
    original = f"{answer.status} {code}: {said}" + (f" (request-id {number})" if number else "")
    kind, message, hint, made = _meaning(answer.status, code, said)
    return Failed(
        made(
            message,
            service="graph",
            status=answer.status,
            code=code,
            unsure=kind == "ambiguous" and answer.write,
            hint=hint,
            original=original,
        ),
        kind,
        transport.retry_after(answer.headers),
    )


def _meaning(status: int, code: str, said: str) -> tuple[transport.Kind, str, str, type[ServiceError]]:
    """Return whether it is final, what it means, what to do, and the error's class."""
    kind = transport.kind_of(status)
    if code == "Directory_ConcurrencyViolation":
        return (
            "throttled",
            "Somebody else is changing the tenant at the same time.",
            "Run it again.",
            Conflict,
        )
    if code == "Directory_QuotaExceeded":
        return kind, "The limit of objects one may create in the tenant is reached.", _RIGHTS, Conflict
    if "assigned policy" in said:
        hint = "Ask an administrator of the tenant: an application management policy forbids it."
        return kind, "A policy of the tenant does not allow this.", hint, NotAllowed
    if "already exist" in said:
        return kind, "Something with the same name or value is already there.", "", Conflict
    by_status: dict[int, tuple[str, str, type[ServiceError]]] = {
        401: ("Microsoft Graph does not accept the sign-in.", "az login", NotSignedIn),
        403: ("The one who is signed in may not do this in Microsoft Entra.", _RIGHTS, NotAllowed),
        404: ("Microsoft Graph does not find it.", "", NotFound),
        409: ("Something is in the way.", "", Conflict),
        429: ("Microsoft Graph is limiting requests.", "Run it again in a few minutes.", ServiceError),
    }
    unknown = (f"Microsoft Graph answered {status}.", "", ServiceError)
    message, hint, made = by_status.get(status, unknown)
    return kind, message, hint, made
