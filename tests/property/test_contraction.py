"""Laws of the contraction: nothing goes that was not named, nor what is read, nor what may still be held, nor too early."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from trustsmith.migrate.contract import Old, contraction, is_old, offered
from trustsmith.migrate.inventory import Stored
from trustsmith.migrate.proof import Readers
from trustsmith.model.foundry import ROLES
from trustsmith.model.plan import Change, Hazard, Plan
from trustsmith.model.resources import ClientSecret, RoleAssignment, StoredSecret

TODAY = "2026-11-28T12:00:00"
NAMES = st.sampled_from(["AZURE_CREDENTIALS", "AZURE_CLIENT_SECRET", "MINE", "NPM_TOKEN", "ACR_PASSWORD"])
STORED = (
    st.builds(Stored, name=NAMES, level=st.just("environment"), environment=st.sampled_from(["dev", "prod"]))
    | st.builds(
        Stored, name=NAMES, level=st.just("repository"), store=st.sampled_from(["actions", "dependabot"])
    )
    | st.builds(
        Stored,
        name=NAMES,
        level=st.just("organization"),
        visibility=st.sampled_from(["", "all", "private", "selected"]),
        repositories=st.sampled_from([None, (), ("o/n",), ("o/n", "o/other")]),
    )
)
PASSWORDS = st.builds(
    ClientSecret,
    identity=st.sampled_from(["old", "new"]),
    key_id=st.sampled_from(["k1", "k2", "k3"]),
    expires=st.sampled_from(["", "2025-01-01T00:00:00Z", "2028-01-01T00:00:00Z"]),
)
GRANTED = st.builds(
    RoleAssignment,
    identity=st.sampled_from(["old", "new"]),
    role=st.sampled_from([role.guid for role in ROLES[-2:]]),
    scope=st.just("/subscriptions/s"),
    principal=st.just("p"),
)
OLDS = st.builds(
    Old,
    repository=st.just("o/n"),
    stored=st.lists(
        STORED, min_size=1, max_size=3, unique_by=lambda s: (s.name, s.level, s.environment, s.store)
    ).map(tuple),
    passwords=st.lists(PASSWORDS, max_size=2, unique_by=lambda p: p.key_id).map(tuple),
    roles=st.lists(GRANTED, max_size=2, unique_by=lambda r: r.key).map(tuple),
    others=st.sampled_from([{}, {}, {"old": ("repo:o/other:environment:prod",)}]),
    unseen=st.sampled_from([(), (), ("its agents secrets could not be read",)]),
    today=st.just(TODAY),
)
#: Mostly nothing is wrong, so that there is something to be seen.
READINGS = st.just(Readers()) | st.builds(
    Readers,
    of=st.dictionaries(NAMES, st.just(("w.yml:1",)), max_size=2),
    unnamed=st.sampled_from([(), (), ("w.yml:2",)]),
    unsure=st.sampled_from([{}, {}, {}, {"w.yml:3": "hands all secrets to o/r"}]),
    entra=st.sampled_from([frozenset(), frozenset({"MINE"})]),
    registries=st.sampled_from([frozenset(), frozenset({"ACR_PASSWORD"})]),
)
LACKING = st.sampled_from([(), (), (), (Hazard("not-proven=prod", "no", allowable=False),)])


def is_open(password: ClientSecret) -> bool:
    return not password.expires or password.expires > TODAY


@given(OLDS, READINGS, LACKING, st.data())
def test_what_goes_was_named_and_nothing_speaks_against_it(
    old: Old, reading: Readers, lacking: tuple[Hazard, ...], data: st.DataObject
) -> None:
    every = [stray.word for stray in contraction(old, reading, (), ()).strays]
    held = [f"still-held={password.key_id}" for password in old.passwords]
    held += [f"also-trusted={identity}" for identity in old.others]
    known = [*every, *held, "still-held=nothing"]
    some = st.lists(st.sampled_from(known), unique=True)
    allow = data.draw(some | some.map(lambda left_out: [word for word in known if word not in left_out]))
    plan = contraction(old, reading, lacking, allow)
    words = [change.word for change in plan.changes]
    assert words == [word for word in every if word in allow]
    assert [stray.word for stray in plan.strays] == [word for word in every if word not in allow]
    if plan.blocked or not plan.changes:
        return
    assert not lacking
    assert not reading.unsure
    going = [change.resource for change in plan.changes]
    gone = {(r.name, r.level, r.environment, r.store) for r in going if isinstance(r, StoredSecret)}
    kept = [s for s in old.stored if (s.name, s.level, s.environment, s.store) not in gone]
    for resource in going:
        if isinstance(resource, StoredSecret):
            assert is_old(resource.name, reading)
            assert resource.name not in reading.of
            (there,) = (
                s
                for s in old.stored
                if (s.name, s.level, s.environment, s.store)
                == (resource.name, resource.level, resource.environment, resource.store)
            )
            assert there.level != "organization" or (there.visibility, there.repositories) == (
                "selected",
                ("o/n",),
            )
        elif not isinstance(resource, ClientSecret) or is_open(resource):
            assert not reading.unnamed
            assert not {s.name for s in old.stored if is_old(s.name, reading)} & reading.of.keys()
        if isinstance(resource, ClientSecret) and is_open(resource):
            stays = old.unseen or any(is_old(each.name, reading) for each in kept)
            assert not stays or f"still-held={resource.key_id}" in allow
        if isinstance(resource, RoleAssignment):
            assert not old.others.get(resource.identity) or f"also-trusted={resource.identity}" in allow
    _in_order(plan)


def _in_order(plan: Plan) -> None:
    """One after another: secrets, then passwords, then roles, and each waits for the one before it."""
    kinds = [StoredSecret, ClientSecret, RoleAssignment]
    ranks = [kinds.index(type(change.resource)) for change in plan.changes]
    assert ranks == sorted(ranks)
    for before, change in pairwise(plan.changes):
        assert before in plan.order[change]
    seen: set[Change] = set()
    for change in plan.changes:
        assert plan.order[change] <= seen
        seen.add(change)


@given(OLDS, READINGS)
def test_what_is_offered_goes_without_a_further_word(old: Old, reading: Readers) -> None:
    words = offered(old, reading)
    plan = contraction(old, replace(reading, unsure={}), (), words)
    assert not plan.blocked
    assert [change.word for change in plan.changes] == words
