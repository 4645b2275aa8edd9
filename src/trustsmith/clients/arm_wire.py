"""How Azure Resource Manager is talked to through azure-mgmt: one try, one operation, what an error means.

The SDK's clients are synchronous, so they work in eight threads. Their retries are off, and so is the policy
that registers resource providers on its own: a plan must not change a subscription. This module must not know
projects or role assignments (``arm`` does), and sends nothing to any host but the one in ``Endpoints``.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from trustsmith.clients import tls, transport
from trustsmith.clients.prefetch import load
from trustsmith.clients.transport import PACE, Answer, Failed, OnWait, Pace
from trustsmith.errors import Conflict, NotAllowed, NotFound, NotSignedIn, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    import requests
    from azure.mgmt.authorization import AuthorizationManagementClient
    from azure.mgmt.resource.resources import ResourceManagementClient

    from trustsmith.clients.credentials import Credentials
    from trustsmith.clients.endpoints import Endpoints

T = TypeVar("T")
Json = dict[str, Any]

_THREADS = 8
_NO_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"  # the clients want one; our requests name their own


class Wire:
    """Eight threads over azure-mgmt's clients, and the shapes of calls that Azure's objects need."""

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
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="arm")
        self._once = threading.Lock()
        self._session: requests.Session | None = None
        self._resources: ResourceManagementClient | None = None
        self._authorization: AuthorizationManagementClient | None = None
        self.skew: float | None = None

    def warm(self) -> None:
        """Load the SDK and make both clients."""
        load("arm")
        _ = self.resources, self.authorization

    async def aclose(self) -> None:
        """Let requests that are under way finish, then close the connections."""
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)
        if self._session is not None:
            self._session.close()

    async def get(self, operation: str, path: str, api_version: str) -> Json | None:
        """Read one object, or None if it is not there."""
        try:
            answers = await self.run(operation, self._getter(path, {"api-version": api_version}))
        except NotFound:
            return None
        return answers[-1].object("id")

    async def pages(
        self,
        operation: str,
        path: str,
        api_version: str,
        texts: tuple[str, ...] = ("id",),
        *,
        only: str = "",
    ) -> list[Json]:
        """Read a list to its end. texts: what each of its objects must say. only: ARM's `$filter`."""
        items: list[Json] = []
        following: str | None = path
        query: dict[str, str] = {"api-version": api_version} | ({"$filter": only} if only else {})
        while following:
            answers = await self.run(
                operation, self._getter(following, query), check=lambda answer: answer.list("value", *texts)
            )
            items += answers[-1].list("value", *texts)
            following, query = answers[-1].object().get("nextLink"), {}
        return items

    def _getter(self, url: str, query: dict[str, str]) -> Callable[[Any], Any]:
        """Return what reads a path, or the whole address that a list's next page is at."""

        def read(hook: Any) -> Any:
            from azure.core.rest import HttpRequest

            return self.resources.send_request(HttpRequest("GET", url, params=query), raw_response_hook=hook)

        return read

    async def run(
        self,
        operation: str,
        operate: Callable[[Any], Any],
        *,
        write: bool = False,
        check: Callable[[Answer], object] = lambda answer: answer.content and answer.object(),
        settle: Callable[[ServiceError], bool] | None = None,
    ) -> list[Answer]:
        """Carry out one operation under the retry policy; return its answers, one a page.

        `operate` is called in a thread with the SDK's ``raw_response_hook``. What the SDK makes of a body is
        not used, since its models drop what they do not know: `check` looks at the body itself. All of ARM's
        operations made here end the same however often they are sent.
        """
        loop = asyncio.get_running_loop()

        async def one_try() -> list[Answer]:
            answers = await loop.run_in_executor(self._threads, self._exchange, operate, write)
            for answer in answers:
                self.skew = transport.skew(answer.headers)
                check(answer)
            return answers

        return await transport.call(
            one_try,
            operation=operation,
            service="arm",
            repeatable=True,
            settle=settle,
            on_wait=self._on_wait,
            pace=self._pace,
        )

    def _exchange(self, operate: Callable[[Any], Any], write: bool) -> list[Answer]:  # noqa: FBT001 - for a thread
        """One try in a thread; raises Failed for anything but a success."""
        load("arm")
        from azure.core import exceptions

        answers: list[Answer] = []
        try:
            operate(lambda response: answers.append(_answer(response.http_response, write=write)))
        except (exceptions.ServiceRequestError, exceptions.ServiceResponseError) as error:
            sent = isinstance(error, exceptions.ServiceResponseError)
            host = urlsplit(self._endpoints.resource_manager).netloc
            raise transport.unreachable("arm", host, error, sent=sent, write=write) from error
        except NotSignedIn:
            raise
        except ServiceError as error:
            raise error if error.service == "arm" else transport.no_token(error) from error
        except (exceptions.AzureError, AttributeError, ValueError, TypeError, KeyError):
            # The SDK's own idea of an answer: a refusal, or a body it cannot read. We look at it ourselves.
            if not answers:
                raise
        if answers[-1].status >= 300:  # noqa: PLR2004 - no success, and ARM redirects none of these
            raise _refused(answers[-1])
        return answers

    @property
    def resources(self) -> ResourceManagementClient:
        """The client for anything that has an id; made on first use, so use it in a thread."""
        from azure.mgmt.resource.resources import ResourceManagementClient

        with self._once:
            if self._resources is None:
                self._resources = ResourceManagementClient(
                    self._credentials.for_arm(), _NO_SUBSCRIPTION, **self._settings()
                )
            return self._resources

    @property
    def authorization(self) -> AuthorizationManagementClient:
        """The client for role assignments; made on first use, so use it in a thread."""
        from azure.mgmt.authorization import AuthorizationManagementClient

        with self._once:
            if self._authorization is None:
                self._authorization = AuthorizationManagementClient(
                    self._credentials.for_arm(), _NO_SUBSCRIPTION, **self._settings()
                )
            return self._authorization

    def _settings(self) -> dict[str, Any]:
        """How both clients talk: our certificates and time-outs, and only these policies."""
        from azure.core.pipeline import policies
        from azure.core.pipeline.transport import RequestsTransport
        from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy

        self._session = self._session or tls.session(
            self._endpoints.ca_bundle, self._endpoints.resource_manager
        )
        return {
            "base_url": self._endpoints.resource_manager,
            "credential_scopes": [self._endpoints.resource_manager_scope],
            "transport": RequestsTransport(
                session=self._session,
                session_owner=False,
                connection_timeout=transport.CONNECT_TIMEOUT,
                read_timeout=transport.READ_TIMEOUT,
            ),
            "policies": [
                policies.RequestIdPolicy(),
                policies.UserAgentPolicy("trustsmith"),
                policies.ContentDecodePolicy(),
                _same_host_policy(self._endpoints.resource_manager),
                ARMChallengeAuthenticationPolicy(
                    self._credentials.for_arm(), self._endpoints.resource_manager_scope
                ),
                policies.CustomHookPolicy(),
            ],
        }


