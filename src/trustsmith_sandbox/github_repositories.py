"""GitHub's repositories, people, organizations and teams, and what it says about itself.

Renaming and transferring switch a repository to immutable subjects, as GitHub does since 2026-07-15
(reference "GitHub OIDC", immutable subjects). It must not touch what is inside a repository.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trustsmith_sandbox import github_limits, github_shapes
from trustsmith_sandbox.github_access import (
    Caller,
    Need,
    allow_members,
    by_name,
    is_shown,
    organization,
    role_on,
    signed_in,
)
from trustsmith_sandbox.github_routes import named_repository, on_repository
from trustsmith_sandbox.github_wire import field, invalid, not_found, paged, touch
from trustsmith_sandbox.http import Answer, Route

if TYPE_CHECKING:
    from collections.abc import Collection

    from trustsmith_sandbox.http import Call
    from trustsmith_sandbox.world import Data, World

_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_PLAIN_SETTINGS = {"description": str, "default_branch": str, "archived": bool, "visibility": str}
_ANY = ("public", "internal", "private")
_PRIVATE_PROFILE = (
    "collaborators",
    "disk_usage",
    "owned_private_repos",
    "private_gists",
    "total_private_repos",
)


def _repository(call: Call, repository: Data) -> Answer:
    return Answer(200, github_shapes.repository(call, repository))


def _update(call: Call, repository: Data) -> Answer:
    name = field(call, "name", str, repository["name"])
    settings = {key: field(call, key, kind, repository[key]) for key, kind in _PLAIN_SETTINGS.items()}
    private = field(call, "private", bool)
    if private is not None:
        settings["visibility"] = "private" if private else "public"
    if name != repository["name"]:
        _move(call.world, repository, repository["owner"], name)
    repository.update(settings)
    touch(call.world, repository)
    return _repository(call, repository)


def _transfer(call: Call, repository: Data) -> Answer:
    github = call.world.data["github"]
    wanted = field(call, "new_owner", str, required=True)
    owner = by_name(github["organizations"], wanted) or by_name(github["users"], wanted)
    if owner is None:
        raise invalid("Repository", "new_owner", "new_owner could not be found")
    _move(call.world, repository, owner["login"], field(call, "new_name", str, repository["name"]))
    touch(call.world, repository)
    return Answer(202, github_shapes.repository(call, repository))


def _move(world: World, repository: Data, owner: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        raise invalid(
            "Repository",
            "name",
            "name can only contain ASCII letters, digits, and the characters ., -, and _",
        )
    other = named_repository(world, f"{owner}/{name}")
    if other is not None and other is not repository:
        raise invalid("Repository", "name", "name already exists on this account")
    repository["redirects"].append(github_shapes.full_name(repository))
    repository |= {"owner": owner, "name": name, "immutable_subject": True}
    repository["subject_template"]["use_immutable_subject"] = True


def _collaborator(call: Call, repository: Data) -> Answer:
    who = by_name(call.world.data["github"]["users"], call.params["username"])
    if who is None:
        raise not_found()
    role = role_on(call.world, Caller({"login": who["login"]}), repository)
    coarse = {"triage": "read", "maintain": "write"}.get(role, role)
    account = github_shapes.account(call, who) | {
        "permissions": github_shapes.permissions(role),
        "role_name": role,
    }
    return Answer(200, {"permission": coarse, "role_name": role, "user": account})


def _me(call: Call) -> Answer:
    private: Data = dict.fromkeys(_PRIVATE_PROFILE, 0) | {"two_factor_authentication": True}
    who = signed_in(call)
    if {"user", "read:user"} & set(call.caller.scopes) or "plan" in (call.caller.permissions or {}):
        private["plan"] = {"name": who["plan"], "space": 0, "private_repos": 9999, "collaborators": 0}
    return Answer(200, github_shapes.user(call, who) | private)


def _user(call: Call) -> Answer:
    github = call.world.data["github"]
    who = by_name(github["users"], call.params["username"])
    if who is not None:
        return Answer(200, github_shapes.user(call, who))
    group = by_name(github["organizations"], call.params["username"])
    if group is None:
        raise not_found()
    return Answer(200, github_shapes.user(call, {"name": group["login"]} | group))


def _account(call: Call) -> Answer:
    for who in call.world.data["github"]["users"].values():
        if str(who["id"]) == call.params["account_id"]:
            return Answer(200, github_shapes.user(call, who))
    raise not_found()


def _organization(call: Call) -> Answer:
    found = organization(call)
    return Answer(200, github_shapes.organization(call, found, member=call.caller.login in found["members"]))


def _listed(call: Call, owner: str, visibilities: Collection[str] = _ANY) -> Answer:
    """Answer with the owner's repositories that the caller is shown, by name."""
    known = call.world.data["github"]["repositories"].values()
    shown = [
        each
        for each in known
        if each["owner"] == owner and each["visibility"] in visibilities and is_shown(call, each, _METADATA)
    ]
    shown.sort(key=lambda each: str(each["name"]).lower())
    return paged(call, shown, lambda each: github_shapes.repository(call, each))


