"""What is live, against what is declared. Pure; compares through the plan, and by no rule of its own."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from trustsmith.desire import Granted, granted
from trustsmith.model.environments import EnvironmentSecret, EnvironmentVariable, GitHubEnvironment
from trustsmith.model.findings import Finding
from trustsmith.model.foundry import role_name, short_scope
from trustsmith.model.resource import Key
from trustsmith.model.resources import (
    FederatedCredential,
    GraphPermission,
    RoleAssignment,
    ServicePrincipal,
)
from trustsmith.model.subject_parts import apart, nearest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from trustsmith.model.config import Environment
    from trustsmith.model.plan import Plan
    from trustsmith.model.resource import Resource
    from trustsmith.model.state import State


def live_findings(
    environment: Environment, identity: str, wanted: State, live: State, plan: Plan
) -> Iterator[Finding]:
    """Whether Entra trusts what is sent, to the byte, whether declared roles are assigned, and GitHub's side is as declared.

    identity: of the environment. plan: between `live` and `wanted`; what it would change is what differs, and so is what
    waits for another side's part. A replaced credential that waits for its proof is as it should be.
    """
    differing = {change.key for change in plan.changes} | {waiting.key for waiting in plan.waiting}
    yield from _wanted(environment, identity, wanted, live, differing, plan.command)
    yield from _environment(environment.name, wanted, live, plan)
    gone = (change.resource for change in plan.changes if change.verb == "delete")
    for resource in gone:
        if isinstance(resource, FederatedCredential) and resource.environment == environment.name:
            yield _trusts_too(resource, plan.command)
        elif isinstance(resource, RoleAssignment) and resource.identity == identity:
            why = f"{role_name(resource.role)} at {short_scope(resource.scope)} is assigned, and no longer declared."
            yield Finding(check="role", verdict="fail", about=environment.name, why=why, next=plan.command)
    principal = live.get(Key(ServicePrincipal.kind, identity))
    if isinstance(principal, ServicePrincipal) and not principal.enabled:
        why = "The service principal is disabled: no job can sign in as it."
        word = f"--allow enable={identity}"
        command = plan.command if word in plan.command else f"{plan.command} {word}"
        following = f"If that is not on purpose: {command}"
        yield Finding(check="identity", verdict="fail", about=environment.name, why=why, next=following)
    for stray in plan.strays:
        if not stray.resource.owned and getattr(stray.resource, "identity", None) == identity:
            yield _stray(environment.name, stray.resource, plan.command)


def _wanted(  # noqa: PLR0917 - its parts are known in one place only
    environment: Environment, identity: str, wanted: State, live: State, differing: set[Key], command: str
) -> Iterator[Finding]:
    """Each credential, role and permission that the environment is to have. command: what mends it."""
    asked = {
        _place(identity, grant) for grant in granted([environment])
    }  # environments may share an identity
    for resource in wanted.values():
        if isinstance(resource, FederatedCredential) and resource.environment == environment.name:
            yield _credential(resource, live, command if resource.key in differing else "")
        elif isinstance(resource, RoleAssignment) and _place(resource.identity, resource) in asked:
            yield _role(environment.name, resource, live, command if resource.key in differing else "")
        elif isinstance(resource, GraphPermission) and resource.identity == identity:
            yield _permission(environment.name, resource, live, command)


def _place(identity: str, role: Granted | RoleAssignment) -> tuple[str, UUID, str]:
    return identity, role.role, role.scope.lower()


def _unread(resource: Resource, live: State, check: str, about: str) -> Finding | None:
    why = live.unread.get(resource.side)
    if why is None:
        return None
    return Finding(check=check, verdict="unknown", about=about, why=f"It could not be looked at: {why}")


def _environment(name: str, wanted: State, live: State, plan: Plan) -> Iterator[Finding]:
    """Whether GitHub has the environment with its rules, and the ids in it that a job signs in with."""
    check, there = "environment", Key(GitHubEnvironment.kind, name)
    if unread := _unread(wanted[there], live, check, name):
        yield unread
        return
    kinds = (EnvironmentSecret, EnvironmentVariable)
    inside = {key for key, r in wanted.items() if isinstance(r, kinds) and r.environment == name} | {there}
    said = [(change.key, change.why) for change in plan.shown if change.key in inside]
    said += [(waiting.key, waiting.reason) for waiting in plan.waiting if waiting.key in inside]
    for key, why in said:
        yield Finding(check=check, verdict="fail", about=name, why=f"{key}: {why}.", next=plan.command)
    found = live.get(there)
    if not said and isinstance(found, GitHubEnvironment):
        why = f"GitHub has it as the file says: {found.rules}."
        yield Finding(check=check, verdict="pass", about=name, why=why)


def _credential(wanted: FederatedCredential, live: State, mend: str) -> Finding:
    """mend: what to type where it differs, else nothing."""
    check, about = "credential", wanted.environment
    sent = f"what {'GitHub' if wanted.jobs else wanted.issuer} will send"
    if unread := _unread(wanted, live, check, about):
        return unread
    if not mend:
        why = f"Entra trusts {sent}, to the byte: {wanted.subject}"
        return Finding(check=check, verdict="pass", about=about, why=why)
    there = sorted(
        one.subject
        for one in live.values()
        if isinstance(one, FederatedCredential) and one.identity == wanted.identity
    )
    why = f"Entra does not trust {sent}, {wanted.subject}; this identity trusts nothing."
    if near := nearest(wanted.subject, there):
        how = apart(wanted.subject, near) or "issuer, audience or name differ"
        why = f"Entra does not trust {sent}, {wanted.subject}. The nearest is {near}: {how}."
    return Finding(check=check, verdict="fail", about=about, why=why, next=mend)


def _role(about: str, wanted: RoleAssignment, live: State, mend: str) -> Finding:
    name = f"{role_name(wanted.role)} at {short_scope(wanted.scope)}"
    if unread := _unread(wanted, live, "role", about):
        return unread
    if not mend:
        return Finding(check="role", verdict="pass", about=about, why=f"{name} is assigned.")
    why = f"{name} is declared, and is not assigned as declared."
    return Finding(check="role", verdict="fail", about=about, why=why, next=mend)


def _permission(about: str, wanted: GraphPermission, live: State, mend: str) -> Finding:
    if unread := _unread(wanted, live, "role", about):
        return unread
    if wanted.key in live:
        why = f"It has {wanted.permission} on Microsoft Graph."
        return Finding(check="role", verdict="pass", about=about, why=why)
    why = f"Nobody has consented to {wanted.permission} on Microsoft Graph."
    return Finding(check="role", verdict="fail", about=about, why=why, next=mend)


def _trusts_too(found: FederatedCredential, mend: str) -> Finding:
    why = f"Entra also trusts {found.subject} of {found.issuer}, which the file does not ask for here."
    return Finding(check="credential", verdict="fail", about=found.environment, why=why, next=mend)


def _stray(about: str, found: Resource, command: str) -> Finding:
    """What somebody else put on the environment's identity: a credential, a secret or a role."""
    check = "role" if isinstance(found, RoleAssignment) else "credential"
    word = shlex.quote(f"remove={found.key.name}")
    why = f"It is on the environment's identity, and trustsmith did not make it: {found.title}"
    return Finding(
        check=check,
        verdict="fail",
        about=about,
        why=why,
        next=f"Find out whose it is; {command} --allow {word}",
    )
