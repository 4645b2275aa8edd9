"""Whoever follows the advice about roles ends where there is none left, and lacks nothing on the way."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.test_grants import (
    ACCOUNT,
    CONNECT,
    DEPLOY,
    GROUPS,
    LOOK,
    MODELS,
    OWNER,
    READ,
    WRITE,
    environment,
    grant,
    judged,
    role,
)

if TYPE_CHECKING:
    from trustsmith.model.advice import Advice
    from trustsmith.model.config import Environment
    from trustsmith.model.operations import Operation

_GRANT = re.compile(r"role: (?P<role>[\w-]+), scope: (?P<scope>[\w-]+)")
_ROLES = st.sampled_from(
    (
        "foundry-user",
        "foundry-project-manager",
        "foundry-account-owner",
        "foundry-owner",
        "contributor",
        "reader",
        OWNER,
    )
)
_SCOPES = st.sampled_from(("project", "account", "resource-group", "subscription"))
_GRANTS = st.lists(st.tuples(_ROLES, _SCOPES), max_size=3, unique=True)
_WORK = st.lists(
    st.sampled_from((READ, WRITE, CONNECT, MODELS, ACCOUNT, DEPLOY, GROUPS, LOOK)),
    min_size=1,
    max_size=4,
    unique=True,
)


def _told(where: Environment, does: list[Operation]) -> list[Advice]:
    return [advice for advice in judged(where, does=tuple(does)) if advice.kind != "fine"]


def _lacking(where: Environment, does: list[Operation]) -> set[str]:
    """What is not permitted, in words."""
    missing = (advice.why for advice in _told(where, does) if advice.kind == "missing")
    return {word for why in missing for word in why.partition(".")[0].removeprefix("Its jobs ").split(", ")}


def _followed(where: Environment, advice: Advice) -> Environment:
    """The environment after somebody has done what the advice says."""
    found = _GRANT.search(advice.next)
    added = (grant(found["role"], found["scope"]),) if found else ()
    if advice.kind == "missing":
        return replace(where, grants=(*where.grants, *added))
    if not advice.because:
        return replace(where, role=role(advice.next.rpartition(" ")[2]))
    rest = [one for one in where.grants if (one.role, one.scope) != (role(advice.role), advice.scope)]
    return replace(where, grants=(*rest, *added))


@settings(max_examples=50, deadline=None, derandomize=True)
@given(project_role=_ROLES, grants=_GRANTS, does=_WORK)
def test_advice_can_be_followed_to_its_end(
    project_role: str, grants: list[tuple[str, str]], does: list[Operation]
) -> None:
    where = environment(*grants, given=project_role)
    for _ in range(2):  # what is missing, once added, may make something else superfluous
        for advice in _told(where, does):
            before, where = where, _followed(where, advice)
            assert _lacking(where, does) <= _lacking(before, does), advice
    assert _told(where, does) == []
