"""GitHub's limits on how fast one may ask, kept before GitHub has to say no.

REST allows 900 points in a minute (a read is 1, a write 5) and answers more with a secondary limit, which
lasts longer the more often it is met. Counting is for one process: GitHub tells nobody what is left of these
points. This module must not know requests or answers, only points and seconds.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from dataclasses import dataclass, field

READ = 1
WRITE = 5


@dataclass
class Limiter:
    """`points` in any `window` seconds at most (GitHub docs: rate limits for the REST API).

    A little below what is documented, since the two clocks and the network lie between. After a secondary
    limit, writes are `slow` seconds apart for the rest of the process, as GitHub advises.
    """

    points: int = 850
    window: float = 62.0
    slow: float = 1.0
    _spent: deque[tuple[float, int]] = field(default_factory=deque)
    _used: int = 0
    _hold_until: float = 0.0
    _next_write: float = 0.0
    _met: bool = False
    _told: float = 0.0

    async def admit(self, cost: int) -> None:
        """Return when a request of `cost` points may be sent; what it costs is counted from then on."""
        wait = self._wait(cost)
        while wait > 0:  # asked again after each sleep, since others may have been admitted meanwhile
            await asyncio.sleep(wait)
            wait = self._wait(cost)
        now = time.monotonic()
        self._spent.append((now, cost))
        self._used += cost
        if cost >= WRITE:
            self._next_write = now + self.slow

    def wait_for(self, cost: int) -> float:
        """Seconds until a request of `cost` points may be sent."""
        return max(0.0, self._wait(cost))

    def is_news(self, wait: float) -> bool:
        """Whether nobody has been told of this wait yet; many requests may wait for the same moment."""
        until = time.monotonic() + wait
        news, self._told = until > self._told + 1, max(until, self._told)
        return news

    def hold(self, seconds: float, *, secondary: bool) -> None:
        """Send nothing for `seconds`, since GitHub said so; `secondary` also slows writes from now on."""
        self._hold_until = max(self._hold_until, time.monotonic() + seconds)
        self._met = self._met or secondary

    def _wait(self, cost: int) -> float:
        now = time.monotonic()
        while self._spent and self._spent[0][0] <= now - self.window:
            self._used -= self._spent.popleft()[1]
        wait = self._hold_until - now
        if self._met and cost >= WRITE:
            wait = max(wait, self._next_write - now)
        if self._used + cost > self.points:
            wait = max(wait, self._spent[0][0] + self.window - now)
        return wait
