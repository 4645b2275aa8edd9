"""The tool as it is shipped, without an endpoints file, in a network whose proxy leads the public names to the sandbox."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.cli.desk import ENVIRONMENTS, SETUP

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Sandbox
    from tests.packaging.installed import Installed


def test_default_endpoints_work_where_the_public_names_lead_to_the_sandbox(
    installed: Installed, start_sandbox: Callable[..., Sandbox], tmp_path: Path
) -> None:
    sandbox = start_sandbox("--production-names")
    env = sandbox.env
    assert not {"TRUSTSMITH_ENDPOINTS", "AZURE_AUTHORITY_HOST"} & env.keys()
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    done = installed(*SETUP, env=env, cwd=checkout)
    assert done.returncode == 0, done.stderr
    state = sandbox.state()
    names = {app.get("uniqueName") for app in state["applications"].values()}
    assert names >= {f"trustsmith-github.com-4001-{name}" for name in ENVIRONMENTS}
    issuers = {
        c["issuer"] for app in state["applications"].values() for c in app["federatedIdentityCredentials"]
    }
    assert "https://token.actions.githubusercontent.com" in issuers
    again = installed("plan", "--check", "--format", "json", env=env, cwd=checkout)
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["changes"] == []
