"""What holds the jobs of a workflow run up at the sandbox's GitHub: reviewers, wait timers, branch policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.github_contract import READ_ONLY, WRITER, client, put_secret
from tests.contract.workflows import AGENTS, Hub

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.conftest import Sandbox

OCTOCAT, HUBOT, PLATFORM = (
    {"type": "User", "id": 2001},
    {"type": "User", "id": 2002},
    {"type": "Team", "id": 3001},
)
DEPLOY = """\
on: workflow_dispatch
jobs:
  free:
    runs-on: x
    steps: [{run: echo free}]
  held:
    runs-on: x
    environment: {name: "${{ 'PROD' }}", url: "https://example.com"}
    env: {TOKEN: "${{ secrets.TOKEN }}", SHARED: "${{ secrets.SHARED }}"}
    steps:
      - run: echo "$SHARED" | rev; echo "$TOKEN" | rev; echo "is $TOKEN"
  after:
    needs: held
    runs-on: x
    steps: [{run: echo after}]
"""


@pytest.fixture
def hub(sandbox: Sandbox) -> Iterator[Hub]:
    """The repository contoso/agents, as its administrator reaches it."""
    with client(sandbox) as http:
        yield Hub(sandbox, http)


def _started(hub: Hub, ref: str = "main", **rules: Any) -> int:
    """Start a run whose one job deploys to the environment prod with these rules."""
    assert hub.http.put(f"{AGENTS}/environments/prod", json=rules).is_success
    hub.push(DEPLOY, "deploy.yml", branch=ref)
    hub.push(DEPLOY, "deploy.yml")
    return hub.dispatch("deploy.yml", ref=ref)


def _pending(hub: Hub, number: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = hub.http.get(f"{AGENTS}/actions/runs/{number}/pending_deployments").json()
    return found


def _review(
    hub: Hub, number: int, state: str, environment: int | None = None, token: str | None = None
) -> httpx.Response:
    ids = [_pending(hub, number)[0]["environment"]["id"] if environment is None else environment]
    body = {"environment_ids": ids, "state": state, "comment": "as agreed"}
    headers = {"Authorization": f"Bearer {token}"} if token else None
    path = f"{AGENTS}/actions/runs/{number}/pending_deployments"
    return hub.http.post(path, json=body, headers=headers)


def _annotation(hub: Hub, job: dict[str, Any]) -> list[str]:
    found = hub.http.get(f"{AGENTS}/check-runs/{job['id']}/annotations").json()
    return [each["message"] for each in found]


class TestReviewers:
    def test_approved(self, hub: Hub) -> None:
        put_secret(hub.http, f"{AGENTS}/actions", "SHARED", "shared-secret")
        number = _started(hub, reviewers=[OCTOCAT])
        put_secret(hub.http, f"{AGENTS}/actions", "SHARED", "too-late")
        run = hub.until(number, "waiting")
        assert run["conclusion"] is None
        jobs = hub.jobs(number)
        assert {name: job["status"] for name, job in jobs.items()} == {"free": "completed", "held": "waiting"}
        assert hub.http.get(f"{AGENTS}/actions/runs?status=waiting").json()["total_count"] == 1
        (pending,) = _pending(hub, number)
        assert pending["environment"]["name"] == "prod"
        assert (pending["current_user_can_approve"], pending["wait_timer"]) == (True, 0)
        assert pending["reviewers"][0]["reviewer"]["login"] == "octocat"
        put_secret(hub.http, f"{AGENTS}/environments/prod", "TOKEN", "in-time")
        answer = _review(hub, number, "approved")
        assert answer.status_code == 200
        assert answer.json()[0]["environment"] == "prod"
        assert hub.ended(number) == "success"
        assert _pending(hub, number) == []
        assert hub.output(number, "held") == ["terces-derahs", "emit-ni", "is ***"]

    def test_rejected(self, hub: Hub) -> None:
        number = _started(hub, reviewers=[OCTOCAT])
        hub.until(number, "waiting")
        assert _review(hub, number, "rejected").status_code == 200
        assert hub.ended(number) == "failure"
        jobs = hub.jobs(number)
        ends = {name: job["conclusion"] for name, job in jobs.items()}
        assert ends == {"free": "success", "held": "failure", "after": "skipped"}
        assert hub.http.get(f"{AGENTS}/actions/jobs/{jobs['held']['id']}/logs").status_code == 404
        assert "rejected" in _annotation(hub, jobs["held"])[0]

    def test_who_may_review(self, hub: Hub) -> None:
        number = _started(hub, reviewers=[HUBOT], prevent_self_review=False)
        hub.until(number, "waiting")
        (pending,) = _pending(hub, number)
        assert pending["current_user_can_approve"] is False
        assert _review(hub, number, "approved").status_code == 422
        assert _review(hub, number, "perhaps", token=WRITER).status_code == 422
        assert _review(hub, number, "approved", environment=1, token=WRITER).status_code == 422
        assert _review(hub, number, "approved", token=READ_ONLY).status_code == 403
        assert hub.run(number)["status"] == "waiting"
        assert _review(hub, number, "approved", token=WRITER).status_code == 200
        assert hub.ended(number) == "success"

    def test_not_whoever_started_the_run(self, hub: Hub) -> None:
        number = _started(hub, reviewers=[PLATFORM], prevent_self_review=True)
        hub.until(number, "waiting")
        assert _pending(hub, number)[0]["current_user_can_approve"] is False
        assert _review(hub, number, "approved").status_code == 422
        assert _review(hub, number, "approved", token=WRITER).status_code == 200

    def test_no_app(self, hub: Hub) -> None:
        world = hub.sandbox.state()
        world["github"]["tokens"]["app"] = {
            "app": "robot",
            "permissions": {"deployments": "write", "actions": "write"},
        }
        hub.sandbox.control("reset", world)
        number = _started(hub, reviewers=[OCTOCAT])
        hub.until(number, "waiting")
        assert _review(hub, number, "approved", token="app").status_code == 403
        by_app = hub.raw_dispatch("deploy.yml", {"ref": "main"}, Authorization="Bearer app")
        assert by_app.status_code == 204
        assert (
            hub.http.get(f"{AGENTS}/actions/runs").json()["workflow_runs"][0]["actor"]["login"]
            == "robot[bot]"
        )

    def test_cancelled_while_it_waits(self, hub: Hub) -> None:
        number = _started(hub, reviewers=[OCTOCAT])
        hub.until(number, "waiting")
        hub.http.post(f"{AGENTS}/actions/runs/{number}/cancel")
        assert hub.ended(number) == "cancelled"
        assert hub.jobs(number)["held"]["conclusion"] == "cancelled"


def test_wait_timer_passes_on_the_clock(hub: Hub) -> None:
    number = _started(hub, wait_timer=10, reviewers=[OCTOCAT])
    hub.until(number, "waiting")
    (pending,) = _pending(hub, number)
    assert pending["wait_timer"] == 10
    assert pending["wait_timer_started_at"] >= hub.jobs(number)["held"]["created_at"]
    assert _review(hub, number, "approved").status_code == 200
    assert hub.run(number)["status"] == "waiting"
    hub.sandbox.control("clock", {"advance_s": 601})
    assert hub.ended(number) == "success"


class TestWhereItMayDeploy:
    def test_branch_that_may_not(self, hub: Hub) -> None:
        policy = {"protected_branches": True, "custom_branch_policies": False}
        number = _started(hub, ref="topic", deployment_branch_policy=policy)
        assert hub.ended(number) == "failure"
        (told,) = _annotation(hub, hub.jobs(number)["held"])
        assert told.startswith(
            'Branch "topic" is not allowed to deploy to prod due to environment protection rules.'
        )
        assert hub.jobs(number)["held"]["steps"] == []

    def test_branch_that_may(self, hub: Hub) -> None:
        policy = {"protected_branches": True, "custom_branch_policies": False}
        assert hub.ended(_started(hub, deployment_branch_policy=policy)) == "success"

    def test_tag(self, hub: Hub) -> None:
        custom = {"protected_branches": False, "custom_branch_policies": True}
        hub.http.put(f"{AGENTS}/environments/prod", json={"deployment_branch_policy": custom})
        policies = f"{AGENTS}/environments/prod/deployment-branch-policies"
        hub.http.post(policies, json={"name": "v*", "type": "tag"})
        hub.push(DEPLOY, "deploy.yml")
        head = hub.http.get(f"{AGENTS}/git/ref/heads/main").json()["object"]["sha"]
        for tag in ("v1", "w1"):
            hub.http.post(f"{AGENTS}/git/refs", json={"ref": f"refs/tags/{tag}", "sha": head})
        good, bad = hub.dispatch("deploy.yml", ref="v1"), hub.dispatch("deploy.yml", ref="refs/tags/w1")
        assert (hub.ended(good), hub.ended(bad)) == ("success", "failure")
        assert hub.run(good)["head_branch"] == "v1"
        assert _annotation(hub, hub.jobs(bad)["held"])[0].startswith('Tag "w1" is not allowed')

    def test_environment_that_does_not_exist_is_made_unprotected(self, hub: Hub) -> None:
        hub.push(DEPLOY, "deploy.yml")
        assert hub.ended(hub.dispatch("deploy.yml")) == "success"
        made = hub.http.get(f"{AGENTS}/environments/prod").json()
        assert (made["name"], made["protection_rules"]) == ("PROD", [])
