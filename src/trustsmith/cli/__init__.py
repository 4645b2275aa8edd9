"""The command line: one thin file a command. Errors become exit codes here, once.

Commands are imported when they are run, so that `--help` loads nothing else; a test holds this to it.
"""

from __future__ import annotations

import sys
from importlib import import_module

import click

from trustsmith import __version__
from trustsmith.cli.options import common, remember

#: Command → what it does. The file `cli/NAME.py` holds a click command called `command`.
COMMANDS = {
    "setup": "Set a repository up: ask, plan, apply, render. Run again to pick up where it is.",
    "plan": "Show what would change.",
    "apply": "Make it so.",
    "render": "Write the workflow files only; needs no network and no sign-in.",
    "templates": "List the templates of workflows, their options, and what their jobs do.",
    "schema": "Print the configuration's JSON Schema, for editors.",
    "doctor": "Say what would make it fail, before it fails.",
    "verify": "Prove that it works: subjects, roles, and real tokens.",
    "subjects": "Show what GitHub will send, and what Entra trusts.",
    "explain": "Say what a failed sign-in of a job means, offline.",
    "migrate": "Off client secrets: find every use of one.",
    "destroy": "Take away what trustsmith made, and only that.",
    "demo": "The whole story on the sandbox, in one command.",
    "sandbox": "Serve the sandbox: Entra, Graph, ARM, Foundry and GitHub on this machine.",
}

_SEE = """Start with `trustsmith demo`, then `trustsmith setup` in your repository's checkout.

\b
Exit codes: 0 done, or nothing to do · 1 a bug in trustsmith · 2 usage or
configuration · 3 differences, or findings · 4 not signed in, or not allowed ·
5 refused for safety · 6 a service failed, nothing was changed · 7 some
changes were made, then a failure: run again · 130 interrupted"""


class Commands(click.Group):
    """A group that knows its commands' names and short helps without importing them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order in which people meet them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command, imported now."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"trustsmith.cli.{cmd_name}").command
        if not isinstance(command, click.Command):
            raise TypeError(cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing one."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, epilog=_SEE, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="trustsmith", message="%(prog)s %(version)s")
@common
@click.pass_context
def cli(ctx: click.Context, /, **flags: object) -> None:
    """Keyless deployment from GitHub Actions to Microsoft Foundry: planned, then applied, and safe to run again."""
    remember(ctx, flags)


def main() -> None:
    """Run the command line and exit with its code."""
    from trustsmith.cli.exits import run

    sys.exit(run(cli, sys.argv[1:]))
