"""Worlds with one fault each, and which check of `doctor` has to name it."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.desk import Json, World

TENANT, OTHER_TENANT = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"
PROD = "aaaaaaaa-0000-0000-0000-000000000002"
DEV_GROUP = "/subscriptions/aaaaaaaa-0000-0000-0000-000000000001/resourceGroups/rg-foundry-dev"
GROUP = f"/subscriptions/{PROD}/resourceGroups/rg-foundry-prod"
ACCOUNT = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/foundry-prod"
PROJECT = f"{ACCOUNT}/projects/agents"
OPERATOR, EVERYBODY = "0b000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000000"
ADMINISTRATOR, MANAGER = "f58310d9-a9f6-439a-9e8d-f62e7b41a168", "eadc314b-1a2d-4efa-be10-5d325db5065e"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
USER = "53ca6127-db72-4b80-b1b0-d745d6d5456d"
APP = "trustsmith-localhost-4001-prod"
#: The configuration of all these worlds, but for what a fault changes in it.
CONFIG = f"""\
version: 1
repository: contoso/agents
tenant: {TENANT}
environments:
  prod:
    project: {PROJECT}
    protection: {{reviewers: [team:platform], wait_minutes: 10, branches: [main]}}
"""
_SCOPE = "@Request[Microsoft.Authorization/roleAssignments:"


@dataclass(frozen=True)
class Fault:
    """One fault, in the world or in the configuration.

    check: the only one that may have findings. about: what one of them has to be about. edit: old and new text of the
    configuration. env: what the shell has exported. broken: (service, path) of a read that answers 403. word: what the
    finding has to say.
    """

    name: str
    check: str
    by_hand: Callable[[World], object] | None = None
    about: str = ""
    edit: tuple[str, str] = ("", "")
    env: tuple[tuple[str, str], ...] = ()
    broken: tuple[str, str] | None = None
    clock: float = 0.0
    verdict: str = "fail"
    word: str = ""
    configured: bool = False

    def __str__(self) -> str:
        return f"{self.name}-configured" if self.configured else self.name


# -- the world, by hand ------------------------------------------------------------------------------------------


def _set(*path: str, value: object) -> Callable[[World], object]:
    """Set a value in the world's data."""

    def by_hand(world: World) -> None:
        place: Any = world.data
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return by_hand


def _drop(*path: str) -> Callable[[World], object]:
    def by_hand(world: World) -> None:
        place: Any = world.data
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]

    return by_hand


def _repository(key: str, value: object) -> Callable[[World], object]:
    return _set("github", "repositories", "4001", key, value=value)


def _actions(**values: object) -> Callable[[World], object]:
    return lambda world: world.repository["actions"].update(values)


def _selected(*patterns: str, github: bool = False, verified: bool = False) -> Callable[[World], object]:
    chosen = {
        "github_owned_allowed": github,
        "verified_allowed": verified,
        "patterns_allowed": list(patterns),
    }
    return _actions(allowed_actions="selected", selected=chosen)


def _plan(name: str) -> Callable[[World], object]:
    return _set("github", "organizations", "contoso", "plan", value=name)


def _token(**values: object) -> Callable[[World], object]:
    return lambda world: world.data["github"]["tokens"]["sandbox-admin-token"].update(values)


def _project(key: str, value: object) -> Callable[[World], object]:
    return _set("projects", PROJECT.lower(), "properties", key, value=value)


def _account(**values: object) -> Callable[[World], object]:
    return lambda world: world.data["accounts"][ACCOUNT.lower()]["properties"].update(values)


def _granting(world: World) -> list[Json]:
    """The operator's right to assign roles in production."""
    mine = [a["properties"] for a in world.data["role_assignments"].values()]
    return [a for a in mine if a["principalId"] == OPERATOR and a["scope"] == GROUP]


