"""Fixtures: an empty desk, and one at which the set-up is done. The latter is made once a worker, then copied."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.desk import SETUP, Desk

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Sandbox
    from tests.packaging.installed import Installed


@pytest.fixture
def desk(installed: Installed, sandbox: Sandbox, tmp_path: Path) -> Desk:
    """A desk with an empty checkout, and the sandbox in its first state."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    return Desk(installed, sandbox, checkout)


@pytest.fixture(scope="session")
def was_configured(
    installed: Installed, _shared_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    """The checkout and the world after a first set-up of dev, staging and prod."""
    _shared_sandbox.reset()
    made = Desk(installed, _shared_sandbox, tmp_path_factory.mktemp("configured"))
    made(*SETUP).ends(0)
    return made.checkout, _shared_sandbox.state()


@pytest.fixture
def configured(was_configured: tuple[Path, dict[str, Any]], desk: Desk) -> Desk:
    """A desk at which dev, staging and prod are set up, an hour ago."""
    checkout, world = was_configured
    shutil.copytree(checkout, desk.checkout, dirs_exist_ok=True)
    desk.sandbox.control("reset", world)
    desk.sandbox.control("clock", {"advance_s": 3600})
    return desk
