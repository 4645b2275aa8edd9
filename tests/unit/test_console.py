"""Where the console writes, when only one of the two streams is a terminal."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

CODE = """
from trustsmith.ui.console import Console
from trustsmith.ui.report import Line
console = Console("text", color="always")
console.step("Looking")
console.data([Line("data " * 30)])
console.step("Looking on")
console.raw("raw")
console.close()
"""


@pytest.mark.skipif(os.name == "nt", reason="there is no pseudo-terminal")
def test_data_goes_to_stdout_while_a_status_moves_on_stderr() -> None:
    import pty

    ours, theirs = pty.openpty()
    try:
        done = subprocess.run([sys.executable, "-c", CODE], stdout=subprocess.PIPE, stderr=theirs, check=True)
    finally:
        os.close(theirs)
        os.close(ours)

    assert done.stdout.decode().split("\n") == ["data " * 30, "raw"]
