"""`migrate` as a command: what it prints where, and how it ends."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from trustsmith.cli import cli
from trustsmith.cli.exits import run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

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
Call = "Callable[..., tuple[int, str, str]]"


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
