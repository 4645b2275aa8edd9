"""`migrate --contract`: the old secrets, passwords and roles go, each by its name, once the new way in is proven.

Looks, makes the plan, has it carried out, and keeps a record of each removal. What may go is said by `migrate.contract`,
what is proven by `migrate.proof`.
"""

from __future__ import annotations

import asyncio
import re
import shlex
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trustsmith.desire import identity_of
from trustsmith.errors import NotAllowed, Refused, UsageError
from trustsmith.flows.change import Wish, carry_out
from trustsmith.flows.look import Picture, look, proofs
from trustsmith.flows.session import Options, Session
from trustsmith.migrate.contract import Old, contraction, is_old, offered
from trustsmith.migrate.inventory import is_guid
from trustsmith.migrate.proof import lacking, readers
from trustsmith.migrate.scan import scan
from trustsmith.model.plan import Hazard
from trustsmith.model.resource import Key, Later
from trustsmith.model.resources import (
    Application,
    FederatedCredential,
    RoleAssignment,
    ServicePrincipal,
    StoredSecret,
)
from trustsmith.model.state import State
from trustsmith.rewrite.wiring import wiring
from trustsmith.systems import remote, together, unasked
from trustsmith.systems.entra import client_secrets
from trustsmith.systems.record import Record, Recorded
from trustsmith.systems.stores import StoreReader

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from trustsmith.configfile import Source
    from trustsmith.migrate.inventory import Seen
    from trustsmith.migrate.repository import Repository
    from trustsmith.model.config import Config
    from trustsmith.model.plan import Plan
    from trustsmith.model.resource import Side
    from trustsmith.model.resources import ClientSecret
    from trustsmith.systems import Writer
    from trustsmith.ui.console import Console

RECORD = "trustsmith-removed.jsonl"
_COMMAND = "trustsmith migrate --contract"
_SIDES: tuple[Side, ...] = ("entra", "azure", "github")
#: Variables that name the application which the secrets belong to; other names could be those of other applications.
_NAMES_IT = re.compile(r"(AZURE|ARM|AAD|ENTRA|AZURE_AD|SP)_(CLIENT|APP|APPLICATION|PRINCIPAL)_?ID")


@dataclass(frozen=True)
class _Look:
    """What one look found. offer: the words for all that could go without a further danger."""

    picture: Picture
    offer: tuple[str, ...]


def contract(
    options: Options, console: Console, allow: Collection[str], record: Path | None, *, yes: bool
) -> None:
    """Show what is left of the old way in, and remove what `allow` names. Raises what explains why it is not all done.

    record: None for the usual file in the checkout's folder.
    """
    source = _read(options)
    session = Session.of(options, console, source.config)
    console.repository = source.config.repository
    path = record or options.root / RECORD
    looks: list[_Look] = []
    kept: list[Record] = []
    with asyncio.Runner() as runner:

        def take() -> Picture:
            looks.append(runner.run(_look(session, source, allow)))
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
    _conclude(console, looks[-1])


def _read(options: Options) -> Source:
    if not options.config_path.exists():
        raise UsageError(
            f"There is no {options.config_path}, so nothing takes the place of the secrets.",
            hint="Begin with:\n  trustsmith migrate --expand",
        )
    return options.read_config()


def _agreed(console: Console) -> bool:
    if not console.agree("Remove this, for good?"):
        raise Refused("Nothing was removed.", hint=f"To look at it again:\n  {_COMMAND}")
    return True


def _say_where(console: Console, kept: list[Record]) -> None:
    for record in kept:
        record.close()
        console.note(
            f"What was removed, with ids and dates and no values, is recorded in {record.path}. Keep it outside of the "
            "repository, or have git ignore it."
        )


def _conclude(console: Console, last: _Look) -> None:
    """Say what is left. Raises Refused when nothing was named."""
    plan = last.picture.plan
    if plan.changes:
        return
    if not plan.strays:
        console.note("Nothing is left to remove: no old secret, no password, no undeclared role.")
        return
    if not last.offer:
        raise Refused(
            "What is left cannot be removed here; it is said above why.", hint="Look again:\n  " + _COMMAND
        )
    words = " ".join(f"--allow {shlex.quote(word)}" for word in last.offer)
    raise Refused(
        "Nothing is removed that is not named; all this stays.",
        hint=f"What can go, by name; leave out what is to stay:\n  {_COMMAND} {words}",
    )


async def _who(session: Session) -> dict[str, str]:
    """Who removes: at GitHub, and in Azure."""
    try:
        login = str((await session.github.whoami())["login"])
    except NotAllowed:
        login = "an app"
    return {"github": login, "azure": (await session.credentials.whoami())["name"]}


# -- looking --------------------------------------------------------------------------------------------------------------


