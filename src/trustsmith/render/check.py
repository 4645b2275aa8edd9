"""The rules that every rendered workflow keeps, whoever wrote its template.

Must not mend anything. That values change nothing else is `ink`'s affair; here it is about what the text says.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

_COMMIT = re.compile(r"[^@]+@[0-9a-f]{40}")
_MATRIX = "${{ matrix.environment }}"


class RuleError(ValueError):
    """The workflow says something that none of ours may say."""


def check(document: Any, value: Callable[[str], str], environments: Collection[str], *, own: bool) -> None:
    """Hold a workflow's structure to the rules.

    value: what stands for a text that was read (see `Page.value`). environments: whose tokens its jobs may ask for.
    Raises RuleError; for a template of ours also when it lacks a job for an environment, or asks for more than was meant.
    """
    try:
        found = _jobs(document, value, environments)
        uses = list(_uses(document))
        meant = own or (document["permissions"] == {} and found == set(environments))
    except (AttributeError, LookupError, TypeError):
        raise RuleError("it is no workflow: it needs a mapping 'jobs', and each job is one") from None
    if not meant:
        raise RuleError("it does not have the jobs and permissions that were meant")
    for use in uses:
        if not own and not _COMMIT.fullmatch(use):
            raise RuleError(f"{use} is not pinned to a commit")


def _jobs(document: Any, value: Callable[[str], str], environments: Collection[str]) -> set[str]:
    """The environments of all jobs. A job that may ask for a token runs in one that is meant."""
    every: set[str] = set()
    for name, job in document["jobs"].items():
        found = set(_environments(job, value))
        every |= found
        if not _asks(job.get("permissions", document.get("permissions"))):
            continue
        if "uses" in job:
            _check_call(value(str(name)), value(str(job["uses"])))
            continue
        if not found or not found <= set(environments):
            stranger = ", ".join(sorted(found - set(environments))) or "no environment"
            raise RuleError(
                f"job {value(str(name))!r} may ask for a token (id-token: write) and runs in {stranger}, not in one of the workflow's: "
                f"{', '.join(environments)}"
            )
    return every


def _check_call(name: str, called: str) -> None:
    """A workflow that is called names the environments of its jobs itself, so it has to be one of the repository's own."""
    if not called.startswith("./"):
        raise RuleError(
            f"job {name!r} may ask for a token (id-token: write) and hands that on to {called!r}, which is not in this repository"
        )


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


def _uses(document: Any) -> Iterator[str]:
    for job in document["jobs"].values():
        for part in (job, *job.get("steps", ())):
            if "uses" in part:
                yield part["uses"]
