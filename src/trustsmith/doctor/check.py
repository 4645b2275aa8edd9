"""A check: its id, whose part it is, and a function from the evidence to findings. Must not look at a service."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from trustsmith.errors import NotSignedIn, ServiceError, TrustsmithError
from trustsmith.model.findings import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from trustsmith.doctor.evidence import Evidence
    from trustsmith.model.plan import Hazard
    from trustsmith.model.resource import Side


#: ARM's code for what is asked of a resource provider that the subscription has not registered.
_UNREGISTERED = "MissingSubscriptionRegistration"


class Check(NamedTuple):
    """One check. sides: whose part it is about; with `--only` others are left out."""

    id: str
    sides: frozenset[Side]
    run: Callable[[Evidence], Iterable[Finding]]


ENTRA: frozenset[Side] = frozenset({"entra"})
AZURE: frozenset[Side] = frozenset({"azure"})
GITHUB: frozenset[Side] = frozenset({"github"})
FILES: frozenset[Side] = frozenset({"files"})


def fine(why: str, about: str = "") -> Finding:
    """It passes."""
    return Finding(check="", verdict="pass", why=why, about=about)


def bad(why: str, about: str = "", *, next: str = "", original: str = "") -> Finding:  # noqa: A002 - the finding's own word
    """It fails."""
    return Finding(check="", verdict="fail", why=why, about=about, next=next, original=original)


def open_question(why: str, about: str = "", *, next: str = "", original: str = "") -> Finding:  # noqa: A002 - as above
    """It could not be told."""
    return Finding(check="", verdict="unknown", why=why, about=about, next=next, original=original)


def unread(error: TrustsmithError | None, what: str, about: str = "") -> Iterator[Finding]:
    """It could not be told, because this could not be read.

    Nothing when it was not asked for, or when the reason is a finding of its own: nobody is signed in, or the resource
    provider is not registered.
    """
    unregistered = isinstance(error, ServiceError) and error.code == _UNREGISTERED
    if error is not None and not isinstance(error, NotSignedIn) and not unregistered:
        why = f"{what[0].upper()}{what[1:]} could not be read: {error.message}"
        yield open_question(why, about, next=error.hint, original=error.original)


def hazardous(hazard: Hazard) -> Finding:
    """A hazard of the plan as a finding, in the plan's own words."""
    return bad(hazard.why, hazard.id.partition("=")[2], next=hazard.hint)


def hazards(evidence: Evidence, prefix: str, otherwise: str) -> Iterator[Finding]:
    """The plan's hazards whose id begins so, else that there is none; nothing when there is no plan to look at."""
    plan = evidence.made.plan
    if plan is None or not evidence.config.environments:
        return
    found = [hazardous(hazard) for hazard in plan.hazards if hazard.id.startswith(prefix)]
    yield from found or [fine(otherwise)]


def is_answer(answer: object) -> bool:
    """Whether there is an answer: it was asked for, and did not fail."""
    return answer is not None and not isinstance(answer, TrustsmithError)
