"""Each kind: how it is called, what it needs, what it takes over from what is there, what it shows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.property.worlds import project as project_of
from tests.property.worlds import workflow
from trustsmith.diff import diff
from trustsmith.model.environments import (
    EnvironmentMark,
    EnvironmentSecret,
    EnvironmentVariable,
    GitHubEnvironment,
    Reviewer,
    SubjectSetting,
)
from trustsmith.model.foundry import PROJECT_MANAGER
from trustsmith.model.plan import Change
from trustsmith.model.resource import Key, Later, Resource, merged
from trustsmith.model.resources import (
    KINDS,
    Application,
    ClientSecret,
    FederatedCredential,
    GraphPermission,
    RoleAssignment,
    ServicePrincipal,
    StoredSecret,
)
from trustsmith.model.state import State
from trustsmith.systems import azure, entra, github, worktree
from trustsmith.ui import report

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

APP = Application(unique_name="app", display_name="App", tags=frozenset({"ours"}))
LATER = Later(APP.key, "client_id")
PRINCIPAL = ServicePrincipal(identity="app", client_id=LATER)
ENVIRONMENT = GitHubEnvironment(name="dev")
MARK = EnvironmentMark(environment="dev", ids={"AZURE_CLIENT_ID": LATER})
CREDENTIAL = FederatedCredential(
    identity="app",
    name="dev-1",
    issuer="https://issuer",
    subject="repo:o/n:environment:dev",
    audience="api://x",
    environment="dev",
    application=Later(APP.key, "object_id"),
)
HELD = ClientSecret(identity=APP.unique_name, key_id="k", hint="abc", expires="2027-01-01T00:00:00Z")
PERMISSION = GraphPermission(
    identity="app", permission="Application.Read.All", principal=Later(PRINCIPAL.key, "principal_id")
)
GRANT = RoleAssignment(
    identity="app",
    role=PROJECT_MANAGER.guid,
    scope=project_of("dev").id,
    principal=Later(PRINCIPAL.key, "principal_id"),
)
SECRET = EnvironmentSecret(environment="dev", name="AZURE_CLIENT_ID", content=LATER)
VARIABLE = EnvironmentVariable(environment="dev", name="AZURE_TENANT_ID", value="tenant")
STORED = StoredSecret(name="AZURE_CREDENTIALS", level="environment", environment="dev")
SETTING = SubjectSetting(repository="o/n", immutable=True)
FILE = workflow("jobs: {}\n")
ONE_OF_EACH: tuple[Resource, ...] = (
    APP,
    PRINCIPAL,
    ENVIRONMENT,
    MARK,
    CREDENTIAL,
    HELD,
    PERMISSION,
    GRANT,
    SECRET,
    VARIABLE,
    STORED,
    SETTING,
    FILE,
)


def joined(lines: Iterable[report.Line]) -> str:
    return "\n".join(line.text for line in lines)


def live(*resources: Resource) -> Mapping[Key, Resource]:
    return State.of(resources)


def test_every_kind_is_known_to_a_writer_the_plan_the_report_and_the_differ() -> None:
    assert tuple(map(type, ONE_OF_EACH)) == KINDS
    systems = {"entra": entra, "azure": azure, "github": github, "files": worktree}
    written = [(kind, side) for side, system in systems.items() for kind in system.KINDS]
    assert sorted(k.kind for k, _ in written) == sorted(kind.kind for kind in KINDS)
    assert all(kind.side == side for kind, side in written)
    wanted = State.of(ONE_OF_EACH)
    plan = diff(State(), wanted)
    assert {c.key.kind for c in plan.changes} == {kind.kind for kind in KINDS}
    text, table = joined(report.plan_lines(plan)), report.plan_markdown(plan, "o/n")
    for kind in KINDS:
        assert f"+ {kind.kind} " in text
        assert f"| create | {kind.kind} | " in table
        assert kind.kind in [change["kind"] for change in plan.as_json()["changes"]]
    gone = {c.key for c in diff(wanted, State()).changes}
    fall = {PRINCIPAL.key, CREDENTIAL.key, HELD.key, PERMISSION.key, MARK.key, SECRET.key, VARIABLE.key}
    assert gone == wanted.keys() - fall - {SETTING.key}


@pytest.mark.parametrize("resource", ONE_OF_EACH, ids=lambda r: r.kind)
def test_a_kind_shows_plain_values_and_has_a_name_and_a_title(resource: Resource) -> None:
    assert resource.key.kind == type(resource).kind
    assert resource.key.name in str(resource.key)
    assert resource.title
    assert all(
        isinstance(value, str | int | bool | list | None.__class__) for value in resource.shown().values()
    )
    assert hash(resource) == hash(replace(resource, owned=False))
    assert resource == replace(resource, minted={"x": "y"}, owned=False)


def test_what_each_needs() -> None:
    assert APP.needs == ENVIRONMENT.needs == FILE.needs == frozenset()
    assert PRINCIPAL.needs == {APP.key}
    assert CREDENTIAL.needs == {APP.key, ENVIRONMENT.key}
    assert GRANT.needs == {PRINCIPAL.key}
    assert MARK.needs == {ENVIRONMENT.key}
    assert SECRET.needs == {ENVIRONMENT.key, MARK.key, APP.key}
    assert VARIABLE.needs == {ENVIRONMENT.key, MARK.key}
    assert replace(SECRET, content="known").needs == {ENVIRONMENT.key, MARK.key}


def test_later_values_are_filled_where_they_are_known() -> None:
    known = {LATER: "client"}.get
    assert SECRET.fill(known).content == "client"
    assert GRANT.fill(known) == GRANT
    assert GRANT.fill(known).principal == GRANT.principal
    ids = {**MARK.ids, "AZURE_TENANT_ID": "t", "E": Later(Key("x", "y"), "z")}
    assert replace(MARK, ids=ids).fill(known).ids == {**ids, "AZURE_CLIENT_ID": "client"}
    assert str(LATER) == "(known after apply)"


@pytest.mark.parametrize(("wanted", "there", "found"), [(1, 2, 1), (None, 2, 2), (None, None, 3), (0, 2, 0)])
def test_merging(wanted: int | None, there: int | None, found: int) -> None:
    assert merged(wanted, there, 3) == found


def test_what_others_added_to_an_application_stays() -> None:
    there = replace(
        APP, tags=frozenset({"theirs"}), owners=frozenset({"ann"}), service_management_reference="42"
    )
    after = replace(APP, owners=frozenset({"bo"})).over(live(there))
    assert after.tags == {"ours", "theirs"}
    assert after.owners == {"ann", "bo"}
    assert after.service_management_reference == "42"
    assert (
        replace(APP, service_management_reference="7").over(live(there)).service_management_reference == "7"
    )
    assert APP.over(live()) is APP


def test_a_scope_is_spelled_as_arm_spells_it() -> None:
    upper = replace(GRANT, scope=GRANT.scope.upper())
    assert upper.key == GRANT.key
    assert upper.over(live(GRANT)) == GRANT
    assert upper.over(live()) is upper


def test_a_reviewer_is_who_has_the_id() -> None:
    platform = Reviewer("team", 1, "platform")
    assert platform == Reviewer("team", 1, "renamed")
    assert platform != Reviewer("team", 2, "platform")
    one = replace(ENVIRONMENT, reviewers=frozenset({platform}))
    other = replace(ENVIRONMENT, reviewers=frozenset({Reviewer("team", 2, "platform")}))
    assert one.shown()["reviewers"] == ["team:platform (1)"]
    assert one.shown() != other.shown()


RULES = GitHubEnvironment(
    name="dev",
    reviewers=frozenset({Reviewer("user", 1, "ann")}),
    wait_minutes=30,
    prevent_self_review=True,
    deploy_from="patterns",
    branches=frozenset({"main"}),
    tags=frozenset({"v*"}),
)
BARE = GitHubEnvironment(
    name="dev",
    reviewers=frozenset(),
    wait_minutes=0,
    prevent_self_review=False,
    deploy_from="all",
    branches=frozenset(),
    tags=frozenset(),
)


def test_in_an_adopted_environment_what_the_file_leaves_open_stays() -> None:
    assert ENVIRONMENT.over(live(replace(RULES, made="adopted"))) == RULES


def test_in_an_environment_of_ours_the_file_is_the_whole_truth() -> None:
    assert ENVIRONMENT.over(live(replace(RULES, made="created"))) == BARE


def test_a_new_environment_has_what_the_file_says_and_nothing_else() -> None:
    assert ENVIRONMENT.over(live()) == BARE
    assert replace(ENVIRONMENT, wait_minutes=5).over(live()) == replace(BARE, wait_minutes=5)


def test_the_file_s_branches_replace_all_patterns() -> None:
    there = replace(RULES, made="adopted")
    branches = replace(ENVIRONMENT, deploy_from="patterns", branches=frozenset({"release/*"})).over(
        live(there)
    )
    assert branches.branches == frozenset({"release/*"})
    assert branches.tags == frozenset()
    protected = replace(ENVIRONMENT, deploy_from="protected").over(live(there))
    assert (protected.deploy_from, protected.branches, protected.tags) == (
        "protected",
        frozenset(),
        frozenset(),
    )
    assert protected.wait_minutes == 30


def test_github_keeps_prevention_of_self_review_with_the_reviewers() -> None:
    assert replace(ENVIRONMENT, prevent_self_review=True).over(live()).prevent_self_review is False
    reviewed = replace(ENVIRONMENT, prevent_self_review=True, reviewers=RULES.reviewers)
    assert reviewed.over(live()).prevent_self_review is True


def test_a_mark_says_created_unless_the_environment_was_there() -> None:
    assert MARK.over(live()).made == "created"
    assert MARK.over(live(RULES)).made == "adopted"
    assert MARK.over(live(replace(RULES, made="created"))).made == "created"


def test_a_secret_s_content_is_compared_by_its_digest() -> None:
    written = replace(SECRET, content="client")
    seen = replace(SECRET, content=written.digest)
    assert seen.digest == written.digest != replace(written, content="other").digest
    assert written.over(live(seen)) == seen
    assert written.over(live(replace(seen, content="unknown"))) == written
    assert written.over(live()) == written
    assert SECRET.digest == "(known after apply)"
    assert replace(seen, content="unknown").digest == "unknown"


def test_no_content_is_shown_or_in_a_repr() -> None:
    secret = replace(SECRET, content="0123-client")
    assert "0123-client" not in f"{secret!r}{secret.shown()}"
    mark = replace(MARK, ids={"AZURE_CLIENT_ID": "0123-client"})
    assert "0123-client" not in f"{mark!r}{mark.shown()}"


def test_a_file_is_compared_by_what_is_below_its_header() -> None:
    assert replace(FILE, text="another version\njobs: {}\n") == FILE
    assert replace(FILE, body="jobs: {a: b}\n") != FILE
    assert FILE.shown()["lines"] == 1


def test_the_base_has_no_key() -> None:
    with pytest.raises(NotImplementedError):
        _ = Resource().key
    with pytest.raises(ValueError, match="about something"):
        _ = Change("delete", None, None, "").resource


def test_a_state_holds_each_key_once() -> None:
    with pytest.raises(ValueError, match="two resources are called application app"):
        State.of([APP, APP])
    state = State.of([APP])
    assert (len(state), list(state), state[APP.key]) == (1, [APP.key], APP)


def test_states_are_joined() -> None:
    one = State({APP.key: APP}, {}, {"azure": "no right"})
    other = State({MARK.key: MARK}, {PRINCIPAL.key: APP}, {"github": "no token"})
    both = one.join(other)
    assert both.keys() == {APP.key, MARK.key}
    assert both.deleted == other.deleted
    assert both.unread == {"azure": "no right", "github": "no token"}


def test_a_state_knows_ids_of_what_is_there_and_of_what_was_deleted() -> None:
    there = replace(APP, minted={"client_id": "1"})
    assert State.of([there]).known(LATER) == "1"
    assert State({}, {APP.key: there}).known(LATER) == "1"
    assert State().known(LATER) is None
    assert State.of([there]).known(Later(APP.key, "object_id")) is None
