"""GitHub's rate limits: requests an hour, points a minute, requests at once; for each token.

Numbers from GitHub's "rate limits for the REST API": 5,000 requests an hour, 900 points a minute (a read
is 1, a write 5), 100 at once. Counts are kept beside the world and start again when it is reset. It must
not look at what a request asks for beyond its method and path.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trustsmith_sandbox.github_access import token_of
from trustsmith_sandbox.github_wire import refusal

if TYPE_CHECKING:
    from trustsmith_sandbox.http import Call
    from trustsmith_sandbox.world import World

AN_HOUR = 5000
POINTS_A_MINUTE = 900
AT_ONCE = 100
_WRITE_POINTS = 5
_MINUTE, _HOUR = 60.0, 3600.0
_TEXT = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."


@dataclass
class _Count:
    running: int = 0
    used: int = 0
    until: float = 0.0
    points: deque[tuple[float, int]] = field(default_factory=deque)


@dataclass
class Limits:
    """The counts of every token, and the switch."""

    on: bool = True
    counts: dict[str, _Count] = field(default_factory=dict)
    world_data: Any = None

    def count(self, world: World, token: str) -> _Count:
        """Return the token's counts in this hour and this world."""
        if self.world_data is not world.data:
            self.world_data, self.counts = world.data, {}
        count = self.counts.setdefault(token, _Count())
        if count.until <= world.now():
            count.used, count.until = 0, world.now() + _HOUR
        return count


def limits(world: World) -> Limits:
    """Return the world's limits; ``on`` switches all of them."""
    return world.kept("github.limits", Limits)


def enter(call: Call) -> None:
    """Count a request. Raises 403 when it is one too many; ``leave`` must be called all the same."""
    state, now = limits(call.world), call.world.now()
    count = state.count(call.world, token_of(call))
    count.running += 1
    count.used += 1
    while count.points and count.points[0][0] <= now - _MINUTE:
        count.points.popleft()
    reads = call.method in {"GET", "HEAD", "OPTIONS"} or call.path.endswith("/graphql")
    points = 1 if reads else _WRITE_POINTS
    if not state.on:
        return
    if count.used > AN_HOUR:
        raise refusal(403, "API rate limit exceeded for this token.")
    if count.running > AT_ONCE or sum(spent for _, spent in count.points) + points > POINTS_A_MINUTE:
        raise refusal(403, _TEXT, headers={"Retry-After": "60"})
    count.points.append((now, points))


def leave(call: Call) -> dict[str, str]:
    """Return the headers that say what is left, and count the request as answered."""
    count = limits(call.world).count(call.world, token_of(call))
    count.running = max(count.running - 1, 0)
    return {f"X-RateLimit-{name.title()}": str(value) for name, value in overview(call).items()}


def overview(call: Call) -> dict[str, Any]:
    """Return the token's hour: ``limit``, ``remaining``, ``used``, ``reset`` (Unix time), ``resource``."""
    count = limits(call.world).count(call.world, token_of(call))
    left = max(AN_HOUR - count.used, 0)
    return {
        "limit": AN_HOUR,
        "remaining": left,
        "used": count.used,
        "reset": int(count.until),
        "resource": "core",
    }
