"""The ARM client over HTTPS to the sandbox: subscriptions, Foundry projects and role assignments."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.clients_on_sandbox import TROUBLE_IDS, TROUBLES, Bench, export, run
from trustsmith.errors import Conflict, NotAllowed, ServiceError

if TYPE_CHECKING:
    from tests.conftest import Sandbox

ROLE = "eadc314b-1a2d-4efa-be10-5d325db5065e"  # Foundry Project Manager
PRINCIPAL = "77777777-7777-7777-7777-777777777777"


@pytest.fixture(autouse=True)
def _signed_in(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    export(sandbox, monkeypatch)


async def dev_project(bench: Bench) -> str:
    [found] = [s for s in await bench.arm.subscriptions() if "nonprod" in s["displayName"]]
    accounts = await bench.arm.accounts(found["subscriptionId"])
    [account] = [a for a in accounts if a["name"] == "foundry-dev"]
    [project] = await bench.arm.projects(account["id"])
    return str(project["id"])


def role_in(scope: str) -> str:
    subscription = scope.split("/")[2]
    return f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{ROLE}"


async def assign(bench: Bench, scope: str, name: str, principal: str = PRINCIPAL) -> dict[str, Any]:
    return await bench.arm.put_role_assignment(scope, name, role_in(scope), principal, "made by a test")


def test_projects_are_found_in_any_case(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        project = await dev_project(bench)
        found = await bench.arm.project(project.upper())
        assert found is not None
        assert found["name"] == "foundry-dev/agents"
        assert found["properties"]["endpoints"]
        assert await bench.arm.project(project + "-absent") is None

    run(sandbox, story)


def test_a_role_from_nothing_to_gone(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        scope, name = await dev_project(bench), str(uuid.uuid4())
        made = await assign(bench, scope, name)
        assert made["name"] == name
        assert made["principalId"] == PRINCIPAL
        assert made["principalType"] == "ServicePrincipal"
        assert made["roleDefinitionId"].endswith(ROLE)
        assert made["description"] == "made by a test"
        assert await assign(bench, scope, name) == made, "the same again is the same"
        assert (await assign(bench, scope, str(uuid.uuid4())))["id"] == made["id"], "there under another name"
        assert made in await bench.arm.role_assignments(scope, "atScope()")
        assert await bench.arm.role_assignments(scope, f"principalId eq '{PRINCIPAL}'") == [made]
        for _ in range(2):  # what is gone is done
            await bench.arm.delete_role_assignment(made["id"])
        assert made not in await bench.arm.role_assignments(scope)

    run(sandbox, story)


def test_a_name_that_belongs_to_somebody_else(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        scope, name = await dev_project(bench), str(uuid.uuid4())
        await assign(bench, scope, name)
        with pytest.raises(Conflict) as caught:
            await assign(bench, scope, name, "88888888-8888-8888-8888-888888888888")
        assert caught.value.code == "RoleAssignmentUpdateNotPermitted"

    run(sandbox, story)


def test_a_role_definition_is_asked_for_once(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        scope = await dev_project(bench)
        first, again = await asyncio.gather(
            *(bench.arm.role_definition(s, ROLE) for s in (scope, scope.upper()))
        )
        assert first is not None
        assert first["properties"]["roleName"] == "Foundry Project Manager"
        assert first is again

    run(sandbox, story)


def test_locks_are_those_that_bind(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        scope = await dev_project(bench)
        world = sandbox.state()
        for place in (scope.rpartition("/projects/")[0], scope):
            identity = f"{place}/providers/Microsoft.Authorization/locks/keep"
            world["locks"][identity.lower()] = {
                "id": identity,
                "properties": {"level": "ReadOnly", "notes": None},
            }
        sandbox.control("reset", world)
        assert len(await bench.arm.locks(scope)) == 2
        assert len(await bench.arm.locks(scope.rpartition("/projects/")[0])) == 1

    run(sandbox, story)


def test_no_right_to_assign(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        scope = (await dev_project(bench)).partition("/resourceGroups/")[0]
        with pytest.raises(NotAllowed) as caught:
            await assign(bench, scope, str(uuid.uuid4()))
        assert "User Access Administrator" in caught.value.hint
        assert caught.value.original.startswith("403 AuthorizationFailed")

    run(sandbox, story)


@pytest.mark.parametrize("fault", TROUBLES, ids=TROUBLE_IDS)
def test_a_write_that_goes_wrong_once_is_done_once(sandbox: Sandbox, fault: dict[str, Any]) -> None:
    async def story(bench: Bench) -> None:
        scope = await dev_project(bench)
        bench.trouble("arm", "PUT", **fault)
        made = await assign(bench, scope, str(uuid.uuid4()))
        assert await bench.arm.role_assignments(scope, f"principalId eq '{PRINCIPAL}'") == [made]

    run(sandbox, story)


@pytest.mark.parametrize("fault", TROUBLES, ids=TROUBLE_IDS)
def test_reads_are_tried_again(sandbox: Sandbox, fault: dict[str, Any]) -> None:
    async def story(bench: Bench) -> None:
        bench.trouble("arm", "GET", **fault)
        assert await bench.arm.role_assignments(await dev_project(bench), "atScope()")

    run(sandbox, story)


def test_a_throttled_service_is_waited_for_visibly(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        bench.trouble("arm", "GET", when="before", status=429, retry_after=0.2)
        await bench.arm.subscriptions()
        [(operation, why, seconds)] = bench.waits
        assert operation == "list subscriptions"
        assert "slow down" in why
        assert seconds >= 0.2

    run(sandbox, story)


def test_a_service_that_stays_away_ends_with_its_error(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        bench.trouble("arm", "GET", when="cut", times=50)
        with pytest.raises(ServiceError) as caught:
            await bench.arm.subscriptions()
        assert not caught.value.unsure, "a read changes nothing"

    run(sandbox, story)
