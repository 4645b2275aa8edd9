"""`trustsmith migrate`: off client secrets, stage by stage; each stage is a flag."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from trustsmith.cli import options as shared

if TYPE_CHECKING:
    from collections.abc import Callable

    from trustsmith.flows.session import Options
    from trustsmith.ui.console import Console

_EXAMPLES = """\b
Examples:
  trustsmith migrate                            # where it stands, and what is next
  trustsmith migrate --scan                     # in a checkout
  trustsmith migrate --scan --offline           # contacts nobody
  trustsmith migrate --scan --format sarif > secrets.sarif
  trustsmith migrate --scan --org contoso       # all repositories, by risk
  trustsmith migrate --expand --project production=PROJECT_ID
  trustsmith migrate --rewrite                  # shows a diff
  trustsmith migrate --rewrite --environment deploy=production --write
  trustsmith migrate --undo                     # what was there before
  trustsmith migrate --contract                 # what is left, and the words for it"""

#: Which stages take a flag; a flag that is not here is for all of them.
_TAKEN_BY = {
    "offline": {"scan"},
    "org": {"scan"},
    "write": {"rewrite", "undo"},
    "pr": {"rewrite", "undo"},
    "environments": {"expand", "rewrite"},
    "projects": {"expand"},
    "application": {"expand"},
    "new_applications": {"expand"},
    "allow": {"contract", "expand"},
    "yes": {"contract", "expand"},
    "record": {"contract"},
    "timeout": {"prove"},
}


@click.command(short_help="Off client secrets: find them, trust, rewrite, prove, remove.", epilog=_EXAMPLES)
@click.option("--scan", is_flag=True, help="Find every use of a long-lived Azure credential.")
@click.option("--expand", is_flag=True, help="Set the new way in up beside the old one; take nothing away.")
@click.option("--rewrite", is_flag=True, help="Show the workflows without the secrets, as a diff.")
@click.option(
    "--prove", is_flag=True, help="Run a job in each environment; and see that nothing reads a secret."
)
@click.option("--contract", is_flag=True, help="Remove old secrets, passwords and roles, each by its name.")
@click.option("--undo", is_flag=True, help="Show the workflows as they were before --rewrite, as a diff.")
@click.option(
    "--status", is_flag=True, help="Say where the repository stands, and what is next; as without any stage."
)
@click.option("--offline", is_flag=True, help="With --scan: look at the checkout alone; contact nobody.")
@click.option(
    "--org",
    metavar="OWNER",
    help="With --scan: look at all repositories of an organization or a person at GitHub instead.",
)
@click.option("--write", is_flag=True, help="With --rewrite and --undo: change the files.")
@click.option(
    "--pr", is_flag=True, help="With --rewrite and --undo: one pull request, of the default branch."
)
@click.option(
    "--environment",
    "environments",
    multiple=True,
    metavar="JOB=ENV",
    help="With --expand and --rewrite: the environment of a job that has none; also FILE:JOB=ENV, and * for any job. "
    "May be repeated.",
)
@click.option(
    "--project",
    "projects",
    multiple=True,
    metavar="ENV=PROJECT_ID",
    help="With --expand: the ARM id of an environment's Foundry project. May be repeated.",
)
@click.option(
    "--application",
    metavar="CLIENT_ID",
    help="With --expand: the application to go on with.  [default: that of the secrets]",
)
@click.option(
    "--new-applications", is_flag=True, help="With --expand: a new application for each environment instead."
)
@click.option(
    "--timeout",
    metavar="TIME",
    default="15m",
    show_default=True,
    callback=shared.seconds,
    help="With --prove: how long to follow the run, approvals included.",
)
@click.option(
    "--record",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="With --contract: where each removal is written down first.  [default: trustsmith-removed.jsonl]",
)
@shared.yes
@shared.allow
@shared.formats("text", "json", "sarif")
@shared.command
def command(console: Console, options: Options, **flags: Any) -> None:
    """Take a repository off client secrets, stage by stage. Each looks anew at what is there, so any may be run again.

    --scan finds what signs in to Azure with a secret, in workflows, actions and the scripts that they run: each use with its
    place, the secret, and what takes its place. Signed in to GitHub and Azure, it also says where each secret lives, which
    are left over or missing, and which applications and passwords they belong to. It changes nothing, and needs no sign-in.
    It exits with 3 when there is any use, a secret is left over, or a file could not be read. With --org it lists all
    repositories of an owner, the riskiest first and with the reasons; that needs no checkout and no sign-in to Azure.

    --expand has Entra trust the environments of those jobs, with the secrets' own application or new ones, and writes
    .github/trustsmith.yml. Nothing is removed and nothing overwritten, so that the old way in works as before.

    --rewrite edits the workflows' own text, and nothing in it that can stay: as a diff, or with --write in the checkout. What
    cannot be rewritten safely it leaves, and says why; then it exits with 3. With --pr it is the default branch as GitHub has
    it that is rewritten, in one pull request.

    --prove starts the workflow check-trust, in which a job of every environment signs in for real, and looks whether anything
    on the default branch still reads an old secret. It exits with 3 when it is not proven.

    --contract shows what is left of the old way in, and removes what --allow names: secrets, then passwords, then roles that
    the configuration does not declare. It refuses as long as an environment is not proven, or anything on the default branch
    reads a secret that is to go. Each removal is written to a record first.

    --undo brings back what was there before --rewrite, in the same three ways. What was changed since stays. It finds it in
    git's history, and refuses when a secret that is read then is not there any more.
    """
    _RUN[_stage(console, flags)](options, console, flags)


