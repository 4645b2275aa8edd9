"""What checkers say to the action, and to the whole workflows in its page and in that of the commands."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.rules.checkers import installed, parsed, run

ROOT = Path(__file__).resolve().parents[2]
ACTION = ROOT / "action.yml"


def test_zizmor_finds_nothing() -> None:
    done = run(installed("zizmor"), "--offline", "--persona=auditor", "--format=json", ACTION)
    assert (done.returncode, json.loads(done.stdout)) == (0, []), done.stderr


def test_githubs_parser_finds_nothing(tmp_path: Path) -> None:
    wrong = tmp_path / "action.yml"
    wrong.write_text(ACTION.read_text("utf-8").replace("shell: bash", "shel: bash"), "utf-8")
    answers = parsed([ACTION, wrong])
    assert answers[str(ACTION)]["errors"] == []
    assert answers[str(wrong)]["errors"]


@pytest.mark.skipif(shutil.which("shellcheck") is None, reason="shellcheck is not installed")
def test_shellcheck_finds_nothing() -> None:
    scripts = [step.get("run", "") for step in YAML(typ="safe").load(ACTION)["runs"]["steps"]]
    assert len(list(filter(None, scripts))) == 2
    for script in scripts:
        done = run("shellcheck", "--shell=bash", "-", text=script)
        assert (done.returncode, done.stdout) == (0, "")


def test_actionlint_finds_nothing_in_documented_workflows(tmp_path: Path) -> None:
    files = []
    for page in ("action.md", "commands.md"):
        text = (ROOT / "docs" / page).read_text("utf-8")
        for number, workflow in enumerate(
            re.findall(r"^```yaml\n(name: .*?)^```$", text, re.MULTILINE | re.DOTALL)
        ):
            files.append(tmp_path / f"{page}-{number}.yml")
            files[-1].write_text(workflow, "utf-8")
    assert {file.name for file in files} >= {"action.md-0.yml", "commands.md-0.yml"}
    done = run(installed("actionlint"), *files)
    assert (done.returncode, done.stdout) == (0, "")
