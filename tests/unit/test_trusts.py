"""Workloads of other issuers: formats against vectors by hand, and what is said about mistakes."""

from __future__ import annotations

import pytest

from tests.unit.test_configfile import SMALL, problems, with_dev
from trustsmith.configfile import load
from trustsmith.model.issuers import (
    Aks,
    AzureDevOps,
    AzureDevOpsEntra,
    GitLab,
    TerraformCloud,
    Trust,
    credentials,
)
from trustsmith.model.subject_parts import parts

TENANT = "ff882432-09b0-437b-bd22-ca13c0037ded"
AUDIENCE = "api://AzureADTokenExchange"
ORGANIZATION, CONNECTION = "0ca3ddd9-f0b0-4635-a98c-5866526961b6", "64171687-7a59-4fce-b2c8-823278dcf176"
CLUSTER = "https://westeurope.oic.prod-aks.azure.com/t/c/"
WORKSPACE = "organization:contoso:project:Default Project:workspace:dev:run_phase"
VECTORS: list[tuple[str, Trust, str, list[str], str]] = [
    (
        f"aks: {{issuer: {CLUSTER}, namespace: agents, service_account: deployer.v1}}",
        Aks(issuer=CLUSTER, namespace="agents", service_account="deployer.v1"),
        CLUSTER,
        ["system:serviceaccount:agents:deployer.v1"],
        AUDIENCE,
    ),
    (
        "aks: {issuer: 'https://OIDC.contoso.com/Cluster', namespace: a, service_account: b, audience: other}",
        Aks(issuer="https://OIDC.contoso.com/Cluster", namespace="a", service_account="b", audience="other"),
        "https://OIDC.contoso.com/Cluster",
        ["system:serviceaccount:a:b"],
        "other",
    ),
    (
        "terraform_cloud: {organization: contoso, project: Default Project, workspace: dev}",
        TerraformCloud(organization="contoso", project="Default Project", workspace="dev"),
        "https://app.terraform.io",
        [f"{WORKSPACE}:plan", f"{WORKSPACE}:apply"],
        AUDIENCE,
    ),
    (
        "terraform_cloud: {organization: contoso, project: Default Project, workspace: dev, host: tfe.contoso.com, phases: [apply]}",
        TerraformCloud(
            organization="contoso",
            project="Default Project",
            workspace="dev",
            host="tfe.contoso.com",
            phases=("apply",),
        ),
        "https://tfe.contoso.com",
        [f"{WORKSPACE}:apply"],
        AUDIENCE,
    ),
    (
        f"azure_devops: {{organization: contoso, organization_id: {ORGANIZATION.upper()}, project: Fabrikam Fiber, service_connection: To Azure}}",
        AzureDevOps(
            organization="contoso",
            organization_id=ORGANIZATION,
            project="Fabrikam Fiber",
            service_connection="To Azure",
        ),
        f"https://vstoken.dev.azure.com/{ORGANIZATION}",
        ["sc://contoso/Fabrikam Fiber/To Azure"],
        AUDIENCE,
    ),
    (
        f"azure_devops_entra: {{organization_id: {ORGANIZATION}, service_connection_id: {CONNECTION}}}",
        AzureDevOpsEntra(organization_id=ORGANIZATION, service_connection_id=CONNECTION),
        f"https://login.microsoftonline.com/{TENANT}/v2.0",
        [f"/eid1/c/pub/t/MiSI_7AJe0O9IsoTwAN97Q/a/rISbSSETf0KqFyZ8ppdXmA/sc/{ORGANIZATION}/{CONNECTION}"],
        AUDIENCE,
    ),
    (
        "gitlab: {project: contoso/sub/agents, branch: release/v1}",
        GitLab(project="contoso/sub/agents", branch="release/v1"),
        "https://gitlab.com",
        ["project_path:contoso/sub/agents:ref_type:branch:ref:release/v1"],
        AUDIENCE,
    ),
    (
        "gitlab: {project: contoso/agents, tag: v1, host: git.contoso.com, audience: 'https://git.contoso.com'}",
        GitLab(
            project="contoso/agents", tag="v1", host="git.contoso.com", audience="https://git.contoso.com"
        ),
        "https://git.contoso.com",
        ["project_path:contoso/agents:ref_type:tag:ref:v1"],
        "https://git.contoso.com",
    ),
]


