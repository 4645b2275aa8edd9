"""Subjects taken apart and compared: vectors by hand, from GitHub's and the other issuers' documentation."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trustsmith.model.subject_parts import compare, difference, nearest, parts

LEGACY = "repo:contoso/agents"
IDS = "repo:contoso@1/agents@1001"
WORKFLOW = "job_workflow_ref:octo/automation/.github/workflows/oidc.yml@refs/heads/main"


@pytest.mark.parametrize(
    ("subject", "form", "claims"),
    [
        (f"{LEGACY}:environment:prod", "GitHub", "owner=contoso repository=agents environment=prod"),
        (f"{IDS}:environment:prod", "GitHub", "owner=contoso@1 repository=agents@1001 environment=prod"),
        (f"{LEGACY}:pull_request", "GitHub", "owner=contoso repository=agents pull_request="),
        (f"{LEGACY}:ref:refs/heads/a/b", "GitHub", "owner=contoso repository=agents ref=refs/heads/a/b"),
        (f"{LEGACY}:ref:refs/tags/v1", "GitHub", "owner=contoso repository=agents ref=refs/tags/v1"),
        (f"{LEGACY}:environment:a%3Ab", "GitHub", "owner=contoso repository=agents environment=a%3Ab"),
        (f"{LEGACY}:environment:a:b", "GitHub", "owner=contoso repository=agents environment=a:b"),
        (f"{LEGACY}:environment:ref", "GitHub", "owner=contoso repository=agents environment=ref"),
        (
            f"{LEGACY}:environment:ref:{WORKFLOW}",
            "GitHub",
            f"owner=contoso repository=agents environment=ref {WORKFLOW.replace(':', '=', 1)}",
        ),
        (
            "repository_owner_id:1:repository_id:2:environment:x",
            "GitHub",
            "repository_owner_id=1 repository_id=2 environment=x",
        ),
        (WORKFLOW, "GitHub", WORKFLOW.replace(":", "=", 1)),
        ("repository_id:7", "GitHub", "repository_id=7"),
        ("repo_property_team:a:b:repository_id:7", "GitHub", "repo_property_team=a:b repository_id=7"),
        ("repo:x", "GitHub", "repo=x"),
        ("environment:a:environment:b", "GitHub", "environment=a environment_(2)=b"),
        ("system:serviceaccount:agents:deployer", "AKS", "namespace=agents service_account=deployer"),
        (
            "organization:contoso:project:Default:workspace:dev:run_phase:plan",
            "Terraform Cloud",
            "organization=contoso project=Default workspace=dev run_phase=plan",
        ),
        (
            "sc://contoso/web/azure",
            "Azure DevOps",
            "organization=contoso project=web service_connection=azure",
        ),
        (
            "project_path:contoso/sub/web:ref_type:branch:ref:main",
            "GitLab",
            "project_path=contoso/sub/web ref_type=branch ref=main",
        ),
        ("auth0|4711", "", "subject=auth0|4711"),
        ("", "", "subject="),
    ],
)
def test_a_subject_is_taken_apart(subject: str, form: str, claims: str) -> None:
    found = parts(subject)
    assert found.form == form
    assert " ".join(f"{name.replace(' ', '_')}={value}" for name, value in found.claims) == claims


@pytest.mark.parametrize(
    ("sent", "trusted", "expected"),
    [
        (f"{LEGACY}:environment:Prod", f"{LEGACY}:environment:prod", "environment: only case differs"),
        ("repo:Contoso/agents:environment:p", f"{LEGACY}:environment:p", "owner: only case differs"),
        (f"{LEGACY}:environment:dev", f"{LEGACY}:environment:prod", "environment: another environment"),
        (
            f"{IDS}:environment:prod",
            f"{LEGACY}:environment:prod",
            "owner: names only are trusted, without ids; repository: names only are trusted, without ids",
        ),
        (
            f"{LEGACY}:environment:prod",
            f"{IDS}:environment:prod",
            "owner: names only were sent, without ids; repository: names only were sent, without ids",
        ),
        ("repo:new@1/agents@1001:environment:p", f"{IDS}:environment:p", "owner: owner renamed"),
        ("repo:contoso@1/bots@1001:environment:p", f"{IDS}:environment:p", "repository: repository renamed"),
        (
            "repo:contoso@1/agents@2:environment:p",
            f"{IDS}:environment:p",
            "repository: same name, another id",
        ),
        ("repo:contoso@1/bots@2:environment:p", f"{IDS}:environment:p", "repository: another repository"),
        (
            "repo:fabrikam/agents:pull_request",
            f"{LEGACY}:pull_request",
            "owner: another owner, or it was renamed",
        ),
        (
            f"{LEGACY}:ref:refs/heads/main",
            f"{LEGACY}:environment:prod",
            "context: branch instead of environment",
        ),
        (
            f"{LEGACY}:environment:prod",
            f"{LEGACY}:ref:refs/heads/main",
            "context: environment instead of branch",
        ),
        (
            f"{LEGACY}:pull_request",
            f"{LEGACY}:environment:prod",
            "context: pull request instead of environment",
        ),
        (f"{LEGACY}:pull_request", f"{LEGACY}:pull-request", "context: GitHub writes pull_request"),
        (f"{LEGACY}:ref:refs/tags/main", f"{LEGACY}:ref:refs/heads/main", "ref: tag instead of branch"),
        (f"{LEGACY}:ref:refs/heads/x", f"{LEGACY}:ref:refs/heads/main", "ref: another branch"),
        (
            f"{LEGACY}:ref:refs/heads/gh-readonly-queue/main/pr-13-abc",
            f"{LEGACY}:ref:refs/heads/main",
            "ref: merge queue instead of branch",
        ),
        (
            f"{LEGACY}:environment:a%3Ab",
            f"{LEGACY}:environment:a:b",
            "environment: a colon in a value is written %3A",
        ),
        (
            f"{LEGACY}:environment:p:{WORKFLOW}",
            f"{LEGACY}:environment:p",
            "job_workflow_ref: not in what is trusted",
        ),
        (f"{LEGACY}:environment:p", f"{LEGACY}:environment:p:actor:x", "actor: not in what was sent"),
        (
            "repository_id:7:environment:p",
            "environment:p:repository_id:7",
            "order: the claims come in another order",
        ),
        (
            "repo:***/***:environment:p",
            f"{LEGACY}:environment:p",
            "owner: starred out in the log; repository: starred out in the log",
        ),
        ("***", f"{LEGACY}:environment:p", "subject: starred out in the log"),
        (
            "sc://a/b/c",
            f"{LEGACY}:pull_request",
            "subject: Azure DevOps's form was sent, GitHub's form is trusted",
        ),
        (
            "organization:o:project:p:workspace:w:run_phase:apply",
            "organization:o:project:p:workspace:w:run_phase:plan",
            "run phase: another run phase",
        ),
    ],
)
def test_a_difference_is_named(sent: str, trusted: str, expected: str) -> None:
    assert "; ".join(f"{row.claim}: {row.how}" for row in difference(sent, trusted)) == expected


def test_every_claim_is_compared() -> None:
    rows = compare(f"{LEGACY}:environment:dev", f"{LEGACY}:environment:prod")
    assert [(row.claim, row.sent, row.trusted, bool(row.how)) for row in rows] == [
        ("owner", "contoso", "contoso", False),
        ("repository", "agents", "agents", False),
        ("environment", "dev", "prod", True),
    ]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (f"{LEGACY}:environment:Prod", f"{LEGACY}:environment:prod"),
        (f"{IDS}:environment:dev", f"{LEGACY}:environment:dev"),
        ("repo:fabrikam/agents:environment:dev", f"{LEGACY}:environment:dev"),
        ("sc://contoso/web/other", "sc://contoso/web/azure"),
    ],
)
def test_the_nearest_has_most_claims_in_common(sent: str, expected: str) -> None:
    trusted = [f"{LEGACY}:environment:dev", "sc://contoso/web/azure", f"{LEGACY}:environment:prod"]
    assert nearest(sent, trusted) == expected
    assert nearest(sent, []) is None


WORDS = st.lists(
    st.sampled_from(
        [
            "repo",
            "o/r",
            "o@1/r@2",
            "O/r",
            "environment",
            "a%3Ab",
            "A",
            "a",
            "ref",
            "refs/heads/m",
            "",
            "pull_request",
            "***",
        ]
    ),
    max_size=8,
).map(":".join)


@settings(max_examples=60, deadline=None)
@given(WORDS | st.text(), WORDS | st.text())
def test_equal_subjects_do_not_differ_and_others_do(sent: str, trusted: str) -> None:
    assert bool(difference(sent, trusted)) == (sent != trusted)
    assert parts(sent).claims
