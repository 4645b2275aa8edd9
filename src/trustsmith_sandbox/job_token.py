"""A job's ``GITHUB_TOKEN``: an installation token of the app "github-actions", for one repository.

It can do what the job's ``permissions`` say, and never what no workflow can ask for, such as environments' secrets
(GitHub docs, "Controlling permissions for GITHUB_TOKEN"). It must not decide what a job's permissions are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith_sandbox.github_shapes import full_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trustsmith_sandbox.world import Data, World

_LIFETIME_S = 86_400.0  # or the job's end, if that comes first
#: What a workflow can ask for, beside a token of its own.
_SCOPES = (
    "actions",
    "attestations",
    "checks",
    "contents",
    "deployments",
    "discussions",
    "issues",
    "models",
    "packages",
    "pages",
    "pull-requests",
    "security-events",
    "statuses",
)


def job_token(world: World, repository: Data, permissions: Mapping[str, str]) -> str:
    """Make the token of one job and return it."""
    granted = {name.replace("-", "_"): permissions[name] for name in _SCOPES if name in permissions}
    token = f"ghs_sandbox-job-{world.guid()}"
    world.data["github"]["tokens"][token] = {
        "app": "github-actions",
        "permissions": {"metadata": "read"}
        | {name: level for name, level in granted.items() if level != "none"},
        "repositories": [full_name(repository)],
        "expires_at": world.stamp(offset=_LIFETIME_S),
    }
    return token
