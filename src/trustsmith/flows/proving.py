"""`migrate --prove`: jobs of every environment sign in on the new path, and nothing reads an old secret any more.

The old secrets are still there while it runs. Changes nothing; what is found is judged in `verify`, `migrate.proof` and
`rewrite.wiring`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from trustsmith.errors import Differences
from trustsmith.flows.session import Options, Session
from trustsmith.flows.survey import configured, other_branches, survey
from trustsmith.flows.verify import choose, examine
from trustsmith.migrate.contract import is_old
from trustsmith.model.findings import Finding, worst

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trustsmith.configfile import Source
    from trustsmith.migrate.proof import Readers
    from trustsmith.ui.console import Console

CHECK = "reads-no-secret"
_REWRITE = "trustsmith migrate --rewrite"


def prove(options: Options, console: Console, *, patience: float) -> None:
    """Run check-trust for all environments, and look who reads what. Raises Differences unless all is as it should be.

    patience: for the run, in seconds.
    """
    source = configured(options)
    config = source.config
    session = Session.of(options, console, config)
    with asyncio.Runner() as runner:
        try:
            chosen = choose(config, None)
            _, findings = examine(runner, session, console, source, chosen, patience=patience)
            findings += runner.run(_reading(session, console, source))
        finally:
            runner.run(session.aclose())
    console.show_findings(f"migrate --prove: {config.repository}", findings)
    if worst(findings) != "pass":
        raise Differences(
            "The old secrets are still needed, or nobody can tell.",
            hint="Do what the findings above say after `Next:`, then run the same again.",
        )
    console.note(
        "Proven: every environment's jobs signed in without a secret, and nothing on the default branch reads an old one. "
        "See what can go now:\n  trustsmith migrate --contract"
    )


async def _reading(session: Session, console: Console, source: Source) -> list[Finding]:
    """What the default branch's workflows read, as GitHub has them; other branches are told, and not judged."""
    seen = await survey(session, source)
    console.document({"untried": list(seen.untried)})
    if seen.untried:
        listed = "\n".join(f"  {each}" for each in seen.untried)
        console.note(
            "check-trust proves the path; whether jobs have the roles that they need, only their own runs show. Run these "
            f"before secrets go:\n{listed}"
        )
    others = await other_branches(session, seen.picture)
    console.document({"branches": vars(others)})
    for note in others.notes:
        console.warn(note)
    return [*_judged(seen.reading), *seen.wired]


def _judged(found: Readers) -> Iterator[Finding]:
    """Who reads an old secret, and where that cannot be told."""
    reading = {name: places for name, places in found.of.items() if is_old(name, found)}
    for name, places in sorted(reading.items()):
        why = f"The secret {name} is read at {', '.join(places)}."
        yield Finding(check=CHECK, verdict="fail", about=name, why=why, next=_REWRITE)
    for place in found.unnamed:
        why = f"{place} signs in with a credential of which no secret is known."
        yield Finding(check=CHECK, verdict="fail", why=why, next=_REWRITE)
    for place, why in found.unsure.items():
        following = "Name the secrets that are handed on, one by one."
        yield Finding(
            check=CHECK,
            verdict="unknown",
            why=f"Who reads secrets cannot be told: {place} {why}.",
            next=following,
        )
    if not (reading or found.unnamed or found.unsure):
        yield Finding(
            check=CHECK, verdict="pass", why="No workflow on the default branch reads an old secret."
        )
