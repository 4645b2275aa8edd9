"""The observer: what is wanted for it, where it may read, and what doctor says about it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.golden.cases import SITE
from tests.property.worlds import facts_of, project, wanted_of
from trustsmith import configfile
from trustsmith.desire import desire
from trustsmith.diff import diff
from trustsmith.doctor import examine
from trustsmith.doctor.evidence import Evidence, Made
from trustsmith.doctor.observer import how_to_give, lacking
from trustsmith.doctor.registering import consents
from trustsmith.errors import ConfigError, NotAllowed, UsageError
from trustsmith.hazards import judge
from trustsmith.model.config import Config, Environment, Grant, Identity, Observer, Protection, Reviewer
from trustsmith.model.environments import EnvironmentSecret, EnvironmentVariable, GitHubEnvironment
from trustsmith.model.foundry import READER, ROLES, is_account
from trustsmith.model.observing import everywhere, is_seen, observing, readable
from trustsmith.model.resource import Key
from trustsmith.model.resources import Application, GraphPermission, RoleAssignment, ServicePrincipal
from trustsmith.model.state import State
from trustsmith.render import render

if TYPE_CHECKING:
    from trustsmith.model.resource import Resource

DEV, PROD = project("dev"), project("prod")
REGISTRY = (
    f"{DEV.subscription_scope}/resourceGroups/shared/providers/Microsoft.ContainerRegistry/registries/r"
)
NAME = "trustsmith-github.com-1001-observer"
CONFIG = Config(
    repository="contoso/agents",
    tenant="tenant",
    environments=(Environment(name="dev", projects=(DEV,)), Environment(name="prod", projects=(PROD,))),
    observer=Observer(),
)
PERMISSION = Key("graph permission", f"{NAME}/Application.Read.All")


def granting(*scopes: str, reach: Any = "accounts") -> Config:
    grants = tuple(Grant(role=ROLES[6].guid, scope=scope, because="pushes") for scope in scopes)
    first = replace(CONFIG.environments[0], grants=grants)
    return replace(CONFIG, environments=(first, CONFIG.environments[1]), observer=Observer(reach=reach))


def wanted(config: Config) -> State:
    return desire(config, facts_of(config), [])


# -- what is wanted -------------------------------------------------------------------------------------------------


def test_without_the_section_nothing_is_wanted() -> None:
    config = replace(CONFIG, observer=None)
    assert observing(config) is None
    assert everywhere(config) == config.environments
    assert not [r for r in wanted(config).values() if isinstance(r, GraphPermission)]


@pytest.mark.parametrize("per", ["environment", "repository"])
def test_it_has_an_identity_of_its_own_and_may_read(per: Any) -> None:
    config = replace(CONFIG, identity=Identity(per=per))
    state = wanted(config)
    assert Key("application", NAME) in state
    assert PERMISSION in state
    roles = [r for r in state.values() if isinstance(r, RoleAssignment) and r.identity == NAME]
    assert {(r.role, r.scope) for r in roles} == {
        (READER.guid, DEV.account_scope),
        (READER.guid, PROD.account_scope),
    }
    others = {r.unique_name for r in state.values() if isinstance(r, Application)} - {NAME}
    assert len(others) == (2 if per == "environment" else 1)


def test_only_the_default_branch_gets_in() -> None:
    environment = wanted(CONFIG)[Key("github environment", "observer")]
    assert isinstance(environment, GitHubEnvironment)
    assert environment.rules == "from main"
    assert environment.reviewers is None


@pytest.mark.parametrize(
    ("store", "kind"), [("secrets", EnvironmentSecret), ("variables", EnvironmentVariable)]
)
def test_its_ids_are_those_to_sign_in_with_and_no_more(store: Any, kind: type[Resource]) -> None:
    state = wanted(replace(CONFIG, store=store))
    names = {r.key.name for r in state.values() if isinstance(r, kind)}
    own = {name.partition("/")[2] for name in names if name.startswith("observer/")}
    assert own == {"AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID"}


def test_an_application_of_ones_own_is_used() -> None:
    client = "99999999-0000-0000-0000-000000000001"
    state = wanted(replace(CONFIG, observer=Observer(client_id=client)))
    assert Key("application", NAME) not in state
    assert Key("graph permission", f"{client}/Application.Read.All") in state


# -- where it may read ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("config", "places"),
    [
        (CONFIG, [DEV.account_scope, PROD.account_scope]),
        (granting(REGISTRY), [DEV.account_scope, PROD.account_scope, REGISTRY]),
        (granting(DEV.group_scope), [DEV.account_scope, PROD.account_scope]),
        (granting(f"{DEV.id}/agents/a"), [DEV.account_scope, PROD.account_scope]),
        (granting(REGISTRY, reach="subscriptions"), [DEV.subscription_scope]),
    ],
)
def test_where_it_may_read(config: Config, places: list[str]) -> None:
    assert readable(config) == sorted(places, key=str.lower)


@pytest.mark.parametrize(
    ("scope", "place", "seen"),
    [
        ("/subscriptions/S/resourceGroups/g", "/subscriptions/s/resourcegroups/G/providers/x", True),
        ("/subscriptions/s/resourceGroups/g/providers/x", "/subscriptions/s", True),
        ("/subscriptions/s/resourceGroups/g", "/subscriptions/s/resourceGroups/g2", False),
        ("/subscriptions/s/", "/subscriptions/s", True),
    ],
)
def test_what_is_seen_from_where(scope: str, place: str, *, seen: bool) -> None:
    assert is_seen(scope, [place]) is seen


def test_an_account_is_told_from_what_is_around_it() -> None:
    assert is_account(DEV.account_scope.upper().replace("SUBSCRIPTIONS", "subscriptions") + "/")
    assert not any(map(is_account, (DEV.id, DEV.group_scope, REGISTRY)))


# -- what is dangerous, and who may -----------------------------------------------------------------------------------


def test_reading_the_tenant_takes_a_word_and_reading_accounts_does_not() -> None:
    plan = judge(diff(State(), wanted_of(CONFIG, facts_of(CONFIG))), State())
    assert [hazard.id for hazard in plan.hazards] == [f"graph-permission={NAME}"]
    wide = replace(CONFIG, observer=Observer(reach="subscriptions"))
    plan = judge(diff(State(), wanted_of(wide, facts_of(wide))), State())
    assert f"grant=reader@{DEV.subscription_scope}#{NAME}" in {hazard.id for hazard in plan.hazards}


def test_what_the_caller_may_not_give_waits_and_holds_nothing_up() -> None:
    state = wanted_of(CONFIG, facts_of(CONFIG))
    plan = diff(State(beyond={PERMISSION: "an administrator has to"}), state)
    assert [(entry.key, entry.reason) for entry in plan.waiting] == [(PERMISSION, "an administrator has to")]
    assert {change.key for change in plan.shown} == state.keys() - {PERMISSION}


def test_another_permission_on_it_is_a_stray_and_goes_with_its_application() -> None:
    extra = GraphPermission(identity=NAME, permission="Directory.ReadWrite.All", principal="p")
    state = wanted_of(CONFIG, facts_of(CONFIG))
    app = Application(unique_name=NAME, display_name="x", tags=frozenset())
    principal = ServicePrincipal(identity=NAME, client_id="c")
    live = State.of([app, principal, extra])
    assert [stray.key for stray in diff(live, state).strays] == [extra.key]
    assert diff(live, State()).strays == ()


@pytest.mark.parametrize(
    ("claims", "roles", "may"),
    [
        ({"idtyp": "app", "roles": ["AppRoleAssignment.ReadWrite.All"]}, [], True),
        ({"idtyp": "app", "roles": ["Application.ReadWrite.All"]}, [], False),
        ({"idtyp": "user"}, ["e8611ab8-c189-46e8-94e1-60213ab1f814"], True),
        ({"idtyp": "user", "wids": ["62e90394-69f5-4237-9190-012177145e10"]}, [], True),
        ({"idtyp": "user"}, ["9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"], False),
    ],
)
def test_who_may_consent(claims: dict[str, Any], roles: list[str], *, may: bool) -> None:
    assert consents(claims, [{"roleTemplateId": role} for role in roles]) is may


# -- doctor -----------------------------------------------------------------------------------------------------------


def found(check: str, *live: Resource, config: Config = CONFIG, **made: Any) -> list[tuple[str, str]]:
    state = wanted(config)
    parts = {"wanted": state, "live": State.of(live), "plan": diff(State(), state), **made}
    evidence = Evidence(config=config, made=Made(**parts))
    return [(f.verdict, f"{f.why} {f.next}") for f in examine(evidence, only={check})]


def token(name: str = "TRUSTSMITH_GITHUB_TOKEN") -> EnvironmentSecret:
    return EnvironmentSecret(environment="observer", name=name, content="unknown", owned=False)


def test_doctor_says_who_has_to_consent_and_what_they_type() -> None:
    ((verdict, said),) = found("observer-permission")
    assert verdict == "fail"
    assert f"trustsmith apply --only entra --allow graph-permission={NAME}" in said
    given = GraphPermission(identity=NAME, permission="Application.Read.All", principal="p")
    assert [v for v, _ in found("observer-permission", given)] == ["pass"]
    assert found("observer-permission", config=replace(CONFIG, observer=None)) == []
    assert found("observer-permission", failed={"entra": NotAllowed("no", service="graph")}) == []


def test_doctor_says_how_the_token_gets_there() -> None:
    ((verdict, said),) = found("observer-token")
    assert verdict == "fail"
    assert "gh secret set TRUSTSMITH_GITHUB_TOKEN --repo contoso/agents --env observer" in said
    assert [v for v, _ in found("observer-token", token())] == ["pass"]
    assert [v for v, _ in found("observer-token", failed={"github": NotAllowed("no", service="github")})] == [
        "unknown"
    ]
    assert found("observer-token", config=replace(CONFIG, observer=None)) == []


def test_an_app_has_an_id_and_a_key() -> None:
    observer = Observer(github="app", environment="look out")
    names = lacking(observer, State())
    assert names == ["TRUSTSMITH_GITHUB_APP_CLIENT_ID", "TRUSTSMITH_GITHUB_APP_KEY"]
    said = how_to_give(replace(CONFIG, github="octo.ghe.com"), observer, names)
    assert (
        "gh variable set TRUSTSMITH_GITHUB_APP_CLIENT_ID --repo octo.ghe.com/contoso/agents --env 'look out'"
        in said
    )
    assert "< private-key.pem" in said
    there = EnvironmentVariable(
        environment="look out", name="TRUSTSMITH_GITHUB_APP_CLIENT_ID", value="1", owned=False
    )
    assert lacking(observer, State.of([there])) == ["TRUSTSMITH_GITHUB_APP_KEY"]


def test_members_are_needed_only_for_teams() -> None:
    reviewed = Protection(reviewers=(Reviewer(kind="team", name="platform"),))
    teams = replace(CONFIG, environments=(replace(CONFIG.environments[0], protection=reviewed),))
    names = ["TRUSTSMITH_GITHUB_TOKEN"]
    assert "Members" in how_to_give(teams, Observer(), names)
    assert "Members" not in how_to_give(CONFIG, Observer(), names)


# -- the file ---------------------------------------------------------------------------------------------------------

FILE = f"""\
version: 1
repository: contoso/agents
tenant: 11111111-1111-1111-1111-111111111111
environments:
  dev:
    project: {DEV.id}
    client_id: 99999999-0000-0000-0000-000000000001
