"""Drives one job: what it waits for, what it may see, and how it ends; a job that calls a workflow has that driven.

A job waits for its environment: reviewers, the wait timer on the world's clock, and the refs that may deploy. It must
not run steps: ``job_runner`` does.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trustsmith_sandbox import actions, called_workflow, issuer, runs
from trustsmith_sandbox.expression_values import ExpressionError, text_of
from trustsmith_sandbox.expressions import Scope
from trustsmith_sandbox.github_environments import make_environment
from trustsmith_sandbox.job_log import JobLog
from trustsmith_sandbox.job_runner import JobRunner
from trustsmith_sandbox.job_token import job_token
from trustsmith_sandbox.workflow_file import WorkflowError, granted

if TYPE_CHECKING:
    from trustsmith_sandbox.workflow_driver import WorkflowDriver
    from trustsmith_sandbox.world import Data

_LOOK_AGAIN = 0.05  # seconds between two looks at whether a waiting job may start
_UNSATISFIED = "The deployment was rejected or didn't satisfy other protection rules."


@dataclass
class JobDriver:
    """One job of a workflow, for one combination of its matrix. ``conclusion`` is how it ended."""

    level: WorkflowDriver
    key: str
    matrix: Data
    strategy: Data
    name: str
    labels: list[str] = field(default_factory=list)
    conclusion: str = runs.FAILURE
    tolerated: bool = False
    _job: Data | None = None
    _stopped: bool = False
    _runner: JobRunner | None = None
    _called: WorkflowDriver | None = None

    @classmethod
    def named(cls, level: WorkflowDriver, key: str, matrix: Data, strategy: Data) -> JobDriver:
        """Return a job with its name and its runner's labels. Raises ``ExpressionError``."""
        written = level.workflow.jobs[key]
        scope = level.scope(key, matrix=matrix, strategy=strategy)
        plain = f"{key} ({', '.join(_leaves(matrix))})" if matrix else key
        name = plain if written.get("name") is None else scope.text(written["name"])
        labels = scope.value(written.get("runs-on", []))
        if isinstance(labels, dict):
            labels = labels.get("labels", [])
        return cls(level, key, matrix, strategy, name, [text_of(each) for each in _list(labels)])

    @property
    def written(self) -> Data:
        """The job as the file has it."""
        return self.level.workflow.jobs[self.key]

    @property
    def job(self) -> Data:
        """The job as the API shows it, queued now if it was not yet."""
        if self._job is None:
            whole = self.level.whole
            name = self.level.prefix + self.name
            self._job = runs.new_job(whole.world, whole.run, self.key, name, self.labels)
        return self._job

    @property
    def halted(self) -> bool:
        """Whether it is to end without having started."""
        return self._stopped or self.level.halted

    def queue(self) -> None:
        """Show the job as queued; one that calls a workflow is not shown, the called jobs are."""
        if "uses" not in self.written:
            self.job["status"] = "queued"

    def stop(self) -> None:
        """Cancel the job if it has not ended."""
        self._stopped = True
        if self._runner:
            self._runner.cancel()
        if self._called:
            self._called.stop()

    def end(self, conclusion: str) -> None:
        """End a job that never started."""
        self.conclusion = conclusion
        runs.complete(self.level.whole.world, self.level.whole.run, self.job, conclusion)

    def refuse(self, *reasons: str) -> None:
        """Fail a job that never started; GitHub says why in an annotation, there is no log."""
        self.job["annotations"].append("\n".join(reasons))
        self.end(runs.FAILURE)

    async def drive(self) -> dict[str, str]:
        """Let the job wait, run it, and return its outputs."""
        try:
            return await (self._call() if "uses" in self.written else self._steps())
        except (ExpressionError, WorkflowError) as reason:
            self.refuse(str(reason))
        return {}

    def _scope(self, **more: Any) -> Scope:
        return self.level.scope(self.key, matrix=self.matrix, strategy=self.strategy, **more)

    async def _call(self) -> dict[str, str]:
        """Drive the workflow that the job calls. Raises ``WorkflowError``, ``ExpressionError``."""
        if self.halted:
            self.end(runs.CANCELLED)
            return {}
        called = self._called = self._prepared_call(self._scope())
        await called.drive()
        self.conclusion = called.conclusion
        return called.outputs()

    def _prepared_call(self, scope: Scope) -> WorkflowDriver:
        level, depth, above = self.level, 2, self.level.caller
        while above is not None:
            depth, above = depth + 1, above.level.caller
        if depth > called_workflow.MOST_LEVELS:
            raise WorkflowError(
                f"Workflows call each other more than {called_workflow.MOST_LEVELS} levels deep."
            )
        place = level.place.called(level.whole.world, str(self.written["uses"]))
        workflow = place.read()
        allowed = granted(level.workflow.permissions, self.written.get("permissions"), level.default)
        called_workflow.check_permissions(place, workflow, allowed)
        given = scope.value(self.written.get("with"))
        inputs = called_workflow.inputs(workflow, given if isinstance(given, dict) else {})
        seeing = Scope({**scope.contexts, "secrets": level.secrets}, scope.status)
        handed = called_workflow.secrets(workflow, self.written.get("secrets"), seeing, level.secrets)
        return type(level)(level.whole, workflow, place, inputs, handed, allowed, self)

    async def _steps(self) -> dict[str, str]:
        """Wait for the environment and run the steps. Raises ``ExpressionError``."""
        scope, whole = self._scope(), self.level.whole
        self.tolerated = self.job["tolerated"] = (
            scope.value(self.written.get("continue-on-error", False)) is True
        )
        named = scope.value(self.written.get("environment"))
        spelled = str((named.get("name") if isinstance(named, dict) else named) or "")
        environment = make_environment(whole.world, whole.repository, spelled) if spelled else None
        if environment is not None and not await self._may_start(environment):
            return {}
        if self.halted:
            self.end(runs.CANCELLED)
            return {}
        return await self._run(environment, spelled)

    async def _may_start(self, environment: Data) -> bool:
        """Wait until the environment lets the job in; complete the job if it never will."""
        world, repository, job = self.level.whole.world, self.level.whole.repository, self.job
        refused = actions.why_not(repository, environment, self.level.whole.run["ref"])
        if refused:
            self.refuse(refused, _UNSATISFIED)
            return False
        gate = {"environment": environment["name"], "since": world.now(), "state": None}
        job["gate"] = gate | {"since_at": world.stamp()}
        while not runs.is_open(world, repository, job["gate"]):
            if job["gate"]["state"] == "rejected":
                self.refuse(_UNSATISFIED)
                return False
            if self.halted:
                self.end(runs.CANCELLED)
                return False
            job["status"] = "waiting"
            await asyncio.sleep(_LOOK_AGAIN)
        return True

    async def _run(self, environment: Data | None, spelled: str) -> dict[str, str]:
        whole, job = self.level.whole, self.job
        runs.start(whole.world, whole.run, job)
        asked = granted(self.level.workflow.permissions, self.written.get("permissions"), self.level.default)
        token = job_token(whole.world, whole.repository, asked)
        try:
            runner = self._runner = self._seeing(environment, spelled, asked, token)
            conclusion = await runner.run()
        finally:
            whole.world.data["github"]["tokens"].pop(token, None)
        self.conclusion = conclusion
        runs.complete(whole.world, whole.run, job, conclusion)
        return runner.outputs

    def _seeing(self, environment: Data | None, spelled: str, asked: dict[str, str], token: str) -> JobRunner:
        """Put together what the job sees; an environment's values are read now, the others were when it was queued."""
        level, whole = self.level, self.level.whole
        own = {kind: environment[kind] if environment else {} for kind in ("secrets", "variables")}
        mine = {kind: {name: value["value"] for name, value in own[kind].items()} for kind in own}
        held = level.secrets | mine["secrets"] | {"GITHUB_TOKEN": token}
        claims = actions.claims_of(
            whole.world, whole.repository, whole.run, self.job["id"], environment=environment, spelled=spelled,
            called=None if level.caller is None else level.place,
        )  # fmt: skip
        asking = issuer.request_variables(whole.world, claims) if asked.get("id-token") == "write" else {}
        variables = whole.shared["variables"] | mine["variables"]
        scope = self._scope(secrets=held, vars=variables, env={})
        scope.contexts["github"]["token"] = token
        env = scope.texts(level.workflow.env)
        env |= Scope({**scope.contexts, "env": env}, scope.status).texts(self.written.get("env"))
        masked = [*held.values(), *filter(None, [asking.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")])]
        return JobRunner(
            whole.world,
            whole.repository,
            whole.run,
            self.job,
            self.written,
            contexts={**scope.contexts, "env": env},
            variables=asking,
            defaults=level.workflow.defaults,
            actions=whole.actions,
            log=JobLog(whole.world.now, masked),
        )


def _leaves(value: Any) -> list[str]:
    """Return the plain values in a combination as texts, in the order in which they are written."""
    if not isinstance(value, dict | list):
        return [text_of(value)]
    below = value.values() if isinstance(value, dict) else value
    return [leaf for each in below for leaf in _leaves(each)]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
