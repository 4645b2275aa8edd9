"""`doctor`: gathers the evidence, has it examined, and shows what was found. Changes nothing."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from trustsmith.clients import git
from trustsmith.desire import desire
from trustsmith.diff import diff
from trustsmith.doctor import examine
from trustsmith.doctor.check import is_answer
from trustsmith.doctor.evidence import Answer, Azure, Evidence, Made, People
from trustsmith.errors import Differences, TrustsmithError, UsageError
from trustsmith.flows import evidence as ask
from trustsmith.flows.facts import Asker
from trustsmith.flows.look import read_sides
from trustsmith.flows.rights import jobs_of
from trustsmith.flows.session import Options, Session, rendered
from trustsmith.hazards import judge
from trustsmith.model.config import Config
from trustsmith.model.findings import worst
from trustsmith.model.foundry import endpoint_of
from trustsmith.model.pins import uses_in
from trustsmith.model.resource import LIVE_SIDES, SIDES, Side
from trustsmith.model.state import State
from trustsmith.systems import unasked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Collection

    from trustsmith.configfile import Source
    from trustsmith.model.facts import Facts
    from trustsmith.model.findings import Finding
    from trustsmith.ui.console import Console


async def doctor(options: Options, console: Console, sides: Collection[Side]) -> None:
    """Show what would make a set-up fail. Raises Differences when something would, or could not be told."""
    source = options.read_any_config()
    session = Session.of(options, console, source.config if source else None)
    try:
        config = source.config if source else await _unconfigured(session)
        findings = await look_over(session, source, config, frozenset(sides or SIDES))
    finally:
        await session.aclose()
    console.repository = config.repository
    console.show_findings(f"doctor: {config.repository}", findings, brief=True)
    if source:
        console.note(
            "This is what a set-up needs. Whether what is there is as the file says: trustsmith verify"
        )
    verdict = worst(findings)
    if verdict != "pass":
        failed = verdict == "fail"
        raise Differences(
            "Something would make a set-up fail." if failed else "Not everything could be told.",
            hint="What to type is said at each finding; then run the same again:\n  trustsmith doctor",
        )


async def look_over(
    session: Session, source: Source | None, config: Config, sides: frozenset[Side]
) -> list[Finding]:
    """The findings about these sides."""
    session.talk.step("Looking at what a set-up needs")
    return examine(await _gather(session, source, config, sides), sides)


async def _unconfigured(session: Session) -> Config:
    """What can be looked at without a configuration: the sign-ins, and the repository of the git remote."""
    host, remote = urlsplit(session.endpoints.web).netloc, git.remote(session.options.root)
    if remote is None or remote[0] != host:
        raise UsageError(
            f"There is no configuration at {session.options.config_path}, and no git remote on {host} that says which "
            "repository is meant.",
            hint="Run it in the repository's checkout (or name that with -C DIR); or write the configuration with:\n"
            "  trustsmith setup",
        )
    session.talk.note(
        f"There is no configuration at {session.options.config_path} yet, so only the sign-ins and {remote[1]} are "
        "looked at. 'trustsmith setup' writes one."
    )
    who = await ask.quiet(session.credentials.whoami())
    tenant = "" if isinstance(who, TrustsmithError) else who["tid"]
    return Config(repository=remote[1], tenant=tenant, environments=())


# -- gathering -----------------------------------------------------------------------------------------------------


async def _gather(
    session: Session, source: Source | None, config: Config, sides: frozenset[Side]
) -> Evidence:
    """All that the checks of these sides look at, asked for at the same time where possible."""
    session.look_anew()
    contacted: frozenset[Side] = frozenset({"entra", "azure"}) if {"entra", "azure"} & sides else frozenset()
    if not sides <= {"files"}:
        session.prefetch(contacted)
    files = Made(
        uses=_uses(session, config) if {"github", "files"} & sides else None,
        jobs=jobs_of(config, session.options.root),
    )
    host, now = session.endpoints.github_host, time.time()
    base = Evidence(config=config, sides=sides, host=host, made=files, now=now)
    if sides <= {"files"}:
        return base
    people, repository, _ = await ask.every(
        ask.people(session, config.identity.owners) if contacted else unasked(People()),
        ask.there(session.github.repository(config.repository), config.repository),
        session.warm(contacted),
    )
    azure, github, seen = await ask.every(
        _azure(session, config, people) if "azure" in sides else unasked(Azure()),
        ask.github(session, config, repository, files.uses),
        _seen(session, source, people, sides) if is_answer(repository) else unasked(Made()),
    )
    seen = replace(seen, uses=files.uses, jobs=files.jobs)
    found = replace(base, people=people, azure=azure, github=github, made=seen, skews=session.skews())
    found = replace(found, made=_planned(found))
    return await ask.with_rights(session, await ask.with_owners(session, found))


async def _azure(session: Session, config: Config, people: People) -> Azure:
    """Without a sign-in nothing is asked: each question would start Azure CLI again."""
    if not is_answer(people.azure):
        return Azure()
    return await ask.azure(session, config)


def _uses(session: Session, config: Config) -> Answer[frozenset[str]]:
    """The actions that the generated workflows use."""
    if not config.environments:
        return None
    try:
        files = rendered(config, session.endpoints, session.options)
    except TrustsmithError as error:
        return error
    return frozenset(use for file in files for use in uses_in(file.text))


async def _seen(session: Session, source: Source | None, people: People, sides: frozenset[Side]) -> Made:
    """What is wanted, as far as it is known before all ids are, and what is there of it."""
    if source is None:
        return Made()
    facts = await ask.quiet(Asker(session, source, LIVE_SIDES, ()).repository())
    if isinstance(facts, TrustsmithError):
        return Made(facts=facts)
    wanted = _wanted(source.config, facts)
    if isinstance(wanted, TrustsmithError):
        return Made(facts=facts, wanted=wanted)
    return await _live(session, people, sides, Made(facts=facts, wanted=wanted))


def _wanted(config: Config, facts: Facts) -> State | TrustsmithError:
    try:
        return desire(config, facts, ())
    except TrustsmithError as error:
        return error


async def _live(session: Session, people: People, sides: frozenset[Side], made: Made) -> Made:
    """Each side as it is. A side whose look fails counts as empty: then all of it is left to do."""
    wanted, facts = made.wanted, made.facts
    assert isinstance(wanted, State)  # noqa: S101 - the caller has looked
    assert facts is not None and not isinstance(facts, TrustsmithError)  # noqa: S101, PT018 - as above
    failed: dict[Side, TrustsmithError] = {}

    async def read(side: Side, identities: Awaitable[State]) -> State:
        missing = {"entra": people.graph, "azure": people.azure}.get(side)
        if isinstance(missing, TrustsmithError):
            failed[side] = missing
            return State(unread={side: missing.message})
        found = await ask.quiet(session.reader(side).read(wanted, facts, identities))
        if isinstance(found, TrustsmithError):
            failed[side] = found
            return State(unread={side: found.message})
        return found

    needed: frozenset[Side] = frozenset({"entra"}) if "azure" in sides else frozenset()
    live = await read_sides(read, (sides | needed) & LIVE_SIDES)
    return replace(made, live=replace(live, unread={}), failed=failed)


def _planned(found: Evidence) -> Made:
    """What is left to do on all sides, now that all ids are known; a side that was not looked at counts as empty."""
    made = found.made
    if made.facts is None or isinstance(made.facts, TrustsmithError):
        return made
    facts = replace(
        made.facts,
        reviewers={name: int(answer["id"]) for name, answer in _answers(found.github.reviewers)},
        owners={name: str(answer["id"]) for name, answer in _answers(found.people.owners)},
        endpoints={
            key: url for key, answer in _answers(found.azure.projects) if (url := endpoint_of(answer))
        },
    )
    wanted = _wanted(found.config, facts)
    if isinstance(wanted, TrustsmithError):
        return replace(made, wanted=wanted)
    plan = judge(diff(made.live, wanted, LIVE_SIDES), made.live)
    return replace(made, facts=facts, wanted=wanted, plan=plan)


def _answers(given: Any) -> list[tuple[str, Any]]:
    return [(name, answer) for name, answer in given.items() if is_answer(answer)]
