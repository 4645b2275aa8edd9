"""What a deployment workflow holds: its triggers and its jobs, worked out of the configuration.

What other workflows need as well is public here. Must not render, and must not know how YAML is written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trustsmith.errors import UsageError
from trustsmith.model.config import CONFIG_PATH, Config, Workflow

if TYPE_CHECKING:
    from collections.abc import Iterable

ENDPOINT = "AZURE_AI_PROJECT_ENDPOINT"
_EXPRESSION = "${{"
_SURROGATE = re.compile("[\ud800-\udfff]")
# What a branch policy (fnmatch) and a trigger's filter read differently. Letters and a single `*` they read alike.
_UNLIKE = re.compile(r"[?\[\]\\]|\*\*")


@dataclass(frozen=True, kw_only=True)
class Site:
    """What a workflow has to know of the cloud, and who made it.

    authority: Entra's, such as "https://login.microsoftonline.com".
    audience: of the federated credentials, such as "api://AzureADTokenExchange".
    foundry_scope: the token scope of Foundry's projects, such as "https://ai.azure.com/.default".
    login_environment: azure/login's input `environment`, or None for the public cloud; see `login_environment`.
    version: of trustsmith, for the header.
    """

    authority: str
    audience: str
    foundry_scope: str
    login_environment: str | None
    version: str


@dataclass(frozen=True, kw_only=True)
class Job:
    """The job that deploys to one environment. Ids are expressions, such as `${{ secrets.AZURE_CLIENT_ID }}`."""

    id: str
    needs: str | None
    environment: str
    title: str
    group: str
    client: str
    tenant: str
    subscription: str
    endpoints: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a template gets to see. `push` maps "branches" and "tags" to filters; without any it is empty."""

    name: str
    push: dict[str, list[str]]
    jobs: tuple[Job, ...]
    run: str | None
    site: Site


def content_of(workflow: Workflow, config: Config, site: Site) -> Content:
    """What the workflow's template gets to see.

    Raises UsageError for an environment that is not there, and for names that no workflow can hold.
    """
    check_environments(workflow, config)
    found = Content(
        name=workflow.name,
        push=_push(workflow, config),
        jobs=tuple(_jobs(workflow, config)),
        run=_run(workflow),
        site=site,
    )
    patterns = [text for texts in found.push.values() for text in texts]
    check_names(workflow, patterns, found.run or "")
    return found


def endpoint_names(projects: int) -> tuple[str, ...]:
    """What the endpoints of an environment's projects are called: AZURE_AI_PROJECT_ENDPOINT, …_2, …_3."""
    return (ENDPOINT, *(f"{ENDPOINT}_{number}" for number in range(2, projects + 1)))


def endpoint_values(config: Config, name: str) -> dict[str, str]:
    """The variables of an environment's endpoints, as expressions."""
    return {
        variable: reference(config, variable)
        for variable in endpoint_names(len(config.environment(name).projects))
    }


def check_environments(workflow: Workflow, config: Config) -> None:
    """Raise UsageError when the workflow names no environment, or one that is not there."""
    if not workflow.environments:
        message = f"Workflow {workflow.name!r} names no environment, so it would have no job."
        raise UsageError(message, hint=f"Name some under 'environments' in {CONFIG_PATH}.")
    known = [environment.name for environment in config.environments]
    unknown = [name for name in workflow.environments if name not in known]
    if unknown:
        message = f"Workflow {workflow.name!r} names an environment that is not there: {', '.join(unknown)}."
        raise UsageError(message, hint=f"Environments of {CONFIG_PATH}: {', '.join(known)}.")


def check_names(workflow: Workflow, patterns: Iterable[str] = (), run: str = "") -> None:
    """Refuse names that no workflow can hold. What may stand in `run` is the repository's own affair."""
    names = (workflow.name, *workflow.environments, *patterns)
    for name in names:
        if _EXPRESSION in name:
            message = f"The name {name!r} cannot be written into a workflow: GitHub would evaluate it."
            raise UsageError(
                message, hint=f"Choose a name without {_EXPRESSION}, which has no escape at GitHub."
            )
    for text in (*names, run):
        if _SURROGATE.search(text):
            message = f"Workflow {workflow.name!r} would hold half of a character, which no file can."
            raise UsageError(message, hint=f"Look for \\ud800 to \\udfff in {CONFIG_PATH}.")


def _jobs(workflow: Workflow, config: Config) -> list[Job]:
    """One job for each environment; each needs the one before it."""
    ids = job_ids("deploy", workflow.environments)
    return [
        Job(
            id=job_id,
            needs=before,
            environment=name,
            title=f"Deploy to {name}",
            # With the workflow's name: of jobs that wait in one group GitHub keeps only the newest, and another
            # workflow's deployment is not replaced by this one.
            group=f"${{{{ github.workflow }}}}-{name}",
            client=reference(config, "AZURE_CLIENT_ID"),
            tenant=reference(config, "AZURE_TENANT_ID"),
            subscription=reference(config, "AZURE_SUBSCRIPTION_ID"),
            endpoints=endpoint_values(config, name),
        )
        for job_id, before, name in zip(ids, (None, *ids), workflow.environments, strict=False)
    ]


def reference(config: Config, name: str) -> str:
    """The expression for an id that the environment keeps."""
    store = "secrets" if config.store == "secrets" else "vars"
    return f"${{{{ {store}.{name} }}}}"


def job_ids(verb: str, names: Iterable[str]) -> list[str]:
    """`deploy-` (or another verb) and what GitHub allows in an id (letters, digits, `_`, `-`; below 100 characters), unique."""
    ids: list[str] = []
    for name in names:
        slug = re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")[:80]
        wanted = candidate = f"{verb}-{slug or 'environment'}"
        taken = {known.lower() for known in ids}
        number = 2
        while candidate.lower() in taken:
            candidate, number = f"{wanted}-{number}", number + 1
        ids.append(candidate)
    return ids


def _push(workflow: Workflow, config: Config) -> dict[str, list[str]]:
    """What starts the workflow besides a hand: what the first environment with a list lets in, else main.

    A pattern that a branch policy and a trigger read differently is left out; with none left there is no trigger.
    """
    for name in workflow.environments:
        protection = config.environment(name).protection
        branches = protection.branches if isinstance(protection.branches, tuple) else ()
        if branches or protection.tags:
            alike = {"branches": _filters(branches), "tags": _filters(protection.tags or ())}
            return {kind: filters for kind, filters in alike.items() if filters}
    return {"branches": ["main"]}


def _filters(patterns: Iterable[str]) -> list[str]:
    """Patterns of a branch policy in the spelling of triggers, where `+` and a leading `!` have a meaning."""
    return [re.sub(r"^!|\+", r"\\\g<0>", pattern) for pattern in patterns if not _UNLIKE.search(pattern)]


def _run(workflow: Workflow) -> str | None:
    """The repository's own command with one line end; None when the template's own is to be used."""
    text = (workflow.run or "").replace("\r\n", "\n").rstrip("\n")
    return text + "\n" if text.strip() else None
