"""`migrate --contract`: the old secrets, passwords and roles go, each by its name, once the new way in is proven.

Looks, makes the plan, has it carried out, and keeps a record of each removal. What may go is said by `migrate.contract`,
what is proven by `migrate.proof`.
"""

from __future__ import annotations

import asyncio
import shlex
from typing import TYPE_CHECKING

from trustsmith.errors import NotAllowed, Refused, UsageError
from trustsmith.flows.change import Wish, carry_out
from trustsmith.flows.session import Options, Session
from trustsmith.flows.survey import configured, survey
from trustsmith.migrate.contract import WORDS
from trustsmith.systems.record import Record, Recorded, removed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from trustsmith.configfile import Source
    from trustsmith.flows.look import Picture
    from trustsmith.flows.survey import Survey
    from trustsmith.model.resource import Side
    from trustsmith.systems import Writer
    from trustsmith.ui.console import Console

RECORD = "trustsmith-removed.jsonl"
_COMMAND = "trustsmith migrate --contract"


def contract(
    options: Options, console: Console, allow: Collection[str], record: Path | None, *, yes: bool
) -> None:
    """Show what is left of the old way in, and remove what `allow` names. Raises what explains why it is not all done.

    record: None for the usual file in the checkout's folder.
    """
    source = _read(options, allow)
    session = Session.of(options, console, source.config)
    console.repository = source.config.repository
    path = record or options.root / RECORD
    looks: list[Survey] = []
    kept: list[Record] = []
    with asyncio.Runner() as runner:

        def take() -> Picture:
            looks.append(runner.run(survey(session, source, allow, removed(path))))
            return looks[-1].picture

        def recorded(writers: Mapping[Side, Writer]) -> dict[Side, Writer]:
            kept.append(Record(path, runner.run(_who(session))))
            return {side: Recorded(writer, kept[0]) for side, writer in writers.items()}

        try:
            carry_out(
                runner,
                session,
                console,
                Wish(yes=yes),
                take,
                agree=lambda: _agreed(console),
                around=recorded,
            )
        finally:
            runner.run(session.aclose())
            _say_where(console, kept)
    _conclude(console, looks[-1], allow, record)


def _read(options: Options, allow: Collection[str]) -> Source:
    """The configuration. Raises UsageError without one, and for words that are of other commands."""
    wrong = [word for word in allow if not word.startswith(WORDS)]
    if wrong:
        raise UsageError(
            f"--allow {wrong[0]} is no word for something that is left of the old way in.",
            hint=f"See the words:\n  {_COMMAND}\nThey begin with: "
            + ", ".join(f"--allow {word}" for word in WORDS),
        )
    return configured(options)


def _agreed(console: Console) -> bool:
    if not console.agree("Remove this, for good?"):
        raise Refused("Nothing was removed.", hint=f"To look at it again:\n  {_COMMAND}")
    return True


def _say_where(console: Console, kept: list[Record]) -> None:
    """Where the record is. There is one, or none when it did not come to that."""
    for record in kept:
        record.close()
        console.document({"record": str(record.path)})
        console.note(
            f"What was removed, with ids and dates and no values, is recorded in {record.path}. Keep it outside of the "
            "repository, or have git ignore it."
        )


def _conclude(console: Console, last: Survey, allow: Collection[str], record: Path | None) -> None:
    """Say what is left. Raises Refused when nothing was named."""
    plan = last.picture.plan
    if not (plan.changes or plan.strays):
        left = "Nothing else is left to remove" if plan.notes else "Nothing is left to remove"
        console.note(f"{left}: no old secret, no password, no undeclared role.")
    if any(word.startswith("delete-") for word in allow) or not plan.strays:
        return
    if not last.offer:
        raise Refused(
            "Nothing is removed that is not named; all this stays.",
            hint="Each goes by the word that stands below it, as far as nothing said there is in its way; a role only when no "
            f"job needs it, a password only when no secret that stays holds it:\n  {_COMMAND} --allow WORD",
        )
    words = " ".join(f"--allow {shlex.quote(word)}" for word in (*allow, *last.offer))
    words += f" --record {shlex.quote(str(record))}" if record else ""
    raise Refused(
        "Nothing is removed that is not named; all this stays.",
        hint=f"What can go, by name; leave out what is to stay:\n  {_COMMAND} {words}\n"
        "Roles are not in it: only you know which of them jobs need. What jobs need, declare as grants; a role's word is above.",
    )


async def _who(session: Session) -> dict[str, str]:
    """Who removes: at GitHub, and in Azure."""
    try:
        login = str((await session.github.whoami())["login"])
    except NotAllowed:
        login = "an app"
    return {"github": login, "azure": (await session.credentials.whoami())["name"]}
