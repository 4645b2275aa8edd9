"""Evidence: asks the services what the checks of `doctor` look at. Changes nothing, and judges nothing.

Every question that fails leaves its error in the answer's place, so that one missing right hides nothing else.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from trustsmith.clients import names
from trustsmith.clients.credentials import claims_of
from trustsmith.desire import granted
from trustsmith.doctor import registering
from trustsmith.doctor.check import is_answer
from trustsmith.doctor.evidence import Answer, Azure, Evidence, GitHub, Json, People, Rights
from trustsmith.doctor.foundry import PROVIDER
from trustsmith.doctor.network import endpoint_host
from trustsmith.doctor.roles import steps_by_scope
from trustsmith.errors import NotFound, TrustsmithError
from trustsmith.model.actions_policy import Policy, policy_of
from trustsmith.model.observing import everywhere
from trustsmith.model.pins import uses_in
from trustsmith.model.rights import assigning, permit

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Mapping
    from uuid import UUID

    from trustsmith.flows.session import Session
    from trustsmith.model.conditions import Attempt
    from trustsmith.model.config import Config, Reviewer
    from trustsmith.model.foundry import ProjectId

T = TypeVar("T")


async def quiet(asked: Awaitable[T]) -> T | TrustsmithError:
    """The answer, or the error."""
    try:
        return await asked
    except TrustsmithError as error:
        return error


async def there(asked: Awaitable[T | None], what: str) -> T | TrustsmithError:
    """The answer, or the error; what is not there is a NotFound."""
    answer = await quiet(asked)
    return NotFound(f"There is no {what}.", service="") if answer is None else answer


async def every(*asked: Awaitable[Any]) -> list[Any]:
    """All answers; errors among them are answers here, which `together` would raise."""
    tasks = [asyncio.ensure_future(one) for one in asked]
    await asyncio.gather(*tasks, return_exceptions=True)
    return [task.result() for task in tasks]


async def _all(asked: Mapping[Any, Awaitable[Any]]) -> dict[Any, Any]:
    return dict(zip(asked, await every(*asked.values()), strict=True))


# -- people --------------------------------------------------------------------------------------------------------


async def people(session: Session, owners: Iterable[str] = ()) -> People:
    """Who is signed in, and what the directory says of them. One sign-in failing, nothing more is asked there."""
    who, claims = await every(quiet(session.credentials.whoami()), quiet(_graph_claims(session)))
    if not is_answer(claims):
        return People(azure=who, graph=claims)
    (policy, roles), found = await every(
        directory(session, claims),
        _all({owner: there(session.graph.users(owner), f"user {owner}") for owner in owners}),
    )
    return People(azure=who, graph=claims, policy=policy, roles=roles, owners=found)


async def with_owners(session: Session, evidence: Evidence) -> Evidence:
    """The evidence with the owners of the applications that its plan changes, where that matters."""
    if not is_answer(evidence.people.graph) or registering.administers(evidence):
        return evidence
    asked = registering.changed(evidence).items()
    owning = await _all({name: quiet(session.graph.owners(object_id)) for name, object_id in asked})
    return replace(evidence, people=replace(evidence.people, owning=owning))


async def _graph_claims(session: Session) -> Mapping[str, Any]:
    token = await session.credentials.atoken(session.endpoints.graph_scope)
    return claims_of(token.token)


async def may_consent(session: Session) -> bool:
    """Whether whoever is signed in may give permissions on Graph; what cannot be told counts as no."""
    claims = await quiet(_graph_claims(session))
    if isinstance(claims, TrustsmithError):
        return False
    roles = [] if registering.is_application(claims) else await quiet(session.graph.directory_roles())
    return registering.consents(claims, [] if isinstance(roles, TrustsmithError) else roles)


async def directory(session: Session, claims: Mapping[str, Any]) -> tuple[Answer[Json], Answer[list[Json]]]:
    """The tenant's authorization policy and the caller's directory roles; an application has its rights in the token."""
    if registering.is_application(claims):
        return None, None
    policy, roles = await every(
        there(session.graph.authorization_policy(), "authorization policy"),
        quiet(session.graph.directory_roles()),
    )
    return policy, roles


# -- Azure ---------------------------------------------------------------------------------------------------------


async def azure(session: Session, config: Config) -> Azure:
    """Everything about the projects, their accounts, and the roles there."""
    arm = session.arm
    projects = config.projects
    accounts = {p.account_scope.lower(): p.account_scope for p in projects}
    numbers = sorted({p.subscription for p in projects})
    subscriptions, providers, found, held, definitions, rights = await every(
        quiet(arm.subscriptions()),
        _all({number: there(arm.provider(number, PROVIDER), PROVIDER) for number in numbers}),
        _all({project.key: _project(session, project) for project in projects}),
        _all({key: there(arm.account(scope), "account") for key, scope in accounts.items()}),
        role_definitions(session, config),
        rights_of(session, config),
    )
    return Azure(
        subscriptions=subscriptions,
        providers=providers,
        projects={key: answer for key, (answer, _) in found.items()},
        accounts=held,
        addresses={host: list_ for _, addresses in found.values() for host, list_ in addresses.items()},
        definitions=definitions,
        rights=rights,
    )


async def _project(session: Session, project: ProjectId) -> tuple[Any, dict[str, list[str]]]:
    """A project, and what the name of its endpoint means from here."""
    answer = await there(session.arm.project(project.id), f"project {project.short}")
    host = endpoint_host(answer)
    return answer, {host: await names.addresses(host)} if host else {}


async def role_definitions(session: Session, config: Config) -> dict[UUID, Answer[Json]]:
    """Each role of the file, read where it is granted: who may assign it there may read it there."""
    scopes = {grant.role: grant.scope for grant in reversed(granted(everywhere(config)))}
    read = session.arm.role_definition
    return await _all({role: there(read(scope, str(role)), f"role {role}") for role, scope in scopes.items()})


async def rights_of(session: Session, config: Config) -> dict[str, Rights]:
    """What is permitted at each scope of the file (lower case)."""
    attempts: dict[str, list[Attempt]] = {}
    for grant in granted(everywhere(config)):
        attempts.setdefault(grant.scope, []).append(assigning(grant.role))
    found = await _all({scope: _rights_at(session, scope, wanted) for scope, wanted in attempts.items()})
    return {scope.lower(): rights for scope, rights in found.items()}


async def with_rights(session: Session, evidence: Evidence) -> Evidence:
    """The evidence with what is permitted at scopes that only its plan names: a role goes from where the file has none.

    Nothing where the file's own scopes were not asked for.
    """
    known = evidence.azure.rights
    steps = {scope: found for scope, found in steps_by_scope(evidence).items() if scope not in known}
    if not known or not steps:
        return evidence
    asked = {s: _rights_at(session, s, [step.attempt for step in found]) for s, found in steps.items()}
    return replace(evidence, azure=replace(evidence.azure, rights={**known, **await _all(asked)}))


async def _rights_at(session: Session, scope: str, attempts: list[Attempt]) -> Rights:
    permissions, denials, locks = await every(
        quiet(session.arm.permissions(scope)),
        quiet(session.arm.deny_assignments(scope)),
        quiet(session.arm.locks(scope)),
    )
    enough = isinstance(permissions, TrustsmithError) or all(permit(permissions, one) for one in attempts)
    eligible = None if enough else await quiet(_eligible(session, scope))
    return Rights(permissions=permissions, eligible=eligible, denials=denials, locks=locks)


async def _eligible(session: Session, scope: str) -> list[Json]:
    """Roles that could be activated at a scope, each with its definition."""
    instances = await session.arm.eligible_roles(scope)
    ids = [str(instance["properties"]["roleDefinitionId"]).rpartition("/")[2] for instance in instances]
    definitions = await every(*(quiet(session.arm.role_definition(scope, guid)) for guid in ids))
    return [i | {"definition": d} for i, d in zip(instances, definitions, strict=True)]


# -- GitHub --------------------------------------------------------------------------------------------------------


async def github(
    session: Session, config: Config, repository: Answer[Json], uses: Answer[frozenset[str]]
) -> GitHub:
    """Everything about the repository. repository: GitHub's answer about it; without one nothing more is asked.

    uses: the actions of the generated workflows.
    """
    if repository is None or isinstance(repository, TrustsmithError):
        return GitHub(repository=repository)
    name = config.repository
    who, policy, environments, protected, reviewers, readers = await every(
        owner(session, repository),
        _policy(session, name, frozenset() if isinstance(uses, TrustsmithError) else uses or frozenset()),
        quiet(session.github_side.environments(name)),
        protected_branches(session, config),
        _all({str(r): there(reviewer_of(session, config, r), str(r)) for r in reviewers_of(config)}),
        readers_of(session, config, repository),
    )
    return GitHub(
        repository=repository,
        token=session.github.token_facts(),
        owner=who,
        actions=policy[0],
        selected=policy[1],
        nested=policy[2],
        environments=environments,
        protected=protected,
        reviewers=reviewers,
        readers=readers,
    )


async def protected_branches(session: Session, config: Config) -> Answer[list[Json]]:
    """The protected branches, where the file lets those deploy."""
    if all(environment.protection.branches != "protected" for environment in config.environments):
        return None
    return await quiet(session.github.protected_branches(config.repository))


async def owner(session: Session, repository: Json) -> Answer[Json]:
    """Whose plan says what a private repository has: the organization, or whoever the token is of."""
    if repository.get("visibility") != "private":
        return None
    login = repository["full_name"].partition("/")[0]
    if (repository.get("owner") or {}).get("type") == "Organization":
        return await there(session.github.organization(login), f"organization {login}")
    me = await quiet(session.github.whoami())
    return me if isinstance(me, TrustsmithError) or me["login"] == login else None


async def _policy(
    session: Session, name: str, uses: frozenset[str]
) -> tuple[Answer[Json], Answer[Json], dict[str, list[str]]]:
    answer, selected = await actions_policy(session, name)
    policy = policy_in(name, answer, selected)
    return answer, selected, await _all({use: nested(session, policy, use) for use in uses})


async def actions_policy(session: Session, name: str) -> tuple[Answer[Json], Answer[Json]]:
    """Which actions the repository may use: the policy, and the list where it selects them."""
    policy = await there(session.github.actions_policy(name), "Actions policy that this token may see")
    if isinstance(policy, TrustsmithError) or policy.get("allowed_actions") != "selected":
        return policy, None
    return policy, await there(session.github.selected_actions(name), "list of allowed actions")


def policy_in(repository: str, answer: Answer[Json], selected: Answer[Json]) -> Policy | None:
    """The policy in these answers; None where it could not be read, or was not asked for."""
    if not isinstance(answer, dict) or isinstance(selected, TrustsmithError):
        return None
    return policy_of(repository, answer, selected)


async def nested(session: Session, policy: Policy | None, use: str) -> list[str]:
    """What a composite action (`owner/name/path@commit`) uses itself; [] unless there is a policy that minds it.

    That a policy also applies to these is in no documentation; GitHub fails such jobs (seen in 2025 and 2026).
    """
    if policy is None or not policy.restricts or use.startswith("./"):
        return []
    action, _, commit = use.partition("@")
    owner, name, *folder = action.split("/")
    for file in ("action.yml", "action.yaml"):
        text = await quiet(session.github.actions.file(f"{owner}/{name}", "/".join([*folder, file]), commit))
        if isinstance(text, str):
            return uses_in(text)
    return []


def reviewers_of(config: Config) -> list[Reviewer]:
    """The reviewers that the file names, each once."""
    found = [r for environment in config.environments for r in environment.protection.reviewers or ()]
    return list(dict.fromkeys(found))


async def reviewer_of(session: Session, config: Config, reviewer: Reviewer) -> Json | None:
    """Who a reviewer is, by GitHub; None for somebody whom it does not show."""
    if reviewer.kind == "user":
        return await session.github.user(reviewer.name)
    return await session.github.team(config.repository.partition("/")[0], reviewer.name)


async def readers_of(session: Session, config: Config, repository: Json) -> dict[str, Answer[bool]]:
    """Whether each reviewer can read the repository; everybody can read a public one."""
    if repository.get("visibility") == "public":
        return {}
    return await _all({str(r): quiet(_reads(session, repository, r)) for r in reviewers_of(config)})


async def _reads(session: Session, repository: Json, reviewer: Reviewer) -> bool:
    name = str(repository["full_name"])
    if reviewer.kind == "team":
        return await session.github.team_reads(name.partition("/")[0], reviewer.name, name)
    answer = await session.github.permission(name, reviewer.name)
    return answer is not None and answer["permission"] != "none"
