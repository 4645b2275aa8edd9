"""Which GitHub environment a job is to run in: as people say, else as the file's own words suggest.

A federated credential trusts an environment's jobs and nothing else, so that a job that signs in has to have one.
Must not edit anything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

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


def _input(job: Job) -> str:
    """An input that is named like an environment, and is given whenever the workflow is called."""
    for name in _INPUTS:
        declared = job.workflow.inputs.get(name)
        given = declared is not None and {"required", "default"} & {p.key.value for p in declared.value.pairs}
        if given and job.workflow.triggers == {"workflow_call"}:
            return name
    return ""


def _axis(job: Job) -> str:
    """A key of the job's matrix that is named like an environment."""
    strategy = job.node.get("strategy")
    matrix = strategy.get("matrix") if strategy is not None else None
    included = matrix.get("include") if matrix is not None else None
    keys = {pair.key.value for pair in matrix.pairs} if matrix is not None else set()
    for item in included.items if included is not None else ():
        keys |= {pair.key.value for pair in item.pairs}
    return next((name for name in _INPUTS if name in keys), "")


def stage_of(name: str) -> float:
    """How late an environment of that name is deployed to: development first, production last."""
    words = _words(name)
    found = [len(_STAGES) - number for number, stage in enumerate(_STAGES) if words & set(stage)]
    return max(found, default=len(_STAGES) / 2)


def _by_name(job: Job, known: list[str]) -> Chosen | None:
    words = _words(f"{job.id} {job.node.text('name')} {job.workflow.file.rsplit('/', 1)[-1]}")
    for name in known:
        if _words(name) <= words:
            return Chosen(job, name, f"the job is named after {name}")
    for stage in _STAGES:
        there = [name for name in known if _words(name) & set(stage)]
        if words & set(stage) and len(there) == 1:
            return Chosen(job, there[0], f"the job's name says {', '.join(sorted(words & set(stage)))}")
    if len(known) == 1 and not job.workflow.triggers & {"pull_request", "pull_request_target"}:
        return Chosen(job, known[0], "there is only one")
    return None


def _words(text: str) -> set[str]:
    return set(re.findall(r"[a-z]+|\d+", re.sub(r"([a-z])([A-Z])", r"\1 \2", text).lower()))
