"""What is missing before a secret may go: live trust that a job has used, and nobody who reads it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.corpus.marks import repository_of
from tests.property.worlds import World, carry_out, facts_of, project, wanted_of
from trustsmith.diff import diff
from trustsmith.errors import Problem
from trustsmith.migrate.proof import lacking, readers
from trustsmith.migrate.scan import scan
from trustsmith.model.config import Config, Environment
from trustsmith.model.plan import Waiting
from trustsmith.model.resource import Key, Later
from trustsmith.model.resources import Application, FederatedCredential, RoleAssignment
from trustsmith.model.state import State

if TYPE_CHECKING:
    from trustsmith.migrate.proof import Readers

CONFIG = Config(
    repository="contoso/agents",
    tenant="t",
    environments=(
        Environment(name="dev", projects=(project("dev"),)),
        Environment(name="prod", projects=(project("prod"),)),
    ),
)
FACTS = facts_of(CONFIG)
WANTED = wanted_of(CONFIG, FACTS)


def set_up() -> World:
    world = World()
    carry_out(world, diff(State(), WANTED), FACTS)
    return world


def proven(live: State, *environments: str) -> State:
    """The state after jobs of these environments have used what is there."""
    return replace(
        live,
        proven=frozenset(
            (
                str(live.known(Later(Key(Application.kind, r.identity), "client_id"))).lower(),
                r.issuer,
                r.subject,
                r.audience,
            )
            for r in live.values()
            if isinstance(r, FederatedCredential) and r.environment in environments
        ),
    )


def lacks(live: State) -> list[str]:
    found = lacking(CONFIG, diff(live, WANTED), WANTED, live)
    assert all(hazard.hint and not hazard.allowable for hazard in found)
    return [hazard.id for hazard in found]


def test_every_environment_has_to_be_proven() -> None:
    live = set_up().state()
    assert lacks(live) == ["not-proven=dev", "not-proven=prod"]
    assert lacks(proven(live, "dev")) == ["not-proven=prod"]
    assert lacks(proven(live, "dev", "prod")) == []


def test_what_worked_for_another_application_or_subject_proves_nothing() -> None:
    live = proven(set_up().state(), "dev", "prod")
    others = [
        {("another", issuer, subject, audience) for _, issuer, subject, audience in live.proven},
        {(client, "https://other", subject, audience) for client, _, subject, audience in live.proven},
        {(client, issuer, "repo:o/n:environment:x", audience) for client, issuer, _, audience in live.proven},
        {(client, issuer, subject, "api://x") for client, issuer, subject, _ in live.proven},
    ]
    for other in others:
        assert lacks(replace(live, proven=frozenset(other))) == ["not-proven=dev", "not-proven=prod"]


@pytest.mark.parametrize("kind", [RoleAssignment, FederatedCredential])
def test_what_is_no_longer_there_is_named(kind: type) -> None:
    world = set_up()
    live = proven(world.state(), "dev", "prod")
    gone = next(key for key, r in live.items() if isinstance(r, kind) and "dev" in key.name)
    del world.resources[gone]
    now = replace(world.state(), proven=live.proven)
    expected = [f"not-live={gone.name}"]
    assert lacks(now) == expected + (["not-proven=dev"] if kind is FederatedCredential else [])


def test_what_waits_and_what_may_not_be_read_counts_as_missing() -> None:
    live = proven(set_up().state(), "dev", "prod")
    key = next(k for k, r in live.items() if isinstance(r, RoleAssignment))
    plan = replace(
        diff(live, WANTED), waiting=(Waiting(key, "x"), Waiting(Key("github environment", "old"), "y"))
    )
    assert [h.id for h in lacking(CONFIG, plan, WANTED, live)] == [f"not-live={key.name}"]
    assert lacks(replace(live, unread={"azure": "no", "files": "no"})) == ["not-seen=azure"]


def test_another_text_in_the_checkout_is_no_matter() -> None:
    world = set_up()
    for key in [k for k in world.resources if k.kind == "workflow file"]:
        del world.resources[key]
    assert lacks(proven(world.state(), "dev", "prod")) == []


def read(*problems: Problem, **workflows: str) -> Readers:
    head = "on: push\njobs:\n  a:\n"
    repository = repository_of({f".github/workflows/{n}.yml": head + text for n, text in workflows.items()})
    return readers(repository, scan(repository), problems)


def test_who_reads_a_secret_is_said_by_file_and_line() -> None:
    steps = """\
    steps:
      - run: |
          echo one
          use ${{ secrets.azure_credentials }}
      - run: x
        if: ${{ secrets['MINE'] != '' }}
"""
    found = read(deploy=steps)
    assert dict(found.of) == {
        "AZURE_CREDENTIALS": (".github/workflows/deploy.yml:7",),
        "MINE": (".github/workflows/deploy.yml:9",),
    }
    assert (found.unnamed, found.unsure) == ((), {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("    uses: o/r/.github/workflows/w.yml@v1\n    secrets: inherit\n", "5 hands all secrets to o/r/"),
        ("    steps: [{run: 'x ${{ secrets[matrix.x] }}'}]\n", "4 names a secret that only the run knows"),
        ("    env:\n      ALL: ${{ toJSON(secrets) }}\n", "5 names a secret that only the run knows"),
    ],
)
def test_what_cannot_be_told_is_said(text: str, said: str) -> None:
    ((place, why),) = read(x=text).unsure.items()
    assert f"{place} {why}".startswith(f".github/workflows/x.yml:{said}")


def test_a_local_workflow_that_inherits_is_read_itself() -> None:
    called = "    steps: [{run: 'x ${{ secrets.AZURE_CREDENTIALS }}'}]\n"
    caller = "    uses: ./.github/workflows/called.yml\n    secrets: inherit\n"
    found = read(called=called, caller=caller)
    assert found.unsure == {}
    assert ".github/workflows/called.yml:4" in found.of["AZURE_CREDENTIALS"]


def test_files_that_could_not_be_read_registries_and_what_no_secret_is_known_of() -> None:
    steps = """\
    steps:
      - uses: docker/login-action@v3
        with:
          registry: contoso.azurecr.io
          username: x
          password: ${{ secrets.REGISTRY_PASSWORD }}
      - run: az login --service-principal -u x -p "$SECRET" --tenant t
"""
    found = read(Problem("action.yml", 0, 0, "This cannot be read."), images=steps)
    assert found.unsure == {"action.yml": "could not be read: This cannot be read."}
    assert found.registries == {"REGISTRY_PASSWORD"}
    assert found.unnamed == (".github/workflows/images.yml:10",)