async def _look(session: Session, source: Source, allow: Collection[str]) -> _Look:
    """Everything that has to be known before something goes."""
    config = source.config
    picture = await look(session, source, _SIDES, to_write=True)
    repository = picture.facts.repository
    session.talk.step(f"Looking for what is left of the old way in of {repository.full_name}")
    there, problems = await remote.read(session.github, repository.full_name, repository.default_branch)
    reading = readers(there, scan(there), problems)
    reader = StoreReader(session.github, repository.full_name)
    seen, proven = await together(
        reader.read(lambda name: is_old(name, reading)), proofs(session, config, picture.facts)
    )
    live = picture.live.join(State(proven=proven))
    old = await _old(session, picture, seen)
    missing = [
        *lacking(config, picture.plan, picture.wanted, live),
        *_miswired(config, picture, there, seen),
    ]
    plan = contraction(old, reading, missing, allow)
    if plan.changes:
        plan = replace(plan, notes=(*plan.notes, *await _branches(session, picture, plan)))
    return _Look(replace(picture, live=live, plan=plan), tuple(offered(old, reading)))


def _miswired(config: Config, picture: Picture, there: Repository, seen: Seen) -> Iterator[Hazard]:
    """Jobs that sign in without a secret, and not as the application that trusts them: they are not on the proven path."""
    clients = {}
    for environment in config.environments:
        key = Key(Application.kind, identity_of(config, picture.facts, environment))
        clients[environment.name] = environment.client_id or picture.live.known(Later(key, "client_id")) or ""
    for finding in wiring(there, clients, seen):
        place = finding.why.partition(": ")[0]
        yield Hazard(f"not-wired={place}", finding.why, hint=finding.next, allowable=False)


async def _branches(session: Session, picture: Picture, plan: Plan) -> list[str]:
    """Notes about other branches, whose runs fail when what they read is gone."""
    repository = picture.facts.repository
    found, unread = await remote.branches(session.github, repository.full_name, repository.default_branch)
    going = {c.resource.name for c in plan.changes if isinstance(c.resource, StoredSecret)}
    reads = {branch.name: readers(branch.repository, scan(branch.repository), ()) for branch in found}
    names = [name for name, reading in reads.items() if reading.entra or going & reading.of.keys()]
    notes = [f"Other branches read an old secret, and their runs will fail: {', '.join(names)}."]
    left = [f"{len(unread)} more branches were not looked at."]
    return (notes if names else []) + (left if unread else [])


async def _old(session: Session, picture: Picture, seen: Seen) -> Old:
    """What there is of the old way in."""
    own = _identities(picture)
    named = {v.value.lower(): v.value.lower() for v in seen.variables if _names_it(v.name, v.value)}
    found = await together(*(_application(session, client, who) for client, who in {**named, **own}.items()))
    passwords = [password for held, _ in found for password in held]
    principals = [principal for _, principal in found if principal is not None]
    azure = session.reader("azure")
    assigned = await azure.read(picture.wanted, picture.facts, unasked(State.of(principals)))
    identities = {principal.identity for principal in principals}
    roles = [r for k, r in assigned.items() if isinstance(r, RoleAssignment) and k not in picture.live]
    declared: dict[str, list[str]] = {}
    for role in picture.wanted.values():
        if isinstance(role, RoleAssignment):
            declared.setdefault(role.identity, []).append(role.title)
    return Old(
        repository=picture.facts.repository.full_name,
        stored=seen.stored or (),
        passwords=tuple(passwords),
        roles=tuple(r for r in roles if r.identity in identities and r.key not in picture.wanted),
        declared={who: tuple(titles) for who, titles in declared.items()},
        unseen=seen.notes,
        today=time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()),
    )


def _names_it(name: str, value: str) -> bool:
    return _NAMES_IT.fullmatch(name) is not None and is_guid(value)


def _identities(picture: Picture) -> dict[str, str]:
    """The applications that the configuration uses: client id → identity."""
    used = {r.identity for r in picture.wanted.values() if isinstance(r, FederatedCredential)}
    apps = [r for r in picture.live.values() if isinstance(r, Application) and r.unique_name in used]
    return {app.minted["client_id"].lower(): app.unique_name for app in apps}


async def _application(
    session: Session, client_id: str, identity: str
) -> tuple[list[ClientSecret], ServicePrincipal | None]:
    """An application's passwords, and its principal as one whose every role counts; nothing where there is none."""
    app, principal = await together(
        session.graph.application_by_client_id(client_id),
        session.graph.principal_with_passwords(client_id),
    )
    if app is None:
        return [], None
    held = client_secrets(app, identity, principal)
    if principal is None:
        return held, None
    minted = {"principal_id": str(principal["id"])}
    return held, ServicePrincipal(identity=identity, client_id=client_id, minted=minted)
