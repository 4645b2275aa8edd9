"""How users, organizations, teams and repositories look in GitHub's answers.

Pure functions of the world and of the address the client used: every URL in an answer starts with that
(PyGithub refuses others). They must not decide who may see what.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from trustsmith_sandbox.github_access import ROLES, role_on

if TYPE_CHECKING:
    from trustsmith_sandbox.http import Call
    from trustsmith_sandbox.world import Data

_USER_URLS = {
    "followers": "followers",
    "following": "following{/other_user}",
    "gists": "gists{/gist_id}",
    "starred": "starred{/owner}{/repo}",
    "subscriptions": "subscriptions",
    "organizations": "orgs",
    "repos": "repos",
    "events": "events{/privacy}",
    "received_events": "received_events",
}
_REPOSITORY_URLS = {
    "forks": "forks",
    "keys": "keys{/key_id}",
    "collaborators": "collaborators{/collaborator}",
    "teams": "teams",
    "hooks": "hooks",
    "issue_events": "issues/events{/number}",
    "events": "events",
    "assignees": "assignees{/user}",
    "branches": "branches{/branch}",
    "tags": "tags",
    "blobs": "git/blobs{/sha}",
    "git_tags": "git/tags{/sha}",
    "git_refs": "git/refs{/sha}",
    "trees": "git/trees{/sha}",
    "statuses": "statuses/{sha}",
    "languages": "languages",
    "stargazers": "stargazers",
    "contributors": "contributors",
    "subscribers": "subscribers",
    "subscription": "subscription",
    "commits": "commits{/sha}",
    "git_commits": "git/commits{/sha}",
    "comments": "comments{/number}",
    "issue_comment": "issues/comments{/number}",
    "contents": "contents/{+path}",
    "compare": "compare/{base}...{head}",
    "merges": "merges",
    "archive": "{archive_format}{/ref}",
    "downloads": "downloads",
    "issues": "issues{/number}",
    "pulls": "pulls{/number}",
    "milestones": "milestones{/number}",
    "notifications": "notifications{?since,all,participating}",
    "labels": "labels{/name}",
    "releases": "releases{/id}",
    "deployments": "deployments",
}
_NOTHING_YET = dict.fromkeys(
    (
        "forks",
        "forks_count",
        "network_count",
        "open_issues",
        "open_issues_count",
        "size",
        "stargazers_count",
        "subscribers_count",
        "watchers",
        "watchers_count",
    ),
    0,
)
_FEATURES = {
    "has_issues": True,
    "has_downloads": False,
    "has_projects": True,
    "has_wiki": False,
    "has_pages": False,
    "has_discussions": False,
    "fork": False,
    "homepage": None,
    "language": None,
    "license": None,
    "mirror_url": None,
}


def node_id(kind: str, number: int) -> str:
    """Return an opaque global id, as GraphQL knows the object."""
    return f"{kind}_{base64.urlsafe_b64encode(str(number).encode()).decode().rstrip('=')}"


def web(call: Call) -> str:
    """Where pages for people are, as the client addressed us."""
    names = call.world.names
    return names.github_web if names.production else call.origin


def full_name(repository: Data) -> str:
    """Return ``owner/name`` as GitHub spells it."""
    return f"{repository['owner']}/{repository['name']}"


def owner_of(call: Call, repository: Data) -> Data:
    """Return the user or organization that owns the repository."""
    github = call.world.data["github"]
    owner: Data = github["organizations"].get(repository["owner"]) or github["users"][repository["owner"]]
    return owner


def account(call: Call, who: Data) -> Data:
    """Return the short form of a user or organization (OpenAPI ``simple-user``)."""
    url = f"{call.base}/users/{who['login']}"
    return {
        "login": who["login"],
        "id": who["id"],
        "node_id": node_id("U", who["id"]),
        "avatar_url": f"{web(call)}/avatars/u/{who['id']}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{web(call)}/{who['login']}",
        "type": who.get("type", "Organization"),
        "user_view_type": "public",
        "site_admin": False,
        **{f"{name}_url": f"{url}/{path}" for name, path in _USER_URLS.items()},
    }


def user(call: Call, who: Data) -> Data:
    """Return a user's public profile (OpenAPI ``public-user``)."""
    nothing = dict.fromkeys(("bio", "company", "email", "hireable", "location", "twitter_username"))
    counts = dict.fromkeys(("followers", "following", "public_gists", "public_repos"), 0)
    created = who["created_at"]
    profile = {"name": who["name"], "blog": "", "created_at": created, "updated_at": created}
    return account(call, who) | nothing | counts | profile