@pytest.mark.parametrize(("line", "trust", "issuer", "subjects", "audience"), VECTORS)
def test_words_become_credentials(
    line: str, trust: Trust, issuer: str, subjects: list[str], audience: str
) -> None:
    (environment,) = load(with_dev(f"trusts:\n  - {line}"), "f.yml").config.environments
    assert environment.trusts == (trust,)
    assert credentials(trust, TENANT) == tuple((issuer, subject, audience) for subject in subjects)
    assert all(parts(subject).form for subject in subjects)


@pytest.mark.parametrize(
    ("tenant", "subject"),
    [  # as published in public repositories
        ("7f4f3591-5f6c-4f7b-a1bd-0a2dd8831218", "kTVPf2xfe0-hvQot2IMSGA"),
        ("66946bae-c7f1-4099-b768-6ec1ac684280", "rmuUZvHHmUC3aG7BrGhCgA"),
        ("244a3dcc-ae95-4959-a5ea-4b91a7c7e291", "zD1KJJWuWUml6kuRp8fikQ"),
    ],
)
def test_a_tenant_within_a_subject(tenant: str, subject: str) -> None:
    trust = AzureDevOpsEntra(organization_id=ORGANIZATION, service_connection_id=CONNECTION)
    assert credentials(trust, tenant)[0][1].split("/")[5] == subject


@pytest.mark.parametrize(
    ("trusts", "words"),
    [
        ("aks", "7:13: 'trusts' must be a list, not text."),
        ("[aks]", "7:14: Each of trusts must be a mapping"),
        ("[{}]", ""),
        (
            "[{gitlab: {project: a/b, branch: m}, aks: {}}]",
            "7:14: Each of 'trusts' names one kind; this names 2.",
        ),
        ("[{github: {}}]", "7:15: Unknown kind of trust 'github'. -> Did you mean 'gitlab'?"),
        ("[{aks: {}}]", "'issuer' is missing in aks."),
        ("[{aks: {subject: x}}]", "Unknown key 'subject'."),
        ("[{aks: {issuer: 'http://a/', namespace: a, service_account: b}}]", "'http://a/' is not an issuer"),
        ("[{aks: {issuer: 'https://u:p@a/', namespace: a, service_account: b}}]", "is not an issuer"),
        ("[{aks: {issuer: 'https://a/ b', namespace: a, service_account: b}}]", "is not an issuer"),
        ("[{aks: {issuer: 'https://[', namespace: a, service_account: b}}]", "is not an issuer"),
        (
            "[{aks: {issuer: 'https://eastus.oic.prod-aks.azure.com/t/c', namespace: a, service_account: b}}]",
            "7:29: 'https://eastus.oic.prod-aks.azure.com/t/c' lacks the slash at its end",
        ),
        (
            "[{aks: {issuer: 'https://a/', namespace: A, service_account: b}}]",
            "'A' cannot be the name of a namespace",
        ),
        ("[{aks: {issuer: 'https://a/', namespace: '*', service_account: b}}]", "has a wildcard"),
        (
            f"[{{aks: {{issuer: 'https://a/', namespace: {'a' * 64}, service_account: b}}}}]",
            "at most 63 characters",
        ),
        (
            "[{aks: {issuer: 'https://a/', namespace: a, service_account: 'b:c'}}]",
            "cannot be the name of a service account",
        ),
        (
            "[{terraform_cloud: {organization: 'a:b', project: p, workspace: w}}]",
            "is not a name of Terraform Cloud",
        ),
        ("[{terraform_cloud: {organization: a, project: p, workspace: '*'}}]", "has a wildcard"),
        (
            "[{terraform_cloud: {organization: a, project: p, workspace: w, phases: [destroy]}}]",
            "'destroy' is not one of",
        ),
        (
            "[{terraform_cloud: {organization: a, project: p, workspace: w, phases: []}}]",
            "'phases' is an empty list",
        ),
        (
            "[{terraform_cloud: {organization: a, project: p, workspace: w, host: 'https://x'}}]",
            "is not a host name",
        ),
        (
            f"[{{azure_devops: {{organization: 'https://dev.azure.com/a', organization_id: {ORGANIZATION}, project: p, service_connection: s}}}}]",
            "its name, not its address",
        ),
        (
            "[{azure_devops_entra: {organization_id: x, service_connection_id: y}}]",
            "'x' is not an id: a GUID.",
        ),
        ("[{gitlab: {project: agents, branch: main}}]", "'agents' is not a project's path"),
        ("[{gitlab: {project: a/b}}]", "7:23: A trust in GitLab names one branch or one tag."),
        ("[{gitlab: {project: a/b, branch: m, tag: v}}]", "names one branch or one tag"),
        ("[{gitlab: {project: a/b, branch: 'release/*'}}]", "has a wildcard"),
        ("[{gitlab: {project: a/b, branch: 'v[12]'}}]", "is a pattern"),
        ("[{gitlab: {project: a/b, branch: refs/heads/main}}]", "is a full ref"),
        ("[{gitlab: {project: a/b, branch: 'a:b'}}]", "Git allows no such name"),
        ("[{gitlab: {project: a/b, branch: ' m'}}]", "nor start or end with a space"),
        ("[{gitlab: {project: a/b, branch: m, audience: 'a b'}}]", "cannot be an audience"),
        (
            "[{gitlab: {project: a/b, branch: m}}, {gitlab: {project: a/b, branch: m}}]",
            "7:51: 'project_path:a/b:ref_type:branch:ref:m' is trusted twice",
        ),
        (f"[{{gitlab: {{project: a/b, branch: {'m' * 600}}}}}]", "longer than the 600 characters"),
    ],
)
def test_mistakes_are_told(trusts: str, words: str) -> None:
    text = with_dev(f"trusts: {trusts}")
    if words:
        assert words in "\n".join(problems(text))
    else:
        assert load(text, "f.yml").config.environments[0].trusts == ()


