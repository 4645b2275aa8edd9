"""Subjects: can they be built from what GitHub says, and do they tell environments apart. Pure; must not ask GitHub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith.doctor.check import ENTRA, Check, bad, fine, hazards, is_answer, unread
from trustsmith.errors import Refused, TrustsmithError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trustsmith.doctor.evidence import Evidence
    from trustsmith.model.findings import Finding


def template(evidence: Evidence) -> Iterator[Finding]:
    """The repository's subject template gives each environment a subject that is known before the run."""
    if not is_answer(evidence.github.repository):
        return
    for answer in (evidence.made.facts, evidence.made.wanted):
        if isinstance(answer, Refused | UsageError):
            yield bad(answer.message, next=answer.hint, original=answer.original)
            return
        if isinstance(answer, TrustsmithError):
            yield from unread(answer, "the subject template")
            return
    if evidence.made.wanted is not None:
        yield fine("The subjects of all environments are known before the run.")


def ambiguous(evidence: Evidence) -> Iterator[Finding]:
    """No protected environment has a subject that a job elsewhere could have."""
    fits = "No other job can have the subject of a protected environment."
    yield from hazards(evidence, "ambiguous-subject=", fits)


CHECKS = (Check("subject-template", ENTRA, template), Check("subject-ambiguous", ENTRA, ambiguous))
