"""Configurations, facts and lived-in worlds for the property tests; and a world that can be written to.

The world behaves as the services do where the core relies on it: it mints ids, keeps deleted applications, lets a
parent take its children along, and never shows a secret's value. It asserts what no service would forgive. It must not
use `diff` to say what should happen.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from trustsmith.apply import Outcome, Run, apply
from trustsmith.desire import desire
from trustsmith.diff import diff
from trustsmith.hazards import judge
from trustsmith.model.config import Config, Environment, Grant, Identity, Observer, Protection, Reviewer
from trustsmith.model.environments import (
    UNKNOWN,
    EnvironmentMark,
    EnvironmentSecret,
    EnvironmentVariable,
    GitHubEnvironment,
)
from trustsmith.model.facts import Facts, Repository
from trustsmith.model.foundry import ROLES, ProjectId
from trustsmith.model.resource import SIDES, Key, Later, Resource, Side
from trustsmith.model.resources import (
    Application,
    FederatedCredential,
    GraphPermission,
    RoleAssignment,
    ServicePrincipal,
    WorkflowFile,
)
from trustsmith.model.state import State
from trustsmith.model.subject import Template

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from trustsmith.model.plan import Change, Plan

TENANT = "11111111-1111-1111-1111-111111111111"
HOST, REPOSITORY_ID = "github.com", 1001
EXTERNAL = ("99999999-0000-0000-0000-000000000001", "99999999-0000-0000-0000-000000000002")


def project(name: str, account: str = "") -> ProjectId:
    """A Foundry project, `name` in the account `foundry-NAME` unless another is given."""
    return ProjectId(
        "aaaaaaaa-0000-0000-0000-000000000001", f"rg-{name}", account or f"foundry-{name}", "agents"
    )


def facts_of(config: Config, *, endpoints: bool = True, prefix: str = "repo:contoso@1/agents@1001") -> Facts:
    """What the services would say about this configuration's repository, projects and reviewers."""
    projects = [p for environment in config.environments for p in environment.projects]
    reviewers = [str(r) for e in config.environments for r in e.protection.reviewers or ()]
    return Facts(
        host=HOST,
        issuer="https://token.actions.githubusercontent.com",
        audience="api://AzureADTokenExchange",
        repository=Repository(
            id=REPOSITORY_ID,
            full_name="contoso/agents",
            default_branch="main",
            template=Template(prefix=prefix),
        ),
        endpoints={
            p.key: f"https://{p.account}.services.ai.azure.com/api/projects/{p.project}" for p in projects
        }
        if endpoints
        else {},
        reviewers={name: 3000 + sum(name.encode()) for name in reviewers},
        owners={owner: f"object of {owner}" for owner in config.identity.owners},
    )


