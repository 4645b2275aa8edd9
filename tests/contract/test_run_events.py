"""Runs that nobody dispatched: pushes and schedules at the sandbox's GitHub, and the commands that make them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.github_contract import client
from tests.contract.workflows import AGENTS, Hub

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Sandbox

WORKFLOWS = ".github/workflows/"
JOB = 'jobs: {one: {runs-on: x, steps: [{run: "echo ${{ github.event_name }} ${{ github.ref }} ${{ WHAT }}"}]}}\n'
PUSHED = "on: {push: {branches: [main], paths: [src/**]}}\n" + JOB.replace("WHAT", "github.event.created")
TAGGED = "on: {push: {tags: ['v*']}}\n" + JOB.replace("WHAT", "github.event.head_commit.message")
SCHEDULED = "on: {schedule: [{cron: '5 4 * * *'}], workflow_dispatch: }\n" + JOB.replace(
    "WHAT", "github.event.schedule || inputs.odd || 'by hand'"
)


@pytest.fixture
def hub(sandbox: Sandbox) -> Iterator[Hub]:
    """The repository contoso/agents, as its administrator reaches it."""
    with client(sandbox) as http:
        yield Hub(sandbox, http)


def _push(hub: Hub, files: dict[str, str], **more: Any) -> dict[str, Any]:
    told: dict[str, Any] = hub.sandbox.control(
        "push", {"repository": "contoso/agents", "files": files, "start": True, **more}
    )
    return told


def test_push(hub: Hub) -> None:
    flows = {
        f"{WORKFLOWS}pushed.yml": PUSHED,
        f"{WORKFLOWS}tagged.yml": TAGGED,
        f"{WORKFLOWS}bad.yml": "on: push\n",
    }
    first = _push(hub, flows)
    assert first["runs"] == []
    assert first["refused"] == {f"{WORKFLOWS}bad.yml": "The workflow is not valid: it has no jobs."}
    (number,) = _push(hub, {"src/a.py": "a\n"}, message="Another way")["runs"]
    assert hub.ended(number) == "success"
    run = hub.run(number)
    assert (run["event"], run["display_title"], run["head_branch"]) == ("push", "Another way", "main")
    assert hub.output(number, "one") == ["push refs/heads/main false"]
    assert _push(hub, {"src/b.py": "b\n"}, branch="topic")["runs"] == []
    (number,) = _push(hub, {}, tag="v1")["runs"]
    assert hub.ended(number) == "success"
    assert hub.output(number, "one") == ["push refs/tags/v1 Another way"]
    assert hub.run(number)["head_branch"] == "v1"
    quiet = hub.sandbox.control("push", {"repository": "contoso/agents", "files": {"src/a.py": "b\n"}})
    assert quiet.keys() == {"sha", "branch"}


def test_schedule(hub: Hub) -> None:
    hub.push(SCHEDULED, "scheduled.yml")
    number = hub.sandbox.control("runs", {"repository": "contoso/agents", "workflow": "scheduled.yml"})["run"]
    assert hub.ended(number) == "success"
    assert hub.run(number)["event"] == "schedule"
    assert hub.output(number, "one") == ["schedule refs/heads/main 5 4 * * *"]


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ({"repository": "contoso/none"}, "no repository"),
        ({"workflow": "none.yml"}, "There is no workflow"),
        ({"workflow": "pushed.yml"}, "does not ask for a schedule"),
        ({"workflow": "bad.yml"}, "it has no jobs"),
        ({"event": "push"}, "Only a schedule's runs"),
    ],
)
def test_schedules_that_there_are_not(hub: Hub, wanted: dict[str, str], told: str) -> None:
    hub.push(PUSHED, "pushed.yml", **{f"{WORKFLOWS}bad.yml": "on: {schedule: [{cron: '1 1 1 1 1'}]}\n"})
    body = {"repository": "contoso/agents", "workflow": "scheduled.yml"} | wanted
    answer = hub.sandbox.http.post(f"{hub.sandbox.origin}/_sandbox/runs", json=body)
    assert answer.status_code == 400
    assert told in answer.json()["message"]


def test_commands(hub: Hub, tmp_path: Path) -> None:
    def command(*words: str) -> str:
        called = [sys.executable, "-m", "trustsmith_sandbox", *words, "--repository", "contoso/agents"]
        done = subprocess.run(
            called, env=hub.sandbox.env, capture_output=True, text=True, check=False, timeout=60
        )
        return done.stdout + done.stderr

    (tmp_path / WORKFLOWS).mkdir(parents=True)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.py").write_text("a\n")
    for name, text in (("pushed", PUSHED), ("scheduled", SCHEDULED), ("bad", "on: push\n")):
        (tmp_path / WORKFLOWS / f"{name}.yml").write_text(text)
    told = command("push", str(tmp_path), "--path", "src", "--start").splitlines()
    assert told[:4] == [f"{WORKFLOWS}{name}.yml" for name in ("bad", "pushed", "scheduled")] + ["src/a.py"]
    assert told[4].startswith("Run ")
    assert told[5] == f"{WORKFLOWS}bad.yml does not start: The workflow is not valid: it has no jobs."
    number = int(command("run", "scheduled.yml", "--event", "schedule").split()[1])
    hub.ended(number)
    assert hub.output(number, "one") == ["schedule refs/heads/main 5 4 * * *"]
    number = int(command("run", "scheduled.yml").split()[1])
    hub.ended(number)
    assert hub.output(number, "one") == ["workflow_dispatch refs/heads/main by hand"]
    assert "answers 422: Unexpected inputs" in command("run", "scheduled.yml", "--input", "a=b")
    assert {run["event"] for run in hub.http.get(f"{AGENTS}/actions/runs").json()["workflow_runs"]} == {
        "push",
        "schedule",
        "workflow_dispatch",
    }
