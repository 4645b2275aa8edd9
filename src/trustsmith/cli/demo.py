"""`trustsmith demo`: the whole story on the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trustsmith.cli import options as shared

if TYPE_CHECKING:
    from trustsmith.flows.session import Options
    from trustsmith.ui.console import Console


@click.command(short_help="The whole story on the sandbox.")
@shared.command
def command(console: Console, options: Options) -> None:
    """Tell the whole story on the sandbox, which it starts.

    Sets up contoso/agents with dev, staging and prod as `trustsmith setup` does it anywhere, proves it with a job of each
    environment, which reaches its own project and none of the others, and runs again: nothing is left to do.

    Nothing outside a temporary folder is touched, and nothing beyond this machine is contacted.
    """
    del options
    from trustsmith.flows.demo import demo

    demo(console)
