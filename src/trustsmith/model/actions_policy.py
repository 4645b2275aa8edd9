"""Which actions a repository's policy lets run. Pure; must not ask GitHub.

Source: GitHub Docs, "Managing GitHub Actions settings for a repository"; REST, "Actions permissions".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from trustsmith.model.pins import COMMIT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: yes, no, or that it depends on whether GitHub counts the action's owner as a verified creator.
Verdict = Literal["yes", "no", "verified"]
#: GitHub's own actions.
_GITHUBS = {"actions", "github"}


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What may run. owner: the repository's own. which: all, local_only or selected. commits: they must be pinned."""

    owner: str
    which: str = "all"
    commits: bool = False
    githubs: bool = False
    verified: bool = False
    patterns: tuple[str, ...] = ()

    @property
    def restricts(self) -> bool:
        """Whether there is anything that it does not let run."""
        return self.commits or self.which != "all"

    def says(self, use: str) -> Verdict:
        """Whether it lets an action of that name run (`owner/name@ref`); `./` is the repository's own."""
        owner = use.partition("/")[0].lower()
        if self.which == "all" or use.startswith("./") or owner == self.owner.lower():
            return "yes"
        if self.which != "selected" or any(
            _fits(each[1:], use) for each in self.patterns if each.startswith("!")
        ):
            return "no"
        if (owner in _GITHUBS and self.githubs) or any(_fits(pattern, use) for pattern in self.patterns):
            return "yes"
        return "verified" if self.verified else "no"

    def refused(self, uses: Iterable[str]) -> list[str]:
        """Those that it certainly does not let run."""
        return [use for use in uses if self.says(use) == "no"]

    def loose(self, uses: Iterable[str]) -> list[str]:
        """Those that name no commit where the policy demands one; also said of what composite actions use."""
        outside = [use for use in uses if not use.startswith(("./", "docker://"))]
        return [use for use in outside if self.commits and not COMMIT.fullmatch(use.partition("@")[2])]

    def objections(self, use: str, nested: Iterable[str] = ()) -> list[str]:
        """Why it does not let an action run. nested: what a composite action uses itself, to which it applies as well."""
        inside = list(nested)
        found = [
            f"The Actions policy does not allow {_name(each)}{'' if each == use else f', which {_name(use)} uses'}. "
            f"Allow it by the pattern {pattern_for(each)} (repository settings, Actions, General; the organization's "
            "policy may have to allow it first)."
            for each in self.refused([use, *inside])
        ]
        found += [f"The Actions policy demands commits, and {each} names none." for each in self.loose([use])]
        found += [
            f"The Actions policy demands commits, and {_name(use)} itself uses {each}."
            for each in self.loose(inside)
        ]
        return found


def policy_of(repository: str, answer: Mapping[str, Any], selected: Mapping[str, Any] | None) -> Policy:
    """The policy in GitHub's answers. repository: owner/name; selected: the list, where actions are selected."""
    chosen = selected or {}
    return Policy(
        owner=repository.partition("/")[0],
        which=str(answer.get("allowed_actions") or "all"),
        commits=bool(answer.get("sha_pinning_required")),
        githubs=bool(chosen.get("github_owned_allowed")),
        verified=bool(chosen.get("verified_allowed")),
        patterns=tuple(str(pattern) for pattern in chosen.get("patterns_allowed") or ()),
    )


def pattern_for(use: str) -> str:
    """The pattern that lets every version of an action run."""
    return f"{_name(use)}@*"


def _name(use: str) -> str:
    return use.partition("@")[0]


def _fits(pattern: str, use: str) -> bool:
    """`owner/*`, `owner/name@*`, `owner/name@v3`; a pattern without `@` is for every version."""
    pattern = pattern if "@" in pattern else f"{pattern}@*"
    return bool(re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), use, re.IGNORECASE))
