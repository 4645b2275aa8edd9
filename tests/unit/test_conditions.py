"""Conditions of role assignments: what lets an attempt through, what does not, and what cannot be told."""

from __future__ import annotations

from uuid import UUID

import pytest

from trustsmith.model.conditions import Attempt, evaluate
from trustsmith.model.rights import ASSIGN_ROLES, assigning, permit, removing

USER, MANAGER = UUID("53ca6127-db72-4b80-b1b0-d745d6d5456d"), UUID("eadc314b-1a2d-4efa-be10-5d325db5065e")
SOMEBODY = "0b000000-0000-0000-0000-000000000001"
_ATTRIBUTE = "@Request[Microsoft.Authorization/roleAssignments:"
ROLE, TYPE, WHO = f"{_ATTRIBUTE}RoleDefinitionId]", f"{_ATTRIBUTE}PrincipalType]", f"{_ATTRIBUTE}PrincipalId]"
#: As it stands in the built-in role Foundry Project Manager.
BUILT_IN = (
    "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR"
    " (@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId]"
    " ForAnyOfAnyValues:GuidEquals{53ca6127-db72-4b80-b1b0-d745d6d5456d})) AND"
    " ((!(ActionMatches{'Microsoft.Authorization/roleAssignments/delete'})) OR"
    " (@Resource[Microsoft.Authorization/roleAssignments:RoleDefinitionId]"
    " ForAnyOfAnyValues:GuidEquals{53ca6127-db72-4b80-b1b0-d745d6d5456d}))"
)


@pytest.mark.parametrize(
    ("attempt", "expected"),
    [
        (assigning(USER), True),
        (assigning(MANAGER), False),
        (removing(USER), True),
        (removing(MANAGER), False),
        (Attempt("Microsoft.CognitiveServices/accounts/read"), True),
    ],
)
def test_the_condition_of_the_built_in_role(attempt: Attempt, *, expected: bool) -> None:
    assert evaluate(BUILT_IN, attempt) is expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (f"{ROLE} GuidEquals {USER}", True),
        (f"{ROLE} GuidEquals '{str(USER).upper()}'", True),
        (f"{ROLE} GuidNotEquals {USER}", False),
        (f"{ROLE} ForAnyOfAnyValues:GuidEquals {{{MANAGER}, {USER}}}", True),
        (f"{ROLE} ForAnyOfAllValues:GuidEquals {{{MANAGER}, {USER}}}", False),
        (f"{ROLE} ForAnyOfAllValues:GuidNotEquals {{{MANAGER}, {SOMEBODY}}}", True),
        (f"{ROLE} ForAnyOfAllValues:GuidNotEquals {{{MANAGER}, {USER}}}", False),
        (f"{ROLE} ForAllOfAnyValues:GuidEquals {{{USER}}}", True),
        (f"{ROLE} ForAllOfAllValues:GuidNotEquals {{{MANAGER}}}", True),
        (f"{TYPE} StringEquals 'ServicePrincipal'", True),
        (f"{TYPE} StringEquals 'serviceprincipal'", False),
        (f"{TYPE} StringEqualsIgnoreCase 'serviceprincipal'", True),
        (f"{TYPE} ForAnyOfAnyValues:StringEqualsIgnoreCase {{'User', 'Group'}}", False),
        (f"{TYPE} ForAnyOfAllValues:StringNotEqualsIgnoreCase {{'User', 'Group'}}", True),
        (f"{TYPE} ForAnyOfAllValues:StringNotEquals {{'ServicePrincipal'}}", False),
        (f"NOT {TYPE} StringEquals 'User'", True),
        (f"!({TYPE} StringEquals 'User') && ({ROLE} GuidEquals {USER})", True),
        (f"{TYPE} StringEquals 'User' || {ROLE} GuidEquals {USER}", True),
        (f"{TYPE} StringEquals 'User' or {ROLE} GuidEquals {USER} and {ROLE} GuidEquals {MANAGER}", False),
        (f"Exists {ROLE}", True),
        (f"NotExists {ROLE}", False),
        ("ActionMatches{'Microsoft.Authorization/*'}", True),
        ("ActionMatches{'microsoft.authorization/ROLEASSIGNMENTS/write'}", True),
        ("ActionMatches{'Microsoft.Authorization/locks/*'}", False),
    ],
)
def test_what_can_be_told(condition: str, *, expected: bool) -> None:
    assert evaluate(condition, assigning(USER)) is expected