def _bound(condition: str) -> Callable[[World], object]:
    """The operator may assign roles under a condition only."""

    def by_hand(world: World) -> None:
        for assignment in _granting(world):
            assignment.update(condition=condition, conditionVersion="2.0")

    return by_hand


def may_not_assign(world: World) -> None:
    """The operator may read only."""
    for assignment in _granting(world):
        assignment["roleDefinitionId"] = assignment["roleDefinitionId"].replace(ADMINISTRATOR, READER)


def eligible(world: World) -> None:
    """The operator may read only, and PIM would make it an administrator."""
    may_not_assign(world)
    for instance in world.data["role_eligibilities"].values():
        instance["properties"]["principalId"] = OPERATOR


def sees_no_subscription(world: World) -> None:
    """Nothing in production is the operator's."""
    assignments = world.data["role_assignments"]
    for key in [
        k
        for k, a in assignments.items()
        if a["properties"]["principalId"] == OPERATOR and PROD in a["properties"]["scope"]
    ]:
        del assignments[key]


def _denied(*principals: tuple[str, str], spared: str = "") -> Callable[[World], object]:
    """A deny assignment on production for these principals."""
    name = "ea000000-0000-0000-0000-000000000001"
    identity = f"{GROUP}/providers/Microsoft.Authorization/denyAssignments/{name}"
    permission = {"actions": ["Microsoft.Authorization/*/write"], "notActions": [], "dataActions": []}
    properties = {
        "denyAssignmentName": "kept by a stack",
        "description": None,
        "permissions": [permission | {"notDataActions": []}],
        "scope": GROUP,
        "doNotApplyToChildScopes": False,
        "principals": [{"id": who, "type": kind} for who, kind in principals],
        "excludePrincipals": [{"id": spared, "type": "ServicePrincipal"}] if spared else [],
        "isSystemProtected": True,
    }
    kind = "Microsoft.Authorization/denyAssignments"
    made = {"id": identity, "name": name, "type": kind, "properties": properties}
    return _set("deny_assignments", identity.lower(), value=made)


def _locked(scope: str, level: str) -> Callable[[World], object]:
    """A lock of a scope."""
    identity = f"{scope}/providers/Microsoft.Authorization/locks/keep"
    made = {"id": identity, "name": "keep", "type": "Microsoft.Authorization/locks"}
    return _set(
        "locks", identity.lower(), value=made | {"properties": {"level": level, "notes": "by finance"}}
    )


def given_elsewhere(world: World) -> None:
    """We once gave prod's identity a role on development, where nobody here may take it away any more."""
    (ours,) = world.roles("prod").values()
    scope = DEV_GROUP
    identity = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{ours['name']}"
    made = copy.deepcopy(ours) | {"id": identity}
    made["properties"]["scope"] = scope
    world.data["role_assignments"][identity.lower()] = made
    for mine in [a["properties"] for a in world.data["role_assignments"].values()]:
        if mine["principalId"] == OPERATOR and mine["scope"] == scope:
            mine["roleDefinitionId"] = mine["roleDefinitionId"].replace(ADMINISTRATOR, READER)


def without_agents(world: World) -> None:
    """A tenant's own role with the name of ours... that keeps its holders from writing agents."""
    role = copy.deepcopy(world.data["role_definitions"][MANAGER])
    role["name"] = _OWN_ROLE
    role["id"] = role["id"].replace(MANAGER, _OWN_ROLE)
    role["properties"] |= {"roleName": "Careful Deployer", "type": "CustomRole"}
    role["properties"]["permissions"][0]["notDataActions"] = [
        "Microsoft.CognitiveServices/accounts/AIServices/agents/write"
    ]
    world.data["role_definitions"][_OWN_ROLE] = role


_OWN_ROLE = "99999999-0000-0000-0000-000000000001"


def _graph(*permissions: str) -> Callable[[World], object]:
    return _set("service_principals", OPERATOR, "graphPermissions", value=list(permissions))


