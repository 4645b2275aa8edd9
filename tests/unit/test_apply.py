"""Carrying out a plan: side by side where possible, in order where needed, and honest when it fails."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from tests.property.worlds import facts_of, project, wanted_of
from trustsmith.apply import Outcome, Run, apply
from trustsmith.diff import diff
from trustsmith.errors import NotAllowed, ServiceError
from trustsmith.hazards import judge
from trustsmith.model.config import Config, Environment
from trustsmith.model.plan import Change, Plan
from trustsmith.model.resource import SIDES, Later
from trustsmith.model.state import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trustsmith.model.facts import Facts

CONFIG = Config(
    repository="contoso/agents",
    tenant="t",
    environments=tuple(Environment(name=n, projects=(project(n),)) for n in ("dev", "prod")),
)
FACTS = facts_of(CONFIG)
PLAN = diff(State(), wanted_of(CONFIG, FACTS))
IDS = {
    "application": ("object_id", "client_id"),
    "service principal": ("principal_id",),
}


@dataclass
class Desk:
    """A writer that keeps a diary, fails where it is told to, and waits at a gate; and the listener beside it."""

    fail: dict[str, Exception] = field(default_factory=dict)
    gate: asyncio.Event | None = None
    diary: list[str] = field(default_factory=list)
    got: list[Change] = field(default_factory=list)
    now: int = 0
    most: int = 0
    heard: list[Outcome] = field(default_factory=list)

    async def write(self, change: Change, facts: Facts) -> Mapping[str, str]:
        assert facts is FACTS
        self.now += 1
        self.most = max(self.most, self.now)
        self.got.append(change)
        await (self.gate.wait() if self.gate else asyncio.sleep(0))
        self.now -= 1
        if str(change.key) in self.fail:
            raise self.fail[str(change.key)]
        return {name: f"{name} of {change.key.name}" for name in IDS.get(change.key.kind, ())}

    def started(self, change: Change) -> None:
        self.diary.append(f"begin {change.verb} {change.key}")

    def finished(self, outcome: Outcome) -> None:
        self.diary.append(f"end {outcome.change.verb} {outcome.change.key}")
        self.heard.append(outcome)


def run(desk: Desk, plan: Plan = PLAN, live: State | None = None) -> Run:
    return asyncio.run(apply(plan, live or State(), FACTS, dict.fromkeys(SIDES, desk), desk))


def error(text: str = "no") -> ServiceError:
    return ServiceError(text, service="graph", status=500)


def names(outcomes: list[Outcome]) -> set[str]:
    return {str(outcome.change.key) for outcome in outcomes}


APP, PRINCIPAL = (
    "application trustsmith-github.com-1001-dev",
    "service principal trustsmith-github.com-1001-dev",
)


def test_everything_is_done_once_and_heard_of() -> None:
    desk = Desk()
    done = run(desk)
    assert [o.change for o in desk.heard] == list(done.outcomes)
    assert done.outcomes.keys() == set(PLAN.changes)
    assert len(done.of("done")) == len(PLAN.shown)
    assert not done.failures
    assert not done.interrupted
    assert len(desk.diary) == 2 * len(PLAN.changes)
    assert all(outcome.seconds >= 0 for outcome in desk.heard)


def test_nothing_to_do_is_done_at_once() -> None:
    assert run(Desk(), Plan()) == Run()


def test_what_is_independent_runs_at_the_same_time() -> None:
    desk = Desk()
    run(desk)
    assert desk.most >= 5  # two applications, two marks, a file, once the environments are there
    one = diff(State(), wanted_of(CONFIG, FACTS), ["files"])
    alone = Desk()
    run(alone, one)
    assert alone.most == 1


def test_what_is_needed_is_done_first() -> None:
    desk = Desk()
    run(desk)
    for change, needed in PLAN.order.items():
        begin = desk.diary.index(f"begin {change.verb} {change.key}")
        assert all(desk.diary.index(f"end {n.verb} {n.key}") < begin for n in needed)


def test_values_that_were_minted_on_the_way_are_filled_in() -> None:
    desk = Desk()
    run(desk)
    after = {c.key: c.after for c in desk.got if not c.implied}
    assert not [v for r in after.values() for v in vars(r).values() if isinstance(v, Later)]
    secret = next(r for k, r in after.items() if k.name == "dev/AZURE_CLIENT_ID")
    assert getattr(secret, "content", "") == "client_id of trustsmith-github.com-1001-dev"
    (mark,) = [c.after for c in desk.got if c.implied and c.verb == "update" and c.key.name.startswith("dev")]
    assert getattr(mark, "ids", {})["AZURE_CLIENT_ID"] == "client_id of trustsmith-github.com-1001-dev"


def test_values_that_are_already_there_are_filled_in() -> None:
    wanted = wanted_of(CONFIG, FACTS)
    app = next(r for r in wanted.values() if str(r.key) == APP)
    principal = next(r for r in wanted.values() if str(r.key) == PRINCIPAL)
    plan = Plan((Change("create", None, principal, "x"),))
    desk = Desk()
    live = State({app.key: type(app)(**{**vars(app), "minted": {"client_id": "seen"}})})
    run(desk, plan, live)
    assert getattr(desk.got[0].after, "client_id", "") == "seen"


def test_a_failure_keeps_from_being_tried_only_what_needs_it() -> None:
    desk = Desk(fail={APP: error()})
    ended = run(desk)
    assert names(ended.failures) == {APP}
    assert ended.failures[0].error is desk.fail[APP]
    missed = {str(o.change.key): o.reason for o in ended.of("not reached")}
    assert missed[PRINCIPAL] == f"it needs {APP}, which was not done"
    assert "environment secret dev/AZURE_CLIENT_ID" in missed
    assert any("dev trusts" in o.change.resource.title for o in ended.of("not reached"))
    assert all("dev" in name for name in missed)
    done = names(ended.of("done"))
    assert "github environment dev" in done
    assert "environment secret dev/AZURE_TENANT_ID" in done
    assert {str(c.key) for c in PLAN.shown if "prod" in c.key.name} <= done
    assert f"begin create {PRINCIPAL}" not in desk.diary


def test_no_credential_without_a_protected_environment() -> None:
    ended = run(Desk(fail={"github environment prod": error("422")}))
    assert any("federated credential" in name and "prod" in name for name in names(ended.of("not reached")))
    assert not any("federated credential" in name and "prod" in name for name in names(ended.of("done")))


def test_nothing_is_deleted_after_a_failure() -> None:
    live = wanted_of(CONFIG, FACTS)
    live = State(
        {key: replace(r, minted=dict.fromkeys(IDS.get(key.kind, ()), "id")) for key, r in live.items()}
    )
    wanted = wanted_of(CONFIG, facts_of(CONFIG, prefix="repo:contoso@1/renamed@1001"))
    plan = diff(live, wanted)
    plan = judge(plan, live, [f"remove={stray.key.name}" for stray in plan.strays])
    failing = next(c for c in plan.changes if c.verb == "create")
    ended = run(Desk(fail={str(failing.key): NotAllowed("no", service="graph")}), plan, live)
    deletions = {str(c.key) for c in plan.changes if c.verb == "delete"}
    assert deletions
    assert deletions <= names(ended.of("not reached"))


def test_a_failure_of_what_is_not_shown_counts() -> None:
    marks = [c for c in PLAN.changes if c.implied and c.verb == "update"]

    class Spiteful(Desk):
        async def write(self, change: Change, facts: Facts) -> Mapping[str, str]:
            if change.implied and change.verb == "update":
                raise error()
            return await super().write(change, facts)

    ended = run(Spiteful())
    assert {o.change.key for o in ended.failures} == {mark.key for mark in marks}
    assert ended.of("failed") == []


def test_a_bug_is_no_outcome() -> None:
    desk = Desk(fail={APP: KeyError("oops")})
    with pytest.raises(KeyError, match="oops"):
        run(desk)
    done = names([outcome for outcome in desk.heard if outcome.status == "done"])
    assert {str(c.key) for c in PLAN.shown if "prod" in c.key.name} <= done
    assert PRINCIPAL in names([outcome for outcome in desk.heard if outcome.status == "not reached"])


def test_when_interrupted_what_began_is_finished_and_nothing_new_begins_but_marks() -> None:
    """An environment without its mark would be taken for somebody else's by the next run."""

    async def interrupted() -> tuple[Run, Desk]:
        desk = Desk(gate=asyncio.Event())
        running = asyncio.ensure_future(apply(PLAN, State(), FACTS, dict.fromkeys(SIDES, desk), desk))
        await settled()
        running.cancel()
        await settled()
        running.cancel()  # impatience changes nothing
        await settled()
        assert desk.gate is not None
        desk.gate.set()
        return await asyncio.wait_for(running, 5), desk

    ended, desk = asyncio.run(interrupted())
    assert ended.interrupted
    assert [c.key.name for c in desk.got] == ["dev", "prod", "dev/TRUSTSMITH", "prod/TRUSTSMITH"]
    assert len(ended.of("done")) == 4
    assert "interrupted" in {outcome.reason for outcome in ended.of("not reached")}
    assert ended.outcomes.keys() == set(PLAN.changes)


async def settled() -> None:
    """Every task has come as far as it can."""
    for _ in range(50):
        await asyncio.sleep(0)


def test_credentials_of_one_identity_go_one_by_one() -> None:
    shared = Config(
        repository="contoso/agents",
        tenant="t",
        environments=CONFIG.environments,
        identity=CONFIG.identity.__class__(per="repository"),
    )
    plan = diff(State(), wanted_of(shared, FACTS))
    desk = Desk()
    run(desk, plan)
    ends = [line.split()[0] for line in desk.diary if "federated credential" in line]
    assert ends == ["begin", "end", "begin", "end"]
