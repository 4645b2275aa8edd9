"""The one retry policy, for all services: what is tried again, when, how often, and what is never sent twice.

The SDKs' own retries are off, each for its own fault. A client describes one try as a function that returns
the answer or raises ``Failed``; ``call`` does the rest. This module must not know any SDK, nor any service's
errors: each client says what its failures mean.
"""

from __future__ import annotations

import asyncio
import json
import logging
import math
import random
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from trustsmith.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Mapping

T = TypeVar("T")

# The SDKs log each refusal as a warning, and Python shows warnings that nobody handles. What people should
# see is in the errors; -v adds handlers of its own.
for _name in ("azure", "urllib3", "httpx"):
    logging.getLogger(_name).addHandler(logging.NullHandler())

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 30.0

Kind = Literal["not_sent", "throttled", "ambiguous", "fatal"]
"""not_sent: never left · throttled: refused for now · ambiguous: may have been done · fatal: it is a no."""

_AMBIGUOUS = {408, 500, 502, 503, 504}


class Failed(Exception):
    """One try failed. `retry_after` is the seconds the service asked us to wait, or None."""

    def __init__(self, error: ServiceError, kind: Kind, retry_after: float | None = None) -> None:
        super().__init__(error.message)
        self.error = error
        self.kind = kind
        self.retry_after = retry_after


@dataclass(frozen=True)
class Pace:
    """How patient to be; times in seconds. `settle` is for what was just created and is not seen yet."""

    tries: int = 5
    first: float = 0.4
    longest: float = 8.0
    deadline: float = 120.0
    settle: float = 180.0
    settle_first: float = 1.0
    settle_longest: float = 5.0


PACE = Pace()

OnWait = Callable[[str, str, float], None]
"""Called before each sleep with the operation, why we wait, and for how many seconds."""


def kind_of(status: int) -> Kind:
    """Return what an HTTP status says about whether the request was carried out."""
    if status == 429:  # noqa: PLR2004 - Too Many Requests, the one status that says "not done, later"
        return "throttled"
    return "ambiguous" if status in _AMBIGUOUS else "fatal"


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds a Retry-After header asks for: a number (also "2.128", as Graph sends) or a date."""
    value = next((v for k, v in headers.items() if k.lower() == "retry-after"), None)
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        return _until(value)
    return max(0.0, seconds) if math.isfinite(seconds) else None


def _until(value: str) -> float | None:
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (_in_utc(moment) - datetime.now(UTC)).total_seconds())


def _in_utc(moment: datetime) -> datetime:
    """A date without a zone is in UTC: HTTP knows no other."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@dataclass
class _Patience:
    """What is left of the tries and of the time for one operation."""

    operation: str
    pace: Pace
    settles: Callable[[ServiceError], bool] | None
    tries: int = 0
    waits: int = 0
    started: float = field(default_factory=time.monotonic)
    lag_since: float | None = None

    def remaining(self) -> float:
        """Seconds until the operation's deadline; the time spent waiting for replication does not count."""
        return self.started + self.pace.deadline - time.monotonic()

    def pause(self, failed: Failed) -> tuple[str, float] | None:
        """Return why and how long to wait before the next try, or None to give up."""
        if self.settles is not None and self.settles(failed.error):
            return self._settle()
        if failed.kind == "fatal":
            return None
        self.tries += 1
        if self.tries >= self.pace.tries:
            return None
        longest = min(self.pace.longest, self.pace.first * 2 ** (self.tries - 1))
        seconds = random.uniform(0, longest)  # noqa: S311 - spreads load, protects nothing
        if failed.retry_after is not None:
            seconds = failed.retry_after + min(seconds, 0.25)
        return (_WHY[failed.kind], seconds) if seconds < self.remaining() else None

    def _settle(self) -> tuple[str, float] | None:
        now = time.monotonic()
        self.lag_since = self.lag_since or now
        seconds = min(self.pace.settle_longest, self.pace.settle_first * 1.5**self.waits)
        self.waits += 1
        if now + seconds > self.lag_since + self.pace.settle:
            return None
        self.started += seconds
        return "waiting until what was just created can be seen everywhere", seconds


_WHY: dict[Kind, str] = {
    "not_sent": "the service could not be reached",
    "throttled": "the service asked us to slow down",
    "ambiguous": "the service did not answer properly",
}


async def call(
    send: Callable[[], Awaitable[T]],
    *,
    operation: str,
    service: str,
    repeatable: bool,
    read_back: Callable[[], Awaitable[T | None]] | None = None,
    settle: Callable[[ServiceError], bool] | None = None,
    on_wait: OnWait | None = None,
    pace: Pace = PACE,
    slot: Callable[[], AbstractAsyncContextManager[Any]] = nullcontext,
) -> T:
    """Carry out one operation, with as many tries as are safe; return what `send` returns.

    operation, service: for messages ("create application agents-dev", "graph").
    repeatable: sending it twice ends like sending it once. If not, a failure that leaves it open whether it
    was done is answered by `read_back`, which returns the result, or None when it was not done; without
    a `read_back` nothing is sent again.
    settle: tells failures that are only replication lag after a create; they are waited out within 3 minutes.
    on_wait: called before each sleep with operation, reason and seconds.
    slot: entered around each try; the time it takes to be let in does not count against the deadline.
    Raises the ServiceError of the last try; its `unsure` is True if any try may have been carried out.
    """
    patience = _Patience(operation, pace, settle)
    unsure = False
    while True:
        try:
            return await _within(send, patience, service, slot)
        except Failed as failure:
            failed = failure
        failed.error.operation = failed.error.operation or operation
        open_question = failed.kind == "ambiguous" and not repeatable
        if open_question and read_back is not None:
            done = await read_back()
            if done is not None:
                return done
            failed.error.unsure = False
        unsure = unsure or failed.error.unsure
        waiting = None if open_question and read_back is None else patience.pause(failed)
        if waiting is None:
            failed.error.unsure = unsure
            raise failed.error
        if on_wait is not None:
            on_wait(operation, *waiting)
        await asyncio.sleep(waiting[1])