def owned_only(world: World) -> None:
    """Whoever is signed in may change what it owns, and prod's application trusts nobody any more."""
    _graph("Application.ReadWrite.OwnedBy", "Directory.Read.All")(world)
    world.app("prod").update(federatedIdentityCredentials=[], owners=[OPERATOR])


def owned_by_another(world: World) -> None:
    """As before, and the application is another's."""
    owned_only(world)
    world.app("prod")["owners"] = []


def foreign(world: World) -> None:
    """Somebody else's application has our name."""
    world.add_app(uniqueName=APP)


def foreign_deleted(world: World) -> None:
    """The recycle bin holds somebody else's application with our name."""
    app = world.add_app(uniqueName=APP)
    del world.data["applications"][app["id"]]
    world.data["deleted_applications"][app["id"]] = app | {"deletedDateTime": "2026-11-23T00:00:00Z"}


def full(world: World) -> None:
    """Twenty credentials of others, and ours is gone."""
    app = world.app("prod")
    (one,) = app["federatedIdentityCredentials"]
    app["federatedIdentityCredentials"] = [
        one
        | {
            "id": f"0e000000-0000-0000-0000-0000000001{n:02}",
            "name": f"other-{n}",
            "subject": f"repo:o/r:{n}",
        }
        for n in range(20)
    ]


def secret(world: World) -> None:
    """Somebody made a client secret."""
    legacy = next(a for a in world.data["applications"].values() if a["passwordCredentials"])
    world.app("prod")["passwordCredentials"] = copy.deepcopy(legacy["passwordCredentials"][:1])


def disabled(world: World) -> None:
    """Somebody disabled the service principal."""
    world.data["service_principals"][world.principal("prod")["id"]]["accountEnabled"] = False


def spelled_otherwise(world: World) -> None:
    """The environment is there, in another spelling."""
    environments = world.repository["environments"]
    environments["Prod"] = environments.pop("prod") | {"name": "Prod"}


def no_principal(world: World) -> None:
    """The application that the file names has no principal."""
    world.data["service_principals"].pop("0b000000-0000-0000-0000-000000000003")


def renamed(world: World) -> None:
    """The repository has another name by now."""
    world.repository.update(name="robots", redirects=["contoso/agents"])


_LEGACY = "0a000000-0000-0000-0000-000000000003"
_PRIVATE = [{"id": "pe", "properties": {"privateLinkServiceConnectionState": {"status": "Approved"}}}]
_PROTECTED = ("branches: [main]", "branches: protected")
_ROLE = f"    project: {PROJECT}\n"


def _role(text: str) -> tuple[str, str]:
    return _ROLE, f"{_ROLE}    role: {text}\n"


def _owner(name: str) -> tuple[str, str]:
    return "environments:", f"identity: {{owners: [{name}]}}\nenvironments:"


# -- the table -----------------------------------------------------------------------------------------------------

SIGN_IN = (
    Fault("a token that github does not know", "github-sign-in", env=(("GH_TOKEN", "ghp_wrong"),)),
    Fault("an expired token", "github-sign-in", _token(expires_at="2026-01-01T00:00:00+00:00")),
    Fault("a forged assertion", "azure-sign-in", env=(("AZURE_FEDERATED_TOKEN_FILE", "forged.jwt"),)),
    Fault("nobody signed in to azure", "azure-sign-in", env=(("AZURE_CLIENT_ID", ""), ("PATH", ""))),
    Fault("another tenant in the file", "tenant", edit=(f"tenant: {TENANT}", f"tenant: {OTHER_TENANT}")),
    Fault(
        "a fine-grained token",
        "github-token",
        env=(("GH_TOKEN", "sandbox-read-only-token"),),
        verdict="unknown",
    ),
    Fault("no scope on a private repository", "repository", _token(scopes=["gist"])),
    Fault(
        "too small a scope",
        "github-token",
        lambda world: (_token(scopes=["public_repo"])(world), _repository("visibility", "public")(world)),
        word="public_repo",
    ),
    Fault("a clock that is behind", "clock", clock=300.0, word="behind"),
    Fault("a clock that is ahead", "clock", clock=-200.0, word="ahead"),
    Fault("a clock half an hour off", "clock", clock=1800.0),
)

