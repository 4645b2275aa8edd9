"""A proxy on loopback for production names: it leads the public hosts to the sandbox, and others where they are.

It knows CONNECT alone, and passes bytes on: what is said is between the client and the sandbox, certificate included.
It must not know any service.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket

_CHUNK = 65536
_HTTPS = "443"


@dataclass
class Relay:
    """``listening`` is where clients connect, ``hosts`` (``*.`` allowed) are led to ``port`` of this machine."""

    listening: socket.socket
    hosts: tuple[str, ...]
    port: int
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _server: asyncio.Server | None = None

    @property
    def variables(self) -> dict[str, str]:
        """What tells programs to go through here; Node wants to be told that it is to look."""
        url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        return {"HTTPS_PROXY": url, "NODE_USE_ENV_PROXY": "1"}

    async def start(self) -> None:
        """Serve until ``close``."""
        self._server = await asyncio.start_server(self._accept, sock=self.listening)

    async def close(self) -> None:
        """Cut every connection."""
        if self._server:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._connect(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError, EOFError, ValueError):
            line = (await reader.readuntil(b"\r\n\r\n")).decode("ascii", "replace").split()
            if line[0] != "CONNECT":
                writer.write(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n")
                return
            host, _, port = line[1].rpartition(":")
            try:
                far, near = await asyncio.open_connection(*self._place(host.strip("[]"), port))
            except OSError:
                writer.write(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
                return
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with contextlib.closing(near):
                await asyncio.gather(_pass_on(reader, near), _pass_on(far, writer))

    def _place(self, host: str, port: str) -> tuple[str, int]:
        ours = port == _HTTPS and any(fnmatchcase(host.lower(), name) for name in self.hosts)
        return ("127.0.0.1", self.port) if ours else (host, int(port))


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
