"""What a job's failed sign-in means: code, cause, what was sent, what is trusted, claim by claim, and what to type.

Pure, and offline: what is trusted is what the configuration says or what is given, not what Entra holds. Must not read
files or print. `log` reads the text.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from trustsmith import aadsts
from trustsmith.explain import log
from trustsmith.explain.envelope import audience_difference, issuer_difference
from trustsmith.explain.log import Sent
from trustsmith.explain.mend import AUDIENCE, ISSUER, SUBJECT, mend
from trustsmith.model import subject_parts
from trustsmith.model.issuers import credentials
from trustsmith.model.observing import everywhere
from trustsmith.model.subject_parts import CONTEXT, GITHUB, REPO, UNKNOWN_ID, ClaimDifference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trustsmith.model.config import Config

__all__ = ["Believed", "Explanation", "Sent", "explain"]


@dataclass(frozen=True, kw_only=True)
class Believed:
    """What should be trusted. subjects: given by hand, before those of the configuration. issuer, audience: or ""."""

    config: Config | None = None
    subjects: tuple[str, ...] = ()
    issuer: str = ""
    audience: str = ""


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """One code explained. claims: what was sent beside what is trusted; `trusted` is the nearest, or "".

    next: what to type or do; may have several lines.
    """

    code: str
    says: str
    cause: str
    sent: Sent
    next: str
    passing: bool = False
    trusted: str = ""
    claims: tuple[ClaimDifference, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        """The explanation for machines."""
        return {
            "code": self.code,
            "says": self.says,
            "cause": self.cause,
            "sent": {name: value for name, value in vars(self.sent).items() if value},
            "trusted": self.trusted,
            "claims": [claim.as_json() for claim in self.claims],
            "propagation": self.passing,
            "next": self.next,
        }


def explain(text: str, given: Sent, believed: Believed) -> tuple[Explanation, ...]:
    """Each code in the text, once and in order; empty when there is none. given: goes before what the text says."""
    text = log.clean(text)
    codes = log.codes(text)
    starts = [*(start for _, start in codes), len(text)]
    given = given.without_secrets()
    believed = replace(believed, subjects=tuple(map(log.without_secrets, believed.subjects)))
    return tuple(
        _one(code, given.over(log.sent(text, start, starts[number + 1])), believed)
        for number, (code, start) in enumerate(codes)
    )


def _one(code: str, sent: Sent, believed: Believed) -> Explanation:
    meaning = aadsts.explain(code) or aadsts.Meaning(
        code,
        "A code of Entra that trustsmith does not know.",
        "Look it up in Microsoft's reference of AADSTS error codes; the text after the code says more.",
    )
    trusted, claims = _compared(code, sent, believed)
    following = mend(code, sent, trusted, claims, believed.config) or meaning.next
    differing = dict.fromkeys(claim.how for claim in claims if claim.how)
    return Explanation(
        code=code,
        says=meaning.says,
        cause="; ".join(differing) or meaning.cause,
        sent=sent,
        next=following,
        passing=meaning.passing and not differing,
        trusted=trusted,
        claims=claims,
    )


def _compared(code: str, sent: Sent, believed: Believed) -> tuple[str, tuple[ClaimDifference, ...]]:
    """The nearest that is trusted, and both claim by claim; what was sent alone when nothing is known to be trusted."""
    if code == ISSUER and sent.issuer and believed.issuer:
        others = [issuer for issuer, _ in _workloads(believed.config)] if believed.config else []
        trusted = subject_parts.most_alike(sent.issuer, [believed.issuer, *others])
        return trusted, (issuer_difference(sent.issuer, trusted),)
    if code == AUDIENCE and sent.audience and believed.audience:
        return believed.audience, (audience_difference(sent.audience, believed.audience),)
    if code not in SUBJECT or not sent.subject:
        return "", ()
    candidates = believed.subjects or _configured(sent.subject, believed.config)
    nearest = subject_parts.nearest(sent.subject, candidates)
    if nearest is None:
        return "", tuple(
            ClaimDifference(*claim, "", "") for claim in subject_parts.parts(sent.subject).claims
        )
    return nearest, subject_parts.compare(sent.subject, nearest)


def _configured(sent: str, config: Config | None) -> tuple[str, ...]:
    """The subjects of the configuration's environments, in the form of the one that was sent.

    Ids, and claims that the configuration does not know, are taken from there: offline nobody else has them.
    """
    if config is None:
        return ()
    github = subject_parts.parts(sent).form == GITHUB
    claims = tuple(subject_parts.scan(sent)) if github else (("repo", ""), ("environment", ""))
    names = [environment.name.replace(":", "%3A") for environment in everywhere(config)]
    jobs = (":".join(_as_configured(claims, config.repository, name)) for name in names)
    return (*jobs, *(subject for _, subject in _workloads(config)))


def _workloads(config: Config) -> Iterator[tuple[str, str]]:
    """Issuer and subject of everything else that the configuration trusts."""
    for trust in (trust for environment in config.environments for trust in environment.trusts):
        yield from ((issuer, subject) for issuer, subject, _ in credentials(trust, config.tenant))


def _as_configured(claims: Iterable[tuple[str, str]], repository: str, environment: str) -> Iterator[str]:
    known = {key for key, _ in claims}
    for key, value in claims:
        if key == "repo":
            yield f"repo:{_with_ids(value, repository)}"
        elif key in {"repository", "repository_owner"}:
            yield f"{key}:{repository if key == 'repository' else repository.partition('/')[0]}"
        elif key == "environment" or (key in CONTEXT and "environment" not in known):
            yield f"environment:{environment}"
        else:
            yield f"{key}:{value}"


def _with_ids(sent: str, repository: str) -> str:
    """The configured repository, with the ids that were sent for the same names."""
    found = REPO.fullmatch(sent)
    if found is None:
        return repository
    owner, name = repository.split("/", 1)
    return f"{_with_id(found[1], found[2], owner)}/{_with_id(found[3], found[4], name)}"


def _with_id(sent: str, number: str | None, name: str) -> str:
    if not number:
        return name
    return f"{name}@{number if sent.casefold() == name.casefold() else UNKNOWN_ID}"
