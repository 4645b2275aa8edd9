"""Whether the workflows sign in as the applications that trust them: environments and client ids, as they will resolve.

A run of check-trust proves the path of an environment; this says that the other jobs are on it. Jobs that sign in as
applications of somebody else are nobody's business here, and what cannot be told from the texts and from what GitHub shows
is left out. Must not ask anything.
"""

from __future__ import annotations

import re
from shlex import quote
from typing import TYPE_CHECKING, NamedTuple

from trustsmith.migrate.hits import mentions
from trustsmith.migrate.inventory import is_guid
from trustsmith.model.findings import Finding
from trustsmith.rewrite.values import names_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from trustsmith.migrate.inventory import Seen
    from trustsmith.migrate.repository import Repository, Spot
    from trustsmith.model.workflow import Job

CHECK = "signs-in-as"
_CLIENT_ID = re.compile(r"(?:AZURE|ARM)_CLIENT_ID")
_KEPT_AS = "AZURE_CLIENT_ID"
_CLIENT_INPUT = re.compile(r"(?:azure[-_]?)?client[-_]?id")
_FEDERATED = re.compile(r"--federated-(?:credential-provider|token)\b")


def wiring(repository: Repository, clients: Mapping[str, str], seen: Seen) -> Iterator[Finding]:
    """What is wrong with the jobs that sign in without a secret. clients: client id by environment.

    seen: GitHub's secrets and variables as they are now.
    """
    actions = _signing_actions(repository)
    for job, spots in signing_in(repository):
        said = job.environment.value if job.environment is not None else ""
        given = [spot for spot in spots if _names_client(spot, actions)]
        for name in sorted((names_of(repository, job, said) if said else {""}) or ()):
            for spot in given:
                yield from _judged(job, spot, name, clients, seen)


def signing_in(repository: Repository) -> Iterator[tuple[Job, list[Spot]]]:
    """The jobs of workflows that sign in with a token of GitHub's, themselves or by an action of theirs, with their texts."""
    actions = _signing_actions(repository)
    by_job = _by_job(repository)
    for workflow in repository.workflows:
        for job in workflow.jobs:
            if job.id and _any_signs_in(job, by_job, actions):
                yield job, by_job.get(id(job), [])


def _by_job(repository: Repository) -> dict[int, list[Spot]]:
    found: dict[int, list[Spot]] = {}
    for spot in repository.spots:
        found.setdefault(id(spot.job), []).append(spot)
    return found


def _signing_actions(repository: Repository) -> frozenset[str]:
    """The folders of the actions that sign in, themselves or by another one."""
    by_job = _by_job(repository)
    found: set[str] = set()
    while more := {
        action.folder
        for action in repository.workflows
        if action.is_action
        and action.folder not in found
        and any(_any_signs_in(job, by_job, found) for job in action.jobs)
    }:
        found |= more
    return frozenset(found)


def _any_signs_in(job: Job, by_job: Mapping[int, list[Spot]], actions: Collection[str]) -> bool:
    called = {step.local for step in job.steps if step.local}
    return not called.isdisjoint(actions) or any(map(_signs_in, by_job.get(id(job), [])))


def _signs_in(spot: Spot) -> bool:
    """Whether a text makes its job sign in with a token of GitHub's."""
    if spot.key == "uses" and spot.step is not None and spot.step.action == "azure/login":
        return "creds" not in spot.step.inputs
    is_flag = spot.variable == "ARM_USE_OIDC" and spot.node.value.strip().lower() == "true"
    return is_flag or _FEDERATED.search(spot.node.value) is not None


def _names_client(spot: Spot, actions: Collection[str]) -> bool:
    """Whether a text says as which application its job signs in. actions: those that sign in."""
    if spot.step is not None and spot.step.local in actions and _CLIENT_INPUT.fullmatch(spot.input):
        return True
    is_input = spot.input == "client-id" and spot.step is not None and spot.step.action == "azure/login"
    return is_input or _CLIENT_ID.fullmatch(spot.variable) is not None


