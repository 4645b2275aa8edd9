"""Systems: each turns what one service answers into resources (Reader), and changes into calls (Writer).

A Reader cannot write: planning code is handed Readers only. Nothing here prints, retries or decides what is wanted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from trustsmith.model.facts import Facts
    from trustsmith.model.plan import Change
    from trustsmith.model.state import State

T = TypeVar("T")
Minted = Mapping[str, str]


class Reader(Protocol):
    """Sees what is there."""

    async def read(self, wanted: State, facts: Facts, identities: Awaitable[State]) -> State:
        """What is there of what is wanted or ours.

        identities: Entra's part of the live state, for those who need to know principals.
        """
        ...


class Writer(Protocol):
    """Carries out one change."""

    async def write(self, change: Change, facts: Facts) -> Minted:
        """Do it, and return what the service minted. `change.after` holds no `Later` any more."""
        ...


async def unasked(value: T) -> T:
    """What stands for an answer where there is nothing to ask."""
    return value


async def together(*asked: Awaitable[Any]) -> list[Any]:
    """All answers, or the first error by order; nothing is left running behind."""
    answers = await asyncio.gather(*asked, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return answers
