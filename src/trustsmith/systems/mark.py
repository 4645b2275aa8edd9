"""The text of the variable `TRUSTSMITH` of an environment: what it says, and whether it vouches for what is there.

GitHub never returns a secret's value. So the mark remembers a digest of each id that was written, and when GitHub says
that it was written; a later date means that somebody wrote another value since. Must not contact anything.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

_VERSION = 1


@dataclass(frozen=True)
class MarkText:
    """What we wrote in an environment.

    made: "created" or "adopted". ids: "secret/NAME" or "variable/NAME" → digest of what was written, "" while that is
    not known. written: NAME → GitHub's `updated_at` of that secret.

    A secret with a digest and no date was about to be written when a run ended: it is ours, and of unknown content.
    """

    made: Literal["created", "adopted"]
    ids: Mapping[str, str] = field(default_factory=dict)
    written: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        content = {
            "version": _VERSION,
            "made": self.made,
            "ids": dict(sorted(self.ids.items())),
            "written": dict(sorted(self.written.items())),
        }
        return json.dumps(content, separators=(",", ":"))

    @classmethod
    def parse(cls, text: str) -> MarkText | None:
        """What the variable says; None when it is not something that trustsmith wrote."""
        try:
            content = json.loads(text)
            if content["version"] != _VERSION or content["made"] not in {"created", "adopted"}:
                return None
            return cls(content["made"], _strings(content["ids"]), _strings(content["written"]))
        except (ValueError, TypeError, KeyError, RecursionError):  # RecursionError: too deeply nested
            return None

    def vouches(self, name: str, updated_at: str) -> str | None:
        """The digest of a secret's content, if the secret is as it was written; None when that cannot be said."""
        return self.ids.get(f"secret/{name}") if self.written.get(name) == updated_at else None


def is_newer(text: str) -> bool:
    """Whether a later version of trustsmith wrote the mark: it is not lost, we only cannot read it."""
    try:
        version = json.loads(text)["version"]
    except (ValueError, TypeError, KeyError, RecursionError):
        return False
    return isinstance(version, int) and version > _VERSION


def _strings(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise TypeError
    return value
