"""`trustsmith verify`: prove that it works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from trustsmith.cli import options as shared

if TYPE_CHECKING:
    from trustsmith.flows.session import Options
    from trustsmith.ui.console import Console


@click.command(short_help="Prove that it works: subjects, roles, and real tokens.")
@click.option("--run", is_flag=True, help="Run the workflow check-trust, and report what its jobs could do.")
@click.option("--here", is_flag=True, help="Inside a job: exchange its own token. Needs no other sign-in.")
@click.option("--env", "environment", metavar="ENV", help="Only this environment.  [default: all]")
@click.option(
    "--timeout",
    metavar="TIME",
    default="15m",
    show_default=True,
    callback=shared.seconds,
    help="How long to follow a run, approvals included, or to wait inside a job.",
)
@shared.formats("text", "json", "md")
@shared.command
def command(
    console: Console, options: Options, environment: str | None, timeout: float, *, run: bool, here: bool
) -> None:
    """Compare live credentials with the subjects that GitHub will send, and role assignments with the file.

    With --run, jobs of each environment exchange real tokens, call their own projects, and knock at the others', which
    must not open. Changes nothing. Exits with 3 when anything is not as it should be.
    """
    if run and here:
        from trustsmith.errors import UsageError

        raise UsageError("--run starts jobs, and --here is inside of one.", hint="Give one of them.")
    if here:
        from trustsmith.flows.here import here as inside

        inside(options, console, environment, patience=timeout)
        return
    from trustsmith.flows.verify import verify

    verify(options, console, environment, run=run, patience=timeout)