@dataclass
class World:
    """What is there, and a Writer for all sides.

    vouched: secrets whose content the mark speaks for. log: what was done, in order of completion.
    """

    resources: dict[Key, Resource] = field(default_factory=dict)
    deleted: dict[Key, Application] = field(default_factory=dict)
    vouched: set[Key] = field(default_factory=set)
    log: list[Change] = field(default_factory=list)
    _written: set[Key] = field(default_factory=set, repr=False)
    _busy: set[str] = field(default_factory=set, repr=False)
    _count: int = field(default=0, repr=False)

    def state(self, unread: Mapping[Side, str] | None = None) -> State:
        """What Readers would see; nothing of the sides in `unread`."""
        unread = unread or {}
        seen = {k: self._seen(r) for k, r in self.resources.items() if r.side not in unread}
        return State(seen, {} if "entra" in unread else dict(self.deleted), unread)

    def _seen(self, resource: Resource) -> Resource:
        match resource:
            case Application(unique_name=name):
                count = sum(_is_credential(r) and _identity(r) == name for r in self.resources.values())
                return replace(resource, minted={**resource.minted, "credentials": str(count)})
            case GitHubEnvironment(name=name):
                mark = self._mark(name)
                foreign = sum(not self._ours(r) for r in self._inside(name))
                made = mark.made if mark else "adopted"
                return replace(resource, made=made, foreign=foreign, owned=made == "created" and not foreign)
            case EnvironmentSecret():
                content = resource.digest if resource.key in self.vouched else UNKNOWN
                return replace(resource, content=content, owned=self._ours(resource))
            case EnvironmentVariable():
                return replace(resource, owned=self._ours(resource))
            case GraphPermission():
                return replace(resource, owned=False)
            case _:
                return resource

    def _mark(self, environment: str) -> EnvironmentMark | None:
        mark = self.resources.get(EnvironmentMark(environment=environment).key)
        return mark if isinstance(mark, EnvironmentMark) and mark.readable else None

    def _inside(self, environment: str) -> list[EnvironmentSecret | EnvironmentVariable]:
        values = [
            r for r in self.resources.values() if isinstance(r, EnvironmentSecret | EnvironmentVariable)
        ]
        return [value for value in values if value.environment == environment]

    def _ours(self, value: EnvironmentSecret | EnvironmentVariable) -> bool:
        mark = self._mark(value.environment)
        return mark is not None and value.name in mark.ids

    def put(self, *resources: Resource) -> None:
        """Something that is simply there, with the ids that its service gives it."""
        for resource in resources:
            self.resources[resource.key] = replace(resource, minted=self._mint(resource, resource.minted))

    async def write(self, change: Change, facts: Facts) -> Mapping[str, str]:
        """As a Writer."""
        del facts
        serial = getattr(change.resource, "identity", "") if _is_credential(change.resource) else ""
        assert serial not in self._busy, f"two credentials of {serial} at once"
        self._busy |= {serial} - {""}
        await asyncio.sleep(0)
        self._busy -= {serial}
        self.log.append(change)
        if change.verb == "check":
            assert self.resources[change.key] == change.after
            return {}
        if change.after is None:
            self._delete(change.resource)
            return {}
        return self._upsert(change, change.after)

    def _upsert(self, change: Change, after: Resource) -> Mapping[str, str]:
        lacking = [parent for parent in after.parents if parent not in self.resources]
        assert not lacking, f"{change.key} before {lacking}"
        laters = [v for f in fields(after) if isinstance(v := getattr(after, f.name), Later)]
        assert not laters, f"{change.key} still lacks {laters}"
        before = self.resources.get(change.key)
        if change.verb == "restore":
            before = self.deleted.pop(change.key)
        elif not change.implied:
            assert (change.verb == "create") == (before is None)
            assert change.key not in self.deleted, "Entra keeps the name of what was deleted"
        self.resources[change.key] = replace(
            after, minted=self._mint(after, before.minted if before else {}), owned=True
        )
        self._remember(change, after)
        return self.resources[change.key].minted

    def _remember(self, change: Change, after: Resource) -> None:
        if isinstance(after, EnvironmentSecret):
            self.vouched.discard(after.key)
            self._written.add(after.key)
        elif isinstance(after, EnvironmentMark) and change.implied:
            self.vouched |= {key for key in self._written if key.name.startswith(f"{after.environment}/")}

    def _mint(self, resource: Resource, known: Mapping[str, str]) -> Mapping[str, str]:
        names = {
            "application": ("object_id", "client_id"),
            "service principal": ("principal_id",),
            "role assignment": ("id",),
        }.get(resource.kind, ())
        self._count += 1
        return {name: known.get(name, f"{name} {self._count}") for name in names}

    def _delete(self, resource: Resource) -> None:
        gone = self.resources.pop(resource.key)
        if isinstance(gone, Application):
            self.deleted[gone.key] = gone
            self._forget(lambda r: not isinstance(r, RoleAssignment) and _identity(r) == gone.unique_name)
        if isinstance(gone, GitHubEnvironment):
            trusting = [r for r in self.resources.values() if isinstance(r, FederatedCredential)]
            assert gone.name not in {r.environment for r in trusting}, "an open door: GitHub makes it anew"
            self._forget(lambda r: getattr(r, "environment", None) == gone.name)

    def _forget(self, falls: Callable[[Resource], bool]) -> None:
        self.resources = {key: r for key, r in self.resources.items() if not falls(r)}


def _identity(resource: Resource) -> str:
    return str(getattr(resource, "identity", ""))


def _is_credential(resource: Resource) -> bool:
    return isinstance(resource, FederatedCredential)


class Silent:
    """A listener that hears nothing."""

    def started(self, change: Change) -> None:
        del change

    def finished(self, outcome: Outcome) -> None:
        del outcome


