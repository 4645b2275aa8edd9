"""From a credential that is used back to the secrets of GitHub that it comes from.

Follows expressions, variables of workflow, job, step and script, inputs of local actions and reusable workflows, and
arguments of scripts. Must not decide what a credential is.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from trustsmith.migrate.expressions import between
from trustsmith.migrate.names import is_id
from trustsmith.migrate.repository import Spot, spot_of
from trustsmith.migrate.shell import commands

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trustsmith.migrate.expressions import Reference
    from trustsmith.migrate.repository import Call, Repository
    from trustsmith.model.document import Pair
    from trustsmith.model.workflow import Job, Workflow

_VARIABLE = re.compile(r"\$(?:env:|\{env:|\{)?([A-Za-z_]\w*)|%([A-Za-z_]\w*)%", re.IGNORECASE)
_POSITION = re.compile(r"\$\{?(\d)\b")
_ASSIGNED = re.compile(r"(?<![\w-])([\w-]+)=(?=.)", re.DOTALL)
_BEFORE = "\"' \t\r\n\v\f"
_DEPTH = 8
#: So many assignments of a variable are followed, the last ones: a script that adds to one in a hundred lines is none.
_LAST = 50


@dataclass(frozen=True, eq=False)
class Origin:
    """One mention of a secret that a credential comes from.

    names: of the secret; none for one whose name is computed, several where callers of a reusable workflow give several
    under one name. start, end: of the expression with the mention, in the spot's text. handed: it is given to a reusable workflow by
    this job's `secrets`.
    """

    names: tuple[str, ...]
    spot: Spot
    start: int
    end: int
    handed: bool = False
    alias: bool = False


class Trace:
    """Looks through one repository."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._known: dict[tuple[object, ...], tuple[Spot, list[Origin]]] = {}  # a spot is kept, and so its id

    def origins(self, spot: Spot, start: int, end: int, depth: int = _DEPTH) -> list[Origin]:
        """The secrets that a part of a text comes from, each once. Ids and users that stand beside them are left out."""
        holders = (spot.node, spot.workflow, spot.job, spot.step, *spot.calls)
        key = (*map(id, holders), spot.path, start, end, depth)
        if key not in self._known:
            found = {_same(origin): origin for origin in self._origins(spot, start, end, depth)}
            self._known[key] = spot, list(found.values())
        return self._known[key][1]

    def _origins(self, spot: Spot, start: int, end: int, depth: int) -> Iterator[Origin]:
        if not depth:
            return
        for reference in between(spot.node.value, start, end, bare=spot.is_condition):
            if reference.end <= end:
                yield from self._of_reference(spot, reference, depth)
        if spot.is_script or not spot.path:
            yield from self._of_variables(spot, start, end, depth)

    def _of_reference(self, spot: Spot, reference: Reference, depth: int) -> Iterator[Origin]:
        match reference.context:
            case "secrets" if not is_id(reference.name):
                yield from self._of_secret(spot, reference, depth)
            case "env":
                yield from self._of_variable(spot, reference.name, depth)
            case "inputs":
                yield from self._of_input(spot, reference.name, depth)
            case "steps":
                yield from self._of_output(spot, reference, depth)

    def _of_secret(self, spot: Spot, reference: Reference, depth: int) -> Iterator[Origin]:
        """A secret; in a reusable workflow what its callers give under this name, if any does."""
        handed = list(self._handed(spot, reference.name, depth))
        own = (reference.name,) if reference.name else ()
        real = tuple(dict.fromkeys(name for origin in handed for name in origin.names)) if handed else own
        yield Origin(real, spot, *reference.expression, alias=bool(handed))
        yield from handed

    def _of_output(self, spot: Spot, reference: Reference, depth: int) -> Iterator[Origin]:
        """What a step of the same job has written to `$GITHUB_OUTPUT`."""
        found = re.match(r"\s*\.\s*outputs\s*\.\s*([\w-]+)", spot.node.value[reference.end :])
        for step in spot.job.steps if spot.job and found else ():
            if found and step.node.text("id") == reference.name and step.run is not None:
                other = spot_of(step.job.workflow, step.job, step, step.run, ("run",))
                yield from self._assigned(other, found[1], depth)

    def _handed(self, spot: Spot, name: str, depth: int) -> Iterator[Origin]:
        """What callers of a reusable workflow give as this secret."""
        workflow = spot.workflow
        if workflow is None or not workflow.reusable:
            return
        for job, _ in self._repository.callers(workflow):
            given = job.node.get("secrets")
            if given is not None and given.value == "inherit":
                inherit = spot_of(job.workflow, job, None, given, ("jobs", job.id, "secrets"))
                yield Origin((name,), inherit, 0, len(given.value), handed=True)
                yield from self._handed(inherit, name, depth - 1) if depth > 1 else ()
                continue
            for pair in given.pairs if given is not None else ():
                if pair.key.value.upper() == name:
                    value = spot_of(job.workflow, job, None, pair.value, ("jobs", job.id, "secrets", name))
                    for origin in self.origins(value, 0, len(pair.value.value), depth - 1):
                        yield replace(origin, handed=True)

    def _of_input(self, spot: Spot, name: str, depth: int) -> Iterator[Origin]:
        """What callers of an action or of a reusable workflow give as this input."""
        if spot.workflow is None:
            return
        for job, step in self._repository.callers(spot.workflow):
            pair = step.inputs.get(name) if step else _entry(job, name)
            if pair is not None:
                path = ("with", pair.key.value)
                value = spot_of(job.workflow, job, step, pair.value, path)
                yield from self.origins(value, 0, len(pair.value.value), depth - 1)

    def _of_variable(self, spot: Spot, name: str, depth: int) -> Iterator[Origin]:
        """The nearest that says what a variable is: step, job, workflow; else another step that exports it."""
        for holder in (spot.step, spot.job, spot.workflow):
            pair = holder.env.get(name) if holder is not None else None
            if pair is not None and pair.value is not spot.node:
                step = spot.step if holder is spot.step else None
                job = None if holder is spot.workflow else spot.job
                value = spot_of(_workflow(spot), job, step, pair.value, ("env", name))
                yield from self.origins(value, 0, len(pair.value.value), depth - 1)
                return
        yield from self._exported(spot, name, depth)
        yield from self._of_callers(spot, name, depth)
        if depth > 1 and spot.workflow is not None and spot.workflow.is_action:
            for job, step in self._repository.callers(spot.workflow):  # an action sees its caller's variables
                caller = spot_of(job.workflow, job, step, job.node, ())
                yield from self._of_variable(caller, name, depth - 1)

    def _exported(self, spot: Spot, name: str, depth: int) -> Iterator[Origin]:
        """`echo "NAME=…" >> "$GITHUB_ENV"` in a step of the same job."""
        for step in spot.job.steps if spot.job else ():
            if step.run is None or step.run is spot.node or "GITHUB_ENV" not in step.run.value:
                continue
            other = spot_of(step.job.workflow, step.job, step, step.run, ("run",))
            yield from self._assigned(other, name, depth)

    def _of_variables(self, spot: Spot, start: int, end: int, depth: int) -> Iterator[Origin]:
        """Variables of a shell: set in the script, or around it, or by whoever calls it."""
        text = spot.node.value[start:end]
        for found in _VARIABLE.finditer(text):
            name = found[1] or found[2]
            assigned = list(self._assigned(spot, name, depth, before=start))
            yield from assigned
            if not assigned:
                yield from self._of_variable(spot, name, depth)
        for found in _POSITION.finditer(text):
            for call in spot.calls:
                yield from self._argument(call, int(found[1]) - 1, depth)

    def _assigned(self, spot: Spot, name: str, depth: int, before: int | None = None) -> Iterator[Origin]:
        """What a script assigns to a variable; `before`: only in what stands before that place."""
        found = assignments(spot.node.value)
        places = [
            (start, stop)
            for place, start, stop in (*found.get(name, ()), *found.get(f"${name.lower()}", ()))
            if before is None or place < before
        ]
        for start, stop in places[-_LAST:]:
            yield from self.origins(spot, start, stop, depth - 1)

    def _of_callers(self, spot: Spot, name: str, depth: int) -> Iterator[Origin]:
        """What a script's callers have as this variable, or give by that name: `-ClientSecret $X`."""
        for call in spot.calls if depth > 1 else ():
            yield from self._of_variable(call.spot, name, depth - 1)
            for place, (start, end) in enumerate(call.words[:-1]):
                if call.spot.node.value[start:end].lower() == f"-{name.lower()}":
                    yield from self._argument(call, place + 1, depth)

    def _argument(self, call: Call, place: int, depth: int) -> Iterator[Origin]:
        if 0 <= place < len(call.words):
            start, end = call.words[place]
            yield from self.origins(call.spot, start, end, depth - 1)


