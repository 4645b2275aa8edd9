"""Workflow runs at the sandbox's GitHub: dispatched, really run, cancelled, told apart; and where their logs are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.contract.callers import graph_of
from tests.contract.github_contract import READ_ONLY, WRITER, client, keys_of, observed
from tests.contract.workflows import AGENTS, Hub, alive, check_trust

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.conftest import Sandbox

SUBJECT = "repo:contoso@1001/agents@4001:environment:"
RUNS = f"{AGENTS}/actions/runs"
HELLO = "on: {workflow_dispatch: }\njobs: {one: {runs-on: x, steps: [{run: echo hello}]}}\n"
INPUTS = """\
on:
  workflow_dispatch:
    inputs:
      target: {type: choice, options: [dev, prod], default: dev}
      sure: {type: boolean}
      count: {type: number, default: 2}
      why: {required: true}
jobs:
  one:
    runs-on: x
    steps:
      - run: echo "${{ inputs.target }} ${{ inputs.sure == true }} ${{ inputs.count }}"
"""


@pytest.fixture
def hub(sandbox: Sandbox) -> Iterator[Hub]:
    """The repository contoso/agents, as its administrator reaches it."""
    with client(sandbox) as http:
        yield Hub(sandbox, http)


def _trusted(hub: Hub, environment: str) -> None:
    """Make an application that trusts the environment, and tell the environment its ids."""
    graph = graph_of(hub.sandbox)
    application = graph.call("POST", "/v1.0/applications", {"displayName": environment}, status=201)
    graph.call("POST", "/v1.0/servicePrincipals", {"appId": application["appId"]}, status=201)
    trust = {
        "name": environment,
        "issuer": f"{hub.sandbox.origin}/_services/token",
        "subject": SUBJECT + environment,
        "audiences": ["api://AzureADTokenExchange"],
    }
    path = f"/v1.0/applications/{application['id']}/federatedIdentityCredentials"
    graph.call("POST", path, trust, status=201)
    _ids(hub, environment, application["appId"])


def _ids(hub: Hub, environment: str, client_id: str) -> None:
    place, tenant = f"{AGENTS}/environments/{environment}", hub.sandbox.env["AZURE_TENANT_ID"]
    hub.http.put(place)
    tokens = f"{hub.sandbox.origin}/{tenant}/oauth2/v2.0/token"
    for name, value in (("AZURE_CLIENT_ID", client_id), ("TOKENS", tokens)):
        assert hub.http.post(f"{place}/variables", json={"name": name, "value": value}).is_success


class TestCheckTrust:
    def test_two_runs_at_once(self, hub: Hub) -> None:
        _trusted(hub, "dev")
        _trusted(hub, "prod")
        hub.push(check_trust("dev", "prod"))
        both, one = hub.dispatch(nonce="n1"), hub.dispatch(nonce="n2", environment="prod")
        assert hub.ended(both) == hub.ended(one) == "success"
        assert hub.run(one)["display_title"] == "Check trust n2"
        ends = {name: job["conclusion"] for name, job in hub.jobs(one).items()}
        assert ends == {"check-dev": "skipped", "check-prod": "success"}
        for name in ("dev", "prod"):
            told = hub.told(both, f"check-{name}")
            assert (told["code"], told["subject"]) == ("ok", SUBJECT + name)
        claims = hub.told(one, "check-prod")["claims"]
        expected = {
            "run_id": str(one),
            "run_number": "2",
            "check_run_id": str(hub.jobs(one)["check-prod"]["id"]),
            "actor": "octocat",
            "workflow": "check-trust",
            "workflow_ref": "contoso/agents/.github/workflows/check-trust.yml@refs/heads/main",
            "sha": hub.run(one)["head_sha"],
            "environment": "prod",
            "event_name": "workflow_dispatch",
        }
        assert {key: claims[key] for key in expected} == expected

    def test_another_environment_is_not_trusted(self, hub: Hub) -> None:
        _trusted(hub, "dev")
        trusted = hub.http.get(f"{AGENTS}/environments/dev/variables/AZURE_CLIENT_ID").json()["value"]
        _ids(hub, "prod", trusted)
        hub.push(check_trust("prod"))
        number = hub.dispatch(nonce="n")
        assert hub.ended(number) == "success"
        assert hub.told(number, "check-prod")["code"].startswith("AADSTS700213")

    def test_permission_of_the_workflow_does_not_add_up(self, hub: Hub) -> None:
        text = check_trust("dev", permissions="permissions: {contents: read}")
        hub.push(text.replace("permissions: {}\n", "permissions: {id-token: write}\n"))
        number = hub.dispatch(nonce="n")
        hub.ended(number)
        assert hub.told(number, "check-dev")["code"] == "no id-token"


class TestDispatch:
    def test_answers(self, hub: Hub) -> None:
        hub.push(HELLO, "hello.yml")
        answers = [
            hub.raw_dispatch("hello.yml", {"ref": "main"}),
            hub.raw_dispatch("hello.yml", {"ref": "refs/heads/main", "return_run_details": True}),
            hub.raw_dispatch("hello.yml", {"ref": "main"}, **{"X-GitHub-Api-Version": "2026-03-10"}),
        ]
        assert [answer.status_code for answer in answers] == [204, 200, 200]
        told = answers[1].json()
        assert told["run_url"] == f"{hub.sandbox.origin}/api/v3{RUNS}/{told['workflow_run_id']}"
        number = hub.http.get(f"{AGENTS}/actions/workflows/hello.yml").json()["id"]
        assert hub.raw_dispatch(str(number), {"ref": "main"}).status_code == 204

    @pytest.mark.parametrize(
        ("body", "message"),
        [
            ({}, '"ref" wasn\'t supplied'),
            ({"ref": "none"}, "No ref found for: none"),
            ({"ref": "main", "inputs": {"why": "x", "foo": "1"}}, 'Unexpected inputs provided: ["foo"]'),
            ({"ref": "main"}, "Required input 'why' not provided"),
            ({"ref": "main", "inputs": {f"i{n}": "1" for n in range(26)}}, "more than 25"),
            ({"ref": "main", "inputs": {"why": "x", "target": "none"}}, "not in the list of allowed values"),
            ({"ref": "main", "inputs": {"why": "x", "count": "many"}}, "not a number"),
        ],
    )
    def test_what_github_refuses(self, hub: Hub, body: dict[str, Any], message: str) -> None:
        hub.push(INPUTS, "inputs.yml")
        answer = hub.raw_dispatch("inputs.yml", body)
        assert answer.status_code == 422
        assert message in answer.json()["message"]
        assert hub.http.get(RUNS).json()["total_count"] == 0

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("on: push\njobs: {one: {steps: []}}\n", "Workflow does not have 'workflow_dispatch' trigger"),
            ("on: [workflow_dispatch]\njobs: {one: {needs: two, steps: []}}\n", "needs of job one"),
            ("on: [workflow_dispatch]\njobs: {one: {}}\n", "no steps"),
            ("on: [workflow_dispatch]\njobs: {one: {steps: [x]}}\n", "a step that is none"),
            ("on: [workflow_dispatch]\njobs: {one: x}\n", "not a mapping"),
            ("on: [workflow_dispatch]\n", "no jobs"),
            ("on: {\n", "not valid YAML"),
            ("run-name: ${{ secrets.A }}\non: workflow_dispatch\njobs: {one: {steps: []}}", "'secrets'"),
        ],
    )
    def test_workflows_that_cannot_be_dispatched(self, hub: Hub, text: str, message: str) -> None:
        hub.push(text, "bad.yml")
        answer = hub.raw_dispatch("bad.yml", {"ref": "main"})
        assert answer.status_code == 422
        assert message in answer.json()["message"]

    def test_who_may(self, hub: Hub) -> None:
        hub.push(HELLO, "hello.yml")
        for token, status in ((WRITER, 204), (READ_ONLY, 403), (None, 404)):
            with client(hub.sandbox, token) as http:
                other = Hub(hub.sandbox, http)
                assert other.raw_dispatch("hello.yml", {"ref": "main"}).status_code == status
        assert hub.http.get(f"{RUNS}?actor=hubot").json()["total_count"] == 1

    def test_file_of_the_ref_runs_if_the_default_branch_has_one(self, hub: Hub) -> None:
        hub.push(HELLO.replace("hello", "topic"), "hello.yml", branch="topic")
        assert hub.raw_dispatch("hello.yml", {"ref": "topic"}).status_code == 404
        hub.push(HELLO, "hello.yml")
        number = hub.dispatch("hello.yml", ref="topic")
        assert hub.ended(number) == "success"
        assert hub.output(number, "one") == ["topic"]

    def test_inputs_have_their_types(self, hub: Hub) -> None:
        hub.push(INPUTS, "inputs.yml")
        number = hub.dispatch("inputs.yml", why="because", sure=True)
        hub.ended(number)
        assert hub.output(number, "one") == ["dev true 2"]


class TestLists:
    def test_filters(self, hub: Hub) -> None:
        hub.push(HELLO, "hello.yml")
        hub.push(HELLO + "# topic\n", "other.yml", branch="topic")
        hub.push(HELLO, "other.yml")
        first, second = hub.dispatch("hello.yml"), hub.dispatch("hello.yml", ref="topic")
        third = hub.dispatch("other.yml")
        for number in (first, second, third):
            hub.ended(number)
        stamp, sha = hub.run(first)["created_at"], hub.run(second)["head_sha"]
        expected = {
            "": [third, second, first],
            "branch=topic": [second],
            f"head_sha={sha}": [second],
            "event=push": [],
            "status=success&event=workflow_dispatch": [third, second, first],
            "status=queued": [],
            f"created=>={stamp}": [third, second, first],
            "created=<2026-01-01": [],
            "created=2026-01-01..*&per_page=1&page=2": [second],
        }
        found = {query: self._listed(hub, f"{RUNS}?{query}") for query in expected}
        assert found == expected
        assert self._listed(hub, f"{AGENTS}/actions/workflows/other.yml/runs") == [third]
        assert self._listed(hub, "/repositories/4001/actions/runs?per_page=2") == [third, second]
        assert hub.http.get(f"{RUNS}?created=soon").status_code == 422

    def _listed(self, hub: Hub, path: str) -> list[int]:
        return [run["id"] for run in hub.http.get(path).json()["workflow_runs"]]

    def test_answers_are_as_they_were_seen(self, hub: Hub) -> None:
        hub.push(HELLO, "hello.yml")
        number = hub.dispatch("hello.yml")
        hub.ended(number)
        assert observed("GET /repos/{o}/{r}/actions/runs/{id}", 200) <= keys_of(hub.run(number))
        jobs = hub.http.get(f"{RUNS}/{number}/jobs").json()
        assert observed("GET /repos/{o}/{r}/actions/runs/{id}/jobs", 200) <= keys_of(jobs)
        job = hub.http.get(f"{AGENTS}/actions/jobs/{jobs['jobs'][0]['id']}").json()
        assert job == jobs["jobs"][0]
        steps = [(step["number"], step["name"], step["conclusion"]) for step in job["steps"]]
        assert steps == [
            (1, "Set up job", "success"),
            (2, "Run echo hello", "success"),
            (3, "Complete job", "success"),
        ]

    def test_what_is_not_there(self, hub: Hub) -> None:
        paths = [f"{RUNS}/1", f"{RUNS}/1/jobs", f"{RUNS}/1/pending_deployments", f"{AGENTS}/actions/jobs/1"]
        assert {hub.http.get(path).status_code for path in paths} == {404}


class TestLogs:
    def _address(self, hub: Hub) -> str:
        hub.push(HELLO, "hello.yml")
        number = hub.dispatch("hello.yml")
        hub.ended(number)
        answer = hub.http.get(f"{AGENTS}/actions/jobs/{hub.jobs(number)['one']['id']}/logs")
        assert answer.status_code == 302
        return answer.headers["location"]

    def test_are_on_another_host(self, hub: Hub) -> None:
        address = self._address(hub)
        assert urlsplit(address).hostname != urlsplit(hub.sandbox.origin).hostname
        lines = hub.sandbox.http.get(address).text.splitlines()
        assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z ", line) for line in lines)
        assert [line.split(" ", 1)[1] for line in lines][:2] == [
            "##[group]Run echo hello",
            "\x1b[36;1mecho hello\x1b[0m",
        ]
        assert lines[4].endswith("Z hello")

    @pytest.mark.parametrize(("scheme", "status"), [("Bearer", 401), ("token", 400), ("Basic", 400)])
    def test_refuse_whoever_sends_a_token(self, hub: Hub, scheme: str, status: int) -> None:
        answer = hub.sandbox.http.get(self._address(hub), headers={"Authorization": f"{scheme} x"})
        assert answer.status_code == status
        assert answer.headers["x-ms-error-code"] == "InvalidAuthenticationInfo"

    def test_addresses_do_not_live_long(self, hub: Hub) -> None:
        address = self._address(hub)
        assert hub.sandbox.http.get(address + "0").status_code == 403
        hub.sandbox.control("clock", {"advance_s": 120})
        assert hub.sandbox.http.get(address).status_code == 403

    def test_not_there_before_the_end(self, hub: Hub, tmp_path: Path) -> None:
        number = hub.asleep(tmp_path / "pid")
        path = f"{AGENTS}/actions/jobs/{hub.jobs(number)['one']['id']}/logs"
        assert hub.http.get(path).status_code == 404


class TestTheEnd:
    def test_cancel(self, hub: Hub, tmp_path: Path) -> None:
        number = hub.asleep(tmp_path / "pid")
        assert hub.http.post(f"{RUNS}/{number}/cancel").status_code == 202
        assert hub.ended(number) == "cancelled"
        assert hub.jobs(number)["one"]["conclusion"] == "cancelled"
        assert not alive(tmp_path / "pid")
        assert hub.http.post(f"{RUNS}/{number}/cancel").status_code == 409

    def test_reset(self, hub: Hub, tmp_path: Path) -> None:
        hub.asleep(tmp_path / "pid")
        hub.sandbox.reset()
        assert not alive(tmp_path / "pid")
        assert hub.http.get(RUNS).json()["total_count"] == 0

    def test_nothing_is_executed_when_that_is_switched_off(
        self, start_sandbox: Callable[..., Sandbox], tmp_path: Path
    ) -> None:
        sandbox = start_sandbox("--no-runner")
        with client(sandbox) as http:
            hub = Hub(sandbox, http)
            hub.push(HELLO.replace("echo hello", f"touch {tmp_path}/run"), "slow.yml")
            number = hub.dispatch("slow.yml")
            assert (hub.run(number)["status"], hub.jobs(number)["one"]["status"]) == ("queued", "queued")
            hub.http.post(f"{RUNS}/{number}/cancel")
            assert hub.ended(number) == "cancelled"
        assert not (tmp_path / "run").exists()
