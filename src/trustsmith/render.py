"""Workflow files from templates and the configuration. The only user of jinja2.

Must not read the configuration file, write a file, ask a service, or know a default branch: the same configuration
gives the same text on every machine. What it returns has been parsed again and compared with what was meant.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trustsmith.errors import UsageError
from trustsmith.generated import block, scalar, stamp
from trustsmith.model.config import CONFIG_PATH, Config, Workflow

if TYPE_CHECKING:
    from collections.abc import Iterable
    from importlib.resources.abc import Traversable

    from jinja2 import Environment as Templates

DEFAULT_TEMPLATE = "deploy-agents"
_SUFFIX = ".yml.j2"
_EXPRESSION = "${{"
_ENDPOINT = "AZURE_AI_PROJECT_ENDPOINT"
_ACTIONS = ("actions/checkout", "actions/setup-python", "azure/login")
_JOB_KEYS = {"concurrency", "environment", "name", "permissions", "runs-on", "steps", "timeout-minutes"}
_LOGIN_ENVIRONMENTS = {
    "AzureCloud": None,
    "AzureUSGovernment": "azureusgovernment",
    "AzureChinaCloud": "azurechinacloud",
}
_SURROGATE = re.compile("[\ud800-\udfff]")
# Same meaning in an environment's branch policy (fnmatch) and in a trigger's filter: letters, and a single `*`.
_UNLIKE = re.compile(r"[?\[\]\\]|\*\*")


class MisrenderedError(RuntimeError):
    """A rendered text does not say what the configuration says: a bug of ours, which no user can mend."""


@dataclass(frozen=True, kw_only=True)
class Site:
    """What a workflow has to know of the cloud, and who made it.

    audience: of the federated credentials, such as "api://AzureADTokenExchange".
    foundry_scope: the token scope of Foundry's projects, such as "https://ai.azure.com/.default".
    login_environment: azure/login's input `environment`, or None for the public cloud; see `login_environment`.
    version: of trustsmith, for the header.
    """

    audience: str
    foundry_scope: str
    login_environment: str | None
    version: str


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """A generated file: its path in the repository with `/`, the template's name, the whole text with LF."""

    path: str
    template: str
    text: str


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


def login_environment(cloud: str) -> str | None:
    """azure/login's name for an Azure cloud, None for the public one (azure/login v3, `LoginConfig`).

    Raises UsageError for a cloud that azure/login cannot sign in to.
    """
    if cloud not in _LOGIN_ENVIRONMENTS:
        message = (
            f"Workflows cannot be rendered for {cloud}: the action azure/login does not know that cloud."
        )
        raise UsageError(message, hint=f"It knows {', '.join(_LOGIN_ENVIRONMENTS)}.")
    return _LOGIN_ENVIRONMENTS[cloud]


def template_names() -> tuple[str, ...]:
    """List the templates that are there, sorted."""
    files = (item.name for item in _folder().iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in files if name.endswith(_SUFFIX)))


def endpoint_names(projects: int) -> tuple[str, ...]:
    """Name the endpoints of an environment's projects: AZURE_AI_PROJECT_ENDPOINT, …_2, …_3."""
    return (_ENDPOINT, *(f"{_ENDPOINT}_{number}" for number in range(2, projects + 1)))


def workflows(config: Config) -> tuple[Workflow, ...]:
    """List the configuration's workflows; without any, `deploy-agents` for all environments in their order."""
    if config.workflows:
        return config.workflows
    path = f".github/workflows/{DEFAULT_TEMPLATE}.yml"
    names = tuple(environment.name for environment in config.environments)
    return (Workflow(name=DEFAULT_TEMPLATE, template=DEFAULT_TEMPLATE, path=path, environments=names),)


def render(config: Config, site: Site) -> tuple[Rendered, ...]:
    """Render the workflow files, in the configuration's order.

    Raises UsageError for an unknown template or environment, and for names that no workflow can hold.
    """
    return tuple(_render(workflow, config, site) for workflow in workflows(config))


