"""doctor as it is typed: exit codes, formats, a person's sign-in; what it finds is in tests/flows."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.cli.desk import config

if TYPE_CHECKING:
    from tests.cli.desk import Desk


def test_all_is_well(desk: Desk) -> None:
    desk.write(config())
    done = desk("doctor").ends(0)
    assert "assign-roles: You may assign Foundry Project Manager there." in done.out
    assert "FAIL" not in done.out
    assert desk.writes() == []


def test_a_fault_is_said_with_what_to_type(desk: Desk) -> None:
    desk.write(config())
    desk.edit(lambda world: world.repository.update(archived=True))
    found = desk("doctor", "--format", "json").ends(3, "doctor").json["findings"]
    (failed,) = [finding for finding in found if finding["verdict"] != "pass"]
    assert (failed["check"], failed["verdict"]) == ("repository-archived", "fail")
    assert "gh repo unarchive contoso/agents" in failed["next"]
    shown = desk("doctor", "--only", "github", "--format", "md").ends(3).out
    assert "repository-archived" in shown
    assert "assign-roles" not in shown


def test_without_a_configuration(desk: Desk) -> None:
    desk("doctor").ends(2, "trustsmith setup")
    host = desk.sandbox.origin.removeprefix("https://")
    subprocess.run(["git", "init", "-q", desk.checkout], check=True)
    url = f"https://{host}/contoso/agents.git"
    subprocess.run(["git", "-C", desk.checkout, "remote", "add", "origin", url], check=True)
    done = desk("doctor").ends(0, "There is no configuration")
    assert "repository: contoso/agents" in done.out


def test_a_person_whose_role_waits_in_pim(desk: Desk) -> None:
    desk.write(config(environments=("prod",)))
    person = desk.as_person("eligible@contoso.onmicrosoft.com")
    done = person("doctor", "--only", "azure").ends(3)
    assert "you are eligible for Role Based Access Control Administrator" in " ".join(done.out.split())
    assert "az rest --method put --url" in done.out


def test_a_person_who_may_not_register(desk: Desk) -> None:
    desk.write(config())
    policy = {"defaultUserRolePermissions": {"allowedToCreateApps": False}}
    tenants = "11111111-1111-1111-1111-111111111111"
    desk.edit(lambda world: world.data["tenants"][tenants]["authorizationPolicy"].update(policy))
    shown = desk.as_person("user@contoso.onmicrosoft.com")("doctor", "--only", "entra").ends(3).out
    assert "Application Developer" in shown
    assert desk.as_person("registrar@contoso.onmicrosoft.com")("doctor", "--only", "entra").ends(0).out