GITHUB = (
    Fault("no such repository", "repository", edit=("contoso/agents", "contoso/nothing")),
    Fault("a renamed repository", "repository", renamed, word="contoso/robots"),
    Fault(
        "a token of no administrator", "repository-administrator", env=(("GH_TOKEN", "sandbox-writer-token"),)
    ),
    Fault("an archived repository", "repository-archived", _repository("archived", value=True)),
    Fault("a disabled repository", "repository-archived", _repository("disabled", value=True)),
    Fault("the free plan", "protection-available", _plan("free"), "prod", word="environments"),
    Fault(
        "the team plan",
        "protection-available",
        _plan("team"),
        "prod",
        word="required reviewers and a wait timer",
    ),
    Fault("a plan of another name", "protection-available", _plan("bronze"), "prod", verdict="unknown"),
    Fault(
        "a timer on the team plan",
        "protection-available",
        _plan("team"),
        "prod",
        edit=("reviewers: [team:platform], ", ""),
        word="a wait timer",
    ),
    Fault("no such team", "reviewers", edit=("team:platform", "team:nobody"), about="team:nobody"),
    Fault(
        "no such user", "reviewers", edit=("team:platform", "user:nobody-at-all"), about="user:nobody-at-all"
    ),
    Fault("a team without the repository", "reviewers", _repository("teams", {}), "team:platform"),
    Fault(
        "a user without the repository",
        "reviewers",
        _repository("collaborators", {}),
        edit=("team:platform", "user:monalisa"),
        about="user:monalisa",
    ),
    Fault(
        "no protected branch",
        "protected-branches",
        _repository("protected_branches", []),
        edit=_PROTECTED,
        about="prod",
    ),
    Fault("another spelling", "environment-spelling", spelled_otherwise, "prod", configured=True),
    Fault("actions are off", "actions-enabled", _actions(enabled=False)),
    Fault(
        "local actions only", "actions-allowed", _actions(allowed_actions="local_only"), word="azure/login"
    ),
    Fault("no action selected", "actions-allowed", _selected(), word="actions/checkout"),
    Fault("github's own actions only", "actions-allowed", _selected(github=True), word="azure/login"),
    Fault(
        "verified creators only",
        "actions-allowed",
        _selected(github=True, verified=True),
        verdict="unknown",
        word="azure/login@*",
    ),
    Fault("azure's only", "actions-allowed", _selected("azure/*"), word="actions/setup-python"),
    Fault("another version", "actions-allowed", _selected("azure/login@v1", github=True), word="azure/login"),
    Fault(
        "one is blocked",
        "actions-allowed",
        _selected("azure/*", "!azure/login@*", github=True),
        word="azure/login",
    ),
    Fault(
        "a template without the context",
        "subject-template",
        _repository("subject_template", {"use_default": False, "include_claim_keys": ["repository_owner"]}),
    ),
    Fault(
        "a name that another can have",
        "subject-ambiguous",
        edit=("  prod:", '  "live:eu":'),
        about="live:eu",
    ),
    Fault(
        "a cloud that azure/login does not know",
        "workflows",
        edit=("environments:", "cloud: AzureBleuCloud\nenvironments:"),
    ),
)

