"""A run of the installed command in a fork of the warm process, seen from the test; its other end is warm.py."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class Fork:
    """As much of `subprocess.Popen` as its users need. `leads`: stdin is a terminal, and it becomes the run's own."""

    def __init__(
        self,
        warm: Path,
        args: list[str],
        *,
        env: Mapping[str, str],
        cwd: Path,
        streams: Sequence[int],
        leads: bool = False,
    ) -> None:
        self._warm = socket.socket(socket.AF_UNIX)
        self._warm.connect(str(warm))
        request = {"args": args, "env": dict(env), "cwd": str(cwd), "leads": leads}
        line = json.dumps(request).encode() + b"\n"
        self._warm.sendall(line[socket.send_fds(self._warm, [line], streams) :])
        self._answer = self._warm.makefile("r")
        self._pid = int(self._answer.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """The exit code, once it has been waited for."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code. Raises TimeoutError after `timeout` seconds; then nothing is left but to kill it."""
        if self.returncode is None:
            self._warm.settimeout(timeout)
            self._ended(int(self._answer.readline() or -signal.SIGKILL))
        return self.returncode or 0

    def kill(self) -> None:
        """End it at once."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        self._ended(-signal.SIGKILL)

    def _ended(self, code: int) -> None:
        self.returncode = code
        self._answer.close()
        self._warm.close()
