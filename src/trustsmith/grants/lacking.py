"""What jobs do and no role of the file permits, with the grant that would. Pure; must not look for what is too wide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith.grants.holder import grant_text, listed
from trustsmith.model.advice import Advice
from trustsmith.model.foundry import PROJECT_MANAGER, role_slug, short_scope

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from trustsmith.grants.holder import Holder, Need, Proposed
    from trustsmith.model.config import Environment
    from trustsmith.model.operations import Operation

_DEPLOY_MODELS = "Microsoft.CognitiveServices/accounts/deployments/write"


def lacking(holder: Holder, environment: Environment) -> Iterator[Advice]:
    """What is missing, what could not be told, or that its roles permit all that is declared."""
    operations = holder.jobs[environment.name].operations
    if not operations:
        why = "Nothing in the file says what its jobs do in Azure."
        yield Advice(environment=environment.name, kind="undeclared", why=why)
        return
    truths = {need: holder.permitted(need, holder.entries) for need in holder.needs_of(environment)}
    refused = {need.operation: need.target for need, truth in reversed(truths.items()) if truth is False}
    for proposed in holder.roles.proposed(o for o in operations if o in refused):
        yield _missing(holder, environment, proposed, refused)
    untold = [need for need, truth in truths.items() if truth is None and need.operation not in refused]
    if untold:
        yield _untold(holder, environment, untold)
    elif not refused:
        why = f"Its roles permit: {', '.join(operation.does for operation in operations)}."
        yield Advice(environment=environment.name, kind="fine", why=why)


def _missing(
    holder: Holder, environment: Environment, proposed: Proposed, refused: Mapping[Operation, str]
) -> Advice:
    """refused: operation → the first place where it is not permitted."""
    does = ", ".join(operation.does for operation in proposed.operations)
    places = [refused[operation] for operation in proposed.operations]
    there = [entry for entry in holder.entries if any(map(entry.reaches, places))]
    given = listed(holder.roles.name(entry.role) for entry in there)
    lack = (
        f"what the file gives there, {given}, does not permit it" if given else "the file gives no role there"
    )
    role = role_slug(proposed.role) if proposed.role else ""
    text = grant_text(role or "<id of a role that has it>", proposed.level, does)
    return Advice(
        environment=environment.name,
        kind="missing",
        why=f"Its jobs {does}. That takes {_actions(proposed.operations)} at {listed(map(short_scope, places))}; {lack}.",
        role=role,
        scope=proposed.level,
        next=f"Add under environments.{environment.name}.grants:\n  {text}{_remark(holder, proposed)}",
    )


def _actions(operations: Iterable[Operation]) -> str:
    """`the data actions a and b, and the action c`."""
    planes: dict[str, list[str]] = {}
    for operation in operations:
        planes.setdefault("data action" if operation.data else "action", []).append(operation.action)
    parts = [f"the {plane}{'s' if len(names) > 1 else ''} {listed(names)}" for plane, names in planes.items()]
    return ", and ".join(parts)


def _remark(holder: Holder, proposed: Proposed) -> str:
    """What people try first."""
    manager = PROJECT_MANAGER.guid
    models = [operation for operation in proposed.operations if operation.action == _DEPLOY_MODELS]
    if not models or holder.roles.would_permit(manager, models[0]):
        return ""
    return f"\n{holder.roles.name(manager)} cannot deploy models at any scope."


def _untold(holder: Holder, environment: Environment, needs: Sequence[Need]) -> Advice:
    roles = [e.role for e in holder.entries if any(holder.permits(e, need) is None for need in needs)]
    unread = [role for role in roles if role not in holder.roles.definitions]
    names = listed(holder.roles.name(role) for role in unread or roles)
    reason = f"what {names} permits could not be read" if unread else f"a condition of {names} leaves it open"
    does = ", ".join(dict.fromkeys(need.operation.does for need in needs))
    return Advice(
        environment=environment.name,
        kind="unknown",
        why=f"Whether its roles let its jobs {does} could not be told: {reason}.",
        next=f"az role definition list --name {(unread or roles)[0]}",
    )
