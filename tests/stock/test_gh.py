"""Stock GitHub CLI against the sandbox, as it would be used against an enterprise server."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.packaging.installed import clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Sandbox


@pytest.fixture
def run_gh(gh: str, sandbox: Sandbox, tmp_path: Path) -> Callable[..., str]:
    """Run ``gh`` with the sandbox as its host and return what it prints."""
    host = urlsplit(sandbox.origin).netloc
    variables = {
        "GH_HOST": host,
        "GH_ENTERPRISE_TOKEN": "sandbox-admin-token",
        "GH_CONFIG_DIR": str(tmp_path),
    }
    environment = clean_environment(tmp_path) | variables | {"SSL_CERT_FILE": sandbox.env["SSL_CERT_FILE"]}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [gh, *arguments],
            env=environment,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def _repository(sandbox: Sandbox) -> list[str]:
    return ["-R", f"{urlsplit(sandbox.origin).netloc}/contoso/agents"]


def test_api(run_gh: Callable[..., str]) -> None:
    made = run_gh("api", "-X", "PUT", "repos/contoso/agents/environments/prod", "-F", "wait_timer=3")
    assert json.loads(made)["protection_rules"][0]["wait_timer"] == 3
    assert (
        run_gh("api", "--paginate", "repos/contoso/agents/environments", "--jq", ".total_count").strip()
        == "1"
    )


def test_secrets(run_gh: Callable[..., str], sandbox: Sandbox) -> None:
    where = [*_repository(sandbox), "--env", "prod"]
    run_gh("api", "-X", "PUT", "repos/contoso/agents/environments/prod")
    run_gh("secret", "set", "AZURE_CLIENT_ID", "--body", "x", *where)
    assert run_gh("secret", "list", *where).startswith("AZURE_CLIENT_ID\t")
    run_gh("secret", "set", "SHARED", "--body", "x", "--org", "contoso", "--visibility", "all")
    assert "SHARED\t" in run_gh("secret", "list", "--org", "contoso")
    run_gh("secret", "delete", "AZURE_CLIENT_ID", *where)
    assert run_gh("secret", "list", *where) == ""


def test_repository(run_gh: Callable[..., str], sandbox: Sandbox) -> None:
    name = _repository(sandbox)[1]
    shown = json.loads(
        run_gh("repo", "view", name, "--json", "nameWithOwner,viewerPermission,defaultBranchRef")
    )
    assert shown == {
        "nameWithOwner": "contoso/agents",
        "viewerPermission": "ADMIN",
        "defaultBranchRef": {"name": "main"},
    }
    assert "# agents" in run_gh("repo", "view", name)


def test_workflows(run_gh: Callable[..., str], sandbox: Sandbox) -> None:
    files = {".github/workflows/deploy.yml": "name: Deploy\non: push\n"}
    sandbox.control("push", {"repository": "contoso/agents", "files": files})
    assert run_gh("workflow", "list", *_repository(sandbox)).startswith("Deploy\tactive\t")
