"""`verify`: live resources, real tokens in real jobs, and what is said when something is not as it should be.

In this process, over HTTPS to the sandbox, whose runner executes the generated workflow; its log store refuses whoever
sends a token along.
"""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests.cli.desk import CONFIG, Desk, wait_until
from trustsmith.cli import cli
from trustsmith.cli.exits import run
from trustsmith.flows.proof import proven
from trustsmith.flows.session import Options, Session
from trustsmith.generated import inspect
from trustsmith.ui.console import Console

if TYPE_CHECKING:
    from tests.cli.desk import World

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
WORKFLOW = Path(".github", "workflows", "check-trust.yml")
ACTIONS = "/api/v3/repos/contoso/agents/actions"
Verdicts = dict[tuple[str, str], set[str]]


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str

    @property
    def verdicts(self) -> Verdicts:
        """(environment, check) → verdicts."""
        found: Verdicts = {}
        for finding in self.findings:
            found.setdefault((finding["about"], finding["check"]), set()).add(finding["verdict"])
        return found

    @property
    def findings(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = json.loads(self.out)["findings"]
        return found

    def finding(self, about: str, check: str) -> dict[str, str]:
        """The only one."""
        (found,) = [f for f in self.findings if (f["about"], f["check"]) == (about, check)]
        return found


class Call(Protocol):
    def __call__(self, *words: str, text: bool = False) -> Ran: ...


@pytest.fixture
def verify(configured: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Run `trustsmith verify` with these words; nothing of a token may ever be shown."""
    for name, value in configured.env.items():
        monkeypatch.setenv(name, value)

    def call(*words: str, text: bool = False) -> Ran:
        capsys.readouterr()
        shown = () if text else ("--format", "json")
        code = run(cli, ["-C", str(configured.checkout), "verify", *words, *shown])
        out, err = capsys.readouterr()
        configured.check(out + err)
        return Ran(code, out, err)

    return call


def push(desk: Desk, text: str | None = None) -> None:
    """Bring the workflow to the default branch."""
    files = {WORKFLOW.as_posix(): text or (desk.checkout / WORKFLOW).read_text("utf-8")}
    desk.sandbox.control("push", {"repository": "contoso/agents", "branch": "main", "files": files})


def github(desk: Desk, path: str, body: Any = None) -> Any:
    """Ask the sandbox's GitHub as its administrator."""
    headers = {"Authorization": f"Bearer {desk.env['GH_TOKEN']}"}
    method = "GET" if body is None else "POST"
    answer = desk.sandbox.http.request(method, f"{desk.sandbox.origin}{path}", json=body, headers=headers)
    return answer.raise_for_status().json()


def approve(desk: Desk) -> None:
    """Wait for a run that waits, let ten minutes pass, and approve it."""
    wait_until(lambda: bool(_waiting(desk)))
    number, entry = _waiting(desk)[0]
    desk.sandbox.control("clock", {"advance_s": 601})
    body = {"environment_ids": [entry["environment"]["id"]], "state": "approved", "comment": "go"}
    github(desk, f"{ACTIONS}/runs/{number}/pending_deployments", body)


def _waiting(desk: Desk) -> list[tuple[int, Any]]:
    runs = github(desk, f"{ACTIONS}/runs")["workflow_runs"]
    numbers = [run["id"] for run in runs if run["status"] != "completed"]
    pending = [(n, github(desk, f"{ACTIONS}/runs/{n}/pending_deployments")) for n in numbers]
    return [(number, entry) for number, entries in pending for entry in entries]


# What is as it should be


def test_all_is_proven_once_somebody_has_approved(configured: Desk, verify: Call) -> None:
    push(configured)
    reviewer = threading.Thread(target=approve, args=(configured,))
    reviewer.start()
    ran = verify("--run", "--timeout", "40s")
    reviewer.join()

    assert ran.code == 0, ran.out + ran.err
    assert {verdict for verdicts in ran.verdicts.values() for verdict in verdicts} == {"pass"}
    checks = {"environment", "credential", "role", "subject", "exchange", "network", "project", "isolation"}
    assert set(ran.verdicts) == {(name, check) for name in ("dev", "staging", "prod") for check in checks}
    assert "prod: waits for the approval of team platform" in ran.err
    assert "dev: ended: success" in ran.err
    assert "Proven" in ran.err
    results = json.loads(ran.out)["results"]
    assert results["dev"]["others"]["prod"][0]["status"] == 403
    assert asyncio.run(_proven(configured)) == {
        (result["client_id"], result["issuer"], result["subject"], result["audience"])
        for result in results.values()
    }
    assert not [write for write in configured.writes() if "/dispatches" not in write["path"]][1:]


async def _proven(desk: Desk) -> frozenset[tuple[str, str, str, str]]:
    options = Options(root=desk.checkout)
    session = Session.of(options, Console(), options.read_config().config)
    try:
        body = inspect((desk.checkout / WORKFLOW).read_text("utf-8"))
        assert body is not None
        return await proven(session, "contoso/agents", "main", WORKFLOW.as_posix(), body.body)
    finally:
        await session.aclose()


def test_what_is_live_is_compared_without_a_run(configured: Desk, verify: Call) -> None:
    configured.forget()
    ran = verify()

    assert ran.code == 0
    assert {finding["verdict"] for finding in ran.findings} == {"pass"}
    assert configured.writes() == []
    assert "trustsmith verify --run" in ran.err


# What is not


def test_wrong_subject_missing_role_a_role_too_many_and_time_that_is_up(
    configured: Desk, verify: Call
) -> None:
    def change(world: World) -> None:
        (credential,) = world.app("dev")["federatedIdentityCredentials"]
        credential["subject"] = credential["subject"].replace("environment:dev", "environment:Dev")
        (role,) = world.roles("staging").values()
        elsewhere = next(iter(world.roles("prod").values()))["properties"]["scope"]
        role["properties"]["scope"] = elsewhere

    push(configured)
    configured.edit(change)
    push(configured)
    ran = verify("--run", "--timeout", "6s")

    assert ran.code == 3, ran.err
    assert ran.verdicts[("dev", "credential")] == {"fail"}
    assert ran.verdicts[("dev", "subject")] == {"pass"}
    assert ran.finding("dev", "exchange")["original"].startswith("AADSTS7002138")
    assert (
        "'Dev'" in ran.finding("dev", "exchange")["why"]
        or "Dev there" in ran.finding("dev", "exchange")["why"]
    )
    assert ran.verdicts[("staging", "role")] == {"fail"}
    assert "HTTP 403 after" in ran.finding("staging", "project")["why"]
    reached = [
        f for f in ran.findings if (f["about"], f["check"], f["verdict"]) == ("staging", "isolation", "fail")
    ]
    assert "It reaches a project of prod" in reached[0]["why"]
    assert ran.finding("prod", "run")["verdict"] == "unknown"
    assert "waited for the approval of team platform" in ran.finding("prod", "run")["why"]


def test_protection_that_is_gone_is_seen(configured: Desk, verify: Call) -> None:
    configured.edit(lambda world: world.environment("prod").update(reviewers=[], wait_timer=0))
    ran = verify()
    assert ran.code == 3
    assert ran.verdicts[("prod", "environment")] == {"fail"}
    assert "it has: from main; the file asks for: reviewed by" in ran.finding("prod", "environment")["why"]
    assert ran.verdicts[("dev", "environment")] == {"pass"}


def test_new_credentials_and_roles_are_waited_for_inside_a_job(
    configured: Desk, verify: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(world: World) -> None:
        world.app("dev")["federatedIdentityCredentials"].clear()
        world.drop_role("dev")

    configured.edit(change)
    job = configured.job("dev")
    configured.sandbox.control("lag", {"replication_s": 0.8, "roles_s": 3})
    assert configured("apply", "--yes", "--only", "entra", "--only", "azure").code == 0
    for name, value in job["secrets"].items() | {(k, v) for k, v in job.items() if k.startswith("ACTIONS_")}:
        monkeypatch.setenv(name, value)
    for name in ("AZURE_FEDERATED_TOKEN_FILE", "GH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    ran = verify("--here", "--env", "dev", "--timeout", "15s")

    assert ran.code == 0, ran.out + ran.err
    assert "HTTP 403: a new role takes up to ten minutes to count" in ran.err
    assert json.loads(ran.out)["results"]["dev"]["projects"][0]["waited_s"] > 0
    assert "nothing else" not in ran.err, "no other environment's project was tried"

    ran = verify("--here", "--env", "prod", "--timeout", "15s")
    assert ran.code == 3
    assert "This job is of the environment dev, and not of prod." in ran.out


def test_a_log_that_cannot_be_fetched_leaves_the_rest(configured: Desk, verify: Call) -> None:
    push(configured)
    fault = {"service": "results", "method": "*", "path": "*", "nth": 1, "when": "before", "status": 403}
    configured.sandbox.control("faults", fault)
    ran = verify("--run", "--env", "dev", "--timeout", "40s")

    assert ran.code == 3
    assert ran.verdicts[("dev", "credential")] == {"pass"}
    assert ran.finding("dev", "run")["verdict"] == "unknown"
    assert "answered 403 instead of the log" in ran.finding("dev", "run")["why"]


def test_outside_of_a_job_there_is_no_token(verify: Call) -> None:
    ran = verify("--here")
    assert ran.code == 2
    assert "id-token: write" in ran.err


def test_branch_rules_that_keep_the_job_out_are_told(configured: Desk, verify: Call) -> None:
    push(configured)
    configured.edit(lambda w: w.environment("prod")["policies"][0].update(name="release/*"))
    push(configured)
    ran = verify("--run", "--env", "prod", "--timeout", "4s")

    assert ran.code == 3
    found = ran.finding("prod", "run")
    assert found["verdict"] == "fail"
    assert 'Branch "main" is not allowed to deploy to prod' in found["original"]


# What would prove nothing


@pytest.mark.parametrize("lacks", ["", "      id-token: write"])
def test_a_workflow_that_is_not_ours_is_not_run(configured: Desk, verify: Call, lacks: str) -> None:
    if lacks:
        push(
            configured,
            (configured.checkout / WORKFLOW).read_text("utf-8").replace(lacks, "      contents: read"),
        )
    ran = verify("--run")

    assert ran.code == 2
    assert f"git add .github/trustsmith.yml {WORKFLOW.as_posix()}" in ran.err
    assert ("is not there yet" in ran.err) == (not lacks)
    assert ("trustsmith render --overwrite check-trust\n" in ran.err) == bool(lacks)
    assert configured.writes() == []


def test_a_file_that_does_not_have_the_workflow_is_told_which_lines_to_add(
    configured: Desk, verify: Call
) -> None:
    text = (configured.checkout / CONFIG).read_text("utf-8")
    configured.write(text + "workflows:\n  deploy: {template: deploy-agents}\n")
    ran = verify("--run")

    assert ran.code == 2
    assert "  check-trust:\n    template: check-trust" in ran.err


def test_an_interrupted_run_is_left_alone(configured: Desk) -> None:
    push(configured)
    done = configured.tty("verify", "--run", "--env", "prod", answers=[("waits for", "\x03")])
    assert done.returncode == 130
    assert "left alone" in done.stdout
    assert "gh run view" in done.stdout
