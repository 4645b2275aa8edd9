"""What the jobs of a workflow do in Azure, as templates declare it. Pure data; must not judge who may do it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["project", "account", "resource-group", "subscription"]
LEVELS: tuple[Level, ...] = ("project", "account", "resource-group", "subscription")


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One thing that jobs do.

    does: in words, after "its jobs": "create and update agents".
    action: that permits it; data: whether it is a data action. at: which of the project and what is above it it is done to.
    """

    does: str
    action: str
    data: bool
    at: Level
