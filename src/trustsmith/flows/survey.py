"""What there is of the old way in, and how far the new one has come: one look, for `--prove`, `--contract`, `--status`.

Looks only. What may go is said by `migrate.contract`, what is proven by `migrate.proof`.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trustsmith.desire import identity_of
from trustsmith.errors import UsageError
from trustsmith.flows.look import Picture, look, proofs
from trustsmith.flows.tried import untried
from trustsmith.migrate.contract import Old, contraction, is_old, offered
from trustsmith.migrate.inventory import is_guid
from trustsmith.migrate.proof import Readers, lacking, readers
from trustsmith.migrate.scan import of_entra, scan
from trustsmith.model.config import CHECK_TRUST
from trustsmith.model.plan import Hazard
from trustsmith.model.resource import LIVE_SIDES, Key, Later
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
from trustsmith.systems.stores import StoreReader

if TYPE_CHECKING:
    from collections.abc import Collection

    from trustsmith.configfile import Source
    from trustsmith.flows.session import Options, Session
    from trustsmith.migrate.inventory import Seen, Variable
    from trustsmith.migrate.repository import Repository
    from trustsmith.model.config import Config
    from trustsmith.model.findings import Finding
    from trustsmith.model.resources import ClientSecret

#: By how much our clock may be ahead before a password that still opens something is taken for expired, in seconds.
_SKEW = 86400
#: Variables that name the application which the secrets belong to; other names could be those of other applications.
_NAMES_IT = re.compile(r"(AZURE|ARM|AAD|ENTRA|AZURE_AD|SP)_(CLIENT|APP|APPLICATION|PRINCIPAL)_?ID")


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What one look found.

    picture: its plan is the contraction. repository, reading: the default branch at GitHub, and who reads what there.
    wired: jobs that sign in without a secret, and not as the application that trusts them. missing: all that the proof
    lacks. offer: the words for all that could go without a further danger. untried: workflows that have not been seen to
    work as they are, in words.
    """

    picture: Picture
    repository: Repository
    reading: Readers
    wired: tuple[Finding, ...]
    missing: tuple[Hazard, ...]
    offer: tuple[str, ...]
    untried: tuple[str, ...]


def configured(options: Options) -> Source:
    """The configuration. Raises UsageError without one, and what reading it raises."""
    if not options.config_path.exists():
        raise UsageError(
            f"There is no {options.config_path}, so nothing takes the place of the secrets.",
            hint="Begin with:\n  trustsmith migrate --expand",
        )
    return options.read_config()


async def survey(
    session: Session, source: Source, allow: Collection[str] = (), gone: Collection[str] = ()
) -> Survey:
    """Everything that has to be known before something goes. allow: what is to go. gone: what went before."""
    config = source.config
    picture = await look(session, source, LIVE_SIDES, to_write=True)
    name, branch = picture.facts.repository.full_name, picture.facts.repository.default_branch
    session.talk.step(f"Looking for what is left of the old way in of {name}")
    there, problems = await remote.read(session.github, name, branch)
    reading = readers(there, scan(there), problems)
    reader = StoreReader(session.github, name)
    seen, proven = await together(
        reader.read(lambda secret: is_old(secret, reading)), proofs(session, config, picture.facts)
    )
    live = picture.live.join(State(proven=proven))
    old = await _old(session, picture, seen)
    wired = tuple(wiring(there, _clients(config, picture), seen))
    missing = (*lacking(config, picture.plan, picture.wanted, live), *map(_off_the_path, wired))
    plan = contraction(old, reading, missing, allow, gone)
    own = {workflow.path for workflow in config.workflows if workflow.template == CHECK_TRUST}
    tried = await untried(session, name, branch, there, own)
    if plan.changes or plan.strays:
        notes = [f"Not seen to work without a secret: {each}." for each in tried]
        if plan.changes:
            going = {c.resource.name for c in plan.changes if isinstance(c.resource, StoredSecret)}
            notes += (await other_branches(session, picture, going)).notes
        plan = replace(plan, notes=(*plan.notes, *notes))
    return Survey(
        picture=replace(picture, live=live, plan=plan),
        repository=there,
        reading=reading,
        wired=wired,
        missing=missing,
        offer=tuple(offered(old, reading)),
        untried=tuple(tried),
    )


def _clients(config: Config, picture: Picture) -> dict[str, str]:
    """The client id of each environment's application; "" for one that is not there."""
    found = {}
    for environment in config.environments:
        key = Key(Application.kind, identity_of(config, picture.facts, environment))
        found[environment.name] = environment.client_id or picture.live.known(Later(key, "client_id")) or ""
    return found


def _off_the_path(finding: Finding) -> Hazard:
    """A job that is not on the proven path, as what stands in the way."""
    place = finding.why.partition(": ")[0]
    return Hazard(f"not-wired={place}", finding.why, hint=finding.next)


