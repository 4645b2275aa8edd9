"""`trustsmith subjects`: what GitHub will send, and what Entra trusts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trustsmith.cli import options as shared

if TYPE_CHECKING:
    from trustsmith.flows.session import Options
    from trustsmith.ui.console import Console


@click.command(short_help="Show what GitHub will send, and what Entra trusts.")
@click.option("--check", is_flag=True, help="Exit with 3 unless all that GitHub sends is trusted.")
@shared.formats("text", "json")
@shared.command
def command(console: Console, options: Options, *, check: bool) -> None:
    """Show, for each environment, the subject that GitHub will send and those that Entra trusts.

    They are compared to the byte, as Entra does it. Without a sign-in to Azure only GitHub's side is shown. Nothing is
    changed.
    """
    from trustsmith.flows.subjects import show

    show(options, console, check=check)