def _of_organization(call: Call) -> Answer:
    return _listed(call, organization(call)["login"])


def _of_user(call: Call) -> Answer:
    """Only public ones, whoever asks (GitHub REST: list repositories for a user)."""
    who = by_name(call.world.data["github"]["users"], call.params["username"])
    if who is None:
        raise not_found()
    return _listed(call, who["login"], ("public",))


def _mine(call: Call) -> Answer:
    return _listed(call, signed_in(call)["login"])


def _teams_of(call: Call) -> list[Data]:
    owner = organization(call)
    if call.caller.permissions is not None:
        allow_members(call)
    elif call.caller.login not in owner["members"]:
        raise not_found()  # teams are for members only
    teams = call.world.data["github"]["teams"].values()
    return [team for team in teams if team["organization"] == owner["login"]]


def _teams(call: Call) -> Answer:
    return paged(call, _teams_of(call), lambda team: github_shapes.team(call, team))


def _team(call: Call) -> Answer:
    for team in _teams_of(call):
        if team["slug"] == call.params["team_slug"].lower():
            owner = github_shapes.organization(call, organization(call), member=False)
            counts = {"members_count": len(team["members"]), "repos_count": 0, "organization": owner}
            times = {"created_at": team["created_at"], "updated_at": team["created_at"]}
            return Answer(200, github_shapes.team(call, team) | counts | times)
    raise not_found()


def _team_on(call: Call) -> Answer:
    """Answer 204 when the team has access to the repository, else 404 (GitHub REST, "teams")."""
    found = named_repository(call.world, f"{call.params['owner']}/{call.params['repo']}")
    slugs = {team["slug"] for team in _teams_of(call)} & set(found["teams"] if found else ())
    if call.params["team_slug"].lower() not in slugs:
        raise not_found()
    return Answer(204)


def _rate_limit(call: Call) -> Answer:
    core = github_limits.overview(call)
    resources = {name: core | {"resource": name} for name in ("core", "search", "graphql")}
    return Answer(200, {"resources": resources, "rate": core})


def _meta(call: Call) -> Answer:
    body: Data = {"verifiable_password_authentication": False}
    if call.mount:  # an enterprise server says its version; features are detected by it
        body["installed_version"] = "3.21.0"
    return Answer(200, body)


def _root(call: Call) -> Answer:
    return Answer(200, {"current_user_url": f"{call.base}/user", "rate_limit_url": f"{call.base}/rate_limit"})


_ADMIN, _METADATA = Need("administration:write", role="admin"), Need("metadata:read")

ROUTES = (
    Route("GET", "/", _root, "Root; what scopes a token has, by its headers"),
    Route("GET", "", _root, "Root, below a prefix"),
    Route("GET", "/meta", _meta, "About this GitHub"),
    Route("GET", "/rate_limit", _rate_limit, "Rate limits"),
    Route("GET", "/user", _me, "The signed-in user"),
    Route("GET", "/user/repos", _mine, "The signed-in user's repositories"),
    Route("GET", "/user/{account_id}", _account, "User by id"),
    Route("GET", "/users/{username}", _user, "User or organization by name"),
    Route("GET", "/users/{username}/repos", _of_user, "A user's public repositories"),
    Route("GET", "/orgs/{org}", _organization, "Organization"),
    Route("GET", "/orgs/{org}/repos", _of_organization, "An organization's repositories"),
    Route("GET", "/orgs/{org}/teams", _teams, "Teams"),
    Route("GET", "/orgs/{org}/teams/{team_slug}", _team, "Team by slug"),
    Route(
        "GET",
        "/orgs/{org}/teams/{team_slug}/repos/{owner}/{repo}",
        _team_on,
        "Whether a team has a repository",
    ),
    *on_repository("GET", "", _repository, "Repository", _METADATA),
    *on_repository("PATCH", "", _update, "Change or rename a repository", _ADMIN),
    *on_repository("POST", "/transfer", _transfer, "Transfer a repository", _ADMIN),
    *on_repository(
        "GET", "/collaborators/{username}/permission", _collaborator, "A person's role", Need("metadata:read")
    ),
)
