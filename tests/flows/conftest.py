"""The tool in this process, with the sandbox as its world: as the command line would call it, without the wheel."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.desk import World
from tests.flows.faults import CONFIG
from trustsmith import configfile
from trustsmith.flows.change import Wish, change
from trustsmith.flows.doctor import look_over
from trustsmith.flows.session import Options, Session
from trustsmith.model.resource import SIDES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Sandbox
    from tests.flows.faults import Fault
    from trustsmith.model.findings import Finding
    from trustsmith.model.plan import Plan
    from trustsmith.model.resource import Side

_READS = {"GET", "HEAD"}
_APPLIED: dict[str, Any] = {}
_OWN = ("AZURE_", "GH_", "GITHUB_", "TRUSTSMITH_")


class Silent:
    """A front that agrees to everything and keeps what it was told."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def step(self, text: str) -> None:
        self.said.append(text)

    note = warn = step

    def waiting(self, operation: str, why: str, seconds: float) -> None:
        self.said.append(f"{operation}: {why}, {seconds}")

    def started(self, _change: object) -> None: ...

    finished = started

    def show_plan(self, _plan: Plan) -> None: ...

    def show_run(self, _plan: Plan, _run: object) -> None: ...

    def agree(self, _question: str) -> bool:
        return True


@dataclass
class Bench:
    """A checkout and the sandbox; `text` is the configuration."""

    sandbox: Sandbox
    checkout: Path
    monkeypatch: pytest.MonkeyPatch
    text: str = ""
    read_up_to: int = 0

    def edit(self, by_hand: Callable[[World], object]) -> None:
        """Change the world by hand."""
        world = World(self.sandbox.state())
        by_hand(world)
        self.sandbox.control("reset", world.data)

    def write(self, text: str) -> None:
        """Write the configuration."""
        self.text = text
        file = self.checkout / ".github" / "trustsmith.yml"
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)

    def configure(self, text: str) -> None:
        """The world in which this configuration is applied; made once a worker."""
        if text not in _APPLIED:
            self.write(text)
            self.apply("entra", "azure", "github")
            _APPLIED[text] = self.sandbox.state()
        self.sandbox.control("reset", _APPLIED[text])

    def happen(self, fault: Fault) -> None:
        """Make it so."""
        if fault.configured:
            self.configure(CONFIG)
        old, new = fault.edit
        assert old in CONFIG
        self.write(CONFIG.replace(old, new, 1) if old else CONFIG)
        if fault.by_hand:
            self.edit(fault.by_hand)
        for name, value in fault.env:
            self.monkeypatch.setenv(name, value)
        if fault.clock:
            self.sandbox.control("clock", {"advance_s": fault.clock})
        if fault.broken:
            service, path = fault.broken
            spec = {"service": service, "method": "GET", "path": path, "status": 403, "times": 99}
            self.sandbox.control("faults", spec)

    def doctor(self, *sides: Side) -> list[Finding]:
        """What `trustsmith doctor` finds."""
        source = configfile.load(self.text, "trustsmith.yml")

        async def run() -> list[Finding]:
            session = Session.of(Options(self.checkout), Silent(), source.config)
            try:
                return await look_over(session, source, source.config, frozenset(sides or SIDES))
            finally:
                await session.aclose()

        return asyncio.run(run())

    def apply(self, *sides: Side) -> None:
        """`trustsmith apply --yes`."""
        source, front = configfile.load(self.text, "trustsmith.yml"), Silent()
        with asyncio.Runner() as runner:
            session = Session.of(Options(self.checkout), front, source.config)
            try:
                change(runner, session, source, front, Wish(sides or SIDES, yes=True))
            finally:
                runner.run(session.aclose())

    def forget(self) -> None:
        """Look only at what is asked from now on."""
        self.read_up_to = self.sandbox.log.stat().st_size if self.sandbox.log.exists() else 0

    def writes(self) -> list[str]:
        """Requests since `forget` that may change something: tokens are not counted."""
        with self.sandbox.log.open(encoding="utf-8") as log:
            log.seek(self.read_up_to)
            asked = [json.loads(line) for line in log]
        return [
            f"{r['method']} {r['path']}"
            for r in asked
            if r["method"] not in _READS and r["service"] != "entra"
        ]


@pytest.fixture
def bench(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A checkout beside a sandbox in its first state, signed in as the sandbox says."""
    for name in list(os.environ):
        if name.startswith(_OWN):
            monkeypatch.delenv(name)
    for name, value in sandbox.env.items():
        monkeypatch.setenv(name, value)
    return Bench(sandbox, tmp_path, monkeypatch)
