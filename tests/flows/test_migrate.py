"""`migrate --scan` with access: where the secrets of contoso/legacy live, and whose they are. In this process."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from trustsmith.cli import cli
from trustsmith.cli.exits import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Sandbox

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
Json = dict[str, Any]
LEGACY = "0a000000-0000-0000-0000-000000000003"
Scan = "Callable[..., Json]"


@pytest.fixture
def checkout(sandbox: Sandbox, tmp_path: Path) -> Path:
    """A checkout of contoso/legacy, as somebody has it who cloned it from the sandbox."""
    folder = tmp_path / "legacy"
    for name, text in sandbox.state()["github"]["repositories"]["4002"]["files"]["main"].items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    subprocess.run(["git", "init", "-q", folder], check=True)
    remote = f"{sandbox.origin}/contoso/legacy.git"
    subprocess.run(["git", "-C", folder, "remote", "add", "origin", remote], check=True)
    return folder


@pytest.fixture
def scan(
    sandbox: Sandbox, checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Json]:
    """Run `trustsmith migrate --scan --format json` there; the document. No value of a secret may be in it."""
    for name, value in sandbox.env.items():
        monkeypatch.setenv(name, value)

    def call(*words: str, **env: str | None) -> Json:
        for name, value in env.items():
            monkeypatch.delenv(name) if value is None else monkeypatch.setenv(name, value)
        code = run(cli, ["-C", str(checkout), "migrate", "--scan", "--format", "json", *words])
        out, err = capsys.readouterr()
        assert code == 3, err
        assert "sandbox-legacy-client-credential" not in out + err
        document: Json = json.loads(out)
        return document

    return call


def change(sandbox: Sandbox, edit: Callable[[Json], object]) -> None:
    """Change the sandbox's world by hand."""
    world = sandbox.state()
    edit(world)
    sandbox.control("reset", world)


def test_each_use_says_where_its_secret_lives(scan: Callable[..., Json]) -> None:
    found = {(f["file"].rsplit("/", 1)[-1], f["line"]): (f["secret"], f["level"]) for f in scan()["findings"]}
    assert found[("deploy.yml", 18)] == ("AZURE_CREDENTIALS", "environment staging")
    assert found[("deploy.yml", 31)] == ("AZURE_CLIENT_SECRET", "environment production")
    assert found[("images.yml", 15)] == ("AZURE_CLIENT_SECRET", "repository")
    assert found[("infrastructure.yml", 17)] == ("STATE_ACCESS_KEY", "none")
    # The workflow that is called runs in an environment, and what it is handed is read by who calls it.
    assert found[("release.yml", 11)] == found[("publish.yml", 24)] == ("AZURE_CREDENTIALS", "repository")
    assert found[("action.yml", 12)] == ("AZURE_CREDENTIALS", "repository")
    assert found[("clean.sh", 5)] == ("AZURE_CLIENT_SECRET", "environment production")


def test_every_place_of_every_secret_is_listed(scan: Callable[..., Json]) -> None:
    document = scan()
    places = {(s["name"], s["store"], s["environment"] or s["level"]) for s in document["secrets"]}
    assert places == {
        ("AZURE_CREDENTIALS", "actions", "staging"),
        ("AZURE_CREDENTIALS", "actions", "repository"),
        ("AZURE_CREDENTIALS", "actions", "organization"),
        ("AZURE_CREDENTIALS", "dependabot", "repository"),
        ("AZURE_CLIENT_SECRET", "actions", "production"),
        ("AZURE_CLIENT_SECRET", "actions", "repository"),
        ("AZURE_CLIENT_SECRET", "actions", "organization"),
        ("AZURE_CLIENT_SECRET", "codespaces", "repository"),
        ("AZURE_CLIENT_SECRET", "agents", "repository"),
        ("AZURE_OPENAI_API_KEY", "actions", "repository"),
        ("AZURE_SP_PASSWORD", "actions", "repository"),
    }
    shared = {s["name"]: s["repositories"] for s in document["secrets"] if s["level"] == "organization"}
    assert shared == {
        "AZURE_CREDENTIALS": ["contoso/legacy"],
        "AZURE_CLIENT_SECRET": ["contoso/agents", "contoso/legacy"],
    }
    assert [s["name"] for s in document["secrets"] if s["forgotten"]] == ["AZURE_SP_PASSWORD"]
    assert (document["missing"], document["notes"]) == (["STATE_ACCESS_KEY"], [])


