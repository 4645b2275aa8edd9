"""Where secrets live, and which application they belong to: what was seen at GitHub and Entra, beside what was found.

Frozen values and comparisons; must not ask anything. A secret's value has no field to be in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from trustsmith.migrate import names
from trustsmith.migrate.hits import mentions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trustsmith.migrate.repository import Repository, Spot
    from trustsmith.migrate.scan import Use
    from trustsmith.model.document import Node
    from trustsmith.model.resources import ClientSecret
    from trustsmith.model.workflow import Job

Level = Literal["environment", "repository", "organization"]
NOWHERE = "none"
UNKNOWN = "unknown"
_TITLES = {"dependabot": "Dependabot", "codespaces": "Codespaces", "agents": "agents"}


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A secret at GitHub.

    environment: whose it is, at that level. store: "actions", or another of GitHub's ("dependabot"). updated: when it was
    last written, as GitHub spells it. visibility, repositories: of an organization's secret: "all", "private" or "selected",
    and then for whom; "" and None where the token may not see that.
    """

    name: str
    level: Level
    environment: str = ""
    store: str = "actions"
    updated: str = ""
    visibility: str = ""
    repositories: tuple[str, ...] | None = None

    @property
    def place(self) -> str:
        """Where it lives, in words: "environment prod", "organization (selected: contoso/legacy)"."""
        said = f"environment {self.environment}" if self.environment else self.level
        if self.level == "organization" and self.visibility:
            chosen = f": {', '.join(self.repositories)}" if self.repositories else ""
            said += f" ({self.visibility}{chosen})"
        return said if self.store == "actions" else f"{_TITLES[self.store]}: {said}"

    def as_json(self) -> dict[str, Any]:
        """The secret for machines."""
        return vars(self) | {"repositories": None if self.repositories is None else list(self.repositories)}


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A variable at GitHub, whose value anybody with access may read.

    environment: "" for repository and organization. shared: it is the organization's.
    """

    name: str
    value: str
    environment: str = ""
    shared: bool = False


@dataclass(frozen=True, kw_only=True)
class Identity:
    """An application that credentials belong to. how: by what it was found, in words.

    name: its display name; "" when the tenant has no such application, or could not be asked.
    secrets: GitHub's secrets that are used together with its id.
    """

    client_id: str
    how: tuple[str, ...]
    name: str = ""
    secrets: tuple[str, ...] = ()
    passwords: tuple[ClientSecret, ...] = ()

    def as_json(self, today: str) -> dict[str, Any]:
        """The application for machines. today: as Entra spells a date, to say what has expired."""
        return {
            "client_id": self.client_id,
            "name": self.name,
            "how": list(self.how),
            "secrets": list(self.secrets),
            "passwords": [
                {
                    "key_id": p.key_id,
                    "hint": p.hint,
                    "name": p.name,
                    "starts": p.starts,
                    "expires": p.expires,
                    "expired": is_expired(p, today),
                    "on": "service principal" if p.of_principal else "application",
                }
                for p in self.passwords
            ],
        }


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What GitHub and Entra showed. stored, variables: None when GitHub was not asked. notes: what could not be told.

    whole: whether all places were seen from which jobs read secrets, so that what is in none of them is nowhere.
    all_variables: the same of variables.
    """

    stored: tuple[Stored, ...] | None = None
    variables: tuple[Variable, ...] = ()
    identities: tuple[Identity, ...] = ()
    notes: tuple[str, ...] = ()
    whole: bool = True
    all_variables: bool = True

    def of(self, name: str) -> list[Stored]:
        """All places of a secret."""
        return [each for each in self.stored or () if each.name == name]


def is_expired(password: ClientSecret, today: str) -> bool:
    """Whether it no longer opens anything. Both dates are of one form, so that they compare as texts."""
    return bool(password.expires) and password.expires[: len(today)] <= today


def level(use: Use, seen: Seen) -> str:
    """Where the secrets of a use live, for the jobs that read them: the environment's first, as GitHub has it."""
    if seen.stored is None or not use.secrets:
        return UNKNOWN
    read = [origin for origin in use.origins if not origin.alias]
    found = dict.fromkeys(_level(name, jobs_of(o.spot), seen) for o in read for name in o.names)
    return ", ".join(found)


