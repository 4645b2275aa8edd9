"""Subjects: GitHub's words are the truth, templates are followed, and what cannot be known is refused with the remedy."""

from __future__ import annotations

from typing import Any

import pytest

from trustsmith.errors import Refused
from trustsmith.model.subject import (
    Template,
    Use,
    environment_of,
    for_environment,
    has_ids,
    inherits,
    names_repository,
    properties_in,
    template,
    uses,
)

REPOSITORY = {
    "full_name": "Octo-Org/Octo-Repo",
    "id": 456789,
    "owner": {"id": 123456, "login": "Octo-Org", "type": "Organization"},
    "visibility": "private",
}
BY_NAME = "repo:Octo-Org/Octo-Repo"
WITH_IDS = "repo:Octo-Org@123456/Octo-Repo@456789"
WORKFLOW = "Octo-Org/Octo-Repo/.github/workflows/deploy.yml"
MAIN = Use("deploy", WORKFLOW, "refs/heads/main")


def built(*keys: str, prefix: str | None = None, environment: str = "prod", way: tuple[Use, ...] = ()) -> str:
    own = {"use_default": False, "include_claim_keys": list(keys)} if keys else {"use_default": True}
    (found,) = for_environment(template(REPOSITORY, own | {"sub_claim_prefix": prefix}), environment, way)
    return found


# -- the default ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("customization", "subject"),
    [
        ({}, f"{BY_NAME}:environment:prod"),
        ({"use_default": True}, f"{BY_NAME}:environment:prod"),
        ({"use_default": True, "sub_claim_prefix": None}, f"{BY_NAME}:environment:prod"),
        ({"use_default": True, "sub_claim_prefix": BY_NAME}, f"{BY_NAME}:environment:prod"),
        ({"use_default": True, "sub_claim_prefix": f"{BY_NAME}:"}, f"{BY_NAME}:environment:prod"),
        # The boolean only says what somebody chose; the prefix is what the tokens have.
        (
            {"use_default": True, "use_immutable_subject": False, "sub_claim_prefix": WITH_IDS},
            f"{WITH_IDS}:environment:prod",
        ),
        (
            {"use_default": True, "use_immutable_subject": True, "sub_claim_prefix": BY_NAME},
            f"{BY_NAME}:environment:prod",
        ),
        # Without use_default the keys count; with it they are ignored.
        (
            {"use_default": True, "include_claim_keys": ["repository_id"], "sub_claim_prefix": BY_NAME},
            f"{BY_NAME}:environment:prod",
        ),
        ({"use_default": False, "sub_claim_prefix": WITH_IDS}, f"{WITH_IDS}:environment:prod"),
    ],
)
def test_what_github_says_is_what_is_trusted(customization: dict[str, Any], subject: str) -> None:
    assert for_environment(template(REPOSITORY, customization), "prod") == (subject,)


def test_only_the_colon_is_encoded() -> None:
    assert built(environment="a:b c/é%").endswith(":environment:a%3Ab c/é%")
    old = template(REPOSITORY, {}, encodes=False)
    assert for_environment(old, "a:b") == (f"{BY_NAME}:environment:a:b",)


# -- templates ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("keys", "subject"),
    [
        (["repo", "context"], f"{BY_NAME}:environment:prod"),
        (["context", "repo"], f"environment:prod:{BY_NAME}"),
        (["repo", "environment"], f"{BY_NAME}:environment:prod"),
        (
            ["repository_owner_id", "repository_id", "environment"],
            "repository_owner_id:123456:repository_id:456789:environment:prod",
        ),
        (
            ["repository_owner", "repository_visibility", "repository_id", "context"],
            "repository_owner:Octo-Org:repository_visibility:private:repository_id:456789:environment:prod",
        ),
        (["repository", "context"], "repository:Octo-Org/Octo-Repo:environment:prod"),
        (
            ["repo", "runner_environment", "context"],
            f"{BY_NAME}:runner_environment:github-hosted:environment:prod",
        ),
        (
            ["repo", "context", "job_workflow_ref"],
            f"{BY_NAME}:environment:prod:job_workflow_ref:{WORKFLOW}@refs/heads/main",
        ),
        (
            ["repo", "ref", "environment", "workflow_ref"],
            f"{BY_NAME}:ref:refs/heads/main:environment:prod:workflow_ref:{WORKFLOW}@refs/heads/main",
        ),
        (
            ["repo", "workflow", "ref_type", "context"],
            f"{BY_NAME}:workflow:deploy:ref_type:branch:environment:prod",
        ),
        (["workflow_ref", "context"], f"workflow_ref:{WORKFLOW}@refs/heads/main:environment:prod"),
    ],
)
def test_templates_are_followed_key_by_key(keys: list[str], subject: str) -> None:
    assert built(*keys, prefix=BY_NAME, way=(MAIN,)) == subject


def test_ids_stay_in_the_repo_segment_of_a_template() -> None:
    assert built("context", "repo", prefix=WITH_IDS) == f"environment:prod:{WITH_IDS}"


def test_a_repository_without_keys_of_its_own_follows_its_organization() -> None:
    asked = {"use_default": False, "sub_claim_prefix": BY_NAME}
    keys = {"include_claim_keys": ["repository_id", "context"]}
    assert inherits(asked)
    assert not inherits({"use_default": True})
    assert not inherits(asked | {"include_claim_keys": ["repo", "context"]})
    followed = template(REPOSITORY, asked, keys)
    assert for_environment(followed, "prod") == ("repository_id:456789:environment:prod",)
    own = template(REPOSITORY, asked | {"include_claim_keys": ["repo", "context"]}, keys)
    assert for_environment(own, "prod") == (f"{BY_NAME}:environment:prod",)


