"""Drives the jobs of one workflow: the run's own, or one that a job calls.

Jobs wait for the jobs they need; a matrix makes several of one, as many at once as ``max-parallel`` lets, and with
``fail-fast`` one that fails ends the others. It must not know what a single job waits for: ``job_driver`` does.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trustsmith_sandbox import actions, runs
from trustsmith_sandbox.expression_values import ExpressionError, number_of
from trustsmith_sandbox.expressions import Scope
from trustsmith_sandbox.job_contexts import github_context
from trustsmith_sandbox.job_driver import JobDriver
from trustsmith_sandbox.workflow_file import WorkflowError, combinations

if TYPE_CHECKING:
    from trustsmith_sandbox.called_workflow import Place
    from trustsmith_sandbox.run_driver import RunDriver
    from trustsmith_sandbox.workflow_file import Workflow
    from trustsmith_sandbox.world import Data

_ORDER = (runs.FAILURE, runs.CANCELLED, runs.SKIPPED, runs.SUCCESS)  # the worst first
_WRONG = (ExpressionError, WorkflowError, AttributeError, TypeError)


@dataclass
class WorkflowDriver:
    """One workflow of a run. ``secrets`` are those it sees, but for its environments'.

    ``default`` are the permissions of jobs that name none, and with a ``caller`` also all that there are to have.
    """

    whole: RunDriver
    workflow: Workflow
    place: Place
    inputs: Data
    secrets: dict[str, str]
    default: dict[str, str]
    caller: JobDriver | None = None
    _groups: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    _drivers: list[JobDriver] = field(default_factory=list)
    ends: Data = field(default_factory=dict)

    @property
    def prefix(self) -> str:
        """What the names of its jobs begin with."""
        return f"{self.caller.level.prefix}{self.caller.name} / " if self.caller else ""

    @property
    def halted(self) -> bool:
        """Whether nothing of it is to start any more."""
        return bool(self.whole.run["cancelled"]) or (self.caller is not None and self.caller.halted)

    @property
    def conclusion(self) -> str:
        """How all of it ended."""
        results = {end["result"] for end in self.ends.values()}
        return next(end for end in _ORDER if end in results)

    def stop(self) -> None:
        """Stop what runs."""
        for driver in self._drivers:
            driver.stop()

    async def drive(self) -> None:
        """Run all jobs."""
        try:
            for key in self.workflow.jobs:
                self._groups[key] = asyncio.create_task(self._group(key))
            await asyncio.gather(*self._groups.values())
        finally:
            for task in self._groups.values():
                task.cancel()
            await asyncio.wait(self._groups.values())

    async def _group(self, key: str) -> None:
        """Run a job of the file, once for each combination of its matrix, when the jobs it needs are done."""
        written = self.workflow.jobs[key]
        await asyncio.gather(*(self._groups[need] for need in written["needs"]))
        self.ends[key] = {"result": runs.FAILURE, "outputs": {}}
        try:
            scope = self.scope(key)
            if not scope.condition(written.get("if")):
                self._skip(key, runs.CANCELLED if self.halted else runs.SKIPPED)
                return
            strategy = scope.value(written["strategy"])
            drivers = self._made(key, strategy)
        except _WRONG as reason:
            JobDriver(self, key, {}, {}, key).refuse(f"The job cannot be started: {reason}")
            return
        self._drivers += drivers
        outputs = await self._all(drivers, strategy)
        ends = {runs.SUCCESS if each.tolerated else each.conclusion for each in drivers}
        merged = {name: value for each in outputs for name, value in each.items()}
        self.ends[key] = {"result": next(end for end in _ORDER if end in ends), "outputs": merged}

    def _made(self, key: str, strategy: Data) -> list[JobDriver]:
        """Return a job's drivers, one for each combination. Raises one of ``_WRONG``."""
        matrices = combinations(strategy.get("matrix"))
        told = {
            "fail-fast": strategy.get("fail-fast", True),
            "job-total": len(matrices),
            "max-parallel": strategy.get("max-parallel", len(matrices)),
        }
        named = [
            JobDriver.named(self, key, each, told | {"job-index": at}) for at, each in enumerate(matrices)
        ]
        for driver in named:
            driver.queue()
        return named

    async def _all(self, drivers: list[JobDriver], strategy: Data) -> list[dict[str, str]]:
        limit = number_of(strategy.get("max-parallel"))
        places = asyncio.Semaphore(int(limit) if limit >= 1 else len(drivers))

        async def one(driver: JobDriver) -> dict[str, str]:
            async with places:
                outputs = await driver.drive()
            failed = driver.conclusion == runs.FAILURE and not driver.tolerated
            if failed and strategy.get("fail-fast", True) is not False:
                for other in drivers:
                    other.stop()
            return outputs

        return await asyncio.gather(*map(one, drivers))

    def _skip(self, key: str, conclusion: str) -> None:
        name = self.workflow.jobs[key].get("name") or key
        JobDriver(self, key, {}, {}, str(name)).end(conclusion)
        self.ends[key] = {"result": conclusion, "outputs": {}}

    def scope(self, key: str, **more: Any) -> Scope:
        """Return what the expressions around a job see."""
        needs = {need: self.ends[need] for need in self.workflow.jobs[key]["needs"] if need in self.ends}
        results = {self.ends[name]["result"] for name in self._before(key) if name in self.ends}
        direct = {need["result"] for need in needs.values()}
        status = {
            "success": lambda: not self.halted and direct <= {runs.SUCCESS},
            "failure": lambda: runs.FAILURE in results,
            "cancelled": lambda: self.halted,
            "always": lambda: True,
        }
        return Scope(self._contexts() | {"needs": needs, "matrix": {}, "strategy": {}} | more, status)

    def _contexts(self) -> Data:
        whole = self.whole
        claims = actions.claims_of(whole.world, whole.repository, whole.run)
        github = github_context(whole.world, whole.repository, whole.run, claims)
        return {"github": github, "inputs": self.inputs, "vars": whole.shared["variables"]}

    def _before(self, key: str) -> set[str]:
        direct = set(self.workflow.jobs[key]["needs"])
        return direct.union(*(self._before(need) for need in direct))

    def outputs(self) -> dict[str, str]:
        """Return what a called workflow gives to its caller. Raises ``ExpressionError``."""
        rules = self.workflow.described("workflow_call", "outputs")
        scope = Scope(self._contexts() | {"jobs": self.ends}, {})
        return scope.texts({name: rule.get("value") for name, rule in rules.items()})
