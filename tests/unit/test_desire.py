"""What a configuration means."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import pytest

from tests.property.worlds import facts_of, project, workflow
from trustsmith.desire import ENDPOINT_UNKNOWN, desire, display_name, grant_scopes
from trustsmith.errors import UsageError
from trustsmith.model.config import Config, Environment, Grant, Identity, Protection, Reviewer
from trustsmith.model.environments import (
    EnvironmentMark,
    EnvironmentSecret,
    EnvironmentVariable,
    GitHubEnvironment,
)
from trustsmith.model.environments import Reviewer as RequiredReviewer
from trustsmith.model.foundry import PROJECT_MANAGER, ROLES
from trustsmith.model.issuers import TerraformCloud
from trustsmith.model.resource import Key, Later, Resource
from trustsmith.model.resources import (
    Application,
    FederatedCredential,
    RoleAssignment,
    ServicePrincipal,
    WorkflowFile,
)

if TYPE_CHECKING:
    from trustsmith.model.state import State

R = TypeVar("R", bound=Resource)
DEV, PROD = project("dev"), project("prod")
OWNER = ROLES[2].guid
CLIENT = "99999999-0000-0000-0000-000000000001"


def config(*environments: Environment, identity: Identity | None = None, store: str = "secrets") -> Config:
    return Config(
        repository="contoso/agents",
        tenant="tenant",
        environments=environments or (Environment(name="dev", projects=(DEV,)),),
        identity=identity or Identity(),
        store="variables" if store == "variables" else "secrets",
    )


def wanted(file: Config) -> State:
    return desire(file, facts_of(file), [])


def all_of(kind: type[R], file: Config) -> list[R]:
    return [r for r in wanted(file).values() if isinstance(r, kind)]


def one(kind: type[R], file: Config) -> R:
    (found,) = all_of(kind, file)
    return found


def test_other_issuers_workloads_do_not_wait_for_the_github_environment() -> None:
    workspace = TerraformCloud(organization="contoso", project="Default Project", workspace="dev")
    file = config(Environment(name="dev", projects=(DEV,), trusts=(workspace,)))
    jobs, *workloads = all_of(FederatedCredential, file)
    assert jobs.jobs
    assert [(c.issuer, c.subject.rpartition(":")[2], c.jobs) for c in workloads] == [
        ("https://app.terraform.io", "plan", False),
        ("https://app.terraform.io", "apply", False),
    ]
    assert all(c.identity == jobs.identity and c.name.startswith("dev-") for c in workloads)
    assert {parent.kind for c in workloads for parent in c.parents} == {Application.kind}


def test_an_environment_is_an_identity_a_trust_a_role_and_ids() -> None:
    name = "trustsmith-github.com-1001-dev"
    app, principal = one(Application, config()), one(ServicePrincipal, config())
    assert (app.unique_name, app.display_name, app.audience) == (name, "agents-dev", "AzureADMyOrg")
    assert app.tags == {
        "trustsmith",
        "trustsmith:repository=github.com/1001",
        "trustsmith:environment=dev",
    }
    assert principal.client_id == Later(app.key, "client_id")
    credential = one(FederatedCredential, config())
    assert credential.subject == "repo:contoso@1/agents@1001:environment:dev"
    assert credential.application == Later(app.key, "object_id")
    grant = one(RoleAssignment, config())
    assert (grant.identity, grant.role, grant.scope) == (name, PROJECT_MANAGER.guid, DEV.id)
    assert {s.name: s.content for s in all_of(EnvironmentSecret, config())} == {
        "AZURE_CLIENT_ID": Later(app.key, "client_id"),
        "AZURE_TENANT_ID": "tenant",
        "AZURE_SUBSCRIPTION_ID": DEV.subscription,
        "AZURE_AI_PROJECT_ENDPOINT": "https://foundry-dev.services.ai.azure.com/api/projects/agents",
    }
    assert one(EnvironmentMark, config()).ids.keys() == {s.name for s in all_of(EnvironmentSecret, config())}


def test_each_environment_has_its_own_identity_and_subject() -> None:
    file = config(Environment(name="dev", projects=(DEV,)), Environment(name="prod", projects=(PROD,)))
    assert len({app.unique_name for app in all_of(Application, file)}) == 2
    assert len({c.subject for c in all_of(FederatedCredential, file)}) == 2
    assert {(r.identity[-4:], r.scope) for r in all_of(RoleAssignment, file)} == {
        ("-dev", DEV.id),
        ("prod", PROD.id),
    }


def test_a_shared_identity_has_one_credential_for_each_environment_and_each_grant_once() -> None:
    file = config(
        Environment(name="dev", projects=(DEV,)),
        Environment(name="staging", projects=(DEV,)),
        identity=Identity(per="repository"),
    )
    app = one(Application, file)
    assert (app.unique_name, app.display_name) == ("trustsmith-github.com-1001", "agents")
    assert not [tag for tag in app.tags if "environment" in tag]
    assert {c.identity for c in all_of(FederatedCredential, file)} == {app.unique_name}
    assert len(all_of(FederatedCredential, file)) == 2
    assert one(RoleAssignment, file).scope == DEV.id


def test_an_application_named_by_client_id_is_not_made() -> None:
    file = config(Environment(name="dev", projects=(DEV,), client_id=CLIENT))
    assert not all_of(Application, file)
    assert not all_of(ServicePrincipal, file)
    assert one(FederatedCredential, file).application == Later(Key("application", CLIENT), "object_id")
    assert one(RoleAssignment, file).principal == Later(Key("service principal", CLIENT), "principal_id")
    ids = {secret.name: secret.content for secret in all_of(EnvironmentSecret, file)}
    assert ids["AZURE_CLIENT_ID"] == CLIENT


def test_ids_may_be_variables() -> None:
    assert not all_of(EnvironmentSecret, config(store="variables"))
    assert len(all_of(EnvironmentVariable, config(store="variables"))) == 4
    assert one(EnvironmentMark, config(store="variables")).store == "variables"


def test_more_projects_more_endpoints() -> None:
    file = config(Environment(name="dev", projects=(DEV, PROD), endpoint="https://given"))
    facts = replace(facts_of(file), endpoints={})
    ids = one(EnvironmentMark, file).ids
    assert ids["AZURE_AI_PROJECT_ENDPOINT"] == "https://given"
    assert str(ids["AZURE_AI_PROJECT_ENDPOINT_2"]).startswith("https://foundry-prod")
    blind = desire(file, facts, [])[EnvironmentMark(environment="dev").key]
    assert isinstance(blind, EnvironmentMark)
    assert blind.ids["AZURE_AI_PROJECT_ENDPOINT_2"] == Later(ENDPOINT_UNKNOWN, PROD.key)


def test_grants_are_relative_to_each_project() -> None:
    twin = replace(DEV, project="other")
    scopes = {
        scope: grant_scopes(Grant(role=OWNER, scope=scope, because="x"), [DEV, twin])
        for scope in ("project", "account", "resource-group", "subscription", "/subscriptions/x")
    }
    assert scopes == {
        "project": [DEV.id, twin.id],
        "account": [DEV.account_scope],
        "resource-group": [DEV.group_scope],
        "subscription": [DEV.subscription_scope],
        "/subscriptions/x": ["/subscriptions/x"],
    }


def test_the_same_grant_counts_once_and_the_first_reason_stands() -> None:
    grants = [
        Grant(role=PROJECT_MANAGER.guid, scope="project", because="again"),
        Grant(role=OWNER, scope="account", because="deploys models"),
        Grant(role=OWNER, scope=DEV.account_scope.lower(), because="twice"),
    ]
    found = all_of(RoleAssignment, config(Environment(name="dev", projects=(DEV,), grants=tuple(grants))))
    assert [(r.role, r.because) for r in found] == [(PROJECT_MANAGER.guid, ""), (OWNER, "deploys models")]


def test_another_role_instead_of_the_default() -> None:
    role = UUID(int=9)
    assert one(RoleAssignment, config(Environment(name="dev", projects=(DEV,), role=role))).role == role


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        (Protection(), GitHubEnvironment(name="dev")),
        (
            Protection(branches=("main",)),
            GitHubEnvironment(name="dev", deploy_from="patterns", branches=frozenset({"main"})),
        ),
        (
            Protection(tags=("v*",)),
            GitHubEnvironment(name="dev", deploy_from="patterns", tags=frozenset({"v*"})),
        ),
        (Protection(branches="protected"), GitHubEnvironment(name="dev", deploy_from="protected")),
        (
            Protection(reviewers=(), wait_minutes=0, prevent_self_review=False),
            GitHubEnvironment(name="dev", reviewers=frozenset(), wait_minutes=0, prevent_self_review=False),
        ),
    ],
)
def test_protection(rules: Protection, found: GitHubEnvironment) -> None:
    assert one(GitHubEnvironment, config(Environment(name="dev", projects=(DEV,), protection=rules))) == found


def test_reviewers_are_known_by_their_ids() -> None:
    rules = Protection(reviewers=(Reviewer(kind="team", name="platform"),))
    file = config(Environment(name="dev", projects=(DEV,), protection=rules))
    facts = replace(facts_of(file), reviewers={"team:platform": 3001})
    environment = desire(file, facts, [])[Key("github environment", "dev")]
    assert isinstance(environment, GitHubEnvironment)
    assert environment.reviewers == frozenset({RequiredReviewer("team", 3001, "platform")})


@pytest.mark.parametrize(
    ("pattern", "environment", "found"),
    [
        ("{repository}-{environment}", "dev", "agents-dev"),
        ("{repository}-{environment}", None, "agents"),
        ("{owner}/{repository} ({environment})", "dev", "contoso/agents (dev)"),
        ("{repository} / {environment}", None, "agents"),
        ("{repository} {other}", "dev", "agents {other}"),
        ("{environment}", "{owner}", "{owner}"),
        ("{environment}-{repository}", None, "agents"),
    ],
)
def test_display_names(pattern: str, environment: str | None, found: str) -> None:
    file = config(identity=Identity(name=pattern))
    assert display_name(file, facts_of(file), environment) == found


def test_owners_and_the_reference_are_the_application_s() -> None:
    file = config(identity=Identity(owners=("ann@contoso.com",), service_management_reference="42"))
    app = one(Application, file)
    assert app.owners == {"object of ann@contoso.com"}
    assert app.service_management_reference == "42"


def test_a_subject_that_is_too_long_is_refused() -> None:
    with pytest.raises(UsageError, match="Entra takes at most 600"):
        wanted(config(Environment(name=":" * 255, projects=(DEV,))))


def test_files_are_wanted_as_they_were_rendered() -> None:
    file = workflow("jobs: {}\n")
    assert [
        r for r in desire(config(), facts_of(config()), [file]).values() if isinstance(r, WorkflowFile)
    ] == [file]
