"""Generated files that somebody edited, held to the rules that every generated workflow keeps. Changes nothing.

What our templates say besides, such as pinned actions, is theirs: whoever writes into a file may write something else.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from trustsmith import workflowfile
from trustsmith.errors import Problem
from trustsmith.model.resources import WorkflowFile
from trustsmith.render.check import RuleError, broken, structure

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from trustsmith.model.config import Config, Workflow
    from trustsmith.model.document import Node
    from trustsmith.model.state import State

_HINT = (
    "Give the job one of the workflow's environments, take the permission from it, or put it into a workflow file of its "
    "own."
)
_LOSE = "To lose what was written into the file:\n  trustsmith render --overwrite {name}"


def against_rules(config: Config, wanted: State, live: State) -> tuple[Problem, ...]:
    """What edits of the wanted files made of them that no generated workflow may be, each with its place.

    A file that is not ours, or that is to be overwritten, is left out.
    """
    workflows = {workflow.path: workflow for workflow in config.workflows}
    files = [(live[key], file) for key, file in wanted.items() if key in live]
    return tuple(
        problem
        for there, file in files
        if isinstance(there, WorkflowFile) and isinstance(file, WorkflowFile) and _is_edited(there, file)
        for problem in _problems(there, workflows[there.path], config)
    )


def _is_edited(there: WorkflowFile, wanted: WorkflowFile) -> bool:
    """Whether it is ours, edited, and stays so."""
    ours = there.base and there.config == wanted.config and not there.owned
    return bool(ours) and (there.fate is None or there.fate.outcome != "overwritten")


def _problems(file: WorkflowFile, workflow: Workflow, config: Config) -> Iterator[Problem]:
    text = file.text.removeprefix("\ufeff")
    root, unreadable = workflowfile.read(text, file.path)
    if unreadable or root is None:
        conflict = file.fate is not None and file.fate.outcome == "conflict"  # which is said in its own words
        yield from () if conflict else unreadable
        return
    lose = _LOSE.format(name=shlex.quote(workflow.name))
    for error in _broken(text, _environments(workflow, config)):
        at = _key(root, error.job)
        hint = f"{_HINT}\n{lose}" if error.job else lose
        yield Problem(file.path, at.line, at.column, str(error), hint)


def _broken(text: str, environments: Collection[str]) -> list[RuleError]:
    try:
        document = structure(text)
    except (
        ValueError,
        RecursionError,
        ArithmeticError,
        LookupError,
    ):  # values that are no values, such as dates
        document = None
    return list(broken(document, str, environments))


def _environments(workflow: Workflow, config: Config) -> tuple[str, ...]:
    if workflow.observes and config.observer:
        return (config.observer.environment,)
    return workflow.environments


def _key(root: Node, job: str) -> Node:
    """Where a job's name stands, else the document itself."""
    jobs = root.get("jobs")
    pair = jobs.pair(job) if jobs else None
    return pair.key if pair else root
