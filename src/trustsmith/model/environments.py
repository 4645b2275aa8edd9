"""The kinds that live in a GitHub environment: its protection, the mark, and the ids that jobs sign in with.

Frozen values like the other resources. Must not do I/O, and must not know how GitHub spells them.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Self

from trustsmith.model.naming import MARK_VARIABLE, value_digest
from trustsmith.model.resource import Key, Later, Resource, Value, merged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

DIGEST = "sha256:"
UNKNOWN = "unknown"


@dataclass(frozen=True, order=True)
class Reviewer:
    """A required reviewer. Compared by GitHub's id: logins and slugs may be renamed."""

    kind: Literal["team", "user"]
    id: int
    name: str = field(compare=False)

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}"


BranchMode = Literal["all", "protected", "patterns"]


@dataclass(frozen=True, kw_only=True)
class GitHubEnvironment(Resource):
    """A GitHub environment and its protection. None: the file does not say.

    made: "created" by us, or "adopted": it was there before. foreign: how many secrets and variables in it are not
    ours. unseen: it trusts, or did, an application that was not looked at. wait_minutes: minutes.
    """

    kind = "github environment"
    side = "github"
    name: str
    reviewers: frozenset[Reviewer] | None = None
    wait_minutes: int | None = None
    prevent_self_review: bool | None = None
    deploy_from: BranchMode | None = None
    branches: frozenset[str] | None = None
    tags: frozenset[str] | None = None
    made: Literal["created", "adopted"] = field(default="adopted", compare=False)
    foreign: int = field(default=0, compare=False)
    unseen: bool = field(default=False, compare=False)

    @property
    def key(self) -> Key:
        return Key(self.kind, self.name)

    def over(self, live: Mapping[Key, Resource]) -> Self:
        """In an environment that we made, the file is the whole truth; in an adopted one, only what the file says."""
        there = live.get(self.key)
        keep = there if isinstance(there, GitHubEnvironment) and there.made == "adopted" else None
        keep = keep or GitHubEnvironment(name=self.name)
        patterns = None if self.deploy_from is None else frozenset[str]()
        reviewers = merged(self.reviewers, keep.reviewers, frozenset())
        self_review = merged(self.prevent_self_review, keep.prevent_self_review, default=False)
        return replace(
            self,
            reviewers=reviewers,
            wait_minutes=merged(self.wait_minutes, keep.wait_minutes, 0),
            prevent_self_review=self_review and bool(reviewers),  # GitHub keeps it with the reviewers
            deploy_from=merged(self.deploy_from, keep.deploy_from, "all"),
            branches=merged(self.branches, keep.branches if patterns is None else patterns, frozenset()),
            tags=merged(self.tags, keep.tags if patterns is None else patterns, frozenset()),
        )

    def shown(self) -> dict[str, Any]:
        """Reviewers with their ids, by which they are compared: another may have got the same name since."""
        if self.reviewers is None:
            return super().shown()
        return {**super().shown(), "reviewers": sorted(f"{one} ({one.id})" for one in self.reviewers)}

    @property
    def protected(self) -> bool:
        """Whether any rule stands between a push and a token."""
        return bool(self.reviewers or self.wait_minutes or self.deploy_from in {"protected", "patterns"})

    @property
    def rules(self) -> str:
        """The protection in words."""
        parts = []
        if self.reviewers:
            alone = " (not by whoever pushed)" if self.prevent_self_review else ""
            parts.append("reviewed by " + ", ".join(sorted(map(str, self.reviewers))) + alone)
        if self.wait_minutes:
            parts.append(f"waits {self.wait_minutes} min")
        if self.deploy_from == "protected":
            parts.append("from protected branches")
        elif self.deploy_from == "patterns":
            names = [*sorted(self.branches or ()), *(f"tag {tag}" for tag in sorted(self.tags or ()))]
            parts.append("from " + ", ".join(names))
        return "; ".join(parts) or "no protection rules"


