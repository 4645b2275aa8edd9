"""What people do by hand to a set-up, and what `plan` has to say about each."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.cli.desk import PROJECT_MANAGER, project

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.cli.desk import Json, World

Change = tuple[str, str, str]
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
IDS = ("AZURE_AI_PROJECT_ENDPOINT", "AZURE_CLIENT_ID", "AZURE_SUBSCRIPTION_ID", "AZURE_TENANT_ID")


@dataclass(frozen=True)
class Drift:
    """One change by hand in one environment.

    changes, strays: what the plan has to name, {app}, {credential} and {project} filled in. allow: the words that
    healing it takes; without them it is refused.
    """

    environment: str
    by_hand: Callable[[World, str], object]
    changes: tuple[Change, ...] = ()
    strays: tuple[Change, ...] = ()
    allow: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.by_hand.__name__}-{self.environment}"

    def names(self, world: World) -> dict[str, str]:
        """What the placeholders stand for, in the world as it was set up."""
        app = world.app(self.environment)
        credential = app["federatedIdentityCredentials"][0]["name"]
        place = project(self.environment).lower()
        return {
            "app": app["uniqueName"],
            "credential": credential,
            "project": place,
            "env": self.environment,
            "principal": world.principal(self.environment)["id"],
        }


def _credential(world: World, environment: str) -> Json:
    credential: Json = world.app(environment)["federatedIdentityCredentials"][0]
    return credential


def credential_deleted(world: World, environment: str) -> None:
    world.app(environment)["federatedIdentityCredentials"].clear()


def subject_changed(world: World, environment: str) -> None:
    _credential(world, environment)["subject"] = "repo:contoso/agents:ref:refs/heads/main"


def issuer_changed(world: World, environment: str) -> None:
    _credential(world, environment)["issuer"] += "/elsewhere"


def audience_changed(world: World, environment: str) -> None:
    _credential(world, environment)["audiences"] = ["api://elsewhere"]


def display_name_changed(world: World, environment: str) -> None:
    world.app(environment)["displayName"] = "renamed"


def tag_removed(world: World, environment: str) -> None:
    world.app(environment)["tags"].remove(f"trustsmith:environment={environment}")


def sign_in_audience_changed(world: World, environment: str) -> None:
    world.app(environment)["signInAudience"] = "AzureADMultipleOrgs"


def principal_deleted(world: World, environment: str) -> None:
    world.drop_principal(environment)


def principal_disabled(world: World, environment: str) -> None:
    principal = world.principal(environment)["id"]
    world.data["service_principals"][principal]["accountEnabled"] = False


def application_deleted(world: World, environment: str) -> None:
    world.drop_app(environment)


def foreign_credential_added(world: World, environment: str) -> None:
    extra = _credential(world, environment) | {"id": "e", "name": "by-hand", "description": None}
    world.app(environment)["federatedIdentityCredentials"].append(
        extra | {"subject": "repo:a/b:pull_request"}
    )


def role_deleted(world: World, environment: str) -> None:
    world.drop_role(environment)


def foreign_role_added(world: World, environment: str) -> None:
    extra = copy.deepcopy(next(iter(world.roles(environment).values())))
    extra["name"] = "99999999-0000-0000-0000-000000000001"
    extra["id"] = extra["id"].rsplit("/", 1)[0] + "/" + extra["name"]
    values = extra["properties"]
    values["roleDefinitionId"] = values["roleDefinitionId"].replace(PROJECT_MANAGER, READER)
    values["description"] = None
    world.data["role_assignments"][extra["id"].lower()] = extra


def environment_deleted(world: World, environment: str) -> None:
    del world.environments[environment]


def reviewers_removed(world: World, environment: str) -> None:
    world.environment(environment)["reviewers"] = []


def wait_changed(world: World, environment: str) -> None:
    world.environment(environment)["wait_timer"] = 1


def branch_added(world: World, environment: str) -> None:
    world.environment(environment)["policies"].append({"id": 77, "name": "release/*", "type": "branch"})


def branch_removed(world: World, environment: str) -> None:
    world.environment(environment)["policies"].clear()


def any_branch_allowed(world: World, environment: str) -> None:
    world.environment(environment)["deployment_branch_policy"] = None


def protected_branches_only(world: World, environment: str) -> None:
    world.environment(environment)["deployment_branch_policy"] = {
        "protected_branches": True,
        "custom_branch_policies": False,
    }


def secret_deleted(world: World, environment: str) -> None:
    del world.environment(environment)["secrets"]["AZURE_CLIENT_ID"]


def secret_overwritten(world: World, environment: str) -> None:
    secret = world.environment(environment)["secrets"]["AZURE_TENANT_ID"]
    secret |= {"value": "something else", "updated_at": "2099-01-01T00:00:00Z"}


def mark_deleted(world: World, environment: str) -> None:
    world.environment(environment)["variables"].clear()


def mark_garbled(world: World, environment: str) -> None:
    world.environment(environment)["variables"]["TRUSTSMITH"]["value"] = '{"version": "one"}'


_IDS: tuple[Change, ...] = tuple(("update", "environment secret", f"{{env}}/{name}") for name in IDS)


def _one(verb: str, kind: str, name: str) -> tuple[Change, ...]:
    return ((verb, kind, name),)


_ROLE = "{app}: foundry-project-manager at {project}"
_TRUST = "{app}/{credential}"
_NEW_ENVIRONMENT: tuple[Change, ...] = (
    ("create", "github environment", "{env}"),
    ("create", "environment mark", "{env}/TRUSTSMITH"),
    *(("create", "environment secret", f"{{env}}/{name}") for name in IDS),
)
_NEW_PRINCIPAL: tuple[Change, ...] = (
    ("create", "service principal", "{app}"),
    ("create", "role assignment", _ROLE),
    ("delete", "role assignment", "other principal {principal}: foundry-project-manager at {project}"),
)

#: In groups whose members are in different environments, so that one run of the command looks at all of a group.
GROUPS: tuple[tuple[Drift, ...], ...] = (
    (
        Drift("dev", credential_deleted, _one("create", "federated credential", _TRUST)),
        Drift("staging", secret_deleted, _one("create", "environment secret", "{env}/AZURE_CLIENT_ID")),
        Drift("prod", reviewers_removed, _one("update", "github environment", "{env}")),
    ),
    (
        Drift("dev", subject_changed, _one("update", "federated credential", _TRUST)),
        Drift("staging", secret_overwritten, _one("update", "environment secret", "{env}/AZURE_TENANT_ID")),
        Drift("prod", wait_changed, _one("update", "github environment", "{env}")),
    ),
    (
        Drift("dev", issuer_changed, _one("update", "federated credential", _TRUST)),
        Drift("staging", role_deleted, _one("create", "role assignment", _ROLE)),
        Drift("prod", branch_added, _one("update", "github environment", "{env}")),
    ),
    (
        Drift("dev", audience_changed, _one("update", "federated credential", _TRUST)),
        Drift("staging", mark_garbled, (*_one("update", "environment mark", "{env}/TRUSTSMITH"), *_IDS)),
        Drift("prod", branch_removed, _one("update", "github environment", "{env}")),
    ),
    (
        Drift("dev", display_name_changed, _one("update", "application", "{app}")),
        Drift("staging", mark_deleted, (*_one("create", "environment mark", "{env}/TRUSTSMITH"), *_IDS)),
        Drift("prod", any_branch_allowed, _one("update", "github environment", "{env}")),
    ),
    (
        Drift("dev", tag_removed, _one("update", "application", "{app}")),
        Drift("staging", environment_deleted, _NEW_ENVIRONMENT),
        Drift("prod", protected_branches_only, _one("update", "github environment", "{env}")),
    ),
    (
        Drift("dev", sign_in_audience_changed, _one("update", "application", "{app}")),
        Drift("staging", principal_deleted, _NEW_PRINCIPAL),
        Drift("prod", environment_deleted, _NEW_ENVIRONMENT),
    ),
    (
        Drift(
            "dev",
            application_deleted,
            (
                ("restore", "application", "{app}"),
                ("create", "federated credential", _TRUST),
                *_NEW_PRINCIPAL,
            ),
        ),
        Drift(
            "staging",
            principal_disabled,
            _one("update", "service principal", "{app}"),
            allow=("enable={app}",),
        ),
    ),
    (
        Drift(
            "staging",
            foreign_credential_added,
            strays=_one("delete", "federated credential", "{app}/by-hand"),
            allow=("remove={app}/by-hand",),
        ),
        Drift(
            "prod",
            foreign_role_added,
            strays=_one("delete", "role assignment", "{app}: reader at {project}"),
            allow=("remove={app}: reader at {project}",),
        ),
    ),
)