@pytest.mark.parametrize(
    "condition",
    [
        f"{WHO} GuidEquals {SOMEBODY}",  # the principal is not there yet
        f"{ROLE} NumericEquals 5",
        f"{ROLE} ForSomeOfAnyValues:GuidEquals {{{USER}}}",
        f"{ROLE} GuidEquals {{{USER}, {MANAGER}}}",  # several values, and no word on how many must match
        f"{ROLE} GuidEquals {{not-a-guid}}",
        f"{ROLE} GuidEquals {WHO}",
        f"{ROLE} ForAnyOfAnyValues:GuidEquals {{@Resource[x:y]}}",
        "@Resource[Microsoft.Authorization/roleAssignments:RoleDefinitionId] GuidEquals " + str(USER),
        "@Principal[Microsoft.Directory/CustomSecurityAttributes/Id:Team_Name] StringEquals 'a'",
        "@Environment[UtcNow] DateTimeGreaterThan '2026-01-01T00:00:00.0Z'",
        "SubOperationMatches{'Blob.List'}",
        "Exists @Principal[x]",
        "Resembles @Request[x]",
        f"({ROLE} GuidEquals {USER}",
        f"{ROLE} GuidEquals {USER})",
        f"{ROLE} GuidEquals",
        f"{ROLE} GuidEquals {{{USER}",
        f"{ROLE} GuidEquals {{{USER} {MANAGER}}}",
        "true",
        "AND",
        "",
        "§",
        "(" * 5000,
    ],
)
def test_what_cannot_be_told_is_no_yes(condition: str) -> None:
    assert evaluate(condition, assigning(USER)) is None


def test_what_is_not_known_need_not_matter() -> None:
    unknown = f"{WHO} GuidEquals {SOMEBODY}"
    assert evaluate(f"{unknown} AND {TYPE} StringEquals 'User'", assigning(USER)) is False
    assert evaluate(f"{unknown} OR {TYPE} StringEquals 'ServicePrincipal'", assigning(USER)) is True
    assert evaluate(unknown, assigning(USER, SOMEBODY)) is True


@pytest.mark.parametrize(
    ("permissions", "expected"),
    [
        ([], False),
        ([{"actions": ["*"]}], True),
        ([{"actions": ["*"], "notActions": ["Microsoft.Authorization/*/Write"]}], False),
        ([{"actions": [ASSIGN_ROLES], "condition": BUILT_IN}], False),
        ([{"actions": [ASSIGN_ROLES], "condition": BUILT_IN}, {"actions": ["*"], "condition": None}], True),
        ([{"actions": [ASSIGN_ROLES], "condition": "?"}], None),
        ([{"actions": [ASSIGN_ROLES], "condition": "?"}, {"actions": ["*/read"]}], None),
        ([{"dataActions": ["*"]}], False),
    ],
)
def test_permissions_with_conditions(permissions: list[dict[str, object]], *, expected: bool | None) -> None:
    assert permit(permissions, assigning(MANAGER)) is expected


def test_data_actions_are_another_plane() -> None:
    agents = Attempt("Microsoft.CognitiveServices/accounts/AIServices/agents/write")
    owner, user = {"actions": ["*"]}, {"dataActions": ["Microsoft.CognitiveServices/*"]}
    assert permit([owner], agents, "dataActions") is False
    assert permit([user], agents, "dataActions") is True
    assert permit([user | {"notDataActions": ["*/agents/write"]}], agents, "dataActions") is False
