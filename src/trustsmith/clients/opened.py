"""The connections that an httpx client has opened, so that each is closed whatever became of it.

httpcore's pool (1.0.9) loses two kinds. Requests that start together share one attempt to connect over HTTP/2; when it
fails, the pool forgets that connection, but the next of them connects it all the same. And an attempt that is cut off
within the TLS handshake is left open. This module must not open, use or count connections: it only ends them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Hooks = Mapping[str, list[Callable[..., Awaitable[None]]]]


class Stream(Protocol):
    """A connection's lower end, as httpcore has it."""

    async def aclose(self) -> None:
        """Close it; once more does no harm."""
        ...


@dataclass
class Opened:
    """What has been opened. Give `hooks` to the client as its `event_hooks`, and close this after the client."""

    streams: list[Stream] = field(default_factory=list)

    @property
    def hooks(self) -> Hooks:
        """Has every request of a client tell of its connections, by httpcore's request extension `trace`."""
        return {"request": [self._follow]}

    async def aclose(self) -> None:
        """Close what is still open."""
        for stream in self.streams:
            await stream.aclose()

    async def _follow(self, request: Any) -> None:
        request.extensions["trace"] = self._told

    async def _told(self, event: str, about: Mapping[str, Any]) -> None:
        if event.endswith("connect_tcp.complete"):
            self.streams.append(about["return_value"])
