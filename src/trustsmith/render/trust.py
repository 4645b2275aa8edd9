"""What the workflow check-trust holds, and the net under its template.

A job for each environment, none of which waits for another: each exchanges its token and calls the projects. Whoever
may start the workflow chooses its inputs, so they reach the script as variables only. Must not render.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trustsmith.errors import UsageError
from trustsmith.model.config import CONFIG_PATH, Config, Workflow
from trustsmith.render.check import MisrenderedError, parsed
from trustsmith.render.content import (
    check_environments,
    check_names,
    endpoint_values,
    job_ids,
    reference,
)

if TYPE_CHECKING:
    from trustsmith.render.content import Site

#: The steps of a job: its name, and the word that the probe takes for it.
STEPS = (("Exchange the token", "exchange"), ("Reach the projects", "projects"))
TITLE = "Check {environment}"
RUN_NAME = "Check trust {nonce}"
_INPUTS = {
    "environment": "The environment to check; empty for all.",
    "nonce": "What trustsmith verify finds this run again by.",
    "request": "What trustsmith verify asks for, as JSON.",
}


@dataclass(frozen=True, kw_only=True)
class Job:
    """The job that checks one environment. `condition` is GitHub's expression; `env` what the probe reads."""

    id: str
    environment: str
    title: str
    condition: str
    env: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Content:
    """What the template gets to see. `steps` are names and the probe's words; `probe` is the script."""

    name: str
    inputs: dict[str, str]
    jobs: tuple[Job, ...]
    steps: tuple[tuple[str, str], ...]
    probe: str


def content_of(workflow: Workflow, config: Config, site: Site, probe: str) -> Content:
    """What the template gets to see.

    Raises UsageError for an environment that is not there, for names that no workflow can hold, and for a command.
    """
    check_environments(workflow, config)
    check_names(workflow)
    if workflow.run is not None:
        message = (
            f"Workflow {workflow.name!r} has a 'run', which the template {workflow.template} has no use for."
        )
        raise UsageError(message, hint=f"Remove it in {CONFIG_PATH}; deploy-agents takes one.")
    ids = job_ids("check", workflow.environments)
    return Content(
        name=workflow.name,
        inputs=_INPUTS,
        jobs=tuple(_job(*each, config, site) for each in zip(ids, workflow.environments, strict=True)),
        steps=STEPS,
        probe=probe,
    )


def _job(job_id: str, name: str, config: Config, site: Site) -> Job:
    quoted = name.replace("'", "''")
    return Job(
        id=job_id,
        environment=name,
        title=TITLE.format(environment=name),
        condition=f"inputs.environment == '' || inputs.environment == '{quoted}'",
        env={
            "TRUSTSMITH_ENVIRONMENT": name,
            "TRUSTSMITH_NONCE": "${{ inputs.nonce }}",
            "TRUSTSMITH_REQUEST": "${{ inputs.request }}",
            "TRUSTSMITH_AUTHORITY": site.authority,
            "TRUSTSMITH_AUDIENCE": site.audience,
            "TRUSTSMITH_SCOPE": site.foundry_scope,
            "AZURE_CLIENT_ID": reference(config, "AZURE_CLIENT_ID"),
            "AZURE_TENANT_ID": reference(config, "AZURE_TENANT_ID"),
            **endpoint_values(config, name),
        },
    )


def compare(body: str, content: Content) -> None:
    """Read the rendered `body` with a YAML parser: it must hold what `content` means, and nothing else.

    Raises MisrenderedError.
    """
    if parsed(body, content.name) != _meant(content):
        raise MisrenderedError(f"the workflow {content.name!r} came out other than it was meant")


def _meant(content: Content) -> dict[str, Any]:
    """The whole document."""
    inputs = {
        name: {"description": text, "type": "string", "default": ""} for name, text in content.inputs.items()
    }
    return {
        "name": content.name,
        "run-name": RUN_NAME.format(nonce="${{ inputs.nonce }}"),
        "on": {"workflow_dispatch": {"inputs": inputs}},
        "permissions": {},
        "concurrency": {
            "group": "${{ github.workflow }}-${{ github.run_id }}",
            "cancel-in-progress": False,
        },
        "defaults": {"run": {"shell": "bash"}},
        "env": {"PROBE": content.probe},
        "jobs": {job.id: _meant_job(job, content) for job in content.jobs},
    }


def _meant_job(job: Job, content: Content) -> dict[str, Any]:
    return {
        "name": job.title,
        "if": job.condition,
        "runs-on": "ubuntu-24.04",
        "timeout-minutes": 20,
        "environment": job.environment,
        "permissions": {"id-token": "write"},
        "env": job.env,
        "steps": [{"name": name, "run": f'python3 -I -c "$PROBE" {word}'} for name, word in content.steps],
    }
