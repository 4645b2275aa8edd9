"""Differences: said in words, for the sides that were asked for, and what waits says for whom."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.property.worlds import World, carry_out, facts_of, foreign_credential, project, wanted_of, workflow
from trustsmith.diff import diff, waits_for_proof
from trustsmith.model.config import Config, Environment, Identity, Protection
from trustsmith.model.environments import (
    EnvironmentMark,
    EnvironmentSecret,
    EnvironmentVariable,
    GitHubEnvironment,
    SubjectSetting,
)
from trustsmith.model.resource import Key, Later, Side
from trustsmith.model.resources import Application, FederatedCredential, ServicePrincipal
from trustsmith.model.state import State
from trustsmith.regenerate import Regenerated

if TYPE_CHECKING:
    from trustsmith.model.facts import Facts
    from trustsmith.model.plan import Change, Plan
    from trustsmith.model.resource import Resource

DEV = Environment(name="dev", projects=(project("dev"),))
CONFIG = Config(repository="contoso/agents", tenant="t", environments=(DEV,))
FACTS = facts_of(CONFIG)
APP = Key("application", "trustsmith-github.com-1001-dev")
PRINCIPAL = Key("service principal", APP.name)
ENVIRONMENT = Key("github environment", "dev")
SECRET = Key("environment secret", "dev/AZURE_CLIENT_ID")


def set_up(config: Config = CONFIG, facts: Facts = FACTS) -> World:
    world = World()
    carry_out(world, diff(State(), wanted_of(config, facts)), facts)
    return world


def plan_of(world: World, config: Config = CONFIG, *sides: Side, **unread: str) -> Plan:
    unseen: Any = unread
    return diff(world.state(unseen), wanted_of(config, FACTS), *([sides] if sides else []))


def alter(world: World, key: Key, **values: Any) -> None:
    resource: Resource = world.resources[key]
    world.put(replace(resource, **values))


def only(plan: Plan) -> Change:
    (change,) = plan.shown
    return change


def test_a_first_run_creates_everything() -> None:
    plan = diff(State(), wanted_of(CONFIG, FACTS))
    assert {change.verb for change in plan.shown} == {"create"}
    assert {change.why for change in plan.shown} == {"it is not there yet"}
    assert {change.key for change in plan.shown} == wanted_of(CONFIG, FACTS).keys()
    assert [(c.verb, c.key.kind) for c in plan.changes if c.implied] == [
        ("check", "github environment"),
        ("update", "environment mark"),
    ]


def test_a_second_run_has_nothing_to_do() -> None:
    assert plan_of(set_up()).clean


@pytest.mark.parametrize(
    ("key", "values", "said"),
    [
        (APP, {"display_name": "x"}, "display name is x, not agents-dev"),
        (APP, {"audience": "AzureADMultipleOrgs"}, "audience is AzureADMultipleOrgs, not AzureADMyOrg"),
        (PRINCIPAL, {"enabled": False}, "enabled is False, not True"),
        (ENVIRONMENT, {"wait_minutes": 30}, "it has: waits 30 min; the file asks for: no protection rules"),
        (
            ENVIRONMENT,
            {"deploy_from": "protected"},
            "it has: from protected branches; the file asks for: no protection rules",
        ),
        (
            ENVIRONMENT,
            {"deploy_from": "patterns", "branches": frozenset({"b", "a"})},
            "it has: from a, b; the file asks for: no protection rules",
        ),
        (
            Key("workflow file", ".github/workflows/deploy.yml"),
            {"fate": Regenerated(outcome="conflict", text="", why="it clashes")},
            "it clashes",
        ),
        (
            Key("workflow file", ".github/workflows/deploy.yml"),
            {"fate": Regenerated(outcome="merged", text="")},
            "what would be rendered now is merged into it, since it was edited",
        ),
        (
            Key("workflow file", ".github/workflows/deploy.yml"),
            {"body": "older\n"},
            "what would be rendered now differs",
        ),
        (Key("environment mark", "dev/TRUSTSMITH"), {"readable": False}, "readable is False, not True"),
    ],
)
def test_a_change_by_hand_is_named_and_said(key: Key, values: dict[str, Any], said: str) -> None:
    world = set_up()
    alter(world, key, **values)
    change = next(c for c in plan_of(world).shown if c.key == key)
    assert (change.verb, change.why) == ("update", said)


def test_a_secret_that_somebody_wrote_is_not_known_and_one_of_ours_is_another() -> None:
    world = set_up()
    world.vouched.discard(SECRET)
    assert only(plan_of(world)).why == "nothing vouches for its value"
    plan = plan_of(set_up(), replace(CONFIG, tenant="moved"))
    assert [(c.key.name, c.why) for c in plan.shown] == [("dev/AZURE_TENANT_ID", "its value is another one")]


def test_a_variable_says_both_values() -> None:
    variables = replace(CONFIG, store="variables")
    plan = plan_of(set_up(variables), replace(variables, tenant="moved"))
    assert only(plan).why == "value is t, not moved"


def test_an_application_of_ours_is_restored() -> None:
    world = set_up()
    world._delete(world.resources[APP])
    plan = plan_of(world)
    restored = next(c for c in plan.shown if c.key == APP)
    assert (restored.verb, restored.why) == ("restore", "it was deleted, and Entra still keeps it")
    assert not [c for c in plan.changes if isinstance(c.resource, EnvironmentSecret | EnvironmentMark)]


def test_a_purged_application_is_made_anew_and_its_client_id_written() -> None:
    world = set_up()
    world._delete(world.resources[APP])
    world.deleted.clear()
    assert [c.verb for c in plan_of(world).shown if c.key in {APP, SECRET}] == ["create", "update"]


def test_what_goes_with_its_parent_is_not_deleted_on_its_own() -> None:
    plan = diff(set_up().state(), State())
    kinds = {change.key.kind for change in plan.changes}
    assert kinds == {"application", "github environment", "role assignment", "workflow file"}
    whys = {change.key.kind: change.why for change in plan.changes}
    assert whys["role assignment"] == "the file no longer asks for this grant"
    assert whys["application"] == "the file no longer asks for it"


def test_from_an_adopted_environment_only_what_is_ours_goes() -> None:
    world = World()
    world.put(GitHubEnvironment(name="dev"), EnvironmentSecret(environment="dev", name="X", content="x"))
    carry_out(world, diff(world.state(), wanted_of(CONFIG, FACTS)), FACTS)
    plan = diff(world.state(), State(), ["github"])
    gone = {change.key.name for change in plan.changes}
    assert ENVIRONMENT.name not in gone
    assert "dev/X" not in gone
    assert {"dev/TRUSTSMITH", SECRET.name} <= gone


def test_an_environment_of_ours_that_holds_what_is_not_ours_stays() -> None:
    world = set_up()
    world.put(EnvironmentSecret(environment="dev", name="THEIRS", content="x"))
    assert ENVIRONMENT not in [change.key for change in diff(world.state(), State()).changes]


FUTURE = "repo:contoso@1/agents@1001"
MOVED = facts_of(CONFIG, prefix="repo:contoso@1/renamed@1001")


def test_a_moved_repository_gets_new_trust_and_keeps_the_old_until_the_new_is_proven() -> None:
    world = set_up()
    wanted = wanted_of(CONFIG, MOVED)
    plan = diff(world.state(), wanted)
    (new,), (old,) = plan.shown, plan.strays
    assert (new.verb, old.verb) == ("create", "delete")
    assert "trustsmith verify --run" in old.why
    assert waits_for_proof(world.state(), wanted)
    assert not waits_for_proof(world.state(), wanted_of(CONFIG, FACTS))


def proven(live: State, *resources: Resource) -> State:
    """The state after a job has used these credentials."""
    trust = {
        (live.known(Later(APP, "client_id")) or "", r.issuer, r.subject, r.audience)
        for r in resources
        if isinstance(r, FederatedCredential)
    }
    return replace(live, proven=frozenset(trust))


def test_a_proven_credential_ends_the_one_that_it_replaces() -> None:
    world = set_up()
    wanted = wanted_of(CONFIG, MOVED)
    assert diff(proven(world.state(), *wanted.values()), wanted).strays, (
        "it worked once, and is not there now"
    )
    carry_out(world, diff(world.state(), wanted), MOVED)
    live = world.state()
    seen = proven(live, *wanted.values())
    (old,) = diff(seen, wanted).shown
    assert old.why == "the file no longer asks for trust in repo:contoso@1/agents@1001:environment:dev"
    assert not waits_for_proof(seen, wanted)
    of_another = {("another client", *trust[1:]) for trust in seen.proven}
    assert diff(replace(live, proven=frozenset(of_another)), wanted).strays
    assert diff(proven(live, *(r for r in live.values() if r not in wanted.values())), wanted).strays


def test_that_the_old_audience_works_proves_nothing_of_the_new_one() -> None:
    world = set_up()
    facts = replace(FACTS, audience="api://AzureADTokenExchangeUSGov")
    wanted, before = wanted_of(CONFIG, facts), world.state()
    carry_out(world, diff(before, wanted), facts)
    live = world.state()
    assert diff(proven(live, *before.values()), wanted).strays
    assert not diff(proven(live, *wanted.values()), wanted).strays


def test_a_credential_that_nothing_replaces_goes_without_proof() -> None:
    test = Environment(name="test", projects=(project("dev"),))
    shared = replace(CONFIG, environments=(DEV, test), identity=Identity(per="repository"))
    plan = plan_of(set_up(shared), replace(shared, environments=(DEV,)))
    gone = [c.resource for c in plan.shown if isinstance(c.resource, FederatedCredential)]
    assert [credential.environment for credential in gone] == ["test"]
    assert not plan.strays


def test_ids_in_subjects_come_when_what_they_lead_to_is_trusted_for_a_while() -> None:
    legacy = replace(facts_of(CONFIG).repository.template, prefix="repo:contoso/agents", future=FUTURE)
    facts = replace(facts_of(CONFIG), repository=replace(facts_of(CONFIG).repository, template=legacy))
    config = replace(CONFIG, immutable_subjects=True)
    world = set_up(facts=facts)
    world.put(SubjectSetting(repository="contoso/agents", immutable=False))
    first = diff(world.state(), wanted_of(config, facts))
    assert [(c.verb, c.resource.key.kind) for c in first.shown] == [("create", FederatedCredential.kind)]
    assert first.shown[0].resource.title == f"dev trusts {FUTURE}:environment:dev"
    (waiting,) = first.waiting
    assert waiting.key == SubjectSetting(repository="contoso/agents", immutable=True).key
    assert "run trustsmith apply again in ten minutes" in waiting.reason
    carry_out(world, first, facts)
    second = diff(world.state(), wanted_of(config, facts))
    assert [(c.verb, c.resource.key.kind) for c in second.shown] == [("update", SubjectSetting.kind)]
    assert not second.waiting
    assert not diff(world.state(), wanted_of(CONFIG, facts)).clean, "credentials that nobody asked for"


def test_after_a_change_of_store_the_old_ids_are_left_until_named() -> None:
    plan = plan_of(set_up(), replace(CONFIG, store="variables"))
    mark, *ids = plan.shown
    assert (mark.verb, mark.why) == ("update", "it announces the ids before they are written")
    assert {change.verb for change in ids} == {"create"}
    assert {type(stray.resource) for stray in plan.strays} == {EnvironmentSecret}
    assert all("once the new ones are pushed" in stray.why for stray in plan.strays)
    assert {type(change.resource) for change in ids} == {EnvironmentVariable}


def test_strays_are_seen_by_those_whose_side_they_are_on() -> None:
    world = set_up()
    world.put(foreign_credential(APP.name))
    assert [s.key.name for s in plan_of(world).strays] == [f"{APP.name}/added-by-hand"]
    assert plan_of(world, CONFIG, "entra").strays
    assert not plan_of(world, CONFIG, "azure").strays


@pytest.mark.parametrize(
    ("side", "key", "whose"),
    [
        ("azure", None, "`trustsmith apply --only entra`"),
        ("entra", None, "`trustsmith apply --only github`"),
        ("github", SECRET, "`trustsmith apply --only entra`"),
    ],
)
def test_what_waits_says_whom_it_waits_for(side: Side, key: Key | None, whose: str) -> None:
    plan = plan_of(World(), CONFIG, side)
    assert {change.side for change in plan.changes} <= {side}
    (entry,) = [w for w in plan.waiting if key is None or w.key == key]
    assert whose in entry.reason
    assert entry.key not in [change.key for change in plan.changes]


def test_what_needs_what_waits_waits_too() -> None:
    """Without an environment there is no mark, and without a mark no ids."""
    blind = plan_of(World(), CONFIG, "github", azure="no right")
    assert {w.key.name for w in blind.waiting} == {SECRET.name}
    wanted = {k: r for k, r in wanted_of(CONFIG, FACTS).items() if k.kind != "github environment"}
    plan = diff(State(), State(wanted), ["github"])
    assert plan.changes == ()
    assert {w.key.kind for w in plan.waiting} == {"environment mark", "environment secret"}


def test_an_unread_side_is_left_alone_and_is_why_others_wait() -> None:
    plan = plan_of(set_up(), CONFIG, "azure", entra="You may not read applications.")
    assert plan.changes == ()
    blank = diff(State({}, {}, {"entra": "You may not read."}), wanted_of(CONFIG, FACTS), ["azure"])
    assert blank.changes == ()
    assert "could not be looked at (You may not read.)" in blank.waiting[0].reason


def test_an_endpoint_that_nobody_can_read_waits_for_who_can() -> None:
    facts = facts_of(CONFIG, endpoints=False)
    plan = diff(State({}, {}, {"azure": "no right"}), wanted_of(CONFIG, facts), ["github"])
    reasons = {w.key.name: w.reason for w in plan.waiting}
    assert "could not be looked at (no right)" in reasons["dev/AZURE_AI_PROJECT_ENDPOINT"]


def test_a_credential_waits_until_its_environment_is_protected() -> None:
    guarded = replace(CONFIG, environments=(replace(DEV, protection=Protection(wait_minutes=10)),))
    world = World()
    world.put(GitHubEnvironment(name="dev", wait_minutes=0))
    plan = plan_of(world, guarded, "entra")
    assert [w.key.kind for w in plan.waiting] == ["federated credential"]
    assert "--only github" in plan.waiting[0].reason


def test_no_environment_goes_while_a_credential_still_trusts_it() -> None:
    world = set_up()
    alone = diff(world.state(), State(), ["github"])
    assert ENVIRONMENT not in [change.key for change in alone.changes]
    assert "still trusts it; it waits until" in next(w.reason for w in alone.waiting if w.key == ENVIRONMENT)
    blind = diff(world.state({"entra": "no sign-in"}), State(), ["github"])
    assert [w.reason for w in blind.waiting] == ["who trusts it could not be looked at (no sign-in)"]
    carry_out(world, diff(world.state(), State(), ["entra"]), FACTS)
    after = diff(world.state(), State(), ["github"])
    assert ENVIRONMENT in [change.key for change in after.changes]
    assert after.waiting == ()


def test_together_the_credential_goes_first_and_grants_before_their_identity() -> None:
    plan = diff(set_up().state(), State())
    by_kind = {change.key.kind: change for change in plan.changes}
    assert by_kind["application"] in plan.order[by_kind["github environment"]]
    assert by_kind["role assignment"] in plan.order[by_kind["application"]]


def test_what_is_equal_but_for_ids_of_the_service_is_equal() -> None:
    world = set_up()
    live = world.state()
    assert {type(r) for r in live.values()} >= {Application, ServicePrincipal, FederatedCredential}
    wanted = {k: replace(r, minted={}) for k, r in live.items()}
    assert diff(live, State(wanted)).clean


def test_a_file_of_ours_that_is_no_longer_wanted_goes() -> None:
    world = set_up()
    old = workflow("old\n", path=".github/workflows/old.yml")
    world.put(old)
    assert (only(plan_of(world)).verb, only(plan_of(world)).key) == ("delete", old.key)
