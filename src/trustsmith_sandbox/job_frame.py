"""Steps that see each other, and how one of them is watched until it ends.

A job's steps are a frame, and so are a composite action's. It must not know what a step does: ``job_steps`` does.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trustsmith_sandbox import runs
from trustsmith_sandbox.expressions import Scope
from trustsmith_sandbox.job_state import JobState, StepError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from trustsmith_sandbox.javascript_actions import Use
    from trustsmith_sandbox.world import Data

MINUTES = 360


@dataclass
class Frame:
    """Steps that see each other: a job's, or a composite action's.

    ``env`` are the variables from around them, ``defaults`` the settings of scripts. ``ended`` is how they end, as
    far as they have come; ``begun`` is told each step's task. ``posts`` are for the end of the job, the last first.
    """

    job: JobState
    contexts: Data
    env: dict[str, str]
    defaults: Mapping[str, Any]
    posts: list[Use]
    outer: Frame | None = None
    begun: Callable[[asyncio.Task[None]], None] = lambda _task: None
    ended: str = runs.SUCCESS
    steps: Data = field(default_factory=dict)

    @property
    def status(self) -> str:
        """How the steps went until now."""
        return runs.CANCELLED if self.job.cancelled else self.ended

    def scope(self, env: Mapping[str, str] | None = None) -> Scope:
        """Return what expressions see; ``env`` is a step's own."""
        job_status = self.status if self.outer is None else self.outer.scope().contexts["job"]["status"]
        contexts = self.contexts | {"steps": self.steps, "job": {"status": job_status}}
        contexts["env"] = self.env | self.job.env | dict(env or {})
        status = {
            "success": lambda: self.status == runs.SUCCESS,
            "failure": lambda: self.status == runs.FAILURE,
            "cancelled": lambda: self.status == runs.CANCELLED,
            "always": lambda: True,
        }
        return Scope(contexts, status)

    async def watched(self, doing: Coroutine[Any, Any, None], limit: float) -> str:
        """Return how a step ended that may be cancelled, alone or with all that we do."""
        task, log = asyncio.create_task(doing), self.job.log
        self.begun(task)
        try:
            await asyncio.wait({task}, timeout=limit)
        finally:
            timed_out = not task.done()
            task.cancel()
            await asyncio.wait({task})
        if timed_out:
            log.problem(f"The step has timed out after {limit / 60:g} minutes.")
            return runs.FAILURE
        if task.cancelled():
            log.problem("The operation was canceled.")
            return runs.CANCELLED
        failed = task.exception()
        if failed is not None:
            log.problem(str(failed) or ("" if isinstance(failed, StepError) else type(failed).__name__))
        return runs.SUCCESS if failed is None else runs.FAILURE
