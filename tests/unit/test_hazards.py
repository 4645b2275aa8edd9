"""Each danger, with what raises it and a near miss that does not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.property.worlds import (
    World,
    carry_out,
    facts_of,
    foreign_credential,
    project,
    wanted_of,
    with_external,
    workflow,
)
from trustsmith.diff import diff
from trustsmith.hazards import MOST_CREDENTIALS, judge
from trustsmith.model.config import Config, Environment, Grant, Identity
from trustsmith.model.environments import (
    EnvironmentSecret,
    EnvironmentVariable,
    GitHubEnvironment,
    SubjectSetting,
)
from trustsmith.model.foundry import ROLES
from trustsmith.model.plan import Change, Plan
from trustsmith.model.resource import Key
from trustsmith.model.resources import (
    Application,
    ClientSecret,
    FederatedCredential,
    RoleAssignment,
    ServicePrincipal,
    WorkflowFile,
)
from trustsmith.model.state import State
from trustsmith.model.subject import Template
from trustsmith.regenerate import Regenerated

if TYPE_CHECKING:
    from trustsmith.model.plan import Hazard
    from trustsmith.regenerate import Outcome

DEV = Environment(name="dev", projects=(project("dev"),))
PROD = Environment(name="prod", projects=(project("prod"),))
BOTH = Config(repository="contoso/agents", tenant="t", environments=(DEV, PROD))
SHARED = replace(BOTH, identity=Identity(per="repository"))
FACTS = facts_of(BOTH)
APP = "trustsmith-github.com-1001-dev"
SHARED_APP = "trustsmith-github.com-1001"


def set_up(config: Config = BOTH) -> World:
    world = with_external(config)
    carry_out(world, diff(world.state(), wanted_of(config, FACTS)), FACTS)
    return world


def plan_of(world: World, config: Config = BOTH, *allow: str) -> Plan:
    live = world.state()
    return judge(diff(live, wanted_of(config, FACTS)), live, allow)


def ids(plan: Plan) -> list[str]:
    return sorted(hazard.id for hazard in plan.hazards)


def only(plan: Plan) -> Hazard:
    (hazard,) = plan.hazards
    return hazard


def test_an_ordinary_set_up_and_doing_nothing_are_safe() -> None:
    assert plan_of(World()).hazards == ()
    assert plan_of(set_up()).hazards == ()


def test_an_environment_that_is_no_longer_wanted_takes_its_application_along() -> None:
    world = set_up()
    plan = plan_of(world, replace(BOTH, environments=(PROD,)))
    assert ids(plan) == [f"delete-application={APP}", "delete-environment=dev"]
    why = next(h.why for h in plan.hazards if h.id.startswith("delete-application"))
    assert "repo:contoso@1/agents@1001:environment:dev" in why
    assert len(plan.blocked) == 2


def test_an_application_that_trusts_nobody_still_has_to_be_named() -> None:
    world = set_up()
    for key in [k for k, r in world.resources.items() if isinstance(r, FederatedCredential)]:
        del world.resources[key]
    plan = plan_of(world, replace(BOTH, environments=(PROD,)))
    assert "its trust in nothing" in next(h.why for h in plan.hazards if APP in h.id)


def test_an_adopted_environment_stays_and_is_no_hazard() -> None:
    world = World()
    world.put(GitHubEnvironment(name="dev", reviewers=frozenset(), wait_minutes=0, prevent_self_review=False))
    carry_out(world, diff(world.state(), wanted_of(BOTH, FACTS)), FACTS)
    plan = plan_of(world, replace(BOTH, environments=(PROD,)))
    assert ids(plan) == [f"delete-application={APP}"]
    assert Key("github environment", "dev") not in [change.key for change in plan.changes]


@pytest.mark.parametrize("name", ["AZURE_CLIENT_ID", "AZURE_TENANT_ID"])
def test_a_secret_that_is_not_ours_is_not_overwritten(name: str) -> None:
    world = World()
    world.put(
        GitHubEnvironment(name="dev"), EnvironmentSecret(environment="dev", name=name, content="theirs")
    )
    assert only(plan_of(world)).id == f"overwrite=dev/{name}"


def test_a_variable_that_is_not_ours_is_not_overwritten() -> None:
    variables = replace(BOTH, store="variables")
    world = World()
    tenant = EnvironmentVariable(environment="dev", name="AZURE_TENANT_ID", value="theirs")
    world.put(GitHubEnvironment(name="dev"), tenant)
    assert only(plan_of(world, variables)).id == "overwrite=dev/AZURE_TENANT_ID"
    world.put(replace(tenant, value="t"))
    assert plan_of(world, variables).hazards == ()


def test_a_secret_of_ours_that_somebody_wrote_since_is_healed() -> None:
    world = set_up()
    world.vouched.clear()
    plan = plan_of(world)
    assert plan.hazards == ()
    assert {c.verb for c in plan.shown} == {"update"}


def test_an_edited_file_is_not_overwritten() -> None:
    world = set_up()
    file = workflow("edited\n", owned=False)
    world.put(file)
    hazard = only(plan_of(world))
    assert hazard.id == f"overwrite={file.path}"
    assert "trustsmith render" in hazard.why
    world.put(replace(file, owned=True))
    assert plan_of(world).hazards == ()


@pytest.mark.parametrize("outcome", ["merged", "adopted", "overwritten", "conflict"])
def test_only_a_file_that_would_lose_something_is_a_hazard(outcome: Outcome) -> None:
    world = set_up()
    fate = Regenerated(outcome=outcome, text="new\n", why="it clashes" if outcome == "conflict" else "")
    world.put(replace(workflow("edited\n", owned=False), fate=fate))
    plan = plan_of(world)
    assert [change.after.text for change in plan.shown if isinstance(change.after, WorkflowFile)] == ["new\n"]
    losing = outcome in {"overwritten", "conflict"}
    assert [hazard.id for hazard in plan.hazards] == ["overwrite=.github/workflows/deploy.yml"] * losing
    assert plan_of(world, BOTH, *(hazard.id for hazard in plan.hazards)).blocked == ()


def test_a_file_that_is_not_asked_for_goes_if_nobody_wrote_into_it() -> None:
    world = set_up()
    ours, edited = (replace(workflow("x\n", path=f".github/workflows/{n}.yml"), base="1") for n in "ab")
    world.put(ours)
    world.put(replace(edited, owned=False))
    plan = plan_of(world)
    assert [(change.verb, change.key) for change in plan.shown] == [("delete", ours.key)]
    assert [stray.key for stray in plan.strays] == [edited.key]
    named = plan_of(world, BOTH, f"remove={edited.path}")
    assert {change.key for change in named.shown} == {ours.key, edited.key}
    assert named.hazards == ()


def test_a_file_of_somebody_else_is_never_deleted() -> None:
    world = set_up()
    world.put(workflow("theirs\n", owned=False, path=".github/workflows/ci.yml"))
    assert plan_of(world).clean


def test_the_last_credential_of_an_identity_that_stays() -> None:
    world = set_up()
    credentials = {k for k, r in world.resources.items() if isinstance(r, FederatedCredential)}
    wanted = {k: r for k, r in wanted_of(BOTH, FACTS).items() if k not in credentials}
    live = world.state()
    plan = judge(diff(live, State(wanted)), live)
    assert ids(plan) == [f"last-credential={APP}", "last-credential=trustsmith-github.com-1001-prod"]


def test_one_of_two_credentials_is_not_the_last() -> None:
    world = set_up(SHARED)
    plan = plan_of(world, replace(SHARED, environments=(PROD,)))
    assert ids(plan) == ["delete-environment=dev"]


def test_a_credential_whose_replacement_comes_first_is_not_the_last() -> None:
    world = set_up()
    moved = facts_of(BOTH, prefix="repo:contoso@1/renamed@1001")
    live = world.state()
    unproven = diff(live, wanted_of(BOTH, moved))
    assert judge(unproven, live).hazards == ()
    named = [f"remove={stray.key.name}" for stray in unproven.strays]
    plan = judge(unproven, live, named)
    assert [c.verb for c in plan.shown if isinstance(c.resource, FederatedCredential)].count("delete") == 2
    assert plan.hazards == ()


def test_trust_in_a_subject_of_all_of_an_owner_s_repositories_needs_a_word() -> None:
    template = Template(
        prefix="repo:contoso/agents",
        keys=("repository_owner", "context"),
        values={"repository_owner": "contoso"},
    )
    facts = replace(FACTS, repository=replace(FACTS.repository, template=template))
    found = judge(diff(State(), wanted_of(BOTH, facts)), State()).hazards
    assert [hazard.id for hazard in found] == ["shared-subject=dev", "shared-subject=prod"]
    assert all(hazard.allowable for hazard in found)


def test_an_opt_in_that_changes_all_of_a_repository_s_subjects_needs_a_word() -> None:
    setting = SubjectSetting(repository="o/n", immutable=True)
    change = Change("update", replace(setting, immutable=False), setting, "")
    (hazard,) = judge(Plan((change,)), State()).hazards
    assert (hazard.id, hazard.allowed) == ("immutable-subjects=o/n", False)
    assert judge(Plan((change,)), State(), [hazard.id]).blocked == ()


def grant(scope: str) -> Config:
    granted = Grant(role=ROLES[2].guid, scope=scope, because="deploys models")
    return replace(BOTH, environments=(replace(DEV, grants=(granted,)), PROD))


@pytest.mark.parametrize(
    ("scope", "full"),
    [
        ("account", project("dev").account_scope),
        ("resource-group", project("dev").group_scope),
        (project("x").subscription_scope, project("x").subscription_scope),
    ],
)
def test_a_grant_above_a_project(scope: str, full: str) -> None:
    hazard = only(plan_of(set_up(), grant(scope)))
    assert hazard.id == f"grant=foundry-account-owner@{full}#{APP}"
    assert "deploys models" in hazard.why
    assert APP in hazard.why


def test_a_grant_at_a_project_and_one_that_is_there_are_none() -> None:
    assert plan_of(set_up(), grant("project")).hazards == ()
    assert plan_of(set_up(grant("account")), grant("account")).hazards == ()


def test_two_grants_are_two_words() -> None:
    scopes = [project("a").group_scope, project("a").group_scope.replace("aaaaaaaa", "bbbbbbbb")]
    grants = tuple(Grant(role=ROLES[2].guid, scope=scope, because="x") for scope in scopes)
    plan = plan_of(World(), replace(BOTH, environments=(replace(DEV, grants=grants),)))
    assert len(plan.hazards) == 2
    assert len({hazard.id for hazard in plan.hazards}) == 2


def test_a_disabled_principal_is_enabled_only_by_name() -> None:
    world = set_up()
    key = ServicePrincipal(identity=APP, client_id="").key
    principal = world.resources[key]
    assert isinstance(principal, ServicePrincipal)
    world.put(replace(principal, enabled=False))
    assert only(plan_of(world)).id == f"enable={APP}"
    allowed = plan_of(world, BOTH, f"enable={APP}")
    assert allowed.blocked == ()
    assert only(allowed).allowed
    world.put(replace(principal, client_id="other"))
    assert plan_of(world).hazards == ()


def foreign(name: str = APP) -> Application:
    return Application(
        unique_name=name,
        display_name="theirs",
        tags=frozenset(),
        minted={"object_id": "o", "client_id": "foreign-client"},
        owned=False,
    )


@pytest.mark.parametrize("deleted", [False, True])
def test_a_foreign_application_with_our_name_is_never_taken(deleted: bool) -> None:  # noqa: FBT001  a parameter
    world = World()
    if deleted:
        world.deleted[foreign().key] = foreign()
    else:
        world.put(foreign())
    plan = plan_of(world, BOTH, f"foreign-application={APP}")
    hazard = only(plan)
    assert hazard.id == f"foreign-application={APP}"
    assert ("deleted application" in hazard.why) == deleted
    assert plan.blocked == (hazard,)
    assert "az rest" in hazard.hint


@pytest.mark.parametrize("deleted", [False, True])
def test_the_ids_of_a_foreign_application_get_into_nothing(deleted: bool) -> None:  # noqa: FBT001  a parameter
    world = World()
    if deleted:
        world.deleted[foreign().key] = foreign()
    else:
        principal = ServicePrincipal(identity=APP, client_id="foreign-client", owned=False)
        world.put(foreign(), replace(principal, minted={"principal_id": "foreign-principal"}))
    for side in ("github", "azure"):
        plan = diff(world.state(), wanted_of(BOTH, FACTS), [side])
        assert "foreign-" not in str([vars(change.resource) for change in plan.changes])
        assert [w for w in plan.waiting if APP in w.reason or "dev" in w.key.name]


def test_an_application_of_ours_or_of_another_name_is_no_obstacle() -> None:
    world = set_up()
    app = world.resources[foreign().key]
    assert isinstance(app, Application)
    world.put(replace(app, display_name="renamed"))
    world.deleted[foreign("other").key] = foreign("other")
    assert plan_of(world).hazards == ()
    world._delete(world.resources[app.key])
    plan = plan_of(world)
    assert plan.hazards == ()
    assert "restore" in [change.verb for change in plan.changes]


@pytest.mark.parametrize(("there", "full"), [(MOST_CREDENTIALS - 1, True), (MOST_CREDENTIALS - 2, False)])
def test_twenty_credentials_are_all_that_an_application_takes(there: int, full: bool) -> None:  # noqa: FBT001  a parameter
    config = replace(SHARED, environments=(DEV,))
    world = set_up(config)
    client = world.resources[Key("application", SHARED_APP)].minted["client_id"]
    for number in range(there):
        world.put(replace(foreign_credential(SHARED_APP), name=f"theirs-{number}"))
    plan = plan_of(world, SHARED, f"full={SHARED_APP}")
    assert ids(plan) == [f"full={SHARED_APP}"] * full
    if full:
        assert plan.blocked
        assert f"--id {client}" in only(plan).hint


def test_a_new_application_has_room_and_is_named_by_its_name() -> None:
    many = tuple(Environment(name=f"e{n}", projects=(project("dev"),)) for n in range(MOST_CREDENTIALS + 1))
    plan = plan_of(World(), replace(SHARED, environments=many))
    assert only(plan).id == f"full={SHARED_APP}"
    assert f"--id {SHARED_APP}" in only(plan).hint
    assert plan_of(World(), replace(SHARED, environments=many[1:])).hazards == ()


def test_strays_are_taken_in_by_name_only() -> None:
    world = set_up()
    stray = foreign_credential(APP)
    role = RoleAssignment(identity=APP, role=ROLES[9].guid, scope=project("x").id, principal="p", owned=False)
    world.put(stray, role)
    plan = plan_of(world)
    assert (plan.changes, {s.key for s in plan.strays}, plan.clean) == ((), {stray.key, role.key}, False)
    named = plan_of(world, BOTH, f"remove={stray.key.name}")
    assert [c.key for c in named.changes] == [stray.key]
    assert [s.key for s in named.strays] == [role.key]
    assert (named.hazards, named.notes) == ((), ())


def test_a_word_that_matches_nothing_is_said() -> None:
    plan = plan_of(set_up(), BOTH, "enable=nobody", "remove=nothing")
    assert plan.notes == (
        "--allow enable=nobody matches nothing in this plan.",
        "--allow remove=nothing matches nothing in this plan.",
    )


@pytest.mark.parametrize(
    ("name", "minutes", "asked"), [("prod:eu", 10, True), ("prod:eu", 0, False), ("prod", 10, False)]
)
def test_a_protected_environment_with_a_colon(name: str, minutes: int, asked: bool) -> None:  # noqa: FBT001
    protection = replace(DEV.protection, wait_minutes=minutes)
    environment = replace(DEV, name=name, protection=protection)
    plan = plan_of(World(), replace(BOTH, environments=(environment,)))
    assert [h.id for h in plan.hazards] == ([f"ambiguous-subject={name}"] if asked else [])


def test_an_application_that_somebody_holds_a_secret_of_gets_nothing_unasked() -> None:
    held = ClientSecret(identity=APP, key_id="k", owned=False)
    assert not diff(State.of([held]), State.of([])).changes
    role = RoleAssignment(identity=APP, role=ROLES[1].guid, scope=project("dev").id, principal="p")
    plan = Plan((Change("create", None, role, "x"),), strays=(Change("delete", held, None, "x"),))
    assert [h.id for h in judge(plan, State()).hazards] == [f"client-secret={APP}"]
    assert not judge(replace(plan, strays=()), State()).hazards
    assert not judge(plan, State(), [f"remove={APP}/k"]).blocked