ENTRA = (
    Fault("may not register", "register-applications", _graph("Application.Read.All", "Directory.Read.All")),
    Fault(
        "no such owner",
        "application-owners",
        edit=_owner("nobody@contoso.com"),
        about="nobody@contoso.com",
    ),
    Fault(
        "may not add owners",
        "application-owners",
        lambda world: world.data["service_principals"][OPERATOR].update(
            graphPermissions=["Application.ReadWrite.All", "User.Read.All"]
        ),
        edit=_owner("0c000000-0000-0000-0000-000000000002"),
        verdict="unknown",
    ),
    Fault("a foreign application", "application-names", foreign, APP),
    Fault("a deleted foreign application", "application-names", foreign_deleted, APP),
    Fault("twenty credentials", "credential-room", full, APP, configured=True),
    Fault("a client secret", "client-secrets", secret, APP, configured=True),
    Fault("a disabled principal", "service-principals", disabled, APP, configured=True),
    Fault(
        "no such application",
        "given-applications",
        edit=(_ROLE, f"{_ROLE}    client_id: 0a000000-0000-0000-0000-00000000000f\n"),
        about="prod",
    ),
    Fault(
        "an application without a principal",
        "given-applications",
        no_principal,
        edit=(_ROLE, f"{_ROLE}    client_id: {_LEGACY}\n"),
        about="prod",
        word="az ad sp create",
    ),
)

AZURE = (
    Fault("no subscription", "subscriptions", sees_no_subscription, PROD),
    Fault(
        "a disabled subscription",
        "subscriptions",
        _set("subscriptions", PROD, "state", value="Disabled"),
        PROD,
    ),
    Fault(
        "a subscription past due", "subscriptions", _set("subscriptions", PROD, "state", value="Warned"), PROD
    ),
    Fault(
        "a project of another tenant",
        "project-tenant",
        edit=(
            PROJECT,
            PROJECT.replace(PROD, "bbbbbbbb-0000-0000-0000-000000000001").replace("-prod", "-fabrikam"),
        ),
        about="foundry-fabrikam/agents",
    ),
    Fault(
        "no resource provider",
        "resource-provider",
        _set("subscriptions", PROD, "registeredProviders", value=["Microsoft.Authorization"]),
        PROD,
    ),
    Fault("no such project", "projects", _drop("projects", PROJECT.lower()), "foundry-prod/agents"),
    Fault(
        "no such account",
        "projects",
        edit=("accounts/foundry-prod/", "accounts/foundry-nowhere/"),
        about="foundry-nowhere/agents",
    ),
    Fault("a failed project", "projects", _project("provisioningState", "Failed"), "foundry-prod/agents"),
    Fault(
        "a project that goes", "projects", _project("provisioningState", "Deleting"), "foundry-prod/agents"
    ),
    Fault("a project without an endpoint", "projects", _project("endpoints", {}), "foundry-prod/agents"),
    Fault("may not assign roles", "assign-roles", may_not_assign, "foundry-prod/agents", word="--only azure"),
    Fault("a role that waits in pim", "assign-roles", eligible, word="SelfActivate"),
    Fault(
        "a condition for another role",
        "assign-roles",
        _bound(f"{_SCOPE}RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {{{USER}}}"),
        word="condition",
    ),
    Fault(
        "a condition against this role",
        "assign-roles",
        _bound(f"{_SCOPE}RoleDefinitionId] ForAnyOfAllValues:GuidNotEquals {{{MANAGER}, {USER}}}"),
    ),
    Fault(
        "a condition for people",
        "assign-roles",
        _bound(f"{_SCOPE}PrincipalType] StringEqualsIgnoreCase 'User'"),
    ),
    Fault(
        "a condition about the principal",
        "assign-roles",
        _bound(f"{_SCOPE}PrincipalId] ForAnyOfAllValues:GuidNotEquals {{{OPERATOR}}}"),
        verdict="unknown",
    ),
    Fault(
        "a condition of another kind",
        "assign-roles",
        _bound("@Environment[UtcNow] Bool 1"),
        verdict="unknown",
    ),
    Fault("a deny assignment for all", "assign-roles", _denied((EVERYBODY, "SystemDefined")), word="deny"),
    Fault(
        "a deny assignment for one",
        "assign-roles",
        _denied((OPERATOR, "ServicePrincipal")),
        word="kept by a stack",
    ),
    Fault(
        "a deny assignment for a group",
        "assign-roles",
        _denied(("0c000000-0000-0000-0000-000000000101", "Group")),
        verdict="unknown",
    ),
    Fault(
        "a read-only lock",
        "resource-locks",
        _locked(ACCOUNT, "ReadOnly"),
        "foundry-prod/agents",
        word="az lock delete",
    ),
    Fault(
        "no such role",
        "role-definitions",
        edit=_role("cb8ef501-606a-4a44-a4ff-000000000000"),
        word="no role definition",
    ),
    Fault(
        "a role of no name",
        "role-definitions",
        _set("role_definitions", MANAGER, "properties", "roleName", value="Agent Boss"),
        "foundry-project-manager",
        verdict="unknown",
    ),
    Fault(
        "contributor writes no agents",
        "roles-permit",
        edit=_role("contributor"),
        about="prod",
        word="agents/write",
    ),
    Fault("reader writes no agents", "roles-permit", edit=_role("reader")),
    Fault("account owner writes no agents", "roles-permit", edit=_role("foundry-account-owner")),
    Fault("a consumer writes no agents", "roles-permit", edit=_role("foundry-agent-consumer")),
    Fault("a runtime user writes no agents", "roles-permit", edit=_role("foundry-project-runtime-user")),
    Fault(
        "a role that leaves agents out",
        "roles-permit",
        without_agents,
        edit=_role(_OWN_ROLE),
        word="AIServices/agents/write",
    ),
    Fault("public access is off", "network-access", _account(publicNetworkAccess="Disabled"), "foundry-prod"),
    Fault(
        "a private endpoint only",
        "network-access",
        _account(publicNetworkAccess="Disabled", privateEndpointConnections=_PRIVATE),
        word="private endpoint",
    ),
    Fault(
        "a firewall",
        "network-access",
        _account(networkAcls={"defaultAction": "Deny", "ipRules": [], "virtualNetworkRules": []}),
    ),
    Fault(
        "a firewall with a hole",
        "network-access",
        _account(
            networkAcls={
                "defaultAction": "Deny",
                "ipRules": [{"value": "203.0.113.7"}],
                "virtualNetworkRules": [],
            }
        ),
        word="1 address",
    ),
    Fault(
        "a name that is not there",
        "name-resolution",
        _project("endpoints", {"AI Foundry API": "https://agents.invalid/api/projects/agents"}),
        "foundry-prod/agents",
    ),
)

