"""How urgent a repository's long-lived credentials are: a table of reasons, each with its points. Pure; no I/O.

Points order repositories and say no more than that; each is shown with its reason. `docs/migrate.md` has the same table, and a
test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trustsmith.migrate.hits import is_secret
from trustsmith.migrate.inventory import environments_of, jobs_of
from trustsmith.migrate.scan import of_entra

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trustsmith.migrate.listing import Entry, Listing
    from trustsmith.migrate.repository import Spot
    from trustsmith.migrate.scan import Use
    from trustsmith.model.workflow import Job, Workflow

#: Events that people may cause who may not push, and for which GitHub hands the secrets to the workflow all the same (GitHub
#: docs: events that trigger workflows). A run of another workflow may be that of a pull request from a fork.
STRANGERS = frozenset(
    {
        "discussion",
        "discussion_comment",
        "issue_comment",
        "issues",
        "pull_request_target",
        "workflow_run",
    }
)
WRITTEN_OUT, STARTED = "written-out", "strangers"
ENTRA, KEYS, NO_ENVIRONMENT = "entra-secret", "other-key", "no-environment"
SHARED, COPIES, FORGOTTEN, STALE = "shared", "copies", "left-over", "stale"
#: What each reason counts. Of STARTED this is for a public repository; in any other it is half of that.
POINTS = {
    WRITTEN_OUT: 40,
    STARTED: 40,
    ENTRA: 20,
    NO_ENVIRONMENT: 15,
    SHARED: 10,
    COPIES: 10,
    KEYS: 10,
    FORGOTTEN: 5,
    STALE: 5,
}
#: From how many points on a repository is called so.
LEVELS = {"high": 50, "medium": 25, "low": 1, "none": 0}
_NAMED = 2


@dataclass(frozen=True, kw_only=True)
class About:
    """A repository as GitHub lists it. pushed: when last, as GitHub spells it; "" for never."""

    full_name: str
    branch: str = "main"
    visibility: str = "private"
    archived: bool = False
    fork: bool = False
    pushed: str = ""

    @property
    def public(self) -> bool:
        """Whether anybody may read it."""
        return self.visibility == "public"


@dataclass(frozen=True)
class Reason:
    """Why a repository counts. says: with the names that it is about."""

    id: str
    points: int
    says: str

    def as_json(self) -> dict[str, Any]:
        """It for machines."""
        return vars(self)


def reasons(about: About, listing: Listing, today: str) -> tuple[Reason, ...]:
    """All that there are, the weightiest first; none for an archived repository, which runs no workflow."""
    if about.archived:
        return ()
    found = [*_of_uses(about, listing), *_of_places(about, listing), *_of_left_overs(listing)]
    if found and about.pushed and about.pushed[:10] < f"{int(today[:4]) - 1:04}{today[4:10]}":
        found.append(Reason(STALE, POINTS[STALE], "nobody has pushed to it for a year"))
    return tuple(sorted(found, key=lambda reason: -reason.points))


def level(points: int) -> str:
    """What that many points are called: "high", "medium", "low" or "none"."""
    return next(name for name, least in LEVELS.items() if points >= least)


def _of_uses(about: About, listing: Listing) -> Iterator[Reason]:
    entries = listing.entries
    spelled = [f"{e.use.file}:{e.use.line}" for e in entries if _is_spelled_out(e.use)]
    if spelled:
        yield Reason(WRITTEN_OUT, POINTS[WRITTEN_OUT], f"written out in {named(spelled)}")
    if started := sorted({text for e in entries for text in _started(e.use)}):
        who, share = ("anybody", 1) if about.public else ("whoever may read it", 2)
        said = f"{who} can start a workflow that reads one: {named(started)}"
        yield Reason(STARTED, POINTS[STARTED] // share, said)
    entra = entra_of(listing)
    if entra:
        yield Reason(ENTRA, POINTS[ENTRA], f"client secrets of Entra applications: {many(entra)}")
    if len(entra) < len(entries):
        others = [e for e in entries if e not in entra]
        yield Reason(KEYS, POINTS[KEYS], f"other long-lived keys: {many(others)}")
    if said := _unguarded(entra):
        yield Reason(NO_ENVIRONMENT, POINTS[NO_ENVIRONMENT], said)


def entra_of(listing: Listing) -> list[Entry]:
    """The uses of secrets of Entra applications, handed to a registry or not."""
    of = {id(use) for use in of_entra(entry.use for entry in listing.entries)}
    return [entry for entry in listing.entries if id(entry.use) in of]


def _unguarded(entries: list[Entry]) -> str:
    """Where no environment's rules stand before a secret: the jobs that read it, else where it lives; "" where they do."""
    jobs = sorted({job for entry in entries for job in _outside(entry.use)})
    if jobs:
        return f"read outside of any environment: {named(jobs)}"
    wide = [e for e in entries if "repository" in e.level or "organization" in e.level]
    names = sorted({name for entry in wide for name in entry.use.secrets})
    return f"kept outside of environments: {named(names)}" if names else ""