@dataclass(frozen=True, kw_only=True)
class EnvironmentMark(Resource):
    """The variable `TRUSTSMITH` in an environment: that we set it up, and digests of the ids written there.

    names: the ids that it knows to be ours, as "secret/NAME" or "variable/NAME"; each is announced before it is written.
    """

    kind = "environment mark"
    side = "github"
    environment: str
    made: Literal["created", "adopted"] = field(default="created", compare=False)
    readable: bool = True
    names: frozenset[str] = frozenset()
    store: Literal["secrets", "variables"] = field(default="secrets", compare=False)
    ids: Mapping[str, Value] = field(default_factory=dict, compare=False, repr=False)

    @property
    def key(self) -> Key:
        return Key(self.kind, f"{self.environment}/{MARK_VARIABLE}")

    @property
    def parents(self) -> frozenset[Key]:
        return frozenset({Key(GitHubEnvironment.kind, self.environment)})

    def over(self, live: Mapping[Key, Resource]) -> Self:
        """An environment that is there and that we did not mark as created is somebody else's.

        Names that it knows besides the wanted ones stay known.
        """
        there = live.get(Key(GitHubEnvironment.kind, self.environment))
        known = live.get(self.key)
        return replace(
            self,
            made=there.made if isinstance(there, GitHubEnvironment) else "created",
            names=self.names | (known.names if isinstance(known, EnvironmentMark) else frozenset()),
        )

    def fill(self, known: Callable[[Later], str | None]) -> Self:
        filled = {n: known(v) if isinstance(v, Later) else v for n, v in self.ids.items()}
        return replace(self, ids={n: self.ids[n] if v is None else v for n, v in filled.items()})


@dataclass(frozen=True, kw_only=True)
class SubjectSetting(Resource):
    """Whether the repository's tokens carry ids in their subject. Never ours to take back.

    before: what has to be there first, the credentials for the subjects to come. use_default, keys: the template that
    is set, and stays.
    """

    kind = "subject setting"
    side = "github"
    patient = True
    repository: str
    immutable: bool
    before: frozenset[Key] = field(default=frozenset(), compare=False)
    use_default: bool = field(default=True, compare=False)
    keys: tuple[str, ...] = field(default=(), compare=False)
    owned: bool = field(default=False, compare=False)

    @property
    def key(self) -> Key:
        return Key(self.kind, self.repository)

    @property
    def title(self) -> str:
        return f"{self.repository}: subjects {'with ids' if self.immutable else 'by name'}"

    def shown(self) -> dict[str, Any]:
        """In words, as it is said in the plan."""
        return {"repository": self.repository, "subjects": "with ids" if self.immutable else "by name"}

    @property
    def parents(self) -> frozenset[Key]:
        return self.before


def _inside(environment: str) -> frozenset[Key]:
    """What an id needs: its environment, and the mark that announces it."""
    mark = Key(EnvironmentMark.kind, f"{environment}/{MARK_VARIABLE}")
    return frozenset({Key(GitHubEnvironment.kind, environment), mark})


@dataclass(frozen=True, kw_only=True)
class EnvironmentSecret(Resource):
    """An id kept as a secret of an environment.

    content: what is to be written; when seen, a digest that the mark vouches for, or "unknown".
    """

    kind = "environment secret"
    side = "github"
    environment: str
    name: str
    content: Value = field(repr=False)

    @property
    def key(self) -> Key:
        return Key(self.kind, f"{self.environment}/{self.name}")

    @property
    def parents(self) -> frozenset[Key]:
        return _inside(self.environment)

    @property
    def digest(self) -> str:
        """The content as the mark remembers it."""
        if isinstance(self.content, Later):
            return str(self.content)
        if self.content == UNKNOWN or self.content.startswith(DIGEST):
            return self.content
        return DIGEST + value_digest(self.environment, self.name, self.content)

    def over(self, live: Mapping[Key, Resource]) -> Self:
        there = live.get(self.key)
        same = isinstance(there, EnvironmentSecret) and there.digest == self.digest
        return replace(self, content=self.digest) if same else self

    def shown(self) -> dict[str, Any]:
        return {**super().shown(), "content": self.digest}


@dataclass(frozen=True, kw_only=True)
class EnvironmentVariable(Resource):
    """An id kept as a variable of an environment."""

    kind = "environment variable"
    side = "github"
    environment: str
    name: str
    value: Value

    @property
    def key(self) -> Key:
        return Key(self.kind, f"{self.environment}/{self.name}")

    @property
    def parents(self) -> frozenset[Key]:
        return _inside(self.environment)
