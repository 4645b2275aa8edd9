"""Preflight: what stands in the way of a plan is found before its first change, and all of it at once.

The checks are those of `doctor`; only what changes can need is asked, beside the other questions of a look.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trustsmith.doctor import IN_THE_WAY, RIGHTS, examine
from trustsmith.doctor.evidence import Azure, Evidence, GitHub, Made, People
from trustsmith.errors import NotAllowed, TrustsmithError, UsageError
from trustsmith.flows import evidence as ask
from trustsmith.model.environments import GitHubEnvironment
from trustsmith.model.resources import RoleAssignment
from trustsmith.systems import unasked

if TYPE_CHECKING:
    from collections.abc import Collection

    from trustsmith.flows.session import Session
    from trustsmith.model.config import Config
    from trustsmith.model.findings import Finding
    from trustsmith.model.plan import Plan
    from trustsmith.model.resource import Side
    from trustsmith.model.state import State


async def preflight(session: Session, config: Config, sides: Collection[Side]) -> Evidence:
    """What the checks look at that stand in the way of changes to these sides."""
    people, azure, github = await ask.every(
        ask.people(session) if {"entra", "azure"} & set(sides) else unasked(People()),
        _azure(session, config) if "azure" in sides else unasked(Azure()),
        _github(session, config) if "github" in sides else unasked(GitHub()),
    )
    return Evidence(
        config=config, host=session.endpoints.github_host, people=people, azure=azure, github=github
    )


async def _azure(session: Session, config: Config) -> Azure:
    subscriptions, definitions, rights = await ask.every(
        ask.quiet(session.arm.subscriptions()),
        ask.role_definitions(session, config),
        ask.rights_of(session, config),
    )
    return Azure(subscriptions=subscriptions, definitions=definitions, rights=rights)


async def _github(session: Session, config: Config) -> GitHub:
    repository = await ask.there(session.github.repository(config.repository), config.repository)
    if isinstance(repository, TrustsmithError):
        return GitHub()
    who, environments, protected, readers = await ask.every(
        ask.owner(session, repository),
        ask.quiet(session.github_side.environments(config.repository)),
        ask.protected_branches(session, config),
        ask.readers_of(session, config, repository),
    )
    return GitHub(
        repository=repository, owner=who, environments=environments, protected=protected, readers=readers
    )


async def check(session: Session, plan: Plan, live: State, evidence: Evidence) -> None:
    """Raise NotAllowed for rights that the plan needs and that are missing, UsageError for what no right mends."""
    known = await ask.with_owners(session, replace(evidence, made=Made(plan=plan, live=live)))
    known = await ask.with_rights(session, known)
    ids = _needed(plan)
    found = [f for f in examine(known, {c.side for c in plan.changes}, ids) if f.verdict == "fail"]
    if not found:
        return
    text = "\n".join(["Something that this plan needs is missing; nothing was changed.", *map(_line, found)])
    hint = "\n".join(dict.fromkeys(finding.next for finding in found if finding.next))
    original = "; ".join(dict.fromkeys(finding.original for finding in found if finding.original))
    if any(finding.check in RIGHTS for finding in found):
        raise NotAllowed(text, service="", hint=hint, original=original)
    raise UsageError(text, hint=hint, original=original)


def _line(finding: Finding) -> str:
    about = f" ({finding.about})" if finding.about else ""
    return f"  {finding.check}{about}: {finding.why}"


def _needed(plan: Plan) -> frozenset[str]:
    """The checks that these changes depend on; those that look at the plan themselves are always run."""
    wanted = [change.resource for change in plan.changes if change.verb != "delete"]
    idle: set[str] = set()
    if not any(isinstance(resource, RoleAssignment) for resource in wanted):
        idle |= {"role-definitions"}
    if not any(isinstance(resource, GitHubEnvironment) for resource in wanted):
        idle |= {"protection-available", "protected-branches", "reviewers"}
    return IN_THE_WAY - idle
