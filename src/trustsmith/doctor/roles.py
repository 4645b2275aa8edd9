"""Roles: may the caller assign them, are they what they are called, do they permit what the jobs do.

Pure; must not ask Azure. Sources: Microsoft Learn, "Understand how Azure RBAC determines access", "Delegate Azure access
management to others", "Activate Azure resource roles in PIM", "Role-based access control for Microsoft Foundry".
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any, NamedTuple

from trustsmith.desire import granted
from trustsmith.doctor.activate import activation
from trustsmith.doctor.check import AZURE, Check, bad, fine, open_question, unread
from trustsmith.errors import NotFound, TrustsmithError
from trustsmith.grants import assess
from trustsmith.model.conditions import Attempt, Truth, either
from trustsmith.model.foundry import ProjectId, find_role, role_name, role_names, role_slug, short_scope
from trustsmith.model.observing import everywhere
from trustsmith.model.resources import RoleAssignment
from trustsmith.model.rights import REMOVE_ROLES, assigning, permit, removing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from uuid import UUID

    from trustsmith.doctor.evidence import Evidence, Json, Rights
    from trustsmith.model.findings import Finding

_EVERYBODY = "00000000-0000-0000-0000-000000000000"
_ASK = "Ask for Role Based Access Control Administrator or Owner there, without a condition that leaves this role out; or "


class Step(NamedTuple):
    """A role to assign, or to take away, at a scope. word: by which it is taken away, where only a word does that."""

    scope: str
    attempt: Attempt
    words: str
    word: str = ""

    @property
    def ask(self) -> str:
        """What to do for whoever may not."""
        if self.word:
            rest = f"leave it out, and let somebody who has it do that:\n  trustsmith migrate --contract --allow {shlex.quote(self.word)}"
        else:
            rest = "let somebody who has it do that part:\n  trustsmith apply --only azure"
        return _ASK + rest


def _steps(evidence: Evidence) -> list[Step]:
    """What is left to do to role assignments; without a plan, all that the file says."""
    plan = evidence.made.plan
    if plan is None:
        return [
            Step(g.scope, assigning(g.role), f"assign {role_name(g.role)}")
            for g in granted(everywhere(evidence.config))
        ]
    steps = []
    for change in plan.changes:
        resource = change.resource
        if isinstance(resource, RoleAssignment):
            principal = resource.principal if isinstance(resource.principal, str) else None
            name = role_name(resource.role)
            if change.verb == "delete":
                attempt = removing(resource.role, principal)
                steps.append(Step(resource.scope, attempt, f"take away {name}", change.word))
            else:
                steps.append(Step(resource.scope, assigning(resource.role, principal), f"assign {name}"))
    return steps


def steps_by_scope(evidence: Evidence) -> dict[str, list[Step]]:
    """What is left to do to role assignments, by lower-case scope."""
    found: dict[str, list[Step]] = {}
    for step in _steps(evidence):
        found.setdefault(step.scope.lower(), []).append(step)
    return found


def assign(evidence: Evidence) -> Iterator[Finding]:
    """At each scope where a role is to be assigned or taken away, that is permitted."""
    steps = steps_by_scope(evidence)
    if not steps and evidence.config.environments and evidence.made.plan is not None:
        yield fine("No role is left to assign; the right is not needed now.")
    for scope, wanted in steps.items():
        rights = evidence.azure.rights.get(scope)
        if rights is not None and evidence.is_visible(scope):
            yield from _assign_at(evidence, wanted, rights)


def _assign_at(evidence: Evidence, steps: list[Step], rights: Rights) -> Iterator[Finding]:
    scope, about = steps[0].scope, short_scope(steps[0].scope)
    if isinstance(rights.permissions, NotFound):
        goes = all(step.attempt.action == REMOVE_ROLES for step in steps)  # a role goes with what it is on
        if not goes and not ProjectId.parse(scope) and not _is_of_project(evidence, scope):
            yield bad(
                f"There is nothing at {scope}.", about, next="Correct the scope of the grant in the file."
            )
        return
    if rights.permissions is None or isinstance(rights.permissions, TrustsmithError):
        yield from unread(rights.permissions, f"your rights at {scope}", about)
        return
    found = [(_permitted(evidence, rights, rights.permissions, step), step) for step in steps]
    for truth, step in found:
        if truth is False:
            yield _refused(evidence, rights, step, about)
            return
    for truth, step in found:
        if truth is None:
            yield _undecided(rights.permissions, step, about)
            return
    yield fine(f"You may {steps[0].words} there.", about)


def _permitted(evidence: Evidence, rights: Rights, permissions: list[Json], step: Step) -> Truth:
    denied = either([_denies(evidence, denial, step) for denial in _denials(rights)])
    return False if denied else None if denied is None else permit(permissions, step.attempt)


def _denials(rights: Rights) -> list[Json]:
    return rights.denials if isinstance(rights.denials, list) else []


def _denies(evidence: Evidence, denial: Json, step: Step) -> Truth:
    """Whether a deny assignment forbids the step to the caller; None when it is about groups they may be in."""
    properties: Json = denial.get("properties") or {}
    if permit(properties.get("permissions") or (), step.attempt) is False:
        return False
    oid = _oid(evidence).lower()
    spared = {str(p.get("id")).lower() for p in properties.get("excludePrincipals") or ()}
    meant = {str(p.get("id")).lower(): str(p.get("type")) for p in properties.get("principals") or ()}
    if oid in spared:
        return False
    if meant.keys() & {_EVERYBODY, oid}:
        return True
    return None if "Group" in meant.values() else False


def _oid(evidence: Evidence) -> str:
    """The object id of whoever is signed in."""
    me = evidence.people.azure
    return "" if me is None or isinstance(me, TrustsmithError) else me.get("oid", "")


def _is_of_project(evidence: Evidence, scope: str) -> bool:
    """Whether a scope is an account, group or subscription of a project of the file, which other checks look at."""
    return any(project.key.startswith(f"{scope.lower()}/") for project in evidence.config.projects)


def _refused(evidence: Evidence, rights: Rights, step: Step, about: str) -> Finding:
    action, why = step.attempt.action, f"You may not {step.words} at {step.scope}"
    if any(_denies(evidence, denial, step) for denial in _denials(rights)):
        names = [str((d.get("properties") or {}).get("denyAssignmentName")) for d in _denials(rights)]
        return bad(
            f"{why}: a deny assignment forbids it, and beats every role.",
            about,
            next="Ask whoever made the deny assignment; managed applications and deployment stacks make them.",
            original=", ".join(names),
        )
    for instance in rights.eligible if isinstance(rights.eligible, list) else ():
        if permit(_permissions_of(instance.get("definition")), step.attempt):
            return activation(why, instance, step.scope, _oid(evidence), about)
    bound = _condition(rights.permissions, step)
    if bound:
        why += ": your role has a condition that does not let it through"
    return bad(
        f"{why}.",
        about,
        next=step.ask,
        original=bound or f"{action} is in none of the permissions that ARM lists there",
    )


def _undecided(permissions: list[Json], step: Step, about: str) -> Finding:
    return open_question(
        f"Whether you may {step.words} at {step.scope} could not be told: a condition or a deny assignment there asks for "
        "what is not known before.",
        about,
        next=step.ask,
        original=_condition(permissions, step),
    )


def _condition(permissions: Any, step: Step) -> str:
    """The condition that stands between the caller and the step, if any does."""
    for permission in permissions if isinstance(permissions, list) else ():
        if permission.get("condition") and permit([{**permission, "condition": None}], step.attempt):
            return str(permission["condition"])
    return ""


def _permissions_of(definition: Any) -> list[Json]:
    properties = definition.get("properties") if isinstance(definition, dict) else None
    return list((properties or {}).get("permissions") or ())


def definitions(evidence: Evidence) -> Iterator[Finding]:
    """Each role of the file exists in Azure; those we know have one of the names that we know."""
    known = {grant.role: grant.scope for grant in reversed(granted(everywhere(evidence.config)))}
    for role, answer in evidence.azure.definitions.items():
        about = role_slug(role)
        if not evidence.is_visible(known.get(role, "")):
            continue
        if isinstance(answer, NotFound):
            yield bad(
                f"Azure has no role definition {role} at the scopes of the file.",
                about,
                next="Write a role that trustsmith knows by name, or take the id from:\n"
                "  az role definition list --query '[].{name:roleName, id:name}' --output table",
            )
        elif answer is None or isinstance(answer, TrustsmithError):
            yield from unread(answer, f"the role definition {role}", about)
        else:
            yield _named(role, str((answer.get("properties") or {}).get("roleName")), about)


def _named(role: UUID, name: str, about: str) -> Finding:
    if find_role(about) == role and about != str(role) and name not in role_names(role):
        return open_question(
            f"Azure calls {role} {name!r}; trustsmith knows it as {' or '.join(map(repr, role_names(role)))}. It may have "
            "been renamed once more, or it is another role.",
            about,
            next=f"az role definition list --name {role}\nIf it is the one you want, write its id: role: {role}",
        )
    return fine(f"Azure knows it as {name}.", about)


def operations(evidence: Evidence) -> Iterator[Finding]:
    """What the jobs of an environment do is permitted by the roles that the file gives it."""
    read = {role: answer for role, answer in evidence.azure.definitions.items() if isinstance(answer, dict)}
    for advice in assess(evidence.config, evidence.made.jobs, read):
        about, roles = advice.environment, granted([evidence.config.environment(advice.environment)])
        if advice.kind == "fine":
            yield fine(advice.why, about)
        elif advice.kind == "missing":
            yield bad(advice.why, about, next=advice.next)
        elif advice.kind == "unknown" and all(grant.role in read for grant in roles):
            # a definition that could not be read is a finding elsewhere
            yield open_question(advice.why, about, next=advice.next)


CHECKS = (
    Check("assign-roles", AZURE, assign),
    Check("role-definitions", AZURE, definitions),
    Check("roles-permit", AZURE, operations),
)
