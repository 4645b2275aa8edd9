"""Expanding takes nothing away, and hides nothing that is in use."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.corpus.marks import repository_of
from trustsmith.migrate.expansion import gentle, shadows
from trustsmith.migrate.inventory import Seen, Stored, Variable
from trustsmith.model.environments import EnvironmentSecret, EnvironmentVariable, GitHubEnvironment
from trustsmith.model.plan import Change, Hazard, Plan

if TYPE_CHECKING:
    from trustsmith.model.resource import Resource

JOBS = """\
on: push
env:
  T: ${{ vars.AZURE_TENANT_ID }}
jobs:
  prod:
    environment: prod
    steps:
      - run: echo ${{ vars.AZURE_CLIENT_ID }} ${{ secrets.AZURE_CLIENT_ID }}
  other:
    environment: dev
    steps:
      - run: echo ${{ vars.AZURE_SUBSCRIPTION_ID }}
  none:
    steps:
      - run: echo ${{ vars.ONLY_HERE }}
  any:
    environment: ${{ inputs.stage }}
    steps:
      - run: echo ${{ vars.ANYWHERE }}
"""
SEEN = Seen(
    stored=(
        Stored(name="AZURE_CLIENT_ID", level="repository"),
        Stored(name="AZURE_TENANT_ID", level="repository", store="dependabot"),
    ),
    variables=tuple(
        Variable(name=name, value="old")
        for name in (
            "AZURE_CLIENT_ID",
            "AZURE_TENANT_ID",
            "AZURE_SUBSCRIPTION_ID",
            "ONLY_HERE",
            "ANYWHERE",
        )
    ),
)


def hidden(resource: Resource) -> list[str]:
    plan = Plan((Change("create", None, resource, ""),))
    return [f"{s.name} at {' '.join(s.places)}" for s in shadows(plan, repository_of({"w.yml": JOBS}), SEEN)]


def test_what_could_not_be_looked_at_may_be_hidden() -> None:
    for seen in (
        Seen(notes=("GitHub did not answer",)),
        replace(SEEN, variables=(), all_variables=False),
    ):
        plan = Plan((Change("create", None, variable("AZURE_CLIENT_ID"), ""),))
        (found,) = shadows(plan, repository_of({"w.yml": JOBS}), seen)
        assert found.hazard.id == "shadow=prod/AZURE_CLIENT_ID"
        assert "could not be looked for" in found.hazard.why
    new = EnvironmentSecret(environment="PROD", name="AZURE_CLIENT_ID", content="x")
    seen = Seen(stored=(), whole=False)
    assert len(shadows(Plan((Change("create", None, new, ""),)), repository_of({"w.yml": JOBS}), seen)) == 1


def variable(name: str, value: str = "new", environment: str = "prod") -> EnvironmentVariable:
    return EnvironmentVariable(environment=environment, name=name, value=value)


@pytest.mark.parametrize(
    ("resource", "found"),
    [
        (variable("AZURE_CLIENT_ID"), ["AZURE_CLIENT_ID at w.yml:8"]),
        (variable("AZURE_CLIENT_ID", "old"), []),
        (variable("AZURE_CLIENT_ID", environment="dev"), []),
        (variable("AZURE_SUBSCRIPTION_ID"), []),
        (variable("AZURE_TENANT_ID"), ["AZURE_TENANT_ID at w.yml:3"]),  # of all jobs
        (variable("ONLY_HERE"), []),
        (variable("ANYWHERE"), ["ANYWHERE at w.yml:19"]),
        (variable("UNKNOWN"), []),
        (
            EnvironmentSecret(environment="prod", name="AZURE_CLIENT_ID", content="x"),
            ["AZURE_CLIENT_ID at w.yml:8"],
        ),
        (EnvironmentSecret(environment="prod", name="AZURE_TENANT_ID", content="x"), []),  # Dependabot's
        (EnvironmentSecret(environment="dev", name="AZURE_CLIENT_ID", content="x"), []),
    ],
)
def test_what_a_new_id_would_hide(resource: Resource, found: list[str]) -> None:
    assert hidden(resource) == found


def test_what_is_there_already_hides_nothing_new() -> None:
    there = variable("AZURE_CLIENT_ID", "other")
    plan = Plan((Change("update", there, variable("AZURE_CLIENT_ID"), ""),))
    assert shadows(plan, repository_of({"w.yml": JOBS}), SEEN) == []


def test_a_hidden_id_takes_its_own_word() -> None:
    plan = Plan((Change("create", None, variable("AZURE_CLIENT_ID"), ""),))
    found = shadows(plan, repository_of({"w.yml": JOBS}), SEEN)
    assert [hazard.id for hazard in gentle(plan, found).blocked] == ["shadow=prod/AZURE_CLIENT_ID"]
    assert gentle(plan, found, ["shadow=prod/AZURE_CLIENT_ID"]).blocked == ()
    assert gentle(plan, found, ["shadow=prod/AZURE_TENANT_ID"]).blocked


def test_no_word_lets_it_remove_or_overwrite() -> None:
    gone = GitHubEnvironment(name="prod")
    hazards = (Hazard("overwrite=prod/A", "", allowed=True), Hazard("enable=x", "", allowed=True))
    plan = gentle(
        Plan((Change("delete", gone, None, ""),), hazards=hazards), (), ["remove=prod", "overwrite=prod/A"]
    )
    assert [(hazard.id, hazard.allowable) for hazard in plan.blocked] == [
        ("overwrite=prod/A", False),
        ("remove=prod", False),
    ]
