"""`migrate --scan`: reads the checkout, looks at GitHub and Entra as far as it may, and shows what was found.

Changes nothing. Without a sign-in it shows what the checkout alone says.
"""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from trustsmith.clients import git
from trustsmith.clients.endpoints import AUDIENCE
from trustsmith.errors import Differences, NotSignedIn, TrustsmithError, UsageError
from trustsmith.flows.session import Session
from trustsmith.migrate import names
from trustsmith.migrate.identities import identities
from trustsmith.migrate.inventory import Identity, Seen
from trustsmith.migrate.listing import listing
from trustsmith.migrate.scan import Use, scan
from trustsmith.model.pins import merged
from trustsmith.render import packaged_pins
from trustsmith.rewrite import Choices, rewrite
from trustsmith.systems import sources, together
from trustsmith.systems.entra import client_secrets
from trustsmith.systems.stores import StoreReader
from trustsmith.ui import report_migrate

if TYPE_CHECKING:
    from collections.abc import Collection

    from trustsmith.configfile import Source
    from trustsmith.flows.session import Options
    from trustsmith.migrate.listing import Listing
    from trustsmith.migrate.repository import Repository
    from trustsmith.model.config import Config
    from trustsmith.ui.console import Console


def show(options: Options, console: Console, *, offline: bool) -> None:
    """Show every use of a long-lived Azure credential. Raises Differences when there is one, or a file was not read."""
    console.step("Looking for credentials")
    repository, problems = sources.read(options.root)
    uses = scan(repository)
    seen = Seen() if offline else _look(options, console, uses)
    today = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    found = listing(repository, uses, seen=seen, problems=problems, today=today, left=left(repository, uses))
    console.document(found.as_json())
    console.data(report_migrate.lines(found))
    if console.format == "sarif":
        console.raw(json.dumps(report_migrate.sarif(found), indent=2) + "\n")
    _judge(found)


def left(repository: Repository, uses: list[Use]) -> Collection[Use]:
    """What `migrate --rewrite` would leave, whichever environments the jobs are to run in."""
    pin = merged(packaged_pins(), ())["azure/login"]
    return rewrite(repository, uses, Choices(pin=pin, audience=AUDIENCE, environments={"*": "any"})).left


def _judge(found: Listing) -> None:
    if found.entries:
        hint = f"What takes the place of each: {report_migrate.DOCS}"
        if any(entry.pattern.entra for entry in found.entries):
            hint = "Where the repository stands on its way off them, and what is next:\n  trustsmith migrate"
        raise Differences("Long-lived Azure credentials are in use.", hint=hint)
    if found.forgotten:
        raise Differences(
            "Azure credentials are left at GitHub that nothing uses.",
            hint="Delete them, and the application's passwords that they hold.",
        )
    if found.problems:
        raise Differences(
            "Not every file could be read.", hint="Mend the files that are named, then run the same again."
        )


def _look(options: Options, console: Console, uses: list[Use]) -> Seen:
    """What GitHub and Entra show of the secrets in use; what cannot be asked is a note."""
    source, session = opened(options, console)
    config = source.config if source else None
    with asyncio.Runner() as runner:
        try:
            return runner.run(look_at_stores(session, config, uses))
        finally:
            runner.run(session.aclose())


def opened(options: Options, console: Console) -> tuple[Source | None, Session]:
    """The configuration, if there is one yet, and the session that it asks for."""
    source = options.read_any_config()
    return source, Session.of(options, console, source.config if source else None)


def name_of_repository(session: Session, config: Config | None) -> str | None:
    """owner/name, as the configuration has it, else as the checkout's remote does; None where neither says."""
    if config is not None:
        return config.repository
    found = git.remote(session.options.root)
    return found[1] if found and found[0] == urlsplit(session.endpoints.web).netloc else None


def named_repository(session: Session, config: Config | None) -> str:
    """owner/name. Raises UsageError where neither says it."""
    if name := name_of_repository(session, config):
        return name
    raise UsageError(
        "The checkout has no git remote at GitHub, so the repository is not known.",
        hint="Add one, or look at the checkout alone:\n  git remote add origin https://github.com/OWNER/NAME\n"
        "  trustsmith migrate --scan --offline",
    )


async def look_at_stores(session: Session, config: Config | None, uses: list[Use]) -> Seen:
    """What GitHub and Entra show of the secrets in use; what may not be seen is a note."""
    name = name_of_repository(session, config)
    if name is None:
        return Seen(
            notes=("where the secrets live was not looked at: the checkout has no git remote at GitHub",)
        )
    used = {secret for use in uses for secret in use.secrets}
    try:
        session.talk.step(f"Looking at the secrets of {name}")
        if await session.github.repository(name) is None:
            note = (
                f"where the secrets live could not be told: GitHub shows no repository {name} to this token"
            )
            return Seen(notes=(note,))
        reader = StoreReader(session.github, name)
        seen = await reader.read(lambda secret: secret in used or bool(names.of_secret(secret)))
    except TrustsmithError as error:
        return Seen(notes=(f"where the secrets live could not be told: {_said(error)}",))
    found = identities(uses, seen, _configured(config))
    return await _with_passwords(session, seen, found) if found else _nobody(seen, uses)


def _configured(config: Config | None) -> dict[str, str]:
    environments = config.environments if config else ()
    return {e.client_id: f"environment {e.name} of the configuration" for e in environments if e.client_id}


def _nobody(seen: Seen, uses: list[Use]) -> Seen:
    """An id that is kept as a secret is readable for nobody."""
    if not uses:
        return seen
    note = (
        "which application the secrets belong to could not be told: its client id is in no variable and in no file. "
        "Put it into a variable AZURE_CLIENT_ID of the repository to have its passwords listed"
    )
    return replace(seen, notes=(*seen.notes, note))


async def _with_passwords(session: Session, seen: Seen, found: list[Identity]) -> Seen:
    """The applications with what Entra shows of their passwords: ids, hints and dates."""
    session.talk.step("Looking at applications")
    try:
        asked = await together(*(_application(session, identity) for identity in found))
    except TrustsmithError as error:
        note = f"the applications' passwords could not be listed: {_said(error)}"
        return replace(seen, identities=tuple(found), notes=(*seen.notes, note))
    return replace(seen, identities=tuple(asked))


async def _application(session: Session, identity: Identity) -> Identity:
    app = await session.graph.application_by_client_id(identity.client_id)
    if app is None:
        return identity
    principal = await session.graph.principal_with_passwords(identity.client_id)
    passwords = client_secrets(app, identity.client_id, principal)
    return replace(identity, name=str(app.get("displayName") or ""), passwords=tuple(passwords))


def _said(error: TrustsmithError) -> str:
    hint = error.hint.splitlines()[0] if error.hint and isinstance(error, NotSignedIn) else ""
    return f"{error.message} ({hint})" if hint else error.message
