"""What the user wants, as `.github/trustsmith.yml` says it. Frozen values; must not read files or fill in guesses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from trustsmith.model.foundry import PROJECT_MANAGER, ProjectId

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from trustsmith.model.issuers import Trust
    from trustsmith.model.pins import Pin

#: What an option of a template may be in the file.
OptionValue = str | int | bool | tuple[str, ...]
CLOUDS = ("AzureCloud", "AzureUSGovernment", "AzureChinaCloud", "AzureBleuCloud")
CONFIG_PATH = ".github/trustsmith.yml"
#: The template whose workflow proves what is configured; `verify --run` starts it.
CHECK_TRUST = "check-trust"
#: The template whose one job runs in the observer's environment.
CHECK_DRIFT = "check-drift"
GrantScope = Literal["project", "account", "resource-group", "subscription"]


@dataclass(frozen=True, kw_only=True)
class Reviewer:
    """A required reviewer of a GitHub environment: `team:platform` or `user:octocat`."""

    kind: Literal["team", "user"]
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


@dataclass(frozen=True, kw_only=True)
class Protection:
    """Protection rules of a GitHub environment. None means that the file does not say.

    branches: patterns (fnmatch, `*` stops at `/`), the word "protected" for protected branches only, or "default" for
    the default branch, whatever it is called (the observer's; the file has no word for it).
    tags: patterns. Tags and "protected" exclude each other at GitHub.
    wait_minutes: 0 to 43200 (GitHub REST, "Create or update an environment").
    """

    reviewers: tuple[Reviewer, ...] | None = None
    wait_minutes: int | None = None
    prevent_self_review: bool | None = None
    branches: tuple[str, ...] | Literal["protected", "default"] | None = None
    tags: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A role beyond the project role. `scope` is relative to each of the environment's projects, or an ARM id."""

    role: UUID
    scope: GrantScope | str
    because: str


@dataclass(frozen=True, kw_only=True)
class Runner:
    """Where jobs run (`runs-on`): a machine that has all the labels, in a runner group if one is named."""

    labels: tuple[str, ...] = ()
    group: str | None = None


#: Named with its version: what `ubuntu-latest` is changes under one's feet.
HOSTED = Runner(labels=("ubuntu-24.04",))


@dataclass(frozen=True, kw_only=True)
class Environment:
    """One environment: which Foundry projects it deploys to, with what role, how it is protected.

    trusts: workloads outside GitHub that may sign in as its identity, too. runner: where its jobs run; None for the file's
    own. observes: its jobs only look, so its identity is its own even where the others share one, and may read Entra
    (`model.observing`).
    """

    name: str
    projects: tuple[ProjectId, ...]
    role: UUID = PROJECT_MANAGER.guid
    grants: tuple[Grant, ...] = ()
    client_id: str | None = None
    endpoint: str | None = None
    protection: Protection = field(default_factory=Protection)
    trusts: tuple[Trust, ...] = ()
    runner: Runner | None = None
    observes: bool = False


@dataclass(frozen=True, kw_only=True)
class Identity:
    """How applications are made. `name` is the display name's pattern with {repository} and {environment}."""

    kind: Literal["application"] = "application"
    per: Literal["environment", "repository"] = "environment"
    name: str = "{repository}-{environment}"
    owners: tuple[str, ...] = ()
    service_management_reference: str | None = None


@dataclass(frozen=True, kw_only=True)
class Observer:
    """Who looks whether everything is still as the file says.

    environment: the GitHub environment whose jobs look. client_id: of an application that is there. github: what they
    read GitHub with, a personal access token or a GitHub App. reach: where they may see role assignments.
    """

    environment: str = "observer"
    client_id: str | None = None
    github: Literal["token", "app"] = "token"
    reach: Literal["accounts", "subscriptions"] = "accounts"


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """One generated workflow file.

    stages: names of environments; those of one stage are side by side, and a stage waits for the one before it.
    paths: a push starts it only when it changes one of these (patterns of GitHub's `paths`).
    reusable: other workflows call it; then no push starts it.
    options: of its template, as the file's `with` gives them.
    """

    name: str
    template: str
    path: str
    stages: tuple[tuple[str, ...], ...]
    run: str | None = None
    paths: tuple[str, ...] = ()
    reusable: bool = False
    options: Mapping[str, OptionValue] = field(default_factory=dict)

    @property
    def environments(self) -> tuple[str, ...]:
        """The environments of all stages, in their order."""
        return tuple(name for stage in self.stages for name in stage)

    @property
    def observes(self) -> bool:
        """Whether its job is the observer's; it has no stages then."""
        return self.template == CHECK_DRIFT


def one_by_one(environments: Iterable[str]) -> tuple[tuple[str, ...], ...]:
    """Stages of one environment each."""
    return tuple((name,) for name in environments)


def default_path(template: str) -> str:
    """Where a template is rendered to when the file does not say."""
    return f".github/workflows/{template}.yml"


def default_workflows(environments: tuple[str, ...], *, observes: bool = False) -> tuple[Workflow, ...]:
    """What is rendered when the file has no `workflows`: one deployment through all, and the proof that it can be.

    observes: the file has an observer, which then looks, too.
    """
    stages = one_by_one(environments)
    named = (("deploy", "deploy-agents", stages), (CHECK_TRUST, CHECK_TRUST, stages))
    looking = ((CHECK_DRIFT, CHECK_DRIFT, ()),) if observes else ()
    return tuple(
        Workflow(name=name, template=template, path=default_path(template), stages=stages)
        for name, template, stages in (*named, *looking)
    )


@dataclass(frozen=True, kw_only=True)
class Config:
    """The whole file. `environments` keep the file's order, which is the order of deployment.

    enterprise: the slug that is part of the issuer, if it is. audience: None for the endpoints' one.
    immutable_subjects: the repository is to opt in to subjects with ids, from which there is no known way back.
    runner: where jobs run whose environment does not say otherwise.
    templates: the folder of the repository's own templates, from its top; None without any.
    pins: the repository's own pins of actions. They are in a file of their own, and so not compared.
    """

    repository: str
    tenant: str
    environments: tuple[Environment, ...]
    observer: Observer | None = None
    cloud: str = "AzureCloud"
    github: str = "github.com"
    enterprise: str | None = None
    audience: str | None = None
    identity: Identity = field(default_factory=Identity)
    store: Literal["secrets", "variables"] = "secrets"
    immutable_subjects: bool = False
    runner: Runner = HOSTED
    templates: str | None = None
    workflows: tuple[Workflow, ...] = ()
    pins: tuple[Pin, ...] = field(default=(), compare=False)

    @property
    def projects(self) -> tuple[ProjectId, ...]:
        """The projects of all environments, each once."""
        found = {project.key: project for one in self.environments for project in one.projects}
        return tuple(found.values())

    def environment(self, name: str) -> Environment:
        """The environment of that name. Raises KeyError."""
        return {environment.name: environment for environment in self.environments}[name]
