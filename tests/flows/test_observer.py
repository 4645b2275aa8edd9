"""An observer compares what it may read; what it may not is named, and never looks like something to make.

The set-up is done by an operator; then a job of the observer's environment looks, with rights taken from it one by one.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.flows.conftest import Silent
from trustsmith import configfile
from trustsmith.errors import NotAllowed
from trustsmith.flows.issue import keep
from trustsmith.flows.look import look
from trustsmith.flows.session import Options, Session
from trustsmith.model.resource import SIDES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.desk import World
    from tests.flows.conftest import Bench
    from trustsmith.model.plan import Plan

# msgraph's builders warn about themselves when they are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")

TOKEN = "github_pat_sandbox-observer-token"
_ACCOUNT = "/subscriptions/{0}/resourceGroups/rg-foundry-{1}/providers/Microsoft.CognitiveServices/accounts/foundry-{1}"
DEV, PROD = (
    _ACCOUNT.format(f"aaaaaaaa-0000-0000-0000-00000000000{n}", name) for n, name in ((1, "dev"), (2, "prod"))
)
CONFIG = f"""\
version: 1
repository: contoso/agents
tenant: 11111111-1111-1111-1111-111111111111
environments:
  dev:
    project: {DEV}/projects/agents
  prod:
    project: {PROD}/projects/agents
    protection: {{reviewers: [team:platform], branches: [main]}}
workflows: {{}}
observer: {{}}
"""


def consent(world: World) -> None:
    world.principal("observer")  # is there
    for principal in world.data["service_principals"].values():
        if principal["id"] == world.principal("observer")["id"]:
            principal["graphPermissions"] = ["Application.Read.All"]


def without(permission: str) -> Callable[[World], object]:
    return lambda world: world.data["github"]["tokens"][TOKEN]["permissions"].pop(permission)


def unread_account(world: World) -> None:
    """The observer's Reader on dev's account is gone."""
    for key, assignment in world.roles("observer").items():
        if assignment["properties"]["scope"].endswith("foundry-dev"):
            del world.data["role_assignments"][key]


def no_consent(world: World) -> None:
    world.data["service_principals"][world.principal("observer")["id"]]["graphPermissions"] = []


class Observer:
    """A job of the observer's environment at this bench."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.text = CONFIG
        bench.configure(CONFIG)
        bench.edit(consent)

    def sign_in(self) -> None:
        """Exchange the job's token as azure/login does, and take what the job has of GitHub."""
        bench = self.bench
        wanted = {"repository": "contoso/agents", "environment": "observer"}
        job = bench.sandbox.control(
            "jobs", {**wanted, "permissions": {"id-token": "write", "contents": "read", "issues": "write"}}
        )
        url = f"{job['ACTIONS_ID_TOKEN_REQUEST_URL']}&audience={quote('api://AzureADTokenExchange')}"
        headers = {"Authorization": f"bearer {job['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"}
        assertion = bench.checkout / "assertion"
        assertion.write_text(bench.sandbox.http.get(url, headers=headers).json()["value"])
        bench.monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(assertion))
        bench.monkeypatch.setenv("AZURE_CLIENT_ID", job["secrets"]["AZURE_CLIENT_ID"])
        bench.monkeypatch.setenv("GH_TOKEN", TOKEN)
        bench.monkeypatch.setenv("GITHUB_TOKEN", job["GITHUB_TOKEN"])

    def look(self, *, issue: bool = False, sides: Any = SIDES) -> tuple[Plan, dict[str, Any]]:
        """What `trustsmith plan --observer` finds, and what it does about the issue."""
        source = configfile.load(self.text, "trustsmith.yml")

        async def run() -> tuple[Plan, dict[str, Any]]:
            options = Options(self.bench.checkout)
            session = Session.of(options, Silent(), source.config, observing=True)
            try:
                plan = (await look(session, source, sides)).plan
                return plan, await keep(session, "contoso/agents", plan) if issue else {}
            finally:
                await session.aclose()

        return asyncio.run(run())


@pytest.fixture
def observer(bench: Bench) -> Observer:
    return Observer(bench)


def names(plan: Plan) -> set[str]:
    return {str(entry.key) for entry in plan.not_compared}


def test_with_its_rights_everything_is_compared_and_nothing_is_written(observer: Observer) -> None:
    observer.sign_in()
    observer.bench.forget()
    plan, _ = observer.look()
    assert plan.clean
    assert "observer.reach" in plan.notes[0]
    assert [w for w in observer.bench.writes() if "graphql" not in w] == []


def test_a_drift_is_found_as_an_administrator_would_find_it(observer: Observer) -> None:
    def drift(world: World) -> None:
        world.environment("prod")["reviewers"] = []
        world.drop_role("dev")
        world.app("prod")["federatedIdentityCredentials"] = []

    observer.bench.edit(drift)
    observer.sign_in()
    plan, _ = observer.look()
    assert not plan.not_compared
    assert {(change.verb, change.key.kind) for change in plan.shown} == {
        ("update", "github environment"),
        ("create", "role assignment"),
        ("create", "federated credential"),
    }


_ROLE = "trustsmith-localhost-4001-dev: foundry-project-manager"
_SECRETS = {f"environment secret {e}/AZURE_CLIENT_ID" for e in ("dev", "prod", "observer")}


