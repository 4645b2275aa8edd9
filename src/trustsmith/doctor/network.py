"""Who may reach a Foundry account over the network, and what its name means from here. Pure; must not look names up.

Source: Microsoft Learn, "Configure network isolation for Microsoft Foundry"; ARM, Microsoft.CognitiveServices accounts
(publicNetworkAccess, networkAcls, privateEndpointConnections).
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from trustsmith.doctor.check import AZURE, Check, bad, fine, unread
from trustsmith.errors import NotFound, TrustsmithError
from trustsmith.model.foundry import endpoint_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trustsmith.doctor.evidence import Evidence, Json
    from trustsmith.model.findings import Finding
    from trustsmith.model.foundry import ProjectId

_RUNNER = (
    "The generated jobs run on GitHub's hosted runners, on public addresses. Use runners inside the network (self-hosted, "
    "or larger runners with a virtual network), or open the account:\n  az resource update --ids {account} --set {setting}"
)


def access(evidence: Evidence) -> Iterator[Finding]:
    """Hosted runners can reach the account."""
    for account, project in _accounts(evidence).items():
        answer = evidence.azure.accounts.get(account)
        about = project.account
        if isinstance(answer, NotFound) or answer is None or not evidence.is_visible(account):
            continue
        if isinstance(answer, TrustsmithError):
            yield from unread(answer, f"the account {about}", about)
            continue
        properties = answer.get("properties") or {}
        private = len(properties.get("privateEndpointConnections") or ())
        if str(properties.get("publicNetworkAccess") or "Enabled").lower() == "disabled":
            ways = (
                f"only its {private} private endpoint(s) let anybody in"
                if private
                else "and it has no private endpoint"
            )
            yield bad(
                f"Public network access is off, {ways}: a hosted runner gets 403, whatever its roles. "
                + _here(evidence, project),
                about,
                next=_RUNNER.format(
                    account=project.account_scope, setting="properties.publicNetworkAccess=Enabled"
                ),
            )
        elif str((properties.get("networkAcls") or {}).get("defaultAction") or "Allow").lower() == "deny":
            yield bad(
                f"Only selected networks are let in ({_selected(properties['networkAcls'])}): a hosted runner gets 403, "
                f"whatever its roles. {_here(evidence, project)}",
                about,
                next=_RUNNER.format(
                    account=project.account_scope, setting="properties.networkAcls.defaultAction=Allow"
                ),
            )
        else:
            yield fine(_open(properties, private), about)


def _open(properties: Json, private: int) -> str:
    text = "Public network access is on"
    text += f", besides {private} private endpoint(s)." if private else "."
    if properties.get("disableLocalAuth") is False:
        text += " Its keys are on, too: whoever has one needs no role."
    return text


def _selected(rules: Any) -> str:
    addresses, networks = len(rules.get("ipRules") or ()), len(rules.get("virtualNetworkRules") or ())
    return f"{addresses} address ranges, {networks} virtual networks"


def _here(evidence: Evidence, project: ProjectId) -> str:
    """What the name means from here, which is a hint only: the runner has its own resolver."""
    host = endpoint_host(evidence.azure.projects.get(project.key))
    found = evidence.azure.addresses.get(host or "")
    if not host or found is None:
        return ""
    if not found:
        return f"From here, {host} does not resolve; what counts is what the runner sees."
    kind = "private" if are_private(found) else "public"
    return f"From here, {host} is the {kind} {', '.join(found)}; what counts is what the runner sees."


def resolution(evidence: Evidence) -> Iterator[Finding]:
    """The name of each project's endpoint exists."""
    for project in evidence.config.projects:
        host = endpoint_host(evidence.azure.projects.get(project.key))
        found = evidence.azure.addresses.get(host or "")
        if not host or found is None:
            continue
        if found:
            private = " (private)" if are_private(found) else ""
            yield fine(f"{host} is {', '.join(found)}{private} from here.", project.short)
        else:
            yield bad(
                f"{host} does not resolve from here.",
                project.short,
                next=f"nslookup {host}\nA private DNS zone without this name would hide it, here and from runners beside you.",
            )


def endpoint_host(answer: Json | TrustsmithError | None) -> str | None:
    """The host at which a project answers, as ARM says."""
    return urlsplit(endpoint_of(answer) or "").hostname


def _accounts(evidence: Evidence) -> dict[str, ProjectId]:
    return {project.account_scope.lower(): project for project in evidence.config.projects}


def are_private(addresses: Iterable[str]) -> bool:
    """Whether all are addresses of a private network; this machine itself is none, nor is what is no address."""
    try:
        found = [ip_address(address.partition("%")[0]) for address in addresses]
    except ValueError:
        return False
    return all(address.is_private and not address.is_loopback for address in found)


CHECKS = (Check("network-access", AZURE, access), Check("name-resolution", AZURE, resolution))
