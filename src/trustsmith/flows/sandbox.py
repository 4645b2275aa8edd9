"""The sandbox as a child process. trustsmith knows it only over HTTP and by its endpoints file."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, NoReturn

from trustsmith.errors import ServiceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_MODULE = "trustsmith_sandbox"
_START_WITHIN = 30.0
_STOP_WITHIN = 5.0


def check_installed() -> None:
    """Raise UsageError when the extra is not installed."""
    if find_spec("starlette") is None or find_spec("trustme") is None:
        raise UsageError(
            "The sandbox is not installed.",
            hint="Install it with:\n  python -m pip install 'trustsmith[sandbox]'",
        )


def become(arguments: Sequence[str]) -> NoReturn:
    """Run the sandbox's own command line in place of this process, where the system can do that."""
    check_installed()
    command = [sys.executable, "-m", _MODULE, *arguments]
    if os.name == "posix":
        os.execv(sys.executable, command)  # noqa: S606 - our own interpreter and module
    sys.exit(subprocess.run(command, check=False).returncode)  # noqa: S603 - as above


@contextmanager
def running(folder: Path) -> Iterator[dict[str, str]]:
    """A sandbox for as long as the block runs; yields what it says to export. Raises ServiceError, UsageError."""
    check_installed()
    exports = folder / "sandbox.env"
    command = [sys.executable, "-m", _MODULE, "serve", "--env-file", str(exports)]
    command += ["--endpoints-file", str(folder / "endpoints.json")]
    with (folder / "sandbox.log").open("w", encoding="utf-8") as log:
        child = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603 - as above
        try:
            yield _exports(child, exports, folder / "sandbox.log")
        finally:
            child.terminate()
            try:
                child.wait(_STOP_WITHIN)
            except subprocess.TimeoutExpired:
                child.kill()


def _exports(child: subprocess.Popen[bytes], file: Path, log: Path) -> dict[str, str]:
    """The exports file is written last, so its being there means that the sandbox serves."""
    until = time.monotonic() + _START_WITHIN
    while not file.exists():
        if child.poll() is not None or time.monotonic() > until:
            raise ServiceError(
                "The sandbox did not start.", service="sandbox", original=log.read_text("utf-8")
            )
        time.sleep(0.02)
    pairs = (
        line.removeprefix("export ").partition("=") for line in file.read_text("utf-8").splitlines() if line
    )
    return {name: value.strip("'\"") for name, _, value in pairs}
