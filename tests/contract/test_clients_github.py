"""The GitHub client over HTTPS to the sandbox: what it does, what it survives, and that it keeps to the limits."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.clients_on_sandbox import TROUBLE_IDS, TROUBLES, Bench, export, run
from trustsmith.clients.github import github_token
from trustsmith.errors import Conflict, NotAllowed, NotFound, NotSignedIn, ServiceError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Sandbox

REPO = "contoso/agents"
ENV = "prod/eu west"
NOT_LIMITS = [fault for fault in TROUBLES if fault.get("status") != 429]
CUSTOM = {"deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True}}


@pytest.fixture(autouse=True)
def _signed_in(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    export(sandbox, monkeypatch)


def repository(sandbox: Sandbox) -> dict[str, Any]:
    repositories = sandbox.state()["github"]["repositories"].values()
    [found] = [r for r in repositories if f"{r['owner']}/{r['name']}" == REPO]
    return dict(found)


def test_an_environment_from_nothing_to_gone(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        hub = bench.github
        team = await hub.team("contoso", "platform")
        assert team is not None
        body = {"wait_timer": 10, "reviewers": [{"type": "Team", "id": team["id"]}], **CUSTOM}
        assert await hub.environment(REPO, ENV) is None
        assert (await hub.put_environment(REPO, ENV, body))["name"] == ENV
        for _ in range(2):  # what is there is done
            await hub.add_branch_policy(REPO, ENV, "release/*", "branch")
            await hub.add_branch_policy(REPO, ENV, "v*", "tag")
        policies = await hub.branch_policies(REPO, ENV)
        assert {(p["name"], p["type"]) for p in policies} == {("release/*", "branch"), ("v*", "tag")}
        assert [e["name"] for e in await hub.environments(REPO)] == [ENV]
        for _ in range(2):  # what is gone is done
            await hub.delete_branch_policy(REPO, ENV, policies[0]["id"])
        assert len(await hub.branch_policies(REPO, ENV)) == 1
        for _ in range(2):
            await hub.delete_environment(REPO, ENV)
        assert await hub.environments(REPO) == []

    run(sandbox, story)


def test_secrets_arrive_as_they_were_meant(sandbox: Sandbox) -> None:
    """The sandbox opens the sealed box with the environment's private key, and refuses any other."""

    async def story(bench: Bench) -> None:
        hub = bench.github
        await hub.put_environment(REPO, ENV, {})
        key = await hub.public_key(REPO, ENV)
        await asyncio.gather(*(hub.put_secret(REPO, ENV, f"NAME_{n}", f"värde {n}", key) for n in range(12)))
        assert len(await hub.secrets(REPO, ENV)) == 12
        for _ in range(2):
            await hub.delete_secret(REPO, ENV, "NAME_0")
        with pytest.raises(ServiceError, match="public key"):
            await hub.put_secret(REPO, ENV, "X", "value", {"key": "bm8=", "key_id": "1"})

    run(sandbox, story)
    secrets = repository(sandbox)["environments"][ENV]["secrets"]
    assert {name: secret["value"] for name, secret in secrets.items()} == {
        f"NAME_{n}": f"värde {n}" for n in range(1, 12)
    }


