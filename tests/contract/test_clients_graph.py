"""The Graph client and the sign-in, over HTTPS to the sandbox: what they do, and what they survive."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.clients_on_sandbox import TROUBLE_IDS, TROUBLES, Bench, endpoints_of, export, run
from trustsmith.clients.credentials import Credentials, claims_of
from trustsmith.errors import Conflict, NotAllowed, NotSignedIn, ServiceError

if TYPE_CHECKING:
    from tests.conftest import Sandbox

# msgraph's builders warn about themselves when they are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")

NAME = "trustsmith-github.com-4001-dev"
BODY = {
    "displayName": "agents-dev",
    "signInAudience": "AzureADMyOrg",
    "tags": ["trustsmith", "repository=4001"],
}


@pytest.fixture(autouse=True)
def _signed_in(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    export(sandbox, monkeypatch)


def credential(bench: Bench, name: str = "dev-1") -> dict[str, Any]:
    return {
        "name": name,
        "issuer": bench.endpoints.issuer,
        "subject": f"repo:contoso/agents:environment:{name}",
        "audiences": [bench.endpoints.audience],
        "description": "made by a test",
    }


async def identity(bench: Bench) -> tuple[dict[str, Any], dict[str, Any]]:
    made = await bench.graph.upsert_application(NAME, BODY)
    return made, await bench.graph.upsert_service_principal(made["appId"], {"tags": BODY["tags"]})


def test_an_identity_from_nothing_to_gone(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        graph = bench.graph
        assert await graph.application(NAME) is None
        made, principal = await identity(bench)
        await graph.put_federated_credential(made["id"], credential(bench))
        [listed] = await graph.applications("repository=4001")
        assert (listed["uniqueName"], listed["appId"]) == (NAME, made["appId"])
        assert [c["name"] for c in listed["federatedIdentityCredentials"]] == ["dev-1"]
        assert [p["id"] for p in await graph.service_principals("repository=4001")] == [principal["id"]]
        assert (await graph.application_by_client_id(made["appId"]) or {})["id"] == made["id"]
        await graph.update_application(made["id"], {"notes": "changed"})
        assert (await graph.application(NAME) or {})["notes"] == "changed"
        for _ in range(2):  # what is gone is done
            await graph.delete_federated_credential(made["id"], "dev-1")
            await graph.delete_service_principal(principal["id"])
            await graph.delete_application(made["id"])
        assert await graph.service_principal(made["appId"]) is None
        assert [d["uniqueName"] for d in await graph.deleted_applications()] == [NAME]

    run(sandbox, story)


def test_writing_again_updates_and_makes_no_second(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        first, principal = await identity(bench)
        again, same = await identity(bench)
        assert (first["id"], principal["id"]) == (again["id"], same["id"])
        for description in ("one", "two"):
            await bench.graph.put_federated_credential(
                first["id"], credential(bench) | {"description": description}
            )
        [found] = (await bench.graph.application(NAME) or {})["federatedIdentityCredentials"]
        assert found["description"] == "two"

    run(sandbox, story)


def test_a_deleted_application_keeps_its_name_until_it_is_restored(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        made = await bench.graph.upsert_application(NAME, BODY)
        await bench.graph.delete_application(made["id"])
        with pytest.raises(Conflict) as caught:
            await bench.graph.upsert_application(NAME, BODY)
        assert NAME in caught.value.operation
        assert "uniqueName" in caught.value.original
        assert (await bench.graph.restore_application(made["id"]))["appId"] == made["appId"]
        assert (await bench.graph.upsert_application(NAME, BODY))["id"] == made["id"]

    run(sandbox, story)


def test_all_pages_are_read(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        names = [f"trustsmith-github.com-4001-{number}" for number in range(105)]
        await asyncio.gather(*(bench.graph.upsert_application(name, BODY) for name in names))
        assert {a["uniqueName"] for a in await bench.graph.applications("repository=4001")} == set(names)

    run(sandbox, story)


def test_a_tag_with_quotes_is_only_a_tag(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        await bench.graph.upsert_application(NAME, BODY | {"tags": ["it's"]})
        assert len(await bench.graph.applications("it's")) == 1
        assert await bench.graph.applications("' or true or '") == []

    run(sandbox, story)


def test_people_and_owners(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        me = (await bench.credentials.whoami())["oid"]
        users = list(sandbox.state()["users"].values())
        assert (await bench.graph.users(users[0]["userPrincipalName"]) or {})["id"] == users[0]["id"]
        assert (await bench.graph.users(me) or {})["id"] == me
        assert await bench.graph.users("nobody@example.org") is None
        assert await bench.graph.users("99999999-9999-9999-9999-999999999999") is None
        made = await bench.graph.upsert_application(NAME, BODY)
        for _ in range(2):
            await bench.graph.add_owner(made["id"], users[0]["id"])
        assert users[0]["id"] in [owner["id"] for owner in await bench.graph.owners(made["id"])]

    run(sandbox, story)


@pytest.mark.parametrize("fault", TROUBLES, ids=TROUBLE_IDS)
@pytest.mark.parametrize("what", ["application", "principal", "credential"])
def test_a_write_that_goes_wrong_once_is_done_once(
    sandbox: Sandbox, what: str, fault: dict[str, Any]
) -> None:
    paths = {
        "application": "*/applications(uniqueName*",
        "principal": "*/servicePrincipals(appId*",
        "credential": "*/federatedIdentityCredentials(name*",
    }

    async def story(bench: Bench) -> None:
        bench.trouble("graph", "PATCH", paths[what], **fault)
        made, _ = await identity(bench)
        await bench.graph.put_federated_credential(made["id"], credential(bench))
        assert bench.waits, "a try failed"

    run(sandbox, story)
    world = sandbox.state()
    assert [a["uniqueName"] for a in world["applications"].values()].count(NAME) == 1
    [made] = [a for a in world["applications"].values() if a.get("uniqueName") == NAME]
    assert [p["appId"] for p in world["service_principals"].values()].count(made["appId"]) == 1


@pytest.mark.parametrize("fault", TROUBLES, ids=TROUBLE_IDS)
def test_restoring_is_read_back_and_not_repeated(sandbox: Sandbox, fault: dict[str, Any]) -> None:
    async def story(bench: Bench) -> None:
        made = await bench.graph.upsert_application(NAME, BODY)
        await bench.graph.delete_application(made["id"])
        bench.trouble("graph", "POST", "*/restore", **fault)
        assert (await bench.graph.restore_application(made["id"]))["id"] == made["id"]

    run(sandbox, story)


def test_lag_after_creating_is_waited_out_visibly(sandbox: Sandbox) -> None:
    sandbox.control("lag", {"replication_s": 1, "roles_s": 0})

    async def story(bench: Bench) -> None:
        made, _ = await identity(bench)
        await bench.graph.put_federated_credential(made["id"], credential(bench))
        assert any("just created" in why for _, why, _ in bench.waits)

    run(sandbox, story)


def test_one_token_for_many_who_ask_at_once(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        before = bench.asked()["entra POST"]
        await asyncio.gather(*(bench.graph.application(f"{NAME}-{number}") for number in range(20)))
        assert bench.asked()["entra POST"] == before + 1

    run(sandbox, story)


def test_one_token_for_many_threads(sandbox: Sandbox) -> None:
    endpoints = endpoints_of(sandbox)
    credentials = Credentials(endpoints, sandbox.env["AZURE_TENANT_ID"])
    tokens: list[str] = []
    threads = [
        threading.Thread(target=lambda: tokens.append(credentials.token(endpoints.graph_scope).token))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    credentials.close()
    assert len(tokens) == 8
    assert len(set(tokens)) == 1


def test_who_is_signed_in(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> dict[str, str]:
        return await bench.credentials.whoami()

    found = run(sandbox, story)
    assert found["method"] == "workload identity"
    assert found["tid"] == sandbox.env["AZURE_TENANT_ID"]
    assert found["name"] == sandbox.env["AZURE_CLIENT_ID"]


def test_no_token_of_another_tenant(sandbox: Sandbox) -> None:
    endpoints = endpoints_of(sandbox)
    other = "99999999-9999-9999-9999-999999999999"
    credentials = Credentials(endpoints, other)
    with pytest.raises(NotSignedIn, match=other) as caught:
        credentials.token(endpoints.graph_scope)
    credentials.close()
    assert caught.value.hint == f"az login --tenant {other}"


def test_a_refused_sign_in_says_what_it_means(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_ID", "99999999-9999-9999-9999-999999999999")

    async def story(bench: Bench) -> None:
        with pytest.raises(NotSignedIn) as caught:
            await bench.graph.application(NAME)
        assert caught.value.code == "AADSTS700016"
        assert "client id" in caught.value.message
        assert "AADSTS700016" in caught.value.original

    run(sandbox, story)


def test_nobody_is_signed_in(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", str(tmp_path))
    endpoints = endpoints_of(sandbox)
    with pytest.raises(NotSignedIn, match="Nobody is signed in") as caught:
        Credentials(endpoints, "11111111-1111-1111-1111-111111111111").token(endpoints.graph_scope)
    assert caught.value.hint == "az login --tenant 11111111-1111-1111-1111-111111111111"
    assert "Azure CLI" in caught.value.original


@pytest.mark.parametrize("fault", TROUBLES[:1] + TROUBLES[3:6], ids=["503", "429", "cut", "cut before"])
def test_an_overloaded_sign_in_is_tried_again(sandbox: Sandbox, fault: dict[str, Any]) -> None:
    async def story(bench: Bench) -> None:
        bench.trouble("entra", "POST", **fault)
        assert await bench.graph.application(NAME) is None

    run(sandbox, story)


def test_no_rights(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bystander may sign in and nothing else."""
    token_file = Path(sandbox.env["AZURE_FEDERATED_TOKEN_FILE"]).with_name("bystander.jwt")
    monkeypatch.setenv("AZURE_FEDERATED_TOKEN_FILE", str(token_file))
    principals = sandbox.state()["service_principals"].values()
    [client] = [p["appId"] for p in principals if "bystander" in p["displayName"]]
    monkeypatch.setenv("AZURE_CLIENT_ID", client)

    async def story(bench: Bench) -> None:
        with pytest.raises(NotAllowed) as caught:
            await bench.graph.upsert_application(NAME, BODY)
        assert caught.value.exit_code == 4
        assert "Application Administrator" in caught.value.hint

    run(sandbox, story)


