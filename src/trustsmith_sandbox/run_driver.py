"""Drives one workflow run: which job may start, what it waits for, and how the run ends.

Jobs wait for the jobs they need, then for their environment: reviewers, the wait timer on the world's clock,
and the refs that may deploy. It must not run steps: ``job_runner`` does.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trustsmith_sandbox import actions, issuer, runs
from trustsmith_sandbox.expression_values import ExpressionError, text_of
from trustsmith_sandbox.expressions import Scope
from trustsmith_sandbox.github_environments import make_environment
from trustsmith_sandbox.job_contexts import github_context
from trustsmith_sandbox.job_log import JobLog
from trustsmith_sandbox.job_runner import JobRunner
from trustsmith_sandbox.workflow_file import WorkflowError, combinations, granted

if TYPE_CHECKING:
    from trustsmith_sandbox.workflow_file import Workflow
    from trustsmith_sandbox.world import Data, World

_LOOK_AGAIN = 0.05  # seconds between two looks at whether a waiting job may start
_UNSATISFIED = "The deployment was rejected or didn't satisfy other protection rules."


@dataclass
class RunDriver:
    """One run. ``shared`` are the repository's and organization's values, as they were when it was queued."""

    world: World
    repository: Data
    run: Data
    workflow: Workflow
    shared: dict[str, dict[str, str]]
    _groups: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _needs: Data = field(default_factory=dict)
    _active: list[JobRunner] = field(default_factory=list)

    def cancel(self) -> None:
        """Stop what runs and what waits; the run ends soon after."""
        self.run["cancelled"] = True
        for job in self._active:
            job.cancel()

    async def drive(self) -> None:
        """Run all jobs; when we are cancelled ourselves, all of them are."""
        try:
            for key in self.workflow.jobs:
                self._groups[key] = asyncio.create_task(self._group(key))
            await asyncio.gather(*self._groups.values())
        finally:
            for task in self._groups.values():
                task.cancel()
            await asyncio.wait(self._groups.values())
            runs.finish(self.world, self.run)

    async def _group(self, key: str) -> None:
        """Run a job of the file, once for each combination of its matrix, when the jobs it needs are done."""
        written = self.workflow.jobs[key]
        await asyncio.gather(*(self._groups[need] for need in written["needs"]))
        self._needs[key] = {"result": runs.FAILURE, "outputs": {}}
        try:
            scope = self._scope(key)
            if not scope.condition(written.get("if")):
                self._skip(key, runs.CANCELLED if self.run["cancelled"] else runs.SKIPPED)
                return
            matrices = combinations(scope.value(written["strategy"].get("matrix")))
            told = [(self._name(key, matrix), self._labels(key, matrix)) for matrix in matrices]
        except (ExpressionError, WorkflowError, AttributeError, TypeError) as reason:
            self._refuse(self._new(key, key), f"The job cannot be started: {reason}")
            return
        jobs = [self._new(key, *each) for each in told]
        pairs = zip(jobs, matrices, strict=True)
        outputs = await asyncio.gather(*(self._one(job, written, matrix) for job, matrix in pairs))
        ends = {runs.SUCCESS if job["tolerated"] else job["conclusion"] for job in jobs}
        worst = next(end for end in (runs.FAILURE, runs.CANCELLED, runs.SKIPPED, runs.SUCCESS) if end in ends)
        merged = {name: value for each in outputs for name, value in each.items()}
        self._needs[key] = {"result": worst, "outputs": merged}

    def _skip(self, key: str, conclusion: str) -> None:
        name = self.workflow.jobs[key].get("name") or key
        runs.complete(self.world, self.run, self._new(key, str(name)), conclusion)
        self._needs[key] = {"result": conclusion, "outputs": {}}

    def _new(self, key: str, name: str, labels: list[str] | None = None) -> Data:
        return runs.new_job(self.world, self.run, key, name, labels or [])

    def _labels(self, key: str, matrix: Data) -> list[str]:
        labels = self._scope(key, matrix=matrix).value(self.workflow.jobs[key].get("runs-on", []))
        return [text_of(label) for label in (labels if isinstance(labels, list) else [labels])]

    def _name(self, key: str, matrix: Data) -> str:
        written = self.workflow.jobs[key].get("name")
        if written is not None:
            return self._scope(key, matrix=matrix).text(written)
        return f"{key} ({', '.join(map(text_of, matrix.values()))})" if matrix else key

    def _refuse(self, job: Data, *reasons: str) -> None:
        """Fail a job that never started; GitHub says why in an annotation, there is no log."""
        job["annotations"].append("\n".join(reasons))
        runs.complete(self.world, self.run, job, runs.FAILURE)

    def _scope(self, key: str, **more: Any) -> Scope:
        """Return what the expressions around a job see."""
        needs = {need: self._needs[need] for need in self.workflow.jobs[key]["needs"] if need in self._needs}
        results = {self._needs[name]["result"] for name in self._before(key) if name in self._needs}
        direct = {need["result"] for need in needs.values()}
        status = {
            "success": lambda: not self.run["cancelled"] and direct <= {runs.SUCCESS},
            "failure": lambda: runs.FAILURE in results,
            "cancelled": lambda: bool(self.run["cancelled"]),
            "always": lambda: True,
        }
        claims = actions.claims_of(self.world, self.repository, self.run)
        github = github_context(self.world, self.repository, self.run, claims)
        contexts = {
            "github": github,
            "inputs": self.run["inputs"],
            "vars": self.shared["variables"],
            "needs": needs,
        }
        return Scope(contexts | {"matrix": {}, "strategy": {}} | more, status)

    def _before(self, key: str) -> set[str]:
        direct = set(self.workflow.jobs[key]["needs"])
        return direct.union(*(self._before(need) for need in direct))

    async def _one(self, job: Data, written: Data, matrix: Data) -> dict[str, str]:
        """Let one job wait for its environment and run it; return its outputs."""
        try:
            scope = self._scope(job["key"], matrix=matrix)
            job["tolerated"] = scope.value(written.get("continue-on-error", False)) is True
            named = scope.value(written.get("environment"))
            spelled = str((named.get("name") if isinstance(named, dict) else named) or "")
        except ExpressionError as reason:
            self._refuse(job, str(reason))
            return {}
        environment = make_environment(self.world, self.repository, spelled) if spelled else None
        if environment is not None and not await self._may_start(job, environment):
            return {}
        if self.run["cancelled"]:
            runs.complete(self.world, self.run, job, runs.CANCELLED)
            return {}
        return await self._run(job, written, matrix, environment, spelled)

    async def _may_start(self, job: Data, environment: Data) -> bool:
        """Wait until the environment lets the job in; complete the job if it never will."""
        refused = actions.why_not(self.repository, environment, self.run["ref"])
        if refused:
            self._refuse(job, refused, _UNSATISFIED)
            return False
        gate = {"environment": environment["name"], "since": self.world.now(), "state": None}
        job["gate"] = gate | {"since_at": self.world.stamp()}
        while not runs.is_open(self.world, self.repository, job["gate"]):
            if job["gate"]["state"] == "rejected":
                self._refuse(job, _UNSATISFIED)
                return False
            if self.run["cancelled"]:
                runs.complete(self.world, self.run, job, runs.CANCELLED)
                return False
            job["status"] = "waiting"
            await asyncio.sleep(_LOOK_AGAIN)
        return True

    async def _run(
        self, job: Data, written: Data, matrix: Data, environment: Data | None, spelled: str
    ) -> dict[str, str]:
        runs.start(self.world, self.run, job)
        conclusion = runs.FAILURE
        try:
            runner = self._runner(job, written, matrix, environment, spelled)
            self._active.append(runner)
            conclusion = await runner.run()
            self._active.remove(runner)
        except ExpressionError as reason:
            self._refuse(job, str(reason))
            return {}
        runs.complete(self.world, self.run, job, conclusion)
        return runner.outputs

    def _runner(
        self, job: Data, written: Data, matrix: Data, environment: Data | None, spelled: str
    ) -> JobRunner:
        """Put together what the job sees; an environment's values are read now, the others were when it was queued."""
        own = {kind: environment[kind] if environment else {} for kind in ("secrets", "variables")}
        seen = {
            kind: self.shared[kind] | {name: value["value"] for name, value in own[kind].items()}
            for kind in own
        }
        claims = actions.claims_of(
            self.world, self.repository, self.run, job["id"], environment=environment, spelled=spelled
        )
        default = self.repository["actions"].get("workflow", {}).get("default_workflow_permissions", "read")
        permissions = granted(self.workflow.permissions, written.get("permissions"), default)
        may_ask = permissions.get("id-token") == "write"
        asking = issuer.request_variables(self.world, claims) if may_ask else {}
        scope = self._scope(
            job["key"], matrix=matrix, secrets=seen["secrets"], vars=seen["variables"], env={}
        )
        env = scope.texts(self.workflow.env)
        scope = Scope({**scope.contexts, "env": env}, scope.status)
        env |= scope.texts(written.get("env"))
        masked = [*seen["secrets"].values(), *filter(None, [asking.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")])]
        return JobRunner(
            self.world,
            self.repository,
            self.run,
            job,
            written,
            contexts={**scope.contexts, "env": env},
            variables=asking,
            defaults=self.workflow.defaults,
            log=JobLog(self.world.now, masked),
        )
