"""The one store of the sandbox: every object of every service, the clock, and replication lag.

``World.data`` is a tree of JSON-native values; services read and write it directly. It must not hold keys
or anything else that cannot be written as JSON: such things are ``kept`` beside it and survive a reset.
It must not know HTTP.
"""

from __future__ import annotations

import copy
import itertools
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from trustsmith_sandbox.names import Names

T = TypeVar("T")
Data = dict[str, Any]
_FIRST_NEW_ID = 900_000_001


@dataclass
class Lag:
    """Seconds until something written can be seen: by readers (``replication``), by access checks (``roles``)."""

    replication: float = 0.0
    roles: float = 0.0


class World:
    """Everything there is, in ``data``; see ``docs/sandbox.md`` for its shape."""

    def __init__(self, names: Names, start: Data) -> None:
        self.names = names
        self.lag = Lag()
        self._start = start
        self._kept: dict[str, Any] = {}
        self._advance = 0.0
        self._ids = itertools.count(_FIRST_NEW_ID)
        self.data: Data = copy.deepcopy(start)

    def now(self) -> float:
        """Seconds since 1970, including what the clock was advanced by."""
        return time.time() + self._advance

    def advance(self, seconds: float) -> None:
        """Move the clock: forward for expiry and lag, backward for skew."""
        self._advance += seconds

    def stamp(self, *, fraction: bool = False, offset: float = 0.0) -> str:
        """Return the time as ISO 8601 with a Z, in whole seconds or with seven decimals as ARM and Graph do."""
        moment = datetime.fromtimestamp(self.now() + offset, UTC)
        return moment.strftime("%Y-%m-%dT%H:%M:%S") + (f".{moment.microsecond:06}0Z" if fraction else "Z")

    def next_id(self) -> int:
        """Return a numeric id that was never given out, not even before a reset."""
        return next(self._ids)

    def guid(self) -> str:
        """Return a new GUID."""
        return str(uuid.uuid4())

    def reset(self, seed: Mapping[str, Any] | None = None) -> None:
        """Go back to the start, or to ``seed``; parts of the world that the seed leaves out are the start's.

        The clock goes back too. Keys, ids given out, and settings such as lag stay as they are.
        """
        self._advance = 0.0
        self.data = copy.deepcopy(self._start | dict(seed or {}))

    def kept(self, name: str, make: Callable[[], T]) -> T:
        """Return the one object of that name (a key, a client, counters), made on first use; survives resets."""
        if name not in self._kept:
            self._kept[name] = make()
        kept: T = self._kept[name]
        return kept

    def written(self, thing: Data) -> Data:
        """Mark an object as just created, so that lag hides it for a while; returns the same object."""
        thing["_written"] = self.now()
        return thing

    def visible(self, thing: Mapping[str, Any], *, lag: float | None = None) -> bool:
        """Whether the object has replicated (``lag`` None: the world's replication lag)."""
        wait = self.lag.replication if lag is None else lag
        return bool(thing.get("_written", 0.0) + wait <= self.now())

    def seen(self, things: Iterable[Data]) -> list[Data]:
        """Return those that have replicated."""
        return [thing for thing in things if self.visible(thing)]

    def state(self) -> Data:
        """Return a copy of everything, as ``reset`` and ``--seed`` take it."""
        cleaned: Data = _without_times(self.data)
        return cleaned


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_times(v) for k, v in value.items() if k != "_written"}
    return [_without_times(v) for v in value] if isinstance(value, list) else value
