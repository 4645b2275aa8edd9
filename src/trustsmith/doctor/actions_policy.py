"""Whether GitHub lets the generated workflows run the actions that they use. Pure; must not ask GitHub.

Source: GitHub Docs, "Managing GitHub Actions settings for a repository"; REST, "Actions permissions".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trustsmith.doctor.check import FILES, GITHUB, Check, bad, fine, unread
from trustsmith.errors import NotFound, TrustsmithError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trustsmith.doctor.evidence import Evidence, Json
    from trustsmith.model.findings import Finding

#: GitHub's own actions.
_GITHUBS = {"actions", "github"}
#: Creators of our actions whom GitHub's marketplace shows as verified.
_VERIFIED = {"azure"}
_COMMIT = re.compile(r"[0-9a-f]{40}")


def enabled(evidence: Evidence) -> Iterator[Finding]:
    """Without Actions no workflow runs."""
    answer = evidence.github.actions
    if answer is None or isinstance(answer, TrustsmithError):
        if not isinstance(
            answer, NotFound
        ):  # hidden from those who do not administer, which is another finding
            yield from unread(answer, "the Actions policy")
    elif not answer.get("enabled"):
        name = evidence.config.repository
        yield bad(
            "GitHub Actions are switched off for this repository: no workflow runs.",
            next=f"gh api -X PUT repos/{name}/actions/permissions -F enabled=true",
        )
    else:
        yield fine("GitHub Actions are on.")


def allowed(evidence: Evidence) -> Iterator[Finding]:
    """Each action of the generated workflows is allowed."""
    policy, uses = _policy(evidence), _uses(evidence)
    if policy is None or not uses:
        return
    which, selected = str(policy.get("allowed_actions") or "all"), evidence.github.selected
    if which == "selected" and isinstance(selected, TrustsmithError):
        yield from unread(selected, "the list of allowed actions")
        return
    chosen: Json = selected if isinstance(selected, dict) else {}
    refused = [use for use in uses if which != "all" and not _is_allowed(use, which, chosen)]
    if refused:
        names = ", ".join(use.partition("@")[0] for use in refused)
        yield bad(
            f"The Actions policy does not allow {names}: GitHub stops the generated workflows before they start.",
            next="Allow them (repository settings, Actions, General), by pattern:\n  "
            + ", ".join(f"{use.partition('@')[0]}@*" for use in refused)
            + "\nThe organization's policy may have to allow them first.",
        )
    else:
        yield fine("The actions of the generated workflows are allowed.")


def _is_allowed(use: str, which: str, chosen: Json) -> bool:
    owner = use.partition("/")[0].lower()
    patterns = [str(pattern) for pattern in chosen.get("patterns_allowed") or ()]
    if which != "selected" or any(_fits(pattern[1:], use) for pattern in patterns if pattern.startswith("!")):
        return False
    return (
        (owner in _GITHUBS and bool(chosen.get("github_owned_allowed")))
        or (owner in _VERIFIED and bool(chosen.get("verified_allowed")))
        or any(_fits(pattern, use) for pattern in patterns)
    )


def _fits(pattern: str, use: str) -> bool:
    """`owner/*`, `owner/name@*`, `owner/name@v3`; a pattern without `@` is for every version."""
    pattern = pattern if "@" in pattern else f"{pattern}@*"
    return bool(re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), use, re.IGNORECASE))


def pinned(evidence: Evidence) -> Iterator[Finding]:
    """A policy may demand that actions are pinned to a commit, as ours are."""
    policy = _policy(evidence)
    if policy is None or not policy.get("sha_pinning_required"):
        return
    loose = [use for use in _uses(evidence) if not _COMMIT.fullmatch(use.partition("@")[2])]
    if loose:
        yield bad(
            f"The Actions policy demands commits, and {', '.join(loose)} names none.",
            next="trustsmith render",
        )
    else:
        yield fine("The Actions policy demands commits, and the generated workflows name them.")


def _policy(evidence: Evidence) -> Json | None:
    answer = evidence.github.actions
    return answer if isinstance(answer, dict) and answer.get("enabled") else None


def _uses(evidence: Evidence) -> list[str]:
    uses = evidence.made.uses
    return [] if uses is None or isinstance(uses, TrustsmithError) else sorted(uses)


def workflows(evidence: Evidence) -> Iterator[Finding]:
    """The workflows can be rendered."""
    uses = evidence.made.uses
    if isinstance(uses, TrustsmithError):
        yield bad(uses.message, next=uses.hint)
    elif uses is not None:
        yield fine("The workflows can be rendered.")


CHECKS = (
    Check("actions-enabled", GITHUB | FILES, enabled),
    Check("actions-allowed", GITHUB | FILES, allowed),
    Check("actions-pinned", GITHUB | FILES, pinned),
    Check("workflows", FILES, workflows),
)
