"""Programs that check workflows and actions, as tests run them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

NODE = Path(__file__).parent / "node"
BESIDE_PYTHON = str(Path(sys.executable).parent)


def run(*command: str | Path, cwd: Path | None = None, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run it with `text` as its stdin."""
    return subprocess.run(
        command, cwd=cwd, input=text, capture_output=True, encoding="utf-8", timeout=120, check=False
    )


def installed(program: str) -> str:
    """A program of the development requirements."""
    found = shutil.which(program, path=BESIDE_PYTHON)
    assert found, f"{program} belongs to the development requirements and is not there"
    return found


def parsed(files: Iterable[Path]) -> dict[str, Any]:
    """What GitHub's parser makes of each file, by its path."""
    node = shutil.which("node")
    if node is None or not (NODE / "node_modules").is_dir():
        pytest.skip("GitHub's parser needs node, and `npm ci` in tests/rules/node")
    done = run(node, NODE / "parse.mjs", *files)
    assert done.returncode == 0, done.stderr
    answers: dict[str, Any] = json.loads(done.stdout)
    return answers
