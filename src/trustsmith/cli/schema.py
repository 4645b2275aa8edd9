"""`trustsmith schema`: the configuration's JSON Schema, for editors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from trustsmith.cli import options as shared

if TYPE_CHECKING:
    from trustsmith.flows.session import Options
    from trustsmith.ui.console import Console


@click.command(short_help="Print the configuration's JSON Schema, for editors.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Write it to this file instead.")
@shared.command
def command(console: Console, options: Options, out: Path | None) -> None:
    """Print the JSON Schema of .github/trustsmith.yml, by which editors complete, explain and check it.

    Files that setup writes name the published one in their first line. Needs no network and no sign-in.
    """
    from trustsmith.flows.schema import give

    give(options, console, out)
