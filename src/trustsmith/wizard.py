"""Questions → Config. Asks through what it is handed; must not print, contact anything, or write the file."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar
from uuid import UUID

from trustsmith.errors import UsageError
from trustsmith.model.config import Config, Environment, Reviewer, Workflow, default_workflows
from trustsmith.model.foundry import ProjectId

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

T = TypeVar("T")
_PRODUCTION = ("prod*", "live*")
_USUAL = ("dev", "staging", "prod")
Store = Literal["secrets", "variables"]
Per = Literal["environment", "repository"]

WHY_PER = (
    "One identity per environment: a job in dev can never act as prod. A shared one is simpler, but any job that gets "
    "a token is then allowed everywhere."
)
WHY_STORE = "The ids are no secrets. Variables can be read and compared; secrets are masked in logs."
WHY_REVIEWERS = "Nobody deploys to production without one of them saying yes (GitHub asks at each run)."
WHY_BRANCHES = "Only these branches may deploy to production; every other push is refused by GitHub."


class Asker(Protocol):
    """Who asks the person in front of the terminal."""

    def ask(self, question: str, parse: Callable[[str], T], default: str = "", why: str = "") -> T:
        """A line of text, parsed; `default` when nothing is typed. Asks again while `parse` raises UsageError."""
        ...

    def choose(self, question: str, options: Sequence[tuple[T, str]], default: T | None, why: str = "") -> T:
        """One of the options, each a value and what people read. default: None for none of them."""
        ...


@dataclass(frozen=True)
class Answers:
    """What the flags said. Every question has one; None or empty: not given."""

    repository: str | None = None
    tenant: str | None = None
    cloud: str | None = None
    environments: Mapping[str, tuple[ProjectId, ...]] = field(default_factory=dict)
    reviewers: Mapping[str, tuple[Reviewer, ...]] = field(default_factory=dict)
    branches: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    waits: Mapping[str, int] = field(default_factory=dict)
    store: Store | None = None
    per: Per | None = None


@dataclass(frozen=True)
class Found:
    """What was found out before asking. projects: those that whoever is signed in can see."""

    repository: str = ""
    tenant: str = ""
    default_branch: str = "main"
    projects: tuple[ProjectId, ...] = ()


def is_production(name: str) -> bool:
    """Whether an environment's name looks like production."""
    return any(fnmatch.fnmatchcase(name.lower(), pattern) for pattern in _PRODUCTION)


def unbranched(answers: Answers, start: Config | None) -> list[str]:
    """New production environments for which no flag says from which branches or tags they are deployed."""
    there = {environment.name for environment in start.environments} if start else set()
    named = answers.branches.keys() | answers.tags.keys() | there
    return [name for name in answers.environments if is_production(name) and name not in named]


def missing(answers: Answers, found: Found, start: Config | None) -> list[str]:
    """What `--no-input` lacks, as flags."""
    lacking = []
    if not (answers.repository or start or found.repository):
        lacking.append("--repo OWNER/NAME")
    if not (answers.tenant or start or found.tenant):
        lacking.append("--tenant TENANT_ID")
    if not (answers.environments or start):
        lacking.append("--env NAME=PROJECT_ID (the ARM id of a Foundry project; once for each environment)")
    return lacking


def decide(answers: Answers, found: Found, start: Config | None) -> tuple[Config, list[str]]:
    """The configuration from flags, what was found, and the file so far; and warnings. Raises UsageError."""
    if lacking := missing(answers, found, start):
        raise UsageError(
            "Not everything is known, and nothing may be asked.", hint="Add:\n  " + "\n  ".join(lacking)
        )
    environments, warnings = _environments(answers, found, start)
    if start and answers.repository and answers.repository.lower() != start.repository.lower():
        warnings.append(
            f"The file was for {start.repository}. What trustsmith made for that one stays there; to take it away, run "
            f"trustsmith destroy with the old file first."
        )
    base = start or Config(repository=found.repository, tenant=found.tenant, environments=environments)
    usual = start is None or start.workflows == _usual_workflows(start, start.environments)
    config = replace(
        base,
        repository=answers.repository or base.repository,
        tenant=answers.tenant or base.tenant,
        cloud=answers.cloud or base.cloud,
        store=answers.store or base.store,
        identity=replace(base.identity, per=answers.per) if answers.per else base.identity,
        environments=environments,
        workflows=_usual_workflows(base, environments) if usual else base.workflows,
    )
    return config, warnings