def _same(origin: Origin) -> tuple[object, ...]:
    return (
        origin.names,
        id(origin.spot.node),
        id(origin.spot.job),
        origin.start,
        origin.end,
        origin.handed,
        origin.alias,
    )


@lru_cache(maxsize=1024)
def assignments(script: str) -> Mapping[str, list[tuple[int, int, int]]]:
    """What a script assigns: variable → where the command begins, and where the value begins and ends.

    PowerShell's, `$x = y`, are named in small letters, with the sign.
    """
    found: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
    for command in commands(script):
        for word in command.words:
            once: dict[str, int] = {}
            for sign in _ASSIGNED.finditer(script, word.start, word.end):
                if sign.start(1) == word.start or script[sign.start(1) - 1] in _BEFORE:
                    once.setdefault(sign[1], sign.end())
            for name, start in once.items():
                found[name].append((command.start, start, word.end))
        first = command.words[0].text.lower()
        if first.startswith("$") and len(command.words) > 2:  # noqa: PLR2004 - `$x = y`
            name = "$" + first[1:].removeprefix("env:")
            found[name].append((command.start, command.words[1].end, command.end))
    return found


def _entry(job: Job, name: str) -> Pair | None:
    given = job.node.get("with")
    return next((p for p in given.pairs if p.key.value.lower() == name), None) if given is not None else None


def _workflow(spot: Spot) -> Workflow:
    assert spot.workflow is not None  # noqa: S101 - whoever holds variables is in a workflow
    return spot.workflow
