"""The main job as a user sees it: from nothing to configured, and again without a write."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.cli.desk import (
    CONFIG,
    ENVIRONMENTS,
    NONPROD,
    PROD,
    PROJECT_MANAGER,
    SETUP,
    TENANT,
    WORKFLOW,
    config,
    project,
)

if TYPE_CHECKING:
    from tests.cli.desk import Desk

SUBJECT = "repo:contoso@1001/agents@4001:environment"


def test_first_run(desk: Desk) -> None:
    done = desk(*SETUP).ends(0, "Configured, not yet proven", "gh workflow run deploy-agents.yml")
    assert "Plan: 32 to create." in done.out
    assert "32 done, 0 failed, 0 not reached" in done.out
    world = desk.world()
    assert sorted(world.apps) == sorted(f"trustsmith-localhost-4001-{name}" for name in ENVIRONMENTS)
    for name in ENVIRONMENTS:
        app = world.app(name)
        assert app["displayName"] == f"agents-{name}"
        (credential,) = app["federatedIdentityCredentials"]
        assert credential["subject"] == f"{SUBJECT}:{name}"
        assert credential["audiences"] == ["api://AzureADTokenExchange"]
        (role,) = [a["properties"] for a in world.roles(name).values()]
        assert role["scope"] == project(name)
        assert role["principalType"] == "ServicePrincipal"
        assert role["roleDefinitionId"].endswith(f"/{PROJECT_MANAGER}")
    prod = world.shape()["environments"]["prod"]
    assert prod["reviewers"] == [("Team", 3001)]
    assert prod["policies"] == [("branch", "main")]
    assert prod["wait_timer"] == 10
    assert ".github/workflows/check-trust.yml" in done.err
    assert "trustsmith verify --run" in done.err
    assert "id-token: write" in (desk.checkout / WORKFLOW).read_text()
    assert "wait_minutes: 10" in (desk.checkout / CONFIG).read_text()


def test_second_run_writes_nothing(configured: Desk) -> None:
    before = configured.world().data
    configured("setup", "--no-input", "--yes").ends(0, "Nothing to do")
    configured("apply", "--yes").ends(0)
    configured("plan", "--check").ends(0)
    assert configured.writes() == []
    assert configured.world().data == before


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_what_a_job_sees(configured: Desk, name: str) -> None:
    seen = configured.job(name, ref="refs/heads/main")
    assert seen["sub"] == f"{SUBJECT}:{name}"
    inherited = {"AZURE_CLIENT_SECRET"}  # the organization's, which this repository may see
    assert {key: value for key, value in seen["secrets"].items() if key not in inherited} == {
        "AZURE_CLIENT_ID": configured.world().app(name)["appId"],
        "AZURE_TENANT_ID": TENANT,
        "AZURE_SUBSCRIPTION_ID": PROD if name == "prod" else NONPROD,
        "AZURE_AI_PROJECT_ENDPOINT": f"{configured.sandbox.origin}/foundry/foundry-{name}/api/projects/agents",
    }


def test_flags_are_written_back_and_comments_kept(configured: Desk) -> None:
    configured.change_config("environments:", "# chosen in the meeting of May\nenvironments:")
    configured("setup", "--no-input", "--yes", "--wait", "staging=5").ends(0)
    text = (configured.checkout / CONFIG).read_text()
    assert "# chosen in the meeting of May" in text
    assert "wait_minutes: 5" in text
    assert configured.world().environment("staging")["wait_timer"] == 5
    assert configured.world().environment("prod")["wait_timer"] == 10


def test_variables_and_one_identity_for_all(desk: Desk) -> None:
    desk(*SETUP, "--store", "variables", "--per", "repository").ends(0)
    world = desk.world()
    (app,) = world.apps.values()
    assert app["displayName"] == "agents"
    assert len(app["federatedIdentityCredentials"]) == 3
    for name in ENVIRONMENTS:
        assert world.environment(name)["secrets"] == {}
        assert world.environment(name)["variables"]["AZURE_CLIENT_ID"]["value"] == app["appId"]
    assert "vars.AZURE_CLIENT_ID" in (desk.checkout / WORKFLOW).read_text()
    desk.forget()
    desk("apply", "--yes").ends(0)
    assert desk.writes() == []


def test_repository_from_the_git_remote(desk: Desk) -> None:
    git = ["git", "-C", str(desk.checkout)]
    host = desk.sandbox.origin.removeprefix("https://")
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "remote", "add", "origin", f"https://{host}/contoso/agents.git"], check=True)
    desk("setup", "--no-input", "--yes", "--env", f"dev={project('dev')}").ends(0)
    assert "repository: contoso/agents" in (desk.checkout / CONFIG).read_text()


def test_production_is_protected_without_being_asked(desk: Desk) -> None:
    done = desk(*SETUP[:5], "--env", f"prod={project('prod')}").ends(0, "Warning", "reviewers")
    assert desk.world().shape()["environments"]["prod"]["policies"] == [("branch", "main")]
    assert "from main" in done.out


def test_a_names_remote_on_another_host_is_a_warning(desk: Desk) -> None:
    git = ["git", "-C", str(desk.checkout)]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "remote", "add", "origin", "git@github.com:contoso/agents.git"], check=True)
    desk(*SETUP).ends(0, "Warning", "github.com", "localhost")


def test_names_that_hurt(desk: Desk) -> None:
    names = ("prod eu/1", "a 'b' %41", "Übung:1")
    lines = [f"  {json.dumps(name)}:\n    project: {project('dev')}" for name in names]
    desk.write(config(environments=()) + "\n".join(lines) + "\n")
    desk("apply", "--yes").ends(0)
    desk("plan", "--check").ends(0)
    assert sorted(desk.world().environments) == sorted(names)
    for name in names:
        subjects = [
            c["subject"] for a in desk.world().apps.values() for c in a["federatedIdentityCredentials"]
        ]
        assert desk.job(name)["sub"] in subjects
    desk("destroy", "--yes", "--allow", "destroy=contoso/agents").ends(0)
    assert desk.world().environments == {}
