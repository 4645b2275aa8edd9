"""Looking: configuration + services → facts, wanted and live state, and the plan between them. Changes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trustsmith.desire import desire
from trustsmith.diff import diff, waits_for_proof
from trustsmith.doctor.observer import consent_waits
from trustsmith.errors import ConfigError
from trustsmith.flows.edits import against_rules
from trustsmith.flows.evidence import may_consent
from trustsmith.flows.facts import Asker
from trustsmith.flows.observing import nothing_seen, reported
from trustsmith.flows.preflight import preflight
from trustsmith.flows.proof import proven
from trustsmith.flows.remarks import remarks
from trustsmith.flows.rights import advised
from trustsmith.flows.session import Session, rendered
from trustsmith.hazards import judge
from trustsmith.model.config import CHECK_TRUST
from trustsmith.model.facts import Facts, Repository
from trustsmith.model.observing import everywhere
from trustsmith.model.resource import SIDES, Key, Side
from trustsmith.model.resources import Application, GraphPermission
from trustsmith.model.state import State
from trustsmith.model.subject import Template
from trustsmith.systems import together, unasked
from trustsmith.systems.sight import HIDDEN, why_hidden

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from trustsmith.configfile import Source
    from trustsmith.doctor.evidence import Evidence
    from trustsmith.model.config import Config
    from trustsmith.model.plan import Plan
    from trustsmith.model.resources import WorkflowFile
    from trustsmith.systems import Reader

#: What each side's part has to look at. A side that is not listed is not contacted.
_LOOKS_AT: dict[Side, frozenset[Side]] = {
    "entra": frozenset({"entra", "github"}),
    "azure": frozenset({"azure", "entra"}),
    "github": frozenset({"github", "entra", "azure"}),
    "files": frozenset({"files"}),
}


@dataclass(frozen=True)
class Picture:
    """What one look found. evidence: what the preflight looks at; None when the plan is not to be carried out."""

    facts: Facts
    wanted: State
    live: State
    plan: Plan
    evidence: Evidence | None = None


async def look(
    session: Session,
    source: Source,
    sides: Collection[Side] = SIDES,
    allow: Collection[str] = (),
    *,
    to_write: bool = False,
) -> Picture:
    """Everything that a plan needs, asked for at the same time where possible.

    to_write: the plan is to be carried out, so look at what could stand in its way as well.
    Raises ConfigError for what the services say is wrong with the file, NotSignedIn, NotAllowed, ServiceError, Refused.
    """
    contacted = _contacted(source.config, sides)
    if contacted <= {"files"}:
        return await look_at_files(session, source.config, _rendered(session, source.config, allow), allow)
    session.look_anew()
    session.prefetch(contacted)
    session.talk.step("Looking at what is there")
    asker = Asker(session, source, contacted, sides)
    try:
        first, files = await together(asker.repository(), _files(session, source.config, contacted, allow))
    except HIDDEN as error:
        if not session.sight.observing:
            raise
        return Picture(
            _no_facts(source.config), State(), State(), nothing_seen(source.config, why_hidden(error))
        )
    draft = desire(source.config, first, files)  # complete but for ids of reviewers, and endpoints
    (facts, unread), live, rights, evidence = await together(
        asker.rest(first),
        _live(session, draft, first, contacted, sides),
        advised(session, source.config, sides),
        preflight(session, source.config, sides) if to_write else unasked(None),
    )
    wanted = desire(source.config, facts, files)
    unseen = dict.fromkeys(set(SIDES) - contacted, "it was not asked for")
    live = live.join(State(unread={**unseen, **unread}))
    live = live.join(await _more(session, source.config, facts, wanted, live))
    _check_live(source, live)
    await session.sight.see(_say_who(session, contacted - live.unread.keys()), None, ())
    plan = diff(live, wanted, sides)
    if session.sight.observing:
        plan = reported(source.config, plan, live, wanted, sides)
    plan = judge(plan, live, allow)
    plan = replace(plan, rights=rights, broken=against_rules(source.config, wanted, live))
    plan = await _plan(session, source.config, plan, contacted)
    return Picture(facts, wanted, live, plan, evidence)


def _no_facts(config: Config) -> Facts:
    nobody = Repository(id=0, full_name=config.repository, default_branch="", template=Template(prefix=""))
    return Facts(host="", issuer="", audience="", repository=nobody)


async def _more(session: Session, config: Config, facts: Facts, wanted: State, live: State) -> State:
    """What is asked for only now that it is known to matter: proofs, and who may consent."""
    proof: frozenset[tuple[str, str, str, str]] = frozenset()
    stale = waits_for_proof(live, wanted)
    if stale and "github" not in live.unread:
        proof = await proofs(session, config, facts)
    beyond: dict[Key, str] = {}
    if not session.sight.observing:
        beyond = await _beyond(session, wanted, live)
    elif why := live.unread.get("github"):
        session.sight.hide(stale, why)  # whether a job has used what replaces them
    return State(proven=proof, beyond=beyond, unseen=dict(session.sight.hidden))


async def _beyond(session: Session, wanted: State, live: State) -> dict[Key, str]:
    """The permissions on Graph that the caller may not give, with who may."""
    missing = [r for key, r in wanted.items() if isinstance(r, GraphPermission) and key not in live]
    if not missing or "entra" in live.unread or await may_consent(session):
        return {}
    return {permission.key: consent_waits(permission) for permission in missing}


async def _plan(session: Session, config: Config, plan: Plan, contacted: Collection[Side]) -> Plan:
    """The plan with remarks about its files."""
    return replace(plan, notes=(*plan.notes, *await remarks(session, config, plan, contacted)))


async def _files(
    session: Session, config: Config, contacted: frozenset[Side], allow: Collection[str]
) -> list[WorkflowFile]:
    """The rendered workflows. Rendering is computing, so it is done when the first questions are on their way."""
    await session.warm(contacted)
    return _rendered(session, config, allow) if "files" in contacted else []


def _rendered(session: Session, config: Config, allow: Collection[str]) -> list[WorkflowFile]:
    """The rendered workflows, those that may be overwritten marked so."""
    files = rendered(config, session.endpoints, session.options)
    return [replace(file, word="overwrite") if f"overwrite={file.path}" in allow else file for file in files]


async def _say_who(session: Session, seen: frozenset[Side]) -> None:
    """Say once who is signed in to Azure, from the token that is there already; nobody need be for GitHub's part."""
    if seen & {"entra", "azure"} and not session.introduced:
        session.introduced = True
        who = await session.credentials.whoami()
        session.talk.note(f"Signed in to Azure as {who['name']} in tenant {who['tid']} ({who['method']}).")


