"""What is printed: JSON, Markdown, colours, help; and what never is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.desk import CONFIG, SETUP, WORKFLOW, config

if TYPE_CHECKING:
    from tests.cli.desk import Desk

COMMANDS = ("setup", "plan", "apply", "render", "destroy", "demo", "sandbox")
SDKS = {
    "azure",
    "msgraph",
    "github",
    "msal",
    "httpx",
    "requests",
    "jinja2",
    "rich",
    "ruamel",
    "nacl",
    "asyncio",
}


def _drifted(desk: Desk) -> None:
    desk.edit(lambda world: world.environment("prod").update(wait_timer=1))


def test_a_saved_plan_is_applied(configured: Desk) -> None:
    _drifted(configured)
    shown = configured("plan", "--format", "json").ends(0)
    assert {"fingerprint", "changes", "waiting", "hazards"} <= shown.json.keys()
    (change,) = shown.json["changes"]
    assert {"verb", "kind", "name", "why", "before", "after"} <= change.keys()
    assert (change["before"]["wait_minutes"], change["after"]["wait_minutes"]) == (1, 10)
    saved = configured.write(shown.out, Path("plan.json"))
    done = configured("apply", saved, "--yes", "--format", "json").ends(0)
    assert done.json["plan"] == shown.json | {"schema": 1}
    (outcome,) = done.json["outcomes"]
    assert (outcome["kind"], outcome["status"], outcome["error"]) == ("github environment", "done", None)
    configured("plan", "--check").ends(0)


def test_a_plan_of_one_side_is_a_pin_too(configured: Desk) -> None:
    _drifted(configured)
    shown = configured("plan", "--only", "github", "--format", "json").ends(0)
    saved = configured.write(shown.out, Path("plan.json"))
    configured("apply", saved, "--only", "github", "--yes").ends(0)


def test_an_error_is_in_the_document_too(configured: Desk) -> None:
    _drifted(configured)
    document = configured("apply", "--format", "json").ends(2).json
    assert document["error"]["exit_code"] == 2
    configured.write("version: 1\ncolour: red\n")
    document = configured("plan", "--format", "json").ends(2).json
    problems = document["error"]["problems"]
    assert {"file", "line", "column", "message", "hint"} <= problems[0].keys()
    assert (2, 1) in {(p["line"], p["column"]) for p in problems}


def test_markdown_for_those_who_approve(configured: Desk) -> None:
    _drifted(configured)
    done = configured("plan", "--format", "md").ends(0)
    assert done.out.startswith("# Plan for contoso/agents\n")
    assert (
        "| update | github environment | `prod` | it has: reviewed by team:platform; waits 1 min; from main; the file asks for: reviewed by team:platform; waits 10 min; from main |"
        in done.out
    )
    assert "Fingerprint: `" in done.out


def test_colours(configured: Desk) -> None:
    _drifted(configured)
    always = configured.installed("--color", "always", "plan", cwd=configured.checkout, env=configured.env)
    assert "\x1b[" in always.stdout
    assert "\x1b[" in configured.tty("plan").stdout
    configured.env["NO_COLOR"] = "1"
    assert "\x1b[3" not in configured.tty("plan").stdout


def test_every_command_has_help(desk: Desk) -> None:
    whole = desk("--help").ends(0).out
    assert "Exit codes: 0 done" in whole
    assert desk("--version").ends(0).out.startswith("trustsmith ")
    for name in COMMANDS:
        assert f"  {name} " in whole
        assert desk(name, "--help").ends(0).out.startswith("Usage: ")


def test_help_loads_no_sdk(desk: Desk) -> None:
    timed = desk.installed("--help", env={"PYTHONPROFILEIMPORTTIME": "1"})
    loaded = {line.rsplit("|", 1)[-1].strip().partition(".")[0] for line in timed.stderr.splitlines()}
    assert "click" in loaded
    assert loaded & SDKS == set()


# Rendering needs nobody


def _cut_off(desk: Desk) -> None:
    desk.env = {"HTTPS_PROXY": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}


def test_rendering_needs_no_network(desk: Desk, tmp_path: Path) -> None:
    _cut_off(desk)
    desk.write(config(environments=("dev", "prod")))
    desk("render", "--out", tmp_path / "out").ends(0)
    text = (tmp_path / "out" / WORKFLOW).read_text()
    assert 'environment: "prod"' in text
    assert not (desk.checkout / WORKFLOW).exists()
    assert desk.requests() == []


def test_rendered_files_are_checked(desk: Desk) -> None:
    _cut_off(desk)
    desk.write(config())
    desk("render", "--check").ends(3)
    assert not (desk.checkout / WORKFLOW).exists()
    desk("render").ends(0)
    desk("render", "--check").ends(0)
    file = desk.checkout / WORKFLOW
    generated = file.read_text()
    file.write_text("name: mine\n")
    shown = desk("render", "--check").ends(3, "--adopt deploy", "--overwrite deploy")
    assert f"conflict: {WORKFLOW.as_posix()}" in shown.out
    assert "\n-name: mine\n" in shown.out
    refused = desk("render").ends(5, "no file was changed", "--adopt deploy")
    assert "\n-name: mine\n" in refused.out
    desk("render", "--adopt", "deploy").ends(0)
    assert file.read_text().endswith("\nname: mine\n")
    desk("render", "--overwrite", "deploy").ends(0)
    assert file.read_text() == generated


def test_another_configuration_file(desk: Desk) -> None:
    _cut_off(desk)
    desk.write(config(), Path("other.yml"))
    desk("--config", "other.yml", "render").ends(0)
    assert (desk.checkout / WORKFLOW).exists()
    assert not (desk.checkout / CONFIG).exists()


# What is never printed


def test_no_secret_is_shown_however_talkative(desk: Desk) -> None:
    """`Desk.check` looks at every run for the token, and for anything that looks like an assertion or a bearer."""
    done = desk("-v", *SETUP).ends(0)
    assert "Looking at what is there" in done.err
    assert "Bearer" not in done.out + done.err
    desk("-v", "apply", "--yes", "--format", "json").ends(0)


def test_a_bug_leaves_a_log_without_secrets(desk: Desk, tmp_path: Path) -> None:
    """A package that breaks on import stands for any bug."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "github.py").write_text(
        "import os\nraise RuntimeError('with the token ' + os.environ['GH_TOKEN'])\n"
    )
    desk.env |= {"PYTHONPATH": str(broken), "TMPDIR": str(tmp_path), "TEMP": str(tmp_path)}
    desk.write(config())
    done = desk("plan").ends(1, "This is a bug in trustsmith", str(tmp_path))
    assert done.out == ""
    (log,) = tmp_path.glob("trustsmith-bug-*.log")
    text = log.read_text()
    assert "RuntimeError: with the token <GH_TOKEN>" in text
    assert desk.sandbox.env["GH_TOKEN"] not in text
    assert "trustsmith" in text.splitlines()[0]


@pytest.mark.parametrize("name", ["plan", "apply"])
def test_json_is_one_document(configured: Desk, name: str) -> None:
    done = configured(name, "--format", "json", *(["--yes"] if name == "apply" else [])).ends(0)
    assert json.loads(done.out)["schema"] == 1
