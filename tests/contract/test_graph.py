"""Microsoft Graph in the sandbox: its rules about applications, credentials and principals, and its refusals.

Every 2xx answer is also held to the published description, by the caller itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.contract.callers import Caller, bystander, graph_of

if TYPE_CHECKING:
    from tests.conftest import Sandbox

_APPS = "/v1.0/applications"
_SPS = "/v1.0/servicePrincipals"
_DELETED = "/v1.0/directory/deletedItems"
_UPSERT: dict[str, Any] = {"Prefer": "create-if-missing"}
_EVENTUAL: dict[str, Any] = {"ConsistencyLevel": "eventual"}
_OPERATOR = "0b000000-0000-0000-0000-000000000001"


@pytest.fixture
def graph(sandbox: Sandbox) -> Caller:
    return graph_of(sandbox)


@pytest.fixture
def app(graph: Caller) -> dict[str, Any]:
    made: dict[str, Any] = graph.call(
        "POST", _APPS, {"displayName": "one", "tags": ["t:1", "t:2"]}, status=201
    )
    return made


def _credential(**changes: Any) -> dict[str, Any]:
    return {
        "name": "dev-1",
        "issuer": "https://issuer.example",
        "subject": "repo:a/b:environment:dev",
        "audiences": ["api://AzureADTokenExchange"],
        **changes,
    }


def _code(answer: dict[str, Any]) -> str:
    assert set(answer["error"]["innerError"]) == {"date", "request-id", "client-request-id"}
    return str(answer["error"]["code"])


def test_display_names_repeat_and_defaults_are_graphs(graph: Caller, app: dict[str, Any]) -> None:
    other = graph.call("POST", _APPS, {"displayName": "one"}, status=201)
    assert other["id"] != app["id"]
    assert other["appId"] not in {app["appId"], other["id"]}
    assert (other["signInAudience"], other["uniqueName"]) == ("AzureADMyOrg", None)


def test_upsert_by_unique_name(graph: Caller) -> None:
    path = f"{_APPS}(uniqueName='ts-1')"
    assert _code(graph.call("PATCH", path, {"displayName": "x"}, status=404)) == "Request_ResourceNotFound"
    made = graph.call("PATCH", path, {"displayName": "x"}, status=201, **_UPSERT)
    assert made["uniqueName"] == "ts-1"
    assert graph.call("PATCH", path, {"displayName": "y"}, status=204, **_UPSERT) is None
    assert graph.get("/v1.0//applications(uniqueName='ts-1')")["displayName"] == "y"
    assert graph.get(f"{_APPS}(appId='{made['appId']}')")["id"] == made["id"]
    assert graph.call("PATCH", f"{_APPS}(uniqueName='ts-2')", {}, status=400, **_UPSERT)["error"]


def test_unique_name_is_set_once(graph: Caller, app: dict[str, Any]) -> None:
    graph.call("PATCH", f"{_APPS}/{app['id']}", {"uniqueName": "first"}, status=204)
    answer = graph.call("PATCH", f"{_APPS}/{app['id']}", {"uniqueName": "second"}, status=400)
    assert _code(answer) == "Request_BadRequest"


def test_names_with_quotes_and_escapes(graph: Caller) -> None:
    made = graph.call(
        "PATCH", f"{_APPS}(uniqueName='it%27%27s%20%2F%20here')", {"displayName": "q"}, status=201, **_UPSERT
    )
    assert made["uniqueName"] == "it's / here"


def test_a_deleted_application_keeps_its_name(graph: Caller) -> None:
    made = graph.call("PATCH", f"{_APPS}(uniqueName='ts-1')", {"displayName": "x"}, status=201, **_UPSERT)
    graph.call("POST", _SPS, {"appId": made["appId"]}, status=201)
    graph.call("DELETE", f"{_APPS}/{made['id']}", status=204)
    graph.get(f"{_APPS}/{made['id']}", status=404)
    graph.get(f"{_SPS}(appId='{made['appId']}')", status=404)
    refused = graph.call("PATCH", f"{_APPS}(uniqueName='ts-1')", {"displayName": "x"}, status=400, **_UPSERT)
    assert "same value for property uniqueName already exists" in refused["error"]["message"]
    assert graph.get(f"{_DELETED}/{made['id']}")["deletedDateTime"]
    restored = graph.call("POST", f"{_DELETED}/{made['id']}/restore")
    assert (restored["id"], restored["uniqueName"]) == (made["id"], "ts-1")
    graph.call("DELETE", f"{_APPS}/{made['id']}", status=204)
    graph.call("DELETE", f"{_DELETED}/{made['id']}", status=204)
    graph.call("PATCH", f"{_APPS}(uniqueName='ts-1')", {"displayName": "x"}, status=201, **_UPSERT)


def test_deleted_items_need_their_kind(graph: Caller, app: dict[str, Any]) -> None:
    graph.call("DELETE", f"{_APPS}/{app['id']}", status=204)
    graph.get(_DELETED, status=400)
    path = f"{_DELETED}/microsoft.graph.application"
    found = graph.get(f"{path}?$filter=tags/any(t:t eq 't:1')&$select=id,appId,uniqueName,deletedDateTime")[
        "value"
    ]
    assert [item["id"] for item in found] == [app["id"]]
    assert graph.get(f"{path}?$filter=displayName eq 'nobody'")["value"] == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("displayName eq 'ONE'", 1),
        ("startswith(displayName,'sandbox-')", 2),
        ("tags/any(t:t eq 't:2')", 1),
        ("tags/any(t:startswith(t,'t:'))", 1),
        ("tags/any(t:t eq 't:1') and tags/any(t:t eq 't:2')", 1),
        ("displayName in ('one','sandbox-operator')", 2),
        ("displayName eq 'it''s'", 0),
        ("(displayName eq 'one' or displayName eq 'two') and signInAudience eq 'AzureADMyOrg'", 1),
    ],
)
def test_filters(graph: Caller, app: dict[str, Any], text: str, count: int) -> None:
    assert app["displayName"] == "one"
    assert len(graph.get(f"{_APPS}?$filter={text}")["value"]) == count


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("uniqueName eq 'x'", "Request_UnsupportedQuery"),
        ("uniqueName in ('x','y')", "Request_UnsupportedQuery"),
        ("notes eq 'x'", "Request_UnsupportedQuery"),
        ("displayName ne 'x'", "Request_UnsupportedQuery"),
        ("federatedIdentityCredentials/$count ne 0", "Request_UnsupportedQuery"),
        ("displayName eq", "BadRequest"),
        ("displayName is 'x'", "BadRequest"),
        ("displayName eq 'x", "BadRequest"),
        ("displayName ge 5", "BadRequest"),
        ("startswith(displayName,5)", "BadRequest"),
    ],
)
def test_filters_that_graph_refuses(graph: Caller, text: str, code: str) -> None:
    assert _code(graph.get(f"{_APPS}?$filter={text}", status=400)) == code


def test_advanced_queries(graph: Caller, app: dict[str, Any]) -> None:
    graph.call("POST", f"{_APPS}/{app['id']}/federatedIdentityCredentials", _credential(), status=201)
    by_subject = "federatedIdentityCredentials/any(f:startsWith(f/subject,'repo:a/'))"
    path = f"{_APPS}?$count=true&$expand=federatedIdentityCredentials&$select=id,displayName&$filter={by_subject}"
    found = graph.get(path, **_EVENTUAL)
    assert found["@odata.count"] == 1
    assert found["value"][0]["federatedIdentityCredentials"][0]["subject"] == "repo:a/b:environment:dev"
    graph.get(path, status=400)
    some = f"{_APPS}?$count=true&$filter=federatedIdentityCredentials/$count ne 0"
    assert graph.get(some, **_EVENTUAL)["@odata.count"] == 3


def test_paging(graph: Caller) -> None:
    for number in range(3):
        graph.call("POST", _APPS, {"displayName": f"page {number}"}, status=201)
    path, seen = f"{_APPS}?$top=2&$filter=startswith(displayName,'page')&$select=displayName", []
    while path:
        page = graph.get(path)
        seen += [item["displayName"] for item in page["value"]]
        link = urlsplit(page.get("@odata.nextLink", ""))
        path = f"{link.path}?{link.query}" if link.query else ""
    assert seen == ["page 0", "page 1", "page 2"]
    graph.get(f"{_APPS}?$top=1000", status=400)
    graph.get(f"{_APPS}?$select=nonsense", status=400)


def test_credentials_by_name_and_id(graph: Caller, app: dict[str, Any]) -> None:
    base = f"{_APPS}/{app['id']}/federatedIdentityCredentials"
    made = graph.call("POST", base, _credential(description="why"), status=201)
    assert graph.get(f"{base}/dev-1") | {"@odata.context": ""} == graph.get(f"{base}/{made['id']}") | {
        "@odata.context": ""
    }
    assert (
        graph.get(f"{_APPS}(appId='{app['appId']}')/federatedIdentityCredentials/dev-1")["description"]
        == "why"
    )
    assert graph.get(f"{base}?$filter=subject eq 'repo:a/b:environment:dev'")["value"]
    graph.call("PATCH", f"{base}/dev-1", {"description": "because"}, status=204)
    graph.call("PATCH", f"{base}/dev-1", {"name": "other"}, status=400)
    upserted = f"{base}(name='dev-2')"
    graph.call("PATCH", upserted, _credential(subject="two"), status=404)
    graph.call(
        "PATCH",
        upserted,
        {k: v for k, v in _credential(subject="two").items() if k != "name"},
        status=201,
        **_UPSERT,
    )
    graph.call("PATCH", upserted, {"subject": "three"}, status=204, **_UPSERT)
    graph.call("DELETE", f"{base}/{made['id']}", status=204)
    assert [item["subject"] for item in graph.get(base)["value"]] == ["three"]
    answer = graph.get(f"{base}/dev-1", status=404)
    assert answer["error"]["message"] == "FederatedIdentityCredential with name dev-1 not found."


def test_credentials_do_not_clash(graph: Caller, app: dict[str, Any]) -> None:
    base = f"{_APPS}/{app['id']}/federatedIdentityCredentials"
    graph.call("POST", base, _credential(), status=201)
    same_name = graph.call("POST", base, _credential(subject="other"), status=409)
    assert _code(same_name) == "Request_MultipleObjectsWithSameKeyValue"
    assert same_name["error"]["message"] == "FederatedIdentityCredential with name dev-1 already exists."
    same_pair = graph.call("POST", base, _credential(name="dev-2"), status=400)
    assert _code(same_pair) == "InvalidFederatedIdentityCredentialValue"
    assert same_pair["error"]["message"] == (
        "The combination of issuer and subject must be unique for the application. Issuer https://issuer.example and"
        " Subject: repo:a/b:environment:dev already exist. paramName: FederatedIdentityCredential.Subject, paramValue:"
        " repo:a/b:environment:dev, objectType: Microsoft.Online.DirectoryServices.Application"
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "ab"},
        {"name": "-starts-badly"},
        {"name": "n" * 121},
        {"issuer": "http://plain.example"},
        {"issuer": " https://issuer.example"},
        {"subject": ""},
        {"subject": "s" * 601},
        {"audiences": []},
        {"audiences": ["a", "b"]},
        {"claimsMatchingExpression": {"value": "x", "languageVersion": 1}},
    ],
    ids=str,
)
def test_credentials_that_are_not_valid(graph: Caller, app: dict[str, Any], changes: dict[str, Any]) -> None:
    graph.call(
        "POST", f"{_APPS}/{app['id']}/federatedIdentityCredentials", _credential(**changes), status=400
    )


def test_twenty_credentials_and_no_more(graph: Caller, app: dict[str, Any]) -> None:
    base = f"{_APPS}/{app['id']}/federatedIdentityCredentials"
    for number in range(20):
        graph.call("POST", base, _credential(name=f"env-{number}", subject=str(number)), status=201)
    assert (
        "20" in graph.call("POST", base, _credential(subject="one too many"), status=400)["error"]["message"]
    )


def test_service_principals(graph: Caller, app: dict[str, Any]) -> None:
    path = f"{_SPS}(appId='{app['appId']}')"
    graph.call("PATCH", path, {"displayName": "one"}, status=404)
    made = graph.call("PATCH", path, {"displayName": "one"}, status=201, **_UPSERT)
    assert made["tags"] == ["t:1", "t:2"]
    graph.call("PATCH", path, {"displayName": "one"}, status=204, **_UPSERT)
    again = graph.call("POST", _SPS, {"appId": app["appId"]}, status=409)
    assert _code(again) == "Request_MultipleObjectsWithSameKeyValue"
    graph.call("PATCH", f"{_APPS}/{app['id']}", {"tags": ["t:3"]}, status=204)
    for text in ("tags/any(t:t eq 't:3')", f"servicePrincipalNames/any(c:c eq '{app['appId']}')"):
        assert [item["id"] for item in graph.get(f"{_SPS}?$filter={text}")["value"]] == [made["id"]]
    nobody = graph.call("POST", _SPS, {"appId": made["id"]}, status=400)
    assert " does not reference " in nobody["error"]["message"]


def test_replication_lag(sandbox: Sandbox, graph: Caller) -> None:
    sandbox.control("lag", {"replication_s": 30})
    made = graph.call("POST", _APPS, {"displayName": "late"}, status=201)
    graph.get(f"{_APPS}/{made['id']}", status=404)
    assert graph.get(f"{_APPS}?$filter=displayName eq 'late'")["value"] == []
    graph.call("POST", f"{_APPS}/{made['id']}/federatedIdentityCredentials", _credential(), status=404)
    early = graph.call("POST", _SPS, {"appId": made["appId"]}, status=403)
    assert "service principal being created must in the local tenant" in early["error"]["message"]
    sandbox.control("clock", {"advance_s": 31})
    graph.get(f"{_APPS}/{made['id']}")
    graph.call("POST", _SPS, {"appId": made["appId"]}, status=201)


def test_an_upsert_finds_what_has_not_replicated(sandbox: Sandbox, graph: Caller) -> None:
    sandbox.control("lag", {"replication_s": 30})
    path = f"{_APPS}(uniqueName='ts-1')"
    app = graph.call("PATCH", path, {"displayName": "x"}, status=201, **_UPSERT)
    graph.get(path, status=404)
    graph.call("PATCH", path, {"displayName": "x"}, status=204, **_UPSERT)
    sandbox.control("clock", {"advance_s": 31})
    trust = f"{_APPS}/{app['id']}/federatedIdentityCredentials(name='dev-1')"
    body = {key: value for key, value in _credential().items() if key != "name"}
    graph.call("PATCH", trust, body, status=201, **_UPSERT)
    graph.get(trust, status=404)
    graph.call("PATCH", trust, body, status=204, **_UPSERT)


def test_passwords_show_their_value_once(graph: Caller, app: dict[str, Any]) -> None:
    body = {"passwordCredential": {"displayName": "old way"}}
    made = graph.call("POST", f"{_APPS}/{app['id']}/addPassword", body)
    assert made["hint"] == made["secretText"][:3]
    shown = graph.get(f"{_APPS}/{app['id']}?$select=passwordCredentials")["passwordCredentials"]
    assert [(item["keyId"], item["secretText"]) for item in shown] == [(made["keyId"], None)]
    graph.call(
        "POST", f"{_APPS}(appId='{app['appId']}')/removePassword", {"keyId": made["keyId"]}, status=204
    )
    graph.call("POST", f"{_APPS}/{app['id']}/removePassword", {"keyId": made["keyId"]}, status=400)


def test_owners(graph: Caller, app: dict[str, Any]) -> None:
    path = f"{_APPS}/{app['id']}/owners"
    reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{_OPERATOR}"}
    graph.call("POST", f"{path}/$ref", reference, status=204)
    assert [item["id"] for item in graph.get(path)["value"]] == [_OPERATOR]
    graph.call("POST", f"{path}/$ref", reference, status=400)
    graph.call("DELETE", f"{path}/{_OPERATOR}/$ref", status=204)
    assert graph.get(path)["value"] == []


def test_without_rights(sandbox: Sandbox, app: dict[str, Any]) -> None:
    nobody = graph_of(sandbox, **bystander(sandbox))
    for method, path in (
        ("GET", _APPS),
        ("POST", _APPS),
        ("PATCH", f"{_APPS}/{app['id']}"),
        ("DELETE", f"{_APPS}/{app['id']}"),
        ("GET", f"{_APPS}/{app['id']}/federatedIdentityCredentials"),
        ("GET", "/v1.0/users"),
    ):
        body = {"displayName": "x"} if method in {"POST", "PATCH"} else None
        assert _code(nobody.call(method, path, body, status=403)) == "Authorization_RequestDenied"


def test_owned_by_makes_owners_and_stops_there(sandbox: Sandbox, app: dict[str, Any]) -> None:
    world = sandbox.state()
    holder = world["service_principals"]["0b000000-0000-0000-0000-000000000002"]
    holder["graphPermissions"] = ["Application.ReadWrite.OwnedBy"]
    sandbox.control("reset", world)
    owner = graph_of(sandbox, **bystander(sandbox))
    made = owner.call("PATCH", f"{_APPS}(uniqueName='mine')", {"displayName": "mine"}, status=201, **_UPSERT)
    assert [item["id"] for item in owner.get(f"{_APPS}/{made['id']}/owners")["value"]] == [holder["id"]]
    owner.call("POST", f"{_APPS}/{made['id']}/federatedIdentityCredentials", _credential(), status=201)
    owner.call("DELETE", f"{_APPS}/{app['id']}", status=403)


def test_directory_objects(graph: Caller) -> None:
    ids = [
        _OPERATOR,
        "0c000000-0000-0000-0000-000000000001",
        "0c000000-0000-0000-0000-000000000101",
        "nobody",
    ]
    found = graph.call("POST", "/v1.0/directoryObjects/getByIds", {"ids": ids})["value"]
    assert [item["@odata.type"] for item in found] == [
        f"#microsoft.graph.{t}" for t in ("servicePrincipal", "user", "group")
    ]
    only = graph.call("POST", "/v1.0/directoryObjects/getByIds", {"ids": ids, "types": ["user"]})["value"]
    assert len(only) == 1
    group = graph.get("/v1.0/groups?$filter=displayName eq 'foundry-dev'&$select=id,displayName")["value"][0]
    assert graph.get(f"/v1.0/groups/{group['id']}/members")["value"][0]["userPrincipalName"].startswith(
        "user@"
    )
    assert graph.get("/v1.0/users/user@contoso.onmicrosoft.com")["displayName"] == "Sandbox User"
    assert graph.get("/v1.0/organization")["value"][0]["displayName"] == "Contoso"
    assert _code(graph.get("/v1.0/me", status=400)) == "BadRequest"


def test_batch(graph: Caller) -> None:
    requests = [
        {"id": "1", "method": "GET", "url": "/applications?$top=1&$select=id"},
        {"id": "2", "method": "GET", "url": "/applications/nobody"},
        {"id": "3", "method": "GET", "url": "/organization", "dependsOn": ["2"]},
        {
            "id": "4",
            "method": "POST",
            "url": "/applications",
            "body": {"displayName": "batched"},
            "headers": {},
        },
    ]
    answers = graph.call("POST", "/v1.0/$batch", {"requests": requests})["responses"]
    assert [(item["id"], item["status"]) for item in answers] == [
        ("1", 200),
        ("2", 404),
        ("3", 424),
        ("4", 201),
    ]
    graph.call("POST", "/v1.0/$batch", {"requests": requests * 6}, status=400)


def test_bodies_that_are_not_json(graph: Caller, app: dict[str, Any]) -> None:
    broken = graph.sandbox.http.patch(
        f"{graph.sandbox.origin}{_APPS}/{app['id']}",
        content=b"{",
        headers={"Authorization": f"Bearer {graph.token}"},
    )
    assert (broken.status_code, broken.json()["error"]["code"]) == (400, "BadRequest")
    graph.call("PATCH", f"{_APPS}/{app['id']}", {"tags": "not a list"}, status=400)
    graph.call("PATCH", f"{_APPS}/{app['id']}", {"colour": "blue"}, status=400)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1.0/$batch", {"requests": [{"id": 1}]}),
        ("/v1.0/directoryObjects/getByIds", {"ids": [1], "types": 5}),
        (f"{_APPS}(appId='0a000000-0000-0000-0000-000000000003')/addPassword", {"passwordCredential": "x"}),
        (f"{_APPS}(appId='0a000000-0000-0000-0000-000000000003')/removePassword", ["x"]),
        (_APPS, {"displayName": "x", "signInAudience": []}),
        (_SPS, "text"),
    ],
)
def test_bodies_of_the_wrong_shape(graph: Caller, path: str, body: Any) -> None:
    graph.call("POST", path, body, status=400)