def _render(workflow: Workflow, config: Config, site: Site) -> Rendered:
    if workflow.template not in template_names():
        message = f"There is no template {workflow.template!r} (workflow {workflow.name!r})."
        raise UsageError(message, hint=f"Templates: {', '.join(template_names())}.")
    _check_environments(workflow, config)
    content = Content(
        name=workflow.name,
        push=_push(workflow, config),
        jobs=tuple(_jobs(workflow, config)),
        run=_run(workflow),
        site=site,
    )
    _check_names(content, workflow)
    body = _templates().get_template(workflow.template + _SUFFIX).render(vars(content))
    _compare(body, content)
    text = stamp(body, template=workflow.template, version=site.version)
    return Rendered(path=workflow.path, template=workflow.template, text=text)


def _check_environments(workflow: Workflow, config: Config) -> None:
    if not workflow.environments:
        message = f"Workflow {workflow.name!r} names no environment, so it would have no job."
        raise UsageError(message, hint=f"Name some under 'environments' in {CONFIG_PATH}.")
    known = [environment.name for environment in config.environments]
    unknown = [name for name in workflow.environments if name not in known]
    if unknown:
        message = f"Workflow {workflow.name!r} names an environment that is not there: {', '.join(unknown)}."
        raise UsageError(message, hint=f"Environments of {CONFIG_PATH}: {', '.join(known)}.")


def _check_names(content: Content, workflow: Workflow) -> None:
    """Refuse names that no workflow can hold. What may stand in `run` is the repository's own affair."""
    names = (
        content.name,
        *workflow.environments,
        *(text for texts in content.push.values() for text in texts),
    )
    for name in names:
        if _EXPRESSION in name:
            message = f"The name {name!r} cannot be written into a workflow: GitHub would evaluate it."
            raise UsageError(
                message, hint=f"Choose a name without {_EXPRESSION}, which has no escape at GitHub."
            )
    for text in (*names, content.run or ""):
        if _SURROGATE.search(text):
            message = f"Workflow {workflow.name!r} would hold half of a character, which no file can."
            raise UsageError(message, hint=f"Look for \\ud800 to \\udfff in {CONFIG_PATH}.")


def _jobs(workflow: Workflow, config: Config) -> list[Job]:
    """One job for each environment; each needs the one before it."""
    store = "secrets" if config.store == "secrets" else "vars"
    ids = _job_ids(workflow.environments)
    return [
        Job(
            id=job_id,
            needs=before,
            environment=name,
            title=f"Deploy to {name}",
            # With the workflow's name: of jobs that wait in one group GitHub keeps only the newest, and another
            # workflow's deployment is not replaced by this one.
            group=f"${{{{ github.workflow }}}}-{name}",
            client=_reference(store, "AZURE_CLIENT_ID"),
            tenant=_reference(store, "AZURE_TENANT_ID"),
            subscription=_reference(store, "AZURE_SUBSCRIPTION_ID"),
            endpoints={
                variable: _reference(store, variable)
                for variable in endpoint_names(len(config.environment(name).projects))
            },
        )
        for job_id, before, name in zip(ids, (None, *ids), workflow.environments, strict=False)
    ]


def _reference(store: str, name: str) -> str:
    return f"${{{{ {store}.{name} }}}}"


def _job_ids(names: Iterable[str]) -> list[str]:
    """`deploy-` and what GitHub allows in an id (letters, digits, `_`, `-`; below 100 characters), unique."""
    ids: list[str] = []
    for name in names:
        slug = re.sub(r"[^A-Za-z0-9_]+", "-", name).strip("-")[:80]
        wanted = candidate = f"deploy-{slug or 'environment'}"
        taken = {known.lower() for known in ids}
        number = 2
        while candidate.lower() in taken:
            candidate, number = f"{wanted}-{number}", number + 1
        ids.append(candidate)
    return ids


