"""Put on a child's path: every name resolves to loopback, and every connection goes to the sandbox's port.

It stands for a network in which the public names resolve to this machine. The program under test is unchanged: it
uses its default endpoints, and checks certificates for the public names.
"""

from __future__ import annotations

import os
import socket
from typing import Any

_resolve, _connect = socket.getaddrinfo, socket.socket.connect


def _to_loopback(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
    del host
    return _resolve("127.0.0.1", port, *args, **kwargs)


def _to_sandbox(self: socket.socket, address: Any) -> None:
    del address
    _connect(self, ("127.0.0.1", int(os.environ["SANDBOX_PORT"])))


if "SANDBOX_PORT" in os.environ:
    socket.getaddrinfo = _to_loopback
    socket.socket.connect = _to_sandbox  # type: ignore[assignment,method-assign]
