"""The tool's clients pointed at a sandbox, and one way to run something with them; helpers, not tests."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from trustsmith.clients.arm import Arm
from trustsmith.clients.credentials import Credentials
from trustsmith.clients.endpoints import Endpoints, from_file
from trustsmith.clients.github import GitHub
from trustsmith.clients.graph import Graph
from trustsmith.clients.transport import Pace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    import pytest

    from tests.conftest import Sandbox

T = TypeVar("T")
QUICK = Pace(first=0.01, longest=0.05, settle=5.0, settle_first=0.05, settle_longest=0.2)

# One for each way a write can go wrong once, before or after it was carried out.
TROUBLES: list[dict[str, Any]] = [
    {"when": "before", "status": 503},
    {"when": "after", "status": 503},
    {"when": "after", "status": 500},
    {"when": "before", "status": 429, "retry_after": 0.05},
    {"when": "cut"},
    {"when": "cut-before"},
    {"when": "garbage"},
]
TROUBLE_IDS = ["503 before", "503 after", "500 after", "429", "cut after", "cut before", "garbage"]


@dataclass
class Bench:
    """The three clients, the sandbox below them, and the waits they announced."""

    sandbox: Sandbox
    endpoints: Endpoints
    credentials: Credentials
    graph: Graph
    arm: Arm
    github: GitHub
    waits: list[tuple[str, str, float]] = field(default_factory=list)

    def trouble(self, service: str, method: str, path: str = "*", **fault: Any) -> None:
        """Ask for a fault."""
        self.sandbox.control("faults", {"service": service, "method": method, "path": path, **fault})

    def asked(self) -> Counter[str]:
        """How often each service was asked by each method since the sandbox started ("graph PATCH")."""
        lines = (json.loads(line) for line in self.sandbox.log.read_text().splitlines())
        return Counter(f"{line['service']} {line['method']}" for line in lines)


def export(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the sandbox's exports in the environment, as a person does."""
    for name, value in sandbox.env.items():
        monkeypatch.setenv(name, value)


def endpoints_of(sandbox: Sandbox) -> Endpoints:
    """Return the endpoints that the sandbox's exports name."""
    return from_file(sandbox.env["TRUSTSMITH_ENDPOINTS"])


@asynccontextmanager
async def bench(sandbox: Sandbox, pace: Pace) -> AsyncIterator[Bench]:
    """Open all clients, and close them."""
    endpoints = endpoints_of(sandbox)
    waits: list[tuple[str, str, float]] = []

    def on_wait(*wait: Any) -> None:
        waits.append(wait)

    credentials = Credentials(endpoints, sandbox.env["AZURE_TENANT_ID"])
    graph = Graph(credentials, endpoints, on_wait=on_wait, pace=pace)
    arm = Arm(credentials, endpoints, on_wait=on_wait, pace=pace)
    github = GitHub(endpoints, on_wait=on_wait, pace=pace)
    try:
        yield Bench(sandbox, endpoints, credentials, graph, arm, github, waits)
    finally:
        await graph.aclose()
        await arm.aclose()
        await github.aclose()
        credentials.close()


def run(sandbox: Sandbox, use: Callable[[Bench], Awaitable[T]], pace: Pace = QUICK) -> T:
    """Run `use` with all clients open, in a loop of its own."""

    async def main() -> T:
        async with bench(sandbox, pace) as opened:
            return await use(opened)

    return asyncio.run(main())
