"""An identity: its roles as the file gives them, what its jobs do, and whether the one permits the other. Pure.

Must not say what is to be done about it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from trustsmith.desire import grant_scopes
from trustsmith.generated import scalar
from trustsmith.grants.proposals import DOCUMENTED
from trustsmith.model.conditions import Attempt, Truth, either
from trustsmith.model.foundry import role_name
from trustsmith.model.operations import LEVELS
from trustsmith.model.rights import permit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from uuid import UUID

    from trustsmith.model.advice import Jobs
    from trustsmith.model.config import Environment
    from trustsmith.model.operations import Level, Operation

Json = dict[str, Any]


class Entry(NamedTuple):
    """A role as the file has it. scope: in the file's words; scopes: as ARM ids. because: empty for the project role."""

    environment: str
    role: UUID
    scope: str
    scopes: tuple[str, ...]
    because: str

    def reaches(self, target: str) -> bool:
        """Whether it counts for something with this ARM id."""
        below = target.lower()
        return any(below == s.lower() or below.startswith(f"{s.lower().rstrip('/')}/") for s in self.scopes)


class Need(NamedTuple):
    """An operation, at the ARM id where Azure checks whether it is permitted."""

    operation: Operation
    target: str


class Proposed(NamedTuple):
    """A role that would do for operations, at the level where it is needed; None for one that we do not know."""

    role: UUID | None
    level: Level
    operations: tuple[Operation, ...]


class Roles:
    """What roles permit."""

    def __init__(self, definitions: Mapping[UUID, Json]) -> None:
        """definitions: ARM's, of those that could be read."""
        self.definitions = definitions
        self.permit = cache(self._permit)
        self.would_permit = cache(self._would_permit)

    def _permit(self, role: UUID, operation: Operation) -> Truth:
        """Whether it does, by Azure; None when that was not read, or a condition leaves it open."""
        definition = self.definitions.get(role)
        if definition is None:
            return None
        return _permits((definition.get("properties") or {}).get("permissions") or (), operation)

    def _would_permit(self, role: UUID, operation: Operation) -> bool:
        """Whether a role that may be proposed would: by Azure where that was read, else as documented."""
        if role in self.definitions:
            return self._permit(role, operation) is True
        return _permits([DOCUMENTED[role]], operation) is True

    def name(self, role: UUID) -> str:
        """What Azure calls it now, else what we do."""
        properties = self.definitions.get(role, {}).get("properties") or {}
        return str(properties.get("roleName") or role_name(role))

    def proposed(self, operations: Iterable[Operation]) -> list[Proposed]:
        """The narrowest roles that permit these between them; one that another of them makes superfluous is left out."""
        wanted: dict[UUID | None, list[Operation]] = {}
        for operation in operations:
            narrowest = next((role for role in DOCUMENTED if self.would_permit(role, operation)), None)
            wanted.setdefault(narrowest, []).append(operation)
        for role in [role for role in DOCUMENTED if role in wanted]:
            for other in [other for other in wanted if other not in (role, None)]:
                if self._do_as_well(other, wanted[other], wanted[role]):
                    wanted[other] += wanted.pop(role)
                    break
        return [Proposed(role, highest(does), tuple(does)) for role, does in wanted.items()]

    def _do_as_well(self, role: UUID, there: Sequence[Operation], more: Sequence[Operation]) -> bool:
        """Whether a role that is given for some operations permits others as well, where it is given."""
        reach = LEVELS.index(highest(there))
        return all(LEVELS.index(o.at) <= reach and self.would_permit(role, o) for o in more)


def _permits(permissions: Iterable[Json], operation: Operation) -> Truth:
    return permit(permissions, Attempt(operation.action), "dataActions" if operation.data else "actions")


def highest(operations: Iterable[Operation]) -> Level:
    """The widest level of them."""
    return max((operation.at for operation in operations), key=LEVELS.index)


@dataclass(frozen=True)
class Holder:
    """An identity. environments: those whose jobs sign in as it. jobs: by environment."""

    environments: Sequence[Environment]
    jobs: Mapping[str, Jobs]
    roles: Roles

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """All its roles in the file."""
        return tuple(entry for environment in self.environments for entry in _entries(environment))

    @cached_property
    def needs(self) -> tuple[Need, ...]:
        """All that its jobs are declared to do, each once."""
        needs = (need for environment in self.environments for need in self.needs_of(environment))
        return tuple(dict.fromkeys(needs))

    @property
    def more(self) -> bool:
        """Whether they may do more than that."""
        return any(jobs.more for jobs in self.jobs.values())

    def needs_of(self, environment: Environment) -> list[Need]:
        """What the jobs of one environment do, to each of its projects."""
        does = self.jobs[environment.name].operations
        return [
            Need(operation, project.at(operation.at))
            for operation in does
            for project in environment.projects
        ]

    def permits(self, entry: Entry, need: Need) -> Truth:
        """Whether one role permits it."""
        return entry.reaches(need.target) and self.roles.permit(entry.role, need.operation)

    def permitted(self, need: Need, entries: Iterable[Entry]) -> Truth:
        """Whether any of these roles permits it."""
        return either([self.permits(entry, need) for entry in entries])

    def level(self, entry: Entry) -> Level | None:
        """Where a role is, among the projects and what they are in; None for one that is somewhere else."""
        found = {self._places.get(scope.lower()) for scope in entry.scopes}
        return found.pop() if len(found) == 1 else None

    @cached_property
    def _places(self) -> Mapping[str, Level]:
        return {p.at(at).lower(): at for e in self.environments for p in e.projects for at in LEVELS}

    def scopes(self, environment: str, level: Level) -> tuple[str, ...]:
        """The ARM ids that a scope of the file means in that environment."""
        (found,) = (each for each in self.environments if each.name == environment)
        return tuple(sorted({project.at(level) for project in found.projects}))


def _entries(environment: Environment) -> Iterator[Entry]:
    projects = tuple(project.id for project in environment.projects)
    yield Entry(environment.name, environment.role, "project", projects, "")
    for grant in environment.grants:
        scopes = tuple(grant_scopes(grant, environment.projects))
        yield Entry(environment.name, grant.role, grant.scope, scopes, grant.because)


# -- words ---------------------------------------------------------------------------------------------------------


def listed(texts: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`; each once."""
    *first, last = dict.fromkeys(texts) or [""]
    return f"{', '.join(first)} and {last}" if first else last


def grant_text(role: str, scope: str, because: str) -> str:
    """A grant as it stands in the file."""
    return f"- {{role: {role}, scope: {scope}, because: {scalar(because)}}}"
