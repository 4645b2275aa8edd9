"""Subjects: GitHub's prefix is the truth, a custom template is refused, and what is not one is not taken for one."""

from __future__ import annotations

import pytest

from trustsmith.errors import Refused
from trustsmith.model.subject import Subject, for_environment, parse, prefix


def test_the_prefix_that_github_gives_is_the_truth() -> None:
    answer = {
        "use_default": True,
        "use_immutable_subject": False,
        "sub_claim_prefix": "repo:contoso@1/agents@1001:",
    }
    assert prefix("contoso/agents", answer) == "repo:contoso@1/agents@1001"


@pytest.mark.parametrize("answer", [{}, {"use_default": True}, {"sub_claim_prefix": None}])
def test_a_host_that_gives_none_has_name_based_subjects(answer: dict[str, object]) -> None:
    assert prefix("Contoso/Agents", answer) == "repo:Contoso/Agents"


@pytest.mark.parametrize(
    ("keys", "said"),
    [({"include_claim_keys": ["repo", "context"]}, "repo, context"), ({}, "the organization's template")],
)
def test_a_custom_template_is_refused(keys: dict[str, object], said: str) -> None:
    with pytest.raises(Refused, match=said) as refused:
        prefix("contoso/agents", {"use_default": False, **keys})
    assert "repos/contoso/agents/actions/oidc" in refused.value.hint


def test_only_the_colon_is_encoded() -> None:
    assert for_environment("repo:o/n", "a:b c/é%") == "repo:o/n:environment:a%3Ab c/é%"


def test_name_based_and_immutable_subjects_are_taken_apart() -> None:
    assert parse("repo:o/n:environment:Prod%3AV1") == Subject("o", None, "n", None, "environment:Prod%3AV1")
    found = parse("repo:o@12/n@34:ref:refs/heads/main")
    assert found == Subject("o", 12, "n", 34, "ref:refs/heads/main")
    assert found.environment is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "repo:o/n",
        "repo:o:environment:dev",
        "repo:o/n/m:environment:dev",
        "repo:o@x/n:environment:dev",
        "repository_owner:o:environment:dev",
        " repo:o/n:environment:dev",
        "Repo:o/n:environment:dev",
    ],
)
def test_anything_else_is_none(text: str) -> None:
    assert parse(text) is None


def test_a_pull_request_is_no_environment() -> None:
    found = parse("repo:o/n:pull_request")
    assert found is not None
    assert found.environment is None
