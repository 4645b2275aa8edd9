"""How a run ends: every error becomes its exit code here, and a bug leaves a log instead of a traceback."""

from __future__ import annotations

import gc
import os
import sys

import click

from trustsmith import __version__
from trustsmith.errors import Interrupted, TrustsmithError

_USAGE, _INTERRUPTED = 2, 130


def run(cli: click.Command, arguments: list[str]) -> int:
    """Run the command line; the exit code."""
    gc.set_threshold(50_000)  # a short run makes objects and hardly any garbage: a twentieth of its time
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a Windows console need not know every sign
    try:
        context = cli.make_context("trustsmith", arguments)
        with context:
            return _guarded(cli, context)
    except click.exceptions.Exit as stop:
        return stop.exit_code
    except click.ClickException as error:
        error.show()
        return _USAGE
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - the reader has left
        return 0


def _guarded(cli: click.Command, context: click.Context) -> int:
    error: TrustsmithError | None = None
    try:
        cli.invoke(context)
    except TrustsmithError as caught:
        error = caught
    except (KeyboardInterrupt, click.Abort):
        error = Interrupted("Interrupted. What was done stays done.", hint="Run the same again to go on.")
    except (click.ClickException, click.exceptions.Exit, BrokenPipeError):
        raise
    except Exception as bug:  # noqa: BLE001 - the one place where a bug becomes a log file
        error = _bug(bug)
    console = context.meta.get("console")
    if console is None and error is None:
        return 0
    if console is None:
        from trustsmith.ui.console import Console

        console = Console()
    if error is not None and console.config is not None:
        from trustsmith.ui.report_mend import with_config

        error.hint = with_config(error.hint, console.config)
    console.close(error)
    if error is None:
        return 0
    console.fail(error)
    return error.exit_code


def _bug(bug: Exception) -> TrustsmithError:
    """Write down what happened, without values of variables, and say where."""
    import platform
    import tempfile
    import time
    import traceback
    from pathlib import Path

    text = "".join(traceback.format_exception(bug))
    for name, value in os.environ.items():
        if value and any(word in name for word in ("TOKEN", "SECRET", "PASSWORD", "KEY")):
            text = text.replace(value, f"<{name}>")
    head = f"trustsmith {__version__}, Python {platform.python_version()}, {platform.platform()}\n\n"
    path = Path(tempfile.gettempdir()) / f"trustsmith-bug-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    try:
        path.write_text(head + text, "utf-8")
        where = f"What happened is written in {path}; it holds no secrets that trustsmith knows of."
    except OSError:
        where = text
    return TrustsmithError(f"This is a bug in trustsmith: {type(bug).__name__}.", hint=where)
