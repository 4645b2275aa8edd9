"""Whether the workflows sign in as the applications that trust them: environments and client ids, as they will resolve.

A run of check-trust proves the path of an environment; this says that the other jobs are on it. What cannot be told from
the texts and from what GitHub shows is left out. Must not ask anything.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

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
        yield from _job(repository, job, spots, clients, seen)


def signing_in(repository: Repository) -> Iterator[tuple[Job, list[Spot]]]:
    """The jobs of workflows that sign in with a token of GitHub's, with their texts."""
    for workflow in repository.workflows:
        for job in workflow.jobs:
            spots = [spot for spot in repository.spots if spot.job is job]
            if job.id and any(map(_signs_in, spots)):
                yield job, spots


def _signs_in(spot: Spot) -> bool:
    """Whether a text makes its job sign in with a token of GitHub's."""
    if spot.key == "uses" and spot.step is not None and spot.step.action == "azure/login":
        return "creds" not in spot.step.inputs
    is_flag = spot.variable == "ARM_USE_OIDC" and spot.node.value.strip().lower() == "true"
    return is_flag or _FEDERATED.search(spot.node.value) is not None


def _job(
    repository: Repository, job: Job, spots: list[Spot], clients: Mapping[str, str], seen: Seen
) -> Iterator[Finding]:
    place = f"{job.workflow.file}:{job.key.line if job.key else 1}"
    if job.environment is None:
        why = f"{place}: job {job.id} has no environment, and so a subject that nothing trusts."
        yield Finding(check=CHECK, verdict="fail", why=why, next="Add environment: to the job.")
        return
    names = names_of(repository, job, job.environment.value)
    for name in sorted(names or ()):
        if name not in clients:
            why = f"{place}: job {job.id} runs in environment {name}, which is not configured."
            following = f"trustsmith migrate --expand --project {name}=PROJECT_ID"
            yield Finding(check=CHECK, verdict="fail", about=name, why=why, next=following)
            continue
        for spot in spots:
            if said := _differs(spot, name, clients[name], seen):
                why = f"{spot.file}:{spot.node.line}: job {job.id} signs in as {said}, and {name} is set up for "
                why += f"{clients[name]}."
                yield Finding(check=CHECK, verdict="fail", about=name, why=why, next=_how(spot, name))


def _how(spot: Spot, environment: str) -> str:
    each = next(iter(mentions(spot)), None)
    other = "secrets" if each is not None and each.context == "vars" else "vars"
    return (
        f"Have it read the id that trustsmith keeps in environment {environment}, for example "
        f"${{{{ {other}.AZURE_CLIENT_ID }}}}; trustsmith plan shows where that is."
    )


def _differs(spot: Spot, environment: str, client_id: str, seen: Seen) -> str:
    """As whom a text makes its job sign in, where that is another one; "" where it is the right one or not told."""
    is_input = spot.input == "client-id" and spot.step is not None and spot.step.action == "azure/login"
    if not is_input and not _CLIENT_ID.fullmatch(spot.variable):
        return ""
    text = spot.node.value.strip()
    if is_guid(text):
        return "" if text.lower() == client_id.lower() else text
    found = mentions(spot)
    if len(found) != 1:
        return ""
    each = found[0]
    if each.context == "vars":
        return _variable(each.name, environment, client_id, seen)
    if each.context == "secrets" and each.name and not _has(each.name, environment, seen):
        return f"nobody: there is no secret {each.name}"
    return ""


def _variable(name: str, environment: str, client_id: str, seen: Seen) -> str:
    """As whom a variable makes a job sign in; the environment's comes before the repository's."""
    values = {v.environment: v.value for v in seen.variables if v.name == name}
    value = values.get(environment, values.get(""))
    if value is None:
        return f"nobody: there is no variable {name}"
    where = "environment" if environment in values else "repository"
    return "" if value.lower() == client_id.lower() else f"{value} (variable {name} of the {where})"


def _has(name: str, environment: str, seen: Seen) -> bool:
    places = [each for each in seen.of(name) if each.store == "actions"]
    return seen.stored is None or any(each.environment in {"", environment} for each in places)
