"""`plan` and `apply`: look, show, and perhaps do it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from trustsmith.errors import Differences
from trustsmith.flows.change import Wish, change, read_saved
from trustsmith.flows.issue import keep
from trustsmith.flows.look import look
from trustsmith.flows.session import Options, Session
from trustsmith.model.resource import SIDES, Side
from trustsmith.model.resources import WorkflowFile
from trustsmith.ui.report import Line
from trustsmith.ui.report_mend import how_to_mend, with_config

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from trustsmith.model.plan import Plan
    from trustsmith.ui.console import Console


async def show(
    options: Options,
    console: Console,
    sides: Collection[Side],
    allow: Collection[str],
    *,
    check: bool,
    observer: bool = False,
    issue: bool = False,
) -> None:
    """Show the plan. Raises Differences with `check` when there are any.

    observer: what may not be read is shown as not compared. issue: keep the repository's one issue about drift.
    """
    source = options.read_config()
    session = Session.of(options, console, source.config, observing=observer)
    console.repository = source.config.repository
    try:
        picture = await look(session, source, sides or SIDES, allow)
        if console.format == "json":
            console.document(picture.plan.as_json())
        else:
            console.show_plan(picture.plan)
            console.aside(_how_files_differ(picture.plan, options))
        if issue:
            kept = await keep(session, source.config.repository, picture.plan)
            console.document({"issue": kept})
            console.note(_said(kept))
    finally:
        await session.aclose()
    if check and not picture.plan.clean:
        raise _differences(picture.plan)


def _how_files_differ(plan: Plan, options: Options) -> Iterator[Line]:
    files = [change for change in plan.shown if isinstance(change.before, WorkflowFile) and change.after]
    if files:
        yield Line("How the files differ:")
        yield Line(with_config("  trustsmith render --check", options.config))


def _said(kept: dict[str, Any]) -> str:
    if kept["number"] is None:
        return "No issue is open, and none is needed."
    return f"Issue #{kept['number']} {kept['said']}. {kept['url']}"


def _differences(plan: Plan) -> Differences:
    if plan.changes or plan.strays:
        return Differences("What is there is not what the file says.", hint=how_to_mend(plan))
    if plan.broken:
        return Differences("Edited workflow files break rules of generated ones.", hint=how_to_mend(plan))
    return Differences("Not everything could be compared.", hint=how_to_mend(plan))


def make(
    options: Options,
    console: Console,
    saved: Path | None,
    sides: Collection[Side],
    allow: Collection[str],
    *,
    yes: bool,
) -> None:
    """Plan, ask, apply. Raises what explains why it is not all done."""
    pinned = read_saved(saved) if saved else None
    wish = Wish(sides or SIDES, allow, yes=yes, pinned=pinned)
    with asyncio.Runner() as runner:
        source = options.read_config()
        session = Session.of(options, console, source.config)
        try:
            change(runner, session, source, console, wish)
        finally:
            runner.run(session.aclose())
