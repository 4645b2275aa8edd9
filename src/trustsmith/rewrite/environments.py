"""Which GitHub environment a job is to run in: as people say, else as the file's own words suggest.

A federated credential trusts an environment's jobs and nothing else, so that a job that signs in has to have one.
Must not edit anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from trustsmith.migrate.repository import Repository
    from trustsmith.model.workflow import Job

_STAGES = (
    ("prod", "production", "live", "prd"),
    ("staging", "stage", "stg", "preprod", "uat"),
    ("test", "qa", "tst"),
    ("dev", "development", "sandbox"),
)
_INPUTS = ("environment", "env", "stage")


@dataclass(frozen=True)
class Chosen:
    """A job's environment, as it will stand in the file. how: why that one; "" where it was there."""

    job: Job
    environment: str
    how: str = ""


def choose(job: Job, said: Mapping[str, str], known: Iterable[str]) -> Chosen | None:
    """The environment of a job; None when nothing says one.

    said: by people, for "JOB" or "FILE:JOB". known: environments that the configuration or the repository has.
    """
    if job.environment is not None:
        return Chosen(job, job.environment.value)
    file = job.workflow.file
    for name in (f"{file}:{job.id}", f"{file.rsplit('/', 1)[-1]}:{job.id}", job.id, "*"):
        if name in said:
            return Chosen(job, said[name], "as you say")
    if axis := _axis(job):
        return Chosen(job, f"${{{{ matrix.{axis} }}}}", f"the matrix has {axis}")
    if name := _input(job):
        return Chosen(job, f"${{{{ inputs.{name} }}}}", f"the workflow has an input {name}")
    return _by_name(job, list(dict.fromkeys(known)))


def named(repository: Repository) -> Iterator[str]:
    """The environments that the workflows spell out."""
    for workflow in repository.workflows:
        for job in workflow.jobs:
            if job.environment is not None and "${{" not in job.environment.value:
                yield job.environment.value


def _input(job: Job) -> str:
    """An input that is named like an environment, and is given whenever the workflow is called."""
    for name in _INPUTS:
        declared = job.workflow.inputs.get(name)
        given = declared is not None and {"required", "default"} & {p.key.value for p in declared.value.pairs}
        if given and job.workflow.triggers == {"workflow_call"}:
            return name
    return ""


def _axis(job: Job) -> str:
    """A key of the job's matrix that is named like an environment, and that has a text in each of its runs."""
    strategy = job.node.get("strategy")
    matrix = strategy.get("matrix") if strategy is not None else None
    if matrix is None:
        return ""
    axes = {
        pair.key.value: pair.value for pair in matrix.pairs if pair.key.value not in {"include", "exclude"}
    }
    included = matrix.get("include")
    more = included.items if included is not None and not axes else ()  # else it may be missing in some runs
    for name in _INPUTS:
        each = axes[name].items if name in axes else [item.get(name) for item in more]
        if each and all(node is not None and node.kind == "text" for node in each):
            return name
    return ""


def stage_of(name: str) -> float:
    """How late an environment of that name is deployed to: development first, production last."""
    words = _words(name)
    found = [len(_STAGES) - number for number, stage in enumerate(_STAGES) if words & set(stage)]
    return max(found, default=len(_STAGES) / 2)


def _by_name(job: Job, known: list[str]) -> Chosen | None:
    words = _words(f"{job.id} {job.node.text('name')} {job.workflow.file.rsplit('/', 1)[-1]}")
    named = [name for name in known if _words(name) and _words(name) <= words]
    most = max((len(_words(name)) for name in named), default=0)
    named = [
        name for name in named if len(_words(name)) == most
    ]  # of prod and prod-eu the one that says more
    if named:
        return Chosen(job, named[0], f"the job is named after {named[0]}") if len(named) == 1 else None
    for stage in _STAGES:
        there = [name for name in known if _words(name) & set(stage)]
        if words & set(stage) and len(there) == 1:
            return Chosen(job, there[0], f"the job's name says {', '.join(sorted(words & set(stage)))}")
    if len(known) == 1 and not job.workflow.triggers & {"pull_request", "pull_request_target"}:
        return Chosen(job, known[0], "there is only one")
    return None


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+|\d+", re.sub(r"([a-z])([A-Z])", r"\1 \2", text).lower()))