def test_the_application_with_its_passwords(scan: Callable[..., Json], sandbox: Sandbox) -> None:
    def principal_too(world: Json) -> None:
        (app,) = (a for a in world["applications"].values() if a["appId"] == LEGACY)
        (principal,) = (p for p in world["service_principals"].values() if p["appId"] == LEGACY)
        principal["passwordCredentials"] = [
            app["passwordCredentials"][1] | {"keyId": "0f000000-0000-0000-0000-000000000009"}
        ]

    change(sandbox, principal_too)
    (found,) = scan()["applications"]
    assert (found["client_id"], found["name"]) == (LEGACY, "contoso-legacy-deploy")
    assert found["how"] == ["variable AZURE_CLIENT_ID", "scripts/clean.sh:5"]
    assert found["secrets"] == ["AZURE_CLIENT_SECRET"]
    passwords = [(p["key_id"][-1], p["hint"], p["name"], p["expired"], p["on"]) for p in found["passwords"]]
    assert passwords == [
        ("1", "san", "terraform", True, "application"),
        ("2", "san", "github-actions", False, "application"),
        ("9", "san", "github-actions", False, "service principal"),
    ]


def test_an_id_that_is_a_secret_is_said_to_be_unreadable(
    scan: Callable[..., Json], sandbox: Sandbox, checkout: Path
) -> None:
    def hide(world: Json) -> None:
        world["github"]["repositories"]["4002"]["variables"] = {}

    change(sandbox, hide)
    (checkout / "scripts" / "clean.sh").unlink()
    document = scan()
    assert document["applications"] == []
    assert "its client id is in no variable and in no file" in document["notes"][0]


def test_what_a_token_may_not_see_is_a_note(scan: Callable[..., Json]) -> None:
    document = scan(GH_TOKEN="sandbox-read-only-token")
    assert [note.partition(" could not be read")[0] for note in document["notes"]] == [
        "the organization's agents secrets",
        "the repository's agents secrets",
        "the repository's codespaces secrets",
        "the repository's dependabot secrets",
    ]
    assert {s["store"] for s in document["secrets"]} == {"actions"}


def test_who_else_sees_an_organizations_secret_is_for_its_owners(scan: Callable[..., Json]) -> None:
    document = scan(GH_TOKEN="sandbox-writer-token")
    unknown = [s for s in document["secrets"] if s["level"] == "organization"]
    assert [(s["visibility"], s["repositories"]) for s in unknown] == [("", None)] * 2
    assert sum("that is for the organization's owners" in note for note in document["notes"]) == 2


def test_signed_in_nowhere_it_says_what_the_checkout_says(
    scan: Callable[..., Json], sandbox: Sandbox
) -> None:
    """GitHub's CLI, if there is one, has never heard of the sandbox."""
    before = sandbox.log.stat().st_size
    document = scan(GH_TOKEN=None)
    assert (document["secrets"], document["missing"], document["applications"]) == (None, None, [])
    assert {f["level"] for f in document["findings"]} == {"unknown"}
    assert "where the secrets live could not be told: Nobody is signed in" in document["notes"][0]
    assert sandbox.log.stat().st_size == before


def test_offline_nobody_is_asked(scan: Callable[..., Json], sandbox: Sandbox) -> None:
    before = sandbox.log.stat().st_size
    document = scan("--offline")
    assert sandbox.log.stat().st_size == before
    assert (document["secrets"], document["notes"]) == (None, [])


def test_no_azure_sign_in_leaves_githubs_part(
    scan: Callable[..., Json], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    git = shutil.which("git")
    assert git is not None
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "git").symlink_to(git)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))  # no Azure CLI, no azd
    document = scan(AZURE_FEDERATED_TOKEN_FILE=None)
    assert "the applications' passwords could not be listed" in document["notes"][0]
    assert [(a["client_id"], a["passwords"]) for a in document["applications"]] == [(LEGACY, [])]


def test_a_checkout_without_a_remote(scan: Callable[..., Json], checkout: Path) -> None:
    subprocess.run(["git", "-C", checkout, "remote", "remove", "origin"], check=True)
    assert "no git remote" in scan()["notes"][0]