def organization(call: Call, who: Data, *, member: bool) -> Data:
    """Return an organization (OpenAPI ``organization-full``); only members see its plan."""
    url = f"{call.base}/orgs/{who['login']}"
    urls = {f"{name}_url": f"{url}/{name}" for name in ("repos", "events", "hooks", "issues")}
    full = {key: value for key, value in account(call, who).items() if not key.endswith("_url")}
    full |= urls | {
        "members_url": f"{url}/members{{/member}}",
        "public_members_url": f"{url}/public_members{{/member}}",
    }
    full |= {
        "url": url,
        "html_url": f"{web(call)}/{who['login']}",
        "avatar_url": f"{web(call)}/avatars/u/{who['id']}",
    }
    full |= {"description": None, "archived_at": None, "has_organization_projects": True}
    full |= {
        "has_repository_projects": True,
        "created_at": who["created_at"],
        "updated_at": who["created_at"],
    }
    full |= dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0)
    if member:
        full["plan"] = {
            "name": who["plan"],
            "space": 0,
            "private_repos": 999999,
            "filled_seats": len(who["members"]),
        }
    return full


def team(call: Call, group: Data) -> Data:
    """Return the short form of a team (OpenAPI ``team``)."""
    url = f"{call.base}/orgs/{group['organization']}/teams/{group['slug']}"
    return {
        "id": group["id"],
        "node_id": node_id("T", group["id"]),
        "url": url,
        "html_url": f"{web(call)}/orgs/{group['organization']}/teams/{group['slug']}",
        "name": group["name"],
        "slug": group["slug"],
        "description": "",
        "privacy": "closed",
        "notification_setting": "notifications_enabled",
        "permission": "pull",
        "type": "organization",
        "members_url": f"{url}/members{{/member}}",
        "repositories_url": f"{url}/repos",
        "parent": None,
    }


def permissions(role: str) -> dict[str, bool]:
    """Return a role as the five booleans of a repository's ``permissions``."""
    names = {"pull": "read", "triage": "triage", "push": "write", "maintain": "maintain", "admin": "admin"}
    return {name: ROLES.index(role) >= ROLES.index(least) for name, least in names.items()}


def repository(call: Call, repo: Data) -> Data:
    """Return a repository (OpenAPI ``full-repository``) with the caller's permissions."""
    name, who = full_name(repo), account(call, owner_of(call, repo))
    url, page = f"{call.base}/repos/{name}", f"{web(call)}/{name}"
    host = web(call).removeprefix("https://")
    shape: dict[str, Any] = _NOTHING_YET | _FEATURES
    shape |= {
        key: repo[key]
        for key in ("id", "name", "description", "default_branch", "archived", "disabled", "visibility")
    }
    shape |= {
        "full_name": name,
        "node_id": node_id("R", repo["id"]),
        "private": repo["visibility"] != "public",
    }
    shape |= {"owner": who, "url": url, "html_url": page, "svn_url": page, "clone_url": f"{page}.git"}
    shape |= {"git_url": f"git://{host}/{name}.git", "ssh_url": f"git@{host}:{name}.git"}
    shape |= {f"{key}_url": f"{url}/{path}" for key, path in _REPOSITORY_URLS.items()}
    shape |= {
        "created_at": repo["created_at"],
        "updated_at": repo["updated_at"],
        "pushed_at": repo.get("pushed_at", repo["updated_at"]),
        "fork": repo.get("fork", False),
    }
    shape["permissions"] = permissions(role_on(call.world, call.caller, repo))
    if who["type"] == "Organization":
        shape["organization"] = who
    return shape
