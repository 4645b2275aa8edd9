"""What a template gets to see: triggers and jobs, worked out of the configuration.

Must not render, and must not know how YAML is written.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from zlib import crc32

from trustsmith.errors import UsageError
from trustsmith.model.config import CONFIG_PATH, Config, Environment, Runner, Workflow
from trustsmith.model.observing import everywhere, names_teams
from trustsmith.render.ink import EXPRESSION, Expression
from trustsmith.render.options import CONTEXTS, ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from trustsmith.model.config import OptionValue
    from trustsmith.render.catalogue import Template

ENDPOINT = "AZURE_AI_PROJECT_ENDPOINT"
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
    config: the configuration's path seen from the checkout's top, with `/`, for the header.
    """

    authority: str
    audience: str
    foundry_scope: str
    login_environment: str | None
    version: str
    config: str = CONFIG_PATH


@dataclass(frozen=True, kw_only=True)
class Job:
    """A job: one environment's, or that of several side by side, which are then the rows of its matrix.

    needs: ids of jobs. environment: the name, or the expression that is the name in each row. runner: for `runs-on`.
    matrix: rows for `include`, each with `environment` and whatever else differs; empty for one environment.
    client, tenant, subscription: expressions such as `${{ secrets.AZURE_CLIENT_ID }}`.
    facts: of the environment's first project, as many as the template declares: `resource_group`, `account`, `project`.
    endpoints: variable → expression, for each of the environment's projects.
    options: every option with its value for this job: `{environment}` is filled in, and names of variables and secrets are
    name → expression.
    """

    id: str
    needs: tuple[str, ...]
    environment: str
    environments: tuple[str, ...]
    title: str
    group: str
    runner: Any
    matrix: tuple[dict[str, Any], ...]
    client: Expression
    tenant: Expression
    subscription: Expression
    facts: Mapping[str, str]
    endpoints: dict[str, Expression]
    options: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Content:
    """All that a template gets to see.

    minute: of an hour, not 0, and the same whenever it is rendered. observer: how its job reads GitHub (`github`: "token" or
    "app"), and whether it has to see teams (`teams`); None where the file has none.
    push: "branches", "tags" and "paths" with their filters; empty when no push starts the workflow. run: the repository's
    own command, or None. options: every option of the template with its value. cloud: `name`, `login` (azure/login's name,
    or None), `authority`, `audience`, `foundry_scope`. scripts: those that jobs of ours run, by name.
    """

    name: str
    repository: str
    push: Mapping[str, list[str]]
    reusable: bool
    jobs: tuple[Job, ...]
    run: str | None
    options: Mapping[str, OptionValue]
    cloud: Mapping[str, str | None]
    version: str
    minute: int
    observer: Mapping[str, Any] | None
    scripts: Mapping[str, str] = field(repr=False)


def content_of(
    workflow: Workflow, template: Template, config: Config, site: Site, scripts: Mapping[str, str]
) -> Content:
    """What the workflow's template gets to see.

    Raises UsageError for an environment that is not there, and for names that no workflow can hold.
    """
    _check_environments(workflow, config)
    _check_names(
        (workflow.name, *workflow.environments, *(stage[0] for stage in _watching(workflow, config)))
    )
    return Content(
        name=workflow.name,
        repository=config.repository,
        push={} if workflow.reusable else _push(workflow, config),
        reusable=workflow.reusable,
        jobs=tuple(_jobs(workflow, template, config)),
        run=_run(workflow),
        options=template.settings(workflow.options),
        cloud={
            "name": config.cloud,
            "login": site.login_environment,
            "authority": site.authority,
            "audience": site.audience,
            "foundry_scope": site.foundry_scope,
        },
        version=site.version,
        minute=1 + crc32(config.repository.lower().encode()) % 59,
        observer=_observer(config),
        scripts=scripts,
    )


def _observer(config: Config) -> Mapping[str, Any] | None:
    """What the observer's job reads GitHub with, and whether it must be able to read teams."""
    if config.observer is None:
        return None
    return {"github": config.observer.github, "teams": names_teams(config)}


