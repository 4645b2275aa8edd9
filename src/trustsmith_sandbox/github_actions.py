"""What a repository allows Actions to do, its workflows, and how its tokens' subjects are made up.

``sub_claim_prefix`` is the truth about subjects; the boolean beside it only says what somebody chose
(reference "GitHub OIDC", reading it). It must not mint tokens or run anything.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from trustsmith_sandbox import subjects
from trustsmith_sandbox.github_access import Need, organization
from trustsmith_sandbox.github_routes import on_repository
from trustsmith_sandbox.github_shapes import full_name, node_id, web
from trustsmith_sandbox.github_wire import field, malformed, not_found, paged, refusal, touch
from trustsmith_sandbox.http import Answer, Route
from trustsmith_sandbox.workflow_starts import is_workflow, workflow_id

if TYPE_CHECKING:
    from trustsmith_sandbox.http import Call
    from trustsmith_sandbox.world import Data

_CLAIM_KEY = re.compile(r"[A-Za-z0-9_]+")
_NAME = re.compile(r"""^name:\s*["']?(.+?)["']?\s*$""", re.MULTILINE)
_ALLOWED = {"all", "local_only", "selected"}


def _permissions(call: Call, repository: Data) -> Answer:
    settings = repository["actions"]
    shown = {"enabled": settings["enabled"], **_allowed(settings)}
    return Answer(200, shown | _selected_url(call, settings, f"/repos/{full_name(repository)}"))


def _allowed(settings: Data) -> Data:
    return {key: settings[key] for key in ("allowed_actions", "sha_pinning_required")}


def _selected_url(call: Call, settings: Data, owner: str) -> Data:
    if settings["allowed_actions"] != "selected":
        return {}
    return {"selected_actions_url": f"{call.base}{owner}/actions/permissions/selected-actions"}


def _selected_actions(_call: Call, repository: Data) -> Answer:
    return Answer(200, _selected(repository["actions"]))


def _selected(settings: Data) -> Data:
    """Return which actions are allowed; raises 409 where a list is not what decides."""
    if settings["allowed_actions"] != "selected":
        raise refusal(409, "Conflict")
    selected: Data = settings["selected"]
    return selected


def _set_permissions(call: Call, repository: Data) -> Answer:
    known = repository["actions"]
    allowed = field(call, "allowed_actions", str, default=known["allowed_actions"])
    if allowed not in _ALLOWED:
        raise malformed("'allowed_actions' must be all, local_only or selected.")
    pinned = field(call, "sha_pinning_required", bool, default=known["sha_pinning_required"])
    enabled = field(call, "enabled", bool, required=True)
    known |= {"enabled": enabled, "allowed_actions": allowed, "sha_pinning_required": pinned}
    return Answer(204)


def _workflow_permissions(_call: Call, repository: Data) -> Answer:
    default = {"default_workflow_permissions": "read", "can_approve_pull_request_reviews": False}
    return Answer(200, default | repository["actions"].get("workflow", {}))


def _workflow(call: Call, repository: Data, path: str, text: str) -> Data:
    number, file = workflow_id(path), path.rpartition("/")[2]
    name, page = full_name(repository), f"{web(call)}/{full_name(repository)}"
    found = _NAME.search(text)
    return {
        "id": number,
        "node_id": node_id("W", number),
        "name": found[1] if found else path,
        "path": path,
        "state": "active",
        "created_at": repository["created_at"],
        "updated_at": repository["updated_at"],
        "url": f"{call.base}/repos/{name}/actions/workflows/{number}",
        "html_url": f"{page}/blob/{repository['default_branch']}/{path}",
        "badge_url": f"{page}/workflows/{file}/badge.svg",
    }


def _all_workflows(call: Call, repository: Data) -> list[Data]:
    files = repository["files"].get(repository["default_branch"], {})
    return [
        _workflow(call, repository, path, text) for path, text in sorted(files.items()) if is_workflow(path)
    ]


def _workflows(call: Call, repository: Data) -> Answer:
    return paged(call, _all_workflows(call, repository), lambda each: each, key="workflows")


def found_workflow(call: Call, repository: Data) -> Data:
    """Return the workflow that the path names by its id or file, as GitHub shows it. Raises 404."""
    wanted = call.params["workflow_id"]
    for workflow in _all_workflows(call, repository):
        if wanted in {str(workflow["id"]), workflow["path"].rpartition("/")[2]}:
            return workflow
    raise not_found()


def _one_workflow(call: Call, repository: Data) -> Answer:
    return Answer(200, found_workflow(call, repository))


def _subject(call: Call, repository: Data) -> Answer:
    prefix = subjects.prefix(call.world, repository)
    return Answer(200, repository["subject_template"] | {"sub_claim_prefix": prefix})


def _claim_keys(call: Call) -> list[str]:
    keys: list[Any] = field(call, "include_claim_keys", list, default=[])
    sound = all(isinstance(key, str) and _CLAIM_KEY.fullmatch(key) for key in keys)
    if not sound or len(set(keys)) != len(keys):
        raise refusal(
            422, "Claim keys must be unique and contain only alphanumeric characters and underscores."
        )
    return keys


def _set_subject(call: Call, repository: Data) -> Answer:
    use_default, keys = field(call, "use_default", bool, required=True), _claim_keys(call)
    immutable = field(call, "use_immutable_subject", bool, default=False)
    template = repository["subject_template"]
    # GitHub documents the way in; whether there is a way back is not known, so there is none here
    template["use_immutable_subject"] = template["use_immutable_subject"] or immutable
    repository["immutable_subject"] = repository["immutable_subject"] or immutable
    template["use_default"] = use_default
    template.pop("include_claim_keys", None)
    if keys and not use_default:
        template["include_claim_keys"] = keys
    touch(call.world, repository)
    return Answer(201, {})


def _organization_permissions(call: Call) -> Answer:
    owner = organization(call, _OF_ORGANIZATION)
    settings, place = owner["actions"], f"/orgs/{owner['login']}"
    shown = {"enabled_repositories": settings["enabled_repositories"], **_allowed(settings)}
    return Answer(200, shown | _selected_url(call, settings, place))


def _organization_selected(call: Call) -> Answer:
    return Answer(200, _selected(organization(call, _OF_ORGANIZATION)["actions"]))


def _organization_subject(call: Call) -> Answer:
    return Answer(
        200,
        organization(call, Need("organization_administration:read", scope="read:org"))["subject_template"],
    )


def _set_organization_subject(call: Call) -> Answer:
    owner = organization(call, Need("organization_administration:write", scope="write:org"))
    template = owner["subject_template"]
    template["include_claim_keys"] = _claim_keys(call) or template["include_claim_keys"]
    immutable = field(call, "use_immutable_subject", bool)
    if immutable is not None:
        template["use_immutable_subject"] = immutable
    return Answer(201, {})


_READ, _WRITE = Need("actions:read"), Need("actions:write", role="admin")
_ADMIN, _SETTINGS = Need("administration:read", role="admin"), Need("administration:write", role="admin")
_OF_ORGANIZATION = Need("organization_administration:read", scope="admin:org")
_SUBJECT = "/actions/oidc/customization/sub"

ROUTES = (
    *on_repository("GET", "/actions/permissions", _permissions, "What Actions may do", _ADMIN),
    *on_repository("PUT", "/actions/permissions", _set_permissions, "Set what Actions may do", _SETTINGS),
    *on_repository(
        "GET", "/actions/permissions/workflow", _workflow_permissions, "GITHUB_TOKEN's default", _ADMIN
    ),
    *on_repository(
        "GET", "/actions/permissions/selected-actions", _selected_actions, "Allowed actions", _ADMIN
    ),
    Route("GET", "/orgs/{org}/actions/permissions", _organization_permissions, "What Actions may do there"),
    Route(
        "GET",
        "/orgs/{org}/actions/permissions/selected-actions",
        _organization_selected,
        "Allowed actions of an organization",
    ),
    *on_repository("GET", "/actions/workflows", _workflows, "Workflows", _READ),
    *on_repository("GET", "/actions/workflows/{workflow_id}", _one_workflow, "Workflow", _READ),
    *on_repository("GET", _SUBJECT, _subject, "How subjects are made up", _READ),
    *on_repository("PUT", _SUBJECT, _set_subject, "Set how subjects are made up", _WRITE),
    Route("GET", f"/orgs/{{org}}{_SUBJECT}", _organization_subject, "An organization's subject template"),
    Route(
        "PUT", f"/orgs/{{org}}{_SUBJECT}", _set_organization_subject, "Set an organization's subject template"
    ),
)
