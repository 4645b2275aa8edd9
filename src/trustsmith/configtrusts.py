"""The configuration's `trusts`: workloads of other issuers in their own words, each value checked.

Must not read files or contact anything; what the words mean is in `model.issuers`. Sources of the limits are named
where they are used.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ruamel.yaml.nodes import Node, SequenceNode

from trustsmith import configvalues as values
from trustsmith.configkeys import TRUSTS, required
from trustsmith.configreader import Reader, Wrong, shown
from trustsmith.configtree import find
from trustsmith.errors import closest
from trustsmith.model.issuers import (
    GITLAB,
    PHASES,
    TERRAFORM_CLOUD,
    Aks,
    AzureDevOps,
    AzureDevOpsEntra,
    GitLab,
    TerraformCloud,
    Trust,
    credentials,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trustsmith.model.config import Config

CREDENTIALS = 20  # federated credentials an application: Entra, "Important considerations and restrictions"
_NO_TENANT = (
    "00000000-0000-0000-0000-000000000000"  # a wrong one is reported, and the rest is looked at all the same
)
LONGEST = 600  # characters of an issuer, a subject or an audience: Graph, "federatedIdentityCredential"
_LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"  # Kubernetes, "Object Names and IDs"
_LONGEST_LABEL, _LONGEST_SUBDOMAIN = 63, 253
#: What AKS's own issuers end in a slash on, says Microsoft Learn, "Create an OpenID Connect provider on AKS".
_AKS_HOST = re.compile(r"[a-z0-9-]+\.oic\.[a-z0-9-]*aks\.azure\.(com|us|cn)")


def read(reader: Reader, node: Node | None) -> tuple[Trust, ...]:
    """The list of trusts; those with a problem are reported and left out."""
    found = (_trust(reader, item) for item in reader.items(node, "trusts", allow_empty=True) or ())
    return tuple(trust for trust in found if trust is not None)


def _trust(reader: Reader, node: Node) -> Trust | None:
    entries = list(reader.named(node, "each of trusts"))
    known = f"Known kinds: {', '.join(TRUSTS)}."
    if len(entries) != 1:
        if entries:
            reader.report(node, f"Each of 'trusts' names one kind; this names {len(entries)}.", known)
        return None
    ((kind, key, value),) = entries
    if kind not in TRUSTS:
        reader.report(key, f"Unknown kind of trust {shown(kind)}.", closest(kind, TRUSTS) + known)
        return None
    before = len(reader.problems)
    fields = reader.mapping(value, kind, required(kind))
    if kind == "gitlab" and ("branch" in fields) == ("tag" in fields):
        reader.report(
            value, "A trust in GitLab names one branch or one tag.", "Write, for example, 'branch: main'."
        )
    found = _READERS[kind](_Fields(reader, fields))
    return found if len(reader.problems) == before else None


class _Fields:
    """The values of one trust's keys. A wrong one is reported, and then stands as "": the trust is not used."""

    def __init__(self, reader: Reader, nodes: Mapping[str, Node]) -> None:
        self._reader = reader
        self.nodes = nodes

    def text(self, key: str, parse: Callable[[str], str], default: str = "") -> str:
        return self._reader.value(self.nodes.get(key), key, parse) or default

    def optional(self, key: str, parse: Callable[[str], str]) -> str | None:
        return self._reader.value(self.nodes.get(key), key, parse)

    def audience(self) -> dict[str, Any]:
        found = self.optional("audience", values.audience)
        return {"audience": found} if found else {}

    def phases(self) -> tuple[Any, ...]:
        return self._reader.values(self.nodes.get("phases"), "phases", values.one_of(PHASES)) or PHASES


def _aks(fields: _Fields) -> Trust:
    return Aks(
        issuer=fields.text("issuer", _cluster_issuer),
        namespace=fields.text("namespace", _namespace),
        service_account=fields.text("service_account", _service_account),
        **fields.audience(),
    )


def _terraform_cloud(fields: _Fields) -> Trust:
    return TerraformCloud(
        organization=fields.text("organization", _word),
        project=fields.text("project", _words),
        workspace=fields.text("workspace", _word),
        host=fields.text("host", _host, TERRAFORM_CLOUD),
        phases=fields.phases(),
        **fields.audience(),
    )


def _azure_devops(fields: _Fields) -> Trust:
    return AzureDevOps(
        organization=fields.text("organization", _devops_organization),
        organization_id=fields.text("organization_id", _guid),
        project=fields.text("project", _devops_project),
        service_connection=fields.text("service_connection", _plain),
    )


def _azure_devops_entra(fields: _Fields) -> Trust:
    return AzureDevOpsEntra(
        organization_id=fields.text("organization_id", _guid),
        service_connection_id=fields.text("service_connection_id", _guid),
    )


def _gitlab(fields: _Fields) -> Trust:
    return GitLab(
        project=fields.text("project", _project_path),
        branch=fields.optional("branch", _ref),
        tag=fields.optional("tag", _ref),
        host=fields.text("host", _host, GITLAB),
        **fields.audience(),
    )


_READERS: dict[str, Callable[[_Fields], Trust]] = {
    "aks": _aks,
    "terraform_cloud": _terraform_cloud,
    "azure_devops": _azure_devops,
    "azure_devops_entra": _azure_devops_entra,
    "gitlab": _gitlab,
}


# -- all of them together --------------------------------------------------------------------------------------------


