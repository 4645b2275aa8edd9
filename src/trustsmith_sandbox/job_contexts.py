"""What a job of a run can see: the ``github`` context, and the variables that every step has.

It must not start anything.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trustsmith_sandbox.github_shapes import full_name

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trustsmith_sandbox.world import Data, World

_CLAIMED = (
    "repository",
    "repository_id",
    "repository_owner",
    "repository_owner_id",
    "ref",
    "ref_type",
    "sha",
    "run_id",
    "run_number",
    "run_attempt",
    "actor",
    "actor_id",
    "workflow",
    "workflow_ref",
    "workflow_sha",
    "event_name",
    "head_ref",
    "base_ref",
)
_NOT_EXPORTED = {"event", "token"}
RUNNER = {
    "os": "Linux",
    "arch": "X64",
    "name": "GitHub Actions 1",
    "environment": "github-hosted",
    "debug": "",
}


def github_context(world: World, repository: Data, run: Data, claims: Mapping[str, Any]) -> Data:
    """Return the ``github`` context of a run, or of one of its jobs; ``claims`` are its token's."""
    branch = run["ref"].split("/", 2)[-1]
    inputs = {name: _as_event(value) for name, value in run["inputs"].items()}
    return {
        **{name: claims[name] for name in _CLAIMED},
        "ref_name": branch,
        "ref_protected": claims["ref_protected"] == "true",
        "triggering_actor": run["actor"]["login"],
        "server_url": world.names.github_web,
        "api_url": world.names.github_api,
        "graphql_url": world.names.github_api.removesuffix("/v3") + "/graphql",
        "event": {
            **({"inputs": inputs, "workflow": run["path"]} if run["event"] == "workflow_dispatch" else {}),
            "ref": run["ref"],
            **run.get("payload", {}),
            "repository": {
                "id": repository["id"],
                "full_name": full_name(repository),
                "name": repository["name"],
            },
            "sender": {"login": run["actor"]["login"], "id": run["actor"]["id"]},
        },
    }


def _as_event(value: Any) -> Any:
    """Inputs are texts in the event, and have their types only in the ``inputs`` context."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.15g}" if isinstance(value, float) else value


def environment_variables(world: World, github: Mapping[str, Any], folder: Path) -> dict[str, str]:
    """Return the variables that every step of a job has. ``folder`` is the job's own.

    What is installed on this machine is found as whoever serves the sandbox finds it, our own interpreter first.
    """
    exported = {name: value for name, value in github.items() if name not in _NOT_EXPORTED}
    bundle = world.kept("jobs' ca file", str)
    search = [str(Path(sys.executable).parent), *os.get_exec_path()]
    return {
        "CI": "true",
        "GITHUB_ACTIONS": "true",
        "HOME": str(folder / "home"),
        "PATH": os.pathsep.join(search),
        "LANG": "C.UTF-8",
        **{f"GITHUB_{name.upper()}": str(_as_event(value)) for name, value in exported.items()},
        **{f"RUNNER_{name.upper()}": value for name, value in RUNNER.items() if value},
        "RUNNER_TEMP": str(folder / "temp"),
        "RUNNER_TOOL_CACHE": os.environ.get("RUNNER_TOOL_CACHE", str(folder / "tools")),
        **dict.fromkeys(
            ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO"), bundle
        ),
        **world.kept("relay", dict),
    }