def _usual_workflows(config: Config, environments: Sequence[Environment]) -> tuple[Workflow, ...]:
    names = tuple(environment.name for environment in environments)
    return default_workflows(names, observes=config.observer is not None)


def _environments(
    answers: Answers, found: Found, start: Config | None
) -> tuple[tuple[Environment, ...], list[str]]:
    """The file's environments in their order, then new ones in the order of the flags."""
    there = {environment.name: environment for environment in start.environments} if start else {}
    names = list(dict.fromkeys([*there, *answers.environments]))
    for flag, given in (
        ("--reviewer", answers.reviewers),
        ("--branch", answers.branches),
        ("--tag", answers.tags),
        ("--wait", answers.waits),
    ):
        unknown = [name for name in given if name not in names]
        if unknown:
            raise UsageError(
                f"{flag} names {unknown[0]!r}, which is no environment of this set-up.",
                hint=f"Environments: {', '.join(names) or 'none'}. Add one with --env {unknown[0]}=PROJECT_ID.",
            )
    environments = tuple(_environment(name, there.get(name), answers, found) for name in names)
    unreviewed = [e.name for e in environments if is_production(e.name) and not e.protection.reviewers]
    warnings = [
        f"{name} looks like production and has no reviewers: anybody who can push to its branches deploys to it. "
        f"Add them with --reviewer {name}=team:NAME."
        for name in unreviewed
    ]
    return environments, warnings


def _environment(name: str, there: Environment | None, answers: Answers, found: Found) -> Environment:
    projects = answers.environments.get(name, ())
    environment = there or Environment(name=name, projects=projects)
    rules = environment.protection
    protection = replace(
        rules,
        reviewers=answers.reviewers.get(name, rules.reviewers),
        branches=answers.branches.get(name, rules.branches),
        tags=answers.tags.get(name, rules.tags),
        wait_minutes=answers.waits.get(name, rules.wait_minutes),
    )
    if answers.branches.get(name) == ("protected",):
        protection = replace(protection, branches="protected")
    if there is None and is_production(name) and not (protection.branches or protection.tags):
        protection = replace(protection, branches=(found.default_branch,))
    if projects and projects[:1] != environment.projects[:1]:
        environment = replace(environment, endpoint=None)  # it was the other project's
    return replace(environment, projects=projects or environment.projects, protection=protection)


def interview(ask: Asker, found: Found, answers: Answers) -> Answers:
    """Ask what the flags did not say, for a repository without a file; the answers as flags would have given them."""
    repository = answers.repository or ask.ask("Repository (owner/name)", _repository, found.repository)
    tenant = answers.tenant or ask.ask("Entra tenant id", _tenant, found.tenant)
    environments = answers.environments or _ask_environments(ask, found)
    production = [name for name in environments if is_production(name)]
    per = answers.per or ask.choose(
        "Identities",
        [("environment", "one per environment"), ("repository", "one for all environments")],
        "environment",
        WHY_PER,
    )
    store = answers.store or ask.choose(
        "Where the ids go, per GitHub environment",
        [("secrets", "secrets"), ("variables", "variables")],
        "secrets",
        WHY_STORE,
    )
    return replace(
        answers,
        repository=repository,
        tenant=tenant,
        environments=environments,
        reviewers={**_ask_reviewers(ask, production, answers), **answers.reviewers},
        branches={**_ask_branches(ask, production, answers, found), **answers.branches},
        per=per,
        store=store,
    )