def _level(name: str, jobs: list[Job], seen: Seen) -> str:
    places = [each for each in seen.of(name) if each.store == "actions"]
    allowed = [environments_of(job) for job in jobs] or [None]
    environments = [
        each.environment
        for each in places
        if each.environment and any(one is None or each.environment in one for one in allowed)
    ]
    levels = {each.level for each in places}
    wider = next((each for each in ("repository", "organization") if each in levels), "")
    here = f"environment {', '.join(environments)}" if environments else ""
    if here and wider and (len(allowed) > 1 or allowed[0] is None):
        return f"{here}; else {wider}"  # which it is depends on the run
    return here or wider or (NOWHERE if seen.whole else UNKNOWN)


def is_readable(name: str, job: Job | None, environments: frozenset[str] | None, seen: Seen) -> bool | None:
    """Whether a job can read a secret, in any of the environments that it may run in; None when that cannot be told.

    job: None where nobody knows who reads it. environments: None where nobody knows which.
    """
    places = [each for each in seen.of(name) if each.store == "actions"]
    if any(each.level != "environment" for each in places):
        return True
    holding = {each.environment for each in places}
    if job is None or environments is None:
        return None if holding or seen.notes else False
    if environments and environments <= holding:
        return True
    return None if seen.notes else False


def jobs_of(spot: Spot) -> list[Job]:
    """The jobs that a text is read in; of a script, those that call it."""
    if spot.calls:
        return [job for call in spot.calls for job in jobs_of(call.spot)]
    return [spot.job] if spot.job is not None and spot.job.id else []


def environments_of(job: Job) -> frozenset[str] | None:
    """The environments whose secrets a job may read; None when the name is computed, or given by who calls it."""
    if (
        job.uses is not None
    ):  # the called workflow's jobs have their own, and read them when all are inherited
        return None if job.node.text("secrets") == "inherit" else frozenset()
    if job.environment is None:
        return frozenset()
    return None if "${{" in job.environment.value else frozenset({job.environment.value})


def unreferenced(repository: Repository, seen: Seen) -> list[Stored]:
    """Azure credentials in GitHub's store for Actions that no text of the checkout names."""
    named = {each.name for spot in repository.spots for each in mentions(spot) if each.context == "secrets"}
    return [
        each
        for each in seen.stored or ()
        if each.store == "actions" and names.of_secret(each.name) and each.name not in named
    ]


def handing_all_on(repository: Repository) -> Iterator[tuple[Job, Node]]:
    """Jobs that hand all secrets to a workflow which is not in the repository, and where that is said."""
    known = {workflow.file for workflow in repository.workflows}
    for workflow in repository.workflows:
        for job in workflow.jobs:
            given = job.node.get("secrets")
            if given is not None and given.value == "inherit" and job.local not in known:
                yield job, given


def handed_on(repository: Repository) -> list[str]:
    """Files that hand all secrets to somebody else, so that nobody can say what is not used."""
    found = {job.workflow.file for job, _ in handing_all_on(repository)}
    for spot in repository.spots:
        if any(e.context == "secrets" and not e.name for e in mentions(spot)):
            found.add(spot.file)
    return sorted(found)


def missing(uses: Iterable[Use], seen: Seen) -> dict[str, list[Use]]:
    """Secrets that are used and live nowhere that could be looked at, with their uses."""
    found: dict[str, list[Use]] = {}
    if seen.stored is None or not seen.whole:
        return found
    for use in uses:
        for name in use.secrets:
            if not seen.of(name):
                found.setdefault(name, []).append(use)
    return found


def relevant(stored: Iterable[Stored], uses: Iterable[Use]) -> Iterator[Stored]:
    """The secrets that are used as Azure credentials, or named like one; the others are nobody's business here."""
    used = {name for use in uses for name in use.secrets}
    for each in stored:
        if each.name in used or names.of_secret(each.name):
            yield each


_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def is_guid(text: str) -> bool:
    """Whether a text is one GUID and nothing else."""
    return _GUID.fullmatch(text.strip().strip("\"'")) is not None
