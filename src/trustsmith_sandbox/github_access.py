"""Who is asking GitHub, and what they may see and do.

GitHub hides: what a caller may not read, and what needs a role they lack, is 404; only a fine-grained token
or an app whose *token* lacks a permission gets 403 (reference "GitHub REST", permissions and errors).
It must not change anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from trustsmith_sandbox.github_wire import not_found, refusal

if TYPE_CHECKING:
    from trustsmith_sandbox.http import Call
    from trustsmith_sandbox.world import Data, World

ROLES = ("none", "read", "triage", "write", "maintain", "admin")
_TOKEN_SCHEMES = {"bearer", "token"}


@dataclass(frozen=True)
class Need:
    """What a route asks for: a fine-grained permission as ``name:level``, and a role on the repository.

    ``scope`` is the classic token's scope; repositories need ``repo`` (or ``public_repo`` on public ones).
    """

    permission: str
    role: str = "read"
    scope: str = "repo"

    @property
    def writes(self) -> bool:
        """Whether the permission is to write."""
        return self.permission.endswith(":write")


@dataclass(frozen=True)
class Caller:
    """The token's entry in the world (empty: anonymous)."""

    token: Data

    @property
    def login(self) -> str:
        """The user behind the token; empty for apps and for the anonymous."""
        return str(self.token.get("login", ""))

    @property
    def permissions(self) -> dict[str, str] | None:
        """Permissions of a fine-grained token or an app; None for a classic token."""
        return self.token.get("permissions")

    @property
    def scopes(self) -> list[str]:
        """A classic token's scopes, with those they include."""
        scopes = list(self.token.get("scopes", []))
        if "repo" in scopes:
            scopes.append("public_repo")
        if "admin:org" in scopes:
            scopes += ["write:org", "read:org"]
        return [*scopes, "read:org"] if "write:org" in scopes else scopes


def token_of(call: Call) -> str:
    """Return the token that the request carries, or an empty string."""
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in _TOKEN_SCHEMES else ""


def caller_of(call: Call) -> Caller:
    """Return who is asking, the anonymous included. Raises 401 for a token that nobody has, 403 without a name.

    Source: GitHub REST "getting started", user agent required.
    """
    if not call.headers.get("user-agent"):
        text = "Missing or invalid User Agent string. See https://docs.github.com/rest/overview/resources-in-the-rest-api#user-agent-required"
        raise refusal(403, f"Request forbidden by administrative rules. {text}")
    if "authorization" not in call.headers:
        return Caller({})
    entry = call.world.data["github"]["tokens"].get(token_of(call))
    if entry is None or _has_expired(call, entry):
        raise refusal(401, "Bad credentials")
    return Caller(entry)


def _has_expired(call: Call, token: Data) -> bool:
    until = token.get("expires_at")
    return until is not None and datetime.fromisoformat(until).timestamp() <= call.world.now()


def role_on(world: World, caller: Caller, repository: Data) -> str:
    """Return the caller's highest role on a repository: one of ``ROLES``."""
    if "app" in caller.token:
        return "admin"  # an app has no role: its permissions alone decide
    github, login, owner = world.data["github"], caller.login, repository["owner"]
    organization = github["organizations"].get(owner, {"members": {}})
    teams = {slug: github["teams"].get(f"{owner}/{slug}", {"members": []}) for slug in repository["teams"]}
    roles = [repository["teams"][slug] for slug, team in teams.items() if login in team["members"]]
    roles.append(repository["collaborators"].get(login, "none"))
    if repository["visibility"] == "public":
        roles.append("read")
    if login and (login == owner or organization["members"].get(login) == "admin"):
        roles.append("admin")
    highest: str = max(roles, key=ROLES.index)
    return highest


