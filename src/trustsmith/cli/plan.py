"""`trustsmith plan`: what would change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trustsmith.cli import options as shared

if TYPE_CHECKING:
    from trustsmith.flows.session import Options
    from trustsmith.model.resource import Side
    from trustsmith.ui.console import Console


@click.command(short_help="Show what would change.")
@shared.only
@shared.allow
@click.option("--check", is_flag=True, help="Exit with 3 when anything differs.")
@shared.formats("text", "json", "md")
@shared.command
def command(
    console: Console, options: Options, only: tuple[Side, ...], allow: tuple[str, ...], *, check: bool
) -> None:
    """Show what would change, and change nothing.

    `--format json` prints the plan in the form that `trustsmith apply PLAN` takes: a pin, since apply looks again and
    refuses when what it finds is no longer what was saved. `--format md` is for those who approve it.
    """
    import asyncio

    from trustsmith.flows.planning import show

    with asyncio.Runner() as runner:
        runner.run(show(options, console, only, allow, check=check))
