"""A plan: changes as data, in an order that follows from what they need. Pure; must not carry anything out."""

from __future__ import annotations

import hashlib
import json
import shlex
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from trustsmith.model.environments import EnvironmentSecret, EnvironmentVariable, GitHubEnvironment
from trustsmith.model.resources import (
    Application,
    FederatedCredential,
    WorkflowFile,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from trustsmith.errors import Problem
    from trustsmith.model.advice import Advice
    from trustsmith.model.resource import Key, Resource, Side

Verb = Literal["create", "update", "restore", "delete", "check"]
SCHEMA = 1


@dataclass(frozen=True)
class Change:
    """One thing to do. `before` is None for a create, `after` for a delete; a check changes nothing.

    implied: follows from other changes and is not shown on its own: an environment read back after it was written, a
    mark refreshed after the ids it vouches for. word: by which `--allow` takes something that goes only by name, where
    that is not `remove=NAME`.
    """

    verb: Verb
    before: Resource | None
    after: Resource | None
    why: str
    implied: bool = False
    word: str = ""

    @property
    def by_name(self) -> str:
        """What `--allow` takes for it, when it goes only by name."""
        return self.word or f"remove={self.key.name}"

    @property
    def resource(self) -> Resource:
        """What the change is about."""
        resource = self.after or self.before
        if resource is None:
            message = "a change is about something"
            raise ValueError(message)
        return resource

    @property
    def key(self) -> Key:
        """The key of what the change is about."""
        return self.resource.key

    @property
    def side(self) -> Side:
        """Whose right it takes."""
        return self.resource.side

    def as_json(self) -> dict[str, Any]:
        """The change in the form of a saved plan."""
        return {
            "verb": self.verb,
            "kind": self.key.kind,
            "name": self.key.name,
            "why": self.why,
            "before": self.before.shown() if self.before else None,
            "after": self.after.shown() if self.after else None,
            **({"word": self.word} if self.word else {}),
        }


@dataclass(frozen=True)
class Waiting:
    """Something wanted that somebody else's part must come before.

    unseen: why it could not be looked at whether that part is there; empty when it could.
    """

    key: Key
    reason: str
    unseen: str = ""

    def as_json(self) -> dict[str, str]:
        """The entry in the form of a saved plan."""
        return {"kind": self.key.kind, "name": self.key.name, "why": self.reason}


@dataclass(frozen=True)
class NotCompared:
    """Something of which nothing can be said, since the caller may not read it."""

    key: Key
    reason: str

    def as_json(self) -> dict[str, str]:
        """The entry in the form of a plan."""
        return {"kind": self.key.kind, "name": self.key.name, "why": self.reason}


@dataclass(frozen=True)
class Hazard:
    """Something that needs a word of its own.

    id: `HAZARD=NAME`, as `--allow` takes it. allowable: False when no word will do. allowed: it was given.
    """

    id: str
    why: str
    hint: str = ""
    allowable: bool = True
    allowed: bool = False

    def as_json(self) -> dict[str, Any]:
        """The hazard in the form of a saved plan."""
        allowable = self.allowable
        return {
            "id": self.id,
            "why": self.why,
            "hint": self.hint,
            "allowable": allowable,
            "allowed": self.allowed,
        }


def fingerprint_of(document: Mapping[str, Any]) -> str:
    """The fingerprint of a plan's JSON, computed from what it says; hazards count by name, allowed or not.

    Raises KeyError or TypeError for a document that is no plan.
    """
    entries = [entry for part in ("changes", "strays", "waiting") for entry in document[part]]
    lines = sorted(json.dumps(entry, sort_keys=True) for entry in entries)  # services list in any order
    lines += sorted(str(hazard["id"]) for hazard in document["hazards"])
    return hashlib.sha256("\n".join(lines).encode(errors="backslashreplace")).hexdigest()


@dataclass(frozen=True)
class Plan:
    """What would change, what waits for somebody else, and what is dangerous about it.

    strays: things on our own identities that are not ours (a credential or a grant that somebody added); they count
    as differences, and are only removed by name. notes: remarks for people. rights: advice about the roles of each
    environment, which changes nothing about the plan. not_compared: what an observer may not read; a plan with such parts
    is a report, and nobody carries it out. broken: what edits of generated files made of them that none of those may be;
    only people can mend that. one_by_one: in the order of the changes, and not beyond one that fails.
    """

    changes: tuple[Change, ...] = ()
    strays: tuple[Change, ...] = ()
    waiting: tuple[Waiting, ...] = ()
    hazards: tuple[Hazard, ...] = ()
    notes: tuple[str, ...] = ()
    rights: tuple[Advice, ...] = ()
    not_compared: tuple[NotCompared, ...] = ()
    broken: tuple[Problem, ...] = ()
    one_by_one: bool = False

    @property
    def shown(self) -> tuple[Change, ...]:
        """The changes that stand for themselves."""
        return tuple(change for change in self.changes if not change.implied)

    @property
    def clean(self) -> bool:
        """Everything was compared: nothing is to do, and nothing is there that should not be."""
        return not (self.changes or self.strays or self.not_compared or self.broken)

    @property
    def blocked(self) -> tuple[Hazard, ...]:
        """The hazards that were not allowed."""
        return tuple(hazard for hazard in self.hazards if not hazard.allowed)

    @property
    def command(self) -> str:
        """What carries it out, everything dangerous in it allowed by name."""
        words = [hazard.id for hazard in self.hazards if hazard.allowable]
        return "trustsmith apply" + "".join(f" --allow {shlex.quote(word)}" for word in words)

    @cached_property
    def fingerprint(self) -> str:
        """A hash of everything that is shown; equal plans have equal fingerprints."""
        return fingerprint_of(self._content())

    def as_json(self) -> dict[str, Any]:
        """The saved plan. It only grows. One with parts that were not compared has no fingerprint, and so is no pin."""
        return {
            "schema": SCHEMA,
            "fingerprint": None if self.not_compared else self.fingerprint,
            **self._content(),
            "not_compared": [entry.as_json() for entry in self.not_compared],
            "notes": list(self.notes),
            "rights": [advice.as_json() for advice in self.rights],
            "broken": [problem.as_json() for problem in self.broken],
        }

    def _content(self) -> dict[str, Any]:
        return {
            "changes": [change.as_json() for change in self.shown],
            "strays": [change.as_json() for change in self.strays],
            "waiting": [entry.as_json() for entry in self.waiting],
            "hazards": [hazard.as_json() for hazard in self.hazards],
        }

    @cached_property
    def order(self) -> Mapping[Change, frozenset[Change]]:
        """For each change, those that must be done before it.

        The new way in comes first, the old way out last: deletions wait for everything else. A credential waits until
        its environment was read back. A mark is refreshed when all ids that it vouches for are done. Credentials of one
        application are written one after another.
        """
        ups = [change for change in self.changes if change.verb != "delete" and not change.implied]
        downs = [change for change in self.changes if change.verb == "delete"]
        by_key = {change.key: change for change in ups}
        checks = {change.key: change for change in self.changes if change.verb == "check"}
        order: dict[Change, frozenset[Change]] = {
            check: frozenset({by_key[key]}) for key, check in checks.items() if key in by_key
        }
        environments = [other for other in ups if isinstance(other.resource, GitHubEnvironment)]
        for change in ups:
            first = by_key | checks if isinstance(change.resource, FederatedCredential) else by_key
            needed = {first[key] for key in change.resource.needs if key in first} - {change}
            order[change] = frozenset(
                needed | _previous_credential(change, order) | _canary(change, ups, environments)
            )
        for change in downs:
            children = {other for other in downs if _goes_first(other, change)}
            order[change] = frozenset(
                {*ups, *checks.values()} | children | _previous_credential(change, order)
            )
        for change in self.changes:
            if change.implied and change.verb == "update":
                order[change] = frozenset(other for other in (*ups, *downs) if _vouched(change, other))
        if self.one_by_one:
            for before, change in pairwise(self.changes):
                order[change] |= {before}
        return order


def _goes_first(other: Change, change: Change) -> bool:
    """Whether another deletion comes before this one, as children do before what they need.

    Grants go before their identity: once that is gone, nothing tells whose they were. An environment goes after all
    that may still trust it: GitHub makes a missing environment anew, unprotected, for the first job that names it.
    """
    match change.resource:
        case Application(unique_name=name) if getattr(other.resource, "identity", None) == name:
            return True
        case GitHubEnvironment() if other.side == "entra":
            return True
        case _:
            return change.key in other.resource.needs


def _canary(change: Change, ups: list[Change], environments: list[Change]) -> set[Change]:
    """The one of these environments that goes ahead of an application, or of a file.

    Rights at GitHub show only when they are used, so nothing else is made before GitHub has let us write once.
    """
    if isinstance(change.resource, WorkflowFile):
        return set(environments[:1])
    if not isinstance(change.resource, Application):
        return set()
    credentials = [other.resource for other in ups if isinstance(other.resource, FederatedCredential)]
    served = {c.environment for c in credentials if c.identity == change.resource.unique_name}
    return set([other for other in environments if other.key.name in served][:1])


def _previous_credential(change: Change, earlier: Iterable[Change]) -> set[Change]:
    """The last earlier change to a credential of the same application, since those are written one by one."""
    resource = change.resource
    if not isinstance(resource, FederatedCredential):
        return set()
    found = [other for other in earlier if isinstance(other.resource, FederatedCredential)]
    return set(
        [other for other in found if getattr(other.resource, "identity", None) == resource.identity][-1:]
    )


def _vouched(mark: Change, other: Change) -> bool:
    """Whether a mark's refresh comes after this change: the mark's own creation, and each id of its environment."""
    environment = getattr(other.resource, "environment", None)
    return other.key == mark.key or (
        isinstance(other.resource, EnvironmentSecret | EnvironmentVariable)
        and environment == getattr(mark.resource, "environment", None)
    )
