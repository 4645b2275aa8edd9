"""A trial: check-trust is run, and each environment's job says what its token could do. Changes nothing of ours.

What the jobs found is judged in `trustsmith.verify`; here things are done in order.
"""

from __future__ import annotations

import json
import secrets
import shlex
from typing import TYPE_CHECKING, Any

from trustsmith.desire import identity_of
from trustsmith.errors import NotAllowed, ServiceError, UsageError
from trustsmith.flows.follow import Ended, Follower, Started
from trustsmith.flows.proof import is_rendered
from trustsmith.flows.session import Session, rendered
from trustsmith.generated import inspect
from trustsmith.model import proof
from trustsmith.model.config import CHECK_TRUST, CONFIG_PATH, default_path
from trustsmith.model.resource import Key, Later
from trustsmith.model.resources import Application, FederatedCredential
from trustsmith.render.trust import RUN_NAME, TITLE
from trustsmith.systems import together
from trustsmith.verify import Wanted, job_findings, missing_result, unread_log

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trustsmith.flows.look import Picture
    from trustsmith.model.config import Config, Environment, Workflow
    from trustsmith.model.findings import Finding
    from trustsmith.model.state import State

#: The longest that a job waits for Entra and for Foundry, in seconds.
_EXCHANGE_WAIT_S, _PROJECTS_WAIT_S = 300.0, 600.0


class Trial:
    """One run of check-trust for the `chosen` environments. `started`, once it is there: where it runs."""

    def __init__(
        self, session: Session, config: Config, picture: Picture, chosen: Sequence[Environment]
    ) -> None:
        self._session = session
        self._config = config
        self._picture = picture
        self._chosen = chosen
        self._nonce = secrets.token_hex(8)
        self._results: dict[str, Any] = {}
        titles = {environment.name: TITLE.format(environment=environment.name) for environment in chosen}
        self._follower = Follower(session, picture.facts.repository.full_name, titles)
        self.started: Started | None = None

    async def run(self, patience: float) -> list[Finding]:
        """Start the workflow, follow it for `patience` seconds at most, and judge what its jobs found.

        Raises UsageError when the workflow on the default branch is not the one that we would render.
        """
        workflow = _workflow(self._config, self._chosen)
        await self._check_pushed(workflow)
        file, title = workflow.path.rpartition("/")[2], RUN_NAME.format(nonce=self._nonce)
        branch = self._picture.facts.repository.default_branch
        started = await self._follower.start(file, branch, self._inputs(patience), title, patience)
        self.started = started
        self._session.talk.note(f"Started: {started.url}")
        ended = await self._follower.follow(started)
        judged = await together(*(self._judge(environment, ended, started) for environment in self._chosen))
        return [finding for findings in judged for finding in findings]

    def as_json(self) -> dict[str, Any]:
        """Where it ran, and each job's own document."""
        run = {"id": self.started.id, "url": self.started.url} if self.started else None
        return {"run": run, "results": self._results}

    async def _check_pushed(self, workflow: Workflow) -> None:
        """What runs is what the default branch has: it must be what we would render."""
        repository, path = self._picture.facts.repository, workflow.path
        files = rendered(self._config, self._session.endpoints, self._session.options)
        wanted = next(file.body for file in files if file.path == path)
        text = await self._session.github.actions.file(repository.full_name, path, repository.default_branch)
        if is_rendered(text, wanted):
            return
        there = None if text is None else inspect(text)
        what = "is not there yet" if text is None else "is not what trustsmith would render"
        branch = repository.default_branch
        edits = f" --overwrite {shlex.quote(workflow.name)}" if there is not None and there.edited else ""
        raise UsageError(
            f"{path} {what} on the default branch, {branch}; its run would prove nothing.",
            hint=f"Render it, and bring it to {branch}:\n  trustsmith render{edits}\n{_how_to_push(path)}",
        )

    def _inputs(self, patience: float) -> dict[str, str]:
        """What the jobs are asked to do, and how long they may wait."""
        request = waits(patience) | {"others": self._endpoints(), "excused": self._excused()}
        one = self._chosen[0].name if len(self._chosen) == 1 else ""
        return {"environment": one, "nonce": self._nonce, "request": json.dumps(request)}

    def _endpoints(self) -> dict[str, list[str]]:
        """The endpoints of each environment's projects, as far as they are known."""
        found: dict[str, list[str]] = {}
        for environment in self._config.environments:
            known = [self._picture.facts.endpoints.get(project.key) for project in environment.projects]
            known[0] = environment.endpoint or known[0]
            found[environment.name] = [endpoint.rstrip("/") for endpoint in known if endpoint]
        return found

    def _identity(self, environment: Environment) -> str:
        return identity_of(self._config, self._picture.facts, environment)

    def _wanted(self, environment: Environment) -> Wanted:
        """What a job of this environment should find."""
        identity, facts = self._identity(environment), self._picture.facts
        minted = self._picture.live.known(Later(Key(Application.kind, identity), "client_id"))
        sent = _credentials(self._picture.wanted, identity)
        trusted = _credentials(self._picture.live, identity)
        others = (other for other in self._config.environments if other.name != environment.name)
        return Wanted(
            environment=environment.name,
            client_id=environment.client_id or minted or "",
            issuer=facts.issuer,
            subjects=tuple(one.subject for one in sent if one.environment == environment.name),
            trusted=tuple(one.subject for one in trusted),
            endpoints=tuple(self._endpoints()[environment.name]),
            others={other.name: self._excuse(environment, other) for other in others},
        )

    def _excused(self) -> dict[str, list[str]]:
        """For each environment, the others whose projects its jobs may reach."""
        every = self._config.environments
        return {
            one.name: [other.name for other in every if other is not one and self._excuse(one, other)]
            for one in every
        }

    def _excuse(self, environment: Environment, other: Environment) -> str:
        """Why a job of one environment may reach another one's projects; "" when it must not."""
        if self._identity(other) == self._identity(environment):
            return "they share one identity"
        endpoints = self._endpoints()
        if endpoints[other.name] and set(endpoints[other.name]) <= set(endpoints[environment.name]):
            return "they deploy to the same project"
        return ""

    async def _judge(self, environment: Environment, ended: Ended, started: Started) -> list[Finding]:
        """What the job of one environment found, or why there is nothing to judge."""
        name = environment.name
        job = ended.jobs.get(name)
        if job is None or job.get("status") != "completed":
            return [missing_result(name, started.url, job, ended.waiting.get(name, ""))]
        try:
            log = await self._follower.log(job, started.pause)
        except NotAllowed:
            raise
        except ServiceError as error:  # what the other jobs found still counts
            return [unread_log(name, started.url, error.message, error.original)]
        read = proof.read(log)
        if read is None or read[0].nonce != self._nonce:
            why = await self._follower.why(job) or _last_words(log)
            return [missing_result(name, started.url, job, said=why)]
        result, document = read
        self._results[name] = document
        return list(job_findings(result, self._wanted(environment)))


