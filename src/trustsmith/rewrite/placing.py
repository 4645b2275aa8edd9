"""The jobs that use an old secret, and the environments that they run in, or are to run in.

Must not edit anything. An environment is proposed, and never taken, for a job of which nothing says one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trustsmith.migrate.inventory import jobs_of
from trustsmith.rewrite.environments import choose, named, stage_of
from trustsmith.rewrite.values import names_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from trustsmith.migrate.repository import Repository
    from trustsmith.migrate.scan import Use
    from trustsmith.model.workflow import Job, Workflow

#: What starts a workflow from the default branch, or from the branches that it names itself.
_FROM_BRANCHES = {
    "push",
    "schedule",
    "workflow_dispatch",
    "workflow_call",
    "workflow_run",
    "repository_dispatch",
}
_STRANGERS = {"pull_request", "pull_request_target"}


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A job that uses an old secret. said: its environment, as it stands or will stand in the file; "" for none yet.

    names: what that can be; None when the checkout does not tell. how: why that one; "" where it stands there already.
    """

    job: Job
    said: str = ""
    names: frozenset[str] | None = None
    how: str = ""

    @property
    def place(self) -> str:
        """The job for people, as `--environment` takes it."""
        return f"{self.job.workflow.file.rsplit('/', 1)[-1]}:{self.job.id}"

    def as_json(self) -> dict[str, Any]:
        """It for machines."""
        return {
            "file": self.job.workflow.file,
            "job": self.job.id,
            "environment": self.said,
            "names": None if self.names is None else sorted(self.names),
            "why": self.how,
        }


def placing(
    repository: Repository, uses: Iterable[Use], said: Mapping[str, str], known: Iterable[str]
) -> list[Placed]:
    """The jobs that use an old secret, each once. said: by people. known: environments that there are."""
    jobs = {id(job.node): job for use in uses for job in _jobs(repository, use)}
    there = dict.fromkeys([*known, *named(repository)])
    return [_placed(repository, job, said, there) for job in jobs.values()]


def _placed(repository: Repository, job: Job, said: Mapping[str, str], known: Mapping[str, Any]) -> Placed:
    chosen = choose(job, said, known)
    if chosen is None:
        return Placed(job=job)
    names = names_of(repository, job, chosen.environment)
    return Placed(job=job, said=chosen.environment, names=names, how=chosen.how)


def _jobs(repository: Repository, use: Use) -> Iterator[Job]:
    """Where a use is run: its job, those that call its script, or those that use its action."""
    workflow = use.spot.workflow
    if workflow is not None and workflow.is_action:
        yield from _using(repository, workflow)
    for job in jobs_of(use.spot):
        if job.uses is None:  # else the environment is set in the workflow that is called
            yield job


def _using(repository: Repository, action: Workflow, depth: int = 5) -> Iterator[Job]:
    for job, _ in repository.callers(action):
        if not job.workflow.is_action:
            yield job
        elif depth:
            yield from _using(repository, job.workflow, depth - 1)


def needed(repository: Repository, placed: Iterable[Placed]) -> list[str]:
    """The environments that there have to be, in the order of deployment: as jobs need jobs, then as names say."""
    names = list(dict.fromkeys(name for each in placed for name in sorted(each.names or ())))
    before = _earlier(repository)

    def depth(name: str, passed: frozenset[str] = frozenset()) -> int:
        return max(
            (1 + depth(one, passed | {name}) for one in before.get(name, ()) if one not in passed), default=0
        )

    return sorted(names, key=lambda name: (depth(name), stage_of(name), names.index(name)))


def _earlier(repository: Repository) -> dict[str, set[str]]:
    """For each environment those of jobs that its jobs need."""
    found: dict[str, set[str]] = {}
    for workflow in repository.workflows:
        named = {job.id: job.environment.value for job in workflow.jobs if job.environment is not None}
        for job in workflow.jobs:
            needs = job.node.get("needs")
            wanted = {item.value for item in (needs.items or (needs,))} if needs is not None else set()
            if job.id in named:
                earlier = {named[one] for one in wanted if one in named and named[one] != named[job.id]}
                found.setdefault(named[job.id], set()).update(earlier)
    return found


def from_branches(placed: Iterable[Placed], environment: str) -> bool:
    """Whether all jobs of an environment run from branches, and so from the default one, and never from a tag."""
    jobs = [each.job for each in placed if environment in (each.names or ())]
    return all(_from_branches(job.workflow) for job in jobs)


def _from_branches(workflow: Workflow) -> bool:
    triggers = workflow.root.get("on")
    pushed = triggers.get("push") if triggers is not None else None
    tags = pushed is not None and any(pushed.get(key) is not None for key in ("tags", "tags-ignore"))
    return workflow.triggers <= _FROM_BRANCHES and not tags


def proposal(job: Job, environments: Iterable[str]) -> tuple[str, str]:
    """An environment for a job of which nothing says one, "" for none; and why."""
    strangers = sorted(job.workflow.triggers & _STRANGERS)
    if strangers:
        why = f"it runs for pull requests ({', '.join(strangers)}): give it an environment of its own that may do little"
        return "", why
    there = list(environments)
    if not there:
        return "", "no job names an environment yet"
    started = ", ".join(sorted(job.workflow.triggers)) or "hand"
    return there[-1], f"the last one that is deployed to; it is started by {started}"