def test_what_is_known_from_elsewhere_is_put_in() -> None:
    own = {
        "use_default": False,
        "include_claim_keys": ["enterprise", "repo_property_team", "repo", "context"],
    }
    assert properties_in(own, {"include_claim_keys": ["repo_property_cost"]}) == ["cost", "team"]
    found = template(REPOSITORY, own, None, {"enterprise": "octo", "repo_property_team": "a:b"})
    assert for_environment(found, "prod") == (
        f"enterprise:octo:repo_property_team:a%3Ab:{BY_NAME}:environment:prod",
    )


@pytest.mark.parametrize(
    "keys",
    [
        ["context"],
        ["environment", "runner_environment"],
        ["ref", "context"],
    ],
)
def test_a_template_that_leaves_out_the_repository_is_refused(keys: list[str]) -> None:
    """Anybody may give a repository of their own that template, and GitHub's issuer is the same for everybody."""
    with pytest.raises(Refused, match="leaves out the repository") as refused:
        built(*keys, way=(MAIN,))
    assert "-f 'include_claim_keys[]=repo'" in refused.value.hint


def test_a_template_that_names_the_owner_only_is_followed_and_said_to_be_shared() -> None:
    shared = built("repository_owner", "context")
    assert shared == "repository_owner:Octo-Org:environment:prod"
    assert not names_repository(shared)
    assert all(
        names_repository(built(key, "context", way=(MAIN,)))
        for key in ("repo", "repository_id", "workflow_ref")
    )


@pytest.mark.parametrize("keys", [["repository_id"], ["repo"], ["repo", "job_workflow_ref"], ["repo", "ref"]])
def test_a_template_that_leaves_out_the_environment_is_refused(keys: list[str]) -> None:
    with pytest.raises(Refused, match="leaves out the environment") as refused:
        built(*keys, way=(MAIN,))
    assert "gh api -X PUT repos/Octo-Org/Octo-Repo/actions/oidc/customization/sub" in refused.value.hint
    assert "include_claim_keys[]=context" in refused.value.hint


@pytest.mark.parametrize(
    "key",
    ["run_id", "sha", "actor", "event_name", "head_ref", "enterprise", "repo_property_x", "jti", "nonsense"],
)
def test_a_claim_that_is_not_known_before_the_run_is_refused_with_the_call_that_leaves_it_out(
    key: str,
) -> None:
    with pytest.raises(Refused, match=f"names {key}") as refused:
        built("repo", "context", key, way=(MAIN,))
    assert "-f 'include_claim_keys[]=repo' -f 'include_claim_keys[]=context'\n" in refused.value.hint
    assert "use_default=true" in refused.value.hint


def test_a_ref_is_known_only_where_the_file_names_each() -> None:
    named = [("deploy", ".github/workflows/deploy.yml"), ("check", ".github/workflows/check.yml")]
    two = uses(named, "o/n", ("main",), ("v1",))
    assert len(two) == 4
    assert two[0] == Use("deploy", "o/n/.github/workflows/deploy.yml", "refs/heads/main")
    assert uses(named, "o/n", ("main", "release/*"), None) == ()
    assert uses(named, "o/n", None, None) == ()
    own = {"use_default": False, "include_claim_keys": ["repo", "context", "ref"]}
    assert for_environment(template(REPOSITORY, own), "prod", two) == (
        f"{BY_NAME}:environment:prod:ref:refs/heads/main",
        f"{BY_NAME}:environment:prod:ref:refs/tags/v1",
    )
    with pytest.raises(Refused, match="names ref") as refused:
        for_environment(template(REPOSITORY, own), "prod", ())
    assert "environments.prod.protection.branches: [main]" in refused.value.hint


# -- ids to come ------------------------------------------------------------------------------------------------------


def test_ids_to_come_are_known_before_the_opt_in() -> None:
    own = {"use_default": False, "include_claim_keys": ["repo", "context"], "sub_claim_prefix": BY_NAME}
    found = template(REPOSITORY, own)
    assert not found.immutable
    assert found.with_ids().immutable
    assert for_environment(found.with_ids(), "prod") == (f"{WITH_IDS}:environment:prod",)
    assert (found.use_default, found.own_keys) == (False, ("repo", "context"))


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [(WITH_IDS, True), (f"{WITH_IDS}:", True), (BY_NAME, False), ("repo:o@1/n", False), ("", False)],
)
def test_ids_are_seen_in_a_prefix(prefix: str, *, expected: bool) -> None:
    assert has_ids(prefix) is expected
    assert Template(prefix=prefix.rstrip(":")).immutable is expected


# -- back again -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subject", "environment"),
    [
        ("repo:o/n:environment:Prod%3AV1", "Prod:V1"),
        ("repo:o@1/n@2:environment:dev", "dev"),
        ("environment:dev:repo:o/n", "dev"),
        ("repository_id:2:environment:dev:ref:refs/heads/main", "dev"),
        ("repo:o/n:ref:refs/heads/main", None),
        ("repo:o/n:pull_request", None),
        ("repo:o/my-environment:ref:refs/heads/main", None),
        ("", None),
    ],
)
def test_the_environment_in_a_subject(subject: str, environment: str | None) -> None:
    assert environment_of(subject) == environment
