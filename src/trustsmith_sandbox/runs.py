"""Workflow runs and their jobs as the world keeps them: made, changed, and what state they are in.

JSON-native, in ``repository["runs"]`` by id. Who runs them is ``runner``. It must not wait for anything or know
HTTP.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trustsmith_sandbox.github_access import by_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trustsmith_sandbox.world import Data, World

CANCELLED, FAILURE, SKIPPED, SUCCESS = "cancelled", "failure", "skipped", "success"


def of_repository(repository: Data) -> dict[str, Data]:
    """Return a repository's runs by id, the oldest first."""
    runs: dict[str, Data] = repository.setdefault("runs", {})
    return runs


def new_run(world: World, repository: Data, workflow: Data, **known: Any) -> Data:
    """Keep a run of the workflow (as GitHub lists it) and return it.

    ``known``: ``ref`` (full), ``head_sha``, ``inputs``, ``actor`` (login, id, type).
    """
    earlier = [run for run in of_repository(repository).values() if run["path"] == workflow["path"]]
    run: Data = {
        "id": world.next_id(),
        "check_suite_id": world.next_id(),
        "workflow_id": workflow["id"],
        "path": workflow["path"],
        "name": workflow["name"],
        "title": workflow["name"],
        "event": "workflow_dispatch",
        "run_number": len(earlier) + 1,
        "run_attempt": 1,
        "created_at": world.stamp(),
        "updated_at": world.stamp(),
        "cancelled": False,
        "finished": False,
        "jobs": [],
    }
    of_repository(repository)[str(run["id"])] = run | known
    made: Data = of_repository(repository)[str(run["id"])]
    return made


def new_job(world: World, run: Data, key: str, name: str, labels: list[str]) -> Data:
    """Add a queued job to a run and return it; ``key`` is its id in the workflow file."""
    job: Data = {
        "id": world.next_id(),
        "key": key,
        "name": name,
        "labels": labels,
        "status": "queued",
        "conclusion": None,
        "created_at": world.stamp(),
        "started_at": world.stamp(),
        "completed_at": None,
        "steps": [],
        "gate": None,
        "log": None,
        "annotations": [],
        "tolerated": False,
    }
    run["jobs"].append(job)
    run["updated_at"] = world.stamp()
    return job


def start(world: World, run: Data, thing: Data) -> None:
    """Let a job or a step begin."""
    thing |= {"status": "in_progress", "started_at": world.stamp()}
    run["updated_at"] = world.stamp()


def complete(world: World, run: Data, thing: Data, conclusion: str) -> None:
    """Let a job or a step end."""
    thing |= {"status": "completed", "conclusion": conclusion, "completed_at": world.stamp()}
    thing["started_at"] = thing["started_at"] or thing["completed_at"]
    run["updated_at"] = world.stamp()


def finish(world: World, run: Data) -> None:
    """Let a run end; what has not ended in it is cancelled."""
    for job in run["jobs"]:
        if job["status"] != "completed":
            complete(world, run, job, CANCELLED)
    run |= {"finished": True, "updated_at": world.stamp()}


def status_of(run: Data) -> str:
    """Return ``queued``, ``in_progress``, ``waiting`` (nothing runs, and a job waits for its environment)."""
    if run["finished"]:
        return "completed"
    states = {job["status"] for job in run["jobs"]}
    if "in_progress" in states:
        return "in_progress"
    if "waiting" in states:
        return "waiting"
    return "in_progress" if "completed" in states else "queued"


def conclusion_of(run: Data) -> str | None:
    """Return how a run ended, or None while it has not."""
    if not run["finished"]:
        return None
    ends = {job["conclusion"] for job in run["jobs"] if not job["tolerated"]}
    if run["cancelled"]:
        return CANCELLED
    for end in (FAILURE, CANCELLED):
        if end in ends:
            return end
    return SKIPPED if ends == {SKIPPED} else SUCCESS


def waiting(run: Data) -> Iterator[Data]:
    """Yield the jobs that wait for their environment."""
    return (job for job in run["jobs"] if job["status"] == "waiting" and job["gate"])


def environment_of(repository: Data, gate: Data) -> Data | None:
    """Return the environment that a waiting job is for, unless somebody deleted it meanwhile."""
    found: Data | None = by_name(repository["environments"], gate["environment"])
    return found


def seconds_left(world: World, environment: Data, gate: Data) -> float:
    """Return how long the environment's wait timer still runs; not positive when it has passed."""
    left: float = gate["since"] + environment["wait_timer"] * 60 - world.now()
    return left


def is_open(world: World, repository: Data, gate: Data) -> bool:
    """Whether nothing holds the job back any more: approved where reviewers are required, and the timer passed."""
    environment = environment_of(repository, gate)
    if environment is None:
        return True
    reviewed = not environment["reviewers"] or gate["state"] == "approved"
    return reviewed and seconds_left(world, environment, gate) <= 0
