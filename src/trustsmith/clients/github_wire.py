"""How GitHub's REST API is talked to through PyGithub: one try, one operation, all pages, what an error means.

PyGithub signs in, builds requests and follows renamed repositories; its throttle (a second after each write)
and its retries (which send a POST ten times) are off, and it is used by one thread at a time, for it is not
thread-safe. This module must not know environments, secrets or any other object of GitHub's (``github`` does).
"""

from __future__ import annotations

import asyncio
import logging
import math
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from trustsmith.clients import tls, transport
from trustsmith.clients.limiter import READ, WRITE, Limiter
from trustsmith.clients.prefetch import load
from trustsmith.clients.transport import PACE, Answer, Failed, OnWait, Pace
from trustsmith.errors import Conflict, NotAllowed, NotFound, NotSignedIn, ServiceError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping

    import requests

    from trustsmith.clients.endpoints import Endpoints

T = TypeVar("T")
Json = dict[str, Any]

API_VERSION = "2022-11-28"
_THREADS = 16  # GitHub allows 100 requests at a time; the limiter counts points
_SECONDARY_WAIT = 60.0  # GitHub: without a Retry-After, wait at least a minute after a secondary limit
_ANSWERS = (200, 201, 202, 204, 303)  # 303: that branch policy is there already
_HEADERS = {"Accept": "application/vnd.github+json"}


class Wire:
    """Sixteen connections to GitHub, and the shapes of calls that its objects need.

    token: called once, on the first request, for the token to use. patient: wait for the end of a limit, however long.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        token: Callable[[], str],
        *,
        on_wait: OnWait | None = None,
        pace: Pace = PACE,
        limiter: Limiter | None = None,
    ) -> None:
        self._endpoints = endpoints
        self._token = token
        self._on_wait = on_wait
        self.pace, self.patient = pace, False
        self._limiter = limiter or Limiter()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="github")
        self._slots = asyncio.Semaphore(_THREADS)
        self._local = threading.local()
        self._once = threading.Lock()
        self._known_token: str | None = None
        self._session: requests.Session | None = None
        self.skew: float | None = None
        self.heard: Mapping[str, str] = {}

    async def aclose(self) -> None:
        """Let requests that are under way finish, then close the connections."""
        await asyncio.to_thread(self._threads.shutdown, wait=True, cancel_futures=True)
        if self._session is not None:
            self._session.close()

    async def get(self, operation: str, path: str, *texts: str) -> Json | None:
        """Read one object with these texts, or None if it is not there or hidden."""
        try:
            return await self.run(operation, "GET", path, lambda answer: answer.object(*texts))
        except NotFound:
            return None

    async def pages(
        self, operation: str, path: str, key: str | None, *, text: str = "name", size: int = 100
    ) -> list[Json]:
        """Read a list to its end: `key` is where an answer has it (None: it is the list); each object has `text`."""
        items: list[Json] = []
        number = 1
        while True:
            query = {"per_page": size, "page": number}
            page = await self.run(operation, "GET", path, lambda a: a.list(key, text), query=query)
            items += page
            if len(page) < size:
                return items
            number += 1

    async def delete(self, operation: str, path: str) -> bool:
        """Delete something; what is not there is done. Return whether GitHub found it: not, for want of a right as well."""
        try:
            return await self.run(operation, "DELETE", path, lambda _: True)
        except NotFound:
            return False

    async def run(
        self,
        operation: str,
        verb: str,
        path: str,
        parse: Callable[[Answer], T],
        *,
        body: Json | None = None,
        query: Mapping[str, Any] | None = None,
        settle: Callable[[ServiceError], bool] | None = None,
        read_back: Callable[[], Awaitable[T | None]] | None = None,
        answers: Collection[int] = _ANSWERS,
    ) -> T:
        """Carry out one operation under the retry policy; `parse` checks the answer and takes what is wanted.

        read_back: only for what must not be sent twice (``transport.call``); all other calls end the same however
        often they are sent. answers: the statuses that are no refusal.
        """

        async def one_try() -> T:
            return parse(await self._send(verb, path, body, query, answers))

        def slot() -> Any:
            return self._slot(operation, READ if verb == "GET" else WRITE)

        return await transport.call(
            one_try,
            operation=operation,
            service="github",
            repeatable=read_back is None,
            read_back=read_back,
            settle=settle,
            on_wait=self._on_wait,
            pace=self.pace,
            slot=slot,
        )

    @asynccontextmanager
    async def _slot(self, operation: str, cost: int) -> AsyncIterator[None]:
        """Wait for a thread and for GitHub's limit; counted when a request really starts, not when it queues."""
        async with self._slots:
            wait = self._limiter.wait_for(cost)
            if wait > self.pace.deadline and not self.patient:
                raise _limited(0, "rate_limit", wait, "not asked: GitHub said before how long to wait")
            if wait > 1 and self._on_wait is not None and self._limiter.is_news(wait):
                self._on_wait(operation, "keeping within GitHub's limit of requests", wait)
            await self._limiter.admit(cost)
            yield

    async def _send(
        self,
        verb: str,
        path: str,
        body: Json | None,
        query: Mapping[str, Any] | None,
        answers: Collection[int],
    ) -> Answer:
        """Send once; raises Failed for anything but an answer that is wanted."""
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(self._threads, self._exchange, verb, path, body, query)
        self.skew, self.heard = transport.skew(answer.headers), answer.headers
        if answer.status in answers:
            return answer
        failed = _refused(answer)
        if failed.retry_after is not None and failed.kind == "throttled":
            self._limiter.hold(failed.retry_after, secondary="secondary" in failed.error.code)
        raise failed

    def _exchange(self, verb: str, path: str, body: Json | None, query: Mapping[str, Any] | None) -> Answer:
        """Send through this thread's PyGithub."""
        requester = self._requester()
        from requests.exceptions import ConnectTimeout, RequestException

        write = verb != "GET"
        try:
            status, headers, text = requester.requestJson(verb, path, dict(query or {}), dict(_HEADERS), body)
        except RequestException as error:
            early = isinstance(error, ConnectTimeout) or _refused_early(error)
            host = urlsplit(self._endpoints.api).netloc
            raise transport.unreachable("github", host, error, sent=not early, write=write) from error
        except RuntimeError as error:
            # PyGithub's own check: a renamed repository's new address is on another host.
            failure = ServiceError(
                "GitHub redirected to another host.", service="github", original=str(error)
            )
            raise Failed(failure, "fatal") from error
        return Answer("github", status, headers, text, write)

    @property
    def token_prefix(self) -> str:
        """The first characters of the token, which say its kind and nothing else ("ghp_", "github_pat_")."""
        found = re.match(r"github_pat_|gh[a-z]_", self._known_token or "")
        return found.group() if found else ""

    def _requester(self) -> Any:
        if not hasattr(self._local, "requester"):
            load("github")
            with self._once:
                self._known_token = self._known_token or self._token()
                self._session = self._session or tls.session(self._endpoints.ca_bundle, self._endpoints.api)
            self._local.requester = _requester(self._endpoints, self._known_token, self._session)
        return self._local.requester


