"""Runs JavaScript actions: ``pre``, ``main`` and ``post``, with the inputs and variables that their toolkit reads.

Written from GitHub's "metadata syntax" and "workflow commands". ``node`` is the one on PATH, whatever version an
action names. It must not run a composite action: ``job_steps`` does.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from trustsmith_sandbox import runs
from trustsmith_sandbox.action_file import ActionError
from trustsmith_sandbox.expression_values import ExpressionError
from trustsmith_sandbox.job_frame import MINUTES
from trustsmith_sandbox.job_state import StepError
from trustsmith_sandbox.processes import run_process

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trustsmith_sandbox.action_file import Action
    from trustsmith_sandbox.job_frame import Frame
    from trustsmith_sandbox.job_log import JobLog
    from trustsmith_sandbox.job_state import JobState, Step
    from trustsmith_sandbox.step_talk import Talk


@dataclass(frozen=True)
class Use:
    """A step that uses a JavaScript action.

    ``name`` is the step's, ``env`` its variables, ``own`` what the action alone is given. ``state`` is what its
    phases tell each other.
    """

    name: str
    frame: Frame
    action: Action
    env: dict[str, str]
    own: dict[str, str]
    state: dict[str, str]

    async def run(self, phase: str, talk: Talk) -> None:
        """Run a phase. Raises ``StepError`` and others when it fails."""
        job = self.frame.job
        node = shutil.which("node", path=job.given["PATH"])
        if node is None:
            raise ActionError(f"{self.action.uses} is a JavaScript action, and there is no node on PATH.")
        told = self.own | {f"STATE_{name}": value for name, value in self.state.items()}
        variables = job.variables(self.frame.scope(self.env).contexts["env"], talk, told)
        script = self.action.folder / self.action.scripts[phase]
        try:
            code = await run_process([node, str(script)], job.workspace, variables, talk.hear)
            job.take(talk)
        finally:
            self.state.update(talk.state)
        if code:
            raise StepError

    async def around(self, phase: str) -> str:
        """Run ``pre`` or ``post`` if its condition holds; return how it ended."""
        frame = self.frame
        try:
            if not frame.scope(self.env).holds(self.action.conditions[phase]):
                return runs.SKIPPED
            outcome = await frame.watched(self.run(phase, frame.job.talk()), MINUTES * 60)
        except ExpressionError as reason:
            frame.job.log.problem(str(reason))
            outcome = runs.FAILURE
        if outcome == runs.FAILURE:
            frame.ended = runs.FAILURE
        return outcome


def use_of(frame: Frame, step: Step, action: Action, env: dict[str, str], told: dict[str, str]) -> Use:
    """Return a step's use of an action; ``told`` is what the ``github`` context says of it."""
    inputs = inputs_of(frame, step, action, env)
    own = {f"INPUT_{name.replace(' ', '_').upper()}": value for name, value in inputs.items()}
    own |= {f"GITHUB_{name.upper()}": value for name, value in told.items() if name != "action_path"}
    return Use(step.name, frame, action, env, own, frame.job.states.setdefault(step.place, {}))


def inputs_of(frame: Frame, step: Step, action: Action, env: dict[str, str]) -> dict[str, str]:
    """Return an action's inputs: what the step gives, else the defaults, in the names that the action knows."""
    scope, known = frame.scope(env), {name.lower(): name for name in action.inputs}
    given = scope.texts(step.written.get("with"))
    defaults = {
        name: scope.text(rule.default) for name, rule in action.inputs.items() if rule.default is not None
    }
    return defaults | {known.get(name.lower(), name): value for name, value in given.items()}


def warn(log: JobLog, action: Action, given: Mapping[str, str]) -> None:
    """Say which of a step's inputs the action does not know, or wants to be used no more."""
    names = {name.lower() for name in given}
    known = {name.lower() for name in action.inputs}
    if unknown := [name for name in given if name.lower() not in known]:
        quoted, valid = (", ".join(f"'{name}'" for name in each) for each in (unknown, action.inputs))
        log.write(f"##[warning]Unexpected input(s) {quoted}, valid inputs are [{valid}]")
    for name, rule in action.inputs.items():
        if name.lower() in names and rule.deprecated:
            log.write(f"##[warning]Input '{name}' has been deprecated with message: {rule.deprecated}")


def told_of(job: JobState, step: Step, action: Action) -> dict[str, str]:
    """Return what the ``github`` context says of the action that runs."""
    place, _, ref = action.uses.partition("@")
    repository = "/".join(place.split("/")[:2]) if ref else ""
    name = job.name_of(step, repository.replace("/", "_") or "self")
    return {
        "action": name,
        "action_repository": repository,
        "action_ref": ref,
        "action_path": str(action.folder),
    }
