"""A warm start for the installed command: everything is imported once, and each run is a fork of that.

Run by the installed interpreter, not by pytest: `python warm.py SOCKET`. A client connects, sends its arguments,
environment and folder as JSON, and its stdin, stdout and stderr; it gets the exit code back, or nothing when the run was
killed. Linux only, where a fork is cheap and safe. Must not change what a run sees: what it imports is what it would
import.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
import threading
from typing import Any

_LONGEST_REQUEST = 1 << 20


def _import_all() -> None:
    import trustsmith
    from trustsmith.clients import prefetch

    for sdk in prefetch._MODULES:
        prefetch._import(sdk)  # not `load`, which would leave a thread behind
    for module in pkgutil.walk_packages(trustsmith.__path__, "trustsmith."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in (
        "jinja2.ext",
        "rich.console",
        "rich.status",
        "rich.text",
        "ruamel.yaml",
        "click.shell_completion",
    ):
        importlib.import_module(name)


def _become(request: dict[str, Any], streams: list[int]) -> None:
    """Take over the caller's place: its folder, environment, arguments and streams."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    sys.argv = request["args"]
    # New ones, as an interpreter makes them: what they are connected to has changed.
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - they stay open
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False, buffering=1)  # noqa: SIM115


def _run() -> int:
    """The command, and what an interpreter does when it ends."""
    from trustsmith.cli import main

    try:
        main()
        code = 0
    except SystemExit as stop:
        code = stop.code if isinstance(stop.code, int) else int(stop.code is not None)
    except BaseException:  # noqa: BLE001 - as an interpreter ends
        sys.excepthook(*sys.exc_info())
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]  # what joins the threads
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return code


def serve(path: str) -> None:
    """Fork for each client until killed."""
    _import_all()
    gc.collect()
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen(16)
        while True:
            client, _ = listening.accept()
            if os.fork() == 0:
                listening.close()
                data, streams, *_ = socket.recv_fds(client, _LONGEST_REQUEST, 3)
                while not data.endswith(b"\n"):
                    data += client.recv(_LONGEST_REQUEST)
                client.sendall(f"{os.getpid()}\n".encode())
                _become(json.loads(data), streams)
                client.sendall(f"{_run()}\n".encode())
                os._exit(0)
            client.close()


if __name__ == "__main__":
    serve(sys.argv[1])
