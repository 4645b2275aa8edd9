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
@click.option(
    "--check", is_flag=True, help="Write nothing; show what differs, and exit with 3 if anything does."
)
@click.option(
    "--adopt",
    multiple=True,
    metavar="NAME",
    help="Keep the text of a workflow's file that is in conflict. May be repeated.",
)
@click.option(
    "--overwrite",
    multiple=True,
    metavar="NAME",
    help="Lose what others wrote into a workflow's file. May be repeated.",
)
@click.option(
    "--remove",
    multiple=True,
    metavar="PATH",
    help="Remove an edited file that is no longer asked for. May be repeated.",
)
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
@click.option(
    "--pr", is_flag=True, help="Write nothing here: push a branch, and open or update one pull request."
)
@click.option("--yes", is_flag=True, help="Take the releases that are shown; never a hazard.")
@shared.formats("text", "json")
@shared.command
def command(
    console: Console,
    options: Options,
    *,
    out: Path | None,
    adopt: tuple[str, ...],
    overwrite: tuple[str, ...],
    remove: tuple[str, ...],
    check: bool,
    update_pins: bool,
    pins: tuple[str, ...],
    pr: bool,
    yes: bool,
) -> None:
    """Write the workflow files; needs no network and no sign-in, but for newer releases of actions and pull requests.

    What is rendered is merged into a file that somebody edited. Where that cannot be, the difference is shown and no
    file is changed: bring it into the file by hand and --adopt the file, or --overwrite it.
    """
    from trustsmith.flows.rendering import Named, write

    named = Named(adopt, overwrite, remove)
    looks = update_pins or bool(pins)
    if sum((pr, check and pr, looks, out is not None)) > 1:
        raise click.UsageError(
            "--pr, --out and --update-pins or --pin do not go together, nor --pr with --check."
        )
    if pr:
        from trustsmith.flows.pull import propose

        propose(options, console, named)
        return
    if looks:
        from trustsmith.flows.pins import Asked, update

        update(options, console, Asked(every=update_pins, names=pins, files=named, check=check, yes=yes))
        return
    write(options, console, out, named, check=check)
