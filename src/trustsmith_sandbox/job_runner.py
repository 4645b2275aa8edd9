"""Runs one job of a workflow run: lists its steps, runs them in order in a folder of its own, and tidies up.

What steps say is executed as the user who serves the sandbox. It must not decide whether the job may start, nor what
a step does: ``run_driver`` and ``job_steps`` do.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trustsmith_sandbox import job_steps, runs
from trustsmith_sandbox.action_shelf import Shelf
from trustsmith_sandbox.expression_values import ExpressionError
from trustsmith_sandbox.job_frame import MINUTES, Frame
from trustsmith_sandbox.job_state import JobState, Step, StepError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trustsmith_sandbox.javascript_actions import Use
    from trustsmith_sandbox.job_log import JobLog
    from trustsmith_sandbox.world import Data, World

_NOT_RUN = {"container": "containers", "services": "service containers"}


class JobRunner:
    """One job. ``written`` is the job's mapping in the workflow file, ``contexts`` what its expressions see.

    ``variables`` are given to every step besides the usual ones, ``defaults`` are the workflow's for scripts,
    ``actions`` is the folder of actions. ``cancel`` may be called at any time.
    """

    def __init__(
        self,
        world: World,
        repository: Data,
        run: Data,
        job: Data,
        written: Data,
        *,
        contexts: Data,
        variables: Mapping[str, str],
        defaults: Data,
        actions: Path | None,
        log: JobLog,
    ) -> None:
        self._world, self._repository, self._run, self._job, self._written = (
            world,
            repository,
            run,
            job,
            written,
        )
        self._contexts, self._variables, self._defaults = contexts, variables, defaults
        self._actions, self._log = actions, log
        self._frame: Frame | None = None
        self._cancelled, self._failed = False, False
        self._running: asyncio.Task[None] | None = None
        self.outputs: dict[str, str] = {}

    def cancel(self) -> None:
        """Stop the step that runs; those that follow run only if they ask to (``always()``, ``cancelled()``)."""
        self._cancelled = True
        if self._frame:
            self._frame.job.cancelled = True
        if self._running:
            self._running.cancel()

    async def run(self) -> str:
        """Run all steps and return the job's conclusion; the log is in the job then."""
        timer = None
        try:
            with tempfile.TemporaryDirectory(prefix="trustsmith-job-", ignore_cleanup_errors=True) as name:
                frame = self._frame = self._prepared(Path(name))
                limit = frame.scope().seconds(self._written.get("timeout-minutes", MINUTES))
                timer = asyncio.get_running_loop().call_later(limit, self._time_out, limit)
                await self._all_steps(frame)
        except (ExpressionError, StepError) as reason:
            self._log.problem(str(reason))
            self._failed = True
        finally:
            if timer:
                timer.cancel()
            for step in self._job["steps"]:
                if step["status"] != "completed":
                    self._end(step, runs.FAILURE if step["status"] == "in_progress" else runs.SKIPPED)
            self._job["log"] = self._log.text
        if self._cancelled:
            return runs.CANCELLED
        return runs.FAILURE if self._failed or self._frame is None else self._frame.ended

    def _time_out(self, seconds: float) -> None:
        self._log.problem(f"The job has exceeded the maximum execution time of {seconds / 60:g} minutes.")
        self.cancel()

    def _prepared(self, folder: Path) -> Frame:
        """Return the job's steps as a frame, with their folder and variables made."""
        shelf = Shelf(self._actions, folder / "work" / "_actions")
        state = JobState(self._world, self._repository, self._run, folder, self._log, shelf)
        state.prepare(self._job["key"], self._contexts["github"], self._variables)
        event = json.dumps(self._contexts["github"]["event"])
        Path(state.github["event_path"]).write_text(event, encoding="utf-8")
        state.cancelled = self._cancelled
        contexts = {name: value for name, value in self._contexts.items() if name != "env"}
        contexts |= {"github": state.github, "runner": state.runner}
        own = self._written["defaults"].get("run")
        defaults = self._defaults | (own if isinstance(own, dict) else {})
        return Frame(state, contexts, self._contexts["env"], defaults, [], begun=self._begun)

    def _begun(self, task: asyncio.Task[None]) -> None:
        self._running = task

    async def _all_steps(self, frame: Frame) -> None:
        first = self._listed("Set up job")
        self._begin(first)
        for name in _NOT_RUN.keys() & self._written.keys():
            raise StepError(f"The sandbox does not run {_NOT_RUN[name]}.")
        written = enumerate(self._written["steps"])
        steps = [Step(each, self._name(frame, each), (number,)) for number, each in written]
        early = [use for step in steps for use in await job_steps.before(frame, step)]
        shown = [self._listed(f"Pre {use.name}") for use in early]
        shown += [self._listed(step.name) for step in steps]
        last = self._listed("Complete job")
        self._end(first, runs.SUCCESS)
        for use in early:
            await self._around(use, "pre", shown.pop(0))
        for step, entry in zip(steps, shown, strict=True):
            self._begin(entry)
            self._end(entry, await job_steps.perform(frame, step))
        while frame.posts:
            use = frame.posts.pop()
            await self._around(use, "post", self._listed(f"Post {use.name}", before=last))
        self._complete(frame, last)

    async def _around(self, use: Use, phase: str, shown: Data) -> None:
        self._begin(shown)
        self._end(shown, await use.around(phase))

    def _complete(self, frame: Frame, shown: Data) -> None:
        self._begin(shown)
        for name, value in frame.scope().texts(self._written.get("outputs")).items():
            if self._log.masked(value) == value:
                self.outputs[name] = value
            else:
                self._log.write(f"##[warning]Skip output '{name}' since it may contain secret.")
        self._log.write("Cleaning up orphan processes")
        self._end(shown, runs.SUCCESS)

    def _listed(self, name: str, before: Data | None = None) -> Data:
        """Add a step to the list that the API shows, at its end or before another."""
        listed: list[Data] = self._job["steps"]
        place = len(listed) if before is None else listed.index(before)
        times = {"started_at": None, "completed_at": None}
        listed.insert(place, {"name": name, "status": "queued", "conclusion": None, **times})
        for number, step in enumerate(listed, 1):
            step["number"] = number
        return listed[place]

    def _begin(self, shown: Data) -> None:
        runs.start(self._world, self._run, shown)

    def _end(self, shown: Data, conclusion: str) -> None:
        runs.complete(self._world, self._run, shown, conclusion)

    def _name(self, frame: Frame, step: Data) -> str:
        plain = f"Run {step.get('uses') or str(step.get('run', '')).strip().partition(chr(10))[0]}"
        name: Any = frame.scope().text(step["name"]) if "name" in step else plain
        return self._log.masked(name)
