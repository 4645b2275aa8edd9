"""The sandbox as tests use it: a child process on a free port, one for each worker, reset before each test."""

from __future__ import annotations

import os
import shlex
import signal
import ssl
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

# Some container images set this; then each of the hundred programs that tests start would compile its modules again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

_START_S = 20.0
#: What `reset` of the sandbox leaves as it is, and how it is by default.
_SETTINGS: dict[str, dict[str, Any]] = {
    "lag": {"replication_s": 0, "roles_s": 0},
    "latency": {"ms": 0},
    "limits": {"github": True},
}


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox: its origin, what it says to export, and a client that trusts it."""

    origin: str
    env: dict[str, str]
    http: httpx.Client
    log: Path
    process: subprocess.Popen[str]
    changed: set[str] = field(default_factory=set)

    def control(self, path: str, json: Any = None, method: str = "POST") -> Any:
        """Call a control route, for example ``control("faults", {...})``; return its JSON, None if empty."""
        self.changed.update({path} & _SETTINGS.keys())
        answer = self.http.request(method, f"{self.origin}/_sandbox/{path}", json=json)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def state(self) -> dict[str, Any]:
        """Return the world."""
        world: dict[str, Any] = self.control("state", method="GET")
        return world

    def reset(self) -> None:
        """Start over, with every setting as it is by default."""
        self.control("reset")
        for setting in list(self.changed):
            self.control(setting, _SETTINGS[setting])
        self.changed.clear()


@contextmanager
def running(folder: Path, *flags: str) -> Iterator[Sandbox]:
    """Start a sandbox with ``flags``, wait until it serves, and stop it."""
    env_file, log = folder / "env", folder / "log.jsonl"
    command = [
        sys.executable,
        "-m",
        "trustsmith_sandbox",
        "serve",
        "--env-file",
        str(env_file),
        "--log",
        str(log),
    ]
    with subprocess.Popen([*command, *flags], stdout=subprocess.PIPE, text=True) as process:
        try:
            env = _environment(env_file, process)
            trust = ssl.create_default_context(cafile=env["SSL_CERT_FILE"])
            origin = (process.stdout or sys.stdin).readline().removeprefix("# ").strip()
            with httpx.Client(verify=trust, trust_env=False, timeout=30) as client:
                yield Sandbox(origin, env, client, log, process)
        finally:
            process.send_signal(signal.SIGINT)


def _environment(env_file: Path, process: subprocess.Popen[str]) -> dict[str, str]:
    deadline = time.monotonic() + _START_S
    while not env_file.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"the sandbox did not start: exit {process.poll()}")
        time.sleep(0.02)
    lines = [shlex.split(line) for line in env_file.read_text().splitlines()]
    return dict(words[1].split("=", 1) for words in lines if words[:1] == ["export"])


@pytest.fixture(scope="session")
def _shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    with running(tmp_path_factory.mktemp("sandbox")) as started:
        yield started


@pytest.fixture
def sandbox(_shared_sandbox: Sandbox) -> Sandbox:
    """A sandbox in its first state; shared by the tests of one worker, so stop nothing."""
    _shared_sandbox.reset()
    return _shared_sandbox


@pytest.fixture
def start_sandbox(tmp_path: Path) -> Iterator[Callable[..., Sandbox]]:
    """Start a sandbox of one's own: ``start_sandbox("--lag", "2")``."""
    with ExitStack() as stack:
        yield lambda *flags: stack.enter_context(running(tmp_path, *flags))
