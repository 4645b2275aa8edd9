"""`demo`: what a user would type, typed for them against the sandbox. Every command is run as a process of its own."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trustsmith.errors import ServiceError
from trustsmith.flows.sandbox import running
from trustsmith.ui.report import Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trustsmith.ui.console import Console

_REPOSITORY = "contoso/agents"
_WORKFLOW = Path(".github/workflows/deploy-agents.yml")
_SUBSCRIPTIONS = {"dev": "1", "staging": "1", "prod": "2"}
_PROJECT = (
    "/subscriptions/aaaaaaaa-0000-0000-0000-00000000000{number}/resourceGroups/rg-foundry-{name}"
    "/providers/Microsoft.CognitiveServices/accounts/foundry-{name}/projects/agents"
)
_PRODUCTION = ["--reviewer", "prod=team:platform", "--branch", "prod=main", "--wait", "prod=10"]
_ON = ("--repository", _REPOSITORY)


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

    def push(self) -> None:
        """Bring what was written to the default branch."""
        self.console.data(
            [
                Line(
                    "$ git add .github && git commit -m 'Deploy to Foundry without a secret' && git push",
                    "bold cyan",
                )
            ]
        )
        done = subprocess.run(  # noqa: S603 - our own module
            [*self._people, "push", *_ON, str(self.checkout)],
            env=self._environment(),
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise _went_wrong("the files could not be pushed", done.stderr)

    @contextmanager
    def reviewer(self) -> Iterator[None]:
        """Somebody who approves what waits, and lets the waiting time pass, while the block runs."""
        with subprocess.Popen([*self._people, "approve", *_ON], env=self._environment()) as child:  # noqa: S603 - our own module
            try:
                yield
            finally:
                child.terminate()

    @property
    def _people(self) -> list[str]:
        return [sys.executable, "-m", "trustsmith_sandbox"]

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
    _head(console, "Configured, not yet proven: bring the workflows to the default branch")
    stage.push()
    _head(console, "A job of each environment exchanges its token, and tries its own project and the others'")
    with stage.reviewer():
        stage.trustsmith("verify", "--run")
    _head(console, "Once more: nothing is left to do")
    stage.trustsmith("setup", "--no-input", "--yes")
    stage.trustsmith("plan", "--check")


def _job_of_dev(file: Path) -> list[str]:
    """From the first job to where it has signed in, without its comments."""
    lines = [line for line in file.read_text("utf-8").splitlines() if not line.strip().startswith("#")]
    shown = lines[lines.index("jobs:") : lines.index("      - name: Get a token for Foundry")]
    return [*(line for line in shown if line.strip()), "      …"]


def _project(name: str) -> str:
    return _PROJECT.format(number=_SUBSCRIPTIONS[name], name=name)


def _head(console: Console, text: str) -> None:
    console.data([Line(""), Line(f"== {text}", "bold magenta")])


def _went_wrong(what: str, original: str = "") -> ServiceError:
    return ServiceError(f"The demo stopped: {what}.", service="sandbox", original=original)