def waits(patience: float) -> dict[str, Any]:
    """How long a job may wait for Entra and for Foundry, of all the time that there is."""
    return {
        "exchange_wait_s": min(_EXCHANGE_WAIT_S, patience / 3),
        "projects_wait_s": min(_PROJECTS_WAIT_S, patience * 2 / 3),
    }


def _workflow(config: Config, chosen: Sequence[Environment]) -> Workflow:
    """The workflow that proves these environments. Raises UsageError, saying which lines to add."""
    made = [workflow for workflow in config.workflows if workflow.template == CHECK_TRUST]
    for workflow in made:
        if {environment.name for environment in chosen} <= set(workflow.environments):
            return workflow
    if made:
        names = ", ".join(environment.name for environment in chosen)
        message = f"The workflow {made[0].name!r} does not check all of {names}."
        raise UsageError(message, hint=f"Name them under its 'environments' in {CONFIG_PATH}, or use --env.")
    raise UsageError(
        f"{CONFIG_PATH} has no workflow of the template {CHECK_TRUST}, whose run is the proof.",
        hint=f"Add it under 'workflows', then commit and push what is rendered:\n  {CHECK_TRUST}:\n"
        f"    template: {CHECK_TRUST}\n  trustsmith render\n{_how_to_push(default_path(CHECK_TRUST))}",
    )


def _how_to_push(path: str) -> str:
    return f"  git add {CONFIG_PATH} {path}\n  git commit -m 'Check trust'\n  git push"


def _credentials(state: State, identity: str) -> list[FederatedCredential]:
    """The credentials of an identity for GitHub's jobs."""
    every = (resource for resource in state.values() if isinstance(resource, FederatedCredential))
    return [credential for credential in every if credential.identity == identity and credential.jobs]


def _last_words(log: str) -> str:
    """The last line of a log that says something, without its time."""
    lines = [line.partition("Z ")[2] or line for line in log.splitlines()]
    errors = [line for line in lines if line.startswith("##[error]")]
    return (errors or lines or [""])[-1].removeprefix("##[error]")[:300]
