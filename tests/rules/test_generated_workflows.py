"""What three checkers of workflows say to every golden file: zizmor, actionlint, and GitHub's own parser."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.golden.cases import CASES
from tests.golden.write import FOLDER
from tests.rules import checkers
from tests.rules.checkers import installed, run
from trustsmith.model.config import one_by_one
from trustsmith.render import catalogue

FILES = sorted(FOLDER.glob("*.yml"))
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def parsed() -> dict[str, Any]:
    """What GitHub's parser makes of each golden file."""
    answers = checkers.parsed(FILES)
    return {Path(path).stem: answer for path, answer in answers.items()}


def zizmor(folder: Path, persona: str) -> tuple[int, Any, str]:
    """The exit code, the findings, and what else it said, of all golden files."""
    workflows = folder / ".github" / "workflows"
    workflows.mkdir(parents=True)
    for file in FILES:
        shutil.copy(file, workflows)
    done = run(installed("zizmor"), "--offline", f"--persona={persona}", "--format=json", workflows)
    return done.returncode, json.loads(done.stdout), done.stderr


def test_zizmor_finds_nothing(tmp_path: Path) -> None:
    code, findings, said = zizmor(tmp_path, "pedantic")

    assert (code, findings) == (0, []), said


def test_what_zizmors_auditor_finds_is_explained(tmp_path: Path) -> None:
    """Each finding has its row in the documentation, and each row its finding."""
    _, findings, _ = zizmor(tmp_path, "auditor")

    found = {
        (finding["ident"], Path(finding["locations"][0]["symbolic"]["key"]["Local"]["verbatim_path"]).stem)
        for finding in findings
    }
    section = (
        (ROOT / "docs" / "workflows.md").read_text(encoding="utf-8").partition("## What zizmor's auditor")[2]
    )
    rows = re.findall(
        r"^\| `([a-z-]+)` \| ([^|]+) \| [^|]{20,} \|$", section.partition("\n## ")[0], re.MULTILINE
    )
    explained = {(ident, case) for ident, cases in rows for case in re.findall(r"`([\w-]+)`", cases)}
    assert explained == found


def test_actionlint_finds_nothing() -> None:
    done = run(installed("actionlint"), *FILES)

    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("case", CASES)
def test_githubs_parser_finds_no_error(case: str, parsed: dict[str, Any]) -> None:
    assert parsed[case]["errors"] == []


@pytest.mark.parametrize("case", CASES)
def test_githubs_parser_reads_the_jobs_as_they_are_meant(case: str, parsed: dict[str, Any]) -> None:
    config, _ = CASES[case]
    (workflow,) = config.workflows
    stages = workflow.stages if catalogue()[workflow.template].in_order else one_by_one(workflow.environments)
    if config.observer and workflow.observes:
        stages = ((config.observer.environment,),)

    jobs = parsed[case]["jobs"]

    assert [job["environment"] for job in jobs] == [
        stage[0] if len(stage) == 1 else {"type": 3, "expr": "matrix.environment"} for stage in stages
    ]
    waits = (
        [[], *([job["id"]] for job in jobs[:-1])]
        if catalogue()[workflow.template].in_order
        else [[]] * len(jobs)
    )
    assert [job["needs"] for job in jobs] == waits
