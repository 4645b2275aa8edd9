"""Names that were given once are given for ever: these are written down."""

from __future__ import annotations

from uuid import UUID

import pytest

from trustsmith.model import naming


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("dev", "dev"),
        ("Dev", "dev"),
        ("live-eu-2", "live-eu-2"),
        ("live eu", "live-eu-6489c3"),
        ("live/eu", "live-eu-19e996"),
        ("live-eu-6489c3", "live-eu-6489c3-91638d"),
        ("-", "environment-3973e0"),
        ("環境", "environment-fba186"),
        ("x" * 41, "x" * 40 + "-316459"),
    ],
)
def test_slugs_stay_as_they_are(name: str, slug: str) -> None:
    assert naming.slug(name) == slug


def test_unique_names_hold_the_repository_s_id_and_not_its_name() -> None:
    assert naming.unique_name("github.com", 1001, "Dev") == "trustsmith-github.com-1001-dev"
    assert naming.unique_name("ghe.contoso.com", 7, None) == "trustsmith-ghe.contoso.com-7"


def test_tags_and_descriptions_say_whose_it_is() -> None:
    assert naming.repository_tag("github.com", 1001) == "trustsmith:repository=github.com/1001"
    assert naming.environment_tag("Live EU") == f"trustsmith:environment={naming.slug('live eu')}"
    assert naming.mark("github.com", 1001) == "Made by trustsmith for github.com/1001"


def test_a_credential_s_name_follows_from_all_that_it_trusts() -> None:
    trust = ("https://issuer", "repo:o/n:environment:dev", "api://AzureADTokenExchange")
    name = naming.credential_name("dev", *trust)
    assert name == "dev-f237820bc064"
    assert naming.is_credential_name(name, *trust)
    for place in range(3):
        other = tuple(part + "/" if n == place else part for n, part in enumerate(trust))
        assert not naming.is_credential_name(name, *other)


def test_a_role_assignment_s_name_takes_no_heed_of_case() -> None:
    role = UUID(int=7)
    name = naming.role_assignment_name("/subscriptions/A/resourceGroups/B", "ABC", role)
    assert name == naming.role_assignment_name("/subscriptions/a/resourcegroups/b", "abc", role)
    assert UUID(name).version == 5
    assert name != naming.role_assignment_name("/subscriptions/a", "abc", role)


def test_a_value_s_digest_is_of_its_place_too() -> None:
    digest = naming.value_digest("dev", "AZURE_CLIENT_ID", "x")
    assert len(digest) == 32
    assert digest != naming.value_digest("prod", "AZURE_CLIENT_ID", "x")
    assert digest != naming.value_digest("dev", "AZURE_TENANT_ID", "x")


def test_a_mark_is_of_one_repository_only() -> None:
    ours = naming.mark("github.com", 4001)
    assert naming.is_marked(ours, "github.com", 4001)
    assert naming.is_marked(f"{ours}, environment dev", "github.com", 4001)
    assert naming.is_marked(f"{ours}: deploys models", "github.com", 4001)
    assert not naming.is_marked(naming.mark("github.com", 40012), "github.com", 4001)
    assert not naming.is_marked(None, "github.com", 4001)
