"""A plan as data: what it says of itself, its fingerprint, its saved form."""

from __future__ import annotations

import json
from dataclasses import replace

from tests.property.worlds import facts_of, foreign_credential, project, wanted_of
from trustsmith.diff import diff
from trustsmith.model.advice import Advice
from trustsmith.model.config import Config, Environment
from trustsmith.model.environments import EnvironmentSecret, GitHubEnvironment
from trustsmith.model.plan import Change, Hazard, Plan, Waiting, fingerprint_of
from trustsmith.model.resource import Key
from trustsmith.model.state import State

CONFIG = Config(
    repository="contoso/agents",
    tenant="t",
    environments=(Environment(name="dev", projects=(project("dev"),)),),
)
WANTED = wanted_of(CONFIG, facts_of(CONFIG))
PLAN = diff(State(), WANTED)
ENVIRONMENT = GitHubEnvironment(name="dev", wait_minutes=0)
UPDATE = Change("update", ENVIRONMENT, replace(ENVIRONMENT, wait_minutes=5), "wait minutes is 0, not 5")


def test_a_change_is_about_what_is_there_after_it_or_was_before() -> None:
    assert UPDATE.resource is UPDATE.after
    gone = Change("delete", ENVIRONMENT, None, "x")
    assert (gone.resource, gone.key, gone.side) == (ENVIRONMENT, ENVIRONMENT.key, "github")


def test_the_saved_form() -> None:
    hazard = Hazard("enable=x", "why", "hint", allowed=True)
    plan = Plan(
        (UPDATE, replace(UPDATE, verb="check", implied=True)),
        strays=(Change("delete", foreign_credential("app"), None, "not ours"),),
        waiting=(Waiting(Key("application", "a"), "it waits"),),
        hazards=(hazard,),
        notes=("note",),
    )
    saved = json.loads(json.dumps(plan.as_json()))
    assert list(saved) == [
        "schema",
        "fingerprint",
        "changes",
        "strays",
        "waiting",
        "hazards",
        "not_compared",
        "notes",
        "rights",
        "broken",
    ]
    assert saved["schema"] == 1
    (change,) = saved["changes"]
    assert list(change) == ["verb", "kind", "name", "why", "before", "after"]
    assert (change["before"]["wait_minutes"], change["after"]["wait_minutes"]) == (0, 5)
    assert saved["waiting"] == [{"kind": "application", "name": "a", "why": "it waits"}]
    assert saved["hazards"] == [
        {"id": "enable=x", "why": "why", "hint": "hint", "allowable": True, "allowed": True}
    ]
    assert saved["strays"][0]["after"] is None
    assert saved["notes"] == ["note"]


def test_clean_is_nothing_to_do_and_nothing_that_should_not_be_there() -> None:
    stray = Change("delete", foreign_credential("app"), None, "not ours")
    assert Plan().clean
    assert Plan(waiting=(Waiting(Key("a", "b"), "c"),)).clean
    assert not Plan((UPDATE,)).clean
    assert not Plan(strays=(stray,)).clean


def test_blocked_is_what_nobody_allowed() -> None:
    allowed, open_ = Hazard("a=b", "x", allowed=True), Hazard("c=d", "y")
    assert Plan(hazards=(allowed, open_)).blocked == (open_,)


def test_equal_plans_have_equal_fingerprints_in_whatever_order_they_were_read() -> None:
    again = diff(State(), State(dict(list(WANTED.items())[::-1])))
    assert again.changes != PLAN.changes
    assert again.fingerprint == PLAN.fingerprint
    assert len(PLAN.fingerprint) == 64


def test_advice_is_in_the_document_and_not_in_the_fingerprint() -> None:
    advice = Advice(environment="prod", kind="missing", why="no role", role="foundry-user", scope="project")
    advised = replace(PLAN, rights=(advice,))
    saved = advised.as_json()
    assert saved["rights"] == [
        {
            "environment": "prod",
            "kind": "missing",
            "why": "no role",
            "role": "foundry-user",
            "scope": "project",
            "because": "",
            "next": "",
        }
    ]
    assert saved["fingerprint"] == PLAN.fingerprint == fingerprint_of(saved)
    assert advised.clean is PLAN.clean


def test_a_fingerprint_is_of_every_value() -> None:
    prints = {PLAN.fingerprint}
    for change in PLAN.shown:
        prints.add(replace(PLAN, changes=tuple(c for c in PLAN.changes if c is not change)).fingerprint)
    prints.add(replace(PLAN, waiting=(Waiting(Key("a", "b"), "c"),)).fingerprint)
    other = replace(CONFIG, tenant="other")
    prints.add(diff(State(), wanted_of(other, facts_of(other))).fingerprint)
    assert len(prints) == len(PLAN.shown) + 3


def test_remarks_are_not_part_of_a_fingerprint() -> None:
    assert replace(PLAN, notes=("x",)).fingerprint == PLAN.fingerprint


def test_a_hazard_counts_allowed_or_not() -> None:
    risky = replace(PLAN, hazards=(Hazard("a=b", "c"),))
    assert risky.fingerprint != PLAN.fingerprint
    assert replace(risky, hazards=(Hazard("a=b", "c", allowed=True),)).fingerprint == risky.fingerprint
    assert fingerprint_of(risky.as_json()) == risky.fingerprint


def test_a_plan_shows_no_content_of_a_secret() -> None:
    secret = EnvironmentSecret(environment="dev", name="AZURE_CLIENT_ID", content="0123-client")
    text = json.dumps(Plan((Change("create", None, secret, "x"),)).as_json())
    assert "0123-client" not in text
    assert "sha256:" in text
