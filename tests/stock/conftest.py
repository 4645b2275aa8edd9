"""Stock Azure CLI and GitHub CLI, where they are installed.

With TRUSTSMITH_REQUIRE_STOCK=1 (as `make stock` sets it) a missing one is a failure, otherwise a skip.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

from tests.packaging.installed import built, installed

__all__ = ["built", "installed"]

ROOT = Path(__file__).resolve().parents[2]


def _absent(name: str, how: str) -> NoReturn:
    reason = f"{name} is not installed: {how}"
    if os.environ.get("TRUSTSMITH_REQUIRE_STOCK") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def az() -> str:
    """The path of the Azure CLI: the pinned one of `make stock`, else the one on PATH."""
    ours = ROOT / ".tools" / "azcli" / "bin" / "az"
    return str(ours) if ours.exists() else shutil.which("az") or _absent("az", "`make stock` installs it")


@pytest.fixture(scope="session")
def gh() -> str:
    """The path of the GitHub CLI."""
    return shutil.which("gh") or _absent("gh", "install it with your system's packages")
