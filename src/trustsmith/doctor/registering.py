"""Whether whoever is signed in may register applications, and whether their owners exist. Pure; must not ask Entra.

Sources: Microsoft Learn, "Important considerations and restrictions for federated identity credentials" (who may
register) and "Microsoft Entra built-in roles" (template ids); Microsoft Graph permissions reference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trustsmith.doctor.check import ENTRA, Check, bad, fine, open_question, unread
from trustsmith.errors import NotFound, TrustsmithError
from trustsmith.model.observing import everywhere
from trustsmith.model.resource import Key
from trustsmith.model.resources import Application, GraphPermission

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from trustsmith.doctor.evidence import Evidence
    from trustsmith.model.findings import Finding

#: Graph permissions of an application that may register applications (Graph, "Create application").
MAY_REGISTER = frozenset(
    {"Application.ReadWrite.All", "Application.ReadWrite.OwnedBy", "Directory.ReadWrite.All"}
)
#: What an application needs besides to add owners (Graph, "Add owner").
_READS_DIRECTORY = frozenset({"Directory.Read.All", "Directory.ReadWrite.All"})
#: What a person's token must be consented to.
_DELEGATED = frozenset({"Application.ReadWrite.All", "Directory.ReadWrite.All", "Directory.AccessAsUser.All"})
#: Directory roles that may register applications whatever the tenant's switch says, by their template id.
REGISTRARS = {
    "62e90394-69f5-4237-9190-012177145e10": "Global Administrator",
    "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3": "Application Administrator",
    "158c047a-c907-4556-b7ef-446551a6b5f7": "Cloud Application Administrator",
    "cf1c38e5-3621-4004-a7cb-879624dced7c": "Application Developer",
    "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2": "Hybrid Identity Administrator",
}
#: Those that may change any application, and the Graph permissions that let an application do so.
_ADMINISTRATORS = frozenset(
    {
        "62e90394-69f5-4237-9190-012177145e10",
        "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
        "158c047a-c907-4556-b7ef-446551a6b5f7",
    }
)
#: Global Administrator and Privileged Role Administrator: they alone consent to application permissions on Graph
#: (Microsoft Learn, "Least privileged roles by task").
_CONSENTERS = frozenset({"62e90394-69f5-4237-9190-012177145e10", "e8611ab8-c189-46e8-94e1-60213ab1f814"})
_CHANGES_ALL = frozenset({"Application.ReadWrite.All", "Directory.ReadWrite.All"})
_LEAVE_IT = "or let somebody who may do that part:\n  trustsmith apply --only entra"
_ASK = (
    "Ask for Application Developer (if you are eligible, activate it: Entra admin center, Privileged Identity "
    f"Management, My roles), or for `client_id` of an application that somebody makes, {_LEAVE_IT}"
)


def register(evidence: Evidence) -> Iterator[Finding]:
    """An application needs a Graph permission; a person the tenant's consent, or a directory role."""
    claims = evidence.people.graph
    if claims is None or isinstance(claims, TrustsmithError):
        return
    if not _registers(evidence):
        yield fine("No application is left to register; the right is not needed now.")
    elif is_application(claims):
        yield from _as_application(claims)
    else:
        yield from _as_person(evidence, claims)


def _registers(evidence: Evidence) -> bool:
    """Whether an application, or its principal, is to be made. Without a plan it is."""
    plan = evidence.made.plan
    given = all(environment.client_id for environment in everywhere(evidence.config))
    if plan is None:
        return not given or not evidence.config.environments
    made = {"create", "restore"}
    return any(change.verb in made and isinstance(change.resource, Application) for change in plan.changes)


def is_application(claims: Mapping[str, Any]) -> bool:
    """Whether a token's claims are of an application and not of a person (`idtyp`, else a person has scopes)."""
    return claims.get("idtyp") == "app" or ("idtyp" not in claims and "scp" not in claims)


def _as_application(claims: Mapping[str, Any]) -> Iterator[Finding]:
    permissions, roles = sorted(MAY_REGISTER & set(claims.get("roles") or ())), _held(claims.get("wids"))
    if permissions:
        yield fine(f"The application that is signed in has the Graph permission {permissions[0]}.")
    elif roles:
        yield fine(f"The application that is signed in holds the directory role {roles[0]}.")
    else:
        yield bad(
            "The application that is signed in may not register applications.",
            next=f"Give it the Graph permission Application.ReadWrite.OwnedBy, {_LEAVE_IT}",
        )


def _as_person(evidence: Evidence, claims: Mapping[str, Any]) -> Iterator[Finding]:
    scopes = set(str(claims.get("scp") or "").split())
    if scopes and not scopes & _DELEGATED:
        yield bad(
            "The sign-in's token for Microsoft Graph is not for changing applications, whatever you may do yourself.",
            next="Sign in with Azure CLI, whose tokens are:\n  az login",
            original=f"scp: {' '.join(sorted(scopes))}",
        )
        return
    roles, policy = evidence.people.roles, evidence.people.policy
    listed = [] if roles is None or isinstance(roles, TrustsmithError) else roles
    held = _held([*(role.get("roleTemplateId") for role in listed), *(claims.get("wids") or ())])
    switch = (policy.get("defaultUserRolePermissions") or {}) if isinstance(policy, dict) else {}
    if held:
        yield fine(f"You hold the directory role {held[0]}.")
    elif switch.get("allowedToCreateApps"):
        yield fine("The tenant lets its users register applications.")
    elif isinstance(roles, TrustsmithError):
        yield from unread(roles, "your directory roles")
    elif isinstance(policy, TrustsmithError):
        yield from unread(policy, "the tenant's switch 'users can register applications'")
    elif "allowedToCreateApps" not in switch:
        yield open_question(
            "Entra does not show the tenant's switch 'users can register applications'.", next=_ASK
        )
    else:
        yield _shut_out()


