"""Subscriptions, the resource provider, and the Foundry projects themselves. Pure; must not ask Azure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith.doctor.check import AZURE, Check, bad, fine, unread
from trustsmith.errors import NotFound, ServiceError, TrustsmithError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trustsmith.doctor.evidence import Evidence, Json
    from trustsmith.model.findings import Finding
    from trustsmith.model.foundry import ProjectId

PROVIDER = "Microsoft.CognitiveServices"
#: ARM's code for a token of another tenant than the subscription's.
_ELSEWHERE = "InvalidAuthenticationTokenTenant"
_OTHER_TENANT = (
    "Name a project of this tenant, or write the project's tenant in the file (`tenant`) and sign in there."
)


def subscriptions(evidence: Evidence) -> Iterator[Finding]:
    """Each project's subscription is visible and not disabled."""
    answer = evidence.azure.subscriptions
    if answer is None or isinstance(answer, TrustsmithError):
        yield from unread(answer, "your subscriptions")
        return
    for number in _numbers(evidence):
        found = _subscription(answer, number)
        if found is None and _is_elsewhere(evidence, number):
            continue
        if found is None:
            yield bad(
                f"The subscription is not visible in tenant {evidence.config.tenant}: it is in another tenant, or you have "
                "no role in it.",
                number,
                next=f"az account list --all --query \"[?id=='{number}'].tenantId\"\nor ask for Reader on it.",
            )
        elif str(found.get("state") or "Enabled") != "Enabled":
            yield bad(
                f"The subscription {found.get('displayName')} is {found['state']}: nothing in it can be changed.",
                number,
                next="Ask whoever pays for it.",
            )
        else:
            yield fine(f"{found.get('displayName')} is visible and enabled.", number)


def tenants(evidence: Evidence) -> Iterator[Finding]:
    """A project in another tenant cannot be reached by an application of this one."""
    answer = evidence.azure.subscriptions
    if answer is None or isinstance(answer, TrustsmithError):
        return
    for project in evidence.config.projects:
        there = evidence.azure.projects.get(project.key)
        if isinstance(there, ServiceError) and there.code == _ELSEWHERE:
            yield bad(
                f"The project's subscription is in another tenant than {evidence.config.tenant}, which the file names: an "
                "application of one tenant gets no role in the other.",
                project.short,
                next=_OTHER_TENANT,
                original=there.original,
            )
        tenant = str((_subscription(answer, project.subscription) or {}).get("tenantId") or "")
        if tenant and tenant.lower() != evidence.config.tenant.lower():
            yield bad(
                f"The project is in tenant {tenant}, and the file says {evidence.config.tenant}: an application of one "
                "tenant gets no role in the other.",
                project.short,
                next=_OTHER_TENANT,
            )
        elif tenant:
            yield fine("It is in the tenant that the file names.", project.short)


def providers(evidence: Evidence) -> Iterator[Finding]:
    """Foundry's resource provider is registered."""
    for number, answer in evidence.azure.providers.items():
        if isinstance(answer, TrustsmithError) or answer is None:
            if evidence.is_visible(f"/subscriptions/{number}"):
                yield from unread(answer, f"the resource provider {PROVIDER}", number)
        elif answer.get("registrationState") != "Registered":
            yield bad(
                f"The subscription does not have the resource provider {PROVIDER} registered "
                f"({answer.get('registrationState')}).",
                number,
                next=f"az provider register --namespace {PROVIDER} --subscription {number}",
            )
        else:
            yield fine(f"{PROVIDER} is registered.", number)


def projects(evidence: Evidence) -> Iterator[Finding]:
    """Each project is there."""
    for project in evidence.config.projects:
        answer = evidence.azure.projects.get(project.key)
        if answer is None or not evidence.is_visible(project.id):
            continue
        if isinstance(answer, NotFound):
            yield bad(
                f"There is no Foundry project {project.short}, or you may not see it.",
                project.short,
                next="Correct its id in the file; those that you see:\n"
                f"  az resource list --subscription {project.subscription} --resource-type {PROVIDER}/accounts/projects "
                "--query '[].id'",
            )
        elif isinstance(answer, TrustsmithError):
            yield from unread(answer, f"the project {project.short}", project.short)
        else:
            yield _state(project, answer)


def _state(project: ProjectId, answer: Json) -> Finding:
    properties = answer.get("properties") or {}
    state = properties.get("provisioningState") or "Succeeded"
    if state != "Succeeded":
        next_step = "Wait until it is there, or look at it in the Azure portal."
        return bad(f"The project is not ready: {state}.", project.short, next=next_step)
    if not properties.get("endpoints"):
        return bad(
            "ARM names no endpoint of the project, so that its jobs would not know where it answers.",
            project.short,
            next="Write the endpoint in the file (environments.….endpoint), as the Foundry portal shows it.",
        )
    return fine("The project is there.", project.short)


def _numbers(evidence: Evidence) -> list[str]:
    return sorted({project.subscription for project in evidence.config.projects})


def _subscription(answer: list[Json], number: str) -> Json | None:
    return next((s for s in answer if str(s["subscriptionId"]).lower() == number), None)


def _is_elsewhere(evidence: Evidence, number: str) -> bool:
    """Whether ARM says that the subscription is of another tenant, which is a finding of its own."""
    answers = [
        evidence.azure.projects.get(p.key) for p in evidence.config.projects if p.subscription == number
    ]
    return any(isinstance(answer, ServiceError) and answer.code == _ELSEWHERE for answer in answers)


CHECKS = (
    Check("subscriptions", AZURE, subscriptions),
    Check("project-tenant", AZURE, tenants),
    Check("resource-provider", AZURE, providers),
    Check("projects", AZURE, projects),
)
