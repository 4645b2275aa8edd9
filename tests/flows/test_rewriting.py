"""`migrate --rewrite --pr`: what is on the default branch, without its secrets, as one pull request. In this process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.flows.test_migrate import change, checkout
from trustsmith.cli import cli
from trustsmith.cli.exits import run
from trustsmith.model.branch import REWRITTEN
from trustsmith_sandbox.seed_legacy import FILES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Sandbox

__all__ = ["checkout"]
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
Json = dict[str, Any]
DEPLOY = ".github/workflows/deploy.yml"
HERE = ("--environment", "apply=production", "--environment", "push=staging")


@pytest.fixture
def migrate(
    sandbox: Sandbox, checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, Json]]:
    """Run `trustsmith migrate … --format json` there: the exit code and the document."""
    for name, value in sandbox.env.items():
        monkeypatch.setenv(name, value)

    def call(*words: str) -> tuple[int, Json]:
        code = run(cli, ["-C", str(checkout), "migrate", "--format", "json", *words])
        out, err = capsys.readouterr()
        assert "sandbox-legacy-client-credential" not in out + err
        document: Json = json.loads(out)
        return code, document

    return call


def legacy(sandbox: Sandbox) -> Json:
    found: Json = sandbox.state()["github"]["repositories"]["4002"]
    return found


def push(sandbox: Sandbox, files: dict[str, str], to: str = "main") -> None:
    body = {"repository": "contoso/legacy", "branch": to, "files": files, "message": "Work", "start": False}
    sandbox.control("push", body)


def test_the_default_branch_is_rewritten_in_one_pull_request(
    sandbox: Sandbox, checkout: Path, migrate: Callable[..., tuple[int, Json]]
) -> None:
    (checkout / DEPLOY).write_text("name: something else\n")
    push(sandbox, {DEPLOY: "\ufeff# Ours\n" + FILES[DEPLOY]})
    code, document = migrate("--rewrite", "--pr", *HERE)
    assert (code, document["pull_request"]["state"], len(document["left"])) == (3, "opened", 4)
    files = legacy(sandbox)["files"]
    changed = {path for path, text in files["main"].items() if files[REWRITTEN.branch][path] != text}
    assert changed == {each["file"] for each in document["files"]}
    assert files[REWRITTEN.branch][DEPLOY].startswith("\ufeff# Ours\n# Builds the shop")
    assert "creds" not in files[REWRITTEN.branch][DEPLOY]
    assert (checkout / DEPLOY).read_text() == "name: something else\n"
    (pull,) = legacy(sandbox)["pulls"].values()
    assert (pull["head"], pull["base"]) == (REWRITTEN.branch, "main")
    assert "| .github/workflows/deploy.yml | +14 -4 | azure-login-creds (line 19, 32) |" in pull["body"]
    assert "the subject of the job's tokens names it in place of the branch" in pull["body"]
    assert "| scripts/clean.sh:5 | AZURE\\_CLIENT\\_SECRET | " in pull["body"]
    assert "| push in .github/workflows/images.yml | staging | as you say |" in pull["body"]
    assert migrate("--rewrite", "--pr", *HERE)[1]["pull_request"]["state"] == "unchanged"
    push(sandbox, {"README.md": "# more\n"})
    assert migrate("--rewrite", "--pr", *HERE)[1]["pull_request"]["state"] == "updated"
    assert len(legacy(sandbox)["pulls"]) == 1


def test_others_commits_are_not_pushed_over(
    sandbox: Sandbox, migrate: Callable[..., tuple[int, Json]]
) -> None:
    migrate("--rewrite", "--pr", *HERE)
    push(sandbox, {DEPLOY: "name: mine\n"}, to=REWRITTEN.branch)
    code, document = migrate("--rewrite", "--pr", *HERE)
    assert (code, "trustsmith did not make" in document["error"]["message"]) == (5, True)


def test_nothing_to_rewrite(sandbox: Sandbox, migrate: Callable[..., tuple[int, Json]]) -> None:
    change(sandbox, lambda world: world["github"]["repositories"]["4002"]["files"].update(main={"a": "b\n"}))
    code, document = migrate("--rewrite", "--pr")
    assert (code, document["pull_request"]["state"], legacy(sandbox)["pulls"]) == (0, "none", {})
