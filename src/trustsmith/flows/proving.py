"""`migrate --prove`: jobs of every environment sign in on the new path, and nothing reads an old secret any more.

The old secrets are still there while it runs. Changes nothing; what is found is judged in `verify`, `migrate.proof` and
`rewrite.wiring`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from trustsmith.desire import identity_of
from trustsmith.errors import Differences
from trustsmith.flows.migrate import look_at_stores
from trustsmith.flows.session import Options, Session
from trustsmith.flows.verify import choose, examine
from trustsmith.migrate.proof import readers
from trustsmith.migrate.scan import of_entra, scan
from trustsmith.model.findings import Finding, worst
from trustsmith.model.resource import Key, Later
from trustsmith.model.resources import Application
from trustsmith.rewrite.wiring import wiring
from trustsmith.systems import remote

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trustsmith.flows.look import Picture
    from trustsmith.migrate.proof import Readers
    from trustsmith.model.config import Config
    from trustsmith.ui.console import Console

CHECK = "reads-no-secret"
_REWRITE = "trustsmith migrate --rewrite"


def prove(options: Options, console: Console, *, patience: float) -> None:
    """Run check-trust for all environments, and look who reads what. Raises Differences unless all is as it should be.

    patience: for the run, in seconds.
    """
    source = options.read_config()
    config = source.config
    session = Session.of(options, console, config)
    with asyncio.Runner() as runner:
        try:
            chosen = choose(config, None)
            picture, findings = examine(runner, session, console, source, chosen, patience=patience)
            findings += runner.run(_reading(session, console, config, picture))
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


async def _reading(session: Session, console: Console, config: Config, picture: Picture) -> list[Finding]:
    """What the default branch's workflows read, as GitHub has them; other branches are told, and not judged."""
    repository = picture.facts.repository
    session.talk.step(f"Reading the workflows of {repository.default_branch}")
    there, problems = await remote.read(session.github, repository.full_name, repository.default_branch)
    uses = scan(there)
    seen = await look_at_stores(session, config, of_entra(uses))
    for note in seen.notes:
        console.note(f"Note: {note}.")
    clients = {e.name: _client(config, picture, e.name) for e in config.environments}
    old = frozenset(name for use in of_entra(uses) for name in use.secrets)
    await _other_branches(session, console, repository.full_name, repository.default_branch)
    return [*_judged(readers(there, uses, problems), old), *wiring(there, clients, seen)]


def _client(config: Config, picture: Picture, name: str) -> str:
    environment = config.environment(name)
    application = Key(Application.kind, identity_of(config, picture.facts, environment))
    return environment.client_id or picture.live.known(Later(application, "client_id")) or ""


def _judged(found: Readers, old: frozenset[str]) -> Iterator[Finding]:
    """Who reads an old secret, and where that cannot be told."""
    reading = {name: places for name, places in found.of.items() if name in old}
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


async def _other_branches(session: Session, console: Console, full_name: str, default: str) -> None:
    """Say which other branches still read one: their runs fail when it is gone."""
    session.talk.step("Reading the workflows of other branches")
    found, unread = await remote.branches(session.github, full_name, default)
    reading = [branch.name for branch in found if of_entra(scan(branch.repository))]
    console.document({"branches": {"reading": reading, "unread": unread}})
    if reading:
        console.warn(
            f"Other branches still read an old secret: {', '.join(reading)}. Their runs fail when it is gone; merge "
            "the default branch into them first."
        )
    if unread:
        console.note(f"Note: {len(unread)} more branches were not looked at.")
