"""GitHub's part of the world that the sandbox starts with: who is there and which repositories.

Pure data, with ids and tokens that are fixed and easy to read. It must not read a clock or the network.
"""

from __future__ import annotations

from typing import Any

from trustsmith_sandbox import seed_legacy, seed_northwind
from trustsmith_sandbox.github_seed_actions import action
from trustsmith_sandbox.seed import LEGACY_APP_ID, NONPROD, TENANT

ADMIN_TOKEN = "sandbox-admin-token"  # noqa: S105 - opens nothing outside the sandbox, and has to be known
READ_ONLY_TOKEN = "sandbox-read-only-token"  # noqa: S105 - as above
WRITER_TOKEN = "sandbox-writer-token"  # noqa: S105 - as above
# Named as GitHub names each kind, so that whoever looks at a token's first letters sees what they expect
CLASSIC_TOKEN = "ghp_sandbox-classic-token"  # noqa: S105 - as above
FINE_GRAINED_TOKEN = "github_pat_sandbox-fine-grained-token"  # noqa: S105 - as above
OBSERVER_TOKEN = "github_pat_sandbox-observer-token"  # noqa: S105 - as above
APP_TOKEN = "ghs_sandbox-installation-token"  # noqa: S105 - as above

_CREATED = "2026-01-05T09:00:00Z"
_LEGACY = (LEGACY_APP_ID, TENANT, NONPROD)
_EXPIRES = "2099-01-05T09:00:00Z"
_FINE_GRAINED = (
    "metadata",
    "actions",
    "administration",
    "contents",
    "environments",
    "issues",
    "members",
    "organization_administration",
    "organization_secrets",
    "organization_variables",
    "pull_requests",
    "secrets",
    "variables",
)
#: What it takes to read how environments are protected, by whom, and which secrets and variables they hold.
_OBSERVED = ("metadata", "actions", "environments", "members")


def _user(number: int, login: str, name: str) -> dict[str, Any]:
    return {
        "id": number,
        "login": login,
        "type": "User",
        "name": name,
        "plan": "free",
        "created_at": _CREATED,
    }


def _organization(number: int, login: str, plan: str, **members: str) -> dict[str, Any]:
    return {
        "id": number,
        "login": login,
        "plan": plan,
        "created_at": _CREATED,
        "members": members,
        "enterprise": None,
        "saml_required": False,
        "actions": {"enabled_repositories": "all", **_actions()},
        "oidc_properties": [],
        "subject_template": {"include_claim_keys": ["repo", "context"]},
        "secrets": {},
        "variables": {},
        "stores": _stores(),
    }


def _stores() -> dict[str, Any]:
    """Secrets that jobs of Actions do not see."""
    return {"dependabot": {}, "codespaces": {}, "agents": {}}


def _repository(number: int, owner: str, name: str, **settings: Any) -> dict[str, Any]:
    blank: dict[str, Any] = {
        "id": number,
        "owner": owner,
        "name": name,
        "description": None,
        "visibility": "private",
        "default_branch": "main",
        "archived": False,
        "disabled": False,
        "created_at": _CREATED,
        "updated_at": _CREATED,
        "immutable_subject": False,
        "subject_template": {"use_default": True, "use_immutable_subject": False},
        "redirects": [],
        "protected_branches": [],
        "files": {"main": {"README.md": f"# {name}\n"}},
        "environments": {},
        "secrets": {},
        "variables": {},
        "stores": _stores(),
        "collaborators": {},
        "teams": {},
        "custom_properties": {},
        "actions": {"enabled": True, **_actions()},
    }
    return blank | settings


def _actions() -> dict[str, Any]:
    """What Actions may use; ``selected`` counts only where ``allowed_actions`` says so."""
    selected = {"github_owned_allowed": True, "verified_allowed": False, "patterns_allowed": []}
    return {"allowed_actions": "all", "sha_pinning_required": False, "selected": selected}


def _people(*users: dict[str, Any]) -> dict[str, Any]:
    return {user["login"]: user for user in users}


