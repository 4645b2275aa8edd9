"""Workflows that jobs call: where the file is, and what it gets of its caller's inputs, secrets and permissions.

Written from GitHub's "reuse workflows"; the words of refusals are GitHub's where public reports have them. It must not
run anything: ``workflow_driver`` does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trustsmith_sandbox import github_objects, workflow_file
from trustsmith_sandbox.expression_values import text_of
from trustsmith_sandbox.github_routes import named_repository
from trustsmith_sandbox.github_shapes import full_name
from trustsmith_sandbox.workflow_file import Workflow, WorkflowError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trustsmith_sandbox.expressions import Scope
    from trustsmith_sandbox.world import Data, World

MOST_LEVELS = 10  # of workflows, the first one included (GitHub docs, "limitations")
_ELSEWHERE = re.compile(r"(?P<repository>[\w.-]+/[\w.-]+)/(?P<path>\.github/workflows/[^/@]+)@(?P<ref>.+)")
_NOTHING = {"boolean": False, "number": 0.0, "string": ""}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "boolean": bool,
    "number": (int, float),
    "string": (str, int, float, bool),
}


@dataclass(frozen=True)
class Place:
    """Where a workflow's file is: the repository, the path in it, the full ref (or commit) and the commit."""

    repository: Data
    path: str
    ref: str
    sha: str

    @property
    def name(self) -> str:
        """How tokens name it, as ``job_workflow_ref``."""
        return f"{full_name(self.repository)}/{self.path}@{self.ref}"

    def called(self, world: World, uses: str) -> Place:
        """Return the place of a workflow that is called from here. Raises ``WorkflowError``."""
        if uses.startswith("./"):
            return Place(self.repository, uses.removeprefix("./"), self.ref, self.sha)
        found = _ELSEWHERE.fullmatch(uses)
        repository = named_repository(world, found["repository"]) if found else None
        sha = github_objects.resolve(world, repository, found["ref"]) if found and repository else None
        if found is None or repository is None or sha is None:
            raise WorkflowError(f'error parsing called workflow "{uses}": workflow was not found.')
        return Place(repository, found["path"], _full_ref(repository, found["ref"]), sha)

    def read(self) -> Workflow:
        """Return the workflow that is there. Raises ``WorkflowError``."""
        files = github_objects.texts(
            self.repository, github_objects.commits(self.repository)[self.sha]["tree"]
        )
        if self.path not in files:
            raise WorkflowError(f'error parsing called workflow "{self.name}": workflow was not found.')
        return workflow_file.read_workflow(files[self.path])


def _full_ref(repository: Data, ref: str) -> str:
    if ref.startswith("refs/"):
        return ref
    kinds = (("heads", repository["files"]), ("tags", github_objects.tags(repository)))
    return next((f"refs/{kind}/{ref}" for kind, names in kinds if ref in names), ref)


def inputs(workflow: Workflow, given: Mapping[str, Any]) -> Data:
    """Return a called workflow's inputs with their types: what ``with`` gives, else the defaults.

    Raises ``WorkflowError``.
    """
    if "workflow_call" not in workflow.triggers:
        raise WorkflowError("The workflow is not reusable: it has no 'workflow_call' trigger.")
    rules = workflow.described("workflow_call", "inputs")
    _check_names("input", rules, given)
    return {name: _input(name, rule, given.get(name, rule.get("default"))) for name, rule in rules.items()}


def _input(name: str, rule: Mapping[str, Any], value: Any) -> Any:
    kind = str(rule.get("type", "string"))
    if kind not in _NOTHING:
        raise WorkflowError(f"The input '{name}' has the type '{kind}', which there is not.")
    if value is None:
        return _NOTHING[kind]
    if not isinstance(value, _TYPES[kind]) or (kind == "number" and isinstance(value, bool)):
        raise WorkflowError(f"Unexpected value '{text_of(value)}' for the input '{name}', which is a {kind}.")
    return text_of(value) if kind == "string" else value


def secrets(workflow: Workflow, written: Any, scope: Scope, held: Mapping[str, str]) -> dict[str, str]:
    """Return the secrets that a called workflow sees: all that the caller holds, or those that it hands on.

    Raises ``WorkflowError``.
    """
    if written == "inherit":
        return dict(held)
    given = scope.texts(written)
    _check_names("secret", workflow.described("workflow_call", "secrets"), given)
    return given


def _check_names(kind: str, rules: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any]) -> None:
    for name in given:
        if name not in rules:
            raise WorkflowError(f"Invalid {kind}, {name} is not defined in the referenced workflow.")
    for name, rule in rules.items():
        if rule.get("required") is True and name not in given and "default" not in rule:
            raise WorkflowError(f"{kind.capitalize()} {name} is required, but not provided while calling.")


def check_permissions(place: Place, workflow: Workflow, allowed: Mapping[str, str]) -> None:
    """Raise ``WorkflowError`` where a job of a called workflow asks for more than its caller has."""
    for key, job in workflow.jobs.items():
        asked = workflow_file.granted(workflow.permissions, job.get("permissions"), allowed)
        wide = workflow_file.too_much(asked, allowed)
        if wide:
            name, wanted, had = wide[0]
            raise WorkflowError(
                f"Error calling workflow '{place.name}'. The nested job '{key}' is requesting '{name}: {wanted}',"
                f" but is only allowed '{name}: {had}'."
            )
