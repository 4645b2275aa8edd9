"""What recent runs of check-trust have proven, for those who want to take a replaced credential away. Changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trustsmith.errors import ServiceError
from trustsmith.generated import inspect
from trustsmith.model import proof
from trustsmith.systems import together

if TYPE_CHECKING:
    from trustsmith.flows.session import Session

_RECENT = 5  # runs


async def proven(
    session: Session, full_name: str, default_branch: str, workflow_path: str, body: str
) -> frozenset[tuple[str, str, str, str]]:
    """The (client id, issuer, subject, audience) that jobs of the newest completed runs have exchanged for a token.

    Only runs of the workflow as it is rendered count, by the commit that they ran: a branch's name is also that of a tag
    that anybody may push, and what another text prints proves nothing. And only jobs that succeeded: their last result
    line is certainly the script's own, whatever inputs the run was started with. What cannot be read counts as nothing.
    workflow_path: in the repository, with `/`. body: what it is rendered to.
    """
    actions, file = session.github.actions, workflow_path.rpartition("/")[2]
    query = {"branch": default_branch, "status": "completed", "per_page": str(_RECENT)}
    try:
        runs = await actions.runs(full_name, file, **query)
    except ServiceError:
        return frozenset()
    found = await together(*(_of_run(session, full_name, run, workflow_path, body) for run in runs[:_RECENT]))
    return frozenset(trust for trusts in found for trust in trusts)


def is_rendered(text: str | None, body: str) -> bool:
    """Whether a workflow's text does what `body`, a rendering, does."""
    made = None if text is None else inspect(text)
    return made is not None and not made.edited and made.body == body


async def _of_run(
    session: Session, full_name: str, run: dict[str, Any], path: str, body: str
) -> list[tuple[str, str, str, str]]:
    actions = session.github.actions
    try:
        text = await actions.file(full_name, path, str(run["head_sha"]))
        jobs = await actions.jobs(full_name, int(run["id"])) if is_rendered(text, body) else []
    except ServiceError:
        return []
    good = [job for job in jobs if job.get("conclusion") == "success"]
    read = await together(*(_of_job(session, full_name, job) for job in good))
    return [trust for trust in read if trust is not None]


async def _of_job(session: Session, full_name: str, job: dict[str, Any]) -> tuple[str, str, str, str] | None:
    try:
        log = await session.github.actions.log(full_name, int(job["id"]))
    except ServiceError:
        return None
    found = proof.read(log or "")
    if found is None or not found[0].ok:
        return None
    result = found[0]
    return result.client_id.lower(), result.issuer, result.subject, result.audience
