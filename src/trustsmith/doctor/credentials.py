"""Applications: names that are taken, room for credentials, secrets, principals. Pure; must not ask Entra.

What the plan says of them is taken from the plan, so that doctor and apply never disagree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith.doctor.check import AZURE, ENTRA, GITHUB, Check, bad, fine, hazardous, hazards, unread
from trustsmith.doctor.repository import not_administrator
from trustsmith.errors import NotSignedIn, TrustsmithError
from trustsmith.model.observing import everywhere
from trustsmith.model.resource import Key
from trustsmith.model.resources import Application, ClientSecret, ServicePrincipal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trustsmith.doctor.evidence import Evidence
    from trustsmith.model.findings import Finding
    from trustsmith.model.resource import Side

#: Hazards that no word allows and that have a check of their own.
_ELSEWHERE = ("full=", "foreign-application=", "ambiguous-subject=")


def what_is_there(evidence: Evidence) -> Iterator[Finding]:
    """Each side could be looked at; otherwise nothing certain can be said of what is left to do there."""
    for side, error in evidence.made.failed.items():
        if not isinstance(error, NotSignedIn) and not _is_consequence(evidence, side):
            yield from unread(error, f"what is there at {side}", side)
    if evidence.made.plan is not None and not evidence.made.failed:
        yield fine("What is there could be looked at.")


def _is_consequence(evidence: Evidence, side: Side) -> bool:
    """Whether other checks say why a side could not be looked at: an invisible project, no administrator."""
    if side == "azure":
        unseen = isinstance(evidence.azure.subscriptions, TrustsmithError)
        return unseen or not all(evidence.is_there(project) for project in evidence.config.projects)
    answer = evidence.github.repository
    return side == "github" and isinstance(answer, dict) and not_administrator(answer) is not None


def names(evidence: Evidence) -> Iterator[Finding]:
    """No application of somebody else, alive or deleted, holds a name that ours will have."""
    yield from _of_entra(evidence, "foreign-application=", "The names of the applications are free, or ours.")


def room(evidence: Evidence) -> Iterator[Finding]:
    """An application takes 20 federated credentials: those that are there, and those that are wanted."""
    yield from _of_entra(evidence, "full=", "Each application has room for its federated credentials.")


def _of_entra(evidence: Evidence, prefix: str, otherwise: str) -> Iterator[Finding]:
    if "entra" not in evidence.made.failed:
        yield from hazards(evidence, prefix, otherwise)


def refusals(evidence: Evidence) -> Iterator[Finding]:
    """Nothing else that apply would refuse whatever is allowed."""
    for hazard in evidence.made.plan.hazards if evidence.made.plan else ():
        if not hazard.allowable and not hazard.id.startswith(_ELSEWHERE):
            yield hazardous(hazard)


def secrets(evidence: Evidence) -> Iterator[Finding]:
    """Whoever holds a client secret of our application is what it is, from anywhere, without GitHub."""
    live = evidence.made.live
    found = [resource for resource in live.values() if isinstance(resource, ClientSecret)]
    for secret in found:
        yield bad(
            f"{secret.title}: whoever has it can sign in from anywhere, without GitHub and its environments.",
            secret.identity,
            next=f"If nobody needs it, remove it:\n  trustsmith apply --allow remove={secret.key.name}",
        )
    if not found and any(isinstance(resource, Application) for resource in live.values()):
        yield fine("No application of ours has a client secret.")


def principals(evidence: Evidence) -> Iterator[Finding]:
    """A disabled service principal gets no token."""
    found = [resource for resource in evidence.made.live.values() if isinstance(resource, ServicePrincipal)]
    for principal in found:
        if not principal.enabled:
            yield bad(
                "The service principal is disabled: no job can sign in as it.",
                principal.identity,
                next=f"If that is not on purpose:\n  trustsmith apply --allow enable={principal.key.name}",
            )
    if found and all(principal.enabled for principal in found):
        yield fine("All service principals are enabled.")


def given(evidence: Evidence) -> Iterator[Finding]:
    """An application that the file names by client id is there, with a service principal in the tenant."""
    if "entra" in evidence.made.failed or evidence.made.plan is None:
        return
    for environment in everywhere(evidence.config):
        client = environment.client_id
        if not client:
            continue
        if Key(Application.kind, client) not in evidence.made.live:
            next_step = "Correct `client_id`, or leave it out to have trustsmith register an application."
            yield bad(
                f"The tenant has no application with client id {client}.", environment.name, next=next_step
            )
        elif Key(ServicePrincipal.kind, client) not in evidence.made.live:
            yield bad(
                f"The application {client} has no service principal in the tenant, and roles are assigned to that.",
                environment.name,
                next=f"az ad sp create --id {client}",
            )
        else:
            yield fine(f"The application {client} is there, with its service principal.", environment.name)


CHECKS = (
    Check("what-is-there", ENTRA | AZURE | GITHUB, what_is_there),
    Check("application-names", ENTRA, names),
    Check("credential-room", ENTRA, room),
    Check("given-applications", ENTRA, given),
    Check("client-secrets", ENTRA, secrets),
    Check("service-principals", ENTRA, principals),
    Check("refusals", ENTRA | AZURE | GITHUB, refusals),
)
