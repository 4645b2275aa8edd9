"""`destroy`: the empty wanted state, and a name to type."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from trustsmith.diff import diff
from trustsmith.errors import UsageError
from trustsmith.flows.change import Wish, carry_out
from trustsmith.flows.look import look
from trustsmith.flows.session import Options, Session
from trustsmith.hazards import judge
from trustsmith.model.state import State

if TYPE_CHECKING:
    from collections.abc import Collection

    from trustsmith.model.plan import Plan
    from trustsmith.ui.console import Console


def destroy(options: Options, console: Console, allow: Collection[str], *, yes: bool) -> None:
    """Show what would go, have the repository's name typed, and take it away.

    Typing the name (or `--allow destroy=OWNER/NAME`) accepts the deletions that the plan shows.
    """
    source = options.read_config()
    session = Session.of(options, console, source.config)
    repository = source.config.repository
    with asyncio.Runner() as runner:
        try:
            picture = runner.run(look(session, source, to_write=True))
            plan = _taken_away(diff(picture.live, State()))
            accepted = yes and f"destroy={repository}" in allow
            words = [hazard.id for hazard in judge(plan, picture.live).hazards]
            picture = replace(picture, plan=judge(plan, picture.live, words))
            if plan.changes and not accepted:
                console.show_plan(picture.plan)
                _have_typed(console, repository)
            wish = Wish(allow=allow, yes=True, shown=bool(plan.changes and not accepted))
            carry_out(runner, session, console, wish, picture)
        finally:
            runner.run(session.aclose())


def _taken_away(plan: Plan) -> Plan:
    """The plan, with the reason that is true here."""
    return replace(plan, changes=tuple(replace(change, why="it is ours") for change in plan.changes))


def _have_typed(console: Console, repository: str) -> None:
    question = (
        f"Applications can be restored for 30 days; the rest is gone at once. Type {repository} to go on"
    )
    typed = console.ask(question, str) if console.interactive else ""
    if typed != repository:
        raise UsageError(
            "The repository's name was not typed; nothing was changed.",
            hint=f"Without a terminal:\n  trustsmith destroy --yes --allow destroy={repository}",
        )
