"""What a scan found, as it is shown: each use with its secret's level, and what takes its place. Frozen values.

Must not read or ask anything, nor hold the value of a secret: there is no field for one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trustsmith.migrate.inventory import (
    NOWHERE,
    UNKNOWN,
    Seen,
    handed_on,
    level,
    missing,
    relevant,
    unreferenced,
)
from trustsmith.migrate.patterns import PATTERNS, Pattern

if TYPE_CHECKING:
    from collections.abc import Collection

    from trustsmith.errors import Problem
    from trustsmith.migrate.inventory import Stored
    from trustsmith.migrate.repository import Repository
    from trustsmith.migrate.scan import Use


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
    """All that a scan found. problems: files that could not be read. files: how many could. today: as Entra spells it.

    forgotten: secrets that nothing names any more. missing: names that are used, and that no secret has.
    handed_on: files that hand all secrets to somebody else, so that what is forgotten is not sure.
    """

    entries: tuple[Entry, ...]
    seen: Seen = field(default_factory=Seen)
    problems: tuple[Problem, ...] = ()
    files: int = 0
    today: str = ""
    stored: tuple[Stored, ...] = ()
    forgotten: tuple[Stored, ...] = ()
    missing: tuple[str, ...] = ()
    handed_on: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The listing for machines. What GitHub was not asked about is null."""
        known = self.seen.stored is not None
        forgotten = {id(each) for each in self.forgotten}
        return {
            "findings": [entry.as_json() for entry in self.entries],
            "secrets": [each.as_json() | {"forgotten": id(each) in forgotten} for each in self.stored]
            if known
            else None,
            "missing": list(self.missing) if known else None,
            "applications": [each.as_json(self.today) for each in self.seen.identities],
            "notes": list(self.seen.notes),
            "problems": [problem.as_json() for problem in self.problems],
        }

    @property
    def clean(self) -> bool:
        """Whether there is nothing to migrate and nothing left over."""
        return not (self.entries or self.forgotten or self.problems)


def listing(
    repository: Repository,
    uses: list[Use],
    *,
    seen: Seen,
    problems: list[Problem],
    today: str,
    left: Collection[Use] = (),
) -> Listing:
    """What was found in the checkout beside what was seen at GitHub and Entra. left: what cannot be rewritten."""
    return Listing(
        entries=tuple(Entry(use=use, level=level(use, seen), rewritable=use not in left) for use in uses),
        seen=seen,
        problems=tuple(problems),
        files=len(repository.workflows),
        today=today,
        stored=tuple(relevant(seen.stored or (), uses)),
        forgotten=tuple(unreferenced(repository, seen)),
        missing=tuple(missing(uses, seen)),
        handed_on=tuple(handed_on(repository)),
    )


__all__ = ["NOWHERE", "UNKNOWN", "Entry", "Listing", "listing"]
