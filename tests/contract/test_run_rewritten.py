"""The workflows of contoso/legacy, rewritten and run: every job signs in with a token of its own where a secret was."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.conftest import running
from tests.contract.github_contract import client
from tests.contract.workflows import Hub
from tests.corpus.marks import repository_of
from tests.corpus.test_rewrite import CHOICES
from trustsmith.migrate.scan import scan
from trustsmith.rewrite import Choices, rewrite
from trustsmith_sandbox.seed_legacy import FILES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Sandbox

TOOLS = ("az", "azd", "terraform", "docker", "npm", "azure-login")
LOGIN = """\
inputs: {client-id: {required: true}, tenant-id: {required: true}, subscription-id: {required: false}}
runs:
  using: composite
  steps:
    - {run: azure-login, shell: bash, env: {CLIENT: "${{ inputs.client-id }}", TENANT: "${{ inputs.tenant-id }}"}}
"""
NOTHING = "runs: {using: composite, steps: [{run: 'true', shell: bash}]}\n"
#: A sign-in that stays where it is, and asks for its token then and there.
INLINE = """\
name: inline
on: workflow_dispatch
jobs:
  one:
    runs-on: ubuntu-latest
    environment: staging
    steps:
      - run: |
          if true; then
            az login --service-principal -u "$WHO" -p "$SECRET" --tenant "$TENANT"
          fi
          az group list
        env:
          WHO: ${{ vars.AZURE_CLIENT_ID }}
          SECRET: ${{ secrets.AZURE_CLIENT_SECRET }}
          TENANT: ${{ vars.AZURE_TENANT_ID }}
"""
SIGNED = {
    "inline/one az token",
    "deploy/staging azure-login token",
    "deploy/production azure-login token",
    "infrastructure/apply terraform token",
    "images/push azure-login token",
    "images/push az registry",
    "nightly/report azure-login token",
    "nightly/clean az password",  # the script is left to people
    "evaluate/agents azd token",
    "release/publish azure-login token",
}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """contoso/legacy at a sandbox whose runner finds played tools and actions."""
    tools, actions = tmp_path / "tools", tmp_path / "actions"
    tools.mkdir()
    for name, text in {
        "azure/login": LOGIN,
        "hashicorp/setup-terraform": NOTHING,
        "azure/setup-azd": NOTHING,
    }.items():
        (actions / name).mkdir(parents=True)
        (actions / name / "action.yml").write_text(text)
    monkeypatch.setenv("PATH", f"{tools}{os.pathsep}{os.environ['PATH']}")
    with running(tmp_path, "--actions", str(actions)) as sandbox:
        _play(tools, sandbox, tmp_path / "signed")
        _trust(sandbox)
        with client(sandbox) as http:
            yield Hub(sandbox, http, "/repos/contoso/legacy")


def _play(folder: Path, sandbox: Sandbox, signed: Path) -> None:
    program = Path(__file__).with_name("legacy_tools.py")
    variables = f"AUTHORITY='{sandbox.env['AZURE_AUTHORITY_HOST']}' SIGNED='{signed}'"
    for name in TOOLS:
        file = folder / name
        file.write_text(f"#!/bin/sh\n{variables} exec '{sys.executable}' '{program}' {name} \"$@\"\n")
        file.chmod(0o755)


def _trust(sandbox: Sandbox) -> None:
    """Entra trusts the jobs of both environments, as `migrate --expand` has it."""
    world = sandbox.state()
    (app,) = (a for a in world["applications"].values() if a["displayName"] == "contoso-legacy-deploy")
    app["federatedIdentityCredentials"] = [
        {
            "id": f"0e000000-0000-0000-0000-0000000001{number}0",
            "name": name,
            "issuer": f"{sandbox.origin}/_services/token",
            "subject": f"repo:contoso/legacy:environment:{name}",
            "audiences": ["api://AzureADTokenExchange"],
            "description": "",
        }
        for number, name in enumerate(("staging", "production"))
    ]
    sandbox.control("reset", world)


def _rewritten() -> dict[str, str]:
    """All files; the runner's checkout has no mode for a script, so that a shell is told to run it."""
    nightly = ".github/workflows/nightly.yml"
    texts = {**FILES, ".github/workflows/inline.yml": INLINE}
    texts |= {nightly: FILES[nightly].replace("run: ./scripts", "run: bash scripts")}
    repository = repository_of(texts)
    places = {"apply": "production", "push": "production"}
    choices = Choices(pin=CHOICES.pin, audience=CHOICES.audience, environments=places)
    return texts | dict(rewrite(repository, scan(repository), choices).texts)


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="as on every hosted runner")
def test_they_run_and_sign_in_with_tokens(hub: Hub, tmp_path: Path) -> None:
    files = {**_rewritten(), "infra/main.tf": "", "evaluate.py": ""}
    body = {"repository": "contoso/legacy", "branch": "main", "files": files, "tag": "v1", "start": True}
    hub.sandbox.control("push", body)
    hub.sandbox.control("runs", {"repository": "contoso/legacy", "workflow": "nightly.yml"})
    for name in ("deploy.yml", "images.yml", "evaluate.yml", "inline.yml"):
        hub.dispatch(name)
    runs = hub.http.get(f"{hub.place}/actions/runs").json()["workflow_runs"]
    ended = {run["name"]: hub.ended(run["id"]) for run in runs}
    names = ("deploy", "infrastructure", "images", "nightly", "evaluate", "release", "inline")
    assert ended == dict.fromkeys(names, "success")
    assert set((tmp_path / "signed").read_text().splitlines()) == SIGNED
