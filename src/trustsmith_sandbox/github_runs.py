"""Routes of workflow runs and their jobs: dispatched, listed, cancelled, and where a job's log is.

Held to GitHub's published API and to recorded traffic (reference "GitHub REST", workflow_dispatch and run
lookup). It must not run anything: ``runner`` does.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from trustsmith_sandbox import github_objects, results, runs, workflow_file, workflow_starts
from trustsmith_sandbox import github_run_shapes as shapes
from trustsmith_sandbox.github_access import Need
from trustsmith_sandbox.github_actions import found_workflow
from trustsmith_sandbox.github_routes import on_repository
from trustsmith_sandbox.github_wire import field, not_found, paged, refusal
from trustsmith_sandbox.http import Answer
from trustsmith_sandbox.runner import runner_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from trustsmith_sandbox.http import Call
    from trustsmith_sandbox.workflow_file import Workflow
    from trustsmith_sandbox.world import Data

_ALWAYS_TELLS = "2026-03-10"  # from this version on, a dispatch is answered with the run


def _dispatch(call: Call, repository: Data) -> Answer:
    path = found_workflow(call, repository)["path"]
    ref, sha = _ref(call, repository)
    try:
        workflow = _workflow_at(repository, path, sha)
        inputs = workflow_file.accepted_inputs(workflow, field(call, "inputs", dict, default={}))
        known = {"ref": ref, "head_sha": sha, "inputs": inputs, "actor": _actor(call)}
        run = workflow_starts.start(call.world, repository, path, workflow, **known)
    except workflow_file.WorkflowError as reason:
        raise refusal(422, str(reason)) from None
    tells = call.headers.get("x-github-api-version", "") >= _ALWAYS_TELLS
    if not field(call, "return_run_details", bool, default=False) and not tells:
        return Answer(204)
    url, page = shapes.run_url(call, repository, run), shapes.run_page(call, repository, run)
    return Answer(200, {"workflow_run_id": run["id"], "run_url": url, "html_url": page})


def _ref(call: Call, repository: Data) -> tuple[str, str]:
    """Return the full ref and its commit. Raises 422 for what is no branch or tag."""
    wanted = field(call, "ref", str, required=True)
    short = wanted.removeprefix("refs/heads/").removeprefix("refs/tags/")
    for kind, names in (("heads", repository["files"]), ("tags", github_objects.tags(repository))):
        full = f"refs/{kind}/{short}"
        if short in names and wanted in {short, full}:
            return full, github_objects.resolve(call.world, repository, full) or ""
    raise refusal(422, f"No ref found for: {wanted}")


def _workflow_at(repository: Data, path: str, sha: str) -> Workflow:
    files = workflow_starts.workflow_files(repository, sha)
    if path not in files:
        raise workflow_file.WorkflowError("Workflow does not have 'workflow_dispatch' trigger")
    return workflow_file.read_workflow(files[path])


def _actor(call: Call) -> Data:
    if call.caller.login:
        user: Data = call.world.data["github"]["users"][call.caller.login]
        return {key: user[key] for key in ("login", "id", "type")}
    return {"login": f"{call.caller.token['app']}[bot]", "id": call.world.next_id(), "type": "Bot"}


def _matching(call: Call, repository: Data) -> list[Data]:
    """Return the runs that the query's filters let through, the newest first."""
    tests: dict[str, Callable[[Data, str], bool]] = {
        "event": lambda run, wanted: run["event"] == wanted,
        "branch": lambda run, wanted: run["ref"].split("/", 2)[-1] == wanted,
        "head_sha": lambda run, wanted: run["head_sha"] == wanted,
        "actor": lambda run, wanted: run["actor"]["login"].lower() == wanted.lower(),
        "status": lambda run, wanted: wanted in {runs.status_of(run), runs.conclusion_of(run)},
        "created": lambda run, wanted: _created(run["created_at"], wanted),
        "check_suite_id": lambda run, wanted: str(run["check_suite_id"]) == wanted,
    }
    asked = {name: value for name, value in call.query.items() if name in tests and value}
    everything = reversed(runs.of_repository(repository).values())
    return [run for run in everything if all(tests[name](run, value) for name, value in asked.items())]


