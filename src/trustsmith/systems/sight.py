"""What may be read. The ordinary sight raises what a service refuses; an observer's remembers it, and looks on.

Must not contact anything, nor decide what an unseen thing means: `diff` does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from trustsmith.errors import NotAllowed, NotFound, NotSignedIn, ServiceError
from trustsmith.model.state import State

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from trustsmith.model.resource import Key, Side

T = TypeVar("T")
#: How a service says that something may not be read: GitHub often hides it instead.
HIDDEN: tuple[type[ServiceError], ...] = (NotAllowed, NotSignedIn, NotFound)


@dataclass
class Sight:
    """One run's sight. observing: what may not be read is hidden, and no error. hidden: what is, with the reason."""

    observing: bool = False
    hidden: dict[Key, str] = field(default_factory=dict)

    async def see(self, asked: Awaitable[T], instead: T, hides: Iterable[Key]) -> T:
        """The answer; for an observer who may not have it `instead`, and what that hides is remembered."""
        try:
            return await asked
        except HIDDEN as error:
            if not self.observing:
                raise
            self.hide(hides, why_hidden(error))
            return instead

    def hide(self, keys: Iterable[Key], why: str) -> None:
        """Remember that nothing can be said about these; the first reason stays."""
        for key in keys:
            self.hidden.setdefault(key, why)

    async def side(self, reading: Awaitable[State], side: Side, *, needed: bool) -> State:
        """One side's live state. needed: it is to be changed, so that it must be seen; but by an observer."""
        try:
            return await reading
        except (NotSignedIn, NotAllowed) as error:
            if needed and not self.observing:
                raise
            return State(unread={side: why_hidden(error) if self.observing else error.message})
        except NotFound as error:
            if not self.observing:
                raise
            return State(unread={side: why_hidden(error)})


def why_hidden(error: ServiceError) -> str:
    """Why something may not be read, and what was tried, so that it can be told which right is missing."""
    tried = f" ({error.operation})" if error.operation else ""
    return f"{error.message.rstrip('.')}{tried}."
