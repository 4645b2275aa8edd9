"""`trustsmith apply`: make it so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trustsmith.cli.options import command as handed
from trustsmith.cli.options import formats

if TYPE_CHECKING:
    from trustsmith.flows.session import Options
    from trustsmith.model.resource import Side
    from trustsmith.ui.console import Console


@click.command(short_help="Make it so.")
@click.argument("saved", metavar="[PLAN]", required=False, type=click.Path(path_type=Path))
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(["entra", "azure", "github", "files"]),
    help="One side's part; the others are contacted only to read. May be repeated.",
)
@click.option("--yes", is_flag=True, help="Accept the plan; never a hazard.")
@click.option("--allow", multiple=True, metavar="HAZARD=NAME", help="Accept a hazard, as the plan names it.")
@formats("text", "json")
@handed
def command(
    console: Console,
    options: Options,
    saved: Path | None,
    only: tuple[Side, ...],
    allow: tuple[str, ...],
    *,
    yes: bool,
) -> None:
    """Show what would change, ask, and do it.

    With a PLAN that `trustsmith plan --format json` saved: do just that, or refuse if the world has moved since.
    Whatever fails, the rest that does not depend on it is finished, and the next run goes on from there.
    """
    from trustsmith.flows.planning import make

    make(options, console, saved, only, allow, yes=yes)
