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
    """Old pins, and what the repository's Actions policy will stop, asked only while there is a file to write."""
    old = old_pins(config)
    files = [change.after for change in plan.changes if isinstance(change.after, WorkflowFile)]
    uses = {use for file in files for use in uses_in(file.text)}
    if not uses or "github" not in contacted:
        return tuple(old)
    policy = ask.policy_in(config.repository, *await ask.actions_policy(session, config.repository))
    if policy is None:
        return tuple(old)
    inside = await ask.every(*(ask.nested(session, policy, use) for use in sorted(uses)))
    stopped = [
        why
        for use, nested in zip(sorted(uses), inside, strict=True)
        for why in policy.objections(use, nested)
    ]
    return (*old, *dict.fromkeys(stopped))


def old_pins(config: Config) -> list[str]:
    """The repository's own pins that are older than those that we come with."""
    return outdated(merged(packaged_pins(), ()), config.pins)
