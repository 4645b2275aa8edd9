"""Runs one job of a workflow run: its steps in order, in child processes, in a folder of its own.

``run`` steps are executed as the user who serves the sandbox. Of actions only ``checkout`` and ``setup-python``
are played; any other fails the job and says so. It must not decide whether the job may start.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shlex
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trustsmith_sandbox import job_contexts, runs
from trustsmith_sandbox.expression_values import ExpressionError
from trustsmith_sandbox.expressions import Scope
from trustsmith_sandbox.github_objects import commits, texts
from trustsmith_sandbox.processes import run_process

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from trustsmith_sandbox.job_log import JobLog
    from trustsmith_sandbox.world import Data, World

_SHELLS = {
    "": ["bash", "-e", "{0}"],
    "bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail", "{0}"],
    "sh": ["sh", "-e", "{0}"],
    "python": [sys.executable, "{0}"],
}
_PLAYED = {"actions/checkout", "actions/setup-python"}
_NOT_RUN = {"container": "containers", "services": "service containers", "uses": "reusable workflows"}
_MINUTES = 360


class StepError(Exception):
    """A step did not succeed, or the sandbox cannot do what it says."""


class JobRunner:
    """One job. ``written`` is the job's mapping in the workflow file, ``contexts`` what its expressions see.

    ``variables`` are given to every step besides the usual ones. ``cancel`` may be called at any time.
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
        log: JobLog,
    ) -> None:
        self._world, self._repository, self._run, self._job, self._written = (
            world,
            repository,
            run,
            job,
            written,
        )
        self._contexts, self._log, self._defaults = contexts | {"steps": {}}, log, defaults
        self._given, self._added, self._path = dict(variables), dict[str, str](), list[str]()
        self._status = runs.SUCCESS
        self._running: asyncio.Task[None] | None = None
        self.outputs: dict[str, str] = {}

    def cancel(self) -> None:
        """Stop the step that runs; those that follow run only if they ask to (``always()``, ``cancelled()``)."""
        self._status = runs.CANCELLED
        if self._running:
            self._running.cancel()

    async def run(self) -> str:
        """Run all steps and return the job's conclusion; the log is in the job then."""
        timer = None
        try:
            limit = self._scope().seconds(self._written.get("timeout-minutes", _MINUTES))
            timer = asyncio.get_running_loop().call_later(limit, self._time_out, limit)
            with tempfile.TemporaryDirectory(prefix="trustsmith-job-", ignore_cleanup_errors=True) as name:
                await self._all_steps(Path(name))
        except (ExpressionError, StepError) as reason:
            self._fail(str(reason))
        finally:
            if timer:
                timer.cancel()
            for step in self._job["steps"]:
                if step["status"] != "completed":
                    self._end(step, runs.FAILURE if step["status"] == "in_progress" else runs.SKIPPED)
            self._job["log"] = self._log.text
        return self._status

    def _time_out(self, seconds: float) -> None:
        self._log.write(
            f"##[error]The job has exceeded the maximum execution time of {seconds / 60:g} minutes."
        )
        self.cancel()

    def _fail(self, reason: str) -> None:
        self._log.write(f"##[error]{reason}")
        self._status = runs.FAILURE

    async def _all_steps(self, folder: Path) -> None:
        place = folder / "work" / self._repository["name"]
        for path in (place, folder / "temp", folder / "home"):
            path.mkdir(parents=True)
        event = folder / "temp" / "event.json"
        event.write_text(json.dumps(self._contexts["github"]["event"]), encoding="utf-8")
        own = {"workspace": str(place), "job": self._job["key"], "event_path": str(event)}
        github = self._contexts["github"] | own
        runner = job_contexts.RUNNER | {"temp": str(folder / "temp"), "workspace": str(folder / "work")}
        self._contexts |= {"github": github, "runner": runner}
        self._given = job_contexts.environment_variables(self._world, github, folder) | self._given
        listed = [self._listed("Set up job")]
        self._begin(listed[0])
        for name in _NOT_RUN.keys() & self._written.keys():
            raise StepError(f"The sandbox does not run {_NOT_RUN[name]}.")
        written = self._written["steps"]
        listed += [self._listed(self._name(step)) for step in written]
        listed.append(self._listed("Complete job"))
        self._end(listed[0], runs.SUCCESS)
        for step, shown in zip(written, listed[1:], strict=False):
            await self._step(step, shown, folder)
        self._begin(listed[-1])
        for name, value in self._scope().texts(self._written.get("outputs")).items():
            if self._log.masked(value) == value:
                self.outputs[name] = value
            else:
                self._log.write(f"##[warning]Skip output '{name}' since it may contain secret.")
        self._log.write("Cleaning up orphan processes")
        self._end(listed[-1], runs.SUCCESS)

    def _listed(self, name: str) -> Data:
        step: Data = {
            "name": name,
            "number": len(self._job["steps"]) + 1,
            "status": "queued",
            "conclusion": None,
        }
        self._job["steps"].append(step | {"started_at": None, "completed_at": None})
        shown: Data = self._job["steps"][-1]
        return shown

    def _begin(self, shown: Data) -> None:
        runs.start(self._world, self._run, shown)

    def _end(self, shown: Data, conclusion: str) -> None:
        runs.complete(self._world, self._run, shown, conclusion)

    def _name(self, step: Data) -> str:
        plain = f"Run {step.get('uses') or str(step.get('run', '')).strip().partition(chr(10))[0]}"
        return self._log.masked(self._scope().text(step["name"]) if "name" in step else plain)

    def _scope(self, env: Mapping[str, str] | None = None) -> Scope:
        contexts = self._contexts | {"job": {"status": self._status}}
        contexts["env"] = self._contexts["env"] | self._added | (env or {})
        status = {
            "success": lambda: self._status == runs.SUCCESS,
            "failure": lambda: self._status == runs.FAILURE,
            "cancelled": lambda: self._status == runs.CANCELLED,
            "always": lambda: True,
        }
        return Scope(contexts, status)

    async def _step(self, step: Data, shown: Data, folder: Path) -> None:
        """Run a step if it is to be run, and note how it ended."""
        self._outputs: dict[str, str] = {}
        self._begin(shown)
        outcome = runs.FAILURE
        try:
            env = self._scope().texts(step.get("env"))
            scope = self._scope(env)
            limit = scope.seconds(step.get("timeout-minutes", _MINUTES))
            wanted = scope.condition(step.get("if"))
            outcome = (
                await self._watched(self._act(step, scope, env, folder), limit) if wanted else runs.SKIPPED
            )
            tolerated = scope.value(step.get("continue-on-error", False)) is True
        except ExpressionError as reason:
            self._log.write(f"##[error]{reason}")
            tolerated = False
        conclusion = runs.SUCCESS if outcome == runs.FAILURE and tolerated else outcome
        if conclusion == runs.FAILURE and self._status == runs.SUCCESS:
            self._status = runs.FAILURE
        ended = {"outputs": self._outputs, "outcome": outcome, "conclusion": conclusion}
        self._contexts["steps"] |= {str(step["id"]): ended} if "id" in step else {}
        self._end(shown, conclusion)

    async def _watched(self, doing: Coroutine[Any, Any, None], limit: float) -> str:
        """Return how a step ended that may be cancelled, alone or with all that we do."""
        self._running = asyncio.create_task(doing)
        try:
            await asyncio.wait({self._running}, timeout=limit)
        finally:
            stopped, self._running = self._running, None
            timed_out = not stopped.done()
            stopped.cancel()
            await asyncio.wait({stopped})
        if timed_out:
            self._log.write(f"##[error]The step has timed out after {limit / 60:g} minutes.")
            return runs.FAILURE
        if stopped.cancelled():
            self._log.write("##[error]The operation was canceled.")
            return runs.CANCELLED
        failed = stopped.exception()
        if failed is not None:
            self._log.write(f"##[error]{failed}")
        return runs.SUCCESS if failed is None else runs.FAILURE

    async def _act(self, step: Data, scope: Scope, env: dict[str, str], folder: Path) -> None:
        """Do what a step says. Raises ``StepError`` and others when it fails: any of them ends the step alone."""
        if "uses" in step:
            self._play(str(step["uses"]), Path(scope.contexts["github"]["workspace"]))
            return
        script, command = scope.text(step.get("run", "")), self._command(step, scope)
        file = folder / "temp" / ("script.py" if command[0] == sys.executable else "script.sh")
        file.write_text(script, encoding="utf-8")
        command = [part.replace("{0}", str(file)) for part in command]
        self._log.write(f"##[group]Run {script.strip().partition(chr(10))[0]}")
        self._log.write("\n".join(f"\x1b[36;1m{line}\x1b[0m" for line in script.rstrip().split("\n")))
        self._log.write(f"shell: {shlex.join(command)}\n##[endgroup]")
        place = Path(scope.contexts["github"]["workspace"]) / str(
            self._setting(step, scope, "working-directory")
        )
        code = await run_process(command, place, self._variables(scope, env, folder), self._log.output)
        self._take_files(folder)
        if code:
            # a signal, as a shell would tell it
            raise StepError(f"Process completed with exit code {code if code > 0 else 128 - code}.")

    def _setting(self, step: Data, scope: Scope, name: str) -> str:
        own = scope.texts(self._written["defaults"].get("run")).get(name)
        return scope.text(step.get(name) or own or self._defaults.get(name) or "")

    def _command(self, step: Data, scope: Scope) -> list[str]:
        shell = self._setting(step, scope, "shell")
        if shell not in _SHELLS:
            known = ", ".join(filter(None, _SHELLS))
            raise StepError(f"The sandbox does not run the shell '{shell}'; it has {known}.")
        return _SHELLS[shell]

    def _variables(self, scope: Scope, env: Mapping[str, str], folder: Path) -> dict[str, str]:
        """Return a step's variables, with fresh files for what it has to say."""
        own: dict[str, str] = self._given | scope.contexts["env"] | dict(env)
        if self._path:
            own["PATH"] = ":".join([*reversed(self._path), own["PATH"]])
        for name in job_contexts.FILES:
            file = folder / "temp" / name
            file.write_text("", encoding="utf-8")
            own[f"GITHUB_{name.upper()}"] = str(file)
        return own

    def _take_files(self, folder: Path) -> None:
        temp = folder / "temp"
        self._outputs = job_contexts.read_pairs(temp / "output")
        self._added |= job_contexts.read_pairs(temp / "env")
        self._path += (temp / "path").read_text(encoding="utf-8").split("\n")[:-1]

    def _play(self, action: str, place: Path) -> None:
        name = action.partition("@")[0].lower()
        self._log.write(f"##[group]Run {action}\n##[endgroup]")
        if name not in _PLAYED:
            text = (
                f"The sandbox does not run actions: {action}. It plays {' and '.join(sorted(_PLAYED))} only."
            )
            raise StepError(text)
        if name == "actions/checkout":
            tree = commits(self._repository)[self._run["head_sha"]]["tree"]
            for path, text in texts(self._repository, tree).items():
                with contextlib.suppress(FileExistsError):
                    (place / path).parent.mkdir(parents=True)
                (place / path).write_text(text, encoding="utf-8")
