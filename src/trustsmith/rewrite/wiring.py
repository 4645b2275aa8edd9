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
    from collections.abc import Iterator, Mapping

    from trustsmith.migrate.inventory import Seen
    from trustsmith.migrate.repository import Repository, Spot
    from trustsmith.model.workflow import Job

CHECK = "signs-in-as"
_CLIENT_ID = re.compile(r"(?:AZURE|ARM)_CLIENT_ID")
_FEDERATED = re.compile(r"--federated-(?:credential-provider|token)\b")


def wiring(repository: Repository, clients: Mapping[str, str], seen: Seen) -> Iterator[Finding]:
    """What is wrong with the jobs that sign in without a secret. clients: client id by environment.

    seen: GitHub's secrets and variables as they are now.
    """
    for job, spots in signing_in(repository):
        said = job.environment.value if job.environment is not None else ""
        for name in sorted((names_of(repository, job, said) if said else {""}) or ()):
            for spot in spots:
                yield from _judged(job, spot, name, clients, seen)


def signing_in(repository: Repository) -> Iterator[tuple[Job, list[Spot]]]:
    """The jobs of workflows that sign in with a token of GitHub's, with their texts."""
    by_job: dict[int, list[Spot]] = {}
    for spot in repository.spots:
        by_job.setdefault(id(spot.job), []).append(spot)
    for workflow in repository.workflows:
        for job in workflow.jobs:
            spots = by_job.get(id(job), [])
            if job.id and any(map(_signs_in, spots)):
                yield job, spots


def _signs_in(spot: Spot) -> bool:
    """Whether a text makes its job sign in with a token of GitHub's."""
    if spot.key == "uses" and spot.step is not None and spot.step.action == "azure/login":
        return "creds" not in spot.step.inputs
    is_flag = spot.variable == "ARM_USE_OIDC" and spot.node.value.strip().lower() == "true"
    return is_flag or _FEDERATED.search(spot.node.value) is not None


def _judged(
    job: Job, spot: Spot, environment: str, clients: Mapping[str, str], seen: Seen
) -> Iterator[Finding]:
    """Whether a text names the right application. environment: that the job runs in; "" for none."""
    whom = _whom(spot, environment, seen)
    wanted = clients.get(environment)
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
        following = "Run it in one of the environments of the configuration, or add its own:\n  "
        following += f"trustsmith migrate --expand --project {quote((environment or 'ENV') + '=PROJECT_ID')}"
        yield Finding(check=CHECK, verdict="fail", about=environment, why=why, next=following)


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
    is_input = spot.input == "client-id" and spot.step is not None and spot.step.action == "azure/login"
    if not is_input and not _CLIENT_ID.fullmatch(spot.variable):
        return None
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
