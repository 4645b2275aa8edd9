"""Refused for safety (5): each names the object, shows the plan first, and nothing is changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.desk import CONFIG, SETUP, config, project

if TYPE_CHECKING:
    from tests.cli.desk import Desk, Done, World

STAMP = "2026-01-01T00:00:00Z"
APP = "trustsmith-localhost-4001-dev"


def _refused(desk: Desk, *args: str, names: str) -> Done:
    before = desk.world().data
    done = desk(*(args or SETUP)).ends(5, names)
    assert "othing was changed" in done.err
    assert done.out.startswith("  "), "the plan is shown before it is refused"
    assert desk.writes() == []
    assert desk.world().data == before
    return done


def _with_secret(desk: Desk) -> None:
    headers = {"Authorization": f"Bearer {desk.sandbox.env['GH_TOKEN']}"}
    url = f"{desk.sandbox.origin}/api/v3/repos/contoso/agents/environments/prod"
    desk.sandbox.http.put(url, json={"wait_timer": 2}, headers=headers).raise_for_status()
    secret = {"name": "AZURE_CLIENT_ID", "value": "theirs", "updated_at": STAMP, "created_at": STAMP}
    desk.edit(lambda world: world.environment("prod")["secrets"].update(AZURE_CLIENT_ID=secret))
    desk.forget()


def test_an_id_that_is_already_there(desk: Desk) -> None:
    _with_secret(desk)
    _refused(desk, names="--allow overwrite=prod/AZURE_CLIENT_ID")
    assert not (desk.checkout / CONFIG).exists()
    desk(*SETUP, "--allow", "overwrite=prod/AZURE_CLIENT_ID").ends(0)
    secret = desk.world().environment("prod")["secrets"]["AZURE_CLIENT_ID"]
    assert secret["value"] == desk.world().app("prod")["appId"]
    desk("plan", "--check").ends(0)


def test_yes_accepts_no_hazard_and_a_wrong_word_neither(desk: Desk) -> None:
    _with_secret(desk)
    _refused(desk, *SETUP, "--allow", "overwrite=dev/AZURE_CLIENT_ID", names="overwrite=prod/AZURE_CLIENT_ID")


def test_a_foreign_application_with_our_name(desk: Desk) -> None:
    desk.edit(lambda world: world.add_app(uniqueName=APP))
    _refused(desk, names=f"foreign-application={APP}")
    _refused(desk, *SETUP, "--allow", f"foreign-application={APP}", names=f"foreign-application={APP}")


def test_a_deleted_foreign_application_with_our_name(desk: Desk) -> None:
    def deleted(world: World) -> None:
        app = world.add_app(uniqueName=APP, deletedDateTime=STAMP)
        del world.data["applications"][app["id"]]
        world.data["deleted_applications"][app["id"]] = app

    desk.edit(deleted)
    done = _refused(desk, names=f"foreign-application={APP}")
    assert "deleted" in done.err


def test_twenty_credentials(desk: Desk) -> None:
    def filled(world: World) -> None:
        like = next(iter(world.data["applications"].values()))["federatedIdentityCredentials"][0]
        full = world.add_app(uniqueName=None)
        full["federatedIdentityCredentials"] = [
            like | {"id": f"id-{n}", "name": f"name-{n}", "subject": f"repo:a/b:environment:{n}"}
            for n in range(20)
        ]
        full["appId"] = "50000000-0000-0000-0000-000000000009"

    desk.edit(filled)
    named = config().replace("  dev:\n", "  dev:\n    client_id: 50000000-0000-0000-0000-000000000009\n")
    desk.write(named)
    done = _refused(desk, "apply", "--yes", names="full=50000000-0000-0000-0000-000000000009")
    assert "20" in done.err


@pytest.mark.parametrize("how", ["plan", "world"])
def test_a_stale_plan(configured: Desk, how: str) -> None:
    configured.edit(lambda world: world.environment("prod").update(wait_timer=1))
    saved = configured.write(
        configured("plan", "--format", "json").ends(0).out, CONFIG.with_name("plan.json")
    )
    if how == "world":
        configured.edit(lambda world: world.environment("dev").update(wait_timer=1))
    else:
        saved.write_text(json.dumps(json.loads(saved.read_text()) | {"fingerprint": "0" * 64}))
    _refused(configured, "apply", str(saved), "--yes", names="This is not the plan that was saved")


def test_a_custom_subject_template(desk: Desk) -> None:
    template = {"use_default": False, "include_claim_keys": ["repo", "context", "job_workflow_ref"]}
    desk.edit(lambda world: world.repository["subject_template"].update(template))
    before = desk.world().data
    desk(*SETUP).ends(5, "contoso/agents", "template")
    assert desk.writes() == []
    assert desk.world().data == before


def test_a_grant_above_the_project(configured: Desk) -> None:
    grant = "    grants:\n      - {role: foundry-account-owner, scope: account, because: deploys models}\n"
    configured.change_config("    protection:\n", f"{grant}    protection:\n")
    account = project("prod").rpartition("/projects/")[0]
    name = f"grant=foundry-account-owner@{account}#trustsmith-localhost-4001-prod"
    done = _refused(configured, "apply", "--yes", names=name)
    assert "deploys models" in done.err
    configured("apply", "--yes", "--allow", name).ends(0)
    assert len(configured.world().roles("prod")) == 2
    configured("plan", "--check").ends(0)