def endpoint_names(projects: int) -> tuple[str, ...]:
    """What the endpoints of an environment's projects are called: AZURE_AI_PROJECT_ENDPOINT, …_2, …_3."""
    return (ENDPOINT, *(f"{ENDPOINT}_{number}" for number in range(2, projects + 1)))[:projects]


def _check_environments(workflow: Workflow, config: Config) -> None:
    if workflow.observes:
        if config.observer is None:
            message = f"Workflow {workflow.name!r} is the observer's, and the file has none."
            raise UsageError(message, hint=f"Add 'observer: {{}}' to {CONFIG_PATH}.")
        return
    if not workflow.environments:
        message = f"Workflow {workflow.name!r} names no environment, so it would have no job."
        raise UsageError(message, hint=f"Name some under 'environments' in {CONFIG_PATH}.")
    known = [environment.name for environment in config.environments]
    unknown = [name for name in workflow.environments if name not in known]
    if unknown:
        message = f"Workflow {workflow.name!r} names an environment that is not there: {', '.join(unknown)}."
        raise UsageError(message, hint=f"Environments of {CONFIG_PATH}: {', '.join(known)}.")


def _watching(workflow: Workflow, config: Config) -> tuple[tuple[str, ...], ...]:
    """The one stage of the observer's workflow; none for another."""
    return ((config.observer.environment,),) if workflow.observes and config.observer else ()


def _check_names(names: Iterable[str]) -> None:
    """Refuse names that GitHub would evaluate where they are a part of an expression of ours."""
    for name in names:
        if EXPRESSION in name:
            raise UsageError(
                f"The name {name!r} cannot be written into a workflow: GitHub would evaluate it.",
                hint=f"Choose a name without {EXPRESSION}, which has no escape at GitHub.",
            )


def _jobs(workflow: Workflow, template: Template, config: Config) -> Iterable[Job]:
    """A job for each stage; where the template's jobs wait for nothing, one for each environment."""
    stages = workflow.stages if template.in_order else tuple((name,) for name in workflow.environments)
    stages = _watching(workflow, config) or stages
    before: tuple[str, ...] = ()
    for job_id, stage in zip(job_ids(template.verb, map("-".join, stages)), stages, strict=True):
        yield _job(job_id, stage, before, workflow, template, config)
        before = (job_id,) if template.in_order else ()


def _job(  # noqa: PLR0917 - its parts are made in one place only
    job_id: str,
    stage: tuple[str, ...],
    needs: tuple[str, ...],
    workflow: Workflow,
    template: Template,
    config: Config,
) -> Job:
    rows, same = _rows(stage, workflow, template, config)
    name: str = Expression("${{ matrix.environment }}") if rows else stage[0]
    # With the workflow's name: of jobs that wait in one group GitHub keeps only the newest, and another workflow's
    # deployment is not replaced by this one. Called by another, `github.workflow` is the caller's.
    group = workflow.name if workflow.reusable else "${{ github.workflow }}"
    return Job(
        id=job_id,
        needs=needs,
        environment=name,
        environments=stage,
        title=Expression(template.title.replace("{environment}", name)),
        group=Expression(f"{group}-{name}"),
        runner=same["runner"],
        matrix=rows,
        client=_reference(config, "AZURE_CLIENT_ID"),
        tenant=_reference(config, "AZURE_TENANT_ID"),
        subscription=_reference(config, "AZURE_SUBSCRIPTION_ID"),
        endpoints={
            variable: _reference(config, variable)
            for variable in endpoint_names(len(_environment(config, stage[0]).projects))
        },
        facts={name: same[name] for name in template.facts},
        options=_options(template.settings(workflow.options), template, same),
    )


