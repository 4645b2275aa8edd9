"""People in the sandbox: what they hold, what that lets them do, and how Azure CLI would sign them in."""

from __future__ import annotations

import base64
import json
import subprocess
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli import person
from tests.contract.callers import Caller, arm_of, bystander, graph_of, person_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Sandbox

_APPS = "/v1.0/applications"
_ROLES = "/v1.0/me/transitiveMemberOf/microsoft.graph.directoryRole"
_POLICY = "/v1.0/policies/authorizationPolicy"
_DEVELOPER = "cf1c38e5-3621-4004-a7cb-879624dced7c"


def _graph(sandbox: Sandbox, name: str) -> Caller:
    return person_of(sandbox, f"{name}@contoso.onmicrosoft.com", f"{sandbox.origin}/.default")


def _close_registration(sandbox: Sandbox) -> None:
    world = sandbox.state()
    tenant = world["tenants"][sandbox.env["AZURE_TENANT_ID"]]
    tenant["authorizationPolicy"]["defaultUserRolePermissions"]["allowedToCreateApps"] = False
    sandbox.control("reset", world)


def _claims(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


@pytest.mark.parametrize(
    ("name", "roles"),
    [("admin", ["Global Administrator"]), ("registrar", ["Application Developer"]), ("developer", [])],
)
def test_directory_roles(sandbox: Sandbox, name: str, roles: list[str]) -> None:
    me = _graph(sandbox, name)
    assert [role["displayName"] for role in me.get(_ROLES)["value"]] == roles
    every = me.get("/v1.0/me/memberOf")["value"]
    assert [o["displayName"] for o in every if o["@odata.type"] == "#microsoft.graph.directoryRole"] == roles


def test_a_role_through_a_group_of_groups(sandbox: Sandbox) -> None:
    world = sandbox.state()
    inner, outer = (world["groups"][f"0c000000-0000-0000-0000-00000000010{n}"] for n in (1, 2))
    outer["members"].append(inner["id"])
    outer["directoryRoles"] = ["Application Developer"]
    sandbox.control("reset", world)
    me = _graph(sandbox, "user")
    assert [role["roleTemplateId"] for role in me.get(_ROLES)["value"]] == [_DEVELOPER]
    assert me.get(_ROLES.replace("transitiveMemberOf", "memberOf"))["value"] == []
    groups = me.get("/v1.0/me/transitiveMemberOf/microsoft.graph.group?$select=displayName")["value"]
    assert [group["displayName"] for group in groups] == ["foundry-dev", "foundry-staging"]


def test_whose_memberships(sandbox: Sandbox) -> None:
    operator = graph_of(sandbox)
    found = operator.get("/v1.0/users/registrar@contoso.onmicrosoft.com/transitiveMemberOf")["value"]
    assert [role["roleTemplateId"] for role in found] == [_DEVELOPER]
    assert operator.get("/v1.0/users/nobody/memberOf", status=404)["error"]
    assert operator.get("/v1.0/me/memberOf", status=400)["error"]["code"] == "BadRequest"


def test_the_switch_is_about_people_without_a_role(sandbox: Sandbox) -> None:
    assert _graph(sandbox, "developer").get(_POLICY)["defaultUserRolePermissions"]["allowedToCreateApps"]
    assert graph_of(sandbox).get(_POLICY, status=403)["error"]["code"] == "Authorization_RequestDenied"
    mine = _graph(sandbox, "developer").call("POST", _APPS, {"displayName": "mine"}, status=201)
    _close_registration(sandbox)
    for name, status in (("developer", 403), ("registrar", 201), ("admin", 201)):
        made = _graph(sandbox, name).call("POST", _APPS, {"displayName": name}, status=status)
        upsert = f"{_APPS}(uniqueName='{name}')"
        prefer: dict[str, Any] = {"Prefer": "create-if-missing"}
        _graph(sandbox, name).call("PATCH", upsert, {"displayName": name}, status=status, **prefer)
        if status == 403:
            assert made["error"]["message"] == "Insufficient privileges to complete the operation."
    developer = _graph(sandbox, "developer")  # what is theirs stays theirs, but has no principal yet
    developer.call("PATCH", f"{_APPS}/{mine['id']}", {"tags": ["mine"]}, status=204)
    developer.call("POST", "/v1.0/servicePrincipals", {"appId": mine["appId"]}, status=403)
    graph_of(sandbox).call("POST", _APPS, {"displayName": "an app's right is its own"}, status=201)


def test_an_application_developer_changes_only_their_own(sandbox: Sandbox) -> None:
    registrar = _graph(sandbox, "registrar")
    mine = registrar.call("POST", _APPS, {"displayName": "mine"}, status=201)
    registrar.call("POST", "/v1.0/servicePrincipals", {"appId": mine["appId"]}, status=201)
    registrar.call("PATCH", f"{_APPS}/{mine['id']}", {"displayName": "still"}, status=204)
    theirs = "0d000000-0000-0000-0000-000000000003"
    assert registrar.get(f"{_APPS}/{theirs}")["displayName"] == "contoso-legacy-deploy"
    registrar.call("PATCH", f"{_APPS}/{theirs}", {"displayName": "x"}, status=403)


def test_a_directory_role_of_an_application(sandbox: Sandbox) -> None:
    nobody = graph_of(sandbox, **bystander(sandbox))
    nobody.call("POST", _APPS, {"displayName": "x"}, status=403)
    world = sandbox.state()
    principal = world["service_principals"]["0b000000-0000-0000-0000-000000000002"]
    principal["directoryRoles"] = ["Cloud Application Administrator"]
    sandbox.control("reset", world)
    nobody.call("POST", _APPS, {"displayName": "x"}, status=201)


def test_what_tokens_say(sandbox: Sandbox) -> None:
    graph = _claims(_graph(sandbox, "registrar").token)
    assert (graph["idtyp"], graph["wids"][0]) == ("user", _DEVELOPER)
    assert "Application.ReadWrite.All" in graph["scp"].split()
    arm = person_of(sandbox, "registrar@contoso.onmicrosoft.com", f"{sandbox.origin}/arm/.default")
    assert (_claims(arm.token)["scp"], "wids" in _claims(arm.token)) == ("user_impersonation", False)
    assert "Application.ReadWrite.All" in _claims(graph_of(sandbox).token)["roles"]
    assert _claims(arm_of(sandbox, **bystander(sandbox)).token)["roles"] == []


def test_azure_cli_as_somebody(sandbox: Sandbox, tmp_path: Path) -> None:
    asked = [str(tmp_path / "az"), "account", "get-access-token", "--output", "json", "--resource"]
    asked.append(f"{sandbox.origin}/")
    env = person.signed_in(tmp_path, sandbox.env, sandbox.origin, "developer@contoso.onmicrosoft.com")
    assert "AZURE_FEDERATED_TOKEN_FILE" not in env
    token = json.loads(subprocess.run(asked, env=env, capture_output=True, check=True).stdout)
    assert _claims(token["accessToken"])["upn"] == "developer@contoso.onmicrosoft.com"
    assert _claims(token["accessToken"])["exp"] == token["expires_on"]
    env = person.signed_in(tmp_path, sandbox.env, sandbox.origin, "nobody")
    refused = subprocess.run(asked, env=env, capture_output=True, text=True, check=False)
    assert (refused.returncode, "az login" in refused.stderr) == (1, True)


def test_answers_are_dated_by_the_worlds_clock(sandbox: Sandbox) -> None:
    def date(path: str) -> float:
        return parsedate_to_datetime(sandbox.http.get(sandbox.origin + path).headers["Date"]).timestamp()

    for path in ("/v1.0/me", "/subscriptions", "/api/v3/meta", "/_services/token/.well-known/jwks"):
        before = date(path)
        sandbox.control("clock", {"advance_s": -900})
        assert -902 < date(path) - before < -895
