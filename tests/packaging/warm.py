"""A warm start for the installed command: everything is imported once, and each run is a fork of that.

Run by the installed interpreter, not by pytest: `python warm.py SOCKET`. A client connects, sends its arguments,
environment and folder as JSON, and its stdin, stdout and stderr; it gets the exit code back, or nothing when the run was
killed. Linux only, where a fork is cheap and safe. Must not change what a run sees: what is imported before it is what it
would import, and what a run before it did import.
"""

from __future__ import annotations

import atexit
import contextlib
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

_LONGEST = 1 << 20


def _import_all() -> None:
    import trustsmith
    from trustsmith.clients import prefetch

    for sdk in prefetch._MODULES:
        prefetch._import(sdk)  # not `load`, which would leave a thread behind
    for module in pkgutil.walk_packages(trustsmith.__path__, "trustsmith."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    _compile_templates()


def _compile_templates() -> None:
    """As the first rendering does; a template's text says whether it is still the same."""
    from trustsmith.render.catalogue import SUFFIX, folder
    from trustsmith.render.engine import Engine

    engine = Engine({})
    for file in folder().iterdir():
        if file.name.endswith(SUFFIX):
            engine._jinja.get_template(file.name)


def _learn(told: int) -> None:
    """Import what runs before had to import: SDKs load much of themselves on their first request."""
    with contextlib.suppress(BlockingIOError):
        for name in os.read(told, _LONGEST).decode().split():
            with contextlib.suppress(ImportError):
                importlib.import_module(name)
        gc.freeze()


def _become(request: dict[str, Any], streams: list[int]) -> None:
    """Take over the caller's place: its folder, environment, arguments and streams."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    if request["leads"]:
        os.setsid()
        os.close(os.open(os.ttyname(0), os.O_RDWR))  # the controlling terminal, so that Ctrl-C is a signal
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


def _answer(client: socket.socket, tell: int) -> None:
    """Run what the client asks for; tell which modules that took."""
    known = set(sys.modules)
    data, streams, *_ = socket.recv_fds(client, _LONGEST, 3)
    while not data.endswith(b"\n"):
        data += client.recv(_LONGEST)
    client.sendall(f"{os.getpid()}\n".encode())
    _become(json.loads(data), streams)
    code = _run()
    for name in sys.modules.keys() - known:
        os.write(tell, f"{name}\n".encode())  # one by one, so that two runs do not mix theirs
    client.sendall(f"{code}\n".encode())


def _reap() -> None:
    """Forget the runs that have ended; so their time counts as the tests', when somebody measures."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def serve(path: str) -> None:
    """Fork for each client until killed."""
    _import_all()
    gc.collect()
    gc.freeze()
    told, tell = os.pipe()
    os.set_blocking(told, False)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen(16)
        while True:
            client, _ = listening.accept()
            _learn(told)
            _reap()
            if os.fork() == 0:
                listening.close()
                _answer(client, tell)
                os._exit(0)
            client.close()


if __name__ == "__main__":
    serve(sys.argv[1])