def _judged(
    job: Job, spot: Spot, environment: str, clients: Mapping[str, str], seen: Seen
) -> Iterator[Finding]:
    """Whether a text names the right application. environment: that the job runs in; "" for none."""
    whom = _whom(spot, environment, seen)
    wanted = clients.get(environment)
    if whom is None and wanted is None and _is_common(spot):
        yield _untold(job, spot, environment)
    if whom is None or (wanted is not None and whom.client_id == wanted.lower()):
        return
    place = f"{spot.file}:{spot.node.line}: job {job.id}"
    if wanted is not None:
        why = f"{place} signs in as {whom.said}, and {environment} is set up for {wanted}."
        yield Finding(check=CHECK, verdict="fail", about=environment, why=why, next=_how(spot, environment))
    elif whom.client_id in {client.lower() for client in clients.values()}:
        where = (
            f"in environment {environment}, which is not configured" if environment else "in no environment"
        )
        why = f"{place} signs in as {whom.client_id} {where}: nothing trusts that."
        yield Finding(check=CHECK, verdict="fail", about=environment, why=why, next=_elsewhere(environment))


def _is_common(spot: Spot) -> bool:
    """Whether a text reads the secret in which environments of the configuration may keep their client ids."""
    return any(each.context == "secrets" and each.name == _KEPT_AS for each in mentions(spot))


def _untold(job: Job, spot: Spot, environment: str) -> Finding:
    where = f"in environment {environment}, which is not configured" if environment else "in no environment"
    why = (
        f"{spot.file}:{spot.node.line}: job {job.id} runs {where}, and as which application it signs in cannot be told: "
        f"that is the secret {_KEPT_AS} of the repository."
    )
    return Finding(check=CHECK, verdict="unknown", about=environment, why=why, next=_elsewhere(environment))


def _elsewhere(environment: str) -> str:
    command = f"trustsmith migrate --expand --project {quote((environment or 'ENV') + '=PROJECT_ID')}"
    return f"Run it in one of the environments of the configuration, or add its own:\n  {command}"


def _how(spot: Spot, environment: str) -> str:
    each = next(iter(mentions(spot)), None)
    other = "secrets" if each is not None and each.context == "vars" else "vars"
    return (
        f"Have it read the id that trustsmith keeps in environment {environment}, for example "
        f"${{{{ {other}.AZURE_CLIENT_ID }}}}; trustsmith plan shows where that is."
    )


class _Whom(NamedTuple):
    """As whom a text makes its job sign in. client_id: in small letters; "" for nobody."""

    client_id: str
    said: str


def _whom(spot: Spot, environment: str, seen: Seen) -> _Whom | None:
    """As whom a text makes its job sign in; None where it does not say, or that is not told."""
    text = spot.node.value.strip()
    if is_guid(text):
        return _Whom(text.lower(), text)
    found = mentions(spot)
    each = found[0] if len(found) == 1 else None
    if each is not None and each.context == "vars":
        return _variable(each.name, environment, seen)
    if (
        each is not None
        and each.context == "secrets"
        and each.name
        and not _has(each.name, environment, seen)
    ):
        return _Whom("", f"nobody: there is no secret {each.name}")
    return None


def _variable(name: str, environment: str, seen: Seen) -> _Whom:
    """As whom a variable makes a job sign in; the environment's comes before the repository's."""
    values = {v.environment: v.value for v in seen.variables if v.name == name}
    value = values.get(environment, values.get(""))
    if value is None:
        return _Whom("", f"nobody: there is no variable {name}")
    where = "environment" if environment and environment in values else "repository"
    return _Whom(value.lower(), f"{value} (variable {name} of the {where})")


def _has(name: str, environment: str, seen: Seen) -> bool:
    places = [each for each in seen.of(name) if each.store == "actions"]
    return seen.stored is None or any(each.environment in {"", environment} for each in places)
