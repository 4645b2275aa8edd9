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
@click.option(
    "--update-pins", is_flag=True, help="Ask GitHub for newer releases of the actions in use, and take them."
)
@click.option(
    "--pin",
    "pins",
    multiple=True,
    metavar="ACTION@VERSION",
    help="Take this release of an action, or of a line such as v7 the newest. May be repeated.",
)
@click.option("--yes", is_flag=True, help="Take the releases that are shown; never a hazard.")
@shared.allow
@shared.formats("text", "json")
@shared.command
def command(
    console: Console,
    options: Options,
    out: Path | None,
    pins: tuple[str, ...],
    allow: tuple[str, ...],
    *,
    check: bool,
    update_pins: bool,
    yes: bool,
) -> None:
    """Write the workflow files; needs no network and no sign-in, but for newer releases of actions.

    A file that somebody edited is not overwritten (--allow overwrite=PATH does).
    """
    if update_pins or pins:
        from trustsmith.flows.pins import Asked, update

        if out is not None:
            raise click.UsageError("--out goes with neither --update-pins nor --pin.")
        update(options, console, Asked(every=update_pins, names=pins, allow=allow, check=check, yes=yes))
        return
    from trustsmith.flows.rendering import write

    write(options, console, out, allow, check=check)
