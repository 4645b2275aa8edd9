"""Faults on request: which request goes wrong, and how.

A fault names a service, a method, a path, which match it strikes (``nth``, from 1) and how often (``times``).
It must not act; ``server`` does what the fault says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

KINDS = ("before", "after", "cut", "cut-before", "garbage", "slow")


@dataclass
class Fault:
    """One fault; ``seen`` counts the requests that matched it so far.

    ``when``: ``before`` answers ``status`` without doing it, ``after`` does it first; ``cut`` does it and
    closes the connection without an answer, ``cut-before`` does not do it; ``garbage`` does it and answers 200
    with a broken body; ``slow`` waits ``retry_after`` seconds (default 1) first. A ``path`` that starts with
    ``/`` or ``*`` is a shell pattern for the whole path, any other a regular expression to find in it.
    """

    service: str = "*"
    method: str = "*"
    path: str = "*"
    nth: int = 1
    when: str = "before"
    status: int = 503
    retry_after: float | None = None
    times: int = 1
    seen: int = field(default=0, compare=False)

    def strikes(self, service: str, method: str, path: str) -> bool:
        """Count a request, and say whether this fault hits it."""
        who = fnmatchcase(service, self.service) and fnmatchcase(method, self.method.upper())
        if not (who and self.is_at(path)):
            return False
        self.seen += 1
        return self.nth <= self.seen < self.nth + self.times

    def is_at(self, path: str) -> bool:
        """Whether the path is one that the fault is about; raises ``re.error`` for a bad expression."""
        if self.path.startswith(("/", "*")):
            return fnmatchcase(path.lower(), self.path.lower())
        return re.search(self.path, path, re.IGNORECASE) is not None


@dataclass
class Faults:
    """The faults that were asked for, in that order."""

    listed: list[Fault] = field(default_factory=list)

    def add(self, wanted: dict[str, Any]) -> Fault:
        """Add a fault from JSON; raises ``ValueError`` for a key or a kind that does not exist."""
        known = {name for name in Fault.__dataclass_fields__ if name != "seen"}
        if unknown := sorted(wanted.keys() - known):
            raise ValueError(f"unknown key {unknown[0]}; known: {', '.join(sorted(known))}")
        fault = Fault(**{key: value for key, value in wanted.items() if value is not None})
        if fault.when not in KINDS:
            raise ValueError(f"when is one of {', '.join(KINDS)}")
        try:
            fault.is_at("")
        except (re.error, AttributeError) as reason:
            raise ValueError(f"path is neither a pattern nor a regular expression: {reason}") from None
        self.listed.append(fault)
        return fault

    def hit(self, service: str, method: str, path: str) -> Fault | None:
        """Return the first fault that strikes this request; every fault counts it."""
        struck = [fault for fault in self.listed if fault.strikes(service, method, path)]
        return struck[0] if struck else None
