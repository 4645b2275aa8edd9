"""What about a plan is dangerous. Pure; when a danger cannot be ruled out, it is there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trustsmith.model.environments import (
    EnvironmentMark,
    EnvironmentSecret,
    EnvironmentVariable,
    GitHubEnvironment,
    SubjectSetting,
)
from trustsmith.model.foundry import READER, ProjectId, is_account, role_name, role_slug
from trustsmith.model.plan import Change, Hazard, Plan
from trustsmith.model.resource import Key, Later, Resource
from trustsmith.model.resources import (
    Application,
    ClientSecret,
    FederatedCredential,
    GraphPermission,
    RoleAssignment,
    ServicePrincipal,
    WorkflowFile,
)
from trustsmith.model.subject import names_repository

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from uuid import UUID

    from trustsmith.model.state import State

#: Federated credentials on one application (Microsoft Learn, "Important considerations and restrictions").
MOST_CREDENTIALS = 20
_LOSING = {"conflict", "overwritten"}


def judge(plan: Plan, live: State, allow: Collection[str] = ()) -> Plan:
    """The plan with its hazards, those in `allow` (`HAZARD=NAME`) marked as allowed, and named strays taken in."""
    removed = tuple(stray for stray in plan.strays if f"remove={stray.key.name}" in allow)
    plan = replace(
        plan,
        changes=(*plan.changes, *removed),
        strays=tuple(stray for stray in plan.strays if stray not in removed),
    )
    each = [hazard for change in plan.changes for hazard in _of(change, live)]
    found = dict.fromkeys(
        [
            *each,
            *_full(plan, live),
            *_locked_out(plan, live),
            *_ambiguous(plan, live),
            *_held_by_secret(plan),
            *_opting_in(plan),
            *_shared(plan),
            *_reading_the_tenant(plan),
        ]
    )
    hazards = [replace(h, allowed=h.allowable and h.id in allow) for h in found]
    known = {hazard.id for hazard in found} | {f"remove={stray.key.name}" for stray in removed}
    idle = sorted(set(allow) - known)
    notes = tuple(f"--allow {word} matches nothing in this plan." for word in idle)
    return replace(plan, hazards=tuple(hazards), notes=(*plan.notes, *notes))


def _of(change: Change, live: State) -> Iterator[Hazard]:
    if change.implied:
        return
    before, after, name = change.before, change.after, change.key.name
    match change.verb, change.resource:
        case "delete", Application():
            yield Hazard(f"delete-application={name}", _application_why(change, live))
        case "delete", GitHubEnvironment():
            yield Hazard(
                f"delete-environment={name}", f"Environment {name} goes, with its rules and its history."
            )
        case (
            "update",
            EnvironmentMark() | EnvironmentSecret() | EnvironmentVariable(),
        ) if before and not before.owned:
            why = "It holds a value that trustsmith did not write; a running deployment may use it."
            yield Hazard(f"overwrite={name}", why)
        case "update", WorkflowFile() if before and _loses(before):
            yield Hazard(
                f"overwrite={name}",
                f"{change.why[:1].upper()}{change.why[1:]}. What others wrote into it would be lost; "
                "trustsmith render --check shows the difference, and how to keep it.",
            )
        case "update", ServicePrincipal(enabled=True) if getattr(before, "enabled", True) is False:
            yield Hazard(f"enable={name}", "Somebody disabled this service principal; perhaps on purpose.")
        case "update", Application() if before and not before.owned:
            yield _foreign(name, deleted=False)
        case "create", Application() if (held := live.deleted.get(change.key)) and not held.owned:
            yield _foreign(name, deleted=True)
        case "create", RoleAssignment(identity=who, role=role, scope=scope) if _is_wide(role, scope):
            because = getattr(after, "because", "")
            what = f"{role_name(role)} at {scope} for {who}"
            yield Hazard(
                f"grant={role_slug(role)}@{scope}#{who}",
                f"{what} reaches beyond one Foundry project. The file's reason: {because}",
            )


def _is_wide(role: UUID, scope: str) -> bool:
    """Whether a grant reaches beyond one Foundry project. To read the account that the project is in is harmless."""
    harmless = role == READER.guid and is_account(scope)
    return ProjectId.parse(scope) is None and not harmless


def _loses(before: Resource) -> bool:
    """Whether a file's new text does not hold what others wrote into the one that is there."""
    fate = getattr(before, "fate", None)
    return fate.outcome in _LOSING if fate else not before.owned


def _application_why(change: Change, live: State) -> str:
    name = change.key.name
    credentials = [r for r in live.values() if isinstance(r, FederatedCredential) and r.identity == name]
    subjects = ", ".join(c.subject for c in credentials) or "nothing"
    return f"The application goes, with its service principal and its trust in {subjects}. Entra keeps it 30 days."


def _foreign(name: str, *, deleted: bool) -> Hazard:
    where = "A deleted application" if deleted else "An application"
    purge = "Purge it, if it is nobody's:" if deleted else "Give its uniqueName up, or delete and purge it:"
    return Hazard(
        f"foreign-application={name}",
        f"{where} that trustsmith did not make holds the name {name}, which Entra gives out only once.",
        hint=f"{purge}\n  az rest --url 'https://graph.microsoft.com/v1.0/applications(uniqueName=''{name}'')'\n"
        "or name an application of your own with `client_id` in the file.",
        allowable=False,
    )


