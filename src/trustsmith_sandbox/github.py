"""GitHub as one service: its routes together, the headers of every answer, and pushes from the control route.

It must not hold a route's behaviour: that is in the ``github_*`` modules.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from email.utils import formatdate
from typing import TYPE_CHECKING

from trustsmith_sandbox import (
    github_environments,
    github_limits,
    github_policies,
    github_repositories,
    github_secrets,
    github_variables,
)
from trustsmith_sandbox.github_access import Caller, caller_of, token_of
from trustsmith_sandbox.http import Answer, Service

if TYPE_CHECKING:
    from trustsmith_sandbox.http import Call

_VERSION = "2022-11-28"


def _headers(call: Call) -> dict[str, str]:
    known = call.world.data["github"]["tokens"].get(token_of(call), {})
    headers = {
        "Date": formatdate(call.world.now(), usegmt=True),
        "X-GitHub-Request-Id": secrets.token_hex(8).upper(),
        "X-GitHub-Media-Type": "github.v3; format=json",
        "X-GitHub-Api-Version-Selected": call.headers.get("x-github-api-version", _VERSION),
    }
    if "scopes" in known:
        accepted = "repo" if call.path.startswith("/repo") else ""
        headers |= {"X-OAuth-Scopes": ", ".join(known["scopes"]), "X-Accepted-OAuth-Scopes": accepted}
    return headers


def _finish(call: Call, answer: Answer) -> Answer:
    return replace(answer, headers={**_headers(call), **github_limits.leave(call), **answer.headers})


def _authenticate(call: Call) -> Caller:
    return caller_of(call)


SERVICE = Service(
    name="github",
    routes=(
        *github_repositories.ROUTES,
        *github_environments.ROUTES,
        *github_policies.ROUTES,
        *github_secrets.ROUTES,
        *github_variables.ROUTES,
    ),
    roots=("", "api", "graphql", "meta", "orgs", "rate_limit", "repos", "repositories", "user", "users"),
    hosts=("api.github.com", "github.com"),
    mounts=("/api/v3", "/api", ""),
    authenticate=_authenticate,
    begin=github_limits.enter,
    finish=_finish,
)
