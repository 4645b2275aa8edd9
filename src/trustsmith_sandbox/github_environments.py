"""GitHub environments: their protection rules, and what a plan lacks.

Held to GitHub's published API: PUT replaces everything, plans that lack a rule answer 422 *and* leave an
unprotected environment behind, names are matched in any case and kept as first spelled (reference "GitHub
REST", environments). It must not decide whether a job may deploy: ``actions`` does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from trustsmith_sandbox import github_shapes
from trustsmith_sandbox.github_access import Caller, Need, by_name, role_on
from trustsmith_sandbox.github_routes import on_environment, on_repository
from trustsmith_sandbox.github_wire import field, invalid, malformed, paged, permit, refusal, touch
from trustsmith_sandbox.http import Answer

if TYPE_CHECKING:
    from trustsmith_sandbox.http import Call
    from trustsmith_sandbox.world import Data, World

_LONGEST_WAIT = 43200  # minutes: 30 days
_MOST_REVIEWERS = 6
_LONGEST_NAME = 255
_UNSUPPORTED = "Failed to create the environment protection rule. Please ensure the billing plan supports the {} protection rule."
_RULES_BY_PLAN: dict[str, set[str]] = {
    "free": set(),
    "pro": {"branch policy"},
    "team": {"branch policy"},
    "enterprise": {"branch policy", "required reviewers", "wait timer"},
}


def make_environment(world: World, repository: Data, name: str) -> Data:
    """Return the environment, made without any protection if it is new, as naming it in a job does."""
    found: Data | None = by_name(repository["environments"], name)
    if found is not None:
        return found
    made: Data = {"id": world.next_id(), "name": name, "policies": [], "secrets": {}, "variables": {}}
    made |= {"wait_timer": 0, "prevent_self_review": False, "reviewers": [], "can_admins_bypass": True}
    repository["environments"][name] = touch(world, made | {"deployment_branch_policy": None})
    fresh: Data = repository["environments"][name]
    return fresh


def shape(call: Call, repository: Data, environment: Data) -> Data:
    """Return an environment as GitHub shows it (OpenAPI ``environment``)."""
    full_name, name = github_shapes.full_name(repository), quote(environment["name"], safe="")
    log = f"{github_shapes.web(call)}/{full_name}/deployments/activity_log"
    return {
        "id": environment["id"],
        "node_id": github_shapes.node_id("EN", environment["id"]),
        "name": environment["name"],
        "url": f"{call.base}/repos/{full_name}/environments/{name}",
        "html_url": f"{log}?environments_filter={name}",
        "created_at": environment["created_at"],
        "updated_at": environment["updated_at"],
        "can_admins_bypass": environment["can_admins_bypass"],
        "protection_rules": _rules(call, environment),
        "deployment_branch_policy": environment["deployment_branch_policy"],
    }


def _rules(call: Call, environment: Data) -> list[Data]:
    rules: list[Data] = []
    if environment["wait_timer"]:
        rules.append({"type": "wait_timer", "wait_timer": environment["wait_timer"]})
    if environment["reviewers"]:
        people = reviewers_shown(call, environment)
        alone = environment["prevent_self_review"]
        rules.append({"type": "required_reviewers", "prevent_self_review": alone, "reviewers": people})
    if environment["deployment_branch_policy"]:
        rules.append({"type": "branch_policy"})
    for place, rule in enumerate(rules, start=1):
        rule["id"] = environment["id"] * 10 + place
        rule["node_id"] = github_shapes.node_id("GA", rule["id"])
    return rules


def reviewers_shown(call: Call, environment: Data) -> list[Data]:
    """Return an environment's reviewers with who they are."""
    github = call.world.data["github"]
    users = {who["id"]: github_shapes.account(call, who) for who in github["users"].values()}
    teams = {team["id"]: github_shapes.team(call, team) for team in github["teams"].values()}
    known = {"User": users, "Team": teams}
    wanted = [(entry["type"], entry["id"]) for entry in environment["reviewers"]]
    return [
        {"type": kind, "reviewer": known[kind][number]} for kind, number in wanted if number in known[kind]
    ]


def _put(call: Call, repository: Data) -> Answer:
    name = call.params["environment_name"]
    if len(name) > _LONGEST_NAME:
        raise invalid("Environment", "name", "name is too long (maximum is 255 characters)")
    permit(call, "wait_timer", "prevent_self_review", "reviewers", "deployment_branch_policy")
    wanted = {
        "wait_timer": _wait(call),
        "prevent_self_review": field(call, "prevent_self_review", bool, default=False),
        "reviewers": _reviewers(call, repository),
        "deployment_branch_policy": _branch_policy(call),
    }
    known = by_name(repository["environments"], name) is not None
    environment = make_environment(call.world, repository, name)
    _refuse_by_plan(call, repository, wanted)
    _replace(environment, wanted)
    if known:
        touch(call.world, environment)
    return Answer(200, shape(call, repository, environment))


