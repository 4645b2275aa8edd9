"""Runs one step of a generated workflow as a runner runs it, with made-up programs. Holds no test."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from ruamel.yaml import YAML

from tests.golden.cases import CASES
from trustsmith.render import render

if TYPE_CHECKING:
    from pathlib import Path

BASH = shutil.which("bash")
HAVE_BASH = pytest.mark.skipif(BASH is None or os.name == "nt", reason="runners of these steps have bash")

_COMMON = """
pop() { head -n 1 "$FAKES/$1"; tail -n +2 "$FAKES/$1" >"$FAKES/$1.rest"; mv "$FAKES/$1.rest" "$FAKES/$1"; }
"""


class Steps:
    """The steps of a golden case's first job; afterwards tells what the made-up programs were asked."""

    def __init__(self, folder: Path, case: str) -> None:
        (rendered,) = render(*CASES[case])
        self.document = YAML(typ="safe").load(rendered.text)
        self.job = next(iter(self.document["jobs"].values()))
        self.folder = folder
        (folder / "fakes").mkdir()
        self.env = {
            "PATH": f"{folder / 'fakes'}{os.pathsep}{os.environ['PATH']}",
            "FAKES": str(folder),
            "TMPDIR": str(folder),
            "RUNNER_TEMP": str(folder),
            "GITHUB_WORKSPACE": str(folder),
            "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
            "GITHUB_JOB": "deploy-dev",
            "GITHUB_RUN_ID": "77",
            "GITHUB_RUN_ATTEMPT": "2",
        }
        self.fake("sleep", 'echo "$1" >>"$FAKES/sleep.log"')

    def fake(self, name: str, script: str) -> None:
        """A program for the steps; `pop FILE` in it takes the file's first line."""
        path = self.folder / "fakes" / name
        path.write_text(f"#!/bin/sh\n{_COMMON}{script}\n", encoding="utf-8")
        path.chmod(0o755)

    def tries(self, name: str, *said: str) -> None:
        """A program that keeps a log, says one of these at each call and fails; nothing of them left, it is well."""
        self.write(f"{name}.said", "".join(f"{line}\n" for line in said))
        self.fake(
            name,
            f'echo "$*" >>"$FAKES/{name}.log"\n'
            f'said="$(pop {name}.said)"\n'
            '[ -z "$said" ] || { echo "$said" >&2; exit 1; }',
        )

    def write(self, name: str, text: str = "") -> None:
        """A file at the top of the checkout."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def run(self, step: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run the step whose name begins like that."""
        found = next(one for one in self.job["steps"] if one["name"].startswith(step))
        script = self.folder / "step.sh"
        script.write_text(found["run"], encoding="utf-8")
        said = self.document.get("env", {}) | self.job.get("env", {}) | found.get("env", {})
        own = {key: str(text) for key, text in said.items() if "${{" not in str(text)}
        return subprocess.run(
            [str(BASH), "--noprofile", "--norc", "-eo", "pipefail", str(script)],
            env=own | self.env | env,
            cwd=self.folder / found.get("working-directory", ""),
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )

    def log(self, name: str) -> list[str]:
        """The lines of a log."""
        path = self.folder / name
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []
