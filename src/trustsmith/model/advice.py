"""Advice about the roles of an environment: what its jobs do, against what the file lets them. Frozen values; no I/O.

Advice holds nothing up. It is neither a difference nor a hazard, and a plan's fingerprint does not hang on it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from trustsmith.model.operations import Operation

#: missing: no role of the file permits what the jobs do. too-wide: a role reaches further than all that the jobs do;
#: perhaps-too-wide: the same, where jobs also run what is not declared. unknown: it could not be told.
#: undeclared: nothing says what the jobs do. not-looked-at: Azure was not asked.
Kind = Literal["fine", "missing", "too-wide", "perhaps-too-wide", "unknown", "undeclared", "not-looked-at"]


@dataclass(frozen=True, kw_only=True)
class Advice:
    """One remark about the roles of an environment.

    role, scope: of the grant that it is about, as the file says them; when it is missing, as it would say them.
    because: the file's reason for that grant. why: what was seen and what it means. next: what to write in the file.
    """

    environment: str
    kind: Kind
    why: str
    role: str = ""
    scope: str = ""
    because: str = ""
    next: str = ""

    def as_json(self) -> dict[str, Any]:
        """The advice in the form of a saved plan."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Jobs:
    """What the jobs of one environment do in Azure, as far as it is declared.

    more: they may do more than that. They run code of the repository's own, or others sign in as the same identity, or
    nothing is known of them.
    """

    operations: tuple[Operation, ...] = ()
    more: bool = True
