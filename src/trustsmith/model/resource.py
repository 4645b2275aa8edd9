"""What every kind of resource has in common: a natural key, values that come later, comparison. Pure; no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Self, TypeVar
from uuid import UUID

from trustsmith.model.foundry import role_slug

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Side = Literal["entra", "azure", "github", "files"]
SIDES: tuple[Side, ...] = ("entra", "azure", "github", "files")
#: Those that services keep: all but the checkout.
LIVE_SIDES: frozenset[Side] = frozenset({"entra", "azure", "github"})


class Key(NamedTuple):
    """The natural name of a thing: readable, and known before the thing exists."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class Later:
    """A value that only a service can mint, known once `key` exists."""

    key: Key
    field: str

    def __str__(self) -> str:
        return "(known after apply)"


Value = str | Later
T = TypeVar("T")


def merged(wanted: T | None, live: T | None, default: T) -> T:
    """`wanted` where the file says so, else what is there, else the service's default."""
    if wanted is not None:
        return wanted
    return default if live is None else live


@dataclass(frozen=True, kw_only=True)
class Resource:
    """Base of all kinds.

    minted: ids that the service made; seen, never compared. owned: ours to delete.
    patient: what it needs has to be there before the run, since it takes minutes to be known everywhere.
    """

    kind: ClassVar[str]
    side: ClassVar[Side]
    patient: ClassVar[bool] = False
    minted: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    owned: bool = field(default=True, compare=False)

    @property
    def key(self) -> Key:
        """The natural key."""
        raise NotImplementedError

    @property
    def title(self) -> str:
        """What people read in a plan."""
        return self.key.name

    @property
    def parents(self) -> frozenset[Key]:
        """What must exist, as configured, before this can."""
        return frozenset()

    @property
    def needs(self) -> frozenset[Key]:
        """The parents, and whatever mints a value that this holds."""
        laters = (getattr(self, f.name) for f in fields(self))
        return self.parents | {value.key for value in laters if isinstance(value, Later)}

    def over(self, live: Mapping[Key, Resource]) -> Self:
        """This, with what the file leaves open taken from what is there."""
        del live
        return self

    def fill(self, known: Callable[[Later], str | None]) -> Self:
        """This, with every `Later` replaced whose value is known."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        filled: dict[str, Any] = {n: known(v) for n, v in values.items() if isinstance(v, Later)}
        return replace(self, **{n: v for n, v in filled.items() if v is not None})

    def shown(self) -> dict[str, Any]:
        """The compared fields as JSON values, for plans and their fingerprint."""
        return {f.name: _plain(getattr(self, f.name)) for f in fields(self) if f.compare}


def _plain(value: Any) -> Any:
    match value:
        case frozenset():
            return sorted(_plain(item) for item in value)
        case UUID():
            return role_slug(value)
        case None | bool() | int() | str() | list():
            return value
        case _:
            return str(value)
