"""What holds for every configuration and every world that it meets."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import replace
from graphlib import TopologicalSorter
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.property.worlds import World, carry_out, configs, facts_of, scenes, wanted_of, with_external
from trustsmith.diff import diff, observed
from trustsmith.hazards import judge
from trustsmith.model import naming, subject
from trustsmith.model.environments import (
    EnvironmentMark,
    EnvironmentSecret,
    EnvironmentVariable,
    GitHubEnvironment,
)
from trustsmith.model.resource import SIDES, Key, Later, Side
from trustsmith.model.resources import Application, FederatedCredential
from trustsmith.model.state import State
from trustsmith.systems.mark import MarkText

if TYPE_CHECKING:
    from random import Random

    from trustsmith.model.config import Config
    from trustsmith.model.facts import Facts
    from trustsmith.model.plan import Change, Plan

Scene = tuple[World, "Config", "Facts"]
core = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)


def planned(scene: Scene, *sides: Side) -> Plan:
    world, config, facts = scene
    return diff(world.state(), wanted_of(config, facts), sides or SIDES)


@core
@given(scenes())
def test_after_a_run_all_that_is_wanted_is_there_and_nothing_is_left_to_do(scene: Scene) -> None:
    world, config, facts = scene
    wanted = wanted_of(config, facts)
    plan = diff(world.state(), wanted)
    carry_out(world, plan, facts)
    again = diff(world.state(), wanted)
    assert (again.changes, again.waiting) == ((), ())
    assert wanted.keys() <= world.resources.keys()
    spare = {stray.key for stray in again.strays}
    assert not [k for k, r in world.state().items() if r.owned and k not in wanted and k not in spare]
    assert len(world.log) == len(plan.changes)


@core
@given(scenes())
def test_a_state_does_not_differ_from_itself(scene: Scene) -> None:
    state = scene[0].state()
    plan = diff(state, State({key: r for key, r in state.items() if r.owned}))
    assert plan.changes == ()
    assert plan.waiting == ()


@core
@given(scenes())
def test_what_is_not_ours_is_deleted_only_by_name(scene: Scene) -> None:
    live, plan = scene[0].state(), planned(scene)
    assert all(change.resource.owned for change in plan.changes if change.verb == "delete")
    for stray in plan.strays:
        judged = judge(plan, live, [f"remove={stray.key.name}"])
        added = [change for change in judged.changes if change not in plan.changes]
        assert added
        assert {change.key.name for change in added} == {stray.key.name}
        assert not {s.key.name for s in judged.strays} & {stray.key.name}


@core
@given(scenes())
def test_removing_strays_by_name_leaves_nothing(scene: Scene) -> None:
    world, _, facts = scene
    allow = [f"remove={stray.key.name}" for stray in planned(scene).strays]
    carry_out(world, judge(planned(scene), world.state(), allow), facts)
    assert judge(planned(scene), world.state()).changes == ()
    assert not {f"remove={s.key.name}" for s in planned(scene).strays} & set(allow)


@core
@given(scenes())
def test_the_order_is_complete_and_without_a_circle(scene: Scene) -> None:
    plan = planned(scene)
    assert plan.order.keys() == set(plan.changes)
    assert len(list(TopologicalSorter(plan.order).static_order())) == len(plan.changes)


@core
@given(scenes())
def test_what_a_change_needs_comes_first_and_what_leaves_comes_last(scene: Scene) -> None:
    plan = planned(scene)
    before = every_predecessor(plan)
    by_key = {c.key: c for c in plan.changes if not c.implied and c.verb != "delete"}
    for change in plan.changes:
        if change.verb == "delete":
            assert set(by_key.values()) <= before[change]
            assert {
                o for o in plan.changes if o.verb == "delete" and change.key in o.resource.needs
            } <= before[change]
        else:
            needed = {by_key[need] for need in change.resource.needs if need in by_key and not change.implied}
            assert needed <= before[change]


@core
@given(scenes())
def test_a_credential_comes_after_its_environment_was_read_back(scene: Scene) -> None:
    plan = planned(scene)
    before = every_predecessor(plan)
    checks = {change.key.name: change for change in plan.changes if change.verb == "check"}
    written = {
        c.key.name for c in plan.changes if isinstance(c.resource, GitHubEnvironment) and c.verb != "delete"
    }
    assert checks.keys() == written
    for change in plan.changes:
        resource = change.resource
        if (
            isinstance(resource, FederatedCredential)
            and change.verb != "delete"
            and resource.environment in checks
        ):
            assert checks[resource.environment] in before[change]


@core
@given(scenes())
def test_credentials_of_one_identity_are_written_one_by_one(scene: Scene) -> None:
    plan = planned(scene)
    before = every_predecessor(plan)
    credentials = [c for c in plan.changes if isinstance(c.resource, FederatedCredential)]
    for one in credentials:
        for other in credentials:
            same = getattr(one.resource, "identity", "") == getattr(other.resource, "identity", "")
            assert one is other or not same or one in before[other] or other in before[one]


@core
@given(scenes())
def test_a_mark_is_refreshed_after_all_ids_of_its_environment(scene: Scene) -> None:
    world, _, facts = scene
    plan = judge(planned(scene), world.state(), [f"remove={s.key.name}" for s in planned(scene).strays])
    carry_out(world, plan, facts)
    refreshed = [c.resource for c in plan.changes if c.implied and isinstance(c.resource, EnvironmentMark)]
    for mark in refreshed:
        places = [
            n
            for n, change in enumerate(world.log)
            if isinstance(change.resource, EnvironmentSecret | EnvironmentVariable)
            and change.resource.environment == mark.environment
        ]
        last = next(n for n, c in enumerate(world.log) if c.implied and c.key == mark.key)
        assert places[-1] < last
    ids = [c.resource for c in plan.changes if isinstance(c.resource, EnvironmentSecret) and c.after]
    assert {r.environment for r in ids} <= {mark.environment for mark in refreshed}


@core
@given(scenes(), st.permutations(SIDES))
def test_sides_that_each_do_their_own_part_arrive_at_the_same(scene: Scene, turns: list[Side]) -> None:
    """Round after round, in any order; nobody's plan holds another's part, and what waits says for whom."""
    world, config, facts = scene
    for _ in range(4):
        for side in turns:
            plan = planned(scene, side)
            assert {change.side for change in (*plan.changes, *plan.strays)} <= {side}
            assert all("`trustsmith apply --only " in entry.reason for entry in plan.waiting)
            carry_out(world, plan, facts)
    left = diff(world.state(), wanted_of(config, facts))
    assert (left.changes, left.waiting) == ((), ())


@core
@given(scenes(), st.sampled_from(SIDES), st.sets(st.sampled_from(SIDES)))
def test_nothing_is_done_on_the_strength_of_what_was_not_looked_at(
    scene: Scene, side: Side, blind: set[Side]
) -> None:
    world, config, facts = scene
    unseen = dict.fromkeys(blind - {side}, "no right to read")
    live = world.state(unseen)
    plan = diff(live, wanted_of(config, facts), [side])
    after = {change.key for change in plan.changes if change.verb != "delete"}
    for change in plan.changes:
        if change.verb != "delete" and not change.implied:
            assert all(need in after or need in live for need in change.resource.needs)
    for entry in plan.waiting:
        assert (
            unseen == {}
            or "which could not be looked at" in entry.reason
            or "--only" in entry.reason
            or ("who trusts it could not be looked at" in entry.reason)
        )
    carry_out(world, plan, facts)


@core
@given(scenes())
def test_values_that_come_later_have_come_when_they_are_needed(scene: Scene) -> None:
    """The world asserts it for each write; here: from nothing, every one is there in the end."""
    _, config, facts = scene
    fresh = with_external(config)
    carry_out(fresh, diff(fresh.state(), wanted_of(config, facts)), facts)
    for resource in fresh.resources.values():
        assert not [v for v in vars(resource).values() if isinstance(v, Later)]
        if isinstance(resource, EnvironmentMark):
            assert not [v for v in resource.ids.values() if isinstance(v, Later)]


@core
@given(configs())
def test_an_application_of_ours_that_comes_back_keeps_its_ids(config: Config) -> None:
    facts, world = facts_of(config), with_external(config)
    carry_out(world, diff(world.state(), wanted_of(config, facts)), facts)
    for app in [r for r in world.resources.values() if isinstance(r, Application) and r.owned]:
        world._delete(app)
    plan = diff(world.state(), wanted_of(config, facts))
    assert {c.verb for c in plan.changes if isinstance(c.resource, Application)} <= {"restore"}
    assert not [c for c in plan.changes if isinstance(c.resource, EnvironmentSecret | EnvironmentVariable)]
    carry_out(world, plan, facts)
    assert diff(world.state(), wanted_of(config, facts)).clean


@core
@given(scenes())
def test_destroy_leaves_what_is_not_ours_and_only_that(scene: Scene) -> None:
    world, _, facts = scene
    theirs = {k for k, r in world.state().items() if not r.owned and not falls(world, r)}
    carry_out(world, diff(world.state(), State()), facts)
    assert theirs <= world.resources.keys()
    left = {k: r for k, r in world.state().items() if r.owned}
    assert not left
    assert diff(world.state(), State()).changes == ()


def falls(world: World, resource: object) -> bool:
    """Whether something goes because an identity of ours, or an environment that we made, goes."""
    app = world.resources.get(Key(Application.kind, str(getattr(resource, "identity", ""))))
    return app is not None and app.owned


@core
@given(scenes(), st.randoms())
def test_a_fingerprint_is_of_what_would_be_done_in_whatever_order_it_was_read(
    scene: Scene, random: Random
) -> None:
    world, config, facts = scene
    plan = planned(scene)
    keys = list(world.resources)
    random.shuffle(keys)
    other = copy.copy(world)
    other.resources = {key: world.resources[key] for key in keys}
    assert diff(other.state(), wanted_of(config, facts)).fingerprint == plan.fingerprint
    for change in plan.changes[:3]:
        rest = tuple(c for c in plan.changes if c is not change)
        assert replace(plan, changes=rest).fingerprint != plan.fingerprint
        assert replace(plan, changes=(*rest, replace(change, why="?"))).fingerprint != plan.fingerprint


@core
@given(scenes())
def test_every_difference_is_said_and_counts(scene: Scene) -> None:
    plan = planned(scene)
    for change in plan.changes:
        assert change.why
        if change.verb == "update" and not change.implied:
            assert change.before is not None
            assert change.after is not None
            assert change.before.shown() != change.after.shown()


def every_predecessor(plan: Plan) -> dict[Change, set[Change]]:
    """All that comes before each change, through others too."""
    found: dict[Change, set[Change]] = {}
    for change in TopologicalSorter(plan.order).static_order():
        found[change] = set(plan.order[change]).union(*(found[p] for p in plan.order[change]))
    return found


ANY_NAME = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=255)


@given(ANY_NAME, ANY_NAME)
def test_slugs_are_apart_unless_only_case_differs(one: str, other: str) -> None:
    assume(one.casefold() != other.casefold())
    assert naming.slug(one) != naming.slug(other)
    assert naming.slug(one) != naming.slug(naming.slug(other)) or one == naming.slug(other)


@given(ANY_NAME)
def test_names_are_such_that_entra_takes_them(name: str) -> None:
    slug = naming.slug(name)
    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{0,46}", slug)
    assert slug == naming.slug(name)
    credential = naming.credential_name(name, "https://issuer", "repo:o/n:environment:e", "api://x")
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{2,119}", credential)
    assert naming.is_credential_name(credential, "https://issuer", "repo:o/n:environment:e", "api://x")
    assert not naming.is_credential_name(credential, "https://issuer", "repo:o/n:environment:f", "api://x")
    assert len(naming.unique_name("github.com", 10**12, name)) <= 120
    assert len(naming.environment_tag(name)) <= 256


OWNERS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}", fullmatch=True)
REPOSITORIES = st.from_regex(r"[A-Za-z0-9._-]{1,100}", fullmatch=True)
IDS = st.none() | st.integers(1, 10**12)
KEYS = st.lists(
    st.sampled_from(
        ["repo", "context", "repository", "repository_id", "repository_visibility", "environment"]
    ),
    min_size=1,
    unique=True,
).filter(
    lambda keys: (
        {"context", "environment"} & set(keys) and {"repo", "repository", "repository_id"} & set(keys)
    )
)


@given(OWNERS, REPOSITORIES, IDS, ANY_NAME, KEYS)
def test_the_environment_is_found_again_in_a_subject_of_any_template(
    owner: str, name: str, number: int | None, environment: str, keys: list[str]
) -> None:
    assume("%3A" not in environment)  # GitHub encodes nothing but the colon: such a name cannot be told apart
    at = "" if number is None else f"@{number}"
    answer = {"full_name": f"{owner}/{name}", "id": 2, "owner": {"id": 1}, "visibility": "private"}
    own = {
        "use_default": False,
        "include_claim_keys": keys,
        "sub_claim_prefix": f"repo:{owner}{at}/{name}{at}",
    }
    template = subject.template(answer, own)
    (built,) = subject.for_environment(template, environment)
    assert subject.environment_of(built) == environment
    assert template.immutable is (number is not None)
    (other,) = subject.for_environment(template, environment + "x")
    assert other != built


@given(st.text())
def test_no_text_is_too_odd_to_be_looked_at(text: str) -> None:
    assert subject.environment_of(text) is None or "environment:" in text
    assert isinstance(subject.has_ids(text), bool)
    assert MarkText.parse(text) is None or "made" in text


DIGESTS = st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4)
MARK_TEXTS = st.builds(MarkText, made=st.sampled_from(["created", "adopted"]), ids=DIGESTS, written=DIGESTS)


@given(MARK_TEXTS)
def test_a_mark_reads_back_as_it_was_written(mark: MarkText) -> None:
    assert MarkText.parse(str(mark)) == mark
    assert str(MarkText.parse(str(mark))) == str(mark)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["version", "made", "ids", "written"]), inner, max_size=4)
    ),
)


@given(JSON)
def test_a_mark_of_another_shape_is_none(value: object) -> None:
    parsed = MarkText.parse(json.dumps(value))
    assert parsed is None or parsed.made in {"created", "adopted"}


@core
@given(scenes(), st.sets(st.sampled_from(SIDES)), st.sets(st.integers(0, 40), max_size=4))
def test_who_may_not_read_everything_makes_nothing_up(
    scene: Scene, unread: set[Side], numbers: set[int]
) -> None:
    world, config, facts = scene
    wanted = wanted_of(config, facts)
    unseen = {sorted(wanted)[number % len(wanted)]: "hidden" for number in numbers}
    seen = world.state(dict.fromkeys(unread, "not allowed"))
    live = replace(seen, resources={k: r for k, r in seen.items() if k not in unseen}, unseen=unseen)
    plan = observed(diff(live, wanted), live, wanted, SIDES)
    told = {entry.key for entry in plan.not_compared}
    assert told >= unseen.keys() | {key for key, r in wanted.items() if r.side in unread}
    assert not told & {change.key for change in (*plan.changes, *plan.strays)}
    assert plan.clean <= (not told)
    whole = diff(world.state(), wanted)
    known = {change.key for change in whole.changes} | {entry.key for entry in whole.waiting}
    assert {change.key for change in plan.shown} <= known
    assert {stray.key for stray in plan.strays} <= {stray.key for stray in whole.strays}


@core
@given(scenes())
def test_who_may_read_everything_sees_the_same_plan(scene: Scene) -> None:
    live, wanted = scene[0].state(), wanted_of(*scene[1:])
    plan = diff(live, wanted)
    assert observed(plan, live, wanted, SIDES) == plan
