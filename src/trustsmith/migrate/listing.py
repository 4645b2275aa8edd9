"""What a scan found, as it is shown: each use with its secret's level, and what takes its place. Frozen values.

Must not read or ask anything, nor hold the value of a secret: there is no field for one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trustsmith.migrate.patterns import PATTERNS, Pattern

if TYPE_CHECKING:
    from trustsmith.errors import Problem
    from trustsmith.migrate.scan import Use

UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One use. level: where its secret lives ("environment prod", "repository", "organization", "none"), or "unknown".

    rewritable: whether `migrate --rewrite` can replace it.
    """

    use: Use
    level: str = UNKNOWN
    rewritable: bool = False

    @property
    def pattern(self) -> Pattern:
        """What kind of use it is."""
        return PATTERNS[self.use.pattern]

    @property
    def secret(self) -> str:
        """The secret's name, or names; "" when it is none of GitHub's, or could not be told."""
        return ", ".join(self.use.secrets)

    def as_json(self) -> dict[str, Any]:
        """The use for machines."""
        return {
            "file": self.use.file,
            "line": self.use.line,
            "column": self.use.column,
            "pattern": self.use.pattern,
            "secret": self.use.secrets[0] if self.use.secrets else "",
            "secrets": list(self.use.secrets),
            "level": self.level,
            "job": self.use.job,
            "entra": self.pattern.entra,
            "replacement": self.pattern.replacement,
            "rewritable": self.rewritable,
        }


@dataclass(frozen=True, kw_only=True)
class Listing:
    """All that a scan found. problems: files that could not be read. files: how many could."""

    entries: tuple[Entry, ...]
    problems: tuple[Problem, ...] = ()
    files: int = 0

    def as_json(self) -> dict[str, Any]:
        """The listing for machines."""
        return {
            "findings": [entry.as_json() for entry in self.entries],
            "problems": [
                {"file": p.file, "line": p.line, "column": p.column, "message": p.message}
                for p in self.problems
            ],
        }
