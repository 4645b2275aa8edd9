"""Workflows and actions as far as credentials go: jobs, steps, variables, inputs, and what they call.

Built from a document's nodes; must not know YAML, read files, or know any action. What is not as GitHub wants it is
left out: GitHub says so itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trustsmith.model.document import Node, Pair

WORKFLOWS = ".github/workflows"
_LOCAL = re.compile(r"\./(.+)")


@dataclass(frozen=True, kw_only=True, eq=False)
class Step:
    """One step. inputs: what `with` gives, by name in small letters. env: its own variables."""

    node: Node
    job: Job
    uses: Node | None
    run: Node | None
    inputs: Mapping[str, Pair]
    env: Mapping[str, Pair]

    @cached_property
    def action(self) -> str:
        """What `uses` names, in small letters and without its version: `azure/login`, `./.github/actions/login`."""
        return self.uses.value.partition("@")[0].lower().rstrip("/") if self.uses else ""

    @property
    def name(self) -> str:
        """What people call it."""
        return self.node.text("name")

    @property
    def local(self) -> str:
        """The folder of the local action that it uses, from the checkout; "" for any other step."""
        return local(self.uses)

    @property
    def shell(self) -> str:
        """The shell of `run`: the step's own, else the default; "" when nothing says."""
        return self.node.text("shell") or self.job.default("shell")

    @property
    def folder(self) -> str:
        """Where `run` is run, from the checkout."""
        return self.node.text("working-directory") or self.job.default("working-directory") or "."


@dataclass(frozen=True, kw_only=True, eq=False)
class Job:
    """A job, or the steps of a composite action, which then has no `id`.

    node: the mapping; key: where its name stands, None in an action.
    """

    id: str
    node: Node
    key: Node | None
    workflow: Workflow

    @cached_property
    def env(self) -> Mapping[str, Pair]:
        """Variables of all its steps."""
        return by_name(self.node.get("env"))

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Its steps."""
        listed = self.node.get("steps")
        return tuple(self._step(node) for node in (listed.items if listed else ()) if node.kind == "map")

    def _step(self, node: Node) -> Step:
        return Step(
            node=node,
            job=self,
            uses=node.get("uses"),
            run=node.get("run"),
            inputs={pair.key.value.lower(): pair for pair in entries(node.get("with"))},
            env=by_name(node.get("env")),
        )

    @property
    def environment(self) -> Node | None:
        """Where the name of its environment is given."""
        given = self.node.get("environment")
        return given.get("name") if given and given.kind == "map" else given

    @property
    def uses(self) -> Node | None:
        """The reusable workflow that it calls."""
        return self.node.get("uses")

    @property
    def local(self) -> str:
        """The path of the local workflow that it calls, or ""."""
        return local(self.uses)

    def default(self, name: str) -> str:
        """A default for `run`: the job's, else the workflow's."""
        for holder in (self.node, self.workflow.root):
            defaults = holder.get("defaults")
            run = defaults.get("run") if defaults else None
            if run and (said := run.text(name)):
                return said
        return ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Workflow:
    """A workflow file, or an action's. file: its path from the checkout."""

    file: str
    text: str
    root: Node

    @cached_property
    def jobs(self) -> tuple[Job, ...]:
        """Its jobs; an action has one without a name."""
        jobs, runs = self.root.get("jobs"), self.root.get("runs")
        if jobs is None:
            return (Job(id="", node=runs, key=None, workflow=self),) if runs is not None else ()
        named = ((pair.key, pair.value) for pair in jobs.pairs if pair.value.kind == "map")
        return tuple(Job(id=key.value, node=node, key=key, workflow=self) for key, node in named)

    @property
    def is_action(self) -> bool:
        """Whether it is an action."""
        return self.root.get("runs") is not None and self.root.get("jobs") is None

    @property
    def folder(self) -> str:
        """Where an action's file is."""
        return PurePosixPath(self.file).parent.as_posix()

    @cached_property
    def env(self) -> Mapping[str, Pair]:
        """Variables of all jobs."""
        return by_name(self.root.get("env"))

    @cached_property
    def called_with(self) -> Mapping[str, Pair]:
        """The secrets that a reusable workflow declares, by name in capitals."""
        declared = _below(self.root, "on", "workflow_call", "secrets")
        return {pair.key.value.upper(): pair for pair in entries(declared)}

    @property
    def reusable(self) -> bool:
        """Whether others may call it."""
        return "workflow_call" in self.triggers

    @cached_property
    def triggers(self) -> frozenset[str]:
        """What starts it."""
        triggers = self.root.get("on")
        if triggers is None:
            return frozenset()
        named = {triggers.value, *(i.value for i in triggers.items), *(p.key.value for p in triggers.pairs)}
        return frozenset(named - {""})

    @cached_property
    def inputs(self) -> Mapping[str, Pair]:
        """The inputs of an action or of a reusable workflow, by name in small letters."""
        call = _below(self.root, "on", "workflow_call", "inputs")
        declared = self.root.get("inputs") if self.is_action else call
        return {pair.key.value.lower(): pair for pair in entries(declared)}

    @property
    def steps(self) -> Iterator[Step]:
        """The steps of all jobs."""
        for job in self.jobs:
            yield from job.steps


def entries(node: Node | None) -> tuple[Pair, ...]:
    """A mapping's entries; none of what is no mapping."""
    return node.pairs if node is not None else ()


def by_name(node: Node | None) -> dict[str, Pair]:
    """A mapping's entries that have a text as value, by key as it is written."""
    return {pair.key.value: pair for pair in entries(node) if pair.value.kind == "text"}


def local(uses: Node | None) -> str:
    """The path that a `uses` names in the same checkout; "" when it names something elsewhere."""
    found = _LOCAL.fullmatch(uses.value.strip()) if uses is not None else None
    return PurePosixPath(found[1]).as_posix() if found else ""


def _below(node: Node | None, *names: str) -> Node | None:
    for name in names:
        node = node.get(name) if node is not None else None
    return node
