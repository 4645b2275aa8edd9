"""`trustsmith setup`: the wizard, and the main job."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from trustsmith.cli import options as shared

if TYPE_CHECKING:
    from trustsmith.flows.session import Options
    from trustsmith.ui.console import Console

F = TypeVar("F", bound=Callable[..., Any])


def _for_environment(name: str, metavar: str, text: str) -> Callable[[F], F]:
    return click.option(f"--{name}", name, multiple=True, metavar=f"ENV={metavar}", help=text)


@click.command(short_help="Set a repository up: ask, plan, apply, render.")
@click.option("--repo", metavar="OWNER/NAME", help="The repository.  [default: the git remote's]")
@_for_environment(
    "env", "PROJECT_ID", "An environment and the ARM id of its Foundry project, in order of deployment."
)
@_for_environment("reviewer", "team:NAME|user:LOGIN", "Who approves deployments to it. May be repeated.")
@_for_environment(
    "branch", "PATTERN", "A branch that may deploy to it, or the word protected. May be repeated."
)
@_for_environment("tag", "PATTERN", "A tag that may deploy to it. May be repeated.")
@_for_environment("wait", "MINUTES", "How long a deployment to it waits.")
@click.option(
    "--store",
    type=click.Choice(["secrets", "variables"]),
    help="As what each GitHub environment keeps the ids.  [default: secrets]",
)
@click.option(
    "--per",
    type=click.Choice(["environment", "repository"]),
    help="One identity for each environment, or one for all of them.  [default: environment]",
)
@click.option("--tenant", metavar="TENANT_ID", help="The Entra tenant.  [default: that of the sign-in]")
@click.option(
    "--cloud", metavar="CLOUD", help="AzureCloud, AzureUSGovernment, AzureChinaCloud or AzureBleuCloud."
)
@shared.yes
@shared.allow
@shared.formats("text", "json")
@shared.command
def command(console: Console, options: Options, allow: tuple[str, ...], *, yes: bool, **flags: Any) -> None:
    """Set a repository up for keyless deployment, or pick up where it is.

    Asks what the flags do not say (never with --no-input), writes .github/trustsmith.yml, shows the plan, asks, applies
    it and renders the workflows. In a repository that has the file, flags override it and are written back.
    """
    from trustsmith.flows.setup import answers_from, setup

    setup(options, console, answers_from(flags), allow, yes=yes)