observer: """


@pytest.mark.parametrize(
    ("section", "observer"),
    [
        ("{}", Observer()),
        ("null", None),
        (
            "{environment: look, github: app, reach: subscriptions}",
            Observer(environment="look", github="app", reach="subscriptions"),
        ),
    ],
)
def test_the_section_is_read_and_written(section: str, observer: Observer | None) -> None:
    config = configfile.load(FILE + section, "t.yml").config
    assert config.observer == observer
    assert configfile.load(configfile.new(config), "t.yml").config == config
    changed = replace(config, observer=Observer(github="app"))
    assert configfile.load(configfile.update(FILE + section, changed, "t.yml"), "t.yml").config == changed


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("{environment: DEV}", "8:11: The observer's environment is called 'DEV', as one that deploys."),
        ("{client_id: 99999999-0000-0000-0000-000000000001}", "8:11: The observer has the 'client_id' of"),
        ("{github: pat}", "8:20:"),
        ("{token: x}", "8:12: Unknown key 'token'."),
        ("[]", "8:11: 'observer' must be a mapping"),
        ("{environment: ' x'}", "8:25:"),
    ],
)
def test_what_is_wrong_with_the_section(section: str, said: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        configfile.load(FILE + section, "t.yml")
    assert any(str(problem).startswith(f"t.yml:{said}") for problem in wrong.value.problems)


def test_who_has_an_observer_has_a_workflow_that_looks() -> None:
    with_it, without = (configfile.load(FILE + section, "t.yml").config for section in ("{}", "null"))
    assert [workflow.name for workflow in without.workflows] == ["deploy", "check-trust"]
    *others, looking = with_it.workflows
    assert tuple(others) == without.workflows
    assert (looking.path, looking.environments) == (".github/workflows/check-drift.yml", ())
    assert "workflows" not in configfile.new(with_it)
    own = FILE + "{}\nworkflows:\n  look: {template: check-drift, with: {cron: 5 6 * * *}}\n"
    config = configfile.load(own, "t.yml").config
    assert configfile.load(configfile.new(config), "t.yml").config == config
    assert configfile.update(own, config, "t.yml") == own


@pytest.mark.parametrize(
    ("rest", "said"),
    [
        (
            "null\nworkflows: {a: {template: check-drift}}",
            "Workflow 'a' is the observer's, and the file has none.",
        ),
        ("{}\nworkflows: {check-drift: {template: check-drift, environments: [dev]}}", "in no other."),
    ],
)
def test_only_the_observer_looks(rest: str, said: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        configfile.load(FILE + rest, "t.yml")
    assert [said in str(problem) for problem in wrong.value.problems] == [True]


def test_no_workflow_that_looks_is_rendered_without_an_observer() -> None:
    (*_, looking) = configfile.load(FILE + "{}", "t.yml").config.workflows
    with pytest.raises(UsageError, match="Workflow 'check-drift' is the observer's"):
        render(replace(CONFIG, observer=None, workflows=(looking,)), SITE)


def test_not_all_repositories_look_at_once_and_none_at_the_full_hour() -> None:
    def minute(repository: str) -> int:
        config = configfile.load(FILE.replace("contoso/agents", repository) + "{}", "t.yml").config
        (looking,) = render(replace(config, workflows=config.workflows[-1:]), SITE)
        (line,) = [line for line in looking.text.splitlines() if "- cron:" in line]
        return int(line.partition('"')[2].removesuffix(' 5 * * *"'))

    found = [minute(f"contoso/r{number}") for number in range(30)]
    assert 1 <= min(found) <= max(found) <= 59
    assert len(set(found)) > 15
    assert minute("Contoso/R7") == found[7]
