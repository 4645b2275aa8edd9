"""What of the old way in may go by which word, in which order, and what stands in its way whatever is said."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pytest

from trustsmith.apply import apply
from trustsmith.errors import TrustsmithError, UsageError
from trustsmith.migrate.contract import Old, contraction, offered
from trustsmith.migrate.inventory import Stored
from trustsmith.migrate.proof import Readers
from trustsmith.model.facts import Facts, Repository
from trustsmith.model.foundry import find_role
from trustsmith.model.plan import Hazard
from trustsmith.model.resource import SIDES
from trustsmith.model.resources import ClientSecret, RoleAssignment, StoredSecret
from trustsmith.model.state import State
from trustsmith.model.subject import Template
from trustsmith.systems.record import Record, Recorded, removed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from trustsmith.apply import Run
    from trustsmith.model.plan import Change, Plan

TODAY = "2026-11-28T12:00:00"
SUBSCRIPTION = "/subscriptions/aaaaaaaa-0000-0000-0000-000000000001"
PROD = Stored(
    name="AZURE_CREDENTIALS", level="environment", environment="prod", updated="2026-01-20T09:00:00Z"
)
OWN = Stored(name="AZURE_CLIENT_SECRET", level="repository")
ONLY_OURS = Stored(
    name="ARM_CLIENT_SECRET", level="organization", visibility="selected", repositories=("o/n",)
)
COPY = Stored(name="AZURE_CREDENTIALS", level="repository", store="dependabot")
AGENTS = Stored(
    name="AZURE_CREDENTIALS",
    level="organization",
    store="agents",
    visibility="selected",
    repositories=("O/N",),
)
OPEN = ClientSecret(identity="app", key_id="k1", expires="2028-01-01T00:00:00Z", minted={"object_id": "o"})
PAST = ClientSecret(identity="app", key_id="k0", expires="2025-01-01T00:00:00Z", minted={"object_id": "o"})
CONTRIBUTOR = find_role("contributor")
assert CONTRIBUTOR is not None
WIDE = RoleAssignment(
    identity="app",
    role=CONTRIBUTOR,
    scope=SUBSCRIPTION,
    principal="p",
    minted={"id": "assignment"},
    owned=False,
)
SECRET, PASSWORD = "delete-secret=environment/prod/AZURE_CREDENTIALS", "delete-password=k1"
ROLE = f"delete-role=contributor@{SUBSCRIPTION}#app"
FACTS = Facts(
    host="github.com",
    issuer="i",
    audience="a",
    repository=Repository(id=1, full_name="o/n", default_branch="main", template=Template(prefix="")),
)
NOT_PROVEN = Hazard("not-proven=prod", "no", hint="do", allowable=False)


def old(*stored: Stored, **more: Any) -> Old:
    values: dict[str, Any] = {"passwords": (OPEN,), "roles": (WIDE,), "today": TODAY}
    return Old(repository="o/n", stored=stored, **(values | more))


OWN_SECRET = "delete-secret=repository/AZURE_CLIENT_SECRET"


def plan(there: Old, *allow: str, reading: Readers | None = None, lacking: tuple[Hazard, ...] = ()) -> Plan:
    return contraction(there, reading or Readers(), lacking, allow)


def ids(found: Plan) -> list[str]:
    return [hazard.id for hazard in found.blocked]


def names(changes: tuple[Change, ...]) -> list[str]:
    return [change.word for change in changes]


@pytest.mark.parametrize(
    ("stored", "place"),
    [
        (PROD, "environment/prod/AZURE_CREDENTIALS"),
        (OWN, "repository/AZURE_CLIENT_SECRET"),
        (ONLY_OURS, "organization/ARM_CLIENT_SECRET"),
        (COPY, "dependabot/AZURE_CREDENTIALS"),
        (AGENTS, "organization/agents/AZURE_CREDENTIALS"),
    ],
)
def test_each_place_has_its_word(stored: Stored, place: str) -> None:
    found = plan(old(stored, passwords=(), roles=()), f"delete-secret={place}")
    assert (names(found.changes), found.strays, found.blocked) == ([f"delete-secret={place}"], (), ())


@pytest.mark.parametrize(
    "name", ["NPM_TOKEN", "AZURE_OPENAI_API_KEY", "ACR_PASSWORD", "AZURE_CLIENT_ID", "ARM_ACCESS_KEY"]
)
def test_other_keys_are_nobodys_here(name: str) -> None:
    found = plan(
        old(Stored(name=name, level="repository"), passwords=(), roles=()), f"delete-secret=repository/{name}"
    )
    assert (found.changes, found.strays) == ((), ())
    assert "matches nothing here" in found.notes[0]


def test_what_is_not_named_stays_with_its_word() -> None:
    found = plan(old(PROD, OWN), SECRET)
    assert names(found.changes) == [SECRET]
    assert names(found.strays) == ["delete-secret=repository/AZURE_CLIENT_SECRET", PASSWORD, ROLE]
    assert found.blocked == ()
    assert [stray["word"] for stray in found.as_json()["strays"]] == names(found.strays)


def test_a_proof_that_is_missing_stops_everything_until_nothing_is_left() -> None:
    assert ids(plan(old(PROD), lacking=(NOT_PROVEN,))) == ["not-proven=prod"]
    assert (
        ids(plan(old(PROD), SECRET, PASSWORD, "not-proven=prod", lacking=(NOT_PROVEN,)))[0]
        == "not-proven=prod"
    )
    assert plan(old(passwords=(), roles=()), lacking=(NOT_PROVEN,)).hazards == ()


def test_secrets_go_before_passwords_and_passwords_before_roles() -> None:
    found = plan(old(PROD, OWN), SECRET, "delete-secret=repository/AZURE_CLIENT_SECRET", PASSWORD, ROLE)
    order = {change.word: {other.word for other in before} for change, before in found.order.items()}
    assert order == {
        SECRET: set(),
        OWN_SECRET: {SECRET},
        PASSWORD: {OWN_SECRET},
        ROLE: {PASSWORD},
    }


def test_that_others_may_hold_a_password_is_said_with_it() -> None:
    found = plan(old(PROD, passwords=(OPEN, PAST)), SECRET, "delete-password=k0")
    assert found.notes == ()
    (note,) = plan(old(PROD, passwords=(OPEN, PAST)), SECRET, PASSWORD).notes
    assert "Who else holds a password cannot be seen" in note


def test_an_expired_password_needs_no_further_word() -> None:
    found = plan(old(PROD, OWN, passwords=(PAST,)), SECRET, "delete-password=k0")
    assert found.blocked == ()
    reading = Readers(of={"AZURE_CREDENTIALS": ("w.yml:1",)})
    assert ids(plan(old(PROD, passwords=(PAST,)), "delete-password=k0", reading=reading)) == []


@pytest.mark.parametrize(
    ("there", "reading", "where"),
    [
        (old(PROD, OWN), Readers(), "environment/prod/AZURE_CREDENTIALS"),
        (old(OWN, COPY), Readers(), "dependabot/AZURE_CREDENTIALS"),
        (old(OWN, unseen=("its agents secrets could not be read",)), Readers(), "unknown, since its agents"),
        (
            old(OWN, Stored(name="REGISTRY", level="repository")),
            Readers(registries=frozenset({"REGISTRY"})),
            "repository/REGISTRY",
        ),
    ],
)
def test_a_password_that_something_else_may_hold(there: Old, reading: Readers, where: str) -> None:
    words = ("delete-secret=repository/AZURE_CLIENT_SECRET", PASSWORD)
    found = plan(there, *words, reading=reading)
    assert ids(found) == ["still-held=k1"]
    assert where in found.blocked[0].why
    assert ids(plan(there, *words, "still-held=k1", reading=reading)) == []
    # It is offered together with all secrets that may hold it, where these can go, too.
    assert (PASSWORD in offered(there, reading)) == where.startswith(("environment", "dependabot"))


@pytest.mark.parametrize(
    ("shared", "who"),
    [
        ({"visibility": "selected", "repositories": ("o/n", "o/other")}, "o/other"),
        ({"visibility": "all"}, "all repositories of the organization"),
        ({"visibility": "private"}, "all private and internal repositories of the organization"),
        ({"visibility": "selected"}, "may not see"),
        ({"visibility": "selected", "repositories": ()}, "may not see"),
        ({"visibility": ""}, "may not see"),
    ],
)
def test_a_secret_of_the_organization_that_others_can_use(shared: Mapping[str, Any], who: str) -> None:
    there = old(Stored(name="AZURE_CREDENTIALS", level="organization", **shared))
    word = "delete-secret=organization/AZURE_CREDENTIALS"
    found = plan(there, word, "shared-secret=organization/AZURE_CREDENTIALS")
    assert ids(found) == ["shared-secret=organization/AZURE_CREDENTIALS"]
    assert who in found.blocked[0].why
    rest = plan(there)  # it is for others to take away, and nothing to do here
    assert word not in names(rest.strays)
    assert who in rest.notes[0]
    assert offered(there, Readers()) == []  # the password may be in it


def test_what_reads_one_secret_keeps_that_and_every_password_and_role() -> None:
    reading = Readers(of={"AZURE_CREDENTIALS": ("w.yml:1", "w.yml:2")})
    there = old(PROD, OWN)
    for word in (SECRET, PASSWORD, ROLE):
        assert "still-read=AZURE_CREDENTIALS" in ids(plan(there, word, reading=reading))
    assert ids(plan(there, "delete-secret=repository/AZURE_CLIENT_SECRET", reading=reading)) == []
    assert offered(there, reading) == ["delete-secret=repository/AZURE_CLIENT_SECRET"]
    assert "w.yml:1, w.yml:2" in plan(there, reading=reading).strays[0].why


def test_a_sign_in_of_which_no_secret_is_known_keeps_passwords_and_roles() -> None:
    reading = Readers(unnamed=("w.yml:3",))
    assert ids(plan(old(PROD), SECRET, reading=reading)) == []
    assert ids(plan(old(PROD), SECRET, PASSWORD, reading=reading)) == ["still-read=w.yml:3"]


def test_a_secret_that_is_used_as_one_is_one_whatever_it_is_called() -> None:
    reading = Readers(entra=frozenset({"MINE"}), of={"MINE": ("w.yml:1",)})
    found = plan(
        old(Stored(name="MINE", level="repository")), "delete-secret=repository/MINE", reading=reading
    )
    assert ids(found) == ["still-read=MINE"]


def test_a_role_of_an_application_that_others_sign_in_as_needs_a_word_more() -> None:
    there = old(PROD, others={"app": ("repo:o/other:environment:prod",), "another": ("x",)})
    assert ids(plan(there, ROLE)) == ["also-trusted=app"]
    assert "repo:o/other:environment:prod" in plan(there, ROLE).blocked[0].why
    assert ids(plan(there, ROLE, "also-trusted=app")) == []
    assert offered(there, Readers()) == [SECRET, PASSWORD]
    assert ids(plan(there, SECRET, PASSWORD)) == []


def test_where_it_cannot_be_told_nothing_goes() -> None:
    reading = Readers(unsure={"w.yml:5": "hands all secrets to o/r"})
    assert ids(plan(old(PROD), SECRET, reading=reading)) == ["not-told=w.yml:5"]
    assert plan(old(PROD), SECRET, "not-told=w.yml:5", reading=reading).blocked[0].allowable is False


class Hand:
    """A Writer that takes away, or fails at what it is told to."""

    def __init__(self, fails: str = "") -> None:
        self.fails = fails
        self.gone: list[str] = []

    async def write(self, change: Change, facts: Facts) -> Mapping[str, str]:
        del facts
        if change.word == self.fails:
            raise TrustsmithError("no")
        self.gone.append(change.word)
        return {}


class Deaf:
    def started(self, change: Change) -> None:
        del change

    def finished(self, outcome: object) -> None:
        del outcome


async def carry_out(found: Plan, hand: Hand, record: Record) -> Run:
    return await apply(found, State(), FACTS, dict.fromkeys(SIDES, Recorded(hand, record)), Deaf())


def test_a_secret_that_stays_keeps_the_password_and_the_role(tmp_path: Path) -> None:
    hand, path = Hand(fails=SECRET), tmp_path / "removed.jsonl"
    path.write_text('{"cut')
    found = plan(old(PROD, OWN), SECRET, "delete-secret=repository/AZURE_CLIENT_SECRET", PASSWORD, ROLE)
    record = Record(path, {"github": "me"})
    run = asyncio.run(carry_out(found, hand, record))
    record.close()
    assert hand.gone == []
    assert [o.change.word for o in run.of("not reached")] == [OWN_SECRET, PASSWORD, ROLE]
    lines = path.read_text().splitlines()
    assert lines[0] == '{"cut'
    assert [line.split('"event": "')[1].split('"')[0] for line in lines[1:]] == [
        "removing",
        "failed",
    ]


def test_a_record_that_cannot_be_opened_or_is_closed_lets_nothing_go(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="so nothing was removed"):
        Record(tmp_path, {})
    record, hand = Record(tmp_path / "r", {}), Hand()
    record.close()
    run = asyncio.run(carry_out(plan(old(PROD), SECRET), hand, record))
    assert (hand.gone, len(run.failures)) == ([], 1)
    assert "the removal was not tried" in str(run.failures[0].error)


def test_a_secret_has_no_field_for_its_value() -> None:
    names = {field.name for field in fields(StoredSecret)}
    assert names == {"name", "level", "environment", "store", "updated", "minted", "owned"}


def test_a_word_for_what_is_not_there_is_a_slip_unless_the_record_knows_it() -> None:
    slip = "delete-secret=environment/prod/AZURE_CREDENTAILS"
    found = plan(old(PROD), SECRET, slip)
    assert [(h.id, h.allowable) for h in found.blocked if h.id.startswith("no-such")] == [
        (f"no-such={slip}", False)
    ]
    known = contraction(old(PROD), Readers(), (), [SECRET, slip], gone=[slip])
    assert not any(hazard.id.startswith("no-such") for hazard in known.hazards)
    nothing = contraction(old(passwords=(), roles=()), Readers(), (), [slip])
    assert [hazard.id for hazard in nothing.blocked] == [f"no-such={slip}"]


def test_what_a_record_says_was_removed(tmp_path: Path) -> None:
    path = tmp_path / "removed.jsonl"
    assert removed(path) == frozenset()
    found = plan(old(PROD), SECRET, PASSWORD)
    record = Record(path, {"github": "me"})
    asyncio.run(carry_out(found, Hand(fails=PASSWORD), record))
    record.close()
    assert removed(path) >= {SECRET}
    path.write_bytes(path.read_bytes() + b'{"event": "removed", "wo\n[1]\n"x"\n')
    assert SECRET in removed(path)
    path.write_bytes(b"\xff")
    assert removed(path) == frozenset()
    assert removed(tmp_path) == frozenset()
