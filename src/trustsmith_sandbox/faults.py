"""Faults on request: which request goes wrong, and how.

A fault names a service, a method, a path (shell wildcards, case ignored) and which match it strikes (``nth``, from
1) how often (``times``). It must not act; ``server`` does what the fault says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

KINDS = ("before", "after", "cut", "cut-before", "garbage", "slow")


@dataclass
class Fault:
    """One fault; ``seen`` counts the requests that matched it so far.

    ``when``: ``before`` answers ``status`` without doing it, ``after`` does it first; ``cut`` does it and
    closes the connection without an answer, ``cut-before`` does not do it; ``garbage`` does it and answers 200
    with a broken body; ``slow`` waits ``retry_after`` seconds (default 1) first.
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
        wanted = ((service, self.service), (method, self.method.upper()), (path.lower(), self.path.lower()))
        if not all(fnmatchcase(value, pattern) for value, pattern in wanted):
            return False
        self.seen += 1
        return self.nth <= self.seen < self.nth + self.times


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
        self.listed.append(fault)
        return fault

    def hit(self, service: str, method: str, path: str) -> Fault | None:
        """Return the first fault that strikes this request; every fault counts it."""
        struck = [fault for fault in self.listed if fault.strikes(service, method, path)]
        return struck[0] if struck else None
