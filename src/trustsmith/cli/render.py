"""`trustsmith render`: the workflow files only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trustsmith.cli import options as shared

if TYPE_CHECKING:
    from trustsmith.flows.session import Options
    from trustsmith.ui.console import Console


@click.command(short_help="Write the workflow files only.")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="DIR", help="Write under this folder, not the checkout."
)
@click.option("--check", is_flag=True, help="Write nothing; exit with 3 when a file differs.")
@shared.allow
@shared.formats("text", "json")
@shared.command
def command(
    console: Console, options: Options, out: Path | None, allow: tuple[str, ...], *, check: bool
) -> None:
    """Write the workflow files; needs no network and no sign-in.

    A file that somebody edited is not overwritten (--allow overwrite=PATH does).
    """
    from trustsmith.flows.rendering import write

    write(options, console, out, allow, check=check)