def carry_out(world: World, plan: Plan, facts: Facts) -> Run:
    """The plan, on this world, which it changes."""
    run = asyncio.run(apply(plan, world.state(), facts, dict.fromkeys(SIDES, world), Silent()))
    assert not run.failures
    return run


def settle(world: World, config: Config, facts: Facts, allow: Collection[str] = ()) -> Plan:
    """Plan and carry out; returns the plan."""
    live = world.state()
    plan = judge(diff(live, wanted_of(config, facts)), live, allow)
    carry_out(world, plan, facts)
    return plan


def wanted_of(config: Config, facts: Facts) -> State:
    """The wanted state with one workflow file."""
    return desire(config, facts, [workflow(f"jobs: {[e.name for e in config.environments]}\n")])


def workflow(body: str, *, owned: bool = True, path: str = ".github/workflows/deploy.yml") -> WorkflowFile:
    """A generated file."""
    return WorkflowFile(path=path, body=body, text=f"# header\n{body}", owned=owned)


def with_external(config: Config) -> World:
    """A world with nothing in it but the applications that the file names by client id."""
    world = World()
    for client in sorted({e.client_id for e in config.environments if e.client_id}):
        world.put(
            Application(
                unique_name=client,
                display_name="theirs",
                tags=frozenset(),
                minted={"client_id": client},
                owned=False,
            ),
            ServicePrincipal(identity=client, client_id=client, owned=False),
        )
    return world


def foreign_credential(
    identity: str, subject: str = "repo:other/repo:environment:dev"
) -> FederatedCredential:
    """A credential that somebody else put on an identity."""
    return FederatedCredential(
        identity=identity,
        name="added-by-hand",
        issuer="https://token.actions.githubusercontent.com",
        subject=subject,
        audience="api://AzureADTokenExchange",
        environment="-",
        application=f"object of {identity}",
        owned=False,
    )


NAMES = st.sampled_from(["dev", "Staging", "prod", "live: eu", "tést", "a/b", "a b", "x" * 60])
PROJECTS = st.sampled_from([project("dev"), project("prod"), project("prod", "FOUNDRY-PROD"), project("eu")])
ROLE = st.sampled_from([role.guid for role in ROLES])
PATTERNS = st.none() | st.lists(
    st.sampled_from(["main", "release/*", "v*"]), min_size=1, max_size=2, unique=True
).map(tuple)
REVIEWERS = st.sampled_from(
    [
        Reviewer(kind="team", name="platform"),
        Reviewer(kind="user", name="ann"),
        Reviewer(kind="user", name="bo"),
    ]
)
PROTECTIONS = st.builds(
    Protection,
    reviewers=st.none() | st.lists(REVIEWERS, max_size=2, unique=True).map(tuple),
    wait_minutes=st.none() | st.sampled_from([0, 10]),
    prevent_self_review=st.none() | st.booleans(),
    branches=PATTERNS,
    tags=PATTERNS,
) | st.builds(Protection, branches=st.just("protected"))
GRANTS = st.builds(
    Grant,
    role=ROLE,
    scope=st.sampled_from(
        ["project", "account", "resource-group", "subscription", project("eu").group_scope.upper()]
    ).map(lambda scope: scope.replace("/SUBSCRIPTIONS", "/subscriptions")),
    because=st.just("models"),
)


OBSERVERS = st.builds(Observer, reach=st.sampled_from(["accounts", "subscriptions"]))


@st.composite
def configs(draw: st.DrawFn) -> Config:
    """A configuration of one to four environments, which may share projects and identities."""
    names = draw(st.lists(NAMES, min_size=1, max_size=4, unique=True))
    environments = tuple(
        Environment(
            name=name,
            projects=tuple(draw(st.lists(PROJECTS, min_size=1, max_size=2, unique_by=lambda p: p.key))),
            role=draw(ROLE),
            grants=tuple(draw(st.lists(GRANTS, max_size=2))),
            client_id=draw(st.none() | st.none() | st.sampled_from(EXTERNAL)),
            endpoint=draw(st.none() | st.just("https://given.example/api/projects/agents")),
            protection=draw(PROTECTIONS),
        )
        for name in names
    )
    return Config(
        repository="contoso/agents",
        tenant=TENANT,
        environments=environments,
        observer=draw(st.none() | OBSERVERS),
        identity=Identity(
            per=draw(st.sampled_from(["environment", "repository"])),
            owners=tuple(draw(st.lists(st.sampled_from(["ann@contoso.com", "bo@contoso.com"]), unique=True))),
            service_management_reference=draw(st.none() | st.just("42")),
        ),
        store=draw(st.sampled_from(["secrets", "variables"])),
    )


