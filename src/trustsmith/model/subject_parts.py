"""Subjects of OIDC tokens taken apart into claims, and two of them compared for people. Pure; must not build any.

Forms: GitHub (GitHub Docs, "OpenID Connect reference": default, with ids, custom templates), and those of the other
issuers that the configuration knows (sources in `issuers`). Anything else is one claim, the subject itself.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    Claims = Sequence[tuple[str, str]]

GITHUB = "GitHub"
#: What GitHub's masking leaves of a secret in a job's log.
MASKED = "***"
#: Stands for an id that is not known offline; it equals any.
UNKNOWN_ID = "?"

_KEYS = {
    "actor",
    "actor_id",
    "base_ref",
    "check_run_id",
    "enterprise",
    "enterprise_id",
    "environment",
    "event_name",
    "head_ref",
    "job_workflow_ref",
    "job_workflow_sha",
    "ref",
    "ref_protected",
    "ref_type",
    "repo",
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "repository_visibility",
    "run_attempt",
    "run_id",
    "run_number",
    "runner_environment",
    "sha",
    "workflow",
    "workflow_ref",
    "workflow_sha",
}
#: Free text, in which enterprise servers up to 3.18 leave a colon as it is.
_FREE = {"environment", "workflow"}
_BARE = {"pull_request", "pull-request"}
#: The claims of which GitHub's default subject has one at its end.
CONTEXT = ("environment", "ref", "pull_request", "pull-request")
#: Owner, its id, name, its id in the value of `repo`.
REPO = re.compile(r"([^/@:]+)(?:@(\d+|\?))?/([^/@:]+)(?:@(\d+|\?))?")
_FORMS = (
    ("AKS", re.compile(r"system:serviceaccount:(?P<namespace>[^:]+):(?P<service_account>[^:]+)")),
    (
        "Terraform Cloud",
        re.compile(
            r"organization:(?P<organization>.+?):project:(?P<project>.+?):workspace:(?P<workspace>.+?)"
            r":run_phase:(?P<run_phase>.+)"
        ),
    ),
    (
        "GitLab",
        re.compile(r"project_path:(?P<project_path>.+?):ref_type:(?P<ref_type>[^:]+):ref:(?P<ref>.+)"),
    ),
    (
        "Azure DevOps",
        re.compile(r"sc://(?P<organization>[^/]+)/(?P<project>[^/]+)/(?P<service_connection>.+)"),
    ),
    (
        "Azure DevOps with Entra's issuer",
        re.compile(
            r"/eid1/c/pub/t/(?P<tenant>[^/]+)/a/(?P<application>[^/]+)/sc/(?P<organization_id>[^/]+)"
            r"/(?P<service_connection_id>.+)"
        ),
    ),
)


@dataclass(frozen=True)
class Parts:
    """A subject taken apart. form: whose it is, or "" for one of no known form. claims: (name, value) in order."""

    form: str
    claims: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str | None:
        """The claim's value, or None."""
        return dict(self.claims).get(name)


@dataclass(frozen=True)
class ClaimDifference:
    """One claim as it was sent and as it is trusted, "" where it is absent; `how` they differ, "" when they do not."""

    claim: str
    sent: str
    trusted: str
    how: str

    def as_json(self) -> dict[str, str]:
        """The claim for machines."""
        return {"claim": self.claim, "sent": self.sent, "trusted": self.trusted, "how": self.how}


def parts(subject: str) -> Parts:
    """Take a subject apart. Never fails: what has no known form is one claim named "subject".

    GitHub's `repo` becomes two claims, "owner" and "repository", each `name` or `name@id`.
    """
    for form, pattern in _FORMS:
        if found := pattern.fullmatch(subject):
            return Parts(
                form, tuple((name.replace("_", " "), value) for name, value in found.groupdict().items())
            )
    if not _is_key(subject.partition(":")[0]):
        return Parts("", (("subject", subject),))
    return Parts(GITHUB, tuple(_unique(_expanded(scan(subject)))))


def _is_key(word: str) -> bool:
    return word in _KEYS or word in _BARE or word.startswith("repo_property_")


def scan(subject: str) -> Iterator[tuple[str, str]]:
    """Keys and values of a GitHub subject as they stand there. What follows a key is its value, even if it is a key."""
    words, index = subject.split(":"), 0
    while index < len(words):
        key = words[index]
        end = index + (1 if key in _BARE else 2)
        while (
            (key in _FREE or key.startswith("repo_property_"))
            and end < len(words)
            and not _is_key(words[end])
        ):
            end += 1
        yield key, ":".join(words[index + 1 : end])
        index = end