def _replace(environment: Data, wanted: Data) -> None:
    environment.update(wanted)
    if not (wanted["deployment_branch_policy"] or {}).get("custom_branch_policies"):
        environment["policies"] = []


def _wait(call: Call) -> int:
    minutes: int = field(call, "wait_timer", int, default=0)
    if not 0 <= minutes <= _LONGEST_WAIT:
        raise invalid("Environment", "wait_timer", f"wait_timer must be between 0 and {_LONGEST_WAIT}")
    return minutes


def _reviewers(call: Call, repository: Data) -> list[Data]:
    entries = field(call, "reviewers", list, default=[])
    if len(entries) > _MOST_REVIEWERS:
        raise invalid("Environment", "reviewers", f"a maximum of {_MOST_REVIEWERS} reviewers is allowed")
    return [_known_reviewer(call.world, repository, entry) for entry in entries]


def _known_reviewer(world: World, repository: Data, entry: Any) -> Data:
    if (
        not isinstance(entry, dict)
        or entry.get("type") not in {"User", "Team"}
        or not isinstance(entry.get("id"), int)
    ):
        raise malformed("A reviewer is an object with 'type' (User or Team) and a numeric 'id'.")
    table = world.data["github"]["users" if entry["type"] == "User" else "teams"]
    found = next((each for each in table.values() if each["id"] == entry["id"]), None)
    if found is None or not _may_read(world, repository, found):
        raise invalid(
            "Environment", "reviewers", f"{entry['type']} {entry['id']} has no read access to the repository"
        )
    return {"type": entry["type"], "id": entry["id"]}


def _may_read(world: World, repository: Data, found: Data) -> bool:
    if "login" in found:
        return role_on(world, Caller(found), repository) != "none"
    owned = found["organization"] == repository["owner"]
    return owned and (repository["visibility"] == "public" or found["slug"] in repository["teams"])


def _branch_policy(call: Call) -> Data | None:
    policy = field(call, "deployment_branch_policy", dict)
    if policy is None:
        return None
    flags = {key: policy.get(key) for key in ("protected_branches", "custom_branch_policies")}
    if not all(isinstance(flag, bool) for flag in flags.values()):
        raise malformed(
            "'deployment_branch_policy' needs two booleans: protected_branches and custom_branch_policies."
        )
    if flags["protected_branches"] == flags["custom_branch_policies"]:
        text = "protected_branches and custom_branch_policies cannot have the same value"
        raise invalid("Environment", "deployment_branch_policy", text)
    return flags


def _refuse_by_plan(call: Call, repository: Data, wanted: Data) -> None:
    """Raise 422 for what the owner's plan lacks on private repositories; the environment is there by now."""
    plan = github_shapes.owner_of(call, repository)["plan"]
    asked = {
        "required reviewers": wanted["reviewers"],
        "wait timer": wanted["wait_timer"],
        "branch policy": wanted["deployment_branch_policy"],
    }
    for rule, value in asked.items():
        if value and repository["visibility"] != "public" and rule not in _RULES_BY_PLAN[plan]:
            raise refusal(422, _UNSUPPORTED.format(rule))


def _list(call: Call, repository: Data) -> Answer:
    everything = repository["environments"].values()
    return paged(call, everything, lambda each: shape(call, repository, each), key="environments")


def _get(call: Call, repository: Data, environment: Data) -> Answer:
    return Answer(200, shape(call, repository, environment))


def _delete(_call: Call, repository: Data, environment: Data) -> Answer:
    del repository["environments"][environment["name"]]
    return Answer(204)


def _custom_rules(_call: Call, _repository: Data, _environment: Data) -> Answer:
    # rules made by GitHub Apps; the sandbox has no app that could make one
    return Answer(200, {"total_count": 0, "custom_deployment_protection_rules": []})


_READ, _WRITE = Need("actions:read"), Need("administration:write", role="admin")
ROUTES = (
    *on_repository("GET", "/environments", _list, "Environments", _READ),
    *on_repository(
        "PUT", "/environments/{environment_name}", _put, "Create or replace an environment", _WRITE
    ),
    *on_environment("GET", "", _get, "Environment", _READ),
    *on_environment("DELETE", "", _delete, "Delete an environment", _WRITE),
    *on_environment("GET", "/deployment_protection_rules", _custom_rules, "Custom protection rules", _READ),
)
