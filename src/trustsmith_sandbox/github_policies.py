"""Branch and tag policies of GitHub environments: which refs may deploy.

They exist only while the environment has custom policies switched on (404 else), and a pattern that is
already there is answered with 303 (reference "GitHub REST", environments). Whether a ref matches is asked
by ``actions``, here it must only be answered.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trustsmith_sandbox import github_shapes
from trustsmith_sandbox.github_access import Need
from trustsmith_sandbox.github_routes import on_environment
from trustsmith_sandbox.github_wire import field, invalid, not_found, paged, refusal, touch
from trustsmith_sandbox.http import Answer

if TYPE_CHECKING:
    from trustsmith_sandbox.http import Call
    from trustsmith_sandbox.world import Data

_WILDCARDS = {"**/": "(?:.*/)?", "*": "[^/]*", "?": "[^/]"}


def matches(pattern: str, name: str) -> bool:
    """Whether a branch or tag name fits a policy's pattern; ``*`` does not cross a ``/`` (Ruby's fnmatch)."""
    parts = re.split(r"(\*\*/|\*|\?)", pattern)
    return re.fullmatch("".join(_WILDCARDS.get(part, re.escape(part)) for part in parts), name) is not None


def may_deploy(repository: Data, environment: Data, ref: str) -> bool:
    """Whether a full ref (``refs/heads/main``) may deploy to the environment.

    Without any protected branch in the repository, "protected branches" lets all branches through
    (GitHub docs, "deployments and environments").
    """
    policy = environment["deployment_branch_policy"]
    kind, _, name = ref.removeprefix("refs/").partition("/")
    if policy is None:
        return True
    if policy["protected_branches"]:
        return kind == "heads" and name in (repository["protected_branches"] or [name])
    wanted = {"heads": "branch", "tags": "tag"}.get(kind)
    return any(each["type"] == wanted and matches(each["name"], name) for each in environment["policies"])


def _policy_shape(policy: Data) -> Data:
    return policy | {"node_id": github_shapes.node_id("GA", policy["id"])}


def _policies(call: Call, _repository: Data, environment: Data) -> Answer:
    return paged(call, environment["policies"], _policy_shape, key="branch_policies")


def _policy(call: Call, environment: Data) -> Data:
    for policy in environment["policies"]:
        if str(policy["id"]) == call.params["branch_policy_id"]:
            found: Data = policy
            return found
    raise not_found()


def _refuse_double(environment: Data, name: str, kind: str) -> None:
    if any((each["name"], each["type"]) == (name, kind) for each in environment["policies"]):
        raise refusal(303, "The deployment branch policy already exists.")


def _add_policy(call: Call, _repository: Data, environment: Data) -> Answer:
    if not (environment["deployment_branch_policy"] or {}).get("custom_branch_policies"):
        raise not_found()
    name, kind = field(call, "name", str, required=True), field(call, "type", str, default="branch")
    if not name or kind not in {"branch", "tag"}:
        raise invalid("DeploymentBranchPolicy", "name" if not name else "type", "is not valid", "invalid")
    _refuse_double(environment, name, kind)
    policy = {"id": call.world.next_id(), "name": name, "type": kind}
    environment["policies"].append(policy)
    touch(call.world, environment)
    return Answer(200, _policy_shape(policy))


def _get_policy(call: Call, _repository: Data, environment: Data) -> Answer:
    return Answer(200, _policy_shape(_policy(call, environment)))


def _rename_policy(call: Call, _repository: Data, environment: Data) -> Answer:
    policy, name = _policy(call, environment), field(call, "name", str, required=True)
    if name != policy["name"]:
        _refuse_double(environment, name, policy["type"])
    policy["name"] = name
    touch(call.world, environment)
    return Answer(200, _policy_shape(policy))


def _delete_policy(call: Call, _repository: Data, environment: Data) -> Answer:
    environment["policies"].remove(_policy(call, environment))
    touch(call.world, environment)
    return Answer(204)


_READ, _WRITE = Need("actions:read"), Need("administration:write", role="admin")
_POLICIES = "/deployment-branch-policies"
_ONE_POLICY = f"{_POLICIES}/{{branch_policy_id}}"

ROUTES = (
    *on_environment("GET", _POLICIES, _policies, "Branch and tag policies", _READ),
    *on_environment("POST", _POLICIES, _add_policy, "Add a branch or tag policy", _WRITE),
    *on_environment("GET", _ONE_POLICY, _get_policy, "Branch or tag policy", _READ),
    *on_environment("PUT", _ONE_POLICY, _rename_policy, "Rename a policy", _WRITE),
    *on_environment("DELETE", _ONE_POLICY, _delete_policy, "Delete a policy", _WRITE),
)
