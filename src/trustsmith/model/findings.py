"""Findings: what was looked at, how it stands, why, and what to type next. Frozen values; no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

#: unknown: it could not be told, for example because somebody else has the right to look.
Verdict = Literal["pass", "fail", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was checked.

    check: the check's id in kebab case ("assign-roles"); its section in the docs has the same name.
    about: what it is about: an environment's name, a project as `account/project`, or nothing for the whole set-up.
    why: what was seen and what it means, in one or two sentences. next: what to type or do; may have several lines.
    original: the service's own words, when there are any.
    """

    check: str
    verdict: Verdict
    why: str
    about: str = ""
    next: str = ""
    original: str = ""

    def as_json(self) -> dict[str, Any]:
        """The finding for machines."""
        return {
            "check": self.check,
            "verdict": self.verdict,
            "about": self.about,
            "why": self.why,
            "next": self.next,
            "original": self.original,
        }


def worst(findings: Iterable[Finding]) -> Verdict:
    """`fail` if anything fails, else `unknown` if anything could not be told, else `pass`."""
    verdicts = {finding.verdict for finding in findings}
    return "fail" if "fail" in verdicts else "unknown" if "unknown" in verdicts else "pass"
