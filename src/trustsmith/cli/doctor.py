"""`trustsmith doctor`: what would make it fail, before it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trustsmith.cli import options as shared

if TYPE_CHECKING:
    from trustsmith.flows.session import Options
    from trustsmith.model.resource import Side
    from trustsmith.ui.console import Console


_EXAMPLES = """\b
Examples:
  trustsmith doctor                   # before the first set-up, or after it
  trustsmith doctor --only azure      # one side's part
  trustsmith doctor --format json     # for machines"""


@click.command(short_help="Say what would make it fail, before it fails.", epilog=_EXAMPLES)
@shared.only
@shared.formats("text", "json", "md")
@shared.command
def command(console: Console, options: Options, only: tuple[Side, ...]) -> None:
    """Look at everything that a set-up needs, and change nothing.

    Sign-ins and tenant, the GitHub token, plan and Actions policy, the right to register applications and to assign
    roles (with conditions, and roles that wait in PIM), names and limits, the Foundry projects and their network.
    Each is fine, fails, or could not be told; for each that is not fine it says why, and what to type.

    Exits with 3 when anything fails or could not be told.
    """
    import asyncio

    from trustsmith.flows.doctor import doctor

    with asyncio.Runner() as runner:
        runner.run(doctor(options, console, only))
