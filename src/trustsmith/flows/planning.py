"""`plan` and `apply`: look, show, and perhaps do it."""

from __future__ import annotations

import asyncio
import shlex
from typing import TYPE_CHECKING

from trustsmith.errors import Differences
from trustsmith.flows.change import Wish, change, read_saved
from trustsmith.flows.look import look
from trustsmith.flows.session import Options, Session
from trustsmith.model.resource import SIDES, Side

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from trustsmith.model.plan import Plan
    from trustsmith.ui.console import Console


async def show(
    options: Options, console: Console, sides: Collection[Side], allow: Collection[str], *, check: bool
) -> None:
    """Show the plan. Raises Differences with `check` when there are any."""
    source = options.read_config()
    session = Session.of(options, console, source.config)
    console.repository = source.config.repository
    try:
        picture = await look(session, source, sides or SIDES, allow)
    finally:
        await session.aclose()
    if console.format == "json":
        console.document(picture.plan.as_json())
    else:
        console.show_plan(picture.plan)
    if check and not picture.plan.clean:
        raise Differences("What is there is not what the file says.", hint=_how_to_mend(picture.plan))


def _how_to_mend(plan: Plan) -> str:
    """What to type; things that are not ours go only by name."""
    words = " ".join(f"--allow {shlex.quote('remove=' + stray.key.name)}" for stray in plan.strays)
    if plan.changes:
        return "Mend it with:\n  trustsmith apply"
    return f"Look at what is not ours; to remove it:\n  trustsmith apply {words}"


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
