"""The command as a person runs it: signed in with Azure CLI, with a person's rights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.desk import config

if TYPE_CHECKING:
    from tests.cli.desk import Desk

_DEVELOPER = "0c000000-0000-0000-0000-000000000003"


def test_a_developer_sets_up_what_their_condition_allows(desk: Desk) -> None:
    developer = desk.as_person("developer@contoso.onmicrosoft.com")
    developer.write(config() + "    role: foundry-user\n")
    developer("apply", "--yes").ends(0, "developer@contoso.onmicrosoft.com")
    world = desk.world()
    assert world.app("dev")["owners"] == [_DEVELOPER]
    assert len(world.roles("dev")) == 1