def _full(plan: Plan, live: State) -> Iterator[Hazard]:
    """An application takes 20 credentials; the twenty-first would fail half-way. Deletions come last, so count first."""
    new = [
        c.resource for c in plan.changes if c.verb == "create" and isinstance(c.resource, FederatedCredential)
    ]
    for identity in sorted({credential.identity for credential in new}):
        there = int(live.known(Later(Key(Application.kind, identity), "credentials")) or 0)
        wanted = sum(credential.identity == identity for credential in new)
        if there + wanted > MOST_CREDENTIALS:
            app = live.get(Key(Application.kind, identity))
            client = app.minted["client_id"] if app else identity
            yield Hazard(
                f"full={identity}",
                f"The application has {there} federated credentials and {wanted} more are wanted; "
                f"Entra allows {MOST_CREDENTIALS}.",
                hint="Remove credentials that nobody uses:\n"
                f"  az ad app federated-credential list --id {client}\n"
                "or use one identity per environment (identity.per: environment).",
                allowable=False,
            )


def _locked_out(plan: Plan, live: State) -> Iterator[Hazard]:
    """Deleting the last credential of an identity that stays."""
    touched = [c for c in plan.changes if isinstance(c.resource, FederatedCredential)]
    for identity in sorted({getattr(c.resource, "identity", "") for c in touched if c.verb == "delete"}):
        there = {k for k, r in live.items() if isinstance(r, FederatedCredential) and r.identity == identity}
        ours = [c for c in touched if getattr(c.resource, "identity", "") == identity]
        left = there - {c.key for c in ours if c.verb == "delete"} | {
            c.key for c in ours if c.verb != "delete"
        }
        if not left:
            why = "This is the last federated credential of the identity: nothing could sign in with it any more."
            yield Hazard(f"last-credential={identity}", why)


def _ambiguous(plan: Plan, live: State) -> Iterator[Hazard]:
    """A protected environment whose subject a job in another, unprotected one would have, too."""
    rules = {r.key: r for r in live.values()} | {c.key: c.after for c in plan.changes if c.after}
    for change in plan.changes:
        credential = change.after
        if not isinstance(credential, FederatedCredential) or ":" not in credential.environment:
            continue
        environment = rules.get(Key(GitHubEnvironment.kind, credential.environment))
        if isinstance(environment, GitHubEnvironment) and environment.protected:
            twin = credential.environment.replace(":", "%3A")
            yield Hazard(
                f"ambiguous-subject={credential.environment}",
                f"GitHub writes : as %3A in a subject, so a job in an environment that is named {twin} has the same one. "
                "Whoever can push may name that environment, and GitHub makes it without protection.",
                hint="Give the environment a name without a colon.",
            )


def _held_by_secret(plan: Plan) -> Iterator[Hazard]:
    """An application that gets more rights or trust while somebody holds a client secret of it."""
    gaining = {
        change.resource.identity
        for change in plan.changes
        if change.verb == "create" and isinstance(change.resource, FederatedCredential | RoleAssignment)
    }
    for identity in sorted(
        {s.resource.identity for s in plan.strays if isinstance(s.resource, ClientSecret)} & gaining
    ):
        yield Hazard(
            f"client-secret={identity}",
            "The application has a client secret that trustsmith did not make: whoever holds it gets what is granted now.",
        )


def _shared(plan: Plan) -> Iterator[Hazard]:
    """New trust in a subject that names the owner and no repository: all of the owner's repositories can have it."""
    for change in plan.changes:
        credential = change.resource
        if change.verb != "create" or not isinstance(credential, FederatedCredential) or not credential.jobs:
            continue
        if not names_repository(credential.subject):
            yield Hazard(
                f"shared-subject={credential.environment}",
                f"The subject {credential.subject} names no repository: a job in an environment of that name in any other "
                "repository of the same owner has it, too, and that environment need not be protected.",
                hint="Put repo or repository_id into the subject template.",
            )


def _reading_the_tenant(plan: Plan) -> Iterator[Hazard]:
    """An identity that may do something in the whole tenant, without a person."""
    for change in plan.changes:
        permission = change.resource
        if change.verb == "create" and isinstance(permission, GraphPermission):
            yield Hazard(
                f"graph-permission={permission.identity}",
                f"{permission.permission} is for the whole tenant: it reads every application, what that trusts and who owns "
                "it.",
            )


def _opting_in(plan: Plan) -> Iterator[Hazard]:
    """Other subjects for all that the repository's tokens are used for, and not only for what is in the file."""
    for change in plan.changes:
        if isinstance(change.resource, SubjectSetting):
            yield Hazard(
                f"immutable-subjects={change.key.name}",
                "From now on all tokens of this repository carry ids in their subject, also for whatever else trusts them: "
                "other applications, other clouds. There is no known way back.",
            )