#: Reads that answer 403: what depends on them could not be told.
UNREADABLE = tuple(
    Fault(f"no reading of {name}", check, broken=(service, path), verdict="unknown", edit=edit)
    for name, check, service, path, edit in (
        ("subscriptions", "subscriptions", "arm", "*/subscriptions", ("", "")),
        ("the provider", "resource-provider", "arm", "*/providers/microsoft.cognitiveservices", ("", "")),
        ("the account", "network-access", "arm", f"*{ACCOUNT}", ("", "")),
        ("permissions", "assign-roles", "arm", "*/permissions", ("", "")),
        ("locks", "resource-locks", "arm", "*/locks", ("", "")),
        ("the role", "role-definitions", "arm", "*/roledefinitions/*", ("", "")),
        ("assignments", "what-is-there", "arm", "*/roleassignments", ("", "")),
        ("applications", "what-is-there", "graph", "*/applications", ("", "")),
        ("owners", "application-owners", "graph", "*/users/*", _owner("user@contoso.onmicrosoft.com")),
        ("the policy", "actions-enabled", "github", "*/actions/permissions", ("", "")),
        ("the organization", "protection-available", "github", "*/orgs/contoso", ("", "")),
        ("the team", "reviewers", "github", "*/orgs/contoso/teams/platform", ("", "")),
        ("the team's rights", "reviewers", "github", "*/teams/platform/repos/*", ("", "")),
        ("protected branches", "protected-branches", "github", "*/branches", _PROTECTED),
        ("the repository", "repository", "github", "*/repos/contoso/agents", ("", "")),
    )
)