def _expanded(claims: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for key, value in claims:
        found = REPO.fullmatch(value) if key == "repo" else None
        if found is None:
            yield key, value
        else:
            yield "owner", _with_id(found[1], found[2])
            yield "repository", _with_id(found[3], found[4])


def _with_id(name: str, number: str | None) -> str:
    return f"{name}@{number}" if number else name


def _unique(claims: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    seen: dict[str, int] = {}
    for name, value in claims:
        seen[name] = seen.get(name, 0) + 1
        yield (name if seen[name] == 1 else f"{name} ({seen[name]})"), value


# -- two subjects -----------------------------------------------------------------------------------------------------


def difference(sent: str, trusted: str) -> tuple[ClaimDifference, ...]:
    """The claims in which two subjects differ; empty only for equal ones."""
    return tuple(row for row in compare(sent, trusted) if row.how)


def compare(sent: str, trusted: str) -> tuple[ClaimDifference, ...]:
    """Every claim of two subjects side by side, in the order of the one that was sent."""
    one, other = parts(sent), parts(trusted)
    if one.form != other.form:
        forms = [f"{form}'s form" if form else "no form that is known" for form in (one.form, other.form)]
        how = "starred out in the log" if MASKED in sent else f"{forms[0]} was sent, {forms[1]} is trusted"
        return (ClaimDifference("subject", sent, trusted, how),)
    rows = tuple(_rows(dict(one.claims), dict(other.claims)))
    if sent == trusted or any(row.how for row in rows):
        return rows
    order, wanted = (":".join(name for name, _ in found.claims) for found in (one, other))
    if order != wanted:
        return (*rows, ClaimDifference("order", order, wanted, "the claims come in another order"))
    return (*rows, ClaimDifference("subject", sent, trusted, "written in another way"))


def _rows(sent: dict[str, str], trusted: dict[str, str]) -> Iterator[ClaimDifference]:
    mine = [name for name in CONTEXT if name in sent and name not in trusted]
    theirs = [name for name in CONTEXT if name in trusted and name not in sent]
    swapped = (mine[0], theirs[0]) if len(mine) == len(theirs) == 1 else None
    for name in [*sent, *(name for name in trusted if name not in sent)]:
        if swapped and name == swapped[0]:
            yield _context((name, sent[name]), (swapped[1], trusted[swapped[1]]))
        elif not swapped or name != swapped[1]:
            values = sent.get(name), trusted.get(name)
            yield ClaimDifference(name, values[0] or "", values[1] or "", _how(name, *values))


def _context(sent: tuple[str, str], trusted: tuple[str, str]) -> ClaimDifference:
    (one, other), kinds = (_written(*sent), _written(*trusted)), [_kind(*claim) for claim in (sent, trusted)]
    how = (
        "GitHub writes pull_request"
        if {sent[0], trusted[0]} == _BARE
        else f"{kinds[0]} instead of {kinds[1]}"
    )
    return ClaimDifference("context", one, other, how)


def _written(name: str, value: str) -> str:
    return f"{name}:{value}" if value else name


def _kind(name: str, value: str) -> str:
    """What a context is, in words."""
    if name in _BARE:
        return "pull request"
    if name != "ref":
        return name
    begins = {"refs/heads/gh-readonly-queue/": "merge queue", "refs/heads/": "branch", "refs/tags/": "tag"}
    return next((kind for start, kind in begins.items() if value.startswith(start)), "ref")


def _how(name: str, sent: str | None, trusted: str | None) -> str:
    if sent == trusted:
        return ""
    if sent is None or trusted is None:
        return "not in what was sent" if sent is None else "not in what is trusted"
    if MASKED in sent:
        return "starred out in the log"
    if name in {"owner", "repository"}:
        return _how_named(name, sent, trusted)
    if name == "ref" and _kind(name, sent) != _kind(name, trusted):
        return f"{_kind(name, sent)} instead of {_kind(name, trusted)}"
    return how_spelled(sent, trusted) or f"another {_kind(name, sent).replace('_', ' ')}"


def how_spelled(sent: str, trusted: str) -> str:
    """How two spellings of one thing differ; "" when they are of two things."""
    if sent.casefold() == trusted.casefold():
        return "only case differs"
    if sent.replace("%3A", ":") == trusted.replace("%3A", ":"):
        return "a colon in a value is written %3A"
    return "blanks differ" if sent.split() == trusted.split() else ""


def _how_named(what: str, sent: str, trusted: str) -> str:
    """How two `name` or `name@id` differ."""
    (name, _, number), (other, _, id_) = sent.partition("@"), trusted.partition("@")
    same = name.casefold() == other.casefold()
    said = "only case differs" if same and name != other else ""
    if number and id_ and UNKNOWN_ID not in {number, id_}:
        if number == id_:
            return said or f"{what} renamed"
        return f"another {what}" if not same else "; ".join(filter(None, [said, "same name, another id"]))
    if not same:
        return f"another {what}, or it was renamed"
    if number and not id_:
        return "; ".join(filter(None, [said, "names only are trusted, without ids"]))
    return "; ".join(filter(None, [said, "names only were sent, without ids" if id_ and not number else ""]))


def nearest(sent: str, candidates: Iterable[str]) -> str | None:
    """The candidate with most claims as they were sent; among equals the one whose text is most alike."""
    return max(candidates, key=lambda other: _likeness(sent, other), default=None)


def _likeness(sent: str, other: str) -> tuple[bool, int, float]:
    equal = len(set(parts(sent).claims) & set(parts(other).claims))
    return parts(sent).form == parts(other).form, equal, _ratio(sent, other)


def _ratio(one: str, other: str) -> float:
    return difflib.SequenceMatcher(a=one, b=other, autojunk=False).ratio()


def most_alike(sent: str, candidates: Iterable[str]) -> str:
    """The candidate whose text is most alike; there has to be one."""
    return max(candidates, key=lambda other: _ratio(sent, other))


def apart(sent: str, trusted: str) -> str:
    """In what two subjects differ, claim by claim."""
    return "; ".join(
        f"{one.claim} is {one.sent or 'absent'} here and {one.trusted or 'absent'} there ({one.how})"
        for one in difference(sent, trusted)
    )
