"""What jobs need against what the file gives them, judged by Azure's definitions as the sandbox has them."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from trustsmith.flows.rights import jobs_of
from trustsmith.grants import assess
from trustsmith.model.advice import Advice, Jobs
from trustsmith.model.config import (
    Config,
    Environment,
    Grant,
    Identity,
    Workflow,
    default_workflows,
    one_by_one,
)
from trustsmith.model.foundry import ProjectId, find_role
from trustsmith.model.issuers import Aks
from trustsmith.model.operations import Level, Operation
from trustsmith_sandbox.roles import role_definitions

if TYPE_CHECKING:
    from pathlib import Path

DEFINITIONS = {UUID(guid): definition for guid, definition in role_definitions().items()}
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
ADMINISTRATOR = "f58310d9-a9f6-439a-9e8d-f62e7b41a168"
_FOUNDRY = "Microsoft.CognitiveServices/accounts"


def _does(does: str, action: str, at: Level, *, data: bool = False) -> Operation:
    return Operation(does=does, action=action, at=at, data=data)


READ = _does("read agents", f"{_FOUNDRY}/AIServices/agents/read", "project", data=True)
WRITE = _does("write agents", f"{_FOUNDRY}/AIServices/agents/write", "project", data=True)
CONNECT = _does("make connections", f"{_FOUNDRY}/projects/connections/write", "project")
MODELS = _does("deploy models", f"{_FOUNDRY}/deployments/write", "account")
ACCOUNT = _does("make the account", f"{_FOUNDRY}/write", "resource-group")
DEPLOY = _does("deploy templates", "Microsoft.Storage/storageAccounts/write", "resource-group")
GROUPS = _does(
    "make resource groups", "Microsoft.Resources/subscriptions/resourceGroups/write", "subscription"
)
LOOK = _does("read the account", f"{_FOUNDRY}/read", "account")
ASSIGN = _does("assign roles", "Microsoft.Authorization/roleAssignments/write", "resource-group")


def project(account: str = "foundry", group: str = "rg") -> ProjectId:
    return ProjectId("11111111-1111-1111-1111-111111111111", group, account, "agents")


def role(name: str) -> UUID:
    found = find_role(name)
    assert found
    return found


def grant(name: str, scope: str) -> Grant:
    return Grant(role=role(name), scope=scope, because="of that")


def environment(*grants: tuple[str, str], given: str = "", name: str = "prod", **fields: Any) -> Environment:
    """An environment with these grants, as (role, scope), and this project role."""
    fields |= {"role": role(given)} if given else {}
    return Environment(
        name=name, grants=tuple(itertools.starmap(grant, grants)), **{"projects": (project(),)} | fields
    )


def judged(
    *environments: Environment, does: tuple[Operation, ...], more: bool = False, **fields: Any
) -> list[Advice]:
    """The advice about environments whose jobs do this, and perhaps more."""
    config = Config(repository="contoso/agents", tenant="t", environments=environments, **fields)
    jobs = {e.name: Jobs(operations=does, more=more) for e in environments}
    return list(assess(config, jobs, DEFINITIONS))


def said(
    *environments: Environment, does: tuple[Operation, ...], **fields: Any
) -> list[tuple[str, str, str]]:
    """Kind, role and scope of that advice."""
    return [(advice.kind, advice.role, advice.scope) for advice in judged(*environments, does=does, **fields)]


FINE = ("fine", "", "")


@pytest.mark.parametrize(
    ("given", "grants", "does", "missing"),
    [
        ("", [], [READ, WRITE], []),
        ("foundry-user", [], [READ, WRITE], []),
        ("", [], [CONNECT], []),
        ("", [("foundry-account-owner", "account")], [MODELS, WRITE], []),
        ("", [("contributor", "resource-group")], [DEPLOY, MODELS], []),
        ("reader", [], [READ, WRITE], [("foundry-user", "project")]),
        ("contributor", [], [WRITE], [("foundry-user", "project")]),
        ("foundry-account-owner", [], [WRITE], [("foundry-user", "project")]),
        ("foundry-user", [], [CONNECT], [("foundry-project-manager", "project")]),
        ("reader", [], [CONNECT, WRITE], [("foundry-project-manager", "project")]),
        ("", [], [MODELS], [("foundry-account-owner", "account")]),
        ("", [("foundry-project-manager", "account")], [MODELS], [("foundry-account-owner", "account")]),
        ("", [("foundry-account-owner", "project")], [MODELS], [("foundry-account-owner", "account")]),
        ("", [], [LOOK], [("reader", "account")]),
        ("", [], [ACCOUNT, MODELS], [("foundry-account-owner", "resource-group")]),
        ("", [], [MODELS, DEPLOY], [("contributor", "resource-group")]),
        ("", [], [DEPLOY, GROUPS], [("contributor", "subscription")]),
        ("reader", [], [WRITE, DEPLOY], [("foundry-user", "project"), ("contributor", "resource-group")]),
        ("", [("contributor", "resource-group")], [ASSIGN], [("", "resource-group")]),
        ("", [(OWNER, "resource-group")], [ASSIGN], []),
        ("", [(ADMINISTRATOR, "resource-group")], [ASSIGN], []),
    ],
)
def test_what_is_missing(
    given: str, grants: list[tuple[str, str]], does: list[Operation], missing: list[tuple[str, str]]
) -> None:
    found = said(environment(*grants, given=given), does=tuple(does))
    lacking = [(name, scope) for kind, name, scope in found if kind == "missing"]
    assert sorted(lacking) == sorted(missing)
    assert (FINE in found) is not bool(missing)


@pytest.mark.parametrize(
    ("given", "grants", "does", "wide", "instead"),
    [
        # not needed
        ("", [("foundry-account-owner", "account")], [WRITE], ("foundry-account-owner", "account"), "Take it out"),
        ("", [("contributor", "subscription")], [READ], ("contributor", "subscription"), "Take it out"),
        ("", [("foundry-user", "account")], [READ], ("foundry-user", "account"), "Take it out"),
        ("", [("foundry-project-manager", "account")], [READ], ("foundry-project-manager", "account"), "Take"),
        ("contributor", [("foundry-user", "project")], [READ], ("contributor", "project"), "role: foundry-user"),
        # wider than what it is done to
        ("", [("foundry-account-owner", "subscription")], [MODELS], ("foundry-account-owner", "subscription"),
         "role: foundry-account-owner, scope: account"),
        ("", [("contributor", "subscription")], [DEPLOY], ("contributor", "subscription"),
         "role: contributor, scope: resource-group"),
        ("reader", [("foundry-user", "account")], [READ], ("foundry-user", "account"),
         "role: foundry-user, scope: project"),
        # for anything, where one for this would do
        ("", [("contributor", "subscription")], [MODELS], ("contributor", "subscription"),
         "role: foundry-account-owner, scope: account"),
        ("", [(OWNER, "subscription")], [MODELS], (OWNER, "subscription"),
         "role: foundry-account-owner, scope: account"),
        ("", [(OWNER, "account")], [MODELS], (OWNER, "account"), "role: foundry-account-owner, scope: account"),
        ("", [("foundry-owner", "account")], [MODELS], ("foundry-owner", "account"), "role: foundry-account-owner"),
        ("", [("contributor", "account")], [LOOK], ("contributor", "account"), "role: reader, scope: account"),
        ("foundry-owner", [], [WRITE], ("foundry-owner", "project"), "role: foundry-user"),
        # the wider one of two
        ("", [("contributor", "account"), ("foundry-account-owner", "account")], [MODELS],
         ("contributor", "account"), "Take it out"),
        ("", [("contributor", "subscription"), ("foundry-account-owner", "account")], [MODELS],
         ("contributor", "subscription"), "Take it out"),
    ],
)  # fmt: skip
def test_what_is_too_wide(
    given: str, grants: list[tuple[str, str]], does: list[Operation], wide: tuple[str, str], instead: str
) -> None:
    where = environment(*grants, given=given)
    assert said(where, does=tuple(does)) == [FINE, ("too-wide", *wide)]
    perhaps = judged(where, does=tuple(does), more=True)
    assert [(a.kind, a.role, a.scope) for a in perhaps] == [FINE, ("perhaps-too-wide", *wide)]
    assert instead in perhaps[1].next
    assert given == "" or wide[1] != "project" or not perhaps[1].because
    assert wide[1] == "project" or "The file's reason: of that" in perhaps[1].why


@pytest.mark.parametrize(
    ("given", "grants", "does"),
    [
        ("", [], [READ]),
        ("", [], []),
        ("", [("contributor", "subscription")], []),
        ("foundry-owner", [], []),
        ("reader", [("foundry-user", "project")], [READ]),
        ("", [("foundry-account-owner", "account")], [MODELS]),
        ("", [("contributor", "account")], [MODELS]),
        ("", [("contributor", "resource-group")], [DEPLOY, MODELS]),
        ("", [(OWNER, "resource-group")], [DEPLOY, ASSIGN]),
        ("contributor", [("foundry-user", "project")], [CONNECT, READ]),
        ("", [("acr-push", "/subscriptions/x/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/r")],
         [READ]),
        ("", [("contributor", project(account="another").account_scope)], [READ]),
    ],
)  # fmt: skip
def test_no_wolf_is_cried(given: str, grants: list[tuple[str, str]], does: list[Operation]) -> None:
    found = said(environment(*grants, given=given), does=tuple(does))
    assert found == [FINE if does else ("undeclared", "", "")]


def test_a_scope_may_be_written_as_an_id_in_any_case() -> None:
    group = project().group_scope.upper()
    assert said(environment(("contributor", group)), does=(MODELS,)) == [
        FINE,
        ("too-wide", "contributor", group),
    ]
    assert said(environment(("contributor", group)), does=(DEPLOY,)) == [FINE]


def test_every_project_counts() -> None:
    two = (project(), project("second", "another-rg"))
    half = environment(("foundry-account-owner", two[0].account_scope), projects=two)
    assert said(half, does=(MODELS,)) == [("missing", "foundry-account-owner", "account")]
    assert said(environment(("foundry-account-owner", "account"), projects=two), does=(MODELS,)) == [FINE]
    (missing,) = judged(half, does=(MODELS,))
    assert "accounts/second" in missing.why


def test_environments_with_one_identity_have_all_its_roles() -> None:
    dev = environment(name="dev", given="reader")
    prod = environment(("foundry-account-owner", "account"), name="prod")
    shared: dict[str, Any] = {"identity": Identity(per="repository")}
    assert said(dev, prod, does=(MODELS, READ), **shared) == [FINE, FINE]
    assert [kind for kind, *_ in said(dev, prod, does=(MODELS, READ))] == ["missing", "missing", "fine"]
    given = [replace(each, client_id="0a000000-0000-0000-0000-000000000003") for each in (dev, prod)]
    assert said(*given, does=(MODELS, READ)) == [FINE, FINE]
    twice = replace(dev, grants=prod.grants)
    assert said(twice, prod, does=(MODELS, READ), **shared) == [FINE, FINE]


def test_the_advice_says_what_to_write() -> None:
    (missing,) = judged(environment(), does=(MODELS,))
    assert missing.next == (
        "Add under environments.prod.grants:\n"
        '  - {role: foundry-account-owner, scope: account, because: "deploy models"}\n'
        "Foundry Project Manager cannot deploy models at any scope."
    )
    assert missing.why == (
        f"Its jobs deploy models. That takes the action {MODELS.action} at accounts/foundry; the file gives no role there."
    )
    (unknown_role,) = judged(environment(), does=(ASSIGN,))
    assert "<id of a role that has it>" in unknown_role.next


def test_azure_says_what_a_role_permits_and_what_it_is_called() -> None:
    manager = role("foundry-project-manager")
    changed = DEFINITIONS[manager]["properties"] | {"roleName": "Foundry Deployer"}
    body = changed["permissions"][0] | {"actions": [MODELS.action], "dataActions": []}
    definitions = DEFINITIONS | {manager: {"properties": changed | {"permissions": [body]}}}
    config = Config(repository="o/r", tenant="t", environments=(environment(),))

    def found(*does: Operation) -> list[Advice]:
        return list(assess(config, {"prod": Jobs(operations=does, more=False)}, definitions))

    (missing,) = found(READ)
    assert missing.kind == "missing"
    assert "Foundry Deployer" in missing.why
    (models,) = found(MODELS)
    assert models.kind == "missing", "the project role does not reach the account"
    assert "cannot deploy models" not in models.next, "it can now"


def test_what_could_not_be_read_is_not_judged() -> None:
    where = environment(("contributor", "subscription"), given="foundry-user")
    config = Config(repository="o/r", tenant="t", environments=(where,))
    jobs = {"prod": Jobs(operations=(READ, MODELS), more=False)}
    user, contributor = role("foundry-user"), role("contributor")
    without_user = assess(config, jobs, {contributor: DEFINITIONS[contributor]})
    assert [advice.kind for advice in without_user] == ["unknown", "too-wide"]
    assert "what Foundry User permits could not be read" in without_user[0].why
    (unknown,) = assess(config, jobs, {user: DEFINITIONS[user]})
    assert (unknown.kind, "deploy models" in unknown.why) == ("unknown", True)
    assert str(contributor) in unknown.next
    bound = {"properties": {"permissions": [{"actions": ["*"], "condition": "@Environment[UtcNow] Bool 1"}]}}
    (conditional,) = assess(config, jobs, DEFINITIONS | {contributor: bound})
    assert "a condition of" in conditional.why


def test_what_is_known_of_the_jobs() -> None:
    dev, prod, idle, proof, trusting = (
        environment(name=name) for name in ("dev", "prod", "idle", "proof", "trusting")
    )
    deploy, check = default_workflows(("dev", "prod"))
    everywhere = replace(check, stages=one_by_one(("dev", "prod", "proof")))
    config = Config(
        repository="o/r",
        tenant="t",
        environments=(dev, prod, idle, proof, trusting),
        workflows=(deploy, everywhere, Workflow(name="x", template="own", path="", stages=(("prod",),))),
    )
    jobs = jobs_of(config)
    does = {name: [operation.does for operation in each.operations] for name, each in jobs.items()}
    assert does == {
        "dev": ["read agents", "create and update agents"],
        "prod": ["read agents", "create and update agents"],
        "idle": [],
        "proof": ["read agents"],
        "trusting": [],
    }
    assert all(each.more for each in jobs.values()), "each runs the repository's own code, or only proves"


def test_a_template_may_say_that_it_declares_all(tmp_path: Path) -> None:
    (tmp_path / "report.yml.j2").write_text("")
    (tmp_path / "report.toml").write_text(
        'complete = true\noperations = [{does = "read", action = "a/read", at = "account"}]'
    )
    where = environment()
    report = Workflow(name="report", template="report", path="", stages=(("prod",),))
    config = Config(
        repository="o/r", tenant="t", environments=(where,), workflows=(report,), templates=tmp_path.name
    )

    def more(config: Config) -> bool:
        return jobs_of(config, tmp_path.parent)["prod"].more

    assert not more(config)
    assert not more(replace(config, workflows=(report, *default_workflows(("prod",))[1:])))
    assert more(replace(config, workflows=(replace(report, run="x"),)))
    assert more(replace(config, workflows=(report, *default_workflows(("prod",))[:1])))
    trust = Aks(issuer="https://x/", namespace="n", service_account="s")
    assert more(replace(config, environments=(replace(where, trusts=(trust,)),)))
    (tmp_path / "report.toml").write_text("complete = 1")
    assert jobs_of(config, tmp_path.parent)["prod"].operations == (), "whoever renders says what is wrong"
