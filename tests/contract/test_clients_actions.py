"""Workflow runs through the GitHub client: started once whatever happens, and logs fetched with nothing of ours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.clients_on_sandbox import Bench, export, run
from trustsmith.clients.transport import Failed
from trustsmith.errors import Conflict, ServiceError

if TYPE_CHECKING:
    from tests.conftest import Sandbox

REPO, FILE = "contoso/agents", "check-trust.yml"
WORKFLOW = """\
run-name: Check trust ${{ inputs.nonce }}
on: {workflow_dispatch: {inputs: {nonce: {type: string}}}}
jobs: {one: {runs-on: x, steps: [{run: echo done}]}}
"""


@pytest.fixture(autouse=True)
def _ready(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    export(sandbox, monkeypatch)
    files = {f".github/workflows/{FILE}": WORKFLOW}
    sandbox.control("push", {"repository": REPO, "branch": "main", "files": files})


async def dispatch(bench: Bench) -> Any:
    return await bench.github.actions.dispatch(REPO, FILE, "main", {"nonce": "n1"}, "Check trust n1")


async def titles(bench: Bench) -> list[str]:
    return [found["display_title"] for found in await bench.github.actions.runs(REPO, FILE)]


@pytest.mark.parametrize("fault", [{"when": "after", "status": 503}, {"when": "cut"}, {"when": "garbage"}])
def test_a_run_whose_answer_was_lost_is_found_and_not_started_again(
    sandbox: Sandbox, fault: dict[str, Any]
) -> None:
    async def story(bench: Bench) -> None:
        bench.trouble("github", "POST", "*dispatches", **fault)
        made = await dispatch(bench)
        assert await titles(bench) == ["Check trust n1"]
        assert made["workflow_run_id"] == (await bench.github.actions.runs(REPO, FILE))[0]["id"]

    run(sandbox, story)


def test_when_nobody_knows_whether_it_was_started_it_is_not_started_again(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        bench.trouble("github", "POST", "*dispatches", when="cut-before")
        with pytest.raises(ServiceError, match="did not say whether it started") as caught:
            await dispatch(bench)
        assert caught.value.unsure
        assert await titles(bench) == []

    run(sandbox, story)


def test_what_cannot_be_started(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        with pytest.raises(Conflict) as caught:
            await bench.github.actions.dispatch(REPO, FILE, "main", {"other": ""}, "x")
        assert "Unexpected inputs" in caught.value.original
        assert await bench.github.actions.runs(REPO, "none.yml") == []

    run(sandbox, story)


def test_files_and_what_is_not_there(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        actions = bench.github.actions
        assert await actions.file(REPO, f".github/workflows/{FILE}", "main") == WORKFLOW
        assert await actions.file(REPO, "none", "main") is None
        assert await actions.log(REPO, 1) is None
        assert await actions.annotations(REPO, 1) == []

    run(sandbox, story)


@pytest.mark.parametrize("where", ["http://localhost:1/log", "", "/log"])
def test_a_log_is_not_fetched_without_tls(sandbox: Sandbox, where: str) -> None:
    async def story(bench: Bench) -> None:
        with pytest.raises(Failed, match="not https"):
            bench.github.actions._fetch(where)

    run(sandbox, story)


def test_an_error_about_a_log_does_not_hold_its_signed_address(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        with pytest.raises(Failed) as caught:
            bench.github.actions._fetch("https://localhost:1/log?sig=s3cret")
        assert "s3cret" not in f"{caught.value.error.message} {caught.value.error.original}"

    run(sandbox, story)
