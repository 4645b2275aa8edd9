"""`trustsmith plan`: what would change."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trustsmith.cli import options as shared

if TYPE_CHECKING:
    from trustsmith.flows.session import Options
    from trustsmith.model.resource import Side
    from trustsmith.ui.console import Console


@click.command(short_help="Show what would change.")
@shared.only
@shared.allow
@click.option("--check", is_flag=True, help="Exit with 3 when anything differs.")
@click.option(
    "--observer",
    is_flag=True,
    help="Compare what may be read; the rest is shown as not compared, and counts as a difference.",
)
@click.option(
    "--issue",
    is_flag=True,
    help="With --check: open, update or close the repository's one issue about it, with GITHUB_TOKEN.",
)
@shared.formats("text", "json", "md")
@shared.command
def command(
    console: Console,
    options: Options,
    only: tuple[Side, ...],
    allow: tuple[str, ...],
    *,
    check: bool,
    observer: bool,
    issue: bool,
) -> None:
    """Show what would change, and change nothing.

    `--format json` prints the plan in the form that `trustsmith apply PLAN` takes: a pin, since apply looks again and
    refuses when what it finds is no longer what was saved. `--format md` is for those who approve it.

    `--check --observer --issue` is what the scheduled workflow check-drift runs, with an identity that may only read.
    """
    if issue and not check:
        raise click.UsageError("--issue reports what --check finds: give both.")
    import asyncio

    from trustsmith.flows.planning import show

    with asyncio.Runner() as runner:
        runner.run(
            show(options, console, only, allow, check=check, observer=observer, issue=issue),
        )