def branches(count: int) -> str:
    return "".join(f"\n  - gitlab: {{project: a/b, branch: b{n}}}" for n in range(count))


def test_an_application_holds_twenty_credentials() -> None:
    load(with_dev(f"trusts:{branches(19)}"), "f.yml")
    (told,) = problems(with_dev(f"trusts:{branches(20)}"))
    assert "21 federated credentials for one identity; an application holds 20." in told


def test_what_shares_an_identity_is_counted_together() -> None:
    first = with_dev(f"trusts:{branches(10)}")
    second = first.partition("  dev:\n")[2].replace("branch: b", "branch: c")
    both = f"{first}  prod:\n{second}"
    load(both, "f.yml")
    (told,) = problems(f"{both}identity: {{per: repository}}\n")
    assert "22 federated credentials" in told
    same = f"{with_dev('trusts:' + branches(1))}  prod:\n{with_dev('trusts:' + branches(1)).partition('  dev:' + chr(10))[2]}"
    load(same, "f.yml")
    (told,) = problems(f"{same}identity: {{per: repository}}\n")
    assert "is trusted twice by one identity, in environment 'dev'" in told


def test_entras_issuer_is_for_the_public_cloud() -> None:
    line = f"trusts: [{{azure_devops_entra: {{organization_id: {ORGANIZATION}, service_connection_id: {CONNECTION}}}}}]"
    (told,) = problems(f"{with_dev(line)}cloud: AzureUSGovernment\n")
    assert "documented for the public cloud" in told


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("enterprise: contoso", ""),
        ("enterprise: contoso\ngithub: contoso.ghe.com", ""),
        (
            "enterprise: other\ngithub: contoso.ghe.com",
            "7:13: On contoso.ghe.com the issuer ends in the subdomain. -> Write: enterprise: contoso",
        ),
        (
            "enterprise: contoso\ngithub: github.contoso.com",
            "An enterprise server's issuer has no enterprise's name.",
        ),
        (
            "enterprise: https://github.com/enterprises/contoso",
            "is not an enterprise's slug. -> Write: enterprise: contoso",
        ),
        ("audience: api://other", ""),
        ("audience: a b", "'a b' cannot be an audience"),
        (f"audience: {'a' * 601}", "at most 600 characters"),
    ],
)
def test_enterprise_and_audience(lines: str, words: str) -> None:
    text = f"{SMALL}{lines}\n"
    if words:
        assert words in "\n".join(problems(text))
    else:
        config = load(text, "f.yml").config
        assert config.enterprise == "contoso" or config.audience == "api://other"