def _stage(console: Console, flags: dict[str, Any]) -> str:
    """The one stage that was asked for. Raises UsageError when there are several, or a flag is another's."""
    from trustsmith.errors import UsageError

    chosen = [stage for stage in _RUN if flags.pop(stage)] or ["status"]
    if len(chosen) > 1:
        both = " and ".join(f"--{stage}" for stage in chosen)
        raise UsageError(f"{both} are two stages.", hint="Do one after the other.")
    wrong = [name for name, stages in _TAKEN_BY.items() if _is_given(name) and chosen[0] not in stages]
    if wrong:
        name = wrong[0].removesuffix("s") if wrong[0] in {"environments", "projects"} else wrong[0]
        stages = " and ".join(f"--{stage}" for stage in sorted(_TAKEN_BY[wrong[0]]))
        raise UsageError(
            f"--{name.replace('_', '-')} is for {stages}, not for --{chosen[0]}.",
            hint="Leave one of them out.",
        )
    if console.format == "sarif" and chosen[0] != "scan":
        raise UsageError(f"--{chosen[0]} is shown as text or json.", hint="Leave --format sarif to --scan.")
    return chosen[0]


def _is_given(name: str) -> bool:
    return click.get_current_context().get_parameter_source(name) is not ParameterSource.DEFAULT


def _scan(options: Options, console: Console, flags: dict[str, Any]) -> None:
    if flags["org"] is not None:
        _scan_all(options, console, flags)
        return
    from trustsmith.flows.migrate import show

    show(options, console, offline=flags["offline"])


def _scan_all(options: Options, console: Console, flags: dict[str, Any]) -> None:
    from trustsmith.errors import UsageError
    from trustsmith.flows.organization import show

    if flags["offline"]:
        raise UsageError("--org asks GitHub; --offline asks nobody.", hint="Leave one of them out.")
    if console.format == "sarif":
        raise UsageError(
            "SARIF is about one repository; those of an owner are shown as text or json.",
            hint="In the checkout of each:\n  trustsmith migrate --scan --format sarif",
        )
    show(options, console, flags["org"])


def _expand(options: Options, console: Console, flags: dict[str, Any]) -> None:
    from trustsmith.flows.expanding import Asked, expand

    asked = Asked(
        environments=flags["environments"],
        projects=flags["projects"],
        application=flags["application"],
        new=flags["new_applications"],
    )
    expand(options, console, asked, flags["allow"], yes=flags["yes"])


def _rewrite(options: Options, console: Console, flags: dict[str, Any]) -> None:
    from trustsmith.flows.rewriting import propose, show

    if _is_pull(flags):
        propose(options, console, flags["environments"])
        return
    show(options, console, flags["environments"], write=flags["write"])


def _is_pull(flags: dict[str, Any]) -> bool:
    """Whether it is to become a pull request. Raises UsageError when it is to be in the checkout as well."""
    from trustsmith.errors import UsageError

    if flags["pr"] and flags["write"]:
        raise UsageError(
            "--write is for the checkout, and --pr for GitHub.", hint="Use one of them, then the other."
        )
    return bool(flags["pr"])


def _prove(options: Options, console: Console, flags: dict[str, Any]) -> None:
    from trustsmith.flows.proving import prove

    prove(options, console, patience=flags["timeout"])


def _contract(options: Options, console: Console, flags: dict[str, Any]) -> None:
    from trustsmith.flows.contracting import contract

    contract(options, console, flags["allow"], flags["record"], yes=flags["yes"])


def _status(options: Options, console: Console, flags: dict[str, Any]) -> None:
    del flags
    from trustsmith.flows.standing import status

    status(options, console)


def _undo(options: Options, console: Console, flags: dict[str, Any]) -> None:
    from trustsmith.flows.undoing import propose, show

    if _is_pull(flags):
        propose(options, console)
        return
    show(options, console, write=flags["write"])


_RUN: dict[str, Callable[[Options, Console, dict[str, Any]], None]] = {
    "scan": _scan,
    "expand": _expand,
    "rewrite": _rewrite,
    "prove": _prove,
    "contract": _contract,
    "undo": _undo,
    "status": _status,
}