def _of_places(about: About, listing: Listing) -> Iterator[Reason]:
    """Who else gets at the secrets."""
    organization = {s.name: s for s in listing.stored if s.level == "organization" and s.store == "actions"}
    shared = sorted(
        f"{name} ({organization[name].visibility})"
        for name in of_organization(listing)
        if _reaches_others(organization[name].visibility, organization[name].repositories, about)
    )
    if shared:
        yield Reason(SHARED, POINTS[SHARED], f"other repositories can read {named(shared)}")
    copies = sorted({f"{s.store} ({s.name})" for s in listing.stored if s.store != "actions"})
    if copies:
        yield Reason(COPIES, POINTS[COPIES], f"copies in other stores: {named(copies)}")


def _of_left_overs(listing: Listing) -> Iterator[Reason]:
    names = sorted({each.name for each in listing.forgotten if each.level != "organization"})
    if names:
        yield Reason(FORGOTTEN, POINTS[FORGOTTEN], f"nothing uses {named(names)} any more")


def of_organization(listing: Listing) -> set[str]:
    """The organization's secrets that uses read, as far as it is known where secrets live."""
    known = {s.name for s in listing.stored if s.level == "organization" and s.store == "actions"}
    return {n for e in listing.entries if "organization" in e.level for n in e.use.secrets if n in known}


def _reaches_others(visibility: str, repositories: tuple[str, ...] | None, about: About) -> bool:
    if visibility == "selected":
        return bool(set(repositories or ()) - {about.full_name})
    return bool(visibility)


def _is_spelled_out(use: Use) -> bool:
    hit = use.hit
    return hit is not None and not use.origins and "${{" not in hit.text and is_secret(hit.text)


def _started(use: Use) -> Iterator[str]:
    """The workflows that strangers start and in which its secret is read, each with the events."""
    for workflow in _workflows(use):
        if events := sorted(workflow.triggers & STRANGERS):
            yield f"{short(workflow.file)} ({', '.join(events)})"


def _workflows(use: Use) -> set[Workflow]:
    spots = [use.spot, *(origin.spot for origin in use.origins)]
    return {workflow for spot in spots for workflow in _around(spot)}


def _around(spot: Spot) -> Iterator[Workflow]:
    """The workflow of a text; of a script, those that call it."""
    if spot.workflow is not None:
        yield spot.workflow
    for call in spot.calls:
        yield from _around(call.spot)


def _outside(use: Use) -> Iterator[str]:
    """The jobs that read its secret where no environment's rules stand before it. All secrets are read where they are inherited to."""
    inherits = any(origin.handed and origin.spot.node.value == "inherit" for origin in use.origins)
    for origin in use.origins:
        if not origin.alias or inherits:
            for job in _readers(origin.spot):
                if environments_of(job) == frozenset():
                    yield f"{short(job.workflow.file)}: {job.id}"


def _readers(spot: Spot) -> Iterable[Job]:
    """The jobs that a text is read in; of a variable of a whole workflow, all of them."""
    if found := jobs_of(spot):
        return found
    workflow = spot.workflow
    return workflow.jobs if workflow is not None and spot.job is None and not workflow.is_action else ()


def short(file: str) -> str:
    """A workflow by its name alone; any other file by its path."""
    return file.removeprefix(".github/workflows/")


def named(texts: list[str]) -> str:
    """Some of them, and how many there are beside."""
    more = len(texts) - _NAMED
    return ", ".join(texts[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def many(entries: list[Entry]) -> str:
    """A number of uses."""
    return f"{len(entries)} use{'' if len(entries) == 1 else 's'}"
