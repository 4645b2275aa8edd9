"""What happens beside us: a plan that cannot protect, a repository that is renamed, replication that lags."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest

from tests.cli.desk import SETUP, apart, config, project

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.desk import Desk, Json

PROTECTED = ("--env", f"prod={project('prod')}", "--env", f"dev={project('dev')}")


@pytest.mark.parametrize(("owner", "rules"), [("tailwind", "--branch"), ("fabrikam", "--wait")])
def test_a_plan_that_cannot_protect(desk: Desk, owner: str, rules: str) -> None:
    """It is found before anything is made."""
    value = {"--branch": "prod=main", "--wait": "prod=10"}[rules]
    before = desk.world().data
    desk(*SETUP[:4], f"{owner}/agents", *PROTECTED, rules, value).ends(
        2, "The GitHub plan of", "nothing was changed"
    )
    assert desk.writes() == []
    assert desk.world().data == before


@pytest.mark.parametrize(("owner", "rules"), [("tailwind", "--branch"), ("fabrikam", "--wait")])
def test_a_plan_that_is_not_shown_and_cannot_protect(desk: Desk, owner: str, rules: str) -> None:
    """GitHub answers 422 and makes the environment all the same, unprotected: no credential may trust it."""
    hidden = {"service": "github", "path": f"*/orgs/{owner}", "status": 404, "times": 99}
    desk.sandbox.control("faults", hidden)
    value = {"--branch": "prod=main", "--wait": "prod=10"}[rules]
    done = desk(*SETUP[:4], f"{owner}/agents", *PROTECTED, rules, value).ends(7)
    assert "Failed: create github environment prod" in done.out
    assert "needs github environment prod, which was not done" in done.out
    assert _trusted(desk) == {"dev"}
    again = desk("apply", "--yes")
    assert again.code in {6, 7}, again.err
    assert _trusted(desk) == {"dev"}


def _trusted(desk: Desk) -> set[str]:
    """The environments whose jobs could sign in."""
    found = [app["federatedIdentityCredentials"] for app in desk.world().apps.values()]
    return {str(credential["subject"]).rsplit(":", 1)[-1] for each in found for credential in each}


def _move(desk: Desk, change: dict[str, str]) -> None:
    """Rename or transfer the repository as GitHub does it: the old name redirects."""

    def moved(repository: Json) -> None:
        repository["redirects"].append("contoso/agents")
        repository |= change

    desk.edit(lambda world: moved(world.repository))


@pytest.mark.parametrize(
    ("change", "name", "subject"),
    [
        ({"name": "robots"}, "contoso/robots", "repo:contoso@1001/robots@4001:environment:dev"),
        ({"owner": "fabrikam"}, "fabrikam/agents", "repo:fabrikam@1002/agents@4001:environment:dev"),
    ],
    ids=["renamed", "transferred"],
)
def test_a_repository_that_moved(desk: Desk, change: dict[str, str], name: str, subject: str) -> None:
    desk.write(config())
    desk("apply", "--yes").ends(0)
    before = desk.world()
    _move(desk, change)
    shown = desk("plan", "--check", "--format", "json").ends(3, "Warning", name)
    assert "redirection" not in shown.err, "what an SDK logs is not for people"
    kinds = [(verb, kind) for verb, kind, _ in shown.changes]
    assert kinds.count(("create", "federated credential")) == 1
    assert {verb for verb, _ in kinds} <= {"create", "update"}
    assert ("create", "application") not in kinds
    (old,) = shown.json["strays"]
    assert "trustsmith verify --run" in old["why"]
    desk.forget()
    desk("apply", "--yes", "--allow", f"remove={old['name']}").ends(0)
    credentials = [r for r in desk.writes() if "federatedIdentityCredentials" in r["path"]]
    assert [r["method"] for r in credentials] == ["PATCH", "DELETE"]
    assert desk.writes()[-1]["method"] == "DELETE", "the old way out last"
    app = desk.world().app("dev")
    assert app["appId"] == before.app("dev")["appId"]
    assert [c["subject"] for c in app["federatedIdentityCredentials"]] == [subject]
    desk("plan", "--check").ends(0)
    desk.change_config("repository: contoso/agents", f"repository: {name}")
    assert "Warning" not in desk("plan", "--check").ends(0).err


def test_replication_is_waited_out(desk: Desk) -> None:
    desk.write(config())
    desk.sandbox.control("lag", {"replication_s": 2, "roles_s": 2})
    done = desk("apply", "--yes").ends(0)
    assert "waiting" in done.err
    assert "can be seen everywhere" in done.err
    time.sleep(2)
    desk("plan", "--check").ends(0)
    assert len(desk.world().apps) == 1
    assert len(desk.world().roles("dev")) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal needs POSIX")
def test_interrupted(desk: Desk, was_configured: tuple[Path, Json]) -> None:
    desk.sandbox.control("reset", was_configured[1])
    clean = desk.world().shape()
    desk.sandbox.reset()
    desk.sandbox.control("latency", {"ms": 300})
    at_work = desk.tty(*SETUP, answers=[("created", "\x03")])
    assert at_work.returncode == 130, at_work.stdout
    assert "Interrupted" in at_work.stdout
    assert "Not reached:" in at_work.stdout
    assert "Traceback" not in at_work.stdout
    desk.sandbox.control("latency", {"ms": 0})
    desk("apply", "--yes").ends(0)
    assert apart(desk.world().shape(), clean) == []
    desk("plan", "--check").ends(0)


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal needs POSIX")
def test_interrupted_while_looking(desk: Desk) -> None:
    desk.write(config())
    desk.sandbox.control("latency", {"ms": 1000})
    looking = desk.tty("apply", "-v", answers=[("Looking", "\x03")])
    assert looking.returncode == 130, looking.stdout
    assert "Traceback" not in looking.stdout
    assert desk.writes() == []