def _rows(
    stage: tuple[str, ...], workflow: Workflow, template: Template, config: Config
) -> tuple[tuple[dict[str, Any], ...], dict[str, Any]]:
    """The rows of a stage's matrix; then what may differ from row to row, or the expressions for what does.

    That is the runner, the facts, and the options with the environment's name in them.
    """
    environments = [_environment(config, name) for name in stage]
    settings = template.settings(workflow.options)
    each: list[dict[str, Any]] = [
        {"runner": _runner(one.runner or config.runner)}
        | _facts(one, template)
        | _filled(settings, template, one.name)
        for one in environments
    ]
    if len({len(environment.projects) for environment in environments}) > 1:
        raise UsageError(
            f"{' and '.join(stage)} cannot be side by side in workflow {workflow.name!r}: they have different numbers of "
            "projects, and one job deploys to all of them.",
            hint=f"Write them one after another under 'environments' in {CONFIG_PATH}.",
        )
    differing = [key for key in each[0] if any(row[key] != each[0][key] for row in each)]
    same: dict[str, Any] = {
        key: Expression(f"${{{{ matrix.{key} }}}}") if key in differing else value
        for key, value in each[0].items()
    }
    rows = [
        {"environment": n} | {key: row[key] for key in differing} for n, row in zip(stage, each, strict=True)
    ]
    return tuple(rows) if len(stage) > 1 else (), same


def _environment(config: Config, name: str) -> Environment:
    return {environment.name: environment for environment in everywhere(config)}[name]


def _filled(settings: Mapping[str, OptionValue], template: Template, environment: str) -> dict[str, str]:
    """The options that may hold the environment's name, with it."""
    names = [name for name, option in (template.options or {}).items() if option.filled]
    return {name: str(settings[name]).replace(ENVIRONMENT, environment) for name in names}


def _options(
    settings: Mapping[str, OptionValue], template: Template, same: Mapping[str, Any]
) -> dict[str, Any]:
    """All options of a job."""
    found: dict[str, Any] = dict(settings)
    for name, option in (template.options or {}).items():
        value, context = settings[name], CONTEXTS.get(option.kind)
        if option.filled:
            found[name] = same[name]
        elif context and isinstance(value, tuple):
            found[name] = {key: Expression(f"${{{{ {context}.{key} }}}}") for key in value}
    return found


def _facts(environment: Environment, template: Template) -> dict[str, str]:
    first = next(iter(environment.projects), None)
    if first is None:
        return dict.fromkeys(template.facts, "")
    known = {"resource_group": first.group, "account": first.account, "project": first.project}
    return {name: known[name] for name in template.facts}


def _runner(runner: Runner) -> str | list[str] | dict[str, Any]:
    """What `runs-on` says."""
    labels = list(runner.labels)
    short = labels[0] if len(labels) == 1 else labels
    if runner.group is None:
        return short
    return {"group": runner.group} | ({"labels": short} if labels else {})


def _reference(config: Config, name: str) -> Expression:
    """The expression for an id that the environment keeps."""
    store = "secrets" if config.store == "secrets" else "vars"
    return Expression(f"${{{{ {store}.{name} }}}}")


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
    paths = {"paths": list(workflow.paths)} if workflow.paths else {}
    for name in workflow.environments:
        protection = config.environment(name).protection
        branches = protection.branches if isinstance(protection.branches, tuple) else ()
        if branches or protection.tags:
            alike = {"branches": _filters(branches), "tags": _filters(protection.tags or ())}
            push = {kind: filters for kind, filters in alike.items() if filters}
            return push | paths if push else {}
    return {"branches": ["main"]} | paths


def _filters(patterns: Iterable[str]) -> list[str]:
    """Patterns of a branch policy in the spelling of triggers, where `+` and a leading `!` have a meaning."""
    return [re.sub(r"^!|\+", r"\\\g<0>", pattern) for pattern in patterns if not _UNLIKE.search(pattern)]


def _run(workflow: Workflow) -> str | None:
    """The repository's own command with one line end; None when the template's own is to be used."""
    text = (workflow.run or "").replace("\r\n", "\n").rstrip("\n")
    return text + "\n" if text.strip() else None
