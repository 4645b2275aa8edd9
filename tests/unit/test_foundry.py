"""Roles by GUID and the ids of projects."""

from __future__ import annotations

from uuid import UUID

import pytest

from trustsmith.model.config import Config, Environment, Reviewer
from trustsmith.model.foundry import (
    PROJECT_MANAGER,
    ROLES,
    ProjectId,
    find_role,
    role_name,
    role_slug,
    short_scope,
)

SUBSCRIPTION = "aaaaaaaa-0000-0000-0000-00000000000b"
ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.CognitiveServices"
    "/accounts/Foundry-Dev/projects/agents"
)


def test_the_pipeline_s_role_is_the_project_manager() -> None:
    assert (PROJECT_MANAGER.slug, PROJECT_MANAGER.name) == (
        "foundry-project-manager",
        "Foundry Project Manager",
    )


def test_no_two_roles_share_anything() -> None:
    for what in ("slug", "name", "guid"):
        assert len({getattr(role, what) for role in ROLES}) == len(ROLES)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.slug)
def test_a_role_is_found_by_slug_and_by_guid(role: object) -> None:
    known = next(r for r in ROLES if r is role)
    assert find_role(known.slug) == find_role(str(known.guid).upper()) == known.guid
    assert (role_name(known.guid), role_slug(known.guid)) == (known.name, known.slug)


def test_another_role_goes_by_its_guid() -> None:
    other = UUID(int=5)
    assert find_role(str(other)) == other
    assert find_role("owner of everything") is None
    assert role_name(other) == role_slug(other) == str(other)


def test_a_project_s_id_is_taken_apart_in_any_case() -> None:
    found = ProjectId.parse(f"  {ID.replace('resourceGroups', 'RESOURCEGROUPS').replace('000b', '000B')}/ ")
    assert found == ProjectId(SUBSCRIPTION, "rg", "Foundry-Dev", "agents")
    assert (str(found), found.key, found.short) == (ID, ID.lower(), "Foundry-Dev/agents")
    assert found.account_scope == ID.removesuffix("/projects/agents")
    assert found.group_scope == f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
    assert found.subscription_scope == f"/subscriptions/{SUBSCRIPTION}"


@pytest.mark.parametrize(
    "text", ["", ID.removesuffix("/projects/agents"), ID + "/more", ID[1:], ID[:20] + ID[21:]]
)
def test_anything_else_is_no_project(text: str) -> None:
    assert ProjectId.parse(text) is None


def test_scopes_in_few_words() -> None:
    assert short_scope(ID) == "Foundry-Dev/agents"
    assert short_scope(ID.removesuffix("/projects/agents")) == "accounts/Foundry-Dev"
    assert short_scope(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/") == "resourceGroups/rg"


def test_an_environment_is_found_by_name_or_not_at_all() -> None:
    dev = Environment(name="dev", projects=())
    config = Config(repository="o/n", tenant="t", environments=(dev,))
    assert config.environment("dev") is dev
    with pytest.raises(KeyError):
        config.environment("Dev")
    assert str(Reviewer(kind="team", name="platform")) == "team:platform"
