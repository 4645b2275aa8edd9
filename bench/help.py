"""How long `trustsmith --help` takes, as a ratio to a click program with nothing in it, pair by pair."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

_EMPTY = "import click\n@click.group()\ndef cli(): 'Nothing.'\ncli()"
_PAIRS = 15


def seconds(*command: str) -> float:
    """One run of a command."""
    began = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def main() -> None:
    """Run both in turn and print the ratio."""
    ratios = [
        seconds(sys.executable, "-m", "trustsmith", "--help")
        / seconds(sys.executable, "-c", _EMPTY, "--help")
        for _ in range(_PAIRS)
    ]
    print(
        f"trustsmith --help / empty click program: {statistics.median(ratios):.2f} (median of {_PAIRS} pairs)"
    )


if __name__ == "__main__":
    main()
