"""What the checks look at: answers of services, or why there is none. Frozen values; nothing is asked here.

Answers are as the clients return them. What is not there is a NotFound; what was not asked for is None.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from trustsmith.errors import TrustsmithError
from trustsmith.model.resource import SIDES, Side
from trustsmith.model.state import State

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from trustsmith.model.advice import Jobs
    from trustsmith.model.config import Config
    from trustsmith.model.facts import Facts
    from trustsmith.model.foundry import ProjectId
    from trustsmith.model.plan import Plan

T = TypeVar("T")
Json = dict[str, Any]
Answer: TypeAlias = T | TrustsmithError | None


@dataclass(frozen=True, kw_only=True)
class People:
    """Who is signed in to Azure, and what Entra lets them do.

    azure: method, name, oid, tid. graph: the claims of their token for Microsoft Graph. policy: the tenant's
    authorizationPolicy; roles: their directory roles; both for people only. owners: as written in the file → user.
    owning: identity → the owners of its application; asked for those that are to change, of whoever administers not all.
    """

    azure: Answer[Mapping[str, str]] = None
    graph: Answer[Mapping[str, Any]] = None
    policy: Answer[Json] = None
    roles: Answer[list[Json]] = None
    owners: Mapping[str, Answer[Json]] = field(default_factory=dict)
    owning: Mapping[str, Answer[list[Json]]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Rights:
    """What the caller is permitted at one scope, and what stands in the way of everybody.

    eligible: roles that PIM would let them activate, each with its `definition`; asked for when something is not
    permitted. denials: deny assignments. locks: of the scope, and of what it is in.
    """

    permissions: Answer[list[Json]] = None
    eligible: Answer[list[Json]] = None
    denials: Answer[list[Json]] = None
    locks: Answer[list[Json]] = None


@dataclass(frozen=True, kw_only=True)
class Azure:
    """Subscriptions, accounts, projects, roles. By lower-case ARM id or scope; providers by subscription.

    addresses: host of a project's endpoint → what it resolves to from here.
    """

    subscriptions: Answer[list[Json]] = None
    providers: Mapping[str, Answer[Json]] = field(default_factory=dict)
    projects: Mapping[str, Answer[Json]] = field(default_factory=dict)
    accounts: Mapping[str, Answer[Json]] = field(default_factory=dict)
    addresses: Mapping[str, list[str]] = field(default_factory=dict)
    definitions: Mapping[UUID, Answer[Json]] = field(default_factory=dict)
    rights: Mapping[str, Rights] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class GitHub:
    """The token, the repository and what governs it.

    token: `prefix`, `scopes`, `expires`. owner: the organization, or whoever the token is of. nested: action → what it
    uses itself, asked for where a policy minds. reviewers, readers: as written in the file → who that is, whether they
    can read the repository.
    """

    repository: Answer[Json] = None
    token: Answer[Json] = None
    owner: Answer[Json] = None
    actions: Answer[Json] = None
    selected: Answer[Json] = None
    nested: Mapping[str, list[str]] = field(default_factory=dict)
    environments: Answer[list[Json]] = None
    protected: Answer[list[Json]] = None
    reviewers: Mapping[str, Answer[Json]] = field(default_factory=dict)
    readers: Mapping[str, Answer[bool]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Made:
    """What the file wants, what is there of it, and what is left to do.

    plan: None when no plan could be made; then all of it counts as left to do. uses: actions of the generated
    workflows, as `owner/name@commit`. jobs: environment → what its jobs do in Azure.
    """

    facts: Answer[Facts] = None
    wanted: Answer[State] = None
    live: State = field(default_factory=State)
    plan: Plan | None = None
    failed: Mapping[Side, TrustsmithError] = field(default_factory=dict)
    uses: Answer[frozenset[str]] = None
    jobs: Mapping[str, Jobs] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """All of it. host: GitHub's, as people know it. skews: service → seconds that its clock is ahead of ours.

    now: seconds since 1970, by our clock.
    """

    config: Config
    sides: frozenset[Side] = frozenset(SIDES)
    host: str = "github.com"
    people: People = field(default_factory=People)
    azure: Azure = field(default_factory=Azure)
    github: GitHub = field(default_factory=GitHub)
    made: Made = field(default_factory=Made)
    skews: Mapping[str, float] = field(default_factory=dict)
    now: float = 0.0

    def is_visible(self, scope: str) -> bool:
        """Whether the caller sees the subscription that an ARM id is in; True when that was not asked."""
        listed = self.azure.subscriptions
        kind, _, rest = scope.strip("/").lower().partition("/")
        if listed is None or isinstance(listed, TrustsmithError) or kind != "subscriptions":
            return True
        return any(str(one["subscriptionId"]).lower() == rest.partition("/")[0] for one in listed)

    def is_there(self, project: ProjectId) -> bool:
        """Whether a project was found, in a subscription that is visible."""
        answer = self.azure.projects.get(project.key)
        found = answer is not None and not isinstance(answer, TrustsmithError)
        return found and self.is_visible(project.id)
