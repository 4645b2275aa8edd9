"""A job's log as GitHub writes one: a timestamp on each line, secrets starred out.

It must not know where the lines come from.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class JobLog:
    """Collects lines; ``now`` gives seconds since 1970."""

    def __init__(self, now: Callable[[], float], secrets: Iterable[str]) -> None:
        self._now = now
        self._masks: set[str] = set()
        self._lines: list[str] = []
        for secret in secrets:
            self.mask(secret)

    def mask(self, secret: str) -> None:
        """Star a text out from now on, and each of its lines."""
        self._masks |= {part for part in (secret, *secret.splitlines()) if part.strip()}

    def masked(self, text: str) -> str:
        """Return the text with every secret as ``***``, the longest first."""
        for secret in sorted(self._masks, key=len, reverse=True):
            text = text.replace(secret, "***")
        return text

    def write(self, text: str) -> None:
        """Add the lines of a text."""
        moment = datetime.fromtimestamp(self._now(), UTC)
        stamp = f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06}0Z"
        self._lines += [f"{stamp} {line}" for line in self.masked(text).split("\n")]

    def problem(self, text: str) -> None:
        """Add what went wrong; nothing for an empty text."""
        if text:
            self.write(f"##[error]{text}")

    @property
    def text(self) -> str:
        """The whole log."""
        return "".join(f"{line}\n" for line in self._lines)
