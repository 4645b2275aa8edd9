"""What recent runs of check-trust have proven, for those who want to take a replaced credential away. Changes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trustsmith.errors import ServiceError
from trustsmith.model import proof
from trustsmith.systems import together

if TYPE_CHECKING:
    from trustsmith.flows.session import Session

_RECENT = 5  # runs


async def proven(
    session: Session, full_name: str, default_branch: str, workflow_path: str
) -> frozenset[tuple[str, str, str, str]]:
    """The (client id, issuer, subject, audience) that jobs of the newest completed runs have exchanged for a token.

    Only jobs that succeeded count: their last result line is certainly the script's own, whatever inputs the run was
    started with. What cannot be read counts as nothing. workflow_path: in the repository, with `/`.
    """
    actions, file = session.github.actions, workflow_path.rpartition("/")[2]
    query = {"branch": default_branch, "status": "completed", "per_page": str(_RECENT)}
    try:
        runs = await actions.runs(full_name, file, **query)
    except ServiceError:
        return frozenset()
    found = await together(*(_of_run(session, full_name, int(run["id"])) for run in runs[:_RECENT]))
    return frozenset(trust for trusts in found for trust in trusts)


async def _of_run(session: Session, full_name: str, run_id: int) -> list[tuple[str, str, str, str]]:
    try:
        jobs = await session.github.actions.jobs(full_name, run_id)
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
