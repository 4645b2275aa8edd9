"""`trustsmith apply`: make it so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trustsmith.cli import options as shared

if TYPE_CHECKING:
    from trustsmith.flows.session import Options
    from trustsmith.model.resource import Side
    from trustsmith.ui.console import Console


@click.command(short_help="Make it so.")
@click.argument("saved", metavar="[PLAN]", required=False, type=click.Path(path_type=Path))
@shared.only
@shared.yes
@shared.allow
@shared.formats("text", "json")
@shared.command
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
