"""Looking: configuration + services → facts, wanted and live state, and the plan between them. Changes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trustsmith.desire import desire
from trustsmith.diff import diff, waits_for_proof
from trustsmith.errors import ConfigError, NotAllowed, NotSignedIn
from trustsmith.flows.facts import Asker
from trustsmith.flows.preflight import preflight
from trustsmith.flows.proof import proven
from trustsmith.flows.remarks import remarks
from trustsmith.flows.rights import advised
from trustsmith.flows.session import Session, rendered
from trustsmith.hazards import judge
from trustsmith.model.config import CHECK_TRUST
from trustsmith.model.facts import Facts, Repository
from trustsmith.model.resource import SIDES, Key, Side
from trustsmith.model.resources import Application
from trustsmith.model.state import State
from trustsmith.model.subject import Template
from trustsmith.systems import together, unasked

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
    first, files = await together(asker.repository(), _files(session, source.config, contacted, allow))
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
    if "github" in contacted and waits_for_proof(live, wanted):
        live = live.join(State(proven=await _proven(session, source.config, facts)))
    _check_live(source, live)
    await _say_who(session, contacted - live.unread.keys())
    plan = replace(judge(diff(live, wanted, sides), live, allow), rights=rights)
    plan = await _plan(session, source.config, plan, contacted)
    return Picture(facts, wanted, live, plan, evidence)


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
    files = rendered(config, session.endpoints, session.options.root)
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
    nobody = Repository(id=0, full_name=config.repository, default_branch="", template=Template(prefix=""))
    facts = Facts(host="", issuer="", audience="", repository=nobody)
    wanted = State.of(files)
    reader = reader or session.reader("files")
    live = await reader.read(wanted, facts, asyncio.ensure_future(unasked(State())))
    return Picture(facts, wanted, live, judge(diff(live, wanted, {"files"}), live, allow))


async def _proven(session: Session, config: Config, facts: Facts) -> frozenset[tuple[str, str, str, str]]:
    """What jobs of check-trust have shown to work; nothing where the file has no such workflow."""
    paths = [workflow.path for workflow in config.workflows if workflow.template == CHECK_TRUST]
    repository = facts.repository
    found = [await proven(session, repository.full_name, repository.default_branch, path) for path in paths]
    return frozenset[tuple[str, str, str, str]]().union(*found)


async def _live(
    session: Session, wanted: State, facts: Facts, contacted: frozenset[Side], sides: Collection[Side]
) -> State:
    """The live state of every contacted side."""

    def read(side: Side, identities: Awaitable[State]) -> Awaitable[State]:
        return forgiven(session.reader(side).read(wanted, facts, identities), side, sides)

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


async def forgiven(reading: Awaitable[State], side: Side, sides: Collection[Side]) -> State:
    """One side's live state; a side that is not ours to change may stay unseen."""
    try:
        return await reading
    except (NotSignedIn, NotAllowed) as error:
        if side in sides:
            raise
        return State(unread={side: error.message})


def _check_live(source: Source, live: State) -> None:
    """An application that the file names by client id has to be there."""
    if "entra" in live.unread:
        return
    own = {r.minted["client_id"].lower() for r in live.values() if isinstance(r, Application) and r.owned}
    problems = [
        source.problem(
            ("environments", environment.name, "client_id"),
            "this is an application that trustsmith manages for another environment, which must not be shared",
            "leave `client_id` out, or set `identity.per: repository`",
        )
        for environment in source.config.environments
        if environment.client_id and environment.client_id.lower() in own
    ]
    problems += [
        source.problem(
            ("environments", environment.name, "client_id"),
            f"the tenant has no application with client id {environment.client_id}",
            "leave `client_id` out to have trustsmith register an application",
        )
        for environment in source.config.environments
        if environment.client_id and Key(Application.kind, environment.client_id) not in live
    ]
    if problems:
        raise ConfigError(problems)