def _same_host_policy(base_url: str) -> Any:
    """Return a policy that refuses any other host: a list's next page elsewhere would be sent our token."""
    from azure.core.pipeline.policies import SansIOHTTPPolicy

    class SameHost(SansIOHTTPPolicy[Any, Any]):
        def on_request(self, request: Any) -> None:
            if urlsplit(request.http_request.url)[:2] != urlsplit(base_url)[:2]:
                raise ServiceError("Azure pointed to another host; it was not followed.", service="arm")

    return SameHost()


def _answer(response: Any, *, write: bool) -> Answer:
    """Return what came over the wire, from either of the SDK's two kinds of response."""
    content = response.body() if callable(getattr(response, "body", None)) else response.read()
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Answer("arm", response.status_code, headers, content, write)


# -- errors ---------------------------------------------------------------------------------------------------

_GRANTERS = (
    "To assign roles one needs Owner, User Access Administrator or Role Based Access Control Administrator "
    "there, without a condition that forbids this role; an eligible (PIM) role must be activated first."
)
_BY_CODE: dict[str, tuple[str, str, type[ServiceError]]] = {
    "AuthorizationFailed": (
        "The one who is signed in may not do this in Azure, or the resource does not exist.",
        _GRANTERS,
        NotAllowed,
    ),
    "RequestDisallowedByPolicy": (
        "An Azure Policy does not allow this.",
        "Ask who owns the policy.",
        NotAllowed,
    ),
    "InvalidAuthenticationTokenTenant": (
        "The subscription belongs to another tenant than the sign-in.",
        "az login --tenant the subscription's tenant",
        NotSignedIn,
    ),
    "RoleAssignmentExists": ("The role is assigned already, under another name.", "", Conflict),
    "RoleAssignmentUpdateNotPermitted": (
        "A role assignment with this name is there already, for somebody or something else.",
        "Delete that assignment, if it belongs to an identity that is gone.",
        Conflict,
    ),
    "RoleAssignmentLimitExceeded": ("The subscription has no room for more role assignments.", "", Conflict),
    "PrincipalNotFound": ("Azure does not see the identity yet.", "Run it again in a few minutes.", NotFound),
    "ScopeLocked": ("A lock on the resource forbids this.", "Remove the lock, or ask who set it.", Conflict),
    "MissingSubscriptionRegistration": (
        "The subscription does not have this resource provider registered.",
        "az provider register --namespace Microsoft.CognitiveServices",
        Conflict,
    ),
    "SubscriptionNotFound": (
        "There is no such subscription, or it is not visible with this sign-in.",
        "Check the subscription's id and the tenant: az account list",
        NotFound,
    ),
}
_BY_STATUS: dict[int, tuple[str, str, type[ServiceError]]] = {
    401: ("Azure Resource Manager does not accept the sign-in.", "az login", NotSignedIn),
    403: _BY_CODE["AuthorizationFailed"],
    404: ("Azure does not find it.", "", NotFound),
    409: ("Something is in the way in Azure.", "", Conflict),
    429: ("Azure is limiting requests.", "Run it again in a few minutes.", ServiceError),
}


def _refused(answer: Answer) -> Failed:
    """Put ARM's error in plain words (Azure docs: common deployment errors, role assignment errors)."""
    error = answer.error_json().get("error")
    error = error if isinstance(error, dict) else {}
    code, said = str(error.get("code") or ""), str(error.get("message") or "")
    number = answer.headers.get("x-ms-correlation-request-id") or answer.headers.get("x-ms-request-id")
    original = f"{answer.status} {code}: {said}" + (f" (request-id {number})" if number else "")
    unknown = (f"Azure Resource Manager answered {answer.status}.", "", ServiceError)
    message, hint, made = _BY_CODE.get(code) or _BY_STATUS.get(answer.status, unknown)
    kind = transport.kind_of(answer.status)
    unsure = kind == "ambiguous" and answer.write
    failure = made(
        message, service="arm", status=answer.status, code=code, unsure=unsure, hint=hint, original=original
    )
    return Failed(failure, kind, transport.retry_after(answer.headers))
