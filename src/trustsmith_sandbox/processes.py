"""Runs one child process of a step, in a process group of its own, of which nothing is left when it returns.

It must not know workflows.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

_CHUNK = 65536
_LAST_WORDS = 1.0  # seconds for output that is still in the pipe


async def run_process(
    command: list[str], folder: Path, env: Mapping[str, str], emit: Callable[[str], None]
) -> int:
    """Run a command, give each line that it prints to ``emit``, and return its exit code.

    When the caller is cancelled, and for what the command leaves behind, the whole group is killed.
    Raises ``OSError`` when it cannot be started.
    """
    process = await _started(command, folder, env)
    reading = asyncio.create_task(_read(process, emit))
    try:
        return await process.wait()
    finally:
        _kill(process)
        await process.wait()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(reading, _LAST_WORDS)


async def _started(command: list[str], folder: Path, env: Mapping[str, str]) -> asyncio.subprocess.Process:
    """Start the command; when the caller is cancelled before that is done, kill all that has begun to run."""
    starting = asyncio.ensure_future(
        asyncio.create_subprocess_exec(
            *command,
            cwd=folder,
            env=dict(env),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
    )
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        with contextlib.suppress(OSError):
            process = await starting
            _kill(process)
            await process.wait()
        raise


async def _read(process: asyncio.subprocess.Process, emit: Callable[[str], None]) -> None:
    rest, stream = b"", process.stdout
    while stream is not None and (chunk := await stream.read(_CHUNK)):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            emit(line.decode("utf-8", "replace").rstrip("\r"))
    if rest:
        emit(rest.decode("utf-8", "replace"))


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
