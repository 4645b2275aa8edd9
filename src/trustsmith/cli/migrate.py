"""`trustsmith migrate`: off client secrets, stage by stage; each stage is a flag."""

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
  trustsmith migrate --scan --format sarif > secrets.sarif
  trustsmith migrate --rewrite                  # shows a diff
  trustsmith migrate --rewrite --environment deploy=production --write"""


@click.command(short_help="Off client secrets: find every use of one, and rewrite it.", epilog=_EXAMPLES)
@click.option("--scan", is_flag=True, help="Find every use of a long-lived Azure credential.")
@click.option("--offline", is_flag=True, help="Look at the checkout alone; contact nobody.")
@click.option("--rewrite", is_flag=True, help="Show the workflows without the secrets, as a diff.")
@click.option("--write", is_flag=True, help="With --rewrite: change the files.")
@click.option(
    "--environment",
    "environments",
    multiple=True,
    metavar="JOB=ENV",
    help="With --rewrite: the environment of a job that has none; also FILE:JOB=ENV, and * for any job. May be repeated.",
)
@shared.formats("text", "json", "sarif")
@shared.command
def command(
    console: Console,
    options: Options,
    *,
    scan: bool,
    offline: bool,
    rewrite: bool,
    write: bool,
    environments: tuple[str, ...],
) -> None:
    """Find what signs in to Azure with a secret, in workflows, actions and the scripts that they run; and rewrite it.

    --scan shows each use with its place, the secret, and what takes its place. Signed in to GitHub and Azure, it also says
    where each secret lives, which are left over or missing, and which applications and passwords they belong to. It changes
    nothing, and needs no sign-in. It exits with 3 when there is any use, a secret is left over, or a file could not be read.

    --rewrite edits the workflows' own text, and nothing in it that can stay: as a diff, or with --write in the checkout. What
    cannot be rewritten safely it leaves, and says why; then it exits with 3.
    """
    from trustsmith.errors import UsageError

    if scan == rewrite:
        raise UsageError(
            "Say what to do: --scan or --rewrite.", hint="Begin with:\n  trustsmith migrate --scan"
        )
    if scan:
        if write or environments:
            raise UsageError(
                "--write and --environment are for --rewrite; --scan changes nothing.", hint="Use one."
            )
        from trustsmith.flows.migrate import show

        show(options, console, offline=offline)
        return
    if console.format == "sarif":
        raise UsageError("A rewriting is shown as text or json.", hint="Leave --format sarif to --scan.")
    from trustsmith.flows.rewriting import show as show_rewriting

    show_rewriting(options, console, environments, write=write)