def _created(stamp: str, wanted: str) -> bool:
    """Whether a time is in a range as GitHub's search writes them: ``>=T``, ``<T``, ``A..B``, a day."""
    first, dots, last = wanted.partition("..")
    if dots:
        return _created(stamp, f">={first}") and _created(stamp, f"<={last}")
    mark = wanted[: len(wanted) - len(wanted.lstrip("<>="))]
    time = wanted[len(mark) :]
    if time in {"*", ""}:
        return True
    try:
        moment = datetime.fromisoformat(time).replace(tzinfo=datetime.fromisoformat(time).tzinfo or UTC)
    except ValueError:
        raise refusal(422, f"'{wanted}' is not a time or a range of times.") from None
    told = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    one, other = (stamp[:10], told[:10]) if len(time) == len("2026-01-01") else (stamp, told)
    return {">": one > other, ">=": one >= other, "<": one < other, "<=": one <= other}.get(
        mark, one == other
    )


def _runs(call: Call, repository: Data) -> Answer:
    found = _matching(call, repository)
    return paged(call, found, lambda run: shapes.shape(call, repository, run), key="workflow_runs")


def _runs_of_workflow(call: Call, repository: Data) -> Answer:
    number = found_workflow(call, repository)["id"]
    found = [run for run in _matching(call, repository) if run["workflow_id"] == number]
    return paged(call, found, lambda run: shapes.shape(call, repository, run), key="workflow_runs")


def named_run(call: Call, repository: Data) -> Data:
    """Return the run named in the path. Raises 404."""
    run = runs.of_repository(repository).get(call.params["run_id"])
    if run is None:
        raise not_found()
    return run


def _run(call: Call, repository: Data) -> Answer:
    return Answer(200, shapes.shape(call, repository, named_run(call, repository)))


def _cancel(call: Call, repository: Data) -> Answer:
    run = named_run(call, repository)
    if run["finished"]:
        raise refusal(409, "Cannot cancel a workflow run that is completed.")
    runner_of(call.world).cancel(call.world, run)
    return Answer(202, {})


def _jobs(call: Call, repository: Data) -> Answer:
    run = named_run(call, repository)
    return paged(call, run["jobs"], lambda job: shapes.job_shape(call, repository, run, job), key="jobs")


def _named_job(call: Call, repository: Data) -> tuple[Data, Data]:
    for run in runs.of_repository(repository).values():
        for job in run["jobs"]:
            if str(job["id"]) == call.params["job_id"]:
                return run, job
    raise not_found()


def _job(call: Call, repository: Data) -> Answer:
    return Answer(200, shapes.job_shape(call, repository, *_named_job(call, repository)))


def _logs(call: Call, repository: Data) -> Answer:
    _, job = _named_job(call, repository)
    if job["status"] != "completed" or job["log"] is None:
        raise not_found()
    return Answer(302, headers={"Location": results.address(call, job)})


def _annotations(call: Call, repository: Data) -> Answer:
    run, job = _named_job(call, repository)
    told: list[Any] = job["annotations"]
    return paged(call, told, lambda text: shapes.annotation_shape(call, repository, run, str(text)))


_READ, _WRITE = Need("actions:read"), Need("actions:write", role="write")
_WORKFLOW, _RUN, _JOB = "/actions/workflows/{workflow_id}", "/actions/runs/{run_id}", "/actions/jobs/{job_id}"

ROUTES = (
    *on_repository("POST", f"{_WORKFLOW}/dispatches", _dispatch, "Run a workflow", _WRITE),
    *on_repository("GET", f"{_WORKFLOW}/runs", _runs_of_workflow, "Runs of a workflow", _READ),
    *on_repository("GET", "/actions/runs", _runs, "Workflow runs", _READ),
    *on_repository("GET", _RUN, _run, "Workflow run", _READ),
    *on_repository("POST", f"{_RUN}/cancel", _cancel, "Cancel a run", _WRITE),
    *on_repository("GET", f"{_RUN}/jobs", _jobs, "Jobs of a run", _READ),
    *on_repository("GET", _JOB, _job, "Job", _READ),
    *on_repository("GET", f"{_JOB}/logs", _logs, "Where a job's log is", _READ),
    *on_repository(
        "GET",
        "/check-runs/{job_id}/annotations",
        _annotations,
        "Why a job could not start",
        Need("checks:read"),
    ),
)
