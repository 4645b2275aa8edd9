"""Drives one workflow run from its start to its end, whatever workflows its jobs call.

It must not order jobs or run steps: ``workflow_driver`` and ``job_runner`` do.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trustsmith_sandbox import runs
from trustsmith_sandbox.called_workflow import Place
from trustsmith_sandbox.workflow_driver import WorkflowDriver
from trustsmith_sandbox.workflow_file import DEFAULT_PERMISSIONS

if TYPE_CHECKING:
    from pathlib import Path

    from trustsmith_sandbox.workflow_file import Workflow
    from trustsmith_sandbox.world import Data, World


@dataclass
class RunDriver:
    """One run. ``shared`` are the repository's and organization's values, as they were when it was queued.

    ``actions`` is the folder of actions, if there is one.
    """

    world: World
    repository: Data
    run: Data
    workflow: Workflow
    shared: dict[str, dict[str, str]]
    actions: Path | None
    _first: WorkflowDriver = field(init=False)

    def __post_init__(self) -> None:
        place = Place(self.repository, self.run["path"], self.run["ref"], self.run["head_sha"])
        default = self.repository["actions"].get("workflow", {}).get("default_workflow_permissions", "read")
        self._first = WorkflowDriver(
            self,
            self.workflow,
            place,
            self.run["inputs"],
            self.shared["secrets"],
            DEFAULT_PERMISSIONS[default],
        )

    def cancel(self) -> None:
        """Stop what runs and what waits; the run ends soon after."""
        self.run["cancelled"] = True
        self._first.stop()

    async def drive(self) -> None:
        """Run all jobs; when we are cancelled ourselves, all of them are."""
        try:
            await self._first.drive()
        finally:
            runs.finish(self.world, self.run)
