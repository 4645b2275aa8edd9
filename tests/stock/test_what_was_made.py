"""Stock `az` and `gh` see what the tool made, as its users would look at it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.cli.desk import ENVIRONMENTS, PROJECT_MANAGER, SETUP, project
from tests.packaging.installed import clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Sandbox
    from tests.packaging.installed import Installed

Json = Any


@pytest.fixture
def made(installed: Installed, sandbox: Sandbox, tmp_path: Path) -> Sandbox:
    """The sandbox after a first set-up."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    done = installed(*SETUP, env=sandbox.env, cwd=checkout)
    assert done.returncode == 0, done.stderr
    return sandbox


@pytest.mark.usefixtures("made")
def test_az_sees_the_applications_their_credentials_and_their_roles(run_az: Callable[..., Json]) -> None:
    for name in ENVIRONMENTS:
        (app,) = run_az("ad", "app", "list", "--display-name", f"agents-{name}")
        (credential,) = run_az("ad", "app", "federated-credential", "list", "--id", app["appId"])
        assert credential["subject"] == f"repo:contoso@1001/agents@4001:environment:{name}"
        assert credential["audiences"] == ["api://AzureADTokenExchange"]
        principal = run_az("ad", "sp", "show", "--id", app["appId"])
        (role,) = run_az(
            "role", "assignment", "list", "--scope", project(name), "--assignee", principal["id"]
        )
        assert role["roleDefinitionId"].endswith(PROJECT_MANAGER)
        assert role["principalType"] == "ServicePrincipal"


def test_gh_sees_the_environments_and_their_secrets(made: Sandbox, gh: str, tmp_path: Path) -> None:
    host = urlsplit(made.origin).netloc
    environment = clean_environment(tmp_path) | {
        "GH_HOST": host,
        "GH_ENTERPRISE_TOKEN": made.env["GH_TOKEN"],
        "GH_CONFIG_DIR": str(tmp_path),
        "SSL_CERT_FILE": made.env["SSL_CERT_FILE"],
    }
    command = [gh, "secret", "list", "--env", "prod", "-R", f"{host}/contoso/agents"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    names = {line.split()[0] for line in done.stdout.splitlines() if line}
    assert names == {
        "AZURE_AI_PROJECT_ENDPOINT",
        "AZURE_CLIENT_ID",
        "AZURE_SUBSCRIPTION_ID",
        "AZURE_TENANT_ID",
    }