def allow(call: Call, repository: Data, need: Need) -> None:
    """Raise 404 or 403 unless the caller may do this to the repository; 403 for writes to an archived one."""
    role = role_on(call.world, call.caller, repository)
    if not is_shown(call, repository, need):
        raise not_found()
    public = repository["visibility"] == "public"
    if need.writes or not public:
        _allow_saml(call, repository["owner"])
    _allow_token(call.caller, need, public=public)
    if ROLES.index(role) < ROLES.index(need.role):
        raise not_found()
    if need.writes and repository["archived"]:
        raise refusal(403, "Repository was archived so is read-only.")


def is_shown(call: Call, repository: Data, need: Need) -> bool:
    """Whether the caller is told at all that there is such a repository."""
    return role_on(call.world, call.caller, repository) != "none" and _covers(call.caller, repository, need)


def _allow_saml(call: Call, owner: str) -> None:
    """Raise 403 where an organization wants its single sign-on and nobody authorized this classic token for it."""
    organization = call.world.data["github"]["organizations"].get(owner, {})
    classic = "scopes" in call.caller.token
    if (
        classic
        and organization.get("saml_required")
        and owner not in call.caller.token.get("saml_authorized", [])
    ):
        page = f"{call.world.names.github_web}/orgs/{owner}/sso?authorization_request=sandbox"
        text = (
            "Resource protected by organization SAML enforcement. You must grant your Personal Access token access"
            " to this organization."
        )
        raise refusal(403, text, headers={"X-GitHub-SSO": f"required; url={page}"})


def _covers(caller: Caller, repository: Data, need: Need) -> bool:
    """Whether a classic token's scopes, or a fine-grained token's list, reach the repository at all."""
    public = repository["visibility"] == "public"
    if caller.permissions is None:
        wanted = "public_repo" if public else need.scope
        return (public and not need.writes) or wanted in caller.scopes
    chosen = caller.token.get("repositories")
    return public or chosen is None or f"{repository['owner']}/{repository['name']}" in chosen


def _allow_token(caller: Caller, need: Need, *, public: bool = False) -> None:
    name, _, level = need.permission.partition(":")
    if caller.permissions is None or name == "metadata" or (public and not need.writes):
        return
    if caller.permissions.get(name) not in {level, "write"}:
        kind = "integration" if "app" in caller.token else "personal access token"
        headers = {"X-Accepted-GitHub-Permissions": f"{name}={level}"}
        raise refusal(403, f"Resource not accessible by {kind}", headers=headers)


def allow_workflows(call: Call, path: str) -> None:
    """Raise 404 or 403 if the path is a workflow's and the token may not write those (a scope of its own)."""
    if not path.startswith(".github/workflows/"):
        return
    if call.caller.permissions is None and "workflow" not in call.caller.scopes:
        raise not_found()
    _allow_token(call.caller, Need("workflows:write"))


def allow_members(call: Call) -> None:
    """Raise 403 unless a fine-grained token or an app may read who is in an organization, its teams included."""
    _allow_token(call.caller, Need("members:read"))


def signed_in(call: Call) -> Data:
    """Return the user behind the token. Raises 401 for the anonymous, 403 for an app."""
    if not call.caller.token:
        raise refusal(401, "Requires authentication")
    if not call.caller.login:
        raise refusal(403, "Resource not accessible by integration")
    user: Data = call.world.data["github"]["users"][call.caller.login]
    return user


def organization(call: Call, need: Need | None = None) -> Data:
    """Return the organization named in the path, if the caller may do what is needed there (404 else)."""
    found: Data | None = by_name(call.world.data["github"]["organizations"], call.params["org"])
    if found is None:
        raise not_found()
    if need is not None:
        member = "app" in call.caller.token or found["members"].get(call.caller.login) == "admin"
        if not member or (call.caller.permissions is None and need.scope not in call.caller.scopes):
            raise not_found()
        _allow_saml(call, found["login"])
        _allow_token(call.caller, need)
    return found


def by_name(table: dict[str, Any], name: str) -> Any | None:
    """Return the entry whose key is ``name`` in any case; GitHub's names keep but do not tell apart case."""
    return table.get(name) or next((v for k, v in table.items() if k.lower() == name.lower()), None)