def test_secrets_of_every_level_and_store_go_by_name(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        values, legacy = bench.github.values, "contoso/legacy"
        for _ in range(2):  # what is gone is done
            await values.delete_secret(legacy, "AZURE_CREDENTIALS", "actions")
            await values.delete_secret(legacy, "AZURE_CREDENTIALS", "dependabot")
            await values.delete_organization_secret("contoso", "AZURE_CREDENTIALS", "actions")
        assert "AZURE_CREDENTIALS" not in [s["name"] for s in await values.secrets(legacy, "actions")]
        assert await values.secrets(legacy, "dependabot") == []
        assert len(await values.secrets(legacy, "codespaces")) == 1
        assert [s["name"] for s in await values.organization_secrets(legacy, "actions")] == [
            "AZURE_CLIENT_SECRET"
        ]

    run(sandbox, story)


def test_variables_whatever_one_believed_was_there(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        hub = bench.github
        await hub.put_environment(REPO, ENV, {})
        for value, exists in (("1", True), ("2", False), ("3", True)):
            await hub.set_variable(REPO, ENV, "TRUSTSMITH", value, exists=exists)
        await asyncio.gather(*(hub.set_variable(REPO, ENV, f"V{n}", "x", exists=False) for n in range(34)))
        found = {v["name"]: v["value"] for v in await hub.variables(REPO, ENV)}
        assert len(found) == 35, "the second page is read"
        assert found["TRUSTSMITH"] == "3"
        for _ in range(2):
            await hub.delete_variable(REPO, ENV, "TRUSTSMITH")

    run(sandbox, story)


def test_repositories_and_people(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        hub = bench.github
        assert (await hub.repository("CONTOSO/Agents") or {})["full_name"] == REPO
        assert await hub.repository("contoso/absent") is None
        assert "sub_claim_prefix" in await hub.oidc_subject(REPO)
        assert await hub.oidc_subject("contoso/absent") == {"use_default": True}
        assert [b["name"] for b in await hub.protected_branches(REPO)] == ["main"]
        assert (await hub.user("octocat") or {})["login"] == "octocat"
        assert await hub.user("no-body") is None
        assert await hub.team("contoso", "absent") is None
        assert (await hub.whoami())["login"] == "octocat"

    run(sandbox, story)


def test_writes_go_to_the_present_name_of_a_renamed_repository(sandbox: Sandbox) -> None:
    headers = {"Authorization": f"Bearer {sandbox.env['GH_TOKEN']}", "User-Agent": "test"}
    url = f"{sandbox.origin}/api/v3/repos/{REPO}"
    sandbox.http.patch(url, json={"name": "agents-2"}, headers=headers).raise_for_status()

    async def story(bench: Bench) -> None:
        assert (await bench.github.repository(REPO) or {})["full_name"] == "contoso/agents-2"
        await bench.github.put_environment(REPO, ENV, {})
        assert await bench.github.environment("contoso/agents-2", ENV) is not None

    run(sandbox, story)


@pytest.mark.parametrize("fault", NOT_LIMITS, ids=[name for name in TROUBLE_IDS if name != "429"])
@pytest.mark.parametrize("what", ["environment", "policy", "secret", "variable"])
def test_a_write_that_goes_wrong_once_is_done_once(
    sandbox: Sandbox, what: str, fault: dict[str, Any]
) -> None:
    targets = {
        "environment": ("PUT", "*/environments/prod*"),
        "policy": ("POST", "*/deployment-branch-policies"),
        "secret": ("PUT", "*/secrets/*"),
        "variable": ("POST", "*/variables"),
    }

    async def story(bench: Bench) -> None:
        hub = bench.github
        bench.trouble("github", *targets[what], **fault)
        await hub.put_environment(REPO, "prod", CUSTOM)
        await hub.add_branch_policy(REPO, "prod", "main", "branch")
        await hub.put_secret(REPO, "prod", "ID", "1", await hub.public_key(REPO, "prod"))
        await hub.set_variable(REPO, "prod", "TRUSTSMITH", "x", exists=False)
        assert len(await hub.branch_policies(REPO, "prod")) == 1
        assert [v["value"] for v in await hub.variables(REPO, "prod")] == ["x"]
        assert [s["name"] for s in await hub.secrets(REPO, "prod")] == ["ID"]

    run(sandbox, story)


def test_a_plan_without_the_feature(sandbox: Sandbox) -> None:
    world = sandbox.state()
    world["github"]["organizations"]["contoso"]["plan"] = "team"
    for found in world["github"]["repositories"].values():
        found["visibility"] = "private"
    sandbox.control("reset", world)

    async def story(bench: Bench) -> None:
        with pytest.raises(Conflict) as caught:
            await bench.github.put_environment(REPO, ENV, {"wait_timer": 5})
        assert caught.value.code == "plan_lacks_feature"
        assert "plan" in caught.value.message
        assert await bench.github.environment(REPO, ENV) is not None, "GitHub makes it all the same"

    run(sandbox, story)


def test_what_a_token_may_not_do(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GH_TOKEN", "sandbox-read-only-token")

    async def story(bench: Bench) -> None:
        with pytest.raises((NotAllowed, NotFound)) as caught:
            await bench.github.put_environment(REPO, ENV, {})
        assert "administrator of the repository" in caught.value.hint

    run(sandbox, story)


def test_a_token_that_is_none(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GH_TOKEN", "wrong")

    async def story(bench: Bench) -> None:
        with pytest.raises(NotSignedIn) as caught:
            await bench.github.repository(REPO)
        assert caught.value.hint.startswith("gh auth login")
        assert "wrong" not in caught.value.original

    run(sandbox, story)


def test_a_hundred_writes_never_meet_the_limit(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        await bench.github.put_environment(REPO, ENV, {})
        names = [f"N{number}" for number in range(100)]
        await asyncio.gather(*(bench.github.set_variable(REPO, ENV, n, "x", exists=False) for n in names))
        assert bench.waits == []

    run(sandbox, story)


def test_a_primary_limit_says_when_it_ends(sandbox: Sandbox) -> None:
    """GitHub's answer names the time; waiting for it longer than an operation may take is not tried."""

    async def story(bench: Bench) -> None:
        bench.trouble("github", "GET", when="before", status=429, retry_after=3600)
        with pytest.raises(ServiceError, match="it ends at"):
            await bench.github.repository(REPO)
        with pytest.raises(ServiceError, match="it ends at"):
            await bench.github.repository(REPO)

    run(sandbox, story)


def test_a_secondary_limit_is_waited_out_and_slows_later_writes_down(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> float:
        bench.trouble("github", "PUT", when="before", status=429, retry_after=0.1)
        await bench.github.put_environment(REPO, ENV, {})
        started = time.monotonic()
        await bench.github.put_environment(REPO, ENV, {})
        return time.monotonic() - started

    assert run(sandbox, story) > 0.8


@pytest.mark.parametrize(
    ("host", "name"),
    [("github.com", "GH_TOKEN"), ("github.com", "GITHUB_TOKEN"), ("h.example", "GH_ENTERPRISE_TOKEN")],
)
def test_tokens_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, host: str, name: str) -> None:
    monkeypatch.delenv("GH_TOKEN")
    monkeypatch.setenv(name, " its-token\n")
    assert github_token(host) == "its-token"


def test_tokens_come_from_gh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("GH_TOKEN")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotSignedIn) as caught:
        github_token("github.com")
    assert "gh auth login --hostname github.com" in caught.value.hint
    gh = tmp_path / "gh"
    gh.write_text('#!/bin/sh\necho "token-of-$4"\n')
    gh.chmod(0o755)
    assert github_token("h.example") == "token-of-h.example"
