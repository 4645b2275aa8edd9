"""Whether GitHub lets the generated workflows run the actions that they use. Pure; must not ask GitHub.

Which creators GitHub counts as verified no API says, so that nothing is concluded from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith.doctor.check import FILES, GITHUB, Check, bad, fine, open_question, unread
from trustsmith.errors import NotFound, TrustsmithError
from trustsmith.model.actions_policy import Policy, pattern_for, policy_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trustsmith.doctor.evidence import Evidence
    from trustsmith.model.findings import Finding


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
    selected = evidence.github.selected
    if policy.which == "selected" and isinstance(selected, TrustsmithError):
        yield from unread(selected, "the list of allowed actions")
        return
    refused = policy.refused(uses)
    depends = [use for use in uses if policy.says(use) == "verified"]
    if refused:
        yield bad(
            f"The Actions policy does not allow {_names(refused)}: GitHub stops the generated workflows before they "
            "start.",
            next=_allow(refused) + "\nThe organization's policy may have to allow them first.",
        )
    elif depends:
        yield open_question(
            f"The Actions policy allows {_names(depends)} only if GitHub counts the owner as a verified creator, which "
            "it tells nobody.",
            next=_allow(depends),
        )
    else:
        yield fine("The actions of the generated workflows are allowed.")


def _names(uses: Iterable[str]) -> str:
    return ", ".join(use.partition("@")[0] for use in uses)


def _allow(uses: Iterable[str]) -> str:
    patterns = ", ".join(map(pattern_for, uses))
    return f"Allow them (repository settings, Actions, General), by pattern:\n  {patterns}"


def pinned(evidence: Evidence) -> Iterator[Finding]:
    """A policy may demand that actions are pinned to a commit, as ours are."""
    policy = _policy(evidence)
    if policy is None or not policy.commits:
        return
    own, nested = policy.loose(_own(evidence)), evidence.github.nested
    if own:
        yield bad(
            f"The Actions policy demands commits, and {', '.join(own)} names none.",
            next="trustsmith render",
        )
    inside = {_names([use]): loose for use, inner in nested.items() if (loose := policy.loose(inner))}
    for name, loose in inside.items():
        yield bad(
            f"The Actions policy demands commits, and {name} itself uses {', '.join(loose)}.",
            next=f"Do without the template that uses {name}, or lift the demand for this repository.",
        )
    if not own and not inside:
        yield fine("The Actions policy demands commits, and the generated workflows name them.")


def _policy(evidence: Evidence) -> Policy | None:
    answer, selected = evidence.github.actions, evidence.github.selected
    if not isinstance(answer, dict) or not answer.get("enabled"):
        return None
    return policy_of(evidence.config.repository, answer, selected if isinstance(selected, dict) else None)


def _own(evidence: Evidence) -> list[str]:
    uses = evidence.made.uses
    return [] if uses is None or isinstance(uses, TrustsmithError) else sorted(uses)


def _uses(evidence: Evidence) -> list[str]:
    """The actions of the generated workflows, and what composite ones among them use themselves."""
    inside = [each for nested in evidence.github.nested.values() for each in nested]
    return list(dict.fromkeys([*_own(evidence), *sorted(inside)]))


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