def _shut_out() -> Finding:
    return bad(
        "The tenant does not let its users register applications, and you hold none of the directory roles "
        f"{', '.join(REGISTRARS.values())}.",
        next=_ASK,
    )


def _held(template_ids: Iterable[Any] | None) -> list[str]:
    return [REGISTRARS[str(role)] for role in template_ids or () if str(role) in REGISTRARS]


def changed(evidence: Evidence) -> dict[str, str]:
    """Identity → object id of each application that is there and that the plan changes, itself or what is on it."""
    plan, live = evidence.made.plan, evidence.made.live
    touched = [change.resource for change in plan.changes if change.side == "entra"] if plan else []
    touched = [resource for resource in touched if not isinstance(resource, GraphPermission)]
    names = {str(getattr(r, "identity", getattr(r, "unique_name", ""))) for r in touched}
    apps = {name: live.get(Key(Application.kind, name)) for name in sorted(names)}
    return {name: app.minted["object_id"] for name, app in apps.items() if app is not None}


def consents(claims: Mapping[str, Any], roles: Iterable[Mapping[str, Any]]) -> bool:
    """Whether whoever has these claims and directory roles may give an application permissions on Microsoft Graph."""
    if is_application(claims):
        return "AppRoleAssignment.ReadWrite.All" in (claims.get("roles") or ())
    held = {str(role.get("roleTemplateId")) for role in roles} | {str(r) for r in claims.get("wids") or ()}
    return bool(held & _CONSENTERS)


def administers(evidence: Evidence) -> bool:
    """Whether whoever is signed in may change any application, whoever owns it."""
    claims, roles = evidence.people.graph, evidence.people.roles
    if claims is None or isinstance(claims, TrustsmithError):
        return False
    listed = [] if roles is None or isinstance(roles, TrustsmithError) else roles
    held = {str(role.get("roleTemplateId")) for role in listed} | {str(r) for r in claims.get("wids") or ()}
    permissions = set(claims.get("roles") or ()) if is_application(claims) else set()
    return bool(held & _ADMINISTRATORS or permissions & _CHANGES_ALL)


def change(evidence: Evidence) -> Iterator[Finding]:
    """To change an application, or what it trusts, one owns it or administers all (Graph, "Update application")."""
    claims = evidence.people.graph
    if claims is None or isinstance(claims, TrustsmithError):
        return
    if evidence.made.plan is not None and not changed(evidence):
        yield fine("No application is left to change; the right is not needed now.")
    elif administers(evidence):
        yield fine("Whoever is signed in may change any application.")
    for identity, answer in evidence.people.owning.items():
        if isinstance(answer, TrustsmithError):
            yield from unread(answer, f"the owners of {identity}", identity)
        elif str(claims.get("oid")) in {str(owner.get("id")) for owner in answer or ()}:
            yield fine("Whoever is signed in owns it.", identity)
        else:
            yield bad(
                "The plan changes this application or what it trusts, and whoever is signed in neither owns it nor "
                "administers all applications.",
                identity,
                next="Ask one of its owners, or for Cloud Application Administrator (if you are eligible, activate it: "
                f"Entra admin center, Privileged Identity Management, My roles), {_LEAVE_IT}",
            )


def owners(evidence: Evidence) -> Iterator[Finding]:
    """The owners that the file names exist, and an application that is signed in may add them."""
    for name, answer in evidence.people.owners.items():
        if isinstance(answer, NotFound):
            next_step = "Correct `identity.owners` in the file: sign-in names, or object ids."
            yield bad(f"The tenant has no user {name!r}.", name, next=next_step)
        elif isinstance(answer, TrustsmithError):
            yield from unread(answer, f"the user {name}", name)
        else:
            yield fine("Exists in the tenant.", name)
    claims = evidence.people.graph
    if not _adds_owners(evidence) or claims is None or isinstance(claims, TrustsmithError):
        return
    if is_application(claims) and not _READS_DIRECTORY & set(claims.get("roles") or ()):
        yield bad(
            "The application that is signed in may not add owners to an application.",
            next=f"Give it the Graph permission Directory.Read.All, {_LEAVE_IT}",
        )


def _adds_owners(evidence: Evidence) -> bool:
    if evidence.made.plan is None:
        return bool(evidence.config.identity.owners)
    for change in evidence.made.plan.changes:
        before = change.before.owners if isinstance(change.before, Application) else frozenset()
        if isinstance(change.after, Application) and change.after.owners - before:
            return True
    return False


CHECKS = (
    Check("register-applications", ENTRA, register),
    Check("change-applications", ENTRA, change),
    Check("application-owners", ENTRA, owners),
)
