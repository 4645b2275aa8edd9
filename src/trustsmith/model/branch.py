"""The branch that a pull request of ours comes from: its commit's message, and whose a commit on it is. Pure.

A commit is ours when its message names the tree that it has: an amended or further commit of somebody else has another
one. Must not ask GitHub.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

_TRAILER = "Trustsmith-Tree"
_NAMED = re.compile(rf"^{_TRAILER}: ([0-9a-f]{{40}})$", re.MULTILINE)
_SHORT = 7


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A kind of pull request; of each there is at most one. command: what makes it, and makes it again.

    branch: where it comes from. title: of it and of its commit. done: what is so when there is nothing to do, to stand after
    the name of the default branch.
    """

    branch: str
    title: str
    command: str
    done: str


RENDERED = Proposal(
    branch="trustsmith/workflows",
    title="Workflows as the configuration says",
    command="trustsmith render --pr",
    done="is as it would be rendered",
)
REWRITTEN = Proposal(
    branch="trustsmith/off-client-secrets",
    title="Sign in to Azure without client secrets",
    command="trustsmith migrate --rewrite --pr",
    done="has no sign-in with a secret that can be rewritten",
)
RESTORED = Proposal(
    branch="trustsmith/back-to-client-secrets",
    title="Sign in to Azure with client secrets again",
    command="trustsmith migrate --undo --pr",
    done="was not rewritten, or is as it was before",
)


@dataclass(frozen=True)
class Commit:
    """A commit of the branch. tree: the id of all that is in it."""

    sha: str
    tree: str
    message: str
    author: str
    parents: tuple[str, ...]

    @property
    def ours(self) -> bool:
        """Whether it was made here, and is as it was made."""
        return self.tree in _NAMED.findall(self.message)

    def __str__(self) -> str:
        """As people recognise it."""
        first = next(iter(self.message.splitlines()), "")
        return f"{self.sha[:_SHORT]} {first} ({self.author})"


def title_of(proposal: Proposal, paths: Collection[str]) -> str:
    """The title of the pull request and of its commit."""
    return f"{proposal.title} ({len(paths)} file{'s' if len(paths) != 1 else ''})"


def message_of(proposal: Proposal, paths: Collection[str], tree: str) -> str:
    """The commit's message, with the line by which it is known again."""
    listed = "\n".join(f"* {path}" for path in sorted(paths))
    made = f"Made by {proposal.command}."
    return f"{title_of(proposal, paths)}\n\n{listed}\n\n{made}\n\n{_TRAILER}: {tree}\n"


def foreign(commits: Sequence[Commit]) -> list[Commit]:
    """Those that somebody else made."""
    return [commit for commit in commits if not commit.ours]
