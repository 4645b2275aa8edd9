"""The machine that workflow runs are run on: started, cancelled and forgotten here, driven by ``run_driver``.

What a repository's workflows say is executed as the user who serves the sandbox, so it can be switched off:
runs then stay queued. It must not know HTTP, and of what it starts nothing may survive ``close``.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trustsmith_sandbox import runs
from trustsmith_sandbox.actions import values as values_of
from trustsmith_sandbox.run_driver import RunDriver

if TYPE_CHECKING:
    from pathlib import Path

    from trustsmith_sandbox.workflow_file import Workflow
    from trustsmith_sandbox.world import Data, World


@dataclass
class Runner:
    """``on`` says whether anything is executed at all; ``actions`` is the folder of actions, if there is one."""

    on: bool = True
    actions: Path | None = None
    _drivers: dict[int, RunDriver] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def start(self, world: World, repository: Data, run: Data, workflow: Workflow) -> None:
        """Run the jobs of a run in the background, or with the switch off, queue the first of them."""
        if not self.on:
            for key, job in workflow.jobs.items():
                if not job["needs"]:
                    runs.new_job(world, run, key, str(job.get("name") or key), [])
            return
        shared = {kind: values_of(world, repository, None, kind) for kind in ("secrets", "variables")}
        driver = self._drivers[run["id"]] = RunDriver(world, repository, run, workflow, shared, self.actions)
        task = asyncio.create_task(driver.drive())
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._forget(done, run["id"]))

    def _forget(self, task: asyncio.Task[None], number: int) -> None:
        self._tasks.discard(task)
        self._drivers.pop(number, None)

    def cancel(self, world: World, run: Data) -> None:
        """Cancel a run that has not ended; nobody drives those that came with the world or are only queued."""
        if driver := self._drivers.get(run["id"]):
            driver.cancel()
        else:
            run["cancelled"] = True
            runs.finish(world, run)

    async def close(self) -> None:
        """End every run at once and wait until no child is left."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def runner_of(world: World) -> Runner:
    """Return the world's runner."""
    return world.kept("runner", Runner)
