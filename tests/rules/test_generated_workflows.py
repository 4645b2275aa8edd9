"""What three checkers of workflows say to every golden file: zizmor, actionlint, and GitHub's own parser."""

from __future__ import annotations

import json
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


@pytest.fixture(scope="module")
def parsed() -> dict[str, Any]:
    """What GitHub's parser makes of each golden file."""
    answers = checkers.parsed(FILES)
    return {Path(path).stem: answer for path, answer in answers.items()}


def test_zizmor_finds_nothing(tmp_path: Path) -> None:
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    for file in FILES:
        shutil.copy(file, folder)

    done = run(installed("zizmor"), "--offline", "--persona=pedantic", "--format=json", folder)

    assert (done.returncode, json.loads(done.stdout)) == (0, []), done.stderr


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
