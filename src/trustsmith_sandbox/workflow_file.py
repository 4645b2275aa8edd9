"""Reads a workflow file as far as a run needs it: what starts it, inputs, jobs, permissions, matrices.

Written from GitHub's "workflow syntax". What a run could not honour is refused here or, when it belongs to one
job, by ``job_runner``. It must not evaluate expressions or know a repository.
"""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

if TYPE_CHECKING:
    from collections.abc import Mapping

_MOST_INPUTS = 25
DEFAULT_PERMISSIONS = {
    "read": {"contents": "read", "packages": "read"},
    "write": {"contents": "write", "packages": "write"},
}
_LEVELS = ("none", "read", "write")
_SCOPES = (
    "actions",
    "attestations",
    "checks",
    "contents",
    "deployments",
    "discussions",
    "id-token",
    "issues",
    "packages",
    "pages",
    "pull-requests",
    "security-events",
    "statuses",
)


class WorkflowError(Exception):
    """The file, or a part of it, is no workflow, or cannot be dispatched like that."""


@dataclass(frozen=True)
class Workflow:
    """A workflow as written, unevaluated. ``triggers`` maps the events that start it to what they say.

    ``jobs`` maps a job's id to its mapping; every job has ``needs`` as a list of ids, and ``defaults`` and
    ``strategy``.
    """

    name: str | None
    run_name: str | None
    triggers: dict[str, Any]
    jobs: dict[str, dict[str, Any]]
    env: dict[str, Any]
    defaults: dict[str, Any]
    permissions: Any

    def described(self, event: str, part: str) -> dict[str, dict[str, Any]]:
        """Return the ``inputs``, ``secrets`` or ``outputs`` of an event by name."""
        listed = _mapping(_mapping(self.triggers.get(event)).get(part))
        return {str(name): _mapping(rule) for name, rule in listed.items()}


def read_workflow(text: str) -> Workflow:
    """Return the workflow. Raises ``WorkflowError`` for what GitHub would not start."""
    try:
        file = YAML(typ="safe").load(text)
    except YAMLError as reason:
        where = " ".join(str(reason).split())
        raise WorkflowError(f"The workflow is not valid YAML: {where}") from None
    if not isinstance(file, dict) or not isinstance(file.get("jobs"), dict) or not file["jobs"]:
        raise WorkflowError("The workflow is not valid: it has no jobs.")
    jobs = {str(name): _job(str(name), job) for name, job in file["jobs"].items()}
    _check_needs(jobs)
    return Workflow(
        name=_text(file.get("name")),
        run_name=_text(file.get("run-name")),
        triggers=_triggers(file.get("on")),
        jobs=jobs,
        env=_mapping(file.get("env")),
        defaults=_mapping(_mapping(file.get("defaults")).get("run")),
        permissions=file.get("permissions"),
    )


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _triggers(written: Any) -> dict[str, Any]:
    if isinstance(written, dict):
        return {str(event): told for event, told in written.items()}
    return dict.fromkeys(map(str, [written] if isinstance(written, str) else written or []))


def _job(name: str, job: Any) -> dict[str, Any]:
    if not isinstance(job, dict):
        raise WorkflowError(f"The workflow is not valid: job {name} is not a mapping.")
    if "uses" not in job and not isinstance(job.get("steps"), list):
        raise WorkflowError(f"The workflow is not valid: job {name} has no steps.")
    for step in job.get("steps") or []:
        if not isinstance(step, dict) or not ("run" in step or "uses" in step):
            raise WorkflowError(f"The workflow is not valid: job {name} has a step that is none.")
    needs = job.get("needs") or []
    plain = {name: _mapping(job.get(name)) for name in ("defaults", "strategy")}
    return job | plain | {"needs": [needs] if isinstance(needs, str) else list(needs)}


def _check_needs(jobs: Mapping[str, Mapping[str, Any]]) -> None:
    done: set[str] = set()
    while len(done) < len(jobs):
        ready = {name for name, job in jobs.items() if name not in done and done.issuperset(job["needs"])}
        if not ready:
            stuck = sorted(jobs.keys() - done)
            raise WorkflowError(f"The workflow is not valid: the needs of job {stuck[0]} cannot be met.")
        done |= ready


