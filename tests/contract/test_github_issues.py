"""Issues in the sandbox's GitHub, by whom they are, and what a job's own token may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.github_contract import READ_ONLY, WRITER, client

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.conftest import Sandbox

_REPOSITORY = "/repos/contoso/agents"
_ISSUES = f"{_REPOSITORY}/issues"


@pytest.fixture
def admin(sandbox: Sandbox) -> Iterator[httpx.Client]:
    with client(sandbox) as opened:
        yield opened


def _job(sandbox: Sandbox, **permissions: str) -> httpx.Client:
    wanted = {"repository": "contoso/agents", "permissions": permissions}
    return client(sandbox, sandbox.control("jobs", wanted)["GITHUB_TOKEN"])


def _opened(http: httpx.Client, **values: Any) -> dict[str, Any]:
    answer = http.post(_ISSUES, json={"title": "Drift", **values})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


def test_an_issue_is_opened_changed_closed_and_opened_again(admin: httpx.Client) -> None:
    made = _opened(admin, body="one", labels=["trustsmith"])
    assert (made["state"], made["user"]["login"]) == ("open", "octocat")
    assert [label["name"] for label in made["labels"]] == ["trustsmith"]
    here = f"{_ISSUES}/{made['number']}"
    assert admin.patch(here, json={"body": "two"}).json()["body"] == "two"
    closed = admin.patch(here, json={"state": "closed", "state_reason": "not_planned"}).json()
    assert (closed["state"], closed["state_reason"]) == ("closed", "not_planned")
    assert closed["closed_at"]
    assert admin.get(_ISSUES).json() == []
    again = admin.patch(here, json={"state": "open"}).json()
    assert (again["state"], again["state_reason"], again["closed_at"]) == ("open", "reopened", None)
    assert admin.post(f"{here}/comments", json={"body": "well"}).status_code == 201
    assert [entry["body"] for entry in admin.get(f"{here}/comments").json()] == ["well"]
    assert admin.get(here).json()["comments"] == 1
    assert admin.get(f"{_ISSUES}/99").status_code == 404


def test_lists_by_state_label_and_creator(admin: httpx.Client, sandbox: Sandbox) -> None:
    with client(sandbox, WRITER) as writer:
        numbers = [_opened(http, labels=[label])["number"] for http in (admin, writer) for label in "ab"]
    assert numbers == [1, 2, 3, 4]

    def listed(**query: str) -> list[int]:
        return [issue["number"] for issue in admin.get(_ISSUES, params=query).json()]

    assert listed() == [4, 3, 2, 1]
    assert listed(labels="a") == [3, 1]
    assert listed(labels="a", creator="hubot") == [3]
    assert listed(labels="a,b") == []
    admin.patch(f"{_ISSUES}/4", json={"state": "closed"})
    assert (listed(state="closed"), listed(state="all", labels="b")) == ([4], [4, 2])


def test_labels_of_whoever_may_not_push_are_dropped(sandbox: Sandbox) -> None:
    world = sandbox.state()
    world["github"]["tokens"]["reader"] = {"login": "monalisa", "scopes": ["repo"]}
    sandbox.control("reset", world)
    with client(sandbox, "reader") as reader, client(sandbox) as admin:
        mine, others = _opened(reader, labels=["trustsmith"]), _opened(admin)
        assert mine["labels"] == []
        assert reader.patch(f"{_ISSUES}/{mine['number']}", json={"body": "x"}).status_code == 200
        assert reader.patch(f"{_ISSUES}/{others['number']}", json={"body": "x"}).status_code == 403


def test_what_github_does_not_take(admin: httpx.Client, sandbox: Sandbox) -> None:
    assert admin.post(_ISSUES, json={"body": "x"}).status_code == 422
    assert admin.post(_ISSUES, json={"title": "x", "body": "x" * 65_537}).status_code == 422
    assert admin.post(_ISSUES, json={"title": "x", "labels": [1]}).status_code == 422
    here = f"{_ISSUES}/{_opened(admin)['number']}"
    assert admin.patch(here, json={"state": "gone"}).status_code == 422
    world = sandbox.state()
    world["github"]["repositories"]["4001"]["has_issues"] = False
    sandbox.control("reset", world)
    assert admin.post(_ISSUES, json={"title": "x"}).status_code == 410


def test_a_jobs_token_is_a_bot_that_may_do_what_the_job_may(sandbox: Sandbox) -> None:
    with _job(sandbox, issues="write", contents="read") as job:
        made = _opened(job, labels=["trustsmith"])
        assert (made["user"]["login"], made["user"]["type"]) == ("github-actions[bot]", "Bot")
        assert [label["name"] for label in made["labels"]] == ["trustsmith"]
        assert job.get("/user").status_code == 403
        who = job.post("/graphql", json={"query": "{viewer{login}}"})
        assert who.json() == {"data": {"viewer": {"login": "github-actions[bot]"}}}
        for path in ("/environments", "/environments/dev/secrets", "/actions/oidc/customization/sub"):
            assert job.get(_REPOSITORY + path).status_code == 403
        assert job.get(f"{_REPOSITORY}/readme").status_code == 200
        assert job.get("/repos/contoso/legacy").status_code == 404
        sandbox.control("clock", {"advance_s": 86_401})
        assert job.get(_ISSUES).status_code == 401
    for permissions in ({}, {"issues": "read"}, {"issues": "none"}):
        with _job(sandbox, **permissions) as job:
            assert job.post(_ISSUES, json={"title": "x"}).status_code == 403


def test_a_fine_grained_token_needs_the_permission(sandbox: Sandbox) -> None:
    with client(sandbox, READ_ONLY) as reader:
        assert reader.get(_ISSUES).status_code == 200
        refused = reader.post(_ISSUES, json={"title": "x"})
    assert (refused.status_code, refused.headers["x-accepted-github-permissions"]) == (403, "issues=write")
