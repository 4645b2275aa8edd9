"""`trustsmith sandbox`: the other program in this wheel, as a process of its own."""

from __future__ import annotations

import click

_PEOPLE = (("push",), ("pull",), ("run",), ("approve",))


@click.command(
    short_help="Serve the sandbox.",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> None:
    """Serve Entra, Microsoft Graph, ARM, Foundry and GitHub on this machine, until Ctrl-C.

    Prints what to export; everything after `sandbox` is passed on (see `trustsmith sandbox --help`). `sandbox push`,
    `sandbox pull`, `sandbox run` and `sandbox approve` do what people do in a sandbox that is served.
    """
    from trustsmith.flows.sandbox import become

    become(arguments if arguments[:1] in _PEOPLE else ["serve", *arguments])
