"""Advice about roles: every plan says what its jobs lack and which role reaches too far, and nothing is held up by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.desk import PROJECT_MANAGER, config, project

if TYPE_CHECKING:
    from tests.cli.desk import Desk, World

_WRITE = "Microsoft.CognitiveServices/accounts/AIServices/agents/write"
_CONFIG = config(environments=("dev", "prod")).replace(
    project("dev"), f"{project('dev')}\n    role: reader"
) + ("    grants: [{role: contributor, scope: subscription, because: deploys models}]\n")


def _kinds(desk: Desk, *args: str) -> list[tuple[str, str]]:
    document = desk("plan", "--format", "json", *args).ends(0).json
    return [(advice["environment"], advice["kind"]) for advice in document["rights"]]


def _definitions_read(desk: Desk) -> int:
    return sum("roledefinitions" in str(request["path"]).lower() for request in desk.requests())


def test_a_plan_says_what_is_missing_and_what_is_too_wide(desk: Desk) -> None:
    desk.write(_CONFIG)
    found = _kinds(desk)
    assert found == [("dev", "missing"), ("prod", "fine"), ("prod", "perhaps-too-wide")]
    assert _definitions_read(desk) == 3, "each role of the file once"
    said = desk("plan").ends(0).out
    assert '- {role: foundry-user, scope: project, because: "read agents, create and update agents"}' in said
    assert "prod, perhaps too wide: Contributor at subscriptions/" in said
    assert "The file's reason: deploys models" in said
    assert "- missing `dev`: Its jobs read agents" in desk("plan", "--format", "md").ends(0).out


def test_what_azure_is_not_asked_for_is_not_judged(desk: Desk) -> None:
    desk.write(_CONFIG)
    assert _kinds(desk, "--only", "github") == [("dev", "not-looked-at"), ("prod", "not-looked-at")]
    assert _definitions_read(desk) == 0
    fault = {"service": "arm", "method": "GET", "path": "*/roledefinitions/*", "status": 403, "times": 9}
    desk.sandbox.control("faults", fault)
    assert _kinds(desk) == [("dev", "unknown"), ("prod", "unknown")]


def test_advice_is_no_difference(configured: Desk) -> None:
    fingerprint = configured("plan", "--format", "json").ends(0).json["fingerprint"]

    def changed_by_microsoft(world: World) -> None:
        permissions = world.data["role_definitions"][PROJECT_MANAGER]["properties"]["permissions"]
        permissions[0]["notDataActions"] = [_WRITE]

    configured.edit(changed_by_microsoft)
    done = configured("plan", "--check", "--format", "json").ends(0)
    assert {advice["kind"] for advice in done.json["rights"]} == {"missing"}
    assert done.json["fingerprint"] == fingerprint
    assert "roles-permit" in configured("doctor").ends(3).out
    configured.forget()
    assert "missing: Its jobs create and update agents" in configured("apply", "--yes").ends(0).out
    assert _definitions_read(configured) == 1, "what stands in the way of an apply reads it, too"
    assert configured.writes() == []
