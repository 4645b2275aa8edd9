"""doctor: what would make a set-up fail, before it fails. Checks are functions from evidence to findings.

One file a topic, each with a table of its checks. Must not ask a service or change anything: `flows` gathers the
evidence, for `trustsmith doctor` all of it, for `setup` and `apply` what their plan needs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trustsmith.doctor import (
    actions_policy,
    clock,
    credentials,
    foundry,
    locks,
    network,
    observer,
    registering,
    repository,
    roles,
    signin,
    subjects,
)
from trustsmith.model.resource import SIDES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from trustsmith.doctor.check import Check
    from trustsmith.doctor.evidence import Evidence
    from trustsmith.model.findings import Finding
    from trustsmith.model.resource import Side

#: All checks, in the order in which their findings are shown.
CHECKS: tuple[Check, ...] = (
    *signin.CHECKS,
    *clock.CHECKS,
    *repository.CHECKS,
    *actions_policy.CHECKS,
    *subjects.CHECKS,
    *registering.CHECKS,
    *credentials.CHECKS,
    *foundry.CHECKS,
    *roles.CHECKS,
    *locks.CHECKS,
    *network.CHECKS,
    *observer.CHECKS,
)
#: Those that stand in the way of changes, by whether it takes another right (else, another file or plan).
RIGHTS = frozenset(
    {"register-applications", "change-applications", "application-owners", "assign-roles", "resource-locks"}
)
IN_THE_WAY = RIGHTS | {
    "repository-archived",
    "protection-available",
    "protected-branches",
    "reviewers",
    "role-definitions",
    "subscriptions",
}


def examine(
    evidence: Evidence, sides: Collection[Side] = SIDES, only: Collection[str] | None = None
) -> list[Finding]:
    """The findings of all checks about these sides; only: the ids of those to run."""
    return list(_examine(evidence, frozenset(sides), only))


def _examine(evidence: Evidence, sides: frozenset[Side], only: Collection[str] | None) -> Iterator[Finding]:
    for check in CHECKS:
        if check.sides & sides and (only is None or check.id in only):
            yield from (replace(finding, check=check.id) for finding in check.run(evidence))
