"""What a check finds: a credential in a text. Frozen values; must not say where the credential comes from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trustsmith.migrate.expressions import references

if TYPE_CHECKING:
    from trustsmith.migrate.expressions import Reference
    from trustsmith.migrate.repository import Spot
    from trustsmith.migrate.shell import Command

#: How Entra's client secrets look: three characters, the version, `Q~`, and a long rest.
_ENTRA_SECRET = re.compile(r"[\w~.-]{3}\dQ~[\w~.-]{31,}")
_KEY = re.compile(r"[0-9a-f]{32}|[A-Za-z0-9+/]{80,}=*")


@dataclass(frozen=True, kw_only=True, eq=False)
class Hit:
    """A credential that is used. start, end: where it stands in the spot's text. command: that it is handed to."""

    pattern: str
    spot: Spot
    start: int
    end: int
    command: Command | None = None

    @property
    def text(self) -> str:
        """The credential as it is written: mostly an expression or a variable."""
        return self.spot.node.value[self.start : self.end]


def whole_value(pattern: str, spot: Spot) -> Hit:
    """A hit for which the whole text is the credential."""
    return Hit(pattern=pattern, spot=spot, start=0, end=len(spot.node.value))


def mentions(spot: Spot) -> tuple[Reference, ...]:
    """The references in a spot's expressions."""
    return references(spot.node.value, bare=spot.is_condition)


def is_given(text: str) -> bool:
    """Whether a value says anything: not when it is empty, nor for `${{ '' }}`."""
    return bool(re.sub(r"\$\{\{\s*(''|null)?\s*\}\}", "", text).strip(" \t\r\n'\""))


def is_secret(text: str) -> bool:
    """Whether a value is computed, or spelled out and looks like a secret or a key."""
    return "${{" in text or _ENTRA_SECRET.search(text) is not None or _KEY.fullmatch(text.strip()) is not None


def is_minted(spot: Spot) -> bool:
    """Whether a value is what a step of the job has made, and so is not long-lived; or GitHub's own token."""
    found = mentions(spot)
    own = all(each.name == "GITHUB_TOKEN" for each in found if each.context == "secrets")
    return own and (
        any(each.context in {"steps", "needs"} for each in found)
        or any(each.context == "secrets" for each in found)
        or "github.token" in spot.node.value
    )
