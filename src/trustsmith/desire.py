"""(Config, facts, rendered files) → the wanted State. Pure; must not look at what is there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from trustsmith.errors import UsageError
from trustsmith.model.environments import (
    BranchMode,
    EnvironmentMark,
    EnvironmentSecret,
    EnvironmentVariable,
    GitHubEnvironment,
    Reviewer,
    SubjectSetting,
)
from trustsmith.model.issuers import credentials
from trustsmith.model.naming import TAG, credential_name, environment_tag, repository_tag, unique_name
from trustsmith.model.observing import everywhere
from trustsmith.model.resource import Key, Later, Resource, Value
from trustsmith.model.resources import (
    Application,
    FederatedCredential,
    GraphPermission,
    RoleAssignment,
    ServicePrincipal,
    WorkflowFile,
)
from trustsmith.model.state import State
from trustsmith.model.subject import LONGEST, Use, for_environment, uses

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from uuid import UUID

    from trustsmith.model.config import Config, Environment, Grant
    from trustsmith.model.facts import Facts
    from trustsmith.model.foundry import ProjectId

#: What the observer may do in Entra: read all applications, ours among them, and what is on them.
READS_APPLICATIONS = "Application.Read.All"
#: An endpoint is known only to ARM; without a right to read there, it stays open.
ENDPOINT_UNKNOWN = Key("foundry project", "endpoint")


def desire(config: Config, facts: Facts, files: Iterable[WorkflowFile]) -> State:
    """Everything that should be there.

    files: the rendered workflows. Raises UsageError for a subject that Entra cannot take.
    """
    resources: list[Resource] = list(files)
    resources += _identities(config, facts)
    for environment in everywhere(config):
        resources += _environment(config, facts, environment)
    resources += _subject_setting(config, facts)
    return State.of(_granted_once(resources))


def _granted_once(resources: Iterable[Resource]) -> Iterator[Resource]:
    """The same role at the same scope counts once; environments that share an identity may all ask for it."""
    granted: set[Key] = set()
    for resource in resources:
        if isinstance(resource, RoleAssignment):
            if resource.key in granted:
                continue
            granted.add(resource.key)
        yield resource


def identity_of(config: Config, facts: Facts, environment: Environment) -> str:
    """What the environment's identity is called: the client id that the file gives, else the `uniqueName`."""
    if environment.client_id:
        return environment.client_id
    name = None if _shares(config, environment) else environment.name
    return unique_name(facts.host, facts.repository.id, name)


def _shares(config: Config, environment: Environment) -> bool:
    """Whether its identity is that of the whole repository; who observes never shares one with those who deploy."""
    return config.identity.per == "repository" and not environment.observes


def _identities(config: Config, facts: Facts) -> Iterator[Resource]:
    """One application and service principal an identity, except for those that the file names by client id."""
    seen: set[str] = set()
    for environment in everywhere(config):
        identity = identity_of(config, facts, environment)
        if environment.client_id or identity in seen:
            continue
        seen.add(identity)
        shared = _shares(config, environment)
        tags = {TAG, repository_tag(facts.host, facts.repository.id)}
        yield Application(
            unique_name=identity,
            display_name=display_name(config, facts, None if shared else environment.name),
            tags=frozenset(tags if shared else tags | {environment_tag(environment.name)}),
            service_management_reference=config.identity.service_management_reference,
            owners=frozenset(facts.owners.values()),
        )
        yield ServicePrincipal(
            identity=identity, client_id=Later(Key(Application.kind, identity), "client_id")
        )


def display_name(config: Config, facts: Facts, environment: str | None) -> str:
    """The application's display name; for a shared identity the environment's part of the pattern is left out."""
    pattern = config.identity.name
    if environment is None:
        pattern = re.sub(r"[-_. /]*\{environment\}", "", pattern).lstrip("-_. /")
    values = {
        "repository": facts.repository.name,
        "owner": facts.repository.owner,
        "environment": environment or "",
    }
    return re.sub(r"\{(\w+)\}", lambda match: values.get(match[1], match[0]), pattern)


def _environment(config: Config, facts: Facts, environment: Environment) -> Iterator[Resource]:
    identity = identity_of(config, facts, environment)
    yield _github_environment(facts, environment)
    yield from _credentials(config, facts, environment, identity)
    yield from _workloads(config, environment, identity)
    yield from _role_assignments(environment, identity)
    if environment.observes:
        principal = Later(Key(ServicePrincipal.kind, identity), "principal_id")
        yield GraphPermission(identity=identity, permission=READS_APPLICATIONS, principal=principal)
    ids = _ids(config, facts, environment, identity)
    kind = "variable" if config.store == "variables" else "secret"
    names = frozenset(f"{kind}/{name}" for name in ids)
    yield EnvironmentMark(environment=environment.name, store=config.store, names=names, ids=ids)
    for name, value in ids.items():
        if config.store == "variables":
            yield EnvironmentVariable(environment=environment.name, name=name, value=value)
        else:
            yield EnvironmentSecret(environment=environment.name, name=name, content=value)


def _github_environment(facts: Facts, environment: Environment) -> GitHubEnvironment:
    rules = environment.protection
    reviewers = [Reviewer(r.kind, facts.reviewers.get(str(r), 0), r.name) for r in rules.reviewers or ()]
    mode: BranchMode | None = None
    if rules.branches == "protected":
        mode = "protected"
    elif rules.branches or rules.tags:
        mode = "patterns"
    branches = _branches(facts, environment)
    return GitHubEnvironment(
        name=environment.name,
        reviewers=None if rules.reviewers is None else frozenset(reviewers),
        wait_minutes=rules.wait_minutes,
        prevent_self_review=rules.prevent_self_review,
        deploy_from=mode,
        branches=None if branches is None else frozenset(branches),
        tags=None if rules.tags is None else frozenset(rules.tags),
    )


