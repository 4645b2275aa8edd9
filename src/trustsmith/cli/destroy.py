"""`trustsmith destroy`: take away what trustsmith made, and only that."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trustsmith.cli import options as shared

if TYPE_CHECKING:
    from trustsmith.flows.session import Options
    from trustsmith.ui.console import Console


@click.command(short_help="Take away what trustsmith made.")
@click.option(
    "--yes", is_flag=True, help="Accept the plan; with --allow destroy=OWNER/NAME nothing is asked."
)
@click.option(
    "--allow", multiple=True, metavar="HAZARD=NAME", help="destroy=OWNER/NAME, in place of typing the name."
)
@shared.formats("text", "json")
@shared.command
def command(console: Console, options: Options, allow: tuple[str, ...], *, yes: bool) -> None:
    """Take away what carries trustsmith's mark for this repository.

    That is: applications, credentials, role assignments,
    environments that trustsmith created (not those it adopted, nor any that hold other people's secrets), the ids in
    them, and generated workflow files that nobody edited. The configuration file stays.

    Asks for the repository's name to be typed.
    """
    from trustsmith.flows.destroy import destroy

    destroy(options, console, allow, yes=yes)
