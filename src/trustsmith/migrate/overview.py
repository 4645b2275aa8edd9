"""What a look at many repositories found, by risk: each with its uses and its reasons. Frozen values; must not ask anything."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from trustsmith.migrate.risk import entra_of, level, of_organization

if TYPE_CHECKING:
    from trustsmith.migrate.inventory import Stored
    from trustsmith.migrate.listing import Listing
    from trustsmith.migrate.risk import About, Reason


@dataclass(frozen=True, kw_only=True)
class Looked:
    """One repository. listing: None for one that was not read; why: then, and what may be done; empty: it has no commit."""

    about: About
    listing: Listing | None = None
    reasons: tuple[Reason, ...] = ()
    why: str = ""
    empty: bool = False

    @property
    def uses(self) -> int:
        """How many uses it has."""
        return len(self.listing.entries) if self.listing else 0

    @property
    def points(self) -> int:
        """What its reasons count together."""
        return sum(reason.points for reason in self.reasons)

    @property
    def level(self) -> str:
        """What that is called."""
        return level(self.points)

    @property
    def state(self) -> str:
        """What became of it: "read", "empty", or "not read"."""
        return "empty" if self.empty else "read" if self.listing else "not read"

    @property
    def incomplete(self) -> bool:
        """Whether something of it could not be read."""
        return self.state == "not read" or bool(self.listing and self.listing.problems)

    def as_json(self) -> dict[str, Any]:
        """It for machines; its findings are those of a scan."""
        about = self.about
        entra = len(entra_of(self.listing)) if self.listing else 0
        return {
            "repository": about.full_name,
            "state": self.state,
            "why": self.why,
            "visibility": about.visibility,
            "archived": about.archived,
            "fork": about.fork,
            "default_branch": about.branch,
            "pushed": about.pushed,
            "risk": {
                "level": self.level,
                "points": self.points,
                "reasons": [reason.as_json() for reason in self.reasons],
            },
            "uses": {"entra": entra, "other": self.uses - entra},
            **(self._found() if self.listing else {"findings": None}),
        }

    def _found(self) -> dict[str, Any]:
        assert self.listing is not None  # noqa: S101 - asked only then
        found = self.listing.as_json()
        return {key: found[key] for key in ("findings", "secrets", "missing", "notes", "problems")}


@dataclass(frozen=True, kw_only=True)
class Overview:
    """All of an owner's. kind: "organization" or "user". secrets: the organization's; None where those may not be seen."""

    owner: str
    kind: str
    looked: tuple[Looked, ...]
    secrets: tuple[Stored, ...] | None = ()
    notes: tuple[str, ...] = ()

    @cached_property
    def ordered(self) -> tuple[Looked, ...]:
        """The riskiest first; archived ones last, for they run nothing."""
        return tuple(
            sorted(
                self.looked,
                key=lambda each: (each.about.archived, -each.points, -each.uses, each.about.full_name),
            )
        )

    def used_by(self, name: str) -> list[str]:
        """The repositories that use an organization's secret."""
        return sorted(
            each.about.full_name
            for each in self.looked
            if each.listing is not None and name in of_organization(each.listing)
        )

    @property
    def clean(self) -> bool:
        """Whether no repository has a use, and all could be read."""
        return not any(each.uses or each.incomplete for each in self.looked)

    def as_json(self) -> dict[str, Any]:
        """It for machines."""
        return {
            "owner": self.owner,
            "kind": self.kind,
            "repositories": [each.as_json() for each in self.ordered],
            "organization_secrets": None
            if self.secrets is None
            else [each.as_json() | {"used_by": self.used_by(each.name)} for each in self.secrets],
            "notes": list(self.notes),
        }