def _requester(endpoints: Endpoints, token: str, session: requests.Session) -> Any:
    """Return a PyGithub requester with our certificates and time-outs, no throttle and no retries."""
    from github import Auth, Consts
    from github.Requester import HTTPRequestsConnectionClass, HTTPSRequestsConnectionClass, Requester

    # PyGithub prints what it does to stderr from the moment that it is imported; errors say what people should see.
    logging.getLogger("github").handlers[:] = [logging.NullHandler()]

    class Connection(HTTPSRequestsConnectionClass):
        """PyGithub's connection over the session that all threads share; made anew for each request."""

        def __init__(self, host: str, port: int | None = None, **_: Any) -> None:
            self.host, self.port, self.protocol = host, port or 443, "https"
            self.session, self.verify = session, True
            self.timeout: Any = (transport.CONNECT_TIMEOUT, transport.READ_TIMEOUT)

        def close(self) -> None:
            """Keep the session: others use it."""

    class OurRequester(Requester):
        """Only there so that the connection's class is ours for us, and nobody else's."""

    OurRequester.injectConnectionClasses(HTTPRequestsConnectionClass, Connection)
    return OurRequester(
        auth=Auth.Token(token),
        base_url=endpoints.api,
        timeout=math.ceil(transport.READ_TIMEOUT),
        user_agent=Consts.DEFAULT_USER_AGENT,
        per_page=100,
        verify=True,
        retry=None,
        pool_size=1,
        seconds_between_requests=None,
        seconds_between_writes=None,
        api_version=API_VERSION,
    )


