"""Not signed in, or not allowed (4): it is said in time, and nothing is changed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.desk import CONFIG, SETUP, config, project

if TYPE_CHECKING:
    from tests.cli.desk import Desk, World

ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"


def _unchanged(desk: Desk, *words: str) -> None:
    before = desk.world().data
    desk(*SETUP).ends(4, *words)
    assert desk.writes() == []
    assert desk.world().data == before
    assert not (desk.checkout / CONFIG).exists()


def _without(desk: Desk, *names: str) -> None:
    desk.env = {name: value for name, value in desk.env.items() if name not in names}


def test_no_azure_sign_in(desk: Desk, tmp_path: Path) -> None:
    _without(desk, "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_TENANT_ID")
    desk.env["PATH"] = str(tmp_path)  # neither az nor azd
    before = desk.world().data
    desk(*SETUP, "--tenant", "11111111-1111-1111-1111-111111111111").ends(4, "az login")
    assert desk.writes() == []
    assert desk.world().data == before


def test_an_assertion_that_entra_refuses(desk: Desk, tmp_path: Path) -> None:
    forged = tmp_path / "forged.jwt"
    forged.write_text("not.a.token")
    desk.env["AZURE_FEDERATED_TOKEN_FILE"] = str(forged)
    _unchanged(desk, "AADSTS")


def test_a_principal_without_rights(desk: Desk) -> None:
    desk.env["AZURE_CLIENT_ID"] = "0a000000-0000-0000-0000-000000000002"
    token = Path(desk.env["AZURE_FEDERATED_TOKEN_FILE"])
    desk.env["AZURE_FEDERATED_TOKEN_FILE"] = str(token.with_name("bystander.jwt"))
    _unchanged(desk)


def test_no_github_token(desk: Desk, tmp_path: Path) -> None:
    _without(desk, "GH_TOKEN")
    desk.env["PATH"] = str(tmp_path)  # no gh
    _unchanged(desk, "GH_TOKEN")


@pytest.mark.parametrize(("token", "word"), [("sandbox-writer-token", "administer"), ("ghp_wrong", "GitHub")])
def test_a_github_token_that_will_not_do(desk: Desk, token: str, word: str) -> None:
    desk.env["GH_TOKEN"] = token
    _unchanged(desk, word)


def test_a_token_that_may_only_read(desk: Desk) -> None:
    """GitHub tells it only when one writes: so nothing is written elsewhere before GitHub has agreed."""
    desk.env["GH_TOKEN"] = "sandbox-read-only-token"
    before = desk.world().data
    desk(*SETUP).ends(4, "The token may not do this on GitHub", "Administration, Environments")
    assert {(request["service"], request["status"]) for request in desk.writes()} == {("github", 403)}
    assert desk.world().data == before


def test_an_operator_who_may_not_assign_roles(desk: Desk) -> None:
    def without_rights(world: World) -> None:
        assignments = world.data["role_assignments"]
        for key in [
            k for k, a in assignments.items() if ADMINISTRATOR in a["properties"]["roleDefinitionId"]
        ]:
            del assignments[key]

    first = desk.world().data["role_assignments"]
    desk.edit(without_rights)
    before = desk.world().data
    desk(*SETUP).ends(4, "You may not assign Foundry Project Manager", "nothing was changed", "--only azure")
    assert desk.writes() == []
    assert desk.world().data == before
    desk.edit(lambda world: world.data["role_assignments"].update(first))
    desk(*SETUP).ends(0)


def test_one_may_look_with_a_read_only_token(configured: Desk) -> None:
    configured.env["GH_TOKEN"] = "sandbox-read-only-token"
    configured("plan", "--check", "--only", "entra").ends(0)
    assert configured.writes() == []


def test_a_project_of_another_tenant_is_not_a_matter_of_rights(desk: Desk) -> None:
    other = project("dev").replace(
        "aaaaaaaa-0000-0000-0000-000000000001", "bbbbbbbb-0000-0000-0000-000000000001"
    )
    desk.write(config().replace(project("dev"), other.replace("foundry-dev", "foundry-fabrikam")))
    before = desk.world().data
    desk("apply", "--yes").ends(2, "trustsmith.yml:6:", "bbbbbbbb-0000-0000-0000-000000000001")
    assert desk.world().data == before