MISHAPS = (
    "drop",
    "delete application",
    "foreign credential",
    "foreign grant",
    "foreign secret",
    "disable",
    "rename",
    "weaken",
    "rewrite secret",
    "lose mark",
    "spoil mark",
    "edit file",
)


@st.composite
def scenes(draw: st.DrawFn) -> tuple[World, Config, Facts]:
    """A world that was set up by another configuration, or adopted, with mishaps since; and what is wanted now."""
    config = draw(configs())
    facts = facts_of(config, prefix=draw(st.sampled_from(["repo:contoso@1/agents@1001", "repo:Contoso/new"])))
    world = with_external(config)
    for environment in config.environments:
        if draw(st.integers(0, 4)) == 0:
            world.put(
                GitHubEnvironment(
                    name=environment.name,
                    reviewers=frozenset(),
                    wait_minutes=30,
                    prevent_self_review=False,
                    deploy_from=draw(st.sampled_from(["all", "protected"])),
                    branches=frozenset(),
                    tags=frozenset(),
                )
            )
    if draw(st.booleans()):
        past = replace(draw(configs()), identity=config.identity)
        for key, resource in with_external(past).resources.items():
            world.resources.setdefault(key, resource)
        settle(world, past, facts_of(past))
    for mishap, number in draw(st.lists(st.tuples(st.sampled_from(MISHAPS), st.integers(0, 50)), max_size=4)):
        happen(world, mishap, number)
    world.log.clear()
    return world, config, facts


def happen(world: World, mishap: str, number: int) -> None:
    """Something that people do by hand, to the resource that `number` picks among those it can happen to."""
    kinds: dict[str, type[Resource] | tuple[type[Resource], ...]] = {
        "drop": (FederatedCredential, RoleAssignment, EnvironmentSecret, EnvironmentVariable, WorkflowFile),
        "foreign secret": GitHubEnvironment,
        "disable": ServicePrincipal,
        "weaken": GitHubEnvironment,
        "rewrite secret": EnvironmentSecret,
        "lose mark": EnvironmentMark,
        "spoil mark": EnvironmentMark,
        "edit file": WorkflowFile,
        "foreign grant": ServicePrincipal,
    }
    kind = kinds.get(mishap, Application)
    found = [
        r
        for r in world.resources.values()
        if isinstance(r, kind) and (r.owned or not isinstance(r, Application | ServicePrincipal))
    ]
    if found:
        _change_by_hand(world, mishap, found[number % len(found)])


def _change_by_hand(world: World, mishap: str, it: Resource) -> None:  # noqa: C901  one case for each mishap
    match mishap, it:
        case "drop" | "lose mark", _:
            del world.resources[it.key]
        case "delete application", Application():
            world._delete(it)
        case "foreign credential", Application(unique_name=name):
            world.put(foreign_credential(name))
        case "foreign grant", ServicePrincipal(identity=name):
            scope = project("elsewhere").id
            world.put(
                RoleAssignment(identity=name, role=ROLES[0].guid, scope=scope, principal="?", owned=False)
            )
        case "foreign secret", GitHubEnvironment(name=name):
            world.put(EnvironmentSecret(environment=name, name="THEIRS", content="theirs"))
        case "disable", ServicePrincipal():
            world.put(replace(it, enabled=False))
        case "rename", Application():
            world.put(replace(it, display_name="renamed", tags=it.tags | {"cost-centre:7"}))
        case "weaken", GitHubEnvironment():
            world.put(replace(it, reviewers=frozenset(), wait_minutes=0, deploy_from="all"))
        case "rewrite secret", EnvironmentSecret():
            world.vouched.discard(it.key)
        case "spoil mark", EnvironmentMark():
            world.put(replace(it, readable=False))
        case "edit file", WorkflowFile():
            world.put(replace(it, body="edited\n", owned=False))