def _refused_early(error: Exception) -> bool:
    """Whether a connection was never made, so that nothing can have been sent."""
    from urllib3.exceptions import NewConnectionError, ProxyError

    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError | ProxyError)


# -- errors ---------------------------------------------------------------------------------------------------


def _refused(answer: Answer) -> Failed:
    """Put GitHub's error in plain words (GitHub docs: REST errors, rate limits)."""
    body = answer.error_json()
    said = str(body.get("message") or "")
    number = answer.headers.get("x-github-request-id")
    original = f"{answer.status} {said}" + _details(body) + (f" (request-id {number})" if number else "")
    limit = _limit(answer, said)
    if limit is not None:
        return _limited(answer.status, *limit, original)
    kind = transport.kind_of(answer.status)
    code, message, hint, made = _meaning(answer, said)
    unsure = kind == "ambiguous" and answer.write
    failure = made(
        message,
        service="github",
        status=answer.status,
        code=code,
        unsure=unsure,
        hint=hint,
        original=original,
    )
    return Failed(failure, kind, transport.retry_after(answer.headers))


def _details(body: Json) -> str:
    errors = body.get("errors")
    if not isinstance(errors, list):
        return ""
    texts = [str(e.get("message") or e.get("code") or "") if isinstance(e, dict) else str(e) for e in errors]
    return "".join(f"; {text}" for text in texts if text)


def _limit(answer: Answer, said: str) -> tuple[str, float] | None:
    """Return which limit was met and the seconds until it ends; None when the answer is about something else."""
    if answer.status not in (403, 429):
        return None
    asked = transport.retry_after(answer.headers)
    if "secondary rate limit" in said.lower() or "abuse" in said.lower():
        return "secondary_limit", _SECONDARY_WAIT if asked is None else asked
    if answer.headers.get("x-ratelimit-remaining") == "0":
        reset = float(answer.headers.get("x-ratelimit-reset") or 0)
        return "rate_limit", max(0.0, reset - time.time()) + 1
    if answer.status == 429 or asked is not None:  # noqa: PLR2004 - Too Many Requests
        return "secondary_limit", _SECONDARY_WAIT if asked is None else asked
    return None


def _limited(status: int, code: str, seconds: float, original: str) -> Failed:
    until = time.strftime("%H:%M:%S", time.localtime(time.time() + seconds))
    message = f"GitHub's limit of requests is reached; it ends at {until}."
    hint = f"Run it again after {until}; what was done is not done again."
    failure = ServiceError(message, service="github", status=status, code=code, hint=hint, original=original)
    return Failed(failure, "throttled", seconds)


_LOGIN = "gh auth login; or replace GH_TOKEN or GITHUB_TOKEN: where one is set, gh is not asked."
_SCOPES = (
    "The token needs, on this repository: Administration, Environments and Actions (a fine-grained token), or "
    "the scope `repo` (a classic one); and its owner must be an administrator of the repository."
)


def _meaning(answer: Answer, said: str) -> tuple[str, str, str, type[ServiceError]]:
    """Return a code, what the answer means, what to do, and the error's class."""
    lower = said.lower()
    if "billing plan" in lower or "upgrade to github" in lower:
        return (
            "plan_lacks_feature",
            "The GitHub plan of this repository does not have this protection for private repositories.",
            "Make the repository public, move to a plan that has it, or configure the environment without it.",
            Conflict,
        )
    sso = answer.headers.get("x-github-sso", "")
    if "url=" in sso:
        return (
            "sso",
            "The organization wants this token to be authorized.",
            f"Open {sso.partition('url=')[2]}",
            NotAllowed,
        )
    by_status: dict[int, tuple[str, str, str, type[ServiceError]]] = {
        301: ("moved", "The repository was renamed.", "Use its new name.", Conflict),
        307: ("moved", "The repository was renamed.", "Use its new name.", Conflict),
        401: ("bad_credentials", "GitHub does not accept the token.", _LOGIN, NotSignedIn),
        403: ("forbidden", "The token may not do this on GitHub.", _SCOPES, NotAllowed),
        404: ("not_found", "GitHub does not find it, or the token may not see it.", _SCOPES, NotFound),
        409: ("conflict", "Something is in the way on GitHub.", "", Conflict),
        422: ("invalid", "GitHub does not take this value.", "", Conflict),
    }
    unknown = (str(answer.status), f"GitHub answered {answer.status}.", "Run it again later.", ServiceError)
    return by_status.get(answer.status, unknown)