def test_a_service_that_stays_away_ends_with_its_error(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        bench.trouble("graph", "PATCH", when="before", status=503, times=50)
        with pytest.raises(ServiceError) as caught:
            await bench.graph.upsert_application(NAME, BODY)
        assert (caught.value.status, caught.value.unsure) == (503, True)

    run(sandbox, story)


def test_claims_of_what_is_no_token() -> None:
    assert claims_of("opaque") == {}
    assert claims_of("a.b.c") == {}
    assert claims_of("a.W10.c") == {}


def test_app_roles_of_graph_are_given_once_and_taken_away(sandbox: Sandbox) -> None:
    world = sandbox.state()
    world["service_principals"]["0b000000-0000-0000-0000-000000000001"]["graphPermissions"] += [
        "AppRoleAssignment.ReadWrite.All"
    ]
    sandbox.control("reset", world)

    async def story(bench: Bench) -> None:
        graph = bench.graph
        _, principal = await identity(bench)
        itself = await graph.graph_principal()
        role = next(r["id"] for r in itself["appRoles"] if r["value"] == "Application.Read.All")
        bench.trouble("graph", "POST", "*appRoleAssignments", when="after", status=503)
        for _ in range(2):
            await graph.assign_app_role(principal["id"], itself["id"], role)
        [given] = await graph.app_role_assignments(principal["id"])
        assert (given["appRoleId"], given["resourceId"]) == (role, itself["id"])
        for _ in range(2):
            await graph.remove_app_role(principal["id"], given["id"])
        assert await graph.app_role_assignments(principal["id"]) == []

    run(sandbox, story)


def test_a_client_secret_goes_once_and_only_the_one_that_is_named(sandbox: Sandbox) -> None:
    legacy = "0a000000-0000-0000-0000-000000000003"

    def held(of: Any) -> set[str]:
        return {each["keyId"] for each in of["passwordCredentials"]}

    world = sandbox.state()
    (app,) = (a for a in world["applications"].values() if a["appId"] == legacy)
    (principal,) = (p for p in world["service_principals"].values() if p["appId"] == legacy)
    principal["passwordCredentials"] = app["passwordCredentials"]
    sandbox.control("reset", world)
    first, second = sorted(held(app))

    async def story(bench: Bench) -> None:
        graph = bench.graph
        for _ in range(2):  # what is gone is done
            await graph.remove_password(app["id"], first.upper())
        assert held(await graph.application_by_client_id(legacy)) == {second}
        assert held(await graph.principal_with_passwords(legacy)) == {first, second}
        await graph.remove_password(principal["id"], second, of_principal=True)
        assert held(await graph.application_by_client_id(legacy)) == {second}
        assert held(await graph.principal_with_passwords(legacy)) == {first}
        sandbox.control(
            "faults", {"service": "graph", "method": "POST", "path": "removePassword", "status": 400}
        )
        with pytest.raises(ServiceError) as caught:
            await graph.remove_password(app["id"], second)
        assert caught.value.status == 400

    run(sandbox, story)
