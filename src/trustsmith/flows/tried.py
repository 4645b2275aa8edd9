"""Whether workflows that sign in without a secret have been seen to work as they are: their last runs. Changes nothing.

A run of check-trust proves the path; what else a job needs, such as a role, only its own run shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith.rewrite.wiring import signing_in
from trustsmith.systems import together

if TYPE_CHECKING:
    from collections.abc import Collection

    from trustsmith.flows.session import Session
    from trustsmith.migrate.repository import Repository
    from trustsmith.model.workflow import Workflow


async def untried(
    session: Session, full_name: str, branch: str, repository: Repository, but: Collection[str]
) -> list[str]:
    """What is not known to work, a line a workflow. repository: the branch as it is. but: paths that do not matter."""
    workflows = {job.workflow.file: job.workflow for job, _ in signing_in(repository)}
    asked = [
        _of(session, full_name, branch, workflow)
        for file, workflow in workflows.items()
        if file not in but and workflow.triggers != {"workflow_call"}  # that runs with who calls it
    ]
    return [said for said in await together(*asked) if said]


async def _of(session: Session, full_name: str, branch: str, workflow: Workflow) -> str:
    actions, file = session.github.actions, workflow.file.rpartition("/")[2]
    query = {"branch": branch, "status": "completed", "per_page": "1"}
    runs = await actions.runs(full_name, file, event="", **query)
    if not runs:
        return f"{file} has not run on {branch} yet"
    run = runs[0]
    text = await actions.file(full_name, workflow.file, str(run.get("head_sha") or branch))
    if text is None or text.removeprefix("\ufeff") != workflow.text:
        return f"{file} has not run on {branch} since it was changed"
    if run.get("conclusion") != "success":
        return f"the last run of {file} ended with {run.get('conclusion')}: {run['html_url']}"
    return ""
