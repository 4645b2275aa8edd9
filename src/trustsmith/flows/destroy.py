"""`destroy`: the empty wanted state, and a name to type."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from trustsmith.diff import diff
from trustsmith.errors import UsageError
from trustsmith.flows.change import Wish, carry_out
from trustsmith.flows.look import Picture, look
from trustsmith.flows.session import Options, Session
from trustsmith.hazards import judge
from trustsmith.model.state import State

if TYPE_CHECKING:
    from collections.abc import Collection

    from trustsmith.ui.console import Console


def destroy(options: Options, console: Console, allow: Collection[str], *, yes: bool) -> None:
    """Show what would go, have the repository's name typed, and take it away.

    Typing the name (or `--allow destroy=OWNER/NAME`) accepts the deletions that the plan shows.
    """
    source = options.read_config()
    session = Session.of(options, console, source.config)
    repository = source.config.repository
    accepted = yes and f"destroy={repository}" in allow
    with asyncio.Runner() as runner:

        def take() -> Picture:
            return _taken_away(runner.run(look(session, source, to_write=True)), allow)

        try:
            carry_out(
                runner,
                session,
                console,
                Wish(yes=accepted),
                take,
                agree=lambda: _has_typed(console, repository),
            )
        finally:
            runner.run(session.aclose())


def _taken_away(picture: Picture, allow: Collection[str]) -> Picture:
    """What was seen, with the plan that leaves nothing of ours; the name that is typed stands for its hazards."""
    plan = diff(picture.live, State())
    plan = replace(plan, changes=tuple(replace(change, why="it is ours") for change in plan.changes))
    named = [word for word in allow if word.startswith("remove=")]
    words = [hazard.id for hazard in judge(plan, picture.live, named).hazards]
    return replace(picture, plan=judge(plan, picture.live, [*named, *words]))


def _has_typed(console: Console, repository: str) -> bool:
    question = (
        f"Applications can be restored for 30 days; the rest is gone at once. Type {repository} to go on"
    )
    typed = console.ask(question, str) if console.interactive else ""
    if typed != repository:
        raise UsageError(
            "The repository's name was not typed; nothing was changed.",
            hint=f"Without a terminal:\n  trustsmith destroy --yes --allow destroy={repository}",
        )
    return True
