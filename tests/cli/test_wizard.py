"""The wizard at a terminal: it proposes what it finds, asks again what cannot be right, and changes nothing unasked."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from tests.cli.desk import CONFIG, WORKFLOW, project
from tests.packaging.installed import plain

if TYPE_CHECKING:
    from tests.cli.desk import Desk

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal needs POSIX")

#: A walk through the questions, in which nearly everything that is proposed is taken.
WALK = [
    ("Repository (owner/name)", "contoso\r"),
    ("Repository (owner/name)", "contoso/agents\r"),
    ("Entra tenant id", "\r"),
    ("Environments, in the order of deployment (comma between)", "\r"),
    ("project of dev", "\r"),
    ("project of staging", "\r"),
    ("project of prod", "\r"),
    ("Identities", "\r"),
    ("Where the ids go", "\r"),
    ("Reviewers of prod", "team:platform\r"),
    ("Branches that deploy to prod", "\r"),
]


def test_a_walk_through_the_questions(desk: Desk) -> None:
    done = desk.tty("setup", answers=[*WALK, ("Apply this plan?", "y\r")])
    screen = plain(done.stdout)
    assert done.returncode == 0, screen
    assert "Configured, not yet proven" in screen
    text = (desk.checkout / CONFIG).read_text()
    for name in ("dev", "staging", "prod"):
        assert f"  {name}:\n    project: {project(name)}\n" in text
    prod = desk.world().shape()["environments"]["prod"]
    assert (prod["reviewers"], prod["policies"]) == ([("Team", 3001)], [("branch", "main")])
    assert (desk.checkout / WORKFLOW).exists()
    desk("plan", "--check").ends(0)


def test_saying_no_changes_nothing(desk: Desk) -> None:
    before = desk.world().data
    done = desk.tty("setup", answers=[*WALK, ("Apply this plan?", "n\r")])
    assert done.returncode == 5, plain(done.stdout)
    assert "Nothing was applied" in plain(done.stdout)
    assert desk.writes() == []
    assert desk.world().data == before


def test_walking_away_from_the_questions(desk: Desk) -> None:
    done = desk.tty("setup", answers=[*WALK[:4], ("project of dev", "\x03")])
    assert done.returncode == 130, plain(done.stdout)
    assert "Traceback" not in done.stdout
    assert not (desk.checkout / CONFIG).exists()
    assert desk.writes() == []
