"""A job of a workflow run, played against the sandbox: the demo starts one for each environment.

It does what a real job would: asks for an identity token, signs in to Entra with the ids from the job's own
secrets or variables, and calls its Foundry project. It knows only what the control route and the endpoints
file tell it. It must not print or keep a token.
"""

from __future__ import annotations

import json
import logging
import os
import re
import ssl
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import httpx

_TIMEOUT = 30.0  # seconds
_NEEDED = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID")
_CODE = re.compile(r"AADSTS\d+")
_AGENTS = "/agents?api-version=v1"


class CannotRunError(Exception):
    """The job could not be played at all: no endpoints, no sandbox, or it may not start."""


@dataclass(frozen=True)
class Runner:
    """The sandbox as this process reaches it: the endpoints file's content and an HTTPS client."""

    endpoints: dict[str, Any]
    http: httpx.Client

    def start(self, **wanted: Any) -> dict[str, Any]:
        """Ask the control route for a job and return what its runner would be given."""
        api = urlsplit(self.endpoints["github"]["api"])
        asked = {key: value for key, value in wanted.items() if value is not None}
        answer = self.http.post(f"{api.scheme}://{api.netloc}/_sandbox/jobs", json=asked)
        if answer.is_error:
            raise CannotRunError(answer.json().get("message", f"HTTP {answer.status_code}"))
        given: dict[str, Any] = answer.json()
        return given

    def assertion(self, job: dict[str, Any]) -> str:
        """Return a fresh identity token for the cloud's audience, as an action's toolkit asks for it."""
        answer = self.http.get(
            httpx.URL(job["ACTIONS_ID_TOKEN_REQUEST_URL"]).copy_merge_params(
                {"audience": self.endpoints["azure"]["audience"]}
            ),
            headers={"Authorization": f"bearer {job['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"},
        )
        value: str = answer.raise_for_status().json()["value"]
        return value

    def token(self, job: dict[str, Any]) -> str:
        """Exchange the job's identity for a Foundry token, with the ids that the job sees."""
        from azure.identity import ClientAssertionCredential  # slow, and not for --help

        azure, seen = self.endpoints["azure"], job["vars"] | job["secrets"]
        credential = ClientAssertionCredential(
            seen["AZURE_TENANT_ID"],
            seen["AZURE_CLIENT_ID"],
            lambda: self.assertion(job),
            authority=azure["authority"],
            disable_instance_discovery=True,
            connection_verify=self.endpoints["ca_bundle"] or True,
        )
        return str(credential.get_token(azure["foundry_scope"]).token)

    def call(self, token: str, endpoint: str) -> int:
        """Return the status of listing a project's agents."""
        url = endpoint.rstrip("/") + _AGENTS
        return self.http.get(url, headers={"Authorization": f"Bearer {token}"}).status_code


def _exchange(runner: Runner, job: dict[str, Any]) -> tuple[str, str]:
    """Return the outcome (``ok`` or Entra's code) and the token."""
    from azure.core.exceptions import ClientAuthenticationError  # as above

    seen = job["vars"] | job["secrets"]
    if missing := [name for name in _NEEDED if name not in seen]:
        return f"not tried: no {' and no '.join(missing)}", ""
    try:
        return "ok", runner.token(job)
    except ClientAuthenticationError as refused:
        code = _CODE.search(str(refused))
        return (code.group() if code else type(refused).__name__), ""
    except ValueError as refused:  # a tenant or client id that is none
        return f"not tried: {refused}", ""


def play(runner: Runner, wanted: dict[str, Any], also: list[str]) -> dict[str, Any]:
    """Run the job and return what is printed: environment, subject, exchange, project, also."""
    job = runner.start(**wanted)
    outcome: dict[str, Any] = {"environment": wanted["environment"], "subject": job["sub"]}
    if "ACTIONS_ID_TOKEN_REQUEST_URL" not in job:
        raise CannotRunError("The job has no id-token: write.")
    outcome["exchange"], token = _exchange(runner, job)
    own = (job["vars"] | job["secrets"]).get("AZURE_AI_PROJECT_ENDPOINT")
    outcome["project"] = runner.call(token, own) if token and own else None
    outcome["also"] = {url: runner.call(token, url) for url in also} if token else {}
    return outcome


def _runner(endpoints: Path) -> Runner:
    try:
        known = json.loads(endpoints.read_text(encoding="utf-8"))
        bundle = known["ca_bundle"] or os.environ.get("SSL_CERT_FILE")
        return Runner(known, httpx.Client(verify=ssl.create_default_context(cafile=bundle), timeout=_TIMEOUT))
    except (OSError, ValueError, KeyError) as reason:
        raise CannotRunError(f"The endpoints file cannot be used: {reason}") from None


def _endpoint_of(runner: Runner, repository: str, environment: str, ref: str | None) -> str:
    """Return the project that another environment's jobs are given."""
    job = runner.start(repository=repository, environment=environment, ref=ref, permissions={})
    endpoint: str | None = (job["vars"] | job["secrets"]).get("AZURE_AI_PROJECT_ENDPOINT")
    if endpoint is None:
        raise CannotRunError(f"{environment} has no AZURE_AI_PROJECT_ENDPOINT.")
    return endpoint


@click.command()
@click.option("--repository", required=True, metavar="OWNER/NAME", help="Whose workflow the job is of.")
@click.option("--environment", help="The job's environment.")
@click.option("--ref", help="Branch or full ref; default: the default branch.")
@click.option("--event", help="What started the run; default: workflow_dispatch.")
@click.option("--project-of", multiple=True, metavar="ENV", help="Also call that environment's project.")
@click.option("--also", multiple=True, metavar="URL", help="Also call the project at this endpoint.")
@click.option(
    "--endpoints",
    envvar="TRUSTSMITH_ENDPOINTS",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The sandbox's endpoints file.",
)
def command(
    *,
    repository: str,
    environment: str | None,
    ref: str | None,
    event: str | None,
    project_of: tuple[str, ...],
    also: tuple[str, ...],
    endpoints: Path,
) -> None:
    """Play an Actions job and print what it could reach, as one line of JSON."""
    wanted = {"repository": repository, "environment": environment, "ref": ref, "event": event}
    logging.getLogger("azure").addHandler(logging.NullHandler())  # a refusal is our output, not a warning
    try:
        runner = _runner(endpoints)
        others = [_endpoint_of(runner, repository, name, ref) for name in project_of]
        outcome = play(runner, wanted, [*also, *others])
    except (CannotRunError, httpx.HTTPError) as reason:
        click.echo(f"The job could not be run: {reason}", err=True)
        sys.exit(1)
    click.echo(json.dumps(outcome))
