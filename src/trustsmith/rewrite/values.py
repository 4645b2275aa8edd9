"""Which environments a job may run in, where an expression says it: what its callers give, its choices, its matrix.

Must not guess: what cannot be told from the checkout is None.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trustsmith.model.workflow import entries

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trustsmith.migrate.repository import Repository
    from trustsmith.model.document import Node
    from trustsmith.model.workflow import Job, Workflow

_EXPRESSION = re.compile(r"\$\{\{\s*(matrix|inputs|github\.event\.inputs)\.([\w-]+)\s*\}\}")
#: Reusable workflows that call reusable workflows are followed so far (GitHub allows ten levels).
_DEPTH = 10


def names_of(repository: Repository, job: Job, said: str, depth: int = _DEPTH) -> frozenset[str] | None:
    """The environments that `said`, as a job has it or will have it, can stand for; None when nobody can tell."""
    if "${{" not in said:
        return frozenset({said})
    found = _EXPRESSION.fullmatch(said.strip())
    if found is None or not depth:
        return None
    context, name = found.groups()
    if context == "matrix":
        return _of_matrix(job, name)
    return _together([*_dispatched(job.workflow, name), *_called(repository, job.workflow, name, depth)])


def _together(found: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    names: set[str] = set()
    for each in found:
        if each is None:
            return None
        names |= each
    return frozenset(names) or None


def _of_matrix(job: Job, name: str) -> frozenset[str] | None:
    """The values of one key of the matrix, its `include` among them."""
    strategy = job.node.get("strategy")
    matrix = strategy.get("matrix") if strategy is not None else None
    if matrix is None or matrix.kind != "map":
        return None
    values, included = matrix.get(name), matrix.get("include")
    if any(node is not None and node.kind == "text" for node in (values, included)):
        return None  # another job makes them
    listed = [*(values.items if values else ())]
    listed += [node for item in (included.items if included else ()) if (node := item.get(name)) is not None]
    return _texts(listed)


def _texts(nodes: Iterable[Node]) -> frozenset[str] | None:
    found = [node.value if node.kind == "text" and "${{" not in node.value else None for node in nodes]
    return None if not found or None in found else frozenset(text for text in found if text)


def _dispatched(workflow: Workflow, name: str) -> list[frozenset[str] | None]:
    """What people can choose from; a free text can be anything."""
    triggers = workflow.root.get("on")
    by_hand = triggers.get("workflow_dispatch") if triggers is not None else None
    if by_hand is None:
        return [None] if "workflow_dispatch" in workflow.triggers else []
    declared = {p.key.value.lower(): p.value for p in entries(by_hand.get("inputs"))}.get(name.lower())
    options = declared.get("options") if declared is not None else None
    return [_texts(options.items) if options is not None else None]


def _called(repository: Repository, workflow: Workflow, name: str, depth: int) -> list[frozenset[str] | None]:
    """What the callers in the checkout give; others may call it too, and cannot be seen."""
    if not workflow.reusable:
        return []
    declared = workflow.inputs.get(name.lower())
    default = declared.value.text("default") if declared is not None else ""
    found: list[frozenset[str] | None] = []
    for caller, _ in repository.callers(workflow):
        given = {pair.key.value.lower(): pair.value for pair in entries(caller.node.get("with"))}
        node = given.get(name.lower())
        said = node.value if node is not None and node.kind == "text" else default
        found.append(names_of(repository, caller, said, depth - 1) if said else None)
    return found or [None]