#: What goes wrong as well when everything was set up before.
_LATER = (
    "an archived repository",
    "a token of no administrator",
    "a renamed repository",
    "a team without the repository",
    "actions are off",
    "local actions only",
    "no action selected",
    "a template without the context",
    "no subscription",
    "a disabled subscription",
    "no resource provider",
    "no such project",
    "a failed project",
    "a role of no name",
    "contributor writes no agents",
    "reader writes no agents",
    "public access is off",
    "a firewall",
    "a clock that is behind",
    "a forged assertion",
)
FIRST = (*SIGN_IN, *GITHUB, *ENTRA, *AZURE, *UNREADABLE)
FAULTS: tuple[Fault, ...] = (
    *FIRST,
    Fault("an application of another's to change", "change-applications", owned_by_another, configured=True),
    Fault(
        "a role to take away elsewhere",
        "assign-roles",
        given_elsewhere,
        "resourceGroups/rg-foundry-dev",
        word="take away",
        configured=True,
    ),
    Fault(
        "a role to take away under a lock",
        "resource-locks",
        _locked(GROUP, "CanNotDelete"),
        edit=_role("foundry-user"),
        word="take away",
        configured=True,
    ),
    *(replace(fault, configured=True) for fault in FIRST if fault.name in _LATER),
)

#: What is nobody's fault: doctor is silent.
HEALTHY: tuple[Fault, ...] = (
    Fault("nothing", ""),
    Fault("everything done", "", configured=True),
    Fault("one's own application to change", "", owned_only, configured=True),
    Fault("done, and no right to assign any more", "", may_not_assign, configured=True),
    Fault(
        "done, and no right to register any more",
        "",
        _graph("Application.Read.All", "Directory.Read.All"),
        configured=True,
    ),
    Fault(
        "done, and a condition for another role",
        "",
        _bound(f"{_SCOPE}RoleDefinitionId] GuidEquals {USER}"),
        configured=True,
    ),
    Fault("done on a plan that is not shown", "", _plan("bronze"), configured=True),
    Fault(
        "done, with a fine-grained token", "", env=(("GH_TOKEN", "sandbox-read-only-token"),), configured=True
    ),
    Fault("pinning is demanded", "", _actions(sha_pinning_required=True)),
    Fault("selected by pattern", "", _selected("azure/login@*", "actions/*")),
    Fault(
        "a condition for this role",
        "",
        _bound(f"{_SCOPE}RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {{{MANAGER}}}"),
    ),
    Fault(
        "a condition for service principals",
        "",
        _bound(f"{_SCOPE}PrincipalType] StringEquals 'ServicePrincipal'"),
    ),
    Fault("a deny assignment that spares us", "", _denied((EVERYBODY, "SystemDefined"), spared=OPERATOR)),
    Fault(
        "the old name of the role",
        "",
        _set("role_definitions", MANAGER, "properties", "roleName", value="Azure AI Project Manager"),
    ),
    Fault("foundry user", "", edit=_role("foundry-user")),
    Fault(
        "a public repository on the free plan",
        "",
        lambda w: (_plan("free")(w), _repository("visibility", "public")(w)),
    ),
    Fault(
        "branches on the team plan",
        "",
        _plan("team"),
        edit=("reviewers: [team:platform], wait_minutes: 10, ", ""),
    ),
    Fault("protected branches", "", edit=_PROTECTED),
    Fault("a private endpoint beside public access", "", _account(privateEndpointConnections=_PRIVATE)),
    Fault("keys are on", "", _account(disableLocalAuth=False)),
    Fault("a clock a minute off", "", clock=60.0),
    Fault(
        "a grant that makes up for the role",
        "",
        edit=(
            _ROLE,
            f"{_ROLE}    role: reader\n    grants: [{{role: foundry-user, scope: account, because: agents}}]\n",
        ),
    ),
)
