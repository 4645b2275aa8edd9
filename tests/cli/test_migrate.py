"""`migrate` as a command: what it prints where, and how it ends."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from trustsmith.cli import cli
from trustsmith.cli.exits import run
from trustsmith_sandbox.seed_legacy import FILES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.cli.desk import Desk

LOGIN = """\
on: push
jobs:
  live:
    runs-on: ubuntu-latest
    steps:
      - uses: azure/login@v2
        with:
          creds: ${{ secrets.AZURE_CREDENTIALS }}
"""


@pytest.fixture
def migrate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run `trustsmith migrate` in a checkout of these workflows: exit code, stdout, stderr."""

    def call(*words: str, **files: str) -> tuple[int, str, str]:
        folder = tmp_path / ".github" / "workflows"
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / f"{name}.yml").write_text(text, "utf-8")
        code = run(cli, ["-C", str(tmp_path), "migrate", *words])
        return code, *capsys.readouterr()

    return call


def test_scan_ends_with_three_when_anything_is_found(migrate: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = migrate("--scan", "--offline", deploy=LOGIN)
    assert code == 3
    assert "8:18  AZURE_CREDENTIALS  azure-login-creds" in out
    assert "Error: Long-lived Azure credentials are in use." in err


def test_json_is_one_document(migrate: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = migrate("--scan", "--offline", "--format", "json", deploy=LOGIN)
    document = json.loads(out)
    assert (code, document["schema"], document["error"]["exit_code"]) == (3, 1, 3)
    assert [finding["secret"] for finding in document["findings"]] == ["AZURE_CREDENTIALS"]


def test_sarif_is_all_of_stdout(migrate: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = migrate("--scan", "--offline", "--format", "sarif", deploy=LOGIN)
    assert (code, json.loads(out)["version"]) == (3, "2.1.0")


def test_nothing_to_migrate_ends_with_zero(migrate: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = migrate("--scan", "--offline", test="on: push\njobs: {}\n")
    assert (code, out, err) == (0, "No use of a long-lived Azure credential in 1 file.\n", "")


def test_a_file_that_cannot_be_read_is_not_passed_over(migrate: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = migrate("--scan", test="on: [push\n")
    assert code == 3
    assert ".github/workflows/test.yml:2:1: This is not valid YAML" in out
    assert "Not every file could be read." in err


def test_without_a_word_it_says_what_to_type(migrate: Callable[..., tuple[int, str, str]]) -> None:
    code, _, err = migrate(deploy=LOGIN)
    assert code == 2
    assert "trustsmith migrate --scan" in err


# -- rewrite ---------------------------------------------------------------------------------------------------------

CONFIG = """\
version: 1
repository: contoso/agents
tenant: 11111111-1111-1111-1111-111111111111
environments:
  dev:
    project: /subscriptions/aaaaaaaa-0000-0000-0000-000000000001/resourceGroups/rg/providers/\
Microsoft.CognitiveServices/accounts/a/projects/p
"""
HERE = ("--rewrite", "--environment", "live=production")
WINDOWS = "\ufeff" + LOGIN.replace("\n", "\r\n").removesuffix("\r\n")


def workflow(checkout: Path, name: str = "deploy") -> bytes:
    return (checkout / ".github" / "workflows" / f"{name}.yml").read_bytes()


@pytest.mark.parametrize("text", [LOGIN, WINDOWS], ids=["unix", "windows"])
def test_a_rewriting_is_a_diff_that_git_takes(
    migrate: Callable[..., tuple[int, str, str]], tmp_path: Path, text: str
) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    (folder / "deploy it.yml").write_bytes(text.encode())
    code, diff, err = migrate(*HERE)
    assert (code, workflow(tmp_path, "deploy it")) == (0, text.encode())
    assert "1 of 1 use can be rewritten, in 1 file; 0 left." in err
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, "apply", "-"], input=diff.encode(), check=True)
    applied = workflow(tmp_path, "deploy it")
    assert b"creds" not in applied
    (folder / "deploy it.yml").write_bytes(text.encode())
    assert migrate(*HERE, "--write")[0] == 0
    assert workflow(tmp_path, "deploy it") == applied


def test_written_is_what_is_said_and_twice_is_once(
    migrate: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    code, out, err = migrate(*HERE, "--write", deploy=LOGIN)
    assert (code, out) == (0, "rewritten: .github/workflows/deploy.yml\n")
    assert "Rewritten: 1 of 1 use, in 1 file; 0 left." in err
    assert "variables     AZURE_CLIENT_ID, AZURE_SUBSCRIPTION_ID, AZURE_TENANT_ID" in err
    written = workflow(tmp_path)
    code, out, err = migrate(*HERE, "--write")
    assert (code, out, err) == (0, "", "No use of a long-lived Azure credential in 1 file.\n")
    assert workflow(tmp_path) == written
    assert migrate("--scan", "--offline")[0] == 0


def test_a_job_without_an_environment_is_asked_for_one(
    migrate: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    code, out, err = migrate("--rewrite", "--write", deploy=LOGIN)
    assert (code, out, workflow(tmp_path)) == (3, "", LOGIN.encode())
    assert "trustsmith migrate --rewrite --environment live=ENV" in err
    both = LOGIN + LOGIN.partition("jobs:\n")[2].replace("live", "test")
    _, _, err = migrate("--rewrite", "--environment", "test=dev", deploy=both)
    assert "trustsmith migrate --rewrite --environment test=dev --environment live=ENV" in err


def test_the_configuration_knows_environments(
    migrate: Callable[..., tuple[int, str, str]], tmp_path: Path
) -> None:
    config = tmp_path / ".github" / "trustsmith.yml"
    config.parent.mkdir()
    config.write_text(CONFIG, "utf-8")
    code, out, err = migrate("--rewrite", deploy=LOGIN)
    assert code == 0
    assert "+    environment: dev\n" in out
    assert "client-id: ${{ secrets.AZURE_CLIENT_ID }}\n" in out, "where it keeps the ids"
    assert "dev (there is only one)" in err


def test_rewritten_as_json(migrate: Callable[..., tuple[int, str, str]]) -> None:
    script = "      - run: az login --service-principal -u a -p $PW --certificate x.pem\n        env:\n          PW: ${{ secrets.SP_PASSWORD }}\n"
    code, out, _ = migrate(
        *HERE, "--format", "json", deploy=LOGIN, other=LOGIN[: LOGIN.index("      - uses")] + script
    )
    document = json.loads(out)
    assert (code, document["written"]) == (3, False)
    assert [file["file"] for file in document["files"]] == [".github/workflows/deploy.yml"]
    assert "-          creds: ${{ secrets.AZURE_CREDENTIALS }}" in document["files"][0]["diff"]
    assert {use["file"] for use in document["left"]} == {".github/workflows/other.yml"}
    assert "a certificate is used" in [use["why"] for use in document["left"]]
    assert document["environments"] == [
        {
            "file": ".github/workflows/deploy.yml",
            "job": "live",
            "environment": "production",
            "how": "as you say",
        }
    ]
    assert document["variables"] == ["AZURE_CLIENT_ID", "AZURE_SUBSCRIPTION_ID", "AZURE_TENANT_ID"]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--scan", "--rewrite"), "--scan and --rewrite are two stages"),
        (("--scan", "--write"), "is for --rewrite"),
        (("--scan", "--timeout", "15m"), "--timeout is for --prove, not for --scan"),
        (("--rewrite", "--format", "sarif"), "text or json"),
        (("--rewrite", "--environment", "live"), "names no job, or no environment"),
        (("--rewrite", "--environment", "=x"), "names no job, or no environment"),
        (("--rewrite", "--environment", "lvie=x"), "Did you mean 'live'?"),
        (("--rewrite", "--environment", "other.yml:live=x"), "There is no job 'other.yml:live'"),
    ],
)
def test_what_cannot_be_meant(
    migrate: Callable[..., tuple[int, str, str]], words: tuple[str, ...], says: str
) -> None:
    code, out, err = migrate(*words, deploy=LOGIN)
    assert (code, out) == (2, "")
    assert says in err


def test_a_diff_in_the_log_of_a_job_holds_no_commands(
    migrate: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    _, out, _ = migrate(*HERE, deploy=LOGIN + "      - run: |\n          ::add-mask::x\n")
    assert "add-mask::x" in out
    assert "::add-mask" not in out


def test_a_whole_repository(migrate: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    """The sandbox's contoso/legacy, in which all of it comes together."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    environments = (
        "--environment",
        "push=production",
        "--environment",
        "infrastructure.yml:apply=production",
    )
    code, out, err = migrate("--rewrite", "--write", *environments)
    assert (code, len(out.splitlines())) == (3, 8)
    assert "Rewritten: 11 of 15 uses, in 8 files; 4 left." in err
    found = json.loads(migrate("--scan", "--offline", "--format", "json")[1])["findings"]
    assert [(f["file"].rpartition("/")[2], f["pattern"], f["rewritable"]) for f in found] == [
        ("evaluate.yml", "api-key", False),
        ("infrastructure.yml", "storage-key", False),
        ("nightly.yml", "env-client-secret", False),
        ("clean.sh", "az-login-secret", False),
    ]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--scan", "--org", "contoso", "--offline"), "--org asks GitHub; --offline asks nobody."),
        (("--scan", "--org", "contoso", "--format", "sarif"), "SARIF is about one repository"),
        (("--rewrite", "--org", "contoso"), "--org is for --scan, not for --rewrite."),
    ],
)
def test_org_is_for_a_scan_of_githubs_repositories(
    migrate: Callable[..., tuple[int, str, str]], words: tuple[str, ...], said: str
) -> None:
    code, out, err = migrate(*words)
    assert (code, out) == (2, "")
    assert said in err


def test_contract_refuses_what_is_not_proven(configured: Desk) -> None:
    configured.forget()
    word = "delete-secret=organization/AZURE_CLIENT_SECRET"
    done = configured("migrate", "--contract", "--yes", "--allow", word).ends(
        5, "not-proven=prod", "migrate --prove"
    )
    assert "! not-proven=prod: Environment prod: no job has exchanged its token" in done.out
    assert "can be used by contoso/legacy" in done.out
    assert f"- stored secret         {word.removeprefix('delete-secret=')}" in done.out
    assert configured.writes() == []
    assert not (configured.checkout / "trustsmith-removed.jsonl").exists()
