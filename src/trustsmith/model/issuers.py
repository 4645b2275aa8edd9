"""Workloads outside GitHub that may sign in as an environment's identity: what their tokens' issuer and subject are.

Frozen values and pure functions; what a value may be is checked where the configuration is read. Sources:

* AKS: Microsoft Learn, "Deploy and configure an AKS cluster with workload identity" (issuer with a slash at its end,
  subject `system:serviceaccount:NAMESPACE:NAME`).
* Terraform Cloud: HashiCorp, "Use dynamic credentials with the Azure provider" and "Workload identity tokens".
* Azure DevOps: Microsoft Learn, "Set an Azure Resource Manager workload identity service connection" and
  "Troubleshoot an Azure Resource Manager workload identity service connection". Of the subject with Entra's issuer it
  documents the end, `/sc/ORGANIZATION_ID/CONNECTION_ID`; the beginning (tenant and Azure DevOps itself, as base64url of
  the GUID's bytes) is as Microsoft documents it for other services, and as every published service connection has it.
* GitLab: GitLab Docs, "Configure OpenID Connect in Azure" and "ID token authentication".
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What all of these systems ask for, or are told to ask for, unless the file says otherwise.
AUDIENCE = "api://AzureADTokenExchange"
TERRAFORM_CLOUD = "app.terraform.io"
GITLAB = "gitlab.com"
Phase = Literal["plan", "apply"]
PHASES: tuple[Phase, ...] = ("plan", "apply")
#: Azure DevOps, as an application of Entra.
_AZURE_DEVOPS = UUID("499b84ac-1321-427f-aa17-267ca6975798")


@dataclass(frozen=True, kw_only=True)
class Aks:
    """A Kubernetes service account. issuer: the cluster's, byte for byte."""

    kind: ClassVar[str] = "aks"
    issuer: str
    namespace: str
    service_account: str
    audience: str = AUDIENCE


@dataclass(frozen=True, kw_only=True)
class TerraformCloud:
    """A workspace of HCP Terraform, or of Terraform Enterprise on `host`. Each run phase has a subject of its own."""

    kind: ClassVar[str] = "terraform_cloud"
    organization: str
    project: str
    workspace: str
    host: str = TERRAFORM_CLOUD
    phases: tuple[Phase, ...] = PHASES
    audience: str = AUDIENCE


@dataclass(frozen=True, kw_only=True)
class AzureDevOps:
    """A service connection with the issuer of Azure DevOps, which Microsoft retires in July 2027."""

    kind: ClassVar[str] = "azure_devops"
    organization: str
    organization_id: str
    project: str
    service_connection: str


@dataclass(frozen=True, kw_only=True)
class AzureDevOpsEntra:
    """A service connection with Entra's issuer, as new ones have it in the public cloud."""

    kind: ClassVar[str] = "azure_devops_entra"
    organization_id: str
    service_connection_id: str


@dataclass(frozen=True, kw_only=True)
class GitLab:
    """The jobs of a GitLab project on one branch, or for one tag: exactly one of the two is given."""

    kind: ClassVar[str] = "gitlab"
    project: str
    branch: str | None = None
    tag: str | None = None
    host: str = GITLAB
    audience: str = AUDIENCE


Trust = Aks | TerraformCloud | AzureDevOps | AzureDevOpsEntra | GitLab


def credentials(trust: Trust, tenant: str) -> tuple[tuple[str, str, str], ...]:
    """Issuer, subject and audience of each federated credential that a trust means. tenant: of the identity, a GUID."""
    match trust:
        case AzureDevOps() | AzureDevOpsEntra():
            audience = AUDIENCE
        case _:
            audience = trust.audience
    issuer = _issuer(trust, tenant)
    return tuple((issuer, subject, audience) for subject in _subjects(trust, tenant))


def _issuer(trust: Trust, tenant: str) -> str:
    match trust:
        case Aks():
            return trust.issuer
        case TerraformCloud() | GitLab():
            return f"https://{trust.host}"
        case AzureDevOps():
            return f"https://vstoken.dev.azure.com/{trust.organization_id}"
        case AzureDevOpsEntra():
            return f"https://login.microsoftonline.com/{tenant}/v2.0"


def _subjects(trust: Trust, tenant: str) -> Iterator[str]:
    match trust:
        case Aks():
            yield f"system:serviceaccount:{trust.namespace}:{trust.service_account}"
        case TerraformCloud():
            workspace = (
                f"organization:{trust.organization}:project:{trust.project}:workspace:{trust.workspace}"
            )
            yield from (f"{workspace}:run_phase:{phase}" for phase in trust.phases)
        case AzureDevOps():
            yield f"sc://{trust.organization}/{trust.project}/{trust.service_connection}"
        case AzureDevOpsEntra():
            prefix = f"/eid1/c/pub/t/{_short(UUID(tenant))}/a/{_short(_AZURE_DEVOPS)}"
            yield f"{prefix}/sc/{trust.organization_id}/{trust.service_connection_id}"
        case GitLab():
            kind, ref = ("branch", trust.branch) if trust.branch else ("tag", trust.tag)
            yield f"project_path:{trust.project}:ref_type:{kind}:ref:{ref}"


def _short(guid: UUID) -> str:
    """A GUID as Entra writes it within subjects: base64url of its bytes in Microsoft's order, without padding."""
    return base64.urlsafe_b64encode(guid.bytes_le).rstrip(b"=").decode()
