"""GitHub as one service: its routes together, the headers of every answer, and pushes from the control route.

It must not hold a route's behaviour: that is in the ``github_*`` modules.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trustsmith_sandbox import (
    github_actions,
    github_approvals,
    github_content,
    github_environments,
    github_git,
    github_graphql,
    github_history,
    github_issues,
    github_limits,
    github_objects,
    github_policies,
    github_properties,
    github_pulls,
    github_releases,
    github_repositories,
    github_runs,
    github_secrets,
    github_variables,
    workflow_starts,
)
from trustsmith_sandbox.github_access import Caller, caller_of, token_of
from trustsmith_sandbox.github_routes import named_repository
from trustsmith_sandbox.github_wire import not_found, touch
from trustsmith_sandbox.http import Answer, Service

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trustsmith_sandbox.http import Call
    from trustsmith_sandbox.world import Data, World

_VERSION = "2022-11-28"


def _headers(call: Call) -> dict[str, str]:
    known = call.world.data["github"]["tokens"].get(token_of(call), {})
    headers = {
        "X-GitHub-Request-Id": secrets.token_hex(8).upper(),
        "X-GitHub-Media-Type": "github.v3; format=json",
        "X-GitHub-Api-Version-Selected": call.headers.get("x-github-api-version", _VERSION),
    }
    if "scopes" in known:
        accepted = "repo" if "/repo" in call.path else ""
        headers |= {"X-OAuth-Scopes": ", ".join(known["scopes"]), "X-Accepted-OAuth-Scopes": accepted}
    if "expires_at" in known:
        until = known["expires_at"].replace("T", " ").replace("Z", " UTC")
        headers["GitHub-Authentication-Token-Expiration"] = until
    return headers


def _finish(call: Call, answer: Answer) -> Answer:
    return replace(answer, headers={**_headers(call), **github_limits.leave(call), **answer.headers})


def _authenticate(call: Call) -> Caller:
    return caller_of(call)


def push(world: World, payload: Mapping[str, Any]) -> Data:
    """Commit files to a branch, as somebody with a clone would: ``{repository, branch?, files, message?, tag?, start?}``.

    ``files`` maps a path to its text, or to null to delete it; a new branch starts from the default one. ``tag`` is
    put on the commit. With ``start``, the workflows run that ask for the push: of the tag if there is one.
    Returns ``{"sha", "branch"}``, and what ``workflow_starts.pushed`` tells.
    Raises a refusal: 404 for an unknown repository.
    """
    repository = named_repository(world, str(payload.get("repository", "")))
    if repository is None:
        raise not_found()
    branch, tag = payload.get("branch") or repository["default_branch"], payload.get("tag")
    before = github_objects.head(world, repository, branch)
    sha = _committed(world, repository, branch, payload)
    ref = f"refs/heads/{branch}"
    if tag:
        ref, before = f"refs/tags/{tag}", github_objects.tags(repository).get(tag)
        github_objects.tags(repository)[tag] = sha
    touch(world, repository)
    started = workflow_starts.pushed(world, repository, ref, before, sha) if payload.get("start") else {}
    return {"sha": sha, "branch": branch, **started}


def _committed(world: World, repository: Data, branch: str, payload: Mapping[str, Any]) -> str:
    """Commit the files; without any, an existing branch stays where it is. Returns the branch's commit."""
    from_branch = branch if branch in repository["files"] else repository["default_branch"]
    parent, wanted = github_objects.head(world, repository, from_branch), dict(payload.get("files") or {})
    if parent and not wanted and branch == from_branch:
        return parent
    changed = repository["files"].get(from_branch, {}) | wanted
    files = {path: text for path, text in changed.items() if text is not None}
    tree, parents = github_objects.save_files(repository, files), [parent] if parent else []
    message = payload.get("message") or "Update files"
    sha = github_objects.save_commit(world, repository, tree, parents, message)
    github_objects.set_head(repository, branch, sha)
    return sha


SERVICE = Service(
    name="github",
    routes=(
        *github_repositories.ROUTES,
        *github_environments.ROUTES,
        *github_policies.ROUTES,
        *github_secrets.ROUTES,
        *github_variables.ROUTES,
        *github_actions.ROUTES,
        *github_runs.ROUTES,
        *github_approvals.ROUTES,
        *github_properties.ROUTES,
        *github_content.ROUTES,
        *github_git.ROUTES,
        *github_history.ROUTES,
        *github_releases.ROUTES,
        *github_issues.ROUTES,
        *github_pulls.ROUTES,
        *github_graphql.ROUTES,
    ),
    roots=("", "api", "graphql", "meta", "orgs", "rate_limit", "repos", "repositories", "user", "users"),
    hosts=("api.github.com", "github.com"),
    mounts=("/api/v3", ""),
    authenticate=_authenticate,
    begin=github_limits.enter,
    finish=_finish,
)
