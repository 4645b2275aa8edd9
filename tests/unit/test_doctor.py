"""Checks of doctor on hand-made evidence: what the sandbox cannot show."""

from __future__ import annotations

from typing import Any

import pytest

from trustsmith.doctor import examine
from trustsmith.doctor.evidence import Azure, Evidence, GitHub, Made, People, Rights
from trustsmith.errors import NotFound, NotSignedIn, ServiceError
from trustsmith.model.config import Config
from trustsmith.model.foundry import PROJECT_MANAGER
from trustsmith.model.plan import Change, Plan, Verb
from trustsmith.model.resources import RoleAssignment
from trustsmith.render import catalogue

NOBODY = Config(repository="contoso/agents", tenant="t", environments=())


def _examined(check: str, **parts: Any) -> list[tuple[str, str]]:
    found = examine(Evidence(config=NOBODY, **parts), only={check})
    return [(finding.verdict, f"{finding.why} {finding.next}") for finding in found]


def _verdicts(check: str, **parts: Any) -> list[str]:
    return [verdict for verdict, _ in _examined(check, **parts)]


def test_what_was_not_asked_for_is_no_finding() -> None:
    assert examine(Evidence(config=NOBODY)) == []


def test_every_template_says_what_it_does() -> None:
    assert [name for name, template in catalogue().items() if not template.operations] == []


@pytest.mark.parametrize(
    ("expires", "verdicts"),
    [
        ("", ["pass"]),
        ("2026-01-01 13:00:00 UTC", ["fail", "pass"]),
        ("2026-01-01 14:00:00 +0100", ["fail", "pass"]),
        ("2026-03-01 12:00:00 UTC", ["pass"]),
        ("whenever", ["pass"]),
    ],
)
def test_a_token_that_ends_soon(expires: str, verdicts: list[str]) -> None:
    token = {"prefix": "ghp_", "scopes": ["repo"], "expires": expires}
    assert _verdicts("github-token", github=GitHub(token=token), now=1767268800.0) == verdicts


@pytest.mark.parametrize("prefix", ["ghp_", "github_pat_", "gho_", "ghu_", "ghs_", ""])
def test_every_kind_of_token_has_a_name(prefix: str) -> None:
    token = {"prefix": prefix, "scopes": None, "expires": ""}
    ((verdict, said),) = _examined("github-token", github=GitHub(token=token))
    assert verdict == "unknown"
    assert "It is a" in said


@pytest.mark.parametrize(
    ("claims", "policy", "roles", "verdict"),
    [
        ({"idtyp": "user", "scp": "User.Read"}, {}, [], "fail"),
        ({"scp": "Directory.AccessAsUser.All"}, {"allowedToCreateApps": True}, [], "pass"),
        ({"idtyp": "user"}, {"allowedToCreateApps": False}, [], "fail"),
        ({"idtyp": "user"}, {}, [], "unknown"),
        ({"idtyp": "user"}, {}, ["cf1c38e5-3621-4004-a7cb-879624dced7c"], "pass"),
        ({"idtyp": "user", "wids": ["158c047a-c907-4556-b7ef-446551a6b5f7"]}, {}, [], "pass"),
        ({"idtyp": "user"}, ServiceError("no", service="graph"), [], "unknown"),
        ({"idtyp": "user"}, {}, ServiceError("no", service="graph"), "unknown"),
        ({"idtyp": "app"}, None, None, "fail"),
        ({"idtyp": "app", "wids": ["9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3"]}, None, None, "pass"),
        ({"roles": ["Application.ReadWrite.OwnedBy"]}, None, None, "pass"),
    ],
)
def test_who_may_register(claims: dict[str, Any], policy: Any, roles: Any, verdict: str) -> None:
    told = {"defaultUserRolePermissions": policy} if isinstance(policy, dict) else policy
    held = [{"roleTemplateId": role} for role in roles] if isinstance(roles, list) else roles
    people = People(graph=claims, policy=told, roles=held)
    assert _verdicts("register-applications", people=people) == [verdict]


def test_one_sign_in_that_fails_is_one_finding() -> None:
    nobody = NotSignedIn("Nobody is signed in to Azure.", service="entra", hint="az login")
    found = examine(Evidence(config=NOBODY, people=People(azure=nobody), azure=Azure(subscriptions=nobody)))
    assert [(finding.check, finding.verdict, finding.next) for finding in found] == [
        ("azure-sign-in", "fail", "az login")
    ]


