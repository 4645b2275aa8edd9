"""How workflow runs, jobs and deployments that wait look in GitHub's answers (OpenAPI ``workflow-run``, ``job``).

Pure functions of the world and of the address the client used. They must not decide who may see what.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from trustsmith_sandbox import github_objects, github_shapes, runs
from trustsmith_sandbox.github_shapes import account, full_name, node_id, web

if TYPE_CHECKING:
    from trustsmith_sandbox.http import Call
    from trustsmith_sandbox.world import Data

_MINIMAL = {
    "id",
    "node_id",
    "name",
    "full_name",
    "private",
    "owner",
    "description",
    "fork",
    "url",
    "html_url",
}
_NOT_MINIMAL = {"git_url", "ssh_url", "clone_url", "svn_url", "mirror_url"}


def run_url(call: Call, repository: Data, run: Data) -> str:
    """Return a run's address in the API."""
    return f"{call.base}/repos/{full_name(repository)}/actions/runs/{run['id']}"


def run_page(call: Call, repository: Data, run: Data) -> str:
    """Return a run's page for people."""
    return f"{web(call)}/{full_name(repository)}/actions/runs/{run['id']}"


def _minimal(call: Call, repository: Data) -> Data:
    full = github_shapes.repository(call, repository)
    kept = {key: value for key, value in full.items() if key in _MINIMAL or key.endswith("_url")}
    return {key: value for key, value in kept.items() if key not in _NOT_MINIMAL}


def _commit(repository: Data, sha: str) -> Data:
    commit = github_objects.commits(repository)[sha]
    people = {role: {key: commit[role][key] for key in ("name", "email")} for role in ("author", "committer")}
    told = {"message": commit["message"], "timestamp": commit["committer"]["date"]}
    return {"id": sha, "tree_id": commit["tree"], **told, **people}


def shape(call: Call, repository: Data, run: Data) -> Data:
    """Return a run."""
    url, actor, minimal = (
        run_url(call, repository, run),
        account(call, run["actor"]),
        _minimal(call, repository),
    )
    same = (
        "id",
        "name",
        "path",
        "run_number",
        "run_attempt",
        "event",
        "head_sha",
        "workflow_id",
        "check_suite_id",
    )
    suites = f"{call.base}/repos/{full_name(repository)}/check-suites"
    return {
        **{key: run[key] for key in (*same, "created_at", "updated_at")},
        "node_id": node_id("WFR", run["id"]),
        "head_branch": run["ref"].split("/", 2)[-1],
        "display_title": run["title"],
        "status": runs.status_of(run),
        "conclusion": runs.conclusion_of(run),
        "check_suite_node_id": node_id("CS", run["check_suite_id"]),
        "check_suite_url": f"{suites}/{run['check_suite_id']}",
        "url": url,
        "html_url": run_page(call, repository, run),
        "pull_requests": [],
        "actor": actor,
        "triggering_actor": actor,
        "run_started_at": run["created_at"],
        "referenced_workflows": [],
        "previous_attempt_url": None,
        **{f"{name}_url": f"{url}/{name}" for name in ("jobs", "logs", "artifacts", "cancel", "rerun")},
        "workflow_url": f"{call.base}/repos/{full_name(repository)}/actions/workflows/{run['workflow_id']}",
        "head_commit": _commit(repository, run["head_sha"]),
        "repository": minimal,
        "head_repository": minimal,
    }


def job_shape(call: Call, repository: Data, run: Data, job: Data) -> Data:
    """Return a job with its steps."""
    base, ran = f"{call.base}/repos/{full_name(repository)}", job["status"] != "queued" and bool(job["steps"])
    same = (
        "id",
        "name",
        "labels",
        "status",
        "conclusion",
        "created_at",
        "started_at",
        "completed_at",
        "steps",
    )
    return {
        **{key: job[key] for key in same},
        "run_id": run["id"],
        "workflow_name": run["name"],
        "head_branch": run["ref"].split("/", 2)[-1],
        "run_url": run_url(call, repository, run),
        "run_attempt": run["run_attempt"],
        "node_id": node_id("CR", job["id"]),
        "head_sha": run["head_sha"],
        "url": f"{base}/actions/jobs/{job['id']}",
        "html_url": f"{run_page(call, repository, run)}/job/{job['id']}",
        "check_run_url": f"{base}/check-runs/{job['id']}",
        "runner_id": 1 if ran else None,
        "runner_name": "GitHub Actions 1" if ran else None,
        "runner_group_id": 0 if ran else None,
        "runner_group_name": "GitHub Actions" if ran else None,
    }


def annotation_shape(call: Call, repository: Data, run: Data, message: str) -> Data:
    """Return what GitHub has to say about a job that could not start."""
    return {
        "path": ".github",
        "blob_href": f"{web(call)}/{full_name(repository)}/blob/{run['head_sha']}/.github",
        "start_line": 1,
        "end_line": 1,
        "start_column": None,
        "end_column": None,
        "annotation_level": "failure",
        "title": "",
        "message": message,
        "raw_details": "",
    }


def pending_shape(call: Call, repository: Data, gate: Data, environment: Data, *, approvable: bool) -> Data:
    """Return a deployment that waits; ``reviewers`` are as the environment shows them."""
    name = environment["name"]
    page = f"{web(call)}/{full_name(repository)}/deployments/activity_log?environments_filter={quote(name, safe='')}"
    return {
        "environment": {
            "id": environment["id"],
            "node_id": node_id("EN", environment["id"]),
            "name": name,
            "url": f"{call.base}/repos/{full_name(repository)}/environments/{quote(name, safe='')}",
            "html_url": page,
        },
        "wait_timer": environment["wait_timer"],
        "wait_timer_started_at": gate["since_at"] if environment["wait_timer"] else None,
        "current_user_can_approve": approvable,
    }


def deployment_shape(call: Call, repository: Data, run: Data, job: Data, environment: str) -> Data:
    """Return the deployment of a job that was approved or rejected."""
    url = f"{call.base}/repos/{full_name(repository)}/deployments/{job['id']}"
    plain: dict[str, Any] = {
        "task": "deploy",
        "payload": {},
        "description": "",
        "original_environment": environment,
    }
    return plain | {
        "id": job["id"],
        "node_id": node_id("DE", job["id"]),
        "url": url,
        "sha": run["head_sha"],
        "ref": run["ref"].split("/", 2)[-1],
        "environment": environment,
        "creator": account(call, run["actor"]),
        "created_at": job["created_at"],
        "updated_at": run["updated_at"],
        "statuses_url": f"{url}/statuses",
        "repository_url": f"{call.base}/repos/{full_name(repository)}",
        "transient_environment": False,
        "production_environment": False,
    }
