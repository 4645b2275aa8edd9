"""What other repositories take from this one: the pre-commit hook and the action."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.unit.test_docs import understand
from trustsmith import __version__
from trustsmith.model.config import CONFIG_PATH, default_workflows
from trustsmith.model.pins import PINS_NAME

ROOT = Path(__file__).resolve().parents[2]


def _read(name: str) -> Any:
    return YAML(typ="safe", pure=True).load((ROOT / name).read_text("utf-8"))


# -- the hook ---------------------------------------------------------------------------------------------------------

HOOKS: list[dict[str, Any]] = _read(".pre-commit-hooks.yaml")


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: str(hook["id"]))
def test_a_hook_is_a_command_that_there_is(hook: dict[str, Any]) -> None:
    program, *words = shlex.split(hook["entry"])
    assert program == "trustsmith"
    understand(words)
    assert hook["pass_filenames"] is False, "the command finds its files itself"
    concerns = re.compile(hook["files"])
    files = [CONFIG_PATH, f".github/{PINS_NAME}", ".github/trustsmith-templates/my.yml.j2"]
    for file in (*files, *(workflow.path for workflow in default_workflows(("dev",)))):
        assert concerns.search(file), file
    for file in ("README.md", "src/.github/trustsmith.yml", ".github/dependabot.yml"):
        assert not concerns.search(file), file


def test_the_documented_hook_is_there() -> None:
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    (found,) = re.findall(r"rev: v(.+)\n    hooks:\n      - id: (.+)\n", page)
    assert found == (__version__, HOOKS[0]["id"])


# -- the action -------------------------------------------------------------------------------------------------------

ACTION: dict[str, Any] = _read("action.yml")
STEPS: list[dict[str, Any]] = ACTION["runs"]["steps"]
COMPARE: str = STEPS[-1]["run"]


def test_its_actions_are_pinned_as_in_templates() -> None:
    pins = json.loads((ROOT / "templates" / "actions.json").read_text("utf-8"))
    text = (ROOT / "action.yml").read_text("utf-8")
    used = re.findall(r"uses: ([\w./-]+)@(\w+) # (\S+)", text)
    assert text.count("uses:") == len(used) == 2
    assert all(pins[name]["sha"] == sha and pins[name]["version"] == version for name, sha, version in used)


def test_no_script_holds_an_expression_and_every_input_is_used() -> None:
    assert not [step["name"] for step in STEPS if "${{" in step.get("run", "")]
    wanted = json.dumps([step.get("with", {}) | step.get("env", {}) for step in STEPS])
    assert set(re.findall(r"inputs\.([\w-]+)", wanted)) == set(ACTION["inputs"])
    assert all(step["shell"] == "bash" for step in STEPS if "run" in step)


def test_documented_uses_give_inputs_that_there_are() -> None:
    page = (ROOT / "docs" / "action.md").read_text("utf-8")
    uses = re.findall(r"uses: trustsmith/trustsmith@.*\n\s+with:\n((?:          +.*\n)+)", page)
    assert len(uses) == 2
    for given in uses:
        names = set(re.findall(r"^\s+([\w-]+):", given, re.MULTILINE))
        assert {name for name, one in ACTION["inputs"].items() if one.get("required")} <= names
        assert names <= set(ACTION["inputs"])


def test_its_command_is_understood() -> None:
    words = " ".join(re.findall(r"flags\+?=\((.*)\)", COMPARE))
    assert "--issue" in words
    understand(shlex.split(words.replace("$DIRECTORY", str(ROOT))))


@pytest.mark.skipif(os.name == "nt", reason="the program that stands for trustsmith is a script")
@pytest.mark.parametrize(
    ("ends", "asked", "code", "clean", "flags"),
    [
        (0, {}, 0, "true", "<--observer>"),
        (3, {"ISSUE": "true"}, 3, "false", "<--observer><--issue>"),
        (3, {"FAIL": "false", "OBSERVER": "false"}, 0, "false", ""),
        (4, {"FAIL": "false"}, 4, "", "<--observer>"),
    ],
)
def test_how_it_ends(
    tmp_path: Path, *, ends: int, asked: dict[str, str], code: int, clean: str, flags: str
) -> None:
    """The last step's script, with a program in Python's place that says what it was given, and ends so."""
    program, said, summary = tmp_path / "python", tmp_path / "output", tmp_path / "summary"
    program.write_text(f'#!/bin/sh\nprintf "<%s>" "$@"\nexit {ends}\n')
    program.chmod(0o700)
    env = {"PYTHON": str(program), "DIRECTORY": "a b; exit", "CONFIG": "$(exit 9)"}
    env |= {name.upper(): ACTION["inputs"][name]["default"] for name in ("observer", "issue", "fail")} | asked
    env |= {"GITHUB_OUTPUT": str(said), "GITHUB_STEP_SUMMARY": str(summary), "PATH": os.environ["PATH"]}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", COMPARE]
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert done.stdout == summary.read_text()
    assert done.stdout.endswith(f"<-C><a b; exit><--config><$(exit 9)>{flags}")
    assert said.read_text() == f"clean={clean}\nexit-code={ends}\n"
