"""Starts workflow runs: one that was asked for, those that a push asks for, one that a schedule asks for.

It must not know HTTP, nor run anything: ``runner`` does.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

from trustsmith_sandbox import actions, github_objects, runs, workflow_file
from trustsmith_sandbox.expression_values import ExpressionError
from trustsmith_sandbox.expressions import Scope
from trustsmith_sandbox.job_contexts import github_context
from trustsmith_sandbox.runner import runner_of
from trustsmith_sandbox.workflow_events import asks_for_push
from trustsmith_sandbox.workflow_file import Workflow, WorkflowError

if TYPE_CHECKING:
    from trustsmith_sandbox.world import Data, World

_NOTHING = "0" * 40  # what a push of a new ref has before it


def workflow_id(path: str) -> int:
    """Return the id of the workflow whose file that is."""
    return zlib.crc32(path.encode())


def workflow_files(repository: Data, sha: str) -> dict[str, str]:
    """Return the texts of a commit's workflow files by path."""
    files = github_objects.texts(repository, github_objects.commits(repository)[sha]["tree"])
    return {path: text for path, text in sorted(files.items()) if is_workflow(path)}


def is_workflow(path: str) -> bool:
    """Whether that is where a workflow is."""
    return path.startswith(github_objects.WORKFLOWS) and path.endswith((".yml", ".yaml"))


def start(world: World, repository: Data, path: str, workflow: Workflow, **known: Any) -> Data:
    """Start a run and return it; ``known`` as for ``runs.new_run``. Raises ``WorkflowError``."""
    listed = {"id": workflow_id(path), "path": path, "name": workflow.name or path}
    run = runs.new_run(world, repository, listed, **known)
    try:
        run["title"] = _title(world, repository, run, workflow)
    except ExpressionError as reason:
        del runs.of_repository(repository)[str(run["id"])]
        raise WorkflowError(f"The run-name cannot be evaluated: {reason}") from None
    runner_of(world).start(world, repository, run, workflow)
    return run


def _title(world: World, repository: Data, run: Data, workflow: Workflow) -> str:
    claims = actions.claims_of(world, repository, run)
    contexts = {"github": github_context(world, repository, run, claims), "inputs": run["inputs"]}
    contexts["vars"] = actions.values(world, repository, None, "variables")
    message = run.get("payload", {}).get("head_commit", {}).get("message", "")
    return (
        Scope(contexts, {}).text(workflow.run_name).strip() or message.partition("\n")[0] or str(run["name"])
    )


def pushed(world: World, repository: Data, ref: str, before: str | None, sha: str) -> Data:
    """Start the workflows that ask for a push of a full ref: ``{"runs": ids, "refused": reasons by path}``."""
    payload, changed = _push(repository, before, sha), _changed(repository, before, sha)
    told: Data = {"runs": [], "refused": {}}
    for path, text in workflow_files(repository, sha).items():
        try:
            workflow = workflow_file.read_workflow(text)
            if asks_for_push(workflow, ref, changed):
                known = {"event": "push", "ref": ref, "head_sha": sha, "payload": payload}
                run = start(
                    world, repository, path, workflow, inputs={}, actor=actions.somebody(world), **known
                )
                told["runs"].append(run["id"])
        except WorkflowError as reason:
            told["refused"][path] = str(reason)
    return told


def _push(repository: Data, before: str | None, sha: str) -> Data:
    commit = github_objects.commits(repository)[sha]
    people = {role: {key: commit[role][key] for key in ("name", "email")} for role in ("author", "committer")}
    head = {
        "id": sha,
        "tree_id": commit["tree"],
        "message": commit["message"],
        "timestamp": commit["author"]["date"],
    }
    return {
        "before": before or _NOTHING,
        "after": sha,
        "created": before is None,
        "head_commit": head | people,
    }


def _changed(repository: Data, before: str | None, sha: str) -> set[str]:
    """Return the paths that differ from before the push; on a new branch, from the commit's parent."""
    commits = github_objects.commits(repository)
    base = before or next(iter(commits[sha]["parents"]), None)
    new = github_objects.trees(repository)[commits[sha]["tree"]]
    old = github_objects.trees(repository)[commits[base]["tree"]] if base else {}
    return {path for path in new.keys() | old.keys() if new.get(path) != old.get(path)}


def scheduled(world: World, repository: Data, file: str) -> Data:
    """Start the default branch's workflow of that name for its first schedule. Raises ``WorkflowError``."""
    branch = repository["default_branch"]
    sha = github_objects.head(world, repository, branch) or ""
    path = f"{github_objects.WORKFLOWS}{file.rpartition('/')[2]}"
    files = workflow_files(repository, sha) if sha else {}
    if path not in files:
        raise WorkflowError(f"There is no workflow {path} on {branch}.")
    workflow = workflow_file.read_workflow(files[path])
    listed = workflow.triggers.get("schedule")
    crons = [each["cron"] for each in listed or [] if isinstance(each, dict) and "cron" in each]
    if not crons:
        raise WorkflowError(f"{path} does not ask for a schedule: 'on: schedule' with a 'cron' is missing.")
    known = {
        "event": "schedule",
        "ref": f"refs/heads/{branch}",
        "head_sha": sha,
        "payload": {"schedule": crons[0]},
    }
    return start(world, repository, path, workflow, inputs={}, actor=actions.somebody(world), **known)
