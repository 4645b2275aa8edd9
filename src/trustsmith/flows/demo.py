"""`demo`: what a user would type, typed for them against the sandbox. Every command is run as a process of its own."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trustsmith.errors import ServiceError
from trustsmith.flows.sandbox import running
from trustsmith.ui.report import Line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trustsmith.ui.console import Console

_REPOSITORY = "contoso/agents"
_WORKFLOW = Path(".github/workflows/deploy-agents.yml")
_SUBSCRIPTIONS = {"dev": "1", "staging": "1", "prod": "2"}
_PROJECT = (
    "/subscriptions/aaaaaaaa-0000-0000-0000-00000000000{number}/resourceGroups/rg-foundry-{name}"
    "/providers/Microsoft.CognitiveServices/accounts/foundry-{name}/projects/agents"
)
_PRODUCTION = ["--reviewer", "prod=team:platform", "--branch", "prod=main", "--wait", "prod=10"]
_BESIDE = [
    Line(""),
    Line("  Beside it, .github/workflows/check-trust.yml: at your GitHub, `trustsmith verify --run`"),
    Line("  starts it, and proves what is played here."),
]
_OK, _FORBIDDEN = 200, 403


def demo(console: Console) -> None:
    """Tell the story. Raises ServiceError when a part of it does not go as it must."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="trustsmith-demo-") as name:
        folder = Path(name)
        checkout = folder / "agents"
        checkout.mkdir()
        _head(console, "A sandbox: Entra, Graph, ARM, Foundry and GitHub on this machine")
        with running(folder) as exports:
            stage = _Stage(console, checkout, exports)
            console.data([Line(f"It serves at {exports['AZURE_AUTHORITY_HOST']}")])
            _tell(stage)
    took = f"The demo took {time.monotonic() - began:.0f} s, and left nothing behind."
    console.data([Line(""), Line(took, "bold"), *_YOURS])


_YOURS = [
    Line(""),
    Line("To do this for a repository of your own, in its checkout:", "bold"),
    Line("  az login                      # or sign in to azd; or --sign-in browser"),
    Line("  gh auth login                 # or set GH_TOKEN"),
    Line("  trustsmith setup              # asks, shows the plan, changes nothing before you say yes"),
]


@dataclass(frozen=True)
class _Stage:
    """Where commands are run, and with what environment."""

    console: Console
    checkout: Path
    exports: Mapping[str, str]

    def trustsmith(self, *arguments: str) -> None:
        """Run the tool as a user would, and show what it says."""
        words = shlex.join(arguments).replace(" --", " \\\n    --")
        self.console.data(Line(line, "bold cyan") for line in f"$ trustsmith {words}".split("\n"))
        command = [sys.executable, "-m", "trustsmith", *arguments]
        done = subprocess.run(command, cwd=self.checkout, env=self._environment(), check=False)  # noqa: S603 - ourselves
        if done.returncode:
            raise _went_wrong(f"trustsmith {arguments[0]} ended with {done.returncode}")

    def job(self, environment: str, *others: str) -> dict[str, Any]:
        """Play a job of that environment: what it could reach."""
        command = [sys.executable, "-m", "trustsmith_sandbox", "job"]
        command += ["--repository", _REPOSITORY, "--environment", environment]
        command += [word for other in others for word in ("--project-of", other)]
        done = subprocess.run(command, env=self._environment(), check=False, capture_output=True, text=True)  # noqa: S603 - our own module
        try:
            found: dict[str, Any] = json.loads(done.stdout)
        except ValueError as error:
            raise _went_wrong(f"the job of {environment} could not run", done.stderr) from error
        return found

    def _environment(self) -> dict[str, str]:
        """Nothing of the caller's own sign-in reaches the sandbox, nor the other way round."""
        own = {
            n: v
            for n, v in os.environ.items()
            if not n.startswith(("AZURE_", "GH_", "GITHUB_", "TRUSTSMITH_"))
        }
        return {**own, **self.exports}


def _tell(stage: _Stage) -> None:
    console = stage.console
    environments = [f"--env={name}={_project(name)}" for name in _SUBSCRIPTIONS]
    _head(console, "The wizard's job, with flags in place of questions")
    stage.trustsmith("setup", "--no-input", "--yes", "--repo", _REPOSITORY, *environments, *_PRODUCTION)
    _head(console, f"The workflow it rendered: {_WORKFLOW.as_posix()} (the job of dev)")
    console.data(Line(f"  {line}") for line in _job_of_dev(stage.checkout / _WORKFLOW))
    console.data(_BESIDE)
    _head(console, "A job of each environment exchanges its token, and calls its own project and prod's")
    _play(stage)
    _head(console, "Once more: nothing is left to do")
    stage.trustsmith("setup", "--no-input", "--yes")
    stage.trustsmith("plan", "--check")


def _play(stage: _Stage) -> None:
    found = [stage.job(name, "prod") for name in _SUBSCRIPTIONS]
    rows = [("environment", "subject of its token", "exchange", "own project", "prod's project")]
    for job in found:
        reached = next(iter(job["also"].values()), None)
        rows.append(
            (job["environment"], job["subject"], job["exchange"], _said(job["project"]), _said(reached))
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        text = "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        stage.console.data([Line(f"  {text.rstrip()}", "bold" if number == 0 else "")])
    for job in found:
        expected = _OK if job["environment"] == "prod" else _FORBIDDEN
        if job["project"] != _OK or next(iter(job["also"].values())) != expected:
            raise _went_wrong(f"the job of {job['environment']} reached something else than it should")


def _said(status: int | None) -> str:
    return {_OK: "200 let in", _FORBIDDEN: "403 refused", None: "-"}.get(status, str(status))


def _job_of_dev(file: Path) -> list[str]:
    """From the first job to the second one, without its comments."""
    lines = file.read_text("utf-8").splitlines()
    jobs = lines.index("jobs:")
    starts = [n for n, line in enumerate(lines) if n > jobs and line.startswith("  ") and line[2] not in " #"]
    return [line for line in lines[jobs : starts[1]] if line.strip() and not line.strip().startswith("#")]


def _project(name: str) -> str:
    return _PROJECT.format(number=_SUBSCRIPTIONS[name], name=name)


def _head(console: Console, text: str) -> None:
    console.data([Line(""), Line(f"== {text}", "bold magenta")])


def _went_wrong(what: str, original: str = "") -> ServiceError:
    return ServiceError(f"The demo stopped: {what}.", service="sandbox", original=original)
