"""A job's log as GitHub writes one: a timestamp on each line, secrets starred out, workflow commands read.

It must not know where the lines come from.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_COMMAND = re.compile(r"::([a-z-]+)(?: .*?)?::(.*)", re.DOTALL)
_SHOWN = {"group", "endgroup", "error", "warning", "notice"}
_HIDDEN = {"debug", "stop-commands", "save-state", "set-output", "add-matcher", "remove-matcher", "echo"}


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

    def output(self, line: str) -> None:
        """Add a line that a step printed, doing what it asks for if it is a workflow command."""
        found = _COMMAND.fullmatch(line.strip())
        name, text = (found[1], unquote(found[2])) if found else ("", "")
        if name == "add-mask":
            self.mask(text)
        elif name in _SHOWN:
            self.write(f"##[{name}]{text}")
        elif name not in _HIDDEN:
            self.write(line)

    @property
    def text(self) -> str:
        """The whole log."""
        return "".join(f"{line}\n" for line in self._lines)
