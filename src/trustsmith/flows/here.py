"""`verify --here`: inside a job, the same script that check-trust runs, as a child process. Needs no other sign-in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

from trustsmith.errors import ServiceError, UsageError
from trustsmith.flows.trial import waits
from trustsmith.flows.verify import choose, report, that_deploy
from trustsmith.model import proof
from trustsmith.model.findings import Finding
from trustsmith.render import endpoint_names, scripts
from trustsmith.verify import Wanted, job_findings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trustsmith.flows.session import Options
    from trustsmith.model.config import Config, Environment
    from trustsmith.ui.console import Console

_ASKED_AT = "ACTIONS_ID_TOKEN_REQUEST_URL"


def here(options: Options, console: Console, environment: str | None, *, patience: float) -> None:
    """Exchange this job's token and call the projects that it is told of. Raises Differences.

    environment: whose job it is; None where the file has only one, or the job's variables say enough.
    patience: how long to wait until a new credential or role counts, in seconds.
    """
    if not os.environ.get(_ASKED_AT):
        raise UsageError(
            f"This is no job that may ask for a token: {_ASKED_AT} is not set.",
            hint="Run it in a step of a workflow, in a job with\n  permissions:\n    id-token: write",
        )
    config = options.read_config().config
    chosen = that_deploy(choose(config, environment))
    whose = chosen[0] if len(chosen) == 1 else None
    console.step("Exchanging the token")
    log = _child(console, _variables(options, config, whose, patience))
    read = proof.read(log)
    if read is None:
        raise ServiceError("The script printed no result.", service="github", original=log[-300:])
    result, document = read
    said = str(result.claims.get("environment") or "")
    name = whose.name if whose else said or "this job"
    console.document({"results": {name: document}})
    others = dict.fromkeys(result.others, "")
    wanted = Wanted(environment=name, client_id=(whose and whose.client_id) or "", others=others)
    findings = list(job_findings(result, wanted))
    if result.subject and said != name:
        findings.insert(0, _elsewhere(name, said))
    report(console, config, findings, proven=True)


def _elsewhere(name: str, said: str) -> Finding:
    why = f"This job is of {f'the environment {said}' if said else 'no environment'}, and not of {name}."
    following = f"Give the job `environment: {name}`, or name the job's own with --env."
    return Finding(check="subject", verdict="fail", about=name, why=why, next=following)


def _variables(
    options: Options, config: Config, whose: Environment | None, patience: float
) -> dict[str, str]:
    """The child's variables: the job's own, and from the file what the job does not say."""
    endpoints = options.choose_endpoints(config.cloud, config.github, config)
    known = {one.name: [one.endpoint] for one in config.environments if one.endpoint and one is not whose}
    given = {"AZURE_TENANT_ID": config.tenant}
    if whose and whose.client_id:
        given["AZURE_CLIENT_ID"] = whose.client_id
    if whose and whose.endpoint:
        given[endpoint_names(1)[0]] = whose.endpoint
    own = {name: value for name, value in os.environ.items() if value}
    return {
        **given,
        **own,
        "TRUSTSMITH_ENVIRONMENT": whose.name if whose else "",
        "TRUSTSMITH_NONCE": "",
        "TRUSTSMITH_REQUEST": json.dumps(waits(patience) | {"others": known if whose else {}}),
        "TRUSTSMITH_AUTHORITY": endpoints.authority,
        "TRUSTSMITH_AUDIENCE": endpoints.audience,
        "TRUSTSMITH_SCOPE": endpoints.foundry(),
    }


def _child(console: Console, env: Mapping[str, str]) -> str:
    """Run the script, show what it says while it waits, and return the line with its result."""
    command = [sys.executable, "-I", "-c", scripts()["probe"]]
    result = ""
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True, encoding="utf-8") as child:  # noqa: S603 - our own script
        for line in child.stdout or ():
            if line.startswith("trustsmith-result: "):
                result = line
            else:
                console.note(line.rstrip())
    return result
