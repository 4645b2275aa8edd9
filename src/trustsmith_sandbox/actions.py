"""A job of a workflow run, as far as its identity and its values go: may it start, what does it see, who is it.

Asked by the control route, which only reports reviewers and wait timers, and by ``run_driver``, which waits for
them; nothing is run here. It must not sign anything: ``issuer`` does, when the job asks.
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
from trustsmith_sandbox.job_token import job_token

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trustsmith_sandbox.called_workflow import Place
    from trustsmith_sandbox.world import Data, World

_DEFAULT_PERMISSIONS = {"id-token": "write", "contents": "read"}
_PULL_REQUEST_REF = "refs/pull/1/merge"
_WORKFLOW = ".github/workflows/deploy.yml"


def create_job(world: World, payload: Mapping[str, Any], _origin: str) -> Data:
    """Start a job: ``{repository, environment?, ref?, event?, permissions?, actor?}``.

    Returns ``sub``, the values under ``secrets`` and ``vars`` (environment over repository over organization),
    ``needs_approval`` (``reviewers``, ``wait_timer``), ``GITHUB_TOKEN``, and with ``id-token: write`` also
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
    run = _assumed_run(world, repository, ref, event) | {"actor": somebody(world, payload.get("actor"))}
    claims = claims_of(
        world, repository, run, world.next_id(), environment=environment, spelled=payload.get("environment")
    )
    return _started(world, repository, environment, claims, payload.get("permissions"))


def _started(
    world: World, repository: Data, environment: Data | None, claims: Data, permissions: Data | None
) -> Data:
    granted = _DEFAULT_PERMISSIONS if permissions is None else permissions
    may_ask = granted.get("id-token") == "write"
    return {
        **(issuer.request_variables(world, claims) if may_ask else {}),
        "GITHUB_TOKEN": job_token(world, repository, granted),
        "sub": claims["sub"],
        "secrets": values(world, repository, environment, "secrets"),
        "vars": values(world, repository, environment, "variables"),
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
    refused = why_not(repository, environment, ref)
    if refused:
        raise _refuse(422, refused)
    return environment


def why_not(repository: Data, environment: Data, ref: str) -> str | None:
    """Return GitHub's words when a full ref may not deploy to the environment, else None."""
    if may_deploy(repository, environment, ref):
        return None
    kind = "Tag" if ref.startswith("refs/tags/") else "Branch"
    short = ref.split("/", 2)[-1]
    where = f"{environment['name']} due to environment protection rules."
    return f'{kind} "{short}" is not allowed to deploy to {where}'


def _assumed_run(world: World, repository: Data, ref: str, event: str) -> Data:
    """Return the run of a workflow that nobody has to push first."""
    known = f"{full_name(repository)}@{ref}"
    return {
        "id": world.next_id(),
        "run_number": 1,
        "run_attempt": 1,
        "event": event,
        "ref": ref,
        "head_sha": hashlib.sha1(known.encode(), usedforsecurity=False).hexdigest(),
        "path": _WORKFLOW,
        "name": "deploy",
    }


def claims_of(
    world: World,
    repository: Data,
    run: Data,
    check_run: int = 0,
    *,
    environment: Data | None = None,
    spelled: str | None = None,
    called: Place | None = None,
) -> Data:
    """Return the claims of a job's identity tokens, without those that ``issuer`` adds.

    ``run`` is as ``runs`` keeps it; ``check_run`` is the job's id; ``spelled`` is the environment's name as the
    job writes it; ``called`` is where the workflow is that the job belongs to, if another one called it. ``sub`` is
    empty where the template needs an environment and there is none.
    """
    claims = _of_repository(world, repository) | _of_run(repository, run) | {"check_run_id": str(check_run)}
    claims |= github_properties.claims(world, repository)
    if called is not None:
        claims |= {"job_workflow_ref": called.name, "job_workflow_sha": called.sha}
    if environment is not None:
        # GitHub's docs do not say whose spelling counts; the job's own is what was seen in the wild.
        claims |= {"environment": spelled, "environment_node_id": node_id("EN", environment["id"])}
    return claims | {"sub": subjects.subject(world, repository, claims)}


def _of_repository(world: World, repository: Data) -> Data:
    github = world.data["github"]
    owner = github["organizations"].get(repository["owner"]) or github["users"][repository["owner"]]
    return {
        "repository": full_name(repository),
        "repository_id": str(repository["id"]),
        "repository_owner": repository["owner"],
        "repository_owner_id": str(owner["id"]),
        "repository_visibility": repository["visibility"],
    }


def _of_run(repository: Data, run: Data) -> Data:
    ref, sha, event = run["ref"], run["head_sha"], run["event"]
    branch, workflow = ref.removeprefix("refs/heads/"), f"{full_name(repository)}/{run['path']}@{ref}"
    return {
        "ref": ref,
        "ref_type": "tag" if ref.startswith("refs/tags/") else "branch",
        "ref_protected": str(branch in repository["protected_branches"]).lower(),
        "sha": sha,
        "event_name": event,
        "base_ref": repository["default_branch"] if event == "pull_request" else "",
        "head_ref": "topic" if event == "pull_request" else "",
        "run_id": str(run["id"]),
        "run_number": str(run["run_number"]),
        "run_attempt": str(run["run_attempt"]),
        "actor": run["actor"]["login"],
        "actor_id": str(run["actor"]["id"]),
        "runner_environment": "github-hosted",
        "workflow": run["name"],
        "workflow_ref": workflow,
        "workflow_sha": sha,
        "job_workflow_ref": workflow,
        "job_workflow_sha": sha,
    }


def somebody(world: World, login: str | None = None) -> Data:
    """Return the user of that name, or the first there is."""
    users = world.data["github"]["users"]
    actor: Data = users.get(login) or next(iter(users.values()))
    return {key: actor[key] for key in ("login", "id", "type")}


def values(world: World, repository: Data, environment: Data | None, kind: str) -> dict[str, str]:
    """Return the ``secrets`` or ``variables`` that a job sees: environment over repository over organization."""
    owner = world.data["github"]["organizations"].get(repository["owner"], {kind: {}})
    shared = {name: value for name, value in owner[kind].items() if reaches(value, repository)}
    own = {} if environment is None else environment[kind]
    return {name: value["value"] for name, value in (shared | repository[kind] | own).items()}


def _approval(environment: Data | None) -> Data:
    if environment is None:
        return {"reviewers": [], "wait_timer": 0}
    return {key: environment[key] for key in ("reviewers", "wait_timer")}