async def _within(
    send: Callable[[], Awaitable[T]],
    patience: _Patience,
    service: str,
    slot: Callable[[], AbstractAsyncContextManager[Any]],
) -> T:
    """One try, cut off at the operation's deadline."""
    asked = time.monotonic()
    try:
        async with slot():
            patience.started += time.monotonic() - asked
            async with asyncio.timeout(max(0.0, patience.remaining())):
                return await send()
    except TimeoutError:
        message = f"No answer within {patience.pace.deadline:.0f} seconds."
        error = ServiceError(message, service=service, operation=patience.operation, unsure=True)
        raise Failed(error, "fatal") from None


def unreachable(service: str, host: str, error: Exception, *, sent: bool, write: bool) -> Failed:
    """Return the failure of a try that got no answer: `sent` tells whether the request may have arrived."""
    reason = str(error) or type(error).__name__
    certificate = "CERTIFICATE_VERIFY_FAILED" in reason
    hint = "Check the network, and HTTPS_PROXY if there is a proxy."
    if certificate:
        hint = "If a company's proxy reads the traffic, name its CA in SSL_CERT_FILE."
    message = f"Cannot reach {host}." if not sent else f"{host} did not answer, or the connection broke."
    if certificate:
        message = f"The certificate of {host} is not trusted here."
    kind: Kind = "fatal" if certificate else "ambiguous" if sent else "not_sent"
    failure = ServiceError(message, service=service, unsure=sent and write, hint=hint, original=reason)
    return Failed(failure, kind)


def no_token(error: ServiceError) -> Failed:
    """Return the failure of a try that got no token because Entra was out of reach: nothing was sent."""
    final = error.status == 0 and "certificate" in error.original.lower()
    return Failed(error, "fatal" if final else "not_sent")


def wrong_shape(service: str, what: str, *, status: int, write: bool) -> Failed:
    """Return the failure of a body that is not what the service documents, whatever its status says."""
    message = f"The answer is not what it should be: {what}."
    hint = "A proxy or a gateway may have answered in the service's place."
    error = ServiceError(message, service=service, status=status, unsure=write, hint=hint)
    return Failed(error, "ambiguous")


def skew(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds a service's clock is ahead of ours, by its Date header; None when that says nothing."""
    value = next((v for k, v in headers.items() if k.lower() == "date"), None)
    try:
        moment = parsedate_to_datetime(value) if value else None
    except ValueError:
        return None
    return (_in_utc(moment) - datetime.now(UTC)).total_seconds() if moment else None


@dataclass(frozen=True)
class Answer:
    """One answer of a service: `headers` with lower-case names, `content` as it came."""

    service: str
    status: int
    headers: Mapping[str, str]
    content: bytes | str
    write: bool = False

    def wrong(self, what: str) -> Failed:
        """Return the failure that says what is wrong with the body."""
        return wrong_shape(self.service, what, status=self.status, write=self.write)

    def json(self) -> Any:
        """Return the parsed body; raises Failed for an empty one or one that is not JSON."""
        try:
            return json.loads(self.content)
        except ValueError:
            raise self.wrong("it is not JSON" if self.content else "it is empty") from None

    def error_json(self) -> dict[str, Any]:
        """Return the parsed body of an error, or {} where a gateway sent something else."""
        try:
            body = json.loads(self.content)
        except ValueError:
            return {}
        return body if isinstance(body, dict) else {}

    def object(self, *texts: str) -> dict[str, Any]:
        """Return the body, an object in which each of `texts` is a text; raises Failed otherwise."""
        return self.checked(self.json(), *texts)

    def list(self, key: str | None, *texts: str) -> list[dict[str, Any]]:
        """Return the objects listed under `key` (None: the body is the list), each checked for `texts`."""
        body = self.json()
        items = body if key is None else body.get(key) if isinstance(body, dict) else None
        if not isinstance(items, list):
            raise self.wrong(f"it has no list {key!r}" if key else "it is no list")
        return [self.checked(item, *texts) for item in items]

    def checked(self, item: Any, *texts: str) -> dict[str, Any]:
        """Return `item` if it is an object with these texts; raises Failed otherwise."""
        if not isinstance(item, dict):
            raise self.wrong("there is no object where one belongs")
        for key in texts:
            if not isinstance(item.get(key), str):
                raise self.wrong(f"{key!r} is missing")
        return item
