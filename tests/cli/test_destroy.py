"""`destroy` takes away what we made and only that, after the name was typed; then set-up works again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.cli.desk import CONFIG, SETUP, WORKFLOW, apart
from tests.packaging.installed import plain

if TYPE_CHECKING:
    from tests.cli.desk import Desk

WORDS = ("--yes", "--allow", "destroy=contoso/agents")


def test_nothing_marked_is_left_and_set_up_works_again(configured: Desk) -> None:
    before = configured.world()
    done = configured("destroy", *WORDS).ends(0)
    assert "to delete" in done.out
    world = configured.world()
    assert world.apps == {}
    assert world.environments == {}
    assert not [role for role in world.shape()["roles"] if "trustsmith" in role[4]]
    assert not (configured.checkout / WORKFLOW).exists()
    assert (configured.checkout / CONFIG).exists()
    configured("destroy", *WORDS).ends(0)
    again = configured("setup", "--no-input", "--yes").ends(0)
    assert "3 to restore" in again.out
    assert apart(configured.world().shape(), before.shape()) == []
    assert {n: a["appId"] for n, a in configured.world().apps.items()} == {
        n: a["appId"] for n, a in before.apps.items()
    }
    configured("plan", "--check").ends(0)


def test_what_others_own_stays(desk: Desk) -> None:
    theirs = {"name": "DATABASE", "value": "x", "updated_at": "2026-01-01T00:00:00Z"}
    theirs |= {"created_at": theirs["updated_at"]}
    repository = "/api/v3/repos/contoso/agents"
    headers = {"Authorization": f"Bearer {desk.sandbox.env['GH_TOKEN']}"}
    url = f"{desk.sandbox.origin}{repository}/environments/staging"
    desk.sandbox.http.put(url, json={"wait_timer": 2}, headers=headers).raise_for_status()
    desk(*SETUP).ends(0)
    desk.edit(lambda world: world.environment("prod")["secrets"].update(DATABASE=theirs))
    desk.edit(lambda world: world.add_app(uniqueName="somebody-else"))
    desk("destroy", *WORDS).ends(0)
    world = desk.world()
    assert sorted(world.environments) == ["prod", "staging"], "adopted, and holding somebody's secret"
    assert list(world.environment("prod")["secrets"]) == ["DATABASE"]
    assert world.environment("staging")["secrets"] == {}
    assert world.environment("staging")["wait_timer"] == 2
    assert [e["variables"] for e in world.environments.values()] == [{}, {}]
    assert list(world.apps) == ["somebody-else"]


def test_the_name_is_typed(configured: Desk) -> None:
    before = configured.world().data
    configured("destroy", "--yes").ends(2, "--allow destroy=contoso/agents")
    configured("destroy", "--yes", "--allow", "destroy=contoso/other").ends(2)
    wrong = configured.tty("destroy", answers=[("Type contoso/agents", "agents\r")])
    assert wrong.returncode == 2
    assert "was not typed" in plain(wrong.stdout)
    assert configured.world().data == before
    right = configured.tty("destroy", answers=[("Type contoso/agents", "contoso/agents\r")])
    assert right.returncode == 0, right.stdout
    assert configured.world().apps == {}


def test_an_edited_workflow_stays(configured: Desk) -> None:
    file = configured.checkout / WORKFLOW
    edited = configured.write(file.read_text().replace("Deploy to dev", "Deploy to test"), WORKFLOW)
    configured("destroy", *WORDS).ends(0)
    assert edited.exists()
    assert configured.world().apps == {}
