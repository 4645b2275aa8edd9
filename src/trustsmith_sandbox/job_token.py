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

_LIFETIME_S = 3600.0
#: What a workflow can ask for here; the rest of the scopes has nothing behind it in the sandbox.
_SCOPES = ("actions", "checks", "contents", "deployments", "issues", "pull-requests", "statuses")


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