@dataclass(frozen=True, kw_only=True)
class OtherBranches:
    """Branches beside the default one. reading: those that read an old secret. unread: those not looked at, or not wholly."""

    reading: list[str]
    unread: list[str]

    @property
    def notes(self) -> list[str]:
        """What has to be known of them before a secret goes."""
        told = (
            f"Other branches read an old secret: {', '.join(self.reading)}. Their runs fail when it is gone; merge the default "
            "branch into them first."
        )
        left = f"{len(self.unread)} more branches were not looked at, or not wholly."
        return [told] * bool(self.reading) + [left] * bool(self.unread)


async def other_branches(session: Session, picture: Picture, going: Collection[str] = ()) -> OtherBranches:
    """Those whose runs fail when what they read is gone. going: names of secrets that go, whatever they are."""
    repository = picture.facts.repository
    session.talk.step("Reading the workflows of other branches")
    found, unread = await remote.branches(session.github, repository.full_name, repository.default_branch)
    reading = [branch.name for branch in found if _reads(branch.repository, going)]
    partly = [branch.name for branch in found if branch.problems and branch.name not in reading]
    return OtherBranches(reading=reading, unread=[*partly, *unread])


def _reads(repository: Repository, going: Collection[str]) -> bool:
    uses = scan(repository)
    return bool(of_entra(uses)) or not readers(repository, uses, ()).of.keys().isdisjoint(going)


async def _old(session: Session, picture: Picture, seen: Seen) -> Old:
    """What there is of the old way in."""
    own = _identities(picture)
    named = {v.value.lower(): v.value.lower() for v in seen.variables if _names_it(v)}
    found = await together(*(_application(session, client, who) for client, who in {**named, **own}.items()))
    principals = [each.principal for each in found if each.principal is not None]
    declared: dict[str, list[str]] = {}
    for role in picture.wanted.values():
        if isinstance(role, RoleAssignment):
            declared.setdefault(role.identity, []).append(role.title)
    return Old(
        repository=picture.facts.repository.full_name,
        stored=seen.stored or (),
        passwords=tuple(password for each in found for password in each.passwords),
        roles=tuple(await _roles(session, picture, principals)),
        declared={who: tuple(titles) for who, titles in declared.items()},
        others={each.identity: tuple(sorted(each.trusts - _ours(picture))) for each in found},
        unseen=seen.notes,
        today=time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - _SKEW)),
    )


async def _roles(
    session: Session, picture: Picture, principals: list[ServicePrincipal]
) -> list[RoleAssignment]:
    """The roles of these that the configuration neither declares nor takes away by itself."""
    seen = unasked(State.of(principals))
    assigned = await session.reader("azure").read(picture.wanted, picture.facts, seen)
    kept = picture.wanted.keys() | {k for k, r in picture.live.items() if r.owned}  # those are `apply`'s
    whose = {principal.identity for principal in principals}
    found = [r for k, r in assigned.items() if isinstance(r, RoleAssignment) and k not in kept]
    return [role for role in found if role.identity in whose]


def _ours(picture: Picture) -> set[str]:
    """The subjects that are trusted for this repository's sake."""
    there = [*picture.wanted.values(), *(r for r in picture.live.values() if r.owned)]
    return {r.subject for r in there if isinstance(r, FederatedCredential)}


def _names_it(variable: Variable) -> bool:
    """Whether a variable names the old application. What the organization's name is used by other repositories as well."""
    named = _NAMES_IT.fullmatch(variable.name) is not None and is_guid(variable.value)
    return named and not variable.shared


def _identities(picture: Picture) -> dict[str, str]:
    """The applications that the configuration uses: client id → identity."""
    used = {r.identity for r in picture.wanted.values() if isinstance(r, FederatedCredential)}
    apps = [r for r in picture.live.values() if isinstance(r, Application) and r.unique_name in used]
    return {app.minted["client_id"].lower(): app.unique_name for app in apps}


@dataclass(frozen=True, kw_only=True)
class _Held:
    """An application. principal: as one whose every role counts; None where there is none. trusts: subjects."""

    identity: str
    passwords: tuple[ClientSecret, ...] = ()
    principal: ServicePrincipal | None = None
    trusts: frozenset[str] = frozenset()


async def _application(session: Session, client_id: str, identity: str) -> _Held:
    """What an application holds; nothing where the tenant has none of that id."""
    app, principal = await together(
        session.graph.application_by_client_id(client_id),
        session.graph.principal_with_passwords(client_id),
    )
    if app is None:
        return _Held(identity=identity)
    minted = {"principal_id": str(principal["id"])} if principal else {}
    return _Held(
        identity=identity,
        passwords=tuple(client_secrets(app, identity, principal)),
        principal=ServicePrincipal(identity=identity, client_id=client_id, minted=minted) if minted else None,
        trusts=frozenset(str(c.get("subject") or "") for c in app.get("federatedIdentityCredentials") or ()),
    )
