"""What is agreed to is what is done: the world is looked at again after somebody was asked."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from trustsmith.configfile import load
from trustsmith.errors import Refused, UsageError
from trustsmith.flows.change import Wish, change, read_saved, refuse
from trustsmith.flows.session import Options, Session
from trustsmith.model.plan import NotCompared, Plan
from trustsmith.model.resource import Key
from trustsmith.ui.console import Console

if TYPE_CHECKING:
    from collections.abc import Callable

CONFIG = """\
version: 1
repository: contoso/agents
tenant: 11111111-1111-1111-1111-111111111111
environments:
  dev:
    project: /subscriptions/aaaaaaaa-0000-0000-0000-000000000001/resourceGroups/rg/providers/\
Microsoft.CognitiveServices/accounts/a/projects/p
"""
WORKFLOW = Path(".github", "workflows", "deploy-agents.yml")


class Asked(Console):
    """Somebody who does something while the question is on the screen, and then says yes."""

    def __init__(self, meanwhile: Callable[[], object]) -> None:
        super().__init__(ask=False)
        self.meanwhile = meanwhile

    def agree(self, question: str) -> bool:
        assert question
        self.meanwhile()
        return True


def run(checkout: Path, meanwhile: Callable[[], object]) -> None:
    source = load(CONFIG, "trustsmith.yml")
    console = Asked(meanwhile)
    session = Session.of(Options(checkout), console, source.config)
    with asyncio.Runner() as runner:
        change(runner, session, source, console, Wish({"files"}))


def test_what_was_agreed_to_is_done(tmp_path: Path) -> None:
    run(tmp_path, lambda: None)
    assert (tmp_path / WORKFLOW).exists()


def test_what_changed_while_somebody_was_asked_is_refused(tmp_path: Path) -> None:
    (tmp_path / WORKFLOW).parent.mkdir(parents=True)
    with pytest.raises(Refused, match="Nothing was applied"):
        run(tmp_path, lambda: (tmp_path / WORKFLOW).write_text("theirs\n"))
    assert (tmp_path / WORKFLOW).read_text() == "theirs\n"


def test_a_report_of_an_observer_is_neither_carried_out_nor_a_pin(tmp_path: Path) -> None:
    plan = Plan(not_compared=(NotCompared(Key("application", "app"), "no"),))
    with pytest.raises(Refused, match="leaves out what could not be read"):
        refuse(plan)
    assert not plan.clean
    saved = plan.as_json()
    assert saved["fingerprint"] is None
    assert saved["not_compared"] == [{"kind": "application", "name": "app", "why": "no"}]
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(saved))
    with pytest.raises(UsageError, match="cannot be applied"):
        read_saved(file)
    file.write_text(json.dumps(saved | {"fingerprint": plan.fingerprint}))
    with pytest.raises(UsageError, match="cannot be applied"):
        read_saved(file)
