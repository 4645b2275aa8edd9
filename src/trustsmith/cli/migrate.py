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
  trustsmith migrate --scan                     # in a checkout
  trustsmith migrate --scan --offline           # contacts nobody
  trustsmith migrate --scan --format sarif > secrets.sarif"""


@click.command(short_help="Off client secrets: find every use of one.", epilog=_EXAMPLES)
@click.option("--scan", is_flag=True, help="Find every use of a long-lived Azure credential.")
@click.option("--offline", is_flag=True, help="Look at the checkout alone; contact nobody.")
@shared.formats("text", "json", "sarif")
@shared.command
def command(console: Console, options: Options, *, scan: bool, offline: bool) -> None:
    """Find what signs in to Azure with a secret, in workflows, actions and the scripts that they run.

    Each use is shown with its place, the secret, and what takes its place. Signed in to GitHub and Azure, it also says
    where each secret lives, which are left over or missing, and which applications and passwords they belong to. Changes
    nothing, and needs no sign-in.

    Exits with 3 when there is any use, a secret is left over, or a file could not be read.
    """
    if not scan:
        from trustsmith.errors import UsageError

        raise UsageError("Say what to do.", hint="Begin with:\n  trustsmith migrate --scan")
    from trustsmith.flows.migrate import show

    show(options, console, offline=offline)
