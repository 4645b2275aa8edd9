"""Stock Azure CLI and GitHub CLI, where they are installed.

With TRUSTSMITH_REQUIRE_STOCK=1 (as `make stock` sets it) a missing one is a failure, otherwise a skip.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from tests.cli.desk import TENANT
from tests.packaging.installed import built, clean_environment, installed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Sandbox

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


@pytest.fixture
def run_az(az: str, sandbox: Sandbox, tmp_path: Path) -> Callable[..., Any]:
    """Run `az` with the sandbox as its cloud, signed in as the operator; return what it prints as JSON."""
    folder = tmp_path / "azure"
    environment = clean_environment(tmp_path) | {
        "AZURE_CONFIG_DIR": str(folder),
        "AZURE_CORE_COLLECT_TELEMETRY": "false",
        "AZURE_CORE_INSTANCE_DISCOVERY": "false",
        "REQUESTS_CA_BUNDLE": sandbox.env["REQUESTS_CA_BUNDLE"],
        "SSL_CERT_FILE": sandbox.env["SSL_CERT_FILE"],
    }

    def run(*words: str) -> Any:
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
