"""`trustsmith plan`: what would change."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from trustsmith.cli.options import command as handed
from trustsmith.cli.options import formats

if TYPE_CHECKING:
    from trustsmith.flows.session import Options
    from trustsmith.model.resource import Side
    from trustsmith.ui.console import Console


@click.command(short_help="Show what would change.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(["entra", "azure", "github", "files"]),
    help="One side's part; the others are contacted only to read. May be repeated.",
)
@click.option("--allow", multiple=True, metavar="HAZARD=NAME", help="Accept a hazard, as the plan names it.")
@click.option("--check", is_flag=True, help="Exit with 3 when anything differs.")
@formats("text", "json", "md")
@handed
def command(
    console: Console, options: Options, only: tuple[Side, ...], allow: tuple[str, ...], *, check: bool
) -> None:
    """Show what would change, and change nothing.

    `--format json` prints the plan in the form that `trustsmith apply PLAN` takes: a pin, since apply looks again and
    refuses when what it finds is no longer what was saved. `--format md` is for those who approve it.
    """
    from trustsmith.flows.planning import show

    with asyncio.Runner() as runner:
        runner.run(show(options, console, only, allow, check=check))
