"""What other repositories take from this one: the pre-commit hook and the action."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.unit.test_docs import understand
from trustsmith.model.config import CONFIG_PATH, default_workflows
from trustsmith.model.pins import PINS_NAME

ROOT = Path(__file__).resolve().parents[2]


def _read(name: str) -> Any:
    return YAML(typ="safe", pure=True).load((ROOT / name).read_text("utf-8"))


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
