"""A job of a workflow run, as far as its identity and its values go: may it start, what does it see, who is it.

Called by the control route; nothing is run here. Reviewers and wait timers are not waited for, only
reported. It must not sign anything: ``issuer`` does, when the job asks.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from trustsmith_sandbox import github_properties, issuer, subjects
from trustsmith_sandbox.github_environments import make_environment
from trustsmith_sandbox.github_policies import may_deploy
from trustsmith_sandbox.github_routes import named_repository
from trustsmith_sandbox.github_shapes import full_name, node_id
from trustsmith_sandbox.github_values import reaches
from trustsmith_sandbox.http import Answer, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trustsmith_sandbox.world import Data, World

_DEFAULT_PERMISSIONS = {"id-token": "write", "contents": "read"}
_PULL_REQUEST_REF = "refs/pull/1/merge"
_WORKFLOW = ".github/workflows/deploy.yml"


def create_job(world: World, payload: Mapping[str, Any], _origin: str) -> Data:
    """Start a job: ``{repository, environment?, ref?, event?, permissions?, actor?}``.

    Returns ``sub``, the values under ``secrets`` and ``vars`` (environment over repository over organization),
    ``needs_approval`` (``reviewers``, ``wait_timer``), and with ``id-token: write`` also
    ``ACTIONS_ID_TOKEN_REQUEST_URL`` and ``ACTIONS_ID_TOKEN_REQUEST_TOKEN``. ``sub`` is empty where the
    template needs an environment and there is none. An environment that does not exist is made, unprotected.
    Raises a refusal: 404 for an unknown repository, 422 for a ref that may not deploy.
    """
    repository = named_repository(world, str(payload.get("repository", "")))
    if repository is None:
        raise _refuse(404, f"There is no repository {payload.get('repository')!r}.")
    event = payload.get("event") or "workflow_dispatch"
    ref = _full_ref(payload.get("ref") or _default_ref(repository, event))
    environment = _environment(world, repository, payload.get("environment"), ref)
    claims = _claims(world, repository, ref, event) | _who(world, payload)
    claims |= github_properties.claims(world, repository)
    if environment is not None:
        # GitHub's docs do not say whose spelling counts; the job's own is what was seen in the wild.
        claims |= {
            "environment": payload["environment"],
            "environment_node_id": node_id("EN", environment["id"]),
        }
    claims["sub"] = subjects.subject(world, repository, claims)
    return _started(world, repository, environment, claims, payload.get("permissions"))


def _started(
    world: World, repository: Data, environment: Data | None, claims: Data, permissions: Data | None
) -> Data:
    granted = _DEFAULT_PERMISSIONS if permissions is None else permissions
    may_ask = granted.get("id-token") == "write"
    return {
        **(issuer.request_variables(world, claims) if may_ask else {}),
        "sub": claims["sub"],
        "secrets": _values(world, repository, environment, "secrets"),
        "vars": _values(world, repository, environment, "variables"),
        "needs_approval": _approval(environment),
    }


def _refuse(status: int, message: str) -> Refusal:
    return Refusal(Answer(status, {"message": message}))


def _default_ref(repository: Data, event: str) -> str:
    return _PULL_REQUEST_REF if event == "pull_request" else repository["default_branch"]


def _full_ref(ref: str) -> str:
    return ref if ref.startswith("refs/") else f"refs/heads/{ref}"


def _environment(world: World, repository: Data, name: str | None, ref: str) -> Data | None:
    if not name:
        return None
    environment = make_environment(world, repository, name)
    if not may_deploy(repository, environment, ref):
        kind = "Tag" if ref.startswith("refs/tags/") else "Branch"
        short = ref.split("/", 2)[-1]
        where = f"{environment['name']} due to environment protection rules."
        raise _refuse(422, f'{kind} "{short}" is not allowed to deploy to {where}')
    return environment


def _claims(world: World, repository: Data, ref: str, event: str) -> Data:
    name, visibility = full_name(repository), repository["visibility"]
    github, run = world.data["github"], str(world.next_id())
    owner = github["organizations"].get(repository["owner"]) or github["users"][repository["owner"]]
    sha = hashlib.sha1(f"{name}@{ref}".encode(), usedforsecurity=False).hexdigest()
    branch = ref.removeprefix("refs/heads/")
    workflow = f"{name}/{_WORKFLOW}@{ref}"
    return {
        "repository": name,
        "repository_id": str(repository["id"]),
        "repository_owner": repository["owner"],
        "repository_owner_id": str(owner["id"]),
        "repository_visibility": visibility,
        "ref": ref,
        "ref_type": "tag" if ref.startswith("refs/tags/") else "branch",
        "ref_protected": str(branch in repository["protected_branches"]).lower(),
        "sha": sha,
        "event_name": event,
        "base_ref": repository["default_branch"] if event == "pull_request" else "",
        "head_ref": "topic" if event == "pull_request" else "",
        "run_id": run,
        "run_number": "1",
        "run_attempt": "1",
        "check_run_id": str(world.next_id()),
        "runner_environment": "github-hosted",
        "workflow": "deploy",
        "workflow_ref": workflow,
        "workflow_sha": sha,
        "job_workflow_ref": workflow,
        "job_workflow_sha": sha,
    }


def _who(world: World, payload: Mapping[str, Any]) -> Data:
    users = world.data["github"]["users"]
    actor = users.get(payload.get("actor")) or next(iter(users.values()))
    return {"actor": actor["login"], "actor_id": str(actor["id"])}


def _values(world: World, repository: Data, environment: Data | None, kind: str) -> dict[str, str]:
    owner = world.data["github"]["organizations"].get(repository["owner"], {kind: {}})
    shared = {name: value for name, value in owner[kind].items() if reaches(value, repository)}
    own = {} if environment is None else environment[kind]
    return {name: value["value"] for name, value in (shared | repository[kind] | own).items()}


def _approval(environment: Data | None) -> Data:
    if environment is None:
        return {"reviewers": [], "wait_timer": 0}
    return {key: environment[key] for key in ("reviewers", "wait_timer")}
