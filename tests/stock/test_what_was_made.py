"""Stock `az` and `gh` see what the tool made, as its users would look at it."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.cli.desk import ENVIRONMENTS, PROJECT_MANAGER, SETUP, TENANT, project
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


@pytest.fixture
def run_az(az: str, sandbox: Sandbox, tmp_path: Path) -> Callable[..., Json]:
    """Run `az` with the sandbox as its cloud, signed in as the operator; return what it prints as JSON."""
    folder = tmp_path / "azure"
    environment = clean_environment(tmp_path) | {
        "AZURE_CONFIG_DIR": str(folder),
        "AZURE_CORE_COLLECT_TELEMETRY": "false",
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",
        "REQUESTS_CA_BUNDLE": sandbox.env["REQUESTS_CA_BUNDLE"],
        "SSL_CERT_FILE": sandbox.env["SSL_CERT_FILE"],
    }

    def run(*words: str) -> Json:
        command = [az, *words, "--output", "json"]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=120
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout or "null")

    origin = sandbox.origin
    cloud = ["cloud", "register", "--name", "sandbox", "--endpoint-active-directory", origin]
    cloud += ["--endpoint-resource-manager", origin, "--endpoint-management", origin]
    cloud += ["--endpoint-active-directory-resource-id", f"{origin}/arm"]
    cloud += ["--endpoint-active-directory-graph-resource-id", f"{origin}/"]
    cloud += ["--endpoint-microsoft-graph-resource-id", f"{origin}/"]
    run(*cloud)
    run("cloud", "set", "--name", "sandbox")
    with open(sandbox.env["AZURE_FEDERATED_TOKEN_FILE"], encoding="ascii") as file:  # noqa: PTH123 - its name is a text
        assertion = file.read()
    sign_in = [
        "login",
        "--service-principal",
        "--username",
        sandbox.env["AZURE_CLIENT_ID"],
        "--tenant",
        TENANT,
    ]
    run(*sign_in, "--federated-token", assertion)
    return run


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
