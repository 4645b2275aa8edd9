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

BRANCH = "trustsmith/workflows"
_TRAILER = "Trustsmith-Tree"
_NAMED = re.compile(rf"^{_TRAILER}: ([0-9a-f]{{40}})$", re.MULTILINE)
_SHORT = 7


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


def title_of(paths: Collection[str]) -> str:
    """The title of the pull request and of its commit."""
    return f"Workflows as the configuration says ({len(paths)} file{'s' if len(paths) != 1 else ''})"


def message_of(paths: Collection[str], tree: str) -> str:
    """The commit's message, with the line by which it is known again."""
    listed = "\n".join(f"* {path}" for path in sorted(paths))
    return f"{title_of(paths)}\n\n{listed}\n\nMade by trustsmith render --pr.\n\n{_TRAILER}: {tree}\n"


def foreign(commits: Sequence[Commit]) -> list[Commit]:
    """Those that somebody else made."""
    return [commit for commit in commits if not commit.ours]