def _branches(facts: Facts, environment: Environment) -> tuple[str, ...] | None:
    """The patterns of the branches that may deploy; None where the file gives none."""
    branches = environment.protection.branches
    if branches == "default":
        return (facts.repository.default_branch,)
    return branches if isinstance(branches, tuple) else None


def subjects(config: Config, facts: Facts, environment: Environment) -> tuple[str, ...]:
    """The subjects of the environment's jobs, as GitHub makes them now. Raises Refused and UsageError."""
    found = for_environment(facts.repository.template, environment.name, _uses(config, facts, environment))
    for subject in found:
        if len(subject) > LONGEST:
            raise UsageError(
                f"The subject of environment {environment.name} would have {len(subject)} characters; "
                f"Entra takes at most {LONGEST}.",
                hint="Give the environment a shorter name.",
            )
    return found


def subjects_to_come(config: Config, facts: Facts, environment: Environment) -> tuple[str, ...]:
    """Those after the repository has opted in to ids; none when it need not, or is not asked to. Raises Refused."""
    template = facts.repository.template
    if template.immutable or not config.immutable_subjects:
        return ()
    return for_environment(template.with_ids(), environment.name, _uses(config, facts, environment))


def _uses(config: Config, facts: Facts, environment: Environment) -> tuple[Use, ...]:
    """How jobs come to the environment, as far as the file says it."""
    rules = environment.protection
    named = [
        (w.name, w.path)
        for w in config.workflows
        if environment.name in w.environments or (environment.observes and w.observes)
    ]
    if rules.branches == "protected":
        return ()
    return uses(named, facts.repository.full_name, _branches(facts, environment), rules.tags)


def _credentials(
    config: Config, facts: Facts, environment: Environment, identity: str
) -> Iterator[FederatedCredential]:
    """Trust in the environment's jobs, and beforehand in what they will be called."""
    for subject in (*subjects(config, facts, environment), *subjects_to_come(config, facts, environment)):
        yield _credential(environment, identity, (facts.issuer, subject, facts.audience), jobs=True)


def _subject_setting(config: Config, facts: Facts) -> Iterator[SubjectSetting]:
    """The opt-in that the file asks for, once everything trusts the subjects that it leads to."""
    if not config.immutable_subjects:
        return
    template = facts.repository.template
    credentials = [
        credential
        for environment in everywhere(config)
        for credential in _credentials(config, facts, environment, identity_of(config, facts, environment))
    ]
    yield SubjectSetting(
        repository=facts.repository.full_name,
        immutable=True,
        before=frozenset(credential.key for credential in credentials),
        use_default=template.use_default,
        keys=template.own_keys,
    )


def _workloads(config: Config, environment: Environment, identity: str) -> Iterator[FederatedCredential]:
    """Trust in other issuers' workloads, which no GitHub environment protects."""
    for trust in environment.trusts:
        for trusted in credentials(trust, config.tenant):
            yield _credential(environment, identity, trusted, jobs=False)


def _credential(
    environment: Environment, identity: str, trusted: tuple[str, str, str], *, jobs: bool
) -> FederatedCredential:
    """trusted: issuer, subject, audience."""
    issuer, subject, audience = trusted
    return FederatedCredential(
        identity=identity,
        name=credential_name(environment.name, issuer, subject, audience),
        issuer=issuer,
        subject=subject,
        audience=audience,
        environment=environment.name,
        application=Later(Key(Application.kind, identity), "object_id"),
        jobs=jobs,
    )


def _role_assignments(environment: Environment, identity: str) -> Iterator[RoleAssignment]:
    principal = Later(Key(ServicePrincipal.kind, identity), "principal_id")
    for role, scope, because in granted([environment]):
        yield RoleAssignment(identity=identity, role=role, scope=scope, principal=principal, because=because)


class Granted(NamedTuple):
    """A role that an environment's identity is to have at a scope, and why, where that has to be said."""

    role: UUID
    scope: str
    because: str


def granted(environments: Iterable[Environment]) -> list[Granted]:
    """What the file gives these environments: the project role on every project, and each grant."""
    found = []
    for environment in environments:
        found += [Granted(environment.role, project.id, "") for project in environment.projects]
        for grant in environment.grants:
            scopes = grant_scopes(grant, environment.projects)
            found += [Granted(grant.role, scope, grant.because) for scope in scopes]
    return found


def grant_scopes(grant: Grant, projects: Iterable[ProjectId]) -> list[str]:
    """The ARM scopes that a grant means: one for each project's own, or the id that it names."""
    if grant.scope.startswith("/"):
        return [grant.scope]
    return sorted({project.at(grant.scope) for project in projects})


def _ids(config: Config, facts: Facts, environment: Environment, identity: str) -> dict[str, Value]:
    """The ids that a job signs in with, and where its projects answer."""
    client_id = environment.client_id or Later(Key(Application.kind, identity), "client_id")
    ids: dict[str, Value] = {
        "AZURE_CLIENT_ID": client_id,
        "AZURE_TENANT_ID": config.tenant,
        "AZURE_SUBSCRIPTION_ID": (environment.projects or config.projects)[0].subscription,
    }
    for number, project in enumerate(environment.projects, start=1):
        name = "AZURE_AI_PROJECT_ENDPOINT" + (f"_{number}" if number > 1 else "")
        given = environment.endpoint if number == 1 else None
        ids[name] = given or facts.endpoints.get(project.key) or Later(ENDPOINT_UNKNOWN, project.key)
    return ids
