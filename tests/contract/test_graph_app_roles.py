"""App roles of Graph in the sandbox: who may give them, and what whoever has one may read from the next token on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.callers import Caller, bystander, graph_of, person_of

if TYPE_CHECKING:
    from tests.conftest import Sandbox

_SPS, _GRAPH = "/v1.0/servicePrincipals", "(appId='00000003-0000-0000-c000-000000000000')"
_BYSTANDER = "0b000000-0000-0000-0000-000000000002"
_GIVEN = f"{_SPS}/{_BYSTANDER}/appRoleAssignments"


def _person(sandbox: Sandbox, name: str) -> Caller:
    return person_of(sandbox, f"{name}@contoso.onmicrosoft.com", f"{sandbox.origin}/.default")


def _body(caller: Caller, permission: str) -> dict[str, Any]:
    graph = caller.get(f"{_SPS}{_GRAPH}?$select=id,appRoles")
    (role,) = [role for role in graph["appRoles"] if role["value"] == permission]
    assert role["allowedMemberTypes"] == ["Application"]
    return {"principalId": _BYSTANDER, "resourceId": graph["id"], "appRoleId": role["id"]}


def test_who_has_a_role_may_read_from_the_next_token_on(sandbox: Sandbox) -> None:
    admin, before = _person(sandbox, "admin"), graph_of(sandbox, **bystander(sandbox))
    before.get("/v1.0/applications", status=403)
    body = _body(admin, "Application.Read.All")
    made = admin.call("POST", _GIVEN, body, status=201)
    assert made | body == made
    assert (made["principalType"], made["resourceDisplayName"]) == ("ServicePrincipal", "Microsoft Graph")
    before.get("/v1.0/applications", status=403)  # its token is as it was
    after = graph_of(sandbox, **bystander(sandbox))
    assert after.get("/v1.0/applications")["value"]
    after.call("POST", "/v1.0/applications", {"displayName": "one"}, status=403)
    assert admin.get(_GIVEN)["value"] == [{key: made[key] for key in made if key != "@odata.context"}]
    admin.call("DELETE", f"{_GIVEN}/{made['id']}", status=204)
    assert admin.get(_GIVEN)["value"] == []
    graph_of(sandbox, **bystander(sandbox)).get("/v1.0/applications", status=403)


def test_twice_is_refused_and_so_is_what_does_not_exist(sandbox: Sandbox) -> None:
    admin = _person(sandbox, "admin")
    body = _body(admin, "Application.Read.All")
    admin.call("POST", _GIVEN, body, status=201)
    again = admin.call("POST", _GIVEN, body, status=400)
    assert again["error"]["message"] == "Permission being assigned already exists on the object"
    admin.call("POST", _GIVEN, body | {"appRoleId": _BYSTANDER}, status=400)
    admin.call("POST", _GIVEN, body | {"principalId": body["resourceId"]}, status=400)
    admin.call("POST", _GIVEN, body | {"resourceId": _BYSTANDER}, status=404)
    admin.call("DELETE", f"{_GIVEN}/nothing", status=404)


@pytest.mark.parametrize("who", ["operator", "registrar", "user"])
def test_others_than_administrators_may_not(sandbox: Sandbox, who: str) -> None:
    caller = graph_of(sandbox) if who == "operator" else _person(sandbox, who)
    caller.call("POST", _GIVEN, _body(caller, "Application.Read.All"), status=403)
    assert caller.get(_GIVEN)["value"] == []
