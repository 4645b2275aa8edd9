"""Deployments that wait for their environment, and the reviewers who let them through or not.

One reviewer is enough; with ``prevent_self_review`` whoever started the run is none (GitHub docs, "reviewing
deployments"). Wait timers pass on the world's clock. It must not start a job: ``run_driver`` looks for itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith_sandbox import github_run_shapes as shapes
from trustsmith_sandbox import runs
from trustsmith_sandbox.github_access import Need, signed_in
from trustsmith_sandbox.github_environments import reviewers_shown
from trustsmith_sandbox.github_routes import on_repository
from trustsmith_sandbox.github_runs import named_run
from trustsmith_sandbox.github_wire import field, malformed, refusal
from trustsmith_sandbox.http import Answer

if TYPE_CHECKING:
    from trustsmith_sandbox.http import Call
    from trustsmith_sandbox.world import Data, World

_STATES = ("approved", "rejected")


def _is_reviewer(world: World, environment: Data, run: Data, login: str) -> bool:
    github = world.data["github"]
    if not login or (environment["prevent_self_review"] and login == run["actor"]["login"]):
        return False
    teams = {team["id"]: team["members"] for team in github["teams"].values()}
    own = github["users"][login]["id"]
    return any(
        entry["id"] == own if entry["type"] == "User" else login in teams.get(entry["id"], [])
        for entry in environment["reviewers"]
    )


def _waiting(repository: Data, run: Data) -> dict[int, tuple[Data, list[Data]]]:
    """Return the environments that jobs of the run wait for by id, each with those jobs."""
    found: dict[int, tuple[Data, list[Data]]] = {}
    for job in runs.waiting(run):
        environment = runs.environment_of(repository, job["gate"])
        if environment is not None:
            found.setdefault(environment["id"], (environment, []))[1].append(job)
    return found


def _pending(call: Call, repository: Data) -> Answer:
    run = named_run(call, repository)
    shown = []
    for environment, jobs in _waiting(repository, run).values():
        approvable = _is_reviewer(call.world, environment, run, call.caller.login)
        pending = shapes.pending_shape(call, repository, jobs[0]["gate"], environment, approvable=approvable)
        shown.append(pending | {"reviewers": reviewers_shown(call, environment)})
    return Answer(200, shown)


def _review(call: Call, repository: Data) -> Answer:
    run, login = named_run(call, repository), signed_in(call)["login"]
    wanted, state = (
        field(call, "environment_ids", list, required=True),
        field(call, "state", str, required=True),
    )
    comment = field(call, "comment", str, required=True)
    if state not in _STATES:
        raise malformed(f"'{state}' is not a member of {list(_STATES)}.")
    waiting = _waiting(repository, run)
    for number in wanted:
        environment, _ = waiting.get(number, ({}, []))
        if not environment or not environment["reviewers"]:
            raise refusal(422, f"There is no pending deployment to the environment {number} in this run.")
        if not _is_reviewer(call.world, environment, run, login):
            raise refusal(422, f"{login} may not review deployments to {environment['name']} in this run.")
    pairs = [(waiting[number][0], job) for number in wanted for job in waiting[number][1]]
    for _, job in pairs:
        job["gate"] |= {"state": state, "by": login, "comment": comment}
    shown = [shapes.deployment_shape(call, repository, run, job, each["name"]) for each, job in pairs]
    return Answer(200, shown)


_PATH = "/actions/runs/{run_id}/pending_deployments"

ROUTES = (
    *on_repository("GET", _PATH, _pending, "Deployments that wait", Need("actions:read")),
    *on_repository("POST", _PATH, _review, "Approve or reject deployments", Need("deployments:write")),
)
