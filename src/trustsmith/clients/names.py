"""Name resolution as this machine sees it. Must not open a connection to what it finds."""

from __future__ import annotations

import asyncio
import socket


async def addresses(host: str) -> list[str]:
    """The addresses of a host name, sorted; [] when it has none. Asked in a thread, since resolvers may take long."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return sorted({str(entry[4][0]) for entry in found})
