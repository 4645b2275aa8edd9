"""What people should know about the workflow files of a plan, beyond what would change. Changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith.flows import evidence as ask
from trustsmith.model.pins import merged, outdated, uses_in
from trustsmith.model.resources import WorkflowFile
from trustsmith.render import packaged_pins

if TYPE_CHECKING:
    from collections.abc import Collection

    from trustsmith.flows.session import Session
    from trustsmith.model.config import Config
    from trustsmith.model.plan import Plan
    from trustsmith.model.resource import Side


async def remarks(
    session: Session, config: Config, plan: Plan, contacted: Collection[Side]
) -> tuple[str, ...]:
    """Old pins; and, where GitHub is asked at all, what its policy will stop."""
    return (*old_pins(config), *(await stopped(session, config, plan) if "github" in contacted else ()))


async def stopped(session: Session, config: Config, plan: Plan) -> list[str]:
    """Why the repository's Actions policy will stop workflows, asked only while there is a file to write."""
    files = [change.after for change in plan.changes if isinstance(change.after, WorkflowFile)]
    uses = sorted({use for file in files for use in uses_in(file.text)})
    if not uses:
        return []
    policy = ask.policy_in(config.repository, *await ask.actions_policy(session, config.repository))
    if policy is None:
        return []
    inside = await ask.every(*(ask.nested(session, policy, use) for use in uses))
    found = [why for use, nested in zip(uses, inside, strict=True) for why in policy.objections(use, nested)]
    return list(dict.fromkeys(found))


def old_pins(config: Config) -> list[str]:
    """The repository's own pins that are older than those that we come with."""
    return outdated(merged(packaged_pins(), ()), config.pins)
