"""The stock programs that the other tests here rely on are the ones we think they are."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from tests.packaging.installed import clean_environment

if TYPE_CHECKING:
    from pathlib import Path


def test_az_answers(az: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [az, "version", "--output", "json"],
        env=clean_environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert json.loads(done.stdout)["azure-cli"].startswith("2.")


def test_gh_answers(gh: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [gh, "--version"],
        env=clean_environment(tmp_path),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert done.stdout.startswith("gh version 2.")
