"""`migrate --scan --org` against the sandbox's northwind: what is told of which repository. In this process."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.clients_on_sandbox import Bench, export
from tests.contract.clients_on_sandbox import run as on_bench
from trustsmith.cli import cli
from trustsmith.cli.exits import run
from trustsmith.clients.transport import Pace
from trustsmith.flows.organization import Look

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Sandbox
    from trustsmith.migrate.overview import Overview

Json = dict[str, Any]
USING = ["shop", "reports", "platform", "orders", "website", "shop-2023"]


@pytest.fixture
def look(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Json]:
    """Run it where no checkout is; the document, and the exit code in it. No value of a secret may be in it."""
    for name, value in sandbox.env.items():
        monkeypatch.setenv(name, value)

    def call(owner: str, *, token: str = "", **_: object) -> Json:
        if token:
            monkeypatch.setenv("GH_TOKEN", token)
        words = ["-C", str(tmp_path), "migrate", "--scan", "--org", owner, "--format", "json"]
        code = run(cli, words)
        out, err = capsys.readouterr()
        assert "sandbox-northwind" not in out + err
        document: Json = json.loads(out)
        return document | {"code": code}

    return call


def by_name(document: Json) -> dict[str, Json]:
    """The repositories in their order, by name."""
    return {each["repository"].partition("/")[2]: each for each in document["repositories"]}


def test_the_riskiest_is_first_and_nothing_is_left_out(look: Callable[..., Json]) -> None:
    document = look("Northwind")
    found = by_name(document)
    assert (document["code"], document["owner"], document["kind"]) == (3, "northwind", "organization")
    assert [name for name, each in found.items() if each["findings"]] == USING
    assert len(found) == 9
    assert (found["ideas"]["state"], found["handbook"]["state"]) == ("empty", "read")
    assert (found["terraform-modules"]["fork"], found["shop-2023"]["archived"]) == (True, True)
    reasons = {name: {r["id"] for r in found[name]["risk"]["reasons"]} for name in USING}
    assert reasons == {
        "shop": {"strangers", "entra-secret", "no-environment", "shared"},
        "reports": {"entra-secret", "no-environment", "shared", "stale"},
        "platform": {"entra-secret", "no-environment", "copies"},
        "orders": {"entra-secret"},
        "website": {"other-key"},
        "shop-2023": set(),
    }


def test_each_secret_is_where_it_lives_and_the_organizations_are_told_once(look: Callable[..., Json]) -> None:
    document = look("northwind")
    found = by_name(document)
    assert {name: found[name]["findings"][0]["level"] for name in USING[:5]} == {
        "shop": "organization",
        "reports": "organization",
        "platform": "organization",
        "orders": "environment production",
        "website": "repository",
    }
    shared = {each["name"]: each for each in document["organization_secrets"]}
    assert shared["AZURE_CREDENTIALS"]["used_by"] == ["northwind/reports", "northwind/shop"]
    assert shared["ARM_CLIENT_SECRET"]["repositories"] == ["northwind/platform"]
    assert document["notes"] == []


def test_what_cannot_be_read_is_named_and_the_others_go_on(
    look: Callable[..., Json], sandbox: Sandbox
) -> None:
    for path in ("*/northwind/handbook/git/*", "*/northwind/orders/environments*"):
        sandbox.control(
            "faults",
            {"service": "github", "method": "GET", "path": path, "when": "before", "status": 403, "times": 9},
        )
    document = look("northwind")
    found = by_name(document)
    assert (found["handbook"]["state"], found["handbook"]["findings"]) == ("not read", None)
    assert "may not do this" in found["handbook"]["why"]
    assert "its environments could not be read" in found["orders"]["notes"][0]
    assert found["orders"]["findings"][0]["level"] == "unknown", "what was not seen is not nowhere"
    assert (found["orders"]["missing"], found["shop"]["state"]) == ([], "read")


def test_without_an_owners_rights_levels_of_the_organization_are_not_guessed(
    look: Callable[..., Json],
) -> None:
    document = look("contoso", token="sandbox-writer-token")
    legacy = by_name(document)["legacy"]
    assert document["organization_secrets"] is None
    assert "for its owners" in document["notes"][0]
    assert {s["visibility"] for s in legacy["secrets"] if s["level"] == "organization"} == {""}


def test_a_persons_repositories_and_whether_those_are_all(look: Callable[..., Json]) -> None:
    document = look("octocat")
    assert (document["code"], document["kind"], document["notes"]) == (0, "user", [])
    assert list(by_name(document)) == ["hello-world"]
    assert "public ones" in look("octocat", token="sandbox-writer-token")["notes"][0]


def test_it_asks_no_more_than_the_documentation_says(look: Callable[..., Json], sandbox: Sandbox) -> None:
    before = len(sandbox.log.read_text())
    look("northwind")
    lines = [json.loads(line) for line in sandbox.log.read_text()[before:].splitlines()]
    asked = [line["path"] for line in lines if line["service"] == "github"]
    orders = [path for path in asked if "/northwind/orders/" in path or path.endswith("/northwind/orders")]
    assert len(orders) == 2 + 1 + 5 + 1, "two, a workflow, the places of secrets, an environment"
    assert len([path for path in asked if "/northwind/handbook" in path]) == 2
    assert {line["service"] for line in lines} == {"github"}


def test_it_waits_for_the_end_of_githubs_limit_and_goes_on(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit that ends later than a single operation may take: here two seconds, at GitHub an hour."""
    export(sandbox, monkeypatch)
    session: Any = SimpleNamespace(talk=SimpleNamespace(step=lambda _: None))

    async def story(bench: Bench) -> Overview:
        session.github = bench.github
        bench.trouble("github", "GET", "*/northwind/orders/git/*", when="before", status=429, retry_after=2)
        return await Look(session).overview("northwind")

    found = on_bench(sandbox, story, Pace(first=0.01, deadline=1.5))
    assert {each.about.full_name: each.state for each in found.looked}["northwind/orders"] == "read"
    assert not any(each.incomplete for each in found.looked)
