"""What GitHub tells of the actions in use: what may be taken, what is doubtful, and what a policy forbids."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.flows.conftest import Silent
from tests.flows.faults import CONFIG
from trustsmith import configfile, pinsfile
from trustsmith.errors import NotSignedIn, UsageError
from trustsmith.flows.look import look
from trustsmith.flows.releases import look_up
from trustsmith.flows.session import Options, Session
from trustsmith.model.pins import Pin, named

if TYPE_CHECKING:
    from tests.cli.desk import World
    from tests.flows.conftest import Bench
    from trustsmith.model.pins import Update

# msgraph's builders warn about themselves when they are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
CHECKOUT, LOGIN = "actions/checkout", "azure/login"
PLACES = {CHECKOUT: "4101", "actions/setup-python": "4102", LOGIN: "4103"}


def looked(bench: Bench, *names: str, every: bool = True) -> dict[str, Update]:
    """What is found, by action."""
    bench.write(CONFIG)
    front = Silent()

    async def run() -> list[Update]:
        source = Options(bench.checkout).read_config()
        session = Session.of(Options(bench.checkout), front, source.config)
        try:
            return await look_up(session, source.config, named(names), every=every)
        finally:
            await session.aclose()

    found = {update.action: update for update in asyncio.run(run())}
    bench.text = "\n".join(front.said)
    return found


def repository(world: World, action: str) -> dict[str, Any]:
    found: dict[str, Any] = world.data["github"]["repositories"][PLACES[action]]
    return found


def versions(found: dict[str, Update]) -> dict[str, str]:
    return {action: update.to.version for action, update in found.items() if update.to}


def said(update: Update) -> str:
    return "\n".join(update.remarks)


def test_newer_releases_are_found_as_commits(bench: Bench) -> None:
    found = looked(bench)
    assert versions(found) == {CHECKOUT: "v7.1.0", "actions/setup-python": "v7.0.1", LOGIN: "v3.1.0"}
    login = found[LOGIN].to
    assert login is not None
    assert (login.sha, login.date) == ("a310" * 10, "2026-09-15"), (
        "the commit, not the annotated tag's own id"
    )
    assert "v8.0.0 is another major version" in said(found[CHECKOUT])
    assert "v7.2.0 is 2 days old" in said(found["actions/setup-python"])


def test_by_name_only_what_is_named(bench: Bench) -> None:
    found = looked(bench, f"{CHECKOUT}@v8", "actions/setup-python@v7.2.0", every=False)
    assert versions(found) == {CHECKOUT: "v8.0.0", "actions/setup-python": "v7.2.0"}
    with pytest.raises(UsageError, match="no release v9"):
        looked(bench, f"{CHECKOUT}@v9", every=False)


def test_a_commit_that_is_on_no_branch_is_taken_by_name_only(bench: Bench) -> None:
    def push_to_a_fork(world: World) -> None:
        login = repository(world, LOGIN)
        del login["files"]["releases/v3.1.0"]

    bench.edit(push_to_a_fork)
    found = looked(bench)
    assert LOGIN not in versions(found)
    assert "is on no branch of azure/login" in said(found[LOGIN])
    assert versions(looked(bench, f"{LOGIN}@v3.1.0", every=False)) == {LOGIN: "v3.1.0"}


def test_an_old_line_is_on_its_own_branch(bench: Bench) -> None:
    old = Pin(action=CHECKOUT, version="v6.1.0", sha="c6" * 20, date="2026-05-12")
    file = bench.checkout / ".github" / "trustsmith-actions.json"
    file.parent.mkdir()
    file.write_text(pinsfile.text_of([old]))

    def go_on(world: World) -> None:
        checkout = repository(world, CHECKOUT)
        commits = checkout["objects"]["commits"]
        commits["c612" * 10] = commits["c611" * 10] | {"parents": ["c611" * 10]}
        checkout["objects"]["heads"]["releases/v6"] = "c612" * 10

    bench.edit(go_on)
    assert versions(looked(bench))[CHECKOUT] == "v6.1.1"


def test_a_tag_that_was_moved_is_told_and_not_followed(bench: Bench) -> None:
    def move(world: World) -> None:
        objects = repository(world, CHECKOUT)["objects"]
        objects["tags"]["v7.0.1"] = "c7" * 20
        young = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        objects["commits"]["c710" * 10]["committer"]["date"] = young

    bench.edit(move)
    found = looked(bench)
    assert CHECKOUT not in versions(found)
    assert "leads to c7c7c7c, not to 3d3c42e as pinned" in said(found[CHECKOUT])
    assert "v7.1.0 was released on 2026-09-01, but its commit c710c71 is of" in said(found[CHECKOUT])


def test_what_is_not_shown_is_not_compared(bench: Bench) -> None:
    def hide(world: World) -> None:
        del world.data["github"]["repositories"][PLACES[LOGIN]]
        del repository(world, CHECKOUT)["objects"]["tags"]["v7.1.0"]

    bench.edit(hide)
    found = looked(bench)
    assert not found[LOGIN].compared
    assert "Where GitHub Connect is on" in said(found[LOGIN])
    assert "v7.1.0 leads to no commit" in said(found[CHECKOUT])
    assert versions(found) == {"actions/setup-python": "v7.0.1"}


@pytest.mark.parametrize(
    ("policy", "selected", "refused", "word"),
    [
        ({"allowed_actions": "local_only"}, {}, {CHECKOUT, "actions/setup-python", LOGIN}, "azure/login@*"),
        (
            {"allowed_actions": "selected"},
            {"github_owned_allowed": True, "patterns_allowed": ["azure/login@f5d393ae46f8*"]},
            {LOGIN},
            "does not allow azure/login",
        ),
        ({"sha_pinning_required": True}, {}, {LOGIN}, "azure/login itself uses actions/cache@v4"),
    ],
)
def test_what_the_policy_forbids_is_not_taken(
    bench: Bench, policy: dict[str, Any], selected: dict[str, Any], refused: set[str], word: str
) -> None:
    def restrict(world: World) -> None:
        actions = world.repository["actions"]
        actions.update(policy)
        actions["selected"].update(selected)
        objects = repository(world, LOGIN)["objects"]
        objects["blobs"]["ff" * 20] = "runs:\n  using: composite\n  steps:\n    - uses: actions/cache@v4\n"
        objects["trees"]["ee" * 20] = {"action.yml": "ff" * 20}
        objects["commits"]["a310" * 10]["tree"] = "ee" * 20

    bench.edit(restrict)
    found = looked(bench)
    assert set(PLACES) - set(versions(found)) == refused
    assert word in said(found[LOGIN])


def test_a_policy_that_may_not_be_read_restricts_nothing_and_that_is_said(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GH_TOKEN", "sandbox-writer-token")
    assert len(versions(looked(bench))) == 3
    assert "could not be read, and was not looked at" in bench.text


def test_without_a_sign_in(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GH_TOKEN", "nobody-has-this-one")
    with pytest.raises(NotSignedIn):
        looked(bench)


def test_a_plan_says_what_will_be_stopped(bench: Bench) -> None:
    bench.edit(lambda world: world.repository["actions"].update(allowed_actions="local_only"))
    bench.write(CONFIG)
    source = configfile.load(CONFIG, "trustsmith.yml")

    async def run() -> tuple[str, ...]:
        session = Session.of(Options(bench.checkout), Silent(), source.config)
        try:
            return (await look(session, source)).plan.notes
        finally:
            await session.aclose()

    notes = asyncio.run(run())
    assert len(notes) == 3
    assert any("Allow it by the pattern azure/login@*" in note for note in notes)
