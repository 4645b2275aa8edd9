"""Runs a step of a job or of a composite action: whether it is to be run, how it ends, what it leaves.

Scripts and actions are executed as the user who serves the sandbox; the actions of ``played_actions`` are played
where they are not there. It must not list steps for the API: ``job_runner`` does.
"""

from __future__ import annotations

import asyncio
import shlex
import sys
from typing import TYPE_CHECKING

from trustsmith_sandbox import runs
from trustsmith_sandbox.action_file import ActionError
from trustsmith_sandbox.action_shelf import local
from trustsmith_sandbox.expression_values import ExpressionError
from trustsmith_sandbox.javascript_actions import inputs_of, told_of, use_of, warn
from trustsmith_sandbox.job_frame import MINUTES, Frame
from trustsmith_sandbox.job_state import Step, StepError
from trustsmith_sandbox.played_actions import play
from trustsmith_sandbox.processes import run_process

if TYPE_CHECKING:
    from trustsmith_sandbox.action_file import Action
    from trustsmith_sandbox.expressions import Scope
    from trustsmith_sandbox.javascript_actions import Use
    from trustsmith_sandbox.step_talk import Talk
    from trustsmith_sandbox.world import Data

_SHELLS = {
    "": ["bash", "-e", "{0}"],
    "bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail", "{0}"],
    "sh": ["sh", "-e", "{0}"],
    "python": [sys.executable, "{0}"],
}
_IN_COMPOSITE = ("strategy", "matrix", "runner")  # with inputs, github, job, steps and env: all that it sees


async def perform(frame: Frame, step: Step) -> str:
    """Run a step if it is to be run; note how it ended for those that follow, and return its conclusion."""
    talk, outcome, tolerated = frame.job.talk(), runs.FAILURE, False
    try:
        env = frame.scope().texts(step.written.get("env"))
        scope = frame.scope(env)
        limit = scope.seconds(step.written.get("timeout-minutes", MINUTES))
        wanted = scope.condition(step.written.get("if"))
        outcome = await frame.watched(_act(frame, step, env, talk), limit) if wanted else runs.SKIPPED
        tolerated = scope.value(step.written.get("continue-on-error", False)) is True
    except ExpressionError as reason:
        frame.job.log.problem(str(reason))
    conclusion = runs.SUCCESS if outcome == runs.FAILURE and tolerated else outcome
    if conclusion == runs.FAILURE:
        frame.ended = runs.FAILURE
    if "id" in step.written:
        ended = {"outputs": talk.outputs, "outcome": outcome, "conclusion": conclusion}
        frame.steps[str(step.written["id"])] = ended
    return conclusion


async def before(frame: Frame, step: Step) -> list[Use]:
    """Return what a step's action, and the actions inside it, do before the job's first step.

    An action that cannot be had is no matter yet: its step says so, if it comes to that.
    """
    uses = str(step.written.get("uses", "./"))
    if uses.startswith("./"):
        return []
    try:
        action = await asyncio.to_thread(frame.job.shelf.remote, uses)
    except ActionError:
        return []
    if action is None:
        return []
    env, told = frame.scope().texts(step.written.get("env")), told_of(frame.job, step, action)
    if action.steps:
        inner = _inside(frame, step, action, env, told)
        return [use for each in _steps_of(action, step) for use in await before(inner, each)]
    return [use_of(frame, step, action, env, told)] if "pre" in action.scripts else []


async def _act(frame: Frame, step: Step, env: dict[str, str], talk: Talk) -> None:
    """Do what a step says. Raises ``StepError`` and others when it fails: any of them ends the step alone."""
    if "uses" not in step.written:
        await _script(frame, step, env, talk)
        return
    job, uses = frame.job, str(step.written["uses"])
    given = frame.scope(env).texts(step.written.get("with"))
    lines = [f"##[group]Run {uses}", *(f"  {key}: {value}" for key, value in given.items()), "##[endgroup]"]
    job.log.write("\n".join(lines))
    is_local = uses.startswith("./")
    action = local(uses, job.workspace) if is_local else await asyncio.to_thread(job.shelf.remote, uses)
    if action is None:
        await play(job, uses, talk)
        return
    warn(job.log, action, given)
    told = told_of(job, step, action)
    if action.steps:
        await _composite(_inside(frame, step, action, env, told), step, action, talk)
        return
    use = use_of(frame, step, action, env, told)
    if "post" in action.scripts:
        frame.posts.append(use)
    await use.run("main", talk)


def _inside(frame: Frame, step: Step, action: Action, env: dict[str, str], told: Data) -> Frame:
    """Return the frame of a composite action's steps, which see its inputs, and neither secrets nor variables."""
    contexts = {name: frame.contexts[name] for name in _IN_COMPOSITE}
    inputs = dict.fromkeys(action.inputs, "") | inputs_of(frame, step, action, env)
    contexts |= {"github": frame.contexts["github"] | told, "inputs": inputs}
    return Frame(frame.job, contexts, frame.env | env, {}, frame.posts, frame)


def _steps_of(action: Action, around: Step) -> list[Step]:
    return [
        Step(each, str(each.get("name") or f"Run {each.get('uses')}"), (*around.place, number))
        for number, each in enumerate(action.steps)
    ]


async def _composite(inner: Frame, step: Step, action: Action, talk: Talk) -> None:
    for each in _steps_of(action, step):
        await perform(inner, each)
    talk.outputs |= inner.scope().texts(action.outputs)
    if inner.ended == runs.FAILURE:
        raise StepError


async def _script(frame: Frame, step: Step, env: dict[str, str], talk: Talk) -> None:
    job, scope = frame.job, frame.scope(env)
    script, command = scope.text(step.written.get("run", "")), _command(frame, step, scope)
    file = job.temp / ("script.py" if command[0] == sys.executable else "script.sh")
    file.write_text(script, encoding="utf-8")
    command = [part.replace("{0}", str(file)) for part in command]
    job.log.write(f"##[group]Run {script.strip().partition(chr(10))[0]}")
    job.log.write("\n".join(f"\x1b[36;1m{line}\x1b[0m" for line in script.rstrip().split("\n")))
    job.log.write(f"shell: {shlex.join(command)}\n##[endgroup]")
    place = job.workspace / _setting(frame, step, scope, "working-directory")
    told = {"GITHUB_ACTION": job.name_of(step, "run")} | _where(frame)
    code = await run_process(command, place, job.variables(scope.contexts["env"], talk, told), talk.hear)
    job.take(talk)
    if code:  # a signal, as a shell would tell it
        raise StepError(f"Process completed with exit code {code if code > 0 else 128 - code}.")


def _where(frame: Frame) -> dict[str, str]:
    """Return where the composite action is that a script belongs to."""
    path = frame.contexts["github"].get("action_path")
    return {"GITHUB_ACTION_PATH": str(path)} if path else {}


def _setting(frame: Frame, step: Step, scope: Scope, name: str) -> str:
    return scope.text(step.written.get(name) or frame.defaults.get(name) or "")


def _command(frame: Frame, step: Step, scope: Scope) -> list[str]:
    shell = _setting(frame, step, scope, "shell")
    if shell not in _SHELLS:
        known = ", ".join(filter(None, _SHELLS))
        raise StepError(f"The sandbox does not run the shell '{shell}'; it has {known}.")
    return _SHELLS[shell]
