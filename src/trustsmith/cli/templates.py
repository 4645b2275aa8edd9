"""`trustsmith templates`: what workflows can be rendered from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trustsmith.cli import options as shared

if TYPE_CHECKING:
    from trustsmith.flows.session import Options
    from trustsmith.ui.console import Console


@click.command(short_help="List the templates of workflows, their options, and what their jobs do.")
@click.argument("name", required=False)
@click.option(
    "--source", is_flag=True, help="Print the template NAME itself, as a start for one of your own."
)
@shared.formats("text", "json")
@shared.command
def command(console: Console, options: Options, name: str | None, *, source: bool) -> None:
    """List the templates of workflows, yours among them; with NAME, one of them in full. Needs no network and no sign-in."""
    from trustsmith.flows.templates import show

    show(options, console, name, source=source)