def _contacted(config: Config, sides: Collection[Side]) -> frozenset[Side]:
    """The sides to look at. With ids and endpoints in the file, GitHub's part needs no Azure sign-in."""
    found = frozenset[Side]().union(*(_LOOKS_AT[side] for side in sides))
    if set(sides) <= {"github", "files"}:
        if all(environment.client_id for environment in config.environments):
            found -= {"entra"}
        if all(environment.endpoint for environment in config.environments):
            found -= {"azure"}
    return found


async def look_at_files(
    session: Session,
    config: Config,
    files: Collection[WorkflowFile],
    allow: Collection[str],
    reader: Reader | None = None,
) -> Picture:
    """As `look`, for workflow files alone: they need no facts. files: rendered. reader: None for the checkout's."""
    facts = _no_facts(config)
    wanted = State.of(files)
    reader = reader or session.reader("files")
    live = await reader.read(wanted, facts, asyncio.ensure_future(unasked(State())))
    plan = judge(diff(live, wanted, {"files"}), live, allow)
    return Picture(facts, wanted, live, replace(plan, broken=against_rules(config, wanted, live)))


async def proofs(session: Session, config: Config, facts: Facts) -> frozenset[tuple[str, str, str, str]]:
    """What jobs of check-trust have shown to work; nothing where the file has no such workflow."""
    paths = {workflow.path for workflow in config.workflows if workflow.template == CHECK_TRUST}
    files = rendered(config, session.endpoints, session.options) if paths else []
    repository = facts.repository
    name, branch = repository.full_name, repository.default_branch
    found = [await proven(session, name, branch, f.path, f.body) for f in files if f.path in paths]
    return frozenset[tuple[str, str, str, str]]().union(*found)


async def _live(
    session: Session, wanted: State, facts: Facts, contacted: frozenset[Side], sides: Collection[Side]
) -> State:
    """The live state of every contacted side."""

    def read(side: Side, identities: Awaitable[State]) -> Awaitable[State]:
        reading = session.reader(side).read(wanted, facts, identities)
        return session.sight.side(reading, side, needed=side in sides)

    return await read_sides(read, contacted)


async def read_sides(
    read: Callable[[Side, Awaitable[State]], Awaitable[State]], sides: Collection[Side]
) -> State:
    """These sides' live state. Others wait for Entra's, to know principals and client ids.

    read: how a side is read, given Entra's state.
    """
    entra = asyncio.ensure_future(unasked(State(unread={"entra": "it was not asked for"})))
    if "entra" in sides:
        entra = asyncio.ensure_future(read("entra", entra))
    others = [read(side, entra) for side in SIDES if side in sides and side != "entra"]
    return State().join(*await together(entra, *others))


def _check_live(source: Source, live: State) -> None:
    """An application that the file names by client id has to be there, and be nobody's of ours."""
    if "entra" in live.unread:
        return
    own = {r.minted["client_id"].lower() for r in live.values() if isinstance(r, Application) and r.owned}
    problems = []
    for environment in everywhere(source.config):
        client = environment.client_id
        if not client:
            continue
        path = ("observer",) if environment.observes else ("environments", environment.name)
        if client.lower() in own:
            message = "this is an application that trustsmith manages for another environment, which must not be shared"
            hint = "leave `client_id` out, or set `identity.per: repository`"
            problems.append(source.problem((*path, "client_id"), message, hint))
        if Key(Application.kind, client) not in live:
            message = f"the tenant has no application with client id {client}"
            hint = "leave `client_id` out to have trustsmith register an application"
            problems.append(source.problem((*path, "client_id"), message, hint))
    if problems:
        raise ConfigError(problems)
