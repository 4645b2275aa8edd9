"""`trustsmith demo`: the whole story on the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trustsmith.cli.options import command as handed

if TYPE_CHECKING:
    from trustsmith.flows.session import Options
    from trustsmith.ui.console import Console


@click.command(short_help="The whole story on the sandbox.")
@handed
def command(console: Console, options: Options) -> None:
    """Start the sandbox, set up contoso/agents with dev, staging and prod as `trustsmith setup` does it anywhere, play a
    job of each environment, show that dev is refused at prod's project, and run again to show that nothing is left.

    Nothing outside a temporary folder is touched, and nothing beyond this machine is contacted.
    """
    del options
    from trustsmith.flows.demo import demo  # noqa: PLC0415 - not for `--help`

    demo(console)