def _push(workflow: Workflow, config: Config) -> dict[str, list[str]]:
    """Choose what the trigger `push` listens to: what the first environment with a list lets in, else main.

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
    """Return the repository's own command with one line end; None when the template's own is to be used."""
    text = (workflow.run or "").replace("\r\n", "\n").rstrip("\n")
    return text + "\n" if text.strip() else None


def _compare(body: str, content: Content) -> None:
    """Be the net under the filters: read by a YAML parser, the text must hold what was meant, and no more.

    Raises MisrenderedError. Costs 5 ms a job with ruamel's own parser, 0.7 ms where its C library is installed.
    """
    from ruamel.yaml import YAML  # noqa: PLC0415  (slow to load)
    from ruamel.yaml.error import YAMLError  # noqa: PLC0415

    push = {"push": content.push} if content.push else {}
    meant = {
        "keys": ["defaults", "jobs", "name", "on", "permissions"],
        "top": (content.name, {"workflow_dispatch": None} | push, {}),
        "jobs": {job.id: _meant(job, content) for job in content.jobs},
    }
    try:
        document = YAML(typ="safe").load(body)
        said = {
            "keys": sorted(document),
            "top": (document["name"], document["on"], document["permissions"]),
            "jobs": {job_id: _said(job, content) for job_id, job in document["jobs"].items()},
        }
    except (YAMLError, AttributeError, LookupError, TypeError) as error:
        raise MisrenderedError(f"the workflow {content.name!r} came out broken") from error
    if said != meant:
        raise MisrenderedError(f"the workflow {content.name!r} came out other than it was meant")


def _meant(job: Job, content: Content) -> dict[str, Any]:
    """Return what the parsed job has to say, in the form of `_said`."""
    site = content.site
    login = {
        "client-id": job.client,
        "tenant-id": job.tenant,
        "allow-no-subscriptions": True,
        "audience": site.audience,
    }
    return {
        "keys": sorted(_JOB_KEYS | ({"needs"} if job.needs else set())),
        "name": job.title,
        "needs": job.needs,
        "environment": job.environment,
        "concurrency": {"group": job.group, "cancel-in-progress": False},
        "permissions": {"contents": "read", "id-token": "write"},
        "uses": [*(_pinned(action).partition(" ")[0] for action in _ACTIONS), None, None, None],
        "steps": [["name", "uses", "with"]] * 3 + [["env", "name", "run"]] * 3,
        "login": login | ({"environment": site.login_environment} if site.login_environment else {}),
        "endpoints": job.endpoints,
        "run": content.run,
    }


def _said(job: dict[str, Any], content: Content) -> dict[str, Any]:
    """Return what a parsed job says. The template's own command holds nothing of the configuration: left out."""
    steps = job["steps"]
    return {
        "keys": sorted(job),
        "name": job["name"],
        "needs": job.get("needs"),
        "environment": job["environment"],
        "concurrency": job["concurrency"],
        "permissions": job["permissions"],
        "uses": [step.get("uses") for step in steps],
        "steps": [sorted(step) for step in steps],
        "login": steps[2]["with"],
        "endpoints": {key: text for key, text in steps[-1]["env"].items() if key.startswith(_ENDPOINT)},
        "run": steps[-1]["run"] if content.run else None,
    }


@cache
def _folder() -> Traversable:
    """Find the templates: in the installed package, or at the top of a checkout (an editable installation)."""
    packaged = resources.files("trustsmith") / "templates"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "templates"


@cache
def _templates() -> Templates:
    """Set jinja2 up with delimiters that leave GitHub's `${{ }}` alone."""
    import jinja2  # noqa: PLC0415  (slow to load)

    loader = jinja2.FunctionLoader(lambda name: (_folder() / name).read_text(encoding="utf-8"))
    templates = jinja2.Environment(  # noqa: S701  (autoescape is for HTML; the filters below quote for YAML)
        loader=loader,
        undefined=jinja2.StrictUndefined,
        block_start_string="[%",
        block_end_string="%]",
        variable_start_string="[[",
        variable_end_string="]]",
        comment_start_string="[#",
        comment_end_string="#]",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters.update(scalar=scalar, block=block, pinned=_pinned)
    return templates


@cache
def _pins() -> dict[str, dict[str, str]]:
    pins: dict[str, dict[str, str]] = json.loads((_folder() / "actions.json").read_text(encoding="utf-8"))
    return pins


def _pinned(action: str) -> str:
    """`action@commit # version`, from the one file of pins."""
    pin = _pins()[action]
    return f"{action}@{pin['sha']} # {pin['version']}"