GROUP = "/subscriptions/aaaaaaaa-0000-0000-0000-000000000002/resourceGroups/rg"
PROJECT = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/foundry/projects/agents"


def _lock(place: str, level: str, notes: str | None = None) -> dict[str, Any]:
    identity = f"{place}/providers/Microsoft.Authorization/locks/keep"
    return {"id": identity, "name": "keep", "properties": {"level": level, "notes": notes}}


def _role(scope: str) -> RoleAssignment:
    return RoleAssignment(identity="app", role=PROJECT_MANAGER.guid, scope=scope, principal="p")


@pytest.mark.parametrize(
    ("verb", "place", "level", "verdict"),
    [
        ("create", PROJECT, "ReadOnly", "fail"),
        ("create", PROJECT.rpartition("/projects/")[0].upper(), "ReadOnly", "fail"),
        ("create", GROUP, "ReadOnly", "fail"),
        ("create", GROUP.partition("/resourceGroups/")[0], "ReadOnly", "fail"),
        ("create", PROJECT, "CanNotDelete", "pass"),
        ("create", f"{GROUP}2", "ReadOnly", "pass"),
        ("create", f"{PROJECT}/agents/one", "ReadOnly", "pass"),
        ("delete", GROUP, "CanNotDelete", "fail"),
        ("delete", PROJECT, "ReadOnly", "fail"),
        ("delete", PROJECT, "NotSpecified", "pass"),
    ],
)
def test_a_lock_binds_what_is_below_it(verb: Verb, place: str, level: str, verdict: str) -> None:
    role = _role(PROJECT)
    change = Change(verb, role if verb == "delete" else None, None if verb == "delete" else role, "")
    azure = Azure(rights={PROJECT.lower(): Rights(locks=[_lock(place, level, "by finance")])})
    ((found, said),) = _examined("resource-locks", azure=azure, made=Made(plan=Plan((change,))))
    assert found == verdict
    assert (verdict == "pass") is not ("by finance" in said and f"--ids {place}" in said)


def test_locks_hold_up_only_what_is_to_change() -> None:
    azure = Azure(rights={PROJECT.lower(): Rights(locks=[_lock(PROJECT, "ReadOnly")])})
    assert _examined("resource-locks", azure=azure, made=Made(plan=Plan())) == []
    unread = Azure(rights={PROJECT.lower(): Rights(locks=ServiceError("no", service="arm"))})
    made = Made(plan=Plan((Change("create", None, _role(PROJECT), ""),)))
    assert _verdicts("resource-locks", azure=unread, made=made) == ["unknown"]


@pytest.mark.parametrize(("verb", "found"), [("delete", []), ("create", ["fail"])])
def test_a_role_may_go_from_what_is_gone(verb: Verb, found: list[str]) -> None:
    elsewhere = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/gone"
    role = _role(elsewhere)
    change = Change(verb, role if verb == "delete" else None, None if verb == "delete" else role, "")
    azure = Azure(rights={elsewhere.lower(): Rights(permissions=NotFound("gone", service="arm"))})
    assert _verdicts("assign-roles", azure=azure, made=Made(plan=Plan((change,)))) == found


PINNED = "azure/login@" + "a" * 40


@pytest.mark.parametrize(
    ("nested", "verdicts"),
    [([], ["pass"]), ([PINNED, "./inner"], ["pass"]), (["actions/setup-python@v5"], ["fail"])],
)
def test_what_a_composite_action_uses_itself(nested: list[str], verdicts: list[str]) -> None:
    policy = {"enabled": True, "allowed_actions": "selected", "sha_pinning_required": True}
    chosen = {"patterns_allowed": ["azure/*"]}
    hub = GitHub(actions=policy, selected=chosen, nested={PINNED: nested})
    made = Made(uses=frozenset({PINNED}))
    assert _verdicts("actions-pinned", github=hub, made=made) == verdicts
    assert _verdicts("actions-allowed", github=hub, made=made) == verdicts


@pytest.mark.parametrize(("ahead", "verdict"), [(0, "pass"), (119, "pass"), (-121, "fail"), (121, "fail")])
def test_the_clock(ahead: float, verdict: str) -> None:
    assert _verdicts("clock", skews={"GitHub": ahead, "Microsoft Graph": 0.0}) == [verdict]
