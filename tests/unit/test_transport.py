"""The retry policy by itself: what is sent again, how long it waits, and what is never sent twice."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import pytest

from trustsmith import aadsts
from trustsmith.clients import transport
from trustsmith.clients.limiter import READ, WRITE, Limiter
from trustsmith.clients.transport import Answer, Failed, Kind, Pace
from trustsmith.errors import NotFound, ServiceError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

QUICK = Pace(first=0.001, longest=0.002, settle=0.2, settle_first=0.01, settle_longest=0.02)


def failed(kind: Kind, *, status: int = 0, retry_after: float | None = None) -> Failed:
    error = ServiceError("no", service="graph", status=status, unsure=kind == "ambiguous")
    return Failed(error, kind, retry_after)


def script(*steps: Failed | str) -> tuple[Callable[[], Awaitable[str]], list[int]]:
    """Return a send that does one step at a time (the last again and again), and where it counts its calls."""
    calls = [0]

    async def send() -> str:
        step = steps[min(calls[0], len(steps) - 1)]
        calls[0] += 1
        if isinstance(step, Failed):
            raise step
        return step

    return send, calls


def run(send: Callable[[], Awaitable[str]], **settings: Any) -> str:
    settings = {"repeatable": True, "pace": QUICK, **settings}
    return str(asyncio.run(transport.call(send, operation="do it", service="graph", **settings)))


@pytest.mark.parametrize("kind", ["not_sent", "throttled", "ambiguous"])
def test_what_passes_is_tried_again(kind: Kind) -> None:
    send, calls = script(failed(kind), failed(kind), "done")
    assert run(send) == "done"
    assert calls == [3]


def test_five_tries_then_the_last_error() -> None:
    send, calls = script(failed("ambiguous", status=503))
    with pytest.raises(ServiceError) as caught:
        run(send)
    assert calls == [5]
    assert (caught.value.operation, caught.value.status, caught.value.unsure) == ("do it", 503, True)


def test_a_no_is_a_no() -> None:
    send, calls = script(failed("fatal"))
    with pytest.raises(ServiceError):
        run(send)
    assert calls == [1]


def test_doubt_is_kept_although_the_last_try_was_clear() -> None:
    send, _ = script(failed("ambiguous"), failed("fatal"))
    with pytest.raises(ServiceError) as caught:
        run(send)
    assert caught.value.unsure


def test_what_must_not_be_repeated_is_not_sent_again_in_doubt() -> None:
    send, calls = script(failed("ambiguous"), "twice")
    with pytest.raises(ServiceError) as caught:
        run(send, repeatable=False)
    assert calls == [1]
    assert caught.value.unsure


def test_what_must_not_be_repeated_is_sent_again_when_it_never_left() -> None:
    send, calls = script(failed("not_sent"), failed("throttled"), "done")
    assert run(send, repeatable=False) == "done"
    assert calls == [3]


def test_reading_back_finds_it_done() -> None:
    async def there() -> str:
        return "was done"

    send, calls = script(failed("ambiguous"), "twice")
    assert run(send, repeatable=False, read_back=there) == "was done"
    assert calls == [1]


def test_reading_back_finds_it_not_done() -> None:
    async def absent() -> None:
        return None

    send, calls = script(failed("ambiguous"), "done")
    assert run(send, repeatable=False, read_back=absent) == "done"
    assert calls == [2]


def test_lag_is_waited_out_visibly_and_not_counted_as_tries() -> None:
    lag = Failed(NotFound("not yet", service="graph", status=404), "fatal")
    send, calls = script(*[lag] * 7, "done")
    waits: list[tuple[str, str, float]] = []
    assert run(send, settle=lambda e: e.status == 404, on_wait=lambda *wait: waits.append(wait)) == "done"
    assert calls == [8]
    assert {operation for operation, _, _ in waits} == {"do it"}
    assert [seconds for _, _, seconds in waits] == sorted(seconds for _, _, seconds in waits)
    assert max(seconds for _, _, seconds in waits) <= QUICK.settle_longest


def test_lag_is_not_waited_for_ever() -> None:
    lag = Failed(NotFound("not yet", service="graph", status=404), "fatal")
    send, _ = script(lag)
    started = time.monotonic()
    with pytest.raises(NotFound):
        run(send, settle=lambda e: e.status == 404)
    assert time.monotonic() - started < 1


def test_retry_after_is_kept_to() -> None:
    send, _ = script(failed("throttled", retry_after=0.1), "done")
    started = time.monotonic()
    assert run(send) == "done"
    assert time.monotonic() - started >= 0.1


def test_retry_after_beyond_the_deadline_gives_up_at_once() -> None:
    send, calls = script(failed("throttled", retry_after=3600))
    with pytest.raises(ServiceError):
        run(send)
    assert calls == [1]


def test_the_deadline_ends_a_try_that_hangs() -> None:
    async def hang() -> str:
        await asyncio.sleep(30)
        return "late"

    with pytest.raises(ServiceError, match="No answer") as caught:
        run(hang, pace=Pace(deadline=0.05))
    assert caught.value.unsure


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("3", 3.0), ("2.128", 2.128), ("-1", 0.0), ("soon", None), ("nan", None), ("inf", None)],
)
def test_retry_after_in_numbers(value: str, seconds: float | None) -> None:
    assert transport.retry_after({"Retry-After": value}) == seconds


def test_retry_after_as_a_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert 55 < (transport.retry_after({"retry-after": later}) or 0) <= 60
    assert transport.retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00"}) == 0.0
    assert transport.retry_after({}) is None


@pytest.mark.parametrize(
    ("status", "kind"),
    [(429, "throttled"), (500, "ambiguous"), (503, "ambiguous"), (404, "fatal"), (501, "fatal")],
)
def test_what_a_status_means(status: int, kind: str) -> None:
    assert transport.kind_of(status) == kind


@pytest.mark.parametrize("content", ["", "<html>", "[1]", "{}", '{"id": 7}'])
def test_a_body_of_the_wrong_shape_is_an_error_whatever_its_status(content: str) -> None:
    with pytest.raises(Failed) as caught:
        Answer("graph", 200, {}, content, write=True).object("id")
    assert caught.value.kind == "ambiguous"
    assert caught.value.error.unsure


def test_lists_are_checked_to_the_last_object() -> None:
    assert Answer("arm", 200, {}, '{"value": [{"id": "a"}]}').list("value", "id") == [{"id": "a"}]
    assert Answer("github", 200, {}, '[{"name": "a"}]').list(None, "name") == [{"name": "a"}]
    for content in ('{"value": [{"id": "a"}, {}]}', '{"value": {}}', '{"value": ["a"]}', "[]"):
        with pytest.raises(Failed):
            Answer("arm", 200, {}, content).list("value", "id")


def test_certificates_are_not_tried_again() -> None:
    error = OSError("CERTIFICATE_VERIFY_FAILED")
    failure = transport.unreachable("graph", "host", error, sent=False, write=False)
    assert failure.kind == "fatal"
    assert "SSL_CERT_FILE" in failure.error.hint


def test_sign_in_errors_in_plain_words() -> None:
    text = "AADSTS700213: No matching federated identity record found for presented assertion subject 'x'."
    meaning = aadsts.explain(text)
    assert meaning is not None
    assert meaning.code == aadsts.code(text) == "AADSTS700213"
    assert "subject" in meaning.says
    assert aadsts.explain("AADSTS1: new") is None
    assert aadsts.code("nothing") == ""


# -- GitHub's limits ------------------------------------------------------------------------------------------


def test_a_burst_within_the_limit_is_not_slowed() -> None:
    async def burst() -> float:
        limiter = Limiter()
        started = time.monotonic()
        await asyncio.gather(*(limiter.admit(WRITE) for _ in range(160)))
        return time.monotonic() - started

    assert asyncio.run(burst()) < 0.5


def test_no_window_holds_more_than_the_limit() -> None:
    async def admitted() -> list[float]:
        limiter = Limiter(points=20, window=0.2)
        times: list[float] = []

        async def one() -> None:
            await limiter.admit(WRITE)
            times.append(time.monotonic())

        await asyncio.gather(*(one() for _ in range(10)))
        return sorted(times)

    times = asyncio.run(admitted())
    assert all(later - earlier >= 0.19 for earlier, later in zip(times, times[4:], strict=False))


def test_after_a_secondary_limit_writes_are_apart_and_reads_are_not() -> None:
    async def gaps() -> tuple[float, float]:
        limiter = Limiter(slow=0.1)
        limiter.hold(0.05, secondary=True)
        await limiter.admit(WRITE)
        started = time.monotonic()
        await limiter.admit(READ)
        read = time.monotonic() - started
        await limiter.admit(WRITE)
        return read, time.monotonic() - started

    read, write = asyncio.run(gaps())
    assert read < 0.05
    assert write >= 0.09


def test_one_wait_is_told_once_however_many_wait() -> None:
    limiter = Limiter()
    assert [limiter.is_news(seconds) for seconds in (60, 60, 59.9, 120, 120)] == [
        True,
        False,
        False,
        True,
        False,
    ]
