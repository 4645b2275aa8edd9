"""The ASGI application: finds the route, and does what a network and a busy service would do in between.

Latency, faults, the request log, and "there is no such route" (501, by name) are here; what a service
answers is not. It must never log a query, a header or a body.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import inspect
import json
import re
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from fnmatch import fnmatchcase
from typing import IO, TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from trustsmith_sandbox.assertions import OWN_REQUEST
from trustsmith_sandbox.faults import Fault, Faults
from trustsmith_sandbox.http import Answer, Call, Refusal, Route, Service

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.types import Receive, Scope, Send
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

    from trustsmith_sandbox.world import World

_SLASHES = re.compile("/{2,}")
_PLAIN = {"%27": "'", "%28": "(", "%29": ")", "%24": "$", "%3D": "=", "%3d": "=", "%40": "@"}
_ESCAPED = re.compile("|".join(_PLAIN))
_TRANSPORT = "sandbox.transport"


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol, which also tells the application its transport, so that it can be cut.

    An idle connection is not closed politely at the end: a client that sleeps would hold the shutdown up.
    """

    def on_message_begin(self) -> None:
        """Put the transport where the application finds it."""
        super().on_message_begin()
        cast("dict[str, Any]", self.scope)[_TRANSPORT] = self.transport

    def shutdown(self) -> None:
        """Drop the connection unless it is in the middle of an answer."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        idle = cycle is None or cycle.response_complete
        super().shutdown()
        if idle:
            self.transport.abort()


@dataclass
class Application:
    """The sandbox as ASGI. ``world.kept("pace")["latency"]`` is added, in seconds, to every request."""

    world: World
    services: tuple[Service, ...]
    log: IO[str] | None = None
    by_root: Mapping[str, Service] = field(init=False)

    def __post_init__(self) -> None:
        self.by_root = {root: service for service in self.services for root in service.roots}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        started = time.perf_counter()
        request = Request(scope, receive)
        path = _normal_path(scope)
        service, path = self._service(request, path)
        raw = await request.body()
        call = self._call(request, path, raw)
        spared = self._is_spared(call, service)
        fault = None if spared else self.world.kept("faults", Faults).hit(service.name, call.method, path)
        answer = await self._answer(call, service, fault, spared=spared)
        cut = fault is not None and fault.when in {"cut", "cut-before"}
        if not spared:  # before the answer is sent: who has it may look for it in the log
            self._write_log(service, call, 0 if cut else answer.status, started)
        await (_cut(call) if cut else _send(call, answer, send))

    def _service(self, request: Request, path: str) -> tuple[Service, str]:
        """Return whose request it is: by the path's end or first segment, or by host under production names."""
        for service in self.services:
            if service.endings and path.endswith(service.endings):
                return service, path
        root = path[1:].partition("/")[0].lower()
        host = (request.headers.get("host") or "").partition(":")[0].lower()
        if self.world.names.production and not root.startswith("_"):
            for service in self.services:
                if any(fnmatchcase(host, name) for name in service.hosts):
                    account = host.partition(".")[0]
                    return service, f"/foundry/{account}{path}" if service.name == "foundry" else path
        return self.by_root.get(root, self.by_root["_workload"]), path

    def _call(self, request: Request, path: str, raw: bytes) -> Call:
        host = request.headers.get("host") or urlsplit(self.world.names.origin).netloc
        return Call(
            self.world, request, request.method, path, "", {}, f"https://{host}", request.query_params,
            request.headers, raw,
        )  # fmt: skip

    def _is_spared(self, call: Call, service: Service) -> bool:
        """Whether nothing may go wrong or be logged: control routes, and what we ask of ourselves."""
        own = self.world.kept("own request", str)
        return service.name == "control" or call.headers.get(OWN_REQUEST) == own

    async def _answer(self, call: Call, service: Service, fault: Fault | None, *, spared: bool) -> Answer:
        """Return the answer, or what a fault makes of it."""
        try:
            service.begin(call)
            if not spared:
                await self._wait(fault)
            answer = await self._faulty(call, service, fault)
        except Refusal as refusal:
            answer = refusal.answer
        return service.finish(call, answer)

    async def _wait(self, fault: Fault | None) -> None:
        pace: dict[str, float] = self.world.kept("pace", dict)
        slow = (fault.retry_after or 1.0) if fault and fault.when == "slow" else 0.0
        delay = slow + pace.get("latency", 0.0)
        if delay:
            await asyncio.sleep(delay)

    async def _faulty(self, call: Call, service: Service, fault: Fault | None) -> Answer:
        if fault is None or fault.when == "slow":
            return await _handled(call, service)
        if fault.when not in {"before", "cut-before"}:
            with contextlib.suppress(Refusal):
                await _handled(call, service)
        if fault.when == "garbage":
            return Answer(200, raw=b'{"value": [', media_type="application/json")
        headers = {} if fault.retry_after is None else {"Retry-After": f"{fault.retry_after:g}"}
        text = "A fault that was asked for."
        return Answer(fault.status, {"error": {"code": "Fault", "message": text}, "message": text}, headers)

    def _write_log(self, service: Service, call: Call, status: int, started: float) -> None:
        if self.log is None:
            return
        took = round((time.perf_counter() - started) * 1000, 1)
        entry: dict[str, Any] = {"service": service.name, "method": call.method, "path": call.path}
        self.log.write(json.dumps({**entry, "status": status, "ms": took}) + "\n")
        self.log.flush()


def _normal_path(scope: Scope) -> str:
    """Return the path as sent, with double slashes made one and the escapes that mean themselves undone."""
    raw = scope["raw_path"].decode("ascii", "replace")
    path = _ESCAPED.sub(lambda found: _PLAIN[found.group()], _SLASHES.sub("/", raw))
    return path.rstrip("/") or "/"


async def _handled(call: Call, service: Service) -> Answer:
    """Route, authenticate and handle; raises ``Refusal``."""
    found = service.find(call.method, call.path)
    if found is None:
        return _unknown(call, service)
    route, mount, params = found
    call = dataclasses.replace(call, mount=mount, path=call.path[len(mount) :], params=params)
    call = _prepared(call, service, route)
    answer = route.handler(call)
    return await answer if inspect.isawaitable(answer) else answer


def _prepared(call: Call, service: Service, route: Route) -> Call:
    caller = None if route.public else service.authenticate(call)
    if not call.raw or service.read is None:
        return dataclasses.replace(call, caller=caller)
    try:
        body = service.read(call.raw)
    except ValueError:
        raise Refusal(service.malformed) from None
    return dataclasses.replace(call, caller=caller, body=body)


def _unknown(call: Call, service: Service) -> Answer:
    text = f"The sandbox has no route {call.method} {call.path} ({service.name})."
    return Answer(501, {"error": {"code": "NotImplemented", "message": text}, "message": text})


async def _send(call: Call, answer: Answer, send: Send) -> None:
    payload = b"" if call.method == "HEAD" else answer.payload()
    media = answer.media_type if payload else None
    # By the world's clock, which need not be the machine's: clients see the skew
    headers = {"Date": formatdate(call.world.now(), usegmt=True), **answer.headers}
    response = Response(payload, answer.status, headers, media)
    await response(call.request.scope, call.request.receive, send)


async def _cut(call: Call) -> None:
    transport: asyncio.Transport = call.request.scope[_TRANSPORT]
    transport.abort()
    await asyncio.sleep(0)  # lets uvicorn notice, so that it does not try to answer
