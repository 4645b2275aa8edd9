"""`render`: the workflow files, without a network."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from trustsmith.errors import Differences
from trustsmith.flows.change import Wish, carry_out
from trustsmith.flows.look import Picture, look
from trustsmith.flows.session import Options, Session

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from trustsmith.ui.console import Console


def write(
    options: Options, console: Console, out: Path | None, allow: Collection[str], *, check: bool
) -> None:
    """Write the files under the checkout, or under `out`. Raises Refused for an edited file, Differences with `check`."""
    source = options.read_config()
    session = Session.of(replace(options, out=out), console, source.config)
    with asyncio.Runner() as runner:

        def take() -> Picture:
            picture = runner.run(look(session, source, {"files"}, allow))
            return picture if out is None else _kept(picture)

        if not check:
            carry_out(runner, session, console, Wish({"files"}, allow, yes=True), take)
            return
        plan = take().plan
        console.show_plan(plan)
        if not plan.clean:
            hint = "Write them with:\n  trustsmith render"
            raise Differences("The workflow files are not what would be rendered.", hint=hint)


def _kept(picture: Picture) -> Picture:
    """What was seen, with a plan that removes nothing: another folder's files are not ours to remove."""
    kept = tuple(change for change in picture.plan.changes if change.verb != "delete")
    return replace(picture, plan=replace(picture.plan, changes=kept))
