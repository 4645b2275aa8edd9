"""`migrate --contract` in this process: contoso/legacy after expansion, rewriting and proof, with all its old secrets.

What is removed is seen in the sandbox's world and log, and in the record.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.desk import project
from trustsmith.cli import cli
from trustsmith.cli.exits import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.flows.conftest import Bench

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
Json = dict[str, Any]
LEGACY = "0a000000-0000-0000-0000-000000000003"
EXPIRED, CURRENT = (f"0f000000-0000-0000-0000-00000000000{number}" for number in (1, 2))
SUBSCRIPTION = "/subscriptions/aaaaaaaa-0000-0000-0000-000000000001"
CONTRIBUTOR = f"delete-role=contributor@{SUBSCRIPTION}#{LEGACY}"
SECRETS = (
    "delete-secret=environment/production/AZURE_CLIENT_SECRET",
    "delete-secret=environment/staging/AZURE_CREDENTIALS",
    "delete-secret=repository/AZURE_CLIENT_SECRET",
    "delete-secret=repository/AZURE_CREDENTIALS",
    "delete-secret=repository/AZURE_SP_PASSWORD",
    "delete-secret=dependabot/AZURE_CREDENTIALS",
    "delete-secret=codespaces/AZURE_CLIENT_SECRET",
    "delete-secret=agents/AZURE_CLIENT_SECRET",
    "delete-secret=organization/AZURE_CREDENTIALS",
)
SHARED = "organization/AZURE_CLIENT_SECRET"
CONFIG = f"""\
version: 1
repository: contoso/legacy
tenant: 11111111-1111-1111-1111-111111111111
store: variables
environments:
  staging: {{project: {project("dev")}, client_id: {LEGACY}}}
  production: {{project: {project("prod")}, client_id: {LEGACY}}}
workflows:
  check-trust: {{template: check-trust}}
"""
DEPLOY = """\
on: push
permissions: {id-token: write, contents: read}
jobs:
  staging:
    runs-on: ubuntu-latest
    environment: staging
    steps:
      - uses: azure/login@v3
        with:
          client-id: ${{ vars.AZURE_CLIENT_ID }}
          tenant-id: ${{ vars.AZURE_TENANT_ID }}
          subscription-id: ${{ vars.AZURE_SUBSCRIPTION_ID }}
"""
TRUST = ".github/workflows/check-trust.yml"
_PROVEN: dict[str, Json] = {}


def legacy(world: Json) -> Json:
    found: Json = world["github"]["repositories"]["4002"]
    return found


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Json:
        document: Json = json.loads(self.out)
        return document


@dataclass
class Contract:
    """Run `trustsmith migrate --contract` with these words; no value of a secret may be shown or recorded."""

    bench: Bench
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *allow: str, more: tuple[str, ...] = ("--yes", "--format", "json")) -> Ran:
        self.bench.forget()
        self.capsys.readouterr()
        words = [word for each in allow for word in ("--allow", each)]
        code = run(cli, ["-C", str(self.bench.checkout), "migrate", "--contract", *words, *more])
        out, err = self.capsys.readouterr()
        text = self.file.read_text() if self.file.exists() else ""
        assert "sandbox-legacy-client-credential" not in out + err + text
        return Ran(code, out, err)

    @property
    def file(self) -> Path:
        return self.bench.checkout / "trustsmith-removed.jsonl"

    @property
    def record(self) -> list[Json]:
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    def left(self) -> dict[str, set[str]]:
        """What the world still has of it."""
        world = self.bench.sandbox.state()
        repository = legacy(world)
        (app,) = (a for a in world["applications"].values() if a["appId"] == LEGACY)
        stores = {name: set(values) for name, values in repository["stores"].items()}
        return {
            **stores,
            "repository": set(repository["secrets"]),
            "staging": set(repository["environments"]["staging"]["secrets"]),
            "production": set(repository["environments"]["production"]["secrets"]),
            "organization": set(world["github"]["organizations"]["contoso"]["secrets"]),
            "passwords": {p["keyId"] for p in app["passwordCredentials"]},
        }


@pytest.fixture
def contract(bench: Bench, capsys: pytest.CaptureFixture[str]) -> Contract:
    """Everything is proven, and nothing on the default branch reads a secret; made once a worker."""
    bench.write(CONFIG)
    if not _PROVEN:
        bench.edit(lambda world: _rewritten(world.data))
        bench.apply()
        files = {TRUST: (bench.checkout / TRUST).read_text()}
        push = {"repository": "contoso/legacy", "branch": "main", "files": files}
        bench.sandbox.control("push", push)
        assert run(cli, ["-C", str(bench.checkout), "verify", "--run"]) == 0, capsys.readouterr()
        _PROVEN["world"] = bench.sandbox.state()
    bench.sandbox.control("reset", _PROVEN["world"])
    return Contract(bench, capsys)


def _rewritten(world: Json) -> None:
    """The default branch without secrets; and the operator may take roles of the subscription away."""
    legacy(world)["files"]["main"] = {".github/workflows/deploy.yml": DEPLOY}
    admin = next(
        a for a in world["role_assignments"].values() if a["properties"]["scope"].endswith("rg-foundry-dev")
    )
    text = json.dumps(admin).replace("/resourceGroups/rg-foundry-dev", "").replace("ee00", "ee99")
    more = json.loads(text)
    world["role_assignments"][more["id"].lower()] = more


def words(ran: Ran) -> set[str]:
    return {stray["word"] for stray in ran.json["plan"]["strays"]}


def test_without_a_word_all_is_shown_and_nothing_goes(contract: Contract) -> None:
    before = contract.left()
    ran = contract()
    assert ran.code == 5, ran.err
    passwords = {f"delete-password={EXPIRED}", f"delete-password={CURRENT}"}
    assert words(ran) == {*SECRETS, f"delete-secret={SHARED}", *passwords, CONTRIBUTOR}
    print(ran.err)
    assert 0