@pytest.mark.parametrize(
    ("by_hand", "told"),
    [
        (
            no_consent,
            _SECRETS
            | {f"application trustsmith-localhost-4001-{e}" for e in ("dev", "prod", "observer")}
            | {f"service principal trustsmith-localhost-4001-{e}" for e in ("dev", "prod", "observer")}
            | {"graph permission trustsmith-localhost-4001-observer/Application.Read.All"},
        ),
        (
            without("environments"),
            _SECRETS | {f"environment mark {e}/TRUSTSMITH" for e in ("dev", "prod", "observer")},
        ),
        (
            without("actions"),
            _SECRETS
            | {"federated credential *"}
            | {f"github environment {e}" for e in ("dev", "prod", "observer")},
        ),
        (without("members"), {"github environment prod"}),
        (
            unread_account,
            {
                "foundry project endpoint",
                "environment secret dev/AZURE_AI_PROJECT_ENDPOINT",
                f"role assignment {_ROLE} at {DEV.lower()}/projects/agents",
                f"role assignment trustsmith-localhost-4001-dev: others below {DEV}",
            },
        ),
    ],
    ids=["Graph", "Environments", "Actions", "Members", "Reader"],
)
def test_what_may_not_be_read_is_named(
    observer: Observer, by_hand: Callable[[World], object], told: set[str]
) -> None:
    observer.bench.edit(by_hand)
    observer.sign_in()
    plan, _ = observer.look()
    assert (plan.changes, plan.strays, plan.waiting) == ((), (), ())
    assert names(plan) >= told
    assert all(entry.reason for entry in plan.not_compared)
    assert not plan.clean


def test_what_may_be_read_is_compared_all_the_same(observer: Observer) -> None:
    def drift(world: World) -> None:
        without("environments")(world)
        world.environment("prod")["policies"] = []
        world.app("dev")["federatedIdentityCredentials"] = []

    observer.bench.edit(drift)
    observer.sign_in()
    plan, _ = observer.look()
    assert {str(change.key).rpartition("/")[0] or str(change.key) for change in plan.shown} == {
        "github environment prod",
        "federated credential trustsmith-localhost-4001-dev",
    }
    assert plan.not_compared


def test_without_the_repository_nothing_is(observer: Observer) -> None:
    observer.sign_in()
    observer.bench.monkeypatch.setenv("GH_TOKEN", "expired")
    plan, kept = observer.look(issue=True)
    assert names(plan) == {"repository contoso/agents"}
    assert "does not accept the token" in plan.not_compared[0].reason
    assert (kept["verb"], kept["number"]) == ("open", 1)


def test_one_sides_part_says_what_it_hangs_on(observer: Observer) -> None:
    observer.bench.edit(no_consent)
    observer.sign_in()
    plan, _ = observer.look(sides={"azure"})
    assert {entry.key.kind for entry in plan.not_compared} == {"role assignment"}
    assert not plan.clean


def test_a_whole_subscription_is_searched_where_the_file_says_so(observer: Observer) -> None:
    observer.text = CONFIG.replace("observer: {}", "observer: {reach: subscriptions}")
    observer.sign_in()
    plan, _ = observer.look()
    told = [name for name in names(plan) if "others below /subscriptions/" in name]
    assert len(told) == 6  # three identities, two subscriptions
    assert {change.verb for change in plan.shown} == {"create", "delete"}  # Reader moves up


def issues(bench: Bench) -> dict[str, Any]:
    found: dict[str, Any] = bench.sandbox.state()["github"]["repositories"]["4001"].get("issues", {})
    return found


def test_one_issue_from_the_first_drift_to_the_last(observer: Observer) -> None:
    bench = observer.bench

    def edit(**values: Any) -> None:
        bench.edit(lambda world: world.environment("dev").update(values))

    def kept() -> tuple[str, Any]:
        found = observer.look(issue=True)[1]
        return found["verb"], found["number"]

    def comments() -> int:
        return len(issues(bench)["1"]["entries"])

    observer.sign_in()
    assert kept() == ("none", None)
    edit(wait_timer=5)
    assert (kept(), kept()) == (("open", 1), ("none", 1))
    assert comments() == 0
    edit(wait_timer=6)
    assert (kept(), kept()) == (("update", 1), ("none", 1))
    assert comments() == 1
    bench.edit(lambda world: world.repository["issues"]["1"].update(state="closed"))
    assert kept() == ("none", 1)  # somebody has seen just this
    edit(wait_timer=7)
    assert kept() == ("reopen", 1)
    edit(wait_timer=0)
    assert (kept(), kept()) == (("close", 1), ("none", None))
    edit(wait_timer=5)
    assert kept() == ("reopen", 1)
    assert list(issues(bench)) == ["1"]
    assert issues(bench)["1"]["user"] == "github-actions[bot]"


def test_an_issue_of_a_stranger_is_left_alone_and_doubles_are_closed(observer: Observer) -> None:
    bench = observer.bench
    bench.edit(lambda world: world.environment("dev").update(wait_timer=5))
    observer.sign_in()
    observer.look(issue=True)

    def copy(world: World) -> None:
        table = world.repository["issues"]
        for number, user in ((2, "monalisa"), (3, "github-actions[bot]")):
            table[str(number)] = {**table["1"], "number": number, "id": number, "user": user, "entries": []}

    bench.edit(copy)
    before = issues(bench)["2"]
    bench.edit(lambda world: world.environment("dev").update(wait_timer=6))
    assert observer.look(issue=True)[1]["number"] == 1
    after = issues(bench)
    assert after["2"] == before
    assert (after["3"]["state"], after["3"]["state_reason"]) == ("closed", "not_planned")
    assert after["3"]["entries"][0]["body"] == "#1 says the same."


def test_without_the_right_to_write_issues_it_says_so(observer: Observer) -> None:
    observer.bench.edit(lambda world: world.environment("dev").update(wait_timer=5))
    observer.sign_in()
    observer.bench.monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    with pytest.raises(NotAllowed, match="could not be written") as stopped:
        observer.look(issue=True)
    assert "issues: write" in stopped.value.hint