def accepted_inputs(workflow: Workflow, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the run's inputs with their types: what was given, else the defaults.

    Raises ``WorkflowError``, in GitHub's words where they are known (recorded traffic and public reports).
    """
    if "workflow_dispatch" not in workflow.triggers:
        raise WorkflowError("Workflow does not have 'workflow_dispatch' trigger")
    rules = workflow.described("workflow_dispatch", "inputs")
    if len(given) > _MOST_INPUTS:
        raise WorkflowError(f"There are more than {_MOST_INPUTS} inputs.")
    if unexpected := [name for name in given if name not in rules]:
        raise WorkflowError(f"Unexpected inputs provided: {json.dumps(unexpected)}")
    return {name: _accepted(name, rule, given.get(name)) for name, rule in rules.items()}


def _accepted(name: str, rule: Mapping[str, Any], given: Any) -> Any:
    if given in (None, "") and rule.get("required") is True and rule.get("default") is None:
        raise WorkflowError(f"Required input '{name}' not provided")
    kind, value = rule.get("type", "string"), rule.get("default") if given is None else given
    if kind == "boolean":
        return str(value).lower() == "true"
    if kind == "number":
        return _number(name, value)
    text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    if kind == "choice" and given is not None and text not in map(str, rule.get("options") or []):
        raise WorkflowError(f"Provided value '{text}' for input '{name}' not in the list of allowed values")
    return text


def _number(name: str, value: Any) -> float:
    try:
        return float(value or 0)
    except (TypeError, ValueError):
        raise WorkflowError(f"Provided value '{value}' for input '{name}' is not a number") from None


def granted(workflow: Any, job: Any, default: Mapping[str, str]) -> dict[str, str]:
    """Return the permissions that a job asks for: its own, else the workflow's, else the default.

    Whoever sets any has only those; ``id-token`` is never there by default (GitHub docs, "GITHUB_TOKEN").
    Raises ``WorkflowError`` for a level that there is not.
    """
    asked = workflow if job is None else job
    if asked is None:
        return dict(default)
    if isinstance(asked, str):
        level = asked.removesuffix("-all")
        readable = [name for name in _SCOPES if level == "write" or name != "id-token"]
        return dict.fromkeys(readable, level)
    levels = {str(name): str(level) for name, level in _mapping(asked).items()}
    if odd := [level for level in levels.values() if level not in _LEVELS]:
        raise WorkflowError(f"The workflow is not valid: Unexpected value '{odd[0]}' in permissions.")
    return {name: level for name, level in levels.items() if level != "none"}


def too_much(asked: Mapping[str, str], allowed: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Return the permissions that are asked for beyond what is allowed, as (name, asked level, allowed level)."""
    pairs = ((name, level, allowed.get(name, "none")) for name, level in asked.items())
    return [each for each in pairs if _LEVELS.index(each[1]) > _LEVELS.index(each[2])]


def combinations(matrix: Any) -> list[dict[str, Any]]:
    """Return a matrix's combinations (one empty one without a matrix), with ``exclude`` and ``include`` done.

    An ``include`` joins every combination that it does not contradict in the matrix's own keys, else it is one
    more (GitHub docs, "running variations of jobs"). Raises ``WorkflowError`` where none is left.
    """
    if not matrix:
        return [{}]
    axes = {key: values for key, values in matrix.items() if key not in {"include", "exclude"}}
    plain = (
        [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())] if axes else []
    )
    excluded = matrix.get("exclude") or []
    plain = [each for each in plain if not any(_within(wanted, each) for wanted in excluded)]
    joined, more = [dict(each) for each in plain], []
    for extra in matrix.get("include") or []:
        own = {key: value for key, value in extra.items() if key in axes}
        places = [place for place, each in enumerate(plain) if _within(own, each)]
        for place in places:
            joined[place] |= extra
        if not places:
            more.append(dict(extra))
    if not joined and not more:
        raise WorkflowError("The matrix has no combination.")
    return [*joined, *more]


def _within(wanted: Mapping[str, Any], combination: Mapping[str, Any]) -> bool:
    return all(combination.get(key) == value for key, value in wanted.items())
