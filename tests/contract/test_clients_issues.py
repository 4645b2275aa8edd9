"""Issues through the GitHub client: by whom they are, and written once whatever happens to the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.clients_on_sandbox import TROUBLE_IDS, TROUBLES, Bench, export, run
from trustsmith.clients.github import GitHub, job_token

if TYPE_CHECKING:
    from tests.conftest import Sandbox

REPO, LABEL = "contoso/agents", "trustsmith"


@pytest.fixture(autouse=True)
def _ready(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    export(sandbox, monkeypatch)


def test_whose_token_it_is(sandbox: Sandbox) -> None:
    token = sandbox.control("jobs", {"repository": REPO, "permissions": {"issues": "write"}})["GITHUB_TOKEN"]

    async def story(bench: Bench) -> None:
        assert await bench.github.issues.me() == "octocat"
        job = GitHub(bench.endpoints, lambda: token)
        assert await job.issues.me() == "github-actions[bot]"
        made = await job.issues.open(REPO, "Drift", "body", LABEL)
        await bench.github.issues.open(REPO, "Drift", "body", LABEL)
        found = await job.issues.opened_by(REPO, "github-actions[bot]", LABEL)
        assert [issue["number"] for issue in found] == [made["number"]]
        await job.aclose()

    run(sandbox, story)


@pytest.mark.parametrize("fault", TROUBLES, ids=TROUBLE_IDS)
def test_once_whatever_happens(sandbox: Sandbox, fault: dict[str, Any]) -> None:
    async def story(bench: Bench) -> None:
        issues = bench.github.issues
        bench.trouble("github", "POST", "*/issues", **fault)
        made = await issues.open(REPO, "Drift", "one", LABEL)
        bench.trouble("github", "POST", "*/comments", **fault)
        await issues.comment(REPO, made["number"], "well")
        bench.trouble("github", "PATCH", "*/issues/*", **fault)
        await issues.change(REPO, made["number"], body="two", state="closed", state_reason="completed")
        [found] = await issues.opened_by(REPO, "octocat", LABEL)
        assert (found["body"], found["state"], found["comments"]) == ("two", "closed", 1)

    run(sandbox, story)


def test_others_issues_and_other_labels_are_not_found(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        await bench.github.issues.open(REPO, "Drift", "one", LABEL)
        assert await bench.github.issues.opened_by(REPO, "octocat", "another") == []
        assert await bench.github.issues.opened_by(REPO, "hubot", LABEL) == []

    run(sandbox, story)


def test_the_jobs_token_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GH_TOKEN", "reads")
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    assert job_token("github.com") == "reads"
    monkeypatch.setenv("GITHUB_TOKEN", "writes")
    assert job_token("github.com") == "writes"
