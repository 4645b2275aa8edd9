"""What live resources and jobs' results are judged to be."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.property.worlds import World, carry_out, facts_of, foreign_credential, project, wanted_of
from trustsmith.diff import diff
from trustsmith.model.config import Config, Environment
from trustsmith.model.environments import GitHubEnvironment
from trustsmith.model.proof import Reached, Result
from trustsmith.model.resources import FederatedCredential, RoleAssignment, ServicePrincipal
from trustsmith.model.state import State
from trustsmith.verify import Wanted, job_findings, live_findings, missing_result

if TYPE_CHECKING:
    from trustsmith.model.findings import Finding

SUBJECT = "repo:contoso/agents:environment:dev"
ISSUER = "https://token.actions.githubusercontent.com"
PROJECT = Reached(
    endpoint="https://foundry-dev.services.ai.azure.com/api/projects/agents",
    host="foundry-dev.services.ai.azure.com",
    addresses=("10.1.2.3",),
    status=200,
    waited_s=0.1,
    message="",
)
RESULT = Result(
    nonce="n",
    environment="dev",
    issuer=ISSUER,
    subject=SUBJECT,
    audience="api://AzureADTokenExchange",
    client_id="11111111-2222-3333-4444-555555555555",
    ok=True,
    code="",
    message="",
    waited_s=0.2,
    projects=(PROJECT,),
    others={"prod": (403,)},
)
WANTED = Wanted(
    environment="dev",
    client_id=RESULT.client_id.upper(),
    issuer=ISSUER,
    subjects=(SUBJECT,),
    trusted=(SUBJECT,),
    others={"prod": ""},
)


def judged(wanted: Wanted = WANTED, **changes: Any) -> dict[str, Finding]:
    found = list(job_findings(replace(RESULT, **changes), wanted))
    assert {finding.about for finding in found} == {"dev"}
    assert [finding.check for finding in found if finding.verdict != "pass" and not finding.next] == []
    return {finding.check: finding for finding in found}


def with_project(**changes: Any) -> dict[str, Finding]:
    return judged(projects=(replace(PROJECT, **changes),))


def test_what_is_as_it_should_be_passes() -> None:
    found = judged()
    assert list(found) == ["subject", "exchange", "network", "project", "isolation"]
    assert {finding.verdict for finding in found.values()} == {"pass"}
    assert "private address 10.1.2.3" in found["network"].why


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"subject": "repo:Contoso/agents:environment:dev"}, "owner is Contoso here and contoso there"),
        ({"issuer": ISSUER + "/contoso"}, f"the issuer {ISSUER}/contoso"),
        ({"subject": ""}, "GitHub gave the job no token"),
    ],
)
def test_a_subject_that_was_not_expected_fails_claim_by_claim(changes: dict[str, Any], said: str) -> None:
    found = judged(**changes)["subject"]
    assert found.verdict == "fail"
    assert said in found.why


def test_any_of_several_subjects_is_right_and_without_any_it_is_only_told() -> None:
    assert judged(replace(WANTED, subjects=("x", SUBJECT)))["subject"].verdict == "pass"
    assert judged(Wanted(environment="dev"))["subject"].why == f"GitHub sent {SUBJECT}."


def test_another_application_is_named() -> None:
    assert "signs in as other" in judged(client_id="other")["identity"].why
    assert "signs in as nobody" in judged(client_id="")["identity"].why


def test_a_refused_exchange_is_explained_with_the_nearest_trusted_subject() -> None:
    no = {"ok": False, "code": "AADSTS7002138", "message": "AADSTS7002138: No match.", "projects": ()}
    trusted = ("repo:contoso/other:environment:dev", "repo:contoso/agents:environment:Dev")
    found = judged(replace(WANTED, trusted=trusted), **no)
    assert list(found) == ["subject", "exchange"]
    assert found["exchange"].verdict == "fail"
    assert found["exchange"].original == "AADSTS7002138: No match."
    assert "environment is dev here and Dev there" in found["exchange"].why


def test_an_exchange_without_a_code_has_the_services_words() -> None:
    found = judged(ok=False, message="Entra gave no token (HTTP 502)", waited_s=12.0)["exchange"]
    assert (found.verdict, found.original) == ("fail", "Entra gave no token (HTTP 502)")
    assert "tried for 12 s" in found.why


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"status": 403, "waited_s": 600.0, "message": "no role"}, "answered HTTP 403 after 600 s."),
        ({"status": 404}, "is not there"),
        ({"status": 0}, "did not answer the runner"),
    ],
)
def test_a_project_that_is_not_reached_fails(changes: dict[str, Any], said: str) -> None:
    found = with_project(**changes)["project"]
    assert found.verdict == "fail"
    assert said in found.why
    assert found.original == changes.get("message", "")


def test_names_that_do_not_resolve_and_jobs_without_endpoints_fail() -> None:
    assert with_project(addresses=())["network"].verdict == "fail"
    assert with_project(addresses=("20.1.2.3", "10.0.0.1"))["network"].why.endswith(
        "at the public addresses 20.1.2.3, 10.0.0.1."
    )
    assert judged(projects=())["project"].verdict == "fail"


def test_a_job_that_is_sent_to_another_project_fails() -> None:
    meant = PROJECT.endpoint.replace("agents", "others")
    every = list(job_findings(RESULT, replace(WANTED, endpoints=(meant, PROJECT.endpoint.upper()))))
    (wrong,) = [finding for finding in every if finding.verdict == "fail"]
    assert (wrong.check, wrong.why.startswith(f"The file's project answers at {meant}, and")) == (
        "project",
        True,
    )


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        ((401, 403), "pass"),
        ((404,), "unknown"),
        ((403, 200), "fail"),
        ((403, None), "unknown"),
        ((0,), "unknown"),
        ((500,), "unknown"),
        ((), "unknown"),
    ],
)
def test_what_a_job_must_not_reach(statuses: tuple[int | None, ...], verdict: str) -> None:
    assert judged(others={"prod": statuses})["isolation"].verdict == verdict


def test_what_is_shared_on_purpose_is_said_instead() -> None:
    found = judged(replace(WANTED, others={"prod": "they share one identity"}), others={"prod": (200,)})
    assert found["isolation"].verdict == "pass"
    assert found["isolation"].why == "It may reach the projects of prod: they share one identity."


@pytest.mark.parametrize(
    ("job", "verdict", "said"),
    [
        (None, "unknown", "no job"),
        ({"status": "in_progress"}, "unknown", "was not done"),
        ({"status": "completed", "conclusion": "failure", "steps": []}, "fail", "did not let the job start"),
        ({"status": "completed", "conclusion": "cancelled", "steps": [{}]}, "unknown", "(cancelled)"),
        ({"status": "completed", "conclusion": "failure", "steps": [{}]}, "fail", "(failure)"),
    ],
)
def test_a_job_without_a_result(job: Any, verdict: str, said: str) -> None:
    found = missing_result("dev", "https://run", job, said="words")
    assert (found.check, found.verdict) == ("run", verdict)
    assert said in found.why
    assert "https://run" in found.next


# What is live, against what is declared

DEV = Environment(name="dev", projects=(project("dev"),))
CONFIG = Config(repository="contoso/agents", tenant="t", environments=(DEV,))
IDENTITY = "trustsmith-github.com-1001-dev"


def set_up() -> World:
    world, facts = World(), facts_of(CONFIG)
    carry_out(world, diff(State(), wanted_of(CONFIG, facts)), facts)
    return world


def compared(world: World) -> list[Finding]:
    live, wanted = world.state(), wanted_of(CONFIG, facts_of(CONFIG))
    return list(live_findings(DEV, IDENTITY, wanted, live, diff(live, wanted, ("entra", "azure"))))


def test_a_credential_that_waits_for_its_environment_is_not_there() -> None:
    world = set_up()
    assert {finding.verdict for finding in compared(world)} == {"pass"}
    (credential,) = [r for r in world.resources.values() if isinstance(r, FederatedCredential)]
    (environment,) = [r for r in world.resources.values() if isinstance(r, GitHubEnvironment)]
    del world.resources[credential.key]
    world.put(replace(environment, wait_minutes=5))
    found = {finding.check: finding for finding in compared(world)}
    assert found["credential"].verdict == "fail"
    assert "this identity trusts nothing" in found["credential"].why


def test_what_somebody_else_put_on_the_identity_fails() -> None:
    world = set_up()
    world.put(foreign_credential(IDENTITY))
    *right, foreign = compared(world)
    assert {finding.verdict for finding in right} == {"pass"}
    assert (foreign.verdict, foreign.check) == ("fail", "credential")
    assert f"--allow remove={IDENTITY}/added-by-hand" in foreign.next


def test_a_disabled_principal_fails() -> None:
    world = set_up()
    (principal,) = [r for r in world.resources.values() if isinstance(r, ServicePrincipal)]
    world.put(replace(principal, enabled=False))
    (found,) = [finding for finding in compared(world) if finding.verdict == "fail"]
    assert (found.check, f"--allow enable={IDENTITY}" in found.next) == ("identity", True)


def test_a_role_of_ours_that_the_file_no_longer_asks_for_fails() -> None:
    world = set_up()
    (role,) = [r for r in world.resources.values() if isinstance(r, RoleAssignment)]
    world.put(replace(role, scope=project("prod").id))
    *right, left = compared(world)
    assert {finding.verdict for finding in right} == {"pass"}
    assert (left.verdict, left.check) == ("fail", "role")
    assert "is assigned, and no longer declared" in left.why
