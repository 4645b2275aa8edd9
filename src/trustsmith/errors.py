"""What can go wrong, as one class for each thing the user does next.

Every error carries what happened (`message`), what to type next (`hint`), the service's own words when there are
any (`original`), and the exit code. This module imports nothing of the project and must not print.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class TrustsmithError(Exception):
    """Base of every error that is shown to people.

    message: what happened and what it means, one or two sentences, no trailing hint.
    hint: what to type or do next; may hold several lines.
    original: the service's own text, kept word for word; empty when there is none.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "", original: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.original = original


class UsageError(TrustsmithError):
    """Flags, names or ids that cannot be right; nothing was contacted or nothing was changed (exit 2)."""

    exit_code = 2


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in a file. `line` and `column` count from 1; 0 means the whole file."""

    file: str
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """`file:line:column: message`, as editors and terminals make clickable."""
        where = f"{self.file}:{self.line}:{self.column}" if self.line else self.file
        return f"{where}: {self.message}"

    def as_json(self) -> dict[str, object]:
        """It for machines."""
        return asdict(self)


class ConfigError(TrustsmithError):
    """The configuration has problems, all of which are listed at once (exit 2)."""

    exit_code = 2

    def __init__(self, problems: list[Problem], *, hint: str = "") -> None:
        self.problems = sorted(problems)
        count = len(problems)
        super().__init__(f"{count} problem{'s' if count != 1 else ''} in the configuration", hint=hint)


class Differences(TrustsmithError):
    """`--check` found that the world is not as the file says; `doctor`, `verify` found something (exit 3)."""

    exit_code = 3


class Refused(TrustsmithError):
    """Refused for safety: a hazard, a stale plan, something that is not ours (exit 5)."""

    exit_code = 5


class ServiceError(TrustsmithError):
    """A service failed or said no, after the retry policy had its turn (exit 6).

    service: "entra" | "graph" | "arm" | "foundry" | "github"
    operation: what was attempted, in plain words ("create application agents-dev").
    status: the HTTP status, or 0 when there was no answer.
    code: the service's own code ("Request_ResourceNotFound", "AADSTS700213"), or "".
    unsure: True when the request may or may not have been carried out (a cut connection, a time-out, a 5xx).
    """

    exit_code = 6

    def __init__(
        self,
        message: str,
        *,
        service: str,
        operation: str = "",
        status: int = 0,
        code: str = "",
        unsure: bool = False,
        hint: str = "",
        original: str = "",
    ) -> None:
        super().__init__(message, hint=hint, original=original)
        self.service = service
        self.operation = operation
        self.status = status
        self.code = code
        self.unsure = unsure


class NotFound(ServiceError):
    """The service says that it is not there, or hides it from this caller (404)."""


class Conflict(ServiceError):
    """The service says that something is in the way: a name in use, a limit reached (409, some 400 and 422)."""


class NotSignedIn(ServiceError):
    """Nobody is signed in, or the sign-in is no longer good (exit 4)."""

    exit_code = 4


class NotAllowed(ServiceError):
    """Signed in, but without the right to do this (exit 4)."""

    exit_code = 4


class Incomplete(TrustsmithError):
    """Some changes were made, then something failed: run again to go on (exit 7)."""

    exit_code = 7


class Interrupted(TrustsmithError):
    """Ctrl-C; what was done stays done, and the next run goes on from there (exit 130)."""

    exit_code = 130


def closest(word: str, options: Iterable[str]) -> str:
    """A sentence that offers the option most like `word`, or nothing."""
    from difflib import get_close_matches

    folded = {option.casefold(): option for option in options}
    matches = get_close_matches(word.casefold(), folded, n=1)
    return f"Did you mean '{folded[matches[0]]}'? " if matches else ""
