"""`trustsmith explain`: what a failed sign-in of a job means."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trustsmith.cli import options as shared
from trustsmith.errors import UsageError

if TYPE_CHECKING:
    from trustsmith.flows.session import Options
    from trustsmith.ui.console import Console


@click.command(short_help="Say what a failed sign-in of a job means.")
@click.argument("code", required=False)
@click.option("--subject", metavar="SUBJECT", help="The subject that was sent.")
@click.option(
    "--trusted", multiple=True, metavar="SUBJECT", help="A subject that is trusted. May be repeated."
)
@click.option("--issuer", metavar="URL", help="The issuer that was sent.")
@click.option("--audience", metavar="AUDIENCE", help="The audience that was sent.")
@click.option("--log", metavar="FILE", help="A job's log, or - for standard input.")
@shared.formats("text", "json", "md")
@shared.command
def command(
    console: Console,
    options: Options,
    code: str | None,
    log: str | None,
    trusted: tuple[str, ...],
    **given: str | None,
) -> None:
    """Say what the codes of Entra (AADSTS…) in a job's log mean, and what to type; needs no network and no sign-in.

    CODE is a code or a whole message. A log comes from --log, or from standard input when that is not a terminal. The
    configuration, when there is one, says what should be trusted.
    """
    from trustsmith.explain import Sent
    from trustsmith.flows.explaining import show

    sent = Sent(**{name: value.strip() for name, value in given.items() if value})
    show(options, console, _text(code, log), sent, tuple(subject.strip() for subject in trusted))


def _text(code: str | None, log: str | None) -> str:
    """The code as Entra writes it, and the log. Raises UsageError when there is nothing to explain."""
    if code and re.fullmatch(r"(?i:AADSTS)?\d{4,9}", code):
        code = f"AADSTS{code.upper().removeprefix('AADSTS')}"
    if log is None and not code:
        if sys.stdin.isatty():
            raise UsageError(
                "There is nothing to explain.",
                hint="Name a code, or a log:\n  trustsmith explain AADSTS700213 --subject '…'\n"
                "  trustsmith explain --log FILE",
            )
        log = "-"
    return "\n".join(filter(None, [code, _decoded(_read(log)) if log else ""]))


def _read(log: str) -> bytes:
    if log == "-":
        return sys.stdin.buffer.read()
    try:
        return Path(log).read_bytes()
    except OSError as error:
        raise UsageError(f"{log} cannot be read: {error.strerror}.", hint="Check the path.") from None


def _decoded(data: bytes) -> str:
    """The text; what PowerShell redirects into a file is UTF-16."""
    utf16 = data[:2] in (b"\xff\xfe", b"\xfe\xff")
    return data.decode("utf-16" if utf16 else "utf-8", errors="replace")
