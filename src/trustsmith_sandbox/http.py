"""What a service of the sandbox is made of: routes, what a handler gets, what it gives back.

A thin layer on Starlette's Request. It must not know any service, nor any state: those are in the
services' modules and in ``world``. ``server`` puts the pieces together.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    from starlette.datastructures import QueryParams
    from starlette.requests import Request

    from trustsmith_sandbox.world import World


@dataclass(frozen=True)
class Answer:
    """What goes back: ``body`` is JSON-native (None: no body), or ``raw`` bytes of ``media_type``."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    media_type: str = "application/json"

    def payload(self) -> bytes:
        """Return the bytes on the wire."""
        if self.raw is not None:
            return self.raw
        return b"" if self.body is None else json.dumps(self.body, ensure_ascii=False).encode()


class Refusal(Exception):
    """Raised anywhere below a handler: the answer to send, in the service's own dialect."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


@dataclass(frozen=True)
class Call:
    """One request, as a handler sees it.

    ``path`` is percent-encoded, without the service's mount (``mount`` is what was cut off, for example
    ``/api/v3``); ``params`` are decoded after the path was split, so that ``%2F`` inside one works; so is
    ``query``. ``headers`` are found by any case.
    ``body`` is parsed JSON or None; ``raw`` the bytes. ``origin`` is ``https://host:port`` as the client
    addressed us. ``caller`` is what the service's ``authenticate`` returned.
    """

    world: World
    request: Request
    method: str
    path: str
    mount: str
    params: Mapping[str, str]
    origin: str
    query: QueryParams
    headers: Mapping[str, str]
    raw: bytes = b""
    body: Any = None
    caller: Any = None

    @property
    def base(self) -> str:
        """Origin and mount: what absolute URLs in answers start with."""
        return self.origin + self.mount


Handler = Callable[[Call], "Answer | Awaitable[Answer]"]

_FIELD = re.compile(r"\{(\w+)(\*?)\}")


@dataclass(frozen=True)
class Route:
    """``pattern`` has ``{name}`` for a part of one segment and ``{name*}`` for any number of segments.

    ``public`` routes are not authenticated. ``summary`` is the coverage table's text.
    """

    method: str
    pattern: str
    handler: Handler
    summary: str
    public: bool = False
    any_case: bool = False

    @cached_property
    def matcher(self) -> re.Pattern[str]:
        """The pattern as a regular expression over the raw path."""
        parts: list[str] = []
        end = 0
        for found in _FIELD.finditer(self.pattern):
            parts.append(re.escape(self.pattern[end : found.start()]))
            parts.append(f"(?P<{found[1]}>{'.+' if found[2] else '[^/]+'})")
            end = found.end()
        parts.append(re.escape(self.pattern[end:]))
        return re.compile("".join(parts), re.IGNORECASE if self.any_case else 0)

    def match(self, path: str) -> dict[str, str] | None:
        """Return the path's parameters, decoded, or None."""
        found = self.matcher.fullmatch(path)
        return None if found is None else {k: unquote(v) for k, v in found.groupdict().items()}


def _nobody(_call: Call) -> None:
    return None


def _as_is(_call: Call, answer: Answer) -> Answer:
    return answer


@dataclass(frozen=True)
class Service:
    """One of the services that share the origin.

    ``roots``: first path segments (lower case) that are its own. ``hosts``: its production names (``*.``
    allowed). ``endings``: how paths end that are its own whatever they begin with. ``mounts``: prefixes its routes are served under, longest first. ``begin`` runs before the
    simulated latency, ``finish`` on every answer (also on refusals): request ids, limits, counting.
    ``read`` parses a body, None where bodies are not JSON at all; ``malformed`` answers one that it cannot.
    """

    name: str
    routes: tuple[Route, ...]
    roots: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ("",)
    authenticate: Callable[[Call], Any] = _nobody
    begin: Callable[[Call], None] = _nobody
    finish: Callable[[Call, Answer], Answer] = _as_is
    malformed: Answer = field(default_factory=lambda: Answer(400, {"message": "Problems parsing JSON"}))
    read: Callable[[bytes], Any] | None = json.loads

    @cached_property
    def by_method(self) -> dict[str, list[Route]]:
        """Routes of each method, in the order they were declared: the first match wins."""
        table: dict[str, list[Route]] = {}
        for route in self.routes:
            table.setdefault(route.method, []).append(route)
        return table

    def find(self, method: str, path: str) -> tuple[Route, str, dict[str, str]] | None:
        """Return the route for a raw path, the mount it was found under and its parameters."""
        wanted = "GET" if method == "HEAD" else method
        for mount in self.mounts:
            if not path.startswith(mount):
                continue
            for route in self.by_method.get(wanted, ()):
                params = route.match(path[len(mount) :])
                if params is not None:
                    return route, mount, params
        return None
