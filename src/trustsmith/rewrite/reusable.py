"""Reusable workflows: what their callers need not hand them any more, and what the callers' jobs have to be allowed.

Must not rewrite what is inside of a job.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith.migrate.hits import mentions
from trustsmith.model.document import spots
from trustsmith.rewrite.draft import Cannot
from trustsmith.rewrite.edits import Edit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trustsmith.migrate.scan import Use
    from trustsmith.model.document import Pair
    from trustsmith.model.workflow import Job, Workflow
    from trustsmith.rewrite.draft import Draft


def hand_nothing(draft: Draft, use: Use) -> None:
    """Take a secret out of what a job hands to a local workflow that does not read it any more."""
    job = use.spot.job
    called = _called(draft, job) if job is not None else None
    if job is None or called is None:
        raise Cannot("the workflow that is called is in another repository")
    given = job.node.pair("secrets")
    pair = (
        next((p for p in given.value.pairs if p.value is use.spot.node), None) if given is not None else None
    )
    names = {pair.key.value.upper()} if pair is not None else set(use.secrets)
    for name in names:
        if where := _still_read(draft, called, name):
            raise Cannot(f"{called.file} still reads it at line {where}")
    if pair is None or given is None:
        return  # all are inherited: there is nothing to take out
    draft.take_out(job.workflow.file, job.workflow.text, job.node, pair)
    draft.change(called.file, _optional(called, pair))


def _called(draft: Draft, job: Job) -> Workflow | None:
    return next((w for w in draft.repository.workflows if job.local and w.file == job.local), None)


def _still_read(draft: Draft, workflow: Workflow, name: str) -> int:
    """The line where a workflow reads a secret, after all edits; 0 when it does not."""
    for spot in draft.repository.spots:
        if spot.workflow is not workflow:
            continue
        places = None
        for each in mentions(spot):
            if each.context == "secrets" and each.name == name:
                places = places or spots(spot.text, spot.node)
                if not draft.is_changed(spot, places[each.start], places[each.end - 1] + 1):
                    return spot.text.count("\n", 0, places[each.start]) + 1
    return 0


def _optional(called: Workflow, pair: Pair) -> list[Edit | None]:
    """The declaration stays, for callers in other repositories; it is not required any more."""
    declared = called.called_with.get(pair.key.value.upper())
    required = declared.value.pair("required") if declared is not None else None
    if required is None or required.value.value != "true":
        return []
    return [Edit(required.value.start, required.value.end, "false")]


def callers(draft: Draft, job: Job, seen: frozenset[str] = frozenset()) -> Iterator[Job]:
    """The jobs that call the workflow of a job, and those that call theirs."""
    if not job.workflow.reusable or job.workflow.file in seen:
        return
    for caller, _ in draft.repository.callers(job.workflow):
        yield caller
        yield from callers(draft, caller, seen | {job.workflow.file})