def check(reader: Reader, config: Config, environments: Node | None) -> None:
    """What concerns several trusts: lengths, the same one twice in an identity, credentials an application."""
    seen: dict[tuple[str, str, str], str] = {}
    counts: Counter[str] = Counter()
    for environment in config.environments:
        shared = config.identity.per == "repository"
        identity = environment.client_id or ("" if shared else environment.name)
        counts[identity] += 1  # the one for the environment's own jobs
        list_ = find(environments, (environment.name, "trusts"))[0]
        if not isinstance(list_, SequenceNode) or len(list_.value) != len(environment.trusts):
            continue  # none, or some that are left out since they are wrong
        for node, trust in zip(list_.value, environment.trusts, strict=True):
            _check_cloud(reader, node, trust, config.cloud)
            for issuer, subject, _ in credentials(trust, config.tenant or _NO_TENANT):
                counts[identity] += 1
                _check_once(reader, node, (identity, issuer, subject), environment.name, seen)
        if counts[identity] > CREDENTIALS:
            reader.report(
                list_,
                f"{counts[identity]} federated credentials for one identity; an application holds {CREDENTIALS}.",
                "Remove some, or give the environments identities of their own.",
            )


def _check_cloud(reader: Reader, node: Node, trust: Trust, cloud: str) -> None:
    if isinstance(trust, AzureDevOpsEntra) and cloud != "AzureCloud":
        reader.report(
            node,
            f"Entra's issuer for service connections is documented for the public cloud, not for {cloud}.",
            "Use azure_devops, with the issuer of Azure DevOps.",
        )


def _check_once(
    reader: Reader, node: Node, trust: tuple[str, str, str], name: str, seen: dict[tuple[str, str, str], str]
) -> None:
    _, issuer, subject = trust
    if max(len(issuer), len(subject)) > LONGEST:
        reader.report(
            node, f"Issuer or subject would be longer than the {LONGEST} characters that Entra takes."
        )
    if trust in seen:
        where = "" if seen[trust] == name else f", in environment {shown(seen[trust], 40)}"
        reader.report(
            node,
            f"{shown(subject, 200)} is trusted twice by one identity{where}.",
            "Keep one: Entra takes no second.",
        )
    seen.setdefault(trust, name)


# -- values ----------------------------------------------------------------------------------------------------------


def _plain(text: str) -> str:
    """A name without wildcards: a federated credential matches to the byte."""
    if "*" in text:
        raise Wrong(
            f"{shown(text)} has a wildcard, which federated credentials do not know.", "Write each name."
        )
    return text


def _matching(pattern: str, what: str, example: str) -> Callable[[str], str]:
    """A check that the whole text has a form."""

    def parse(text: str) -> str:
        if not re.fullmatch(pattern, _plain(text)):
            raise Wrong(f"{shown(text)} is not {what}.", f"For example: {example}")
        return text

    return parse


_guid = values.guid
_host = values.github_host
_word = _matching(r"[A-Za-z0-9_-]+", "a name of Terraform Cloud: letters, digits, '_' and '-'", "agents-dev")
_words = _matching(
    r"[A-Za-z0-9_ -]+",
    "a project of Terraform Cloud: letters, digits, blanks, '_' and '-'",
    "Default Project",
)
_devops_organization = _matching(
    r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?",
    "an organization of Azure DevOps: its name, not its address",
    "contoso",
)
# Microsoft Learn, "Naming restrictions and conventions" of Azure DevOps
_devops_project = _matching(
    r"""[^_.\\/:*?"'<>;#${},+=\[\]|][^\\/:*?"'<>;#${},+=\[\]|]{0,63}""",
    "a project's name in Azure DevOps",
    "Fabrikam Fiber",
)
_project_path = _matching(
    r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)+",
    "a project's path in GitLab: group/name",
    "contoso/agents",
)


def _cluster_issuer(text: str) -> str:
    """A cluster's issuer, kept as it is: Entra compares it to the byte."""
    try:
        url = urlsplit(_plain(text))
        good = url.scheme == "https" and bool(url.hostname) and not (url.username or url.password)
    except ValueError:
        good = False
    if not good or url.query or url.fragment or re.search(r"\s|[?#@]", text):
        raise Wrong(
            f"{shown(text)} is not an issuer: an https:// address without a user, a query or a fragment.",
            "Ask the cluster: az aks show --name CLUSTER --resource-group GROUP "
            "--query oidcIssuerProfile.issuerUrl -o tsv",
        )
    if _AKS_HOST.fullmatch(url.hostname or "") and not text.endswith("/"):
        raise Wrong(f"{shown(text)} lacks the slash at its end, which AKS's issuers have.", f"Write: {text}/")
    return text


def _namespace(text: str) -> str:
    return _kubernetes(text, _LABEL, _LONGEST_LABEL, "a namespace")


def _service_account(text: str) -> str:
    return _kubernetes(text, rf"{_LABEL}(\.{_LABEL})*", _LONGEST_SUBDOMAIN, "a service account")


def _kubernetes(text: str, pattern: str, longest: int, what: str) -> str:
    if len(text) > longest or not re.fullmatch(pattern, _plain(text)):
        hint = f"Lower-case letters, digits and hyphens, at most {longest} characters."
        raise Wrong(f"{shown(text)} cannot be the name of {what} in Kubernetes.", hint)
    return text


def _ref(text: str) -> str:
    """A branch or a tag by its name alone. Git allows none with `:`, `*`, `?` or `[`."""
    values.ref_pattern(_plain(text))
    if re.search(r"[?\[]", text):
        raise Wrong(f"{shown(text)} is a pattern; a federated credential takes one name.", "Write each name.")
    return text
