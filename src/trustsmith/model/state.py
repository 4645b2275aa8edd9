"""State: what is wanted or what was seen, the same type for both. Pure; must not read or write anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trustsmith.model.resource import Key, Later, Resource, Side

if TYPE_CHECKING:
    from trustsmith.model.resources import Application

#: As a key's name: everything of that kind.
ALL = "*"


@dataclass(frozen=True)
class State(Mapping[Key, Resource]):
    """Resources by key.

    deleted: applications in Entra's recycle bin that hold a name of ours, by the key they would have.
    unread: sides that could not be looked at, with the reason. Nothing is said about their resources.
    unseen: single things that could not be looked at, with the reason; `ALL` stands for a whole kind.
    beyond: what the caller has no right to make, with who has.
    proven: trust that a job has shown to work, as (client id, issuer, subject, audience).
    """

    resources: Mapping[Key, Resource] = field(default_factory=dict)
    deleted: Mapping[Key, Application] = field(default_factory=dict)
    unread: Mapping[Side, str] = field(default_factory=dict)
    unseen: Mapping[Key, str] = field(default_factory=dict)
    beyond: Mapping[Key, str] = field(default_factory=dict)
    proven: frozenset[tuple[str, str, str, str]] = frozenset()

    @classmethod
    def of(cls, resources: Iterable[Resource]) -> State:
        """A state of these resources. Raises ValueError when two of them have one key."""
        found: dict[Key, Resource] = {}
        for resource in resources:
            if resource.key in found:
                message = f"two resources are called {resource.key}"
                raise ValueError(message)
            found[resource.key] = resource
        return cls(found)

    def __getitem__(self, key: Key) -> Resource:
        return self.resources[key]

    def __iter__(self) -> Iterator[Key]:
        return iter(self.resources)

    def __len__(self) -> int:
        return len(self.resources)

    def join(self, *others: State) -> State:
        """This state and the others as one."""
        states = (self, *others)
        return State(
            {k: v for s in states for k, v in s.resources.items()},
            {k: v for s in states for k, v in s.deleted.items()},
            {k: v for s in states for k, v in s.unread.items()},
            {k: v for s in states for k, v in s.unseen.items()},
            {k: v for s in states for k, v in s.beyond.items()},
            frozenset().union(*(s.proven for s in states)),
        )

    def why_unseen(self, key: Key, side: Side) -> str:
        """Why nothing can be said about something of that side; empty when it was looked at."""
        every = Key(key.kind, ALL)
        return self.unread.get(side) or self.unseen.get(key) or self.unseen.get(every) or ""

    def known(self, later: Later) -> str | None:
        """The value that a service has minted, when it was seen; a restored application keeps its ids."""
        resource = self.resources.get(later.key) or self.deleted.get(later.key)
        return resource.minted.get(later.field) if resource else None