def _contoso_repositories() -> list[dict[str, Any]]:
    roles = {"collaborators": {"hubot": "write", "monalisa": "read"}, "teams": {"platform": "maintain"}}
    return [
        # GitHub's boolean stays false for repositories that are immutable by their date of creation.
        _repository(4001, "contoso", "agents", immutable_subject=True, protected_branches=["main"], **roles),
        _repository(4002, "contoso", "legacy", **roles, **seed_legacy.repository(*_LEGACY)),
    ]


def _actions_repositories() -> list[dict[str, Any]]:
    """The actions that workflows use."""
    names = (
        (4101, "actions", "checkout"),
        (4102, "actions", "setup-python"),
        (4103, "Azure", "login"),
        (4104, "microsoft", "ai-agent-evals"),
        (4105, "actions", "create-github-app-token"),
    )
    return [action(_repository(number, owner, name, visibility="public")) for number, owner, name in names]


def _northwind_repositories() -> list[dict[str, Any]]:
    return [
        _repository(number, "northwind", name, **settings)
        for number, name, settings in seed_northwind.repositories()
    ]


def _tokens() -> dict[str, Any]:
    return {
        ADMIN_TOKEN: {"login": "octocat", "scopes": ["repo", "workflow", "admin:org"]},
        READ_ONLY_TOKEN: {"login": "octocat", "permissions": dict.fromkeys(_FINE_GRAINED, "read")},
        WRITER_TOKEN: {"login": "hubot", "scopes": ["repo", "workflow", "read:org"]},
        CLASSIC_TOKEN: {
            "login": "octocat",
            "scopes": ["repo", "workflow", "admin:org", "read:user"],
            "expires_at": _EXPIRES,
            "saml_authorized": ["contoso"],
        },
        FINE_GRAINED_TOKEN: {
            "login": "octocat",
            "permissions": dict.fromkeys((*_FINE_GRAINED, "workflows"), "write"),
            "expires_at": _EXPIRES,
        },
        OBSERVER_TOKEN: {
            "login": "octocat",
            "permissions": dict.fromkeys(_OBSERVED, "read"),
            "repositories": ["contoso/agents", "contoso/legacy"],
            "expires_at": _EXPIRES,
        },
        APP_TOKEN: {
            "app": "trust-deployer",
            "permissions": dict.fromkeys((*_FINE_GRAINED, "workflows"), "write"),
            "repositories": ["contoso/agents"],
        },
    }


def seed_github() -> dict[str, Any]:
    """Return the tree that ``World.data["github"]`` starts as; a new one at each call."""
    repositories = [
        *_contoso_repositories(),
        _repository(4003, "fabrikam", "agents"),
        _repository(4004, "tailwind", "agents"),
        _repository(4005, "octocat", "hello-world", visibility="public"),
        *_actions_repositories(),
        *_northwind_repositories(),
    ]
    platform = {"id": 3001, "organization": "contoso", "slug": "platform", "name": "Platform"}
    return {
        "users": _people(
            _user(2001, "octocat", "The Octocat"),
            _user(2002, "hubot", "Hubot"),
            _user(2003, "monalisa", "Mona Lisa"),
        ),
        "organizations": {
            "contoso": _organization(1001, "contoso", "enterprise", octocat="admin", hubot="member")
            | {"enterprise": {"slug": "contoso-group", "id": 501, "include_enterprise_slug": False}}
            | {"secrets": seed_legacy.organization_secrets(*_LEGACY)},
            "fabrikam": _organization(1002, "fabrikam", "team", octocat="admin"),
            "tailwind": _organization(1003, "tailwind", "free", octocat="admin"),
            "northwind": _organization(1007, "northwind", "enterprise", octocat="admin", hubot="member")
            | {"secrets": seed_northwind.organization_secrets()},
            "actions": _organization(1004, "actions", "enterprise"),
            "Azure": _organization(1005, "Azure", "enterprise"),
            "microsoft": _organization(1006, "microsoft", "enterprise"),
        },
        "teams": {"contoso/platform": platform | {"created_at": _CREATED, "members": ["octocat", "hubot"]}},
        "repositories": {str(repository["id"]): repository for repository in repositories},
        "tokens": _tokens(),
    }