def _ask_environments(ask: Asker, found: Found) -> dict[str, tuple[ProjectId, ...]]:
    usual = [name for name in _USUAL if _likely(name, found.projects)] or list(_USUAL[:1])
    question = "Environments, in the order of deployment (comma between)"
    names = ask.ask(question, _environments_typed, ", ".join(usual))
    return {name: (ask_project(ask, name, found.projects),) for name in names}


def ask_project(ask: Asker, name: str, projects: Sequence[ProjectId]) -> ProjectId:
    """From the list of what can be seen, or typed as an id."""
    question = f"Foundry project of {name}"
    if projects:
        likely = _likely(name, projects)
        options = [
            (project, f"{project.short}  ({project.group}, {project.subscription})") for project in projects
        ]
        return ask.choose(question, options, likely)
    why = "No Foundry project is visible to whoever is signed in."
    return ask.ask(f"{question} (ARM id)", project_id, why=why)


def _likely(name: str, projects: Sequence[ProjectId]) -> ProjectId | None:
    """The project whose account or own name mentions the environment."""
    for word in dict.fromkeys(
        (name.lower(), name.lower()[:4], name.lower()[:3])
    ):  # production, prod; development, dev
        mentions = [p for p in projects if word in f"{p.account}/{p.project}/{p.group}".lower()]
        if mentions:
            return mentions[0]
    return None


def _ask_reviewers(
    ask: Asker, production: Sequence[str], answers: Answers
) -> dict[str, tuple[Reviewer, ...]]:
    question = "Reviewers of {} (team:NAME or user:LOGIN, comma between; empty: whoever can push deploys)"
    asked = [name for name in production if name not in answers.reviewers]
    typed = {name: ask.ask(question.format(name), _reviewers, why=WHY_REVIEWERS) for name in asked}
    return {name: reviewers for name, reviewers in typed.items() if reviewers}


def _ask_branches(
    ask: Asker, production: Sequence[str], answers: Answers, found: Found
) -> dict[str, tuple[str, ...]]:
    asked = [name for name in production if name not in answers.branches and name not in answers.tags]
    default = found.default_branch
    return {n: ask.ask(f"Branches that deploy to {n}", _names, default, WHY_BRANCHES) for n in asked}


def _repository(text: str) -> str:
    owner, slash, name = text.partition("/")
    if not (owner and slash and name) or "/" in name or ":" in text:
        raise UsageError(f"{text!r} is not owner/name.")
    return text


def _tenant(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise UsageError(
            f"{text!r} is not a tenant's id (a GUID).", hint="az account show --query tenantId"
        ) from None


def project_id(text: str) -> ProjectId:
    """The ARM id of a Foundry project, taken apart. Raises UsageError."""
    project = ProjectId.parse(text)
    if project is None:
        raise UsageError(
            f"{text!r} is not the ARM id of a Foundry project.",
            hint="It reads /subscriptions/…/resourceGroups/…/providers/Microsoft.CognitiveServices/accounts/…/projects/…\n"
            "List them with:\n  az resource list --resource-type Microsoft.CognitiveServices/accounts/projects --query '[].id'",
        )
    return project


def _reviewers(text: str) -> tuple[Reviewer, ...]:
    return tuple(reviewer(word) for word in _split(text))


def _names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(_split(text)))
    if not names:
        raise UsageError("At least one is needed.")
    return names


def _environments_typed(text: str) -> tuple[str, ...]:
    """As `_names`; a blank in a name is nearly always a comma that was forgotten."""
    names = _names(text)
    for name in names:
        if any(sign.isspace() for sign in name):
            raise UsageError(f"{name!r} has a blank in it: put a comma between two names.")
    return names


def reviewer(text: str) -> Reviewer:
    """`team:NAME` or `user:LOGIN`. Raises UsageError."""
    kind, _, name = text.partition(":")
    if kind == "team" and name:
        return Reviewer(kind="team", name=name)
    if kind == "user" and name:
        return Reviewer(kind="user", name=name)
    raise UsageError(f"{text!r} names no reviewer.", hint="Write team:NAME or user:LOGIN.")


def _split(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
