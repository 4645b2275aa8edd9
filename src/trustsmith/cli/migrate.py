"""`trustsmith migrate`: off client secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trustsmith.cli import options as shared

if TYPE_CHECKING:
    from trustsmith.flows.session import Options
    from trustsmith.ui.console import Console

_EXAMPLES = """\b
Examples:
  trustsmith migrate --scan                     # in a checkout; needs no sign-in
  trustsmith migrate --scan --format sarif > secrets.sarif"""


@click.command(short_help="Off client secrets: find every use of one.", epilog=_EXAMPLES)
@click.option("--scan", is_flag=True, help="Find every use of a long-lived Azure credential.")
@shared.formats("text", "json", "sarif")
@shared.command
def command(console: Console, options: Options, *, scan: bool) -> None:
    """Find what signs in to Azure with a secret, in workflows, actions and the scripts that they run.

    Each use is shown with its place, the secret, and what takes its place. Changes nothing.

    Exits with 3 when there is any, or when a file could not be read.
    """
    if not scan:
        from trustsmith.errors import UsageError

        raise UsageError("Say what to do.", hint="Begin with:\n  trustsmith migrate --scan")
    from trustsmith.flows.migrate import show

    show(options, console)
