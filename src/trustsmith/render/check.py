"""The rules that every rendered workflow keeps, whoever wrote its template, and also when somebody has edited it.

Must not mend anything. That values change nothing else is `ink`'s affair; here it is about what the text says.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

_COMMIT = re.compile(r"[^@]+@[0-9a-f]{40}")
_MATRIX = "${{ matrix.environment }}"


class RuleError(ValueError):
    """The workflow says something that none of ours may say; `job` is the id of the job that does, "" for the whole file."""

    def __init__(self, message: str, job: str = "") -> None:
        super().__init__(message)
        self.job = job


def check(document: Any, value: Callable[[str], str], environments: Collection[str], *, own: bool) -> None:
    """Hold a workflow's structure to the rules.

    value: what stands for a text that was read (see `Page.value`). environments: whose tokens its jobs may ask for.
    Raises RuleError; for a template of ours also when it lacks a job for an environment, or asks for more than was meant.
    """
    for error in broken(document, value, environments):
        raise error
    if own:
        return
    found = {name for job in document["jobs"].values() for name in _environments(job, value)}
    if document.get("permissions") != {} or found != set(environments):
        raise RuleError("it does not have the jobs and permissions that were meant")
    for job in document["jobs"].values():
        for use in _uses(job):
            if not _COMMIT.fullmatch(use):
                raise RuleError(f"{use} is not pinned to a commit")


def broken(document: Any, value: Callable[[str], str], environments: Collection[str]) -> Iterator[RuleError]:
    """Where a workflow breaks the rules that hold for everybody's text; arguments as in `check`."""
    try:
        for name, job in document["jobs"].items():
            list(_uses(job))  # each step is one
            error = _wrong(value(str(name)), job, document.get("permissions"), value, environments)
            if error:
                yield RuleError(error, str(name))
    except (AttributeError, LookupError, TypeError):
        yield RuleError("it is no workflow: it needs a mapping 'jobs', and each job is one")


@lru_cache(maxsize=64)
def structure(text: str) -> Any:
    """What a text says; of rendered texts with marks in the place of values, many are the same."""
    from ruamel.yaml import YAML

    return YAML(typ="safe").load(text)


def _wrong(
    name: str, job: Any, permissions: Any, value: Callable[[str], str], environments: Collection[str]
) -> str:
    """What is wrong with a job, "" for nothing. A job that may ask for a token runs in an environment that is meant."""
    try:
        found = set(_environments(job, value))
    except RuleError as error:
        return str(error)
    if not _asks(job.get("permissions", permissions)):
        return ""
    if "uses" in job:
        return _wrong_call(name, value(str(job["uses"])))
    if found and found <= set(environments):
        return ""
    stranger = ", ".join(sorted(found - set(environments))) or "no environment"
    return (
        f"job {name!r} may ask for a token (id-token: write) and runs in {stranger}, not in one of the workflow's: "
        f"{', '.join(environments)}"
    )


def _wrong_call(name: str, called: str) -> str:
    """A workflow that is called names the environments of its jobs itself, so it has to be one of the repository's own."""
    if called.startswith("./"):
        return ""
    return f"job {name!r} may ask for a token (id-token: write) and hands that on to {called!r}, which is not in this repository"


def _asks(permissions: Any) -> bool:
    return bool(
        permissions == "write-all"
        or (isinstance(permissions, dict) and permissions.get("id-token") == "write")
    )


def _environments(job: Mapping[str, Any], value: Callable[[str], str]) -> Iterator[str]:
    said = job.get("environment")
    name = said.get("name") if isinstance(said, dict) else said
    if name is None:
        return
    read = value(str(name))
    if read != _MATRIX:
        yield read
        return
    matrix = job["strategy"]["matrix"]
    others = [str(key) for key in matrix if key not in {"environment", "include", "exclude"}]
    # GitHub finds `Environment`, too; and a job that is made of other keys alone runs in no environment.
    if strange := [key for key in others if key.lower() == "environment" or "environment" not in matrix]:
        raise RuleError(f"its matrix has {strange[0]!r}, and so jobs whose environment is not certain")
    for row in [*({"environment": one} for one in matrix.get("environment", ())), *matrix.get("include", ())]:
        yield value(str(row["environment"]))


def _uses(job: Any) -> Iterator[str]:
    for part in (job, *job.get("steps", ())):
        if "uses" in part:
            yield part["uses"]
