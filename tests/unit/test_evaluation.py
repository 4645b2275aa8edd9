"""The script around the evaluation: what it tells the action, when it lets the job pass, and that no token gets out."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from templates import evaluation
from trustsmith.render import scripts

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
ENDPOINT = "https://foundry-dev.services.ai.azure.com/api/projects/agents"
EVALS = "openai/v1/evals"


class Foundry(evaluation.Project):
    """A project whose answers are made up. lists: path → items, in pages of two; objects: path → object."""

    def __init__(self) -> None:
        super().__init__(ENDPOINT + "/", f"{JWT}\n")
        self.lists: dict[str, list[Any]] = {EVALS: []}
        self.objects: dict[str, Any] = {}
        self.first: list[tuple[int, str]] = []
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)

    def ask(self, url: str) -> tuple[int, str]:
        assert url.startswith(f"{ENDPOINT}/")
        if self.first:
            return self.first.pop(0)
        path, query = urlsplit(url).path.split("/agents/", 1)[1], parse_qs(urlsplit(url).query)
        if path in self.objects:
            return 200, json.dumps(self.objects[path])
        if path not in self.lists:
            return 404, f'{{"error": {{"message": "nothing {JWT}\\n::add-mask::x"}}}}'
        ids = [item["id"] for item in self.lists[path]]
        start = ids.index(query["after"][0]) + 1 if "after" in query else 0
        page = self.lists[path][start : start + 2]
        return 200, json.dumps({"data": page, "has_more": start + 2 < len(ids)})

    def evaluated(self, name: str, rows: list[Any], *, eval_id: str = "e1", **run: Any) -> None:
        """A run of an evaluation by two evaluators, with these rows."""
        if all(found["id"] != eval_id for found in self.lists[EVALS]):
            criteria = [{"name": "fluency"}, {"name": "violence"}]
            self.lists[EVALS].append({"id": eval_id, "testing_criteria": criteria})
        runs = self.lists.setdefault(f"{EVALS}/{eval_id}/runs", [])
        run_id = f"r{len(runs)}"
        runs.append({"id": run_id, "name": f"Agent {name}", "status": "completed"} | run)
        self.lists[f"{EVALS}/{eval_id}/runs/{run_id}/output_items"] = [
            {"id": f"i{number}", "results": row} for number, row in enumerate(rows)
        ]


def row(*, fluent: Any = True, harmless: Any = True) -> list[dict[str, Any]]:
    return [{"name": "fluency", "passed": fluent}, {"name": "violence", "passed": harmless}]


@pytest.fixture
def foundry() -> Foundry:
    return Foundry()


class Job(evaluation.Job):
    def __init__(self, folder: Path, project: Foundry, **env: str) -> None:
        data = folder / "data.json"
        data.write_text('{"evaluators": ["builtin.fluency"], "data": [{"query": "?"}]}', encoding="utf-8")
        self.folder = folder
        given = {
            "RUNNER_TEMP": str(folder),
            "GITHUB_OUTPUT": str(folder / "outputs"),
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
            "TRUSTSMITH_DATA": str(data),
            "TRUSTSMITH_AGENTS": "support:3",
            "TRUSTSMITH_PASS_RATE": "80",
        }
        super().__init__(given | env, project)

    def read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")


def gated(folder: Path, foundry: Foundry, **env: str) -> bool:
    """What the gate says of the evaluations that are there, all of them new."""
    job = Job(folder, foundry, **env)
    lists, foundry.lists = foundry.lists, {EVALS: []}
    job.before()
    foundry.lists = lists
    return job.gate()


# Before the action


def test_the_newest_version_is_looked_up(tmp_path: Path, foundry: Foundry) -> None:
    foundry.objects["agents/support"] = {"versions": {"latest": {"version": "7"}}}
    foundry.objects["agents/billing"] = {"versions": {"latest": {"version": 2}}}
    job = Job(
        tmp_path, foundry, TRUSTSMITH_AGENTS="support, billing,support:7", TRUSTSMITH_BASELINE="support:6"
    )

    job.before()

    assert job.read("outputs") == "agents=support:6,support:7,billing:2\nbaseline=support:6\n"
    assert json.loads(job.read("trustsmith-evaluations.json"))["gated"] == ["support:7", "billing:2"]


@pytest.mark.parametrize(
    ("agents", "words"),
    [
        ("a b:1", "is no agent with a version"),
        ("a:1:2", "is no agent with a version"),
        ("a:", "is no agent with a version"),
        ("unversioned", "is no agent with a version"),
        ("nobody", "Foundry answers HTTP 404 for agents/nobody"),
        ("support:6", "no agent to evaluate besides the baseline"),
    ],
)
def test_what_is_no_agent_is_refused(agents: str, words: str, tmp_path: Path, foundry: Foundry) -> None:
    foundry.objects["agents/unversioned"] = {"versions": {"latest": {"version": "1\nagents=evil"}}}

    with pytest.raises(evaluation.FailedError, match=words):
        Job(tmp_path, foundry, TRUSTSMITH_AGENTS=agents, TRUSTSMITH_BASELINE="support:6").before()


@pytest.mark.parametrize("data", ["", "[]", '{"data": [1]}', '{"evaluators": ["x"], "data": []}'])
def test_a_data_file_without_anything_to_do_is_refused(data: str, tmp_path: Path, foundry: Foundry) -> None:
    job = Job(tmp_path, foundry)
    Path(job.env["TRUSTSMITH_DATA"]).write_text(data, encoding="utf-8")

    with pytest.raises(evaluation.FailedError, match=r"data\.json (cannot be read|has nothing under)"):
        job.before()


@pytest.mark.parametrize(
    ("own", "all_of_it"),
    [
        ("pandas==2.3.3\n", "azure-ai-projects==2.0.0b3\npandas==2.3.3\n"),
        ("Azure_AI.projects<3\n", None),
        ("", None),
    ],
)
def test_constraints_of_ones_own_go_before(
    own: str, all_of_it: str | None, tmp_path: Path, foundry: Foundry
) -> None:
    (tmp_path / "own.txt").write_text(own, encoding="utf-8")
    job = Job(tmp_path, foundry, TRUSTSMITH_CONSTRAINTS=str(tmp_path / "own.txt") if own else "")

    job.before()

    assert job.read("trustsmith-constraints.txt") == (all_of_it or own or evaluation.CONSTRAINT)


# The gate


def test_enough_rows_pass(tmp_path: Path, foundry: Foundry, capsys: pytest.CaptureFixture[str]) -> None:
    foundry.evaluated("support:3", [row()] * 4 + [row(fluent=False)])

    assert gated(tmp_path, foundry)
    assert (
        "support:3 fluency: 4 of 5 rows pass\nsupport:3 violence: 5 of 5 rows pass\n"
        in capsys.readouterr().out
    )
    assert "| support:3 | fluency | 4 of 5 rows pass | yes |" in (tmp_path / "summary.md").read_text("utf-8")


BAD = {
    "too few rows pass": [row()] * 7 + [row(fluent=False)] * 2,
    "rows without a verdict": [row()] * 3 + [row(fluent=None)],
    "rows without a result": [row()] * 3 + [[]],
    "an evaluator that says nothing": [row()[:1]] * 4,
    "no rows": [],
}


@pytest.mark.parametrize("case", BAD)
def test_poor_results_fail_the_job(
    case: str, tmp_path: Path, foundry: Foundry, capsys: pytest.CaptureFixture[str]
) -> None:
    foundry.evaluated("support:3", BAD[case])

    assert not gated(tmp_path, foundry)
    assert "::error::support:3 " in capsys.readouterr().out
    assert "| **no** |" in (tmp_path / "summary.md").read_text("utf-8")


def test_a_run_that_failed_fails_the_job(
    tmp_path: Path, foundry: Foundry, capsys: pytest.CaptureFixture[str]
) -> None:
    foundry.evaluated("support:3", [row()], status="failed", error={"message": f"quota\n::x {JWT}"})

    assert not gated(tmp_path, foundry)
    out = capsys.readouterr().out
    assert "::error::support:3: its evaluation is failed: quota : x (a token); 80 % are needed." in out


def test_an_agent_without_an_evaluation_fails_the_job(tmp_path: Path, foundry: Foundry) -> None:
    foundry.evaluated("support:3", [row()])

    assert not gated(tmp_path, foundry, TRUSTSMITH_AGENTS="support:3,billing:1")


def test_every_agent_counts_but_the_baseline(tmp_path: Path, foundry: Foundry) -> None:
    foundry.evaluated("support:2", [row(fluent=False)])
    foundry.evaluated("support:3", [row()])
    foundry.evaluated("billing:1", [row()])
    agents = "support:3,billing:1"

    assert gated(tmp_path, foundry, TRUSTSMITH_AGENTS=agents, TRUSTSMITH_BASELINE="support:2")
    assert not gated(tmp_path, foundry, TRUSTSMITH_AGENTS=f"{agents},support:2")


def test_only_the_named_evaluators_count(tmp_path: Path, foundry: Foundry) -> None:
    foundry.evaluated("support:3", [row(fluent=False)])

    assert gated(tmp_path, foundry, TRUSTSMITH_EVALUATORS="builtin.violence")
    assert not gated(tmp_path, foundry, TRUSTSMITH_EVALUATORS="builtin.violence,fluency")
    assert not gated(tmp_path, foundry, TRUSTSMITH_EVALUATORS="builtin.violence,unheard-of")


def test_each_metric_of_an_evaluator_counts(
    tmp_path: Path, foundry: Foundry, capsys: pytest.CaptureFixture[str]
) -> None:
    two = [
        {"name": "fluency", "metric": "a", "passed": True},
        {"name": "fluency", "metric": "b", "passed": False},
        {"name": "violence", "passed": True},
    ]
    failed = [{"name": "fluency", "passed": None}, {"name": "violence", "passed": True}]
    foundry.evaluated("support:3", [two] * 9 + [failed])

    assert not gated(tmp_path, foundry)
    assert "fluency:a: 9 of 10 rows pass\n::error::support:3 fluency:b: 0 of 10" in capsys.readouterr().out


def test_what_was_there_before_does_not_count(tmp_path: Path, foundry: Foundry) -> None:
    job = Job(tmp_path, foundry)
    for number in range(5):
        foundry.evaluated("support:3", [row(fluent=False)], eval_id=f"old{number}")
    job.before()
    foundry.evaluated("support:3", [row()], eval_id="new")

    assert job.gate()


def test_all_that_came_since_counts(tmp_path: Path, foundry: Foundry) -> None:
    for number in range(4):
        foundry.evaluated("support:3", [row()], eval_id=f"new{number}")
    foundry.evaluated("support:3", [row(fluent=False)], eval_id="new4")
    foundry.evaluated("other:1", [row(fluent=False)], eval_id="new4")

    assert not gated(tmp_path, foundry)


def test_no_text_leaves_its_cell() -> None:
    text = evaluation.table([("a", "x|y](http://z)<b>`", "1 of 1", True)], 80)

    assert "| a | x y (http://z) b   | 1 of 1 | yes |" in text


# The service


def test_a_busy_service_is_asked_again_and_not_for_ever(foundry: Foundry) -> None:
    foundry.first = [(429, ""), (503, ""), (0, "TimeoutError")]
    assert list(foundry.items(EVALS)) == []
    assert foundry.slept == [2, 5, 15]

    foundry.first = [(500, "")] * 5
    with pytest.raises(evaluation.FailedError, match="HTTP 500"):
        foundry.get(EVALS)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((403, "no"), "does not let this identity read openai/v1/evals"),
        ((302, ""), "HTTP 302"),
        ((200, "<html>"), "HTTP 200"),
        ((200, "[]"), "HTTP 200"),
    ],
)
def test_other_answers_are_final(answer: tuple[int, str], words: str, foundry: Foundry) -> None:
    foundry.first = [answer]

    with pytest.raises(evaluation.FailedError, match=words):
        foundry.get(EVALS)
    assert foundry.slept == []


def test_an_answer_cannot_give_the_runner_commands_or_show_a_token(foundry: Foundry) -> None:
    with pytest.raises(evaluation.FailedError) as caught:
        foundry.get("nowhere")

    assert "::" not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert JWT not in str(caught.value)


def test_a_list_without_an_end_is_given_up(foundry: Foundry) -> None:
    foundry.objects[EVALS] = {"data": [{"id": "x"}], "has_more": True}

    with pytest.raises(evaluation.FailedError, match="has no end"):
        list(foundry.items(EVALS))


@pytest.mark.parametrize(
    ("endpoint", "token", "words"),
    [
        ("", JWT, "AZURE_AI_PROJECT_ENDPOINT is empty"),
        ("http://x", JWT, "is empty"),
        (ENDPOINT, "", "There is no token"),
    ],
)
def test_it_runs_as_the_job_runs_it(endpoint: str, token: str, words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", scripts()["evaluation"], "gate"],
        input=token,
        env={"AZURE_AI_PROJECT_ENDPOINT": endpoint},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )

    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("::error::")
    assert words in done.stdout
