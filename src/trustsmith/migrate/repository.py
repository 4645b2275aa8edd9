"""A repository's workflows, actions and scripts, who calls whom, and each text in them with where it stands.

Must not look for credentials.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from trustsmith.model.document import whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trustsmith.model.document import Node
    from trustsmith.model.workflow import Job, Step, Workflow

Path = tuple[str | int, ...]
#: Inputs by which actions take a script of a shell.
_SCRIPTS = {"inlinescript", "script", "command", "run"}
_OTHER_LANGUAGES = {"actions/github-script"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Spot:
    """One text of a file. path: the keys and numbers that lead to it; nothing for a script.

    calls: for a script, the steps that call it, with the words after its name.
    """

    file: str
    text: str
    node: Node
    path: Path = ()
    workflow: Workflow | None = None
    job: Job | None = None
    step: Step | None = None
    calls: tuple[Call, ...] = ()

    @property
    def key(self) -> str:
        """The key that it is the value of."""
        return str(self.path[-1]) if self.path else ""

    @property
    def input(self) -> str:
        """The step's input that it is the value of, in small letters, or ""."""
        is_input = self.step is not None and len(self.path) > 1 and self.path[-2] == "with"
        return self.key.lower() if is_input else ""

    @property
    def variable(self) -> str:
        """The variable that it is the value of, or ""."""
        return self.key if len(self.path) > 1 and self.path[-2] == "env" else ""

    @property
    def is_condition(self) -> bool:
        """Whether it is an expression without `${{ }}` around it."""
        return self.key == "if"

    @property
    def is_script(self) -> bool:
        """Whether a shell runs it."""
        if not self.path:
            return not self.file.endswith((".py", ".js", ".mjs", ".cjs", ".ts"))
        if self.step is None:
            return False
        if self.input:
            return self.input in _SCRIPTS and self.step.action not in _OTHER_LANGUAGES
        return self.key == "run" and self.step.shell.partition(" ")[0] not in {"python", "node"}


@dataclass(frozen=True, eq=False)
class Call:
    """A script that is called. spot: the script that calls; words: what stands after its name, as places in it."""

    path: str
    spot: Spot
    words: tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True)
class Repository:
    """What was read of a checkout. scripts: path → text."""

    workflows: tuple[Workflow, ...]
    scripts: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def spots(self) -> tuple[Spot, ...]:
        """Every text of every workflow and action."""
        return tuple(spot for workflow in self.workflows for spot in _spots(workflow))

    def script(self, path: str, calls: tuple[Call, ...]) -> Spot:
        """A script as a spot."""
        text = self.scripts[path]
        return Spot(file=path, text=text, node=whole(text), calls=calls)

    def callers(self, workflow: Workflow) -> Iterator[tuple[Job, Step | None]]:
        """The jobs that call a reusable workflow, or the steps that use an action."""
        wanted = workflow.folder if workflow.is_action else workflow.file
        for other in self.workflows:
            for job in other.jobs:
                if not workflow.is_action and job.local == wanted:
                    yield job, None
                for step in job.steps if workflow.is_action else ():
                    if step.local == wanted:
                        yield job, step


def spot_of(workflow: Workflow, job: Job | None, step: Step | None, node: Node, path: Path) -> Spot:
    """A text of a workflow as a spot."""
    return Spot(
        file=workflow.file, text=workflow.text, node=node, path=path, workflow=workflow, job=job, step=step
    )


def _spots(workflow: Workflow) -> Iterator[Spot]:
    jobs = {id(job.node): job for job in workflow.jobs}
    steps = {id(step.node): step for step in workflow.steps}

    def walk(node: Node, path: Path, job: Job | None, step: Step | None) -> Iterator[Spot]:
        job, step = jobs.get(id(node), job), steps.get(id(node), step)
        if node.kind == "text":
            yield spot_of(workflow, job, step, node, path)
        for pair in node.pairs:
            yield from walk(pair.value, (*path, pair.key.value), job, step)
        for number, item in enumerate(node.items):
            yield from walk(item, (*path, number), job, step)

    yield from walk(workflow.root, (), None, None)
