"""`render --update-pins` and `--pr` as people run them: what is shown, asked, written, and where."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.cli.desk import WORKFLOW, config

if TYPE_CHECKING:
    from tests.cli.desk import Desk

PINS = Path(".github", "trustsmith-actions.json")


def test_newer_releases_are_shown_and_taken_with_a_yes(desk: Desk) -> None:
    desk.write(config())
    desk("render").ends(0)
    before = (desk.checkout / WORKFLOW).read_text()
    shown = desk("render", "--update-pins", "--check", "--format", "json").ends(3, "newer releases")
    login = next(pin for pin in shown.json["pins"] if pin["action"] == "azure/login")
    assert (login["from"]["version"], login["to"]["version"]) == ("v3.0.1", "v3.1.0")
    assert not (desk.checkout / PINS).exists()
    done = desk.tty("render", "--update-pins", answers=[("Apply this plan?", "n\n")])
    assert done.returncode == 5
    assert (desk.checkout / WORKFLOW).read_text() == before
    assert "azure/login           v3.0.1 → v3.1.0" in desk("render", "--update-pins", "--yes").ends(0).out
    pins = json.loads((desk.checkout / PINS).read_text())
    text = (desk.checkout / WORKFLOW).read_text()
    assert all(f"{action}@{pin['sha']} # {pin['version']}" in text for action, pin in pins.items())
    assert desk.writes() == [], "nothing is written at GitHub"
    desk("render", "--check").ends(0)
    desk("render", "--update-pins").ends(0, "Nothing to take")


def test_an_edited_file_keeps_the_pins_as_they_are(desk: Desk) -> None:
    desk.write(config())
    desk("render").ends(0)
    file = desk.checkout / WORKFLOW
    desk.write(file.read_text().replace("actions/checkout@", "actions/checkout@v1 #"), WORKFLOW)
    edited = file.read_text()
    desk("render", "--update-pins", "--yes").ends(5)
    assert file.read_text() == edited
    assert not (desk.checkout / PINS).exists()


def test_what_is_wrong_with_both_files_is_said_at_once(desk: Desk) -> None:
    desk.write(config("color: red"))
    desk.write('{"actions/checkout": {"version": "v7", "sha": "short", "date": "2026-01-01"}}', PINS)
    wrong = desk("render").ends(2, "trustsmith.yml:4:1", "trustsmith-actions.json:1:47", "is no commit")
    assert "2 problems" in wrong.err
    desk.write(config())
    desk("render", "--pin", "checkout").ends(2)
    desk.write(
        '{"actions/checkout": {"version": "v6.0.0", "sha": "%s", "date": "2026-01-01"}}' % ("a" * 40), PINS
    )
    assert "actions/checkout is pinned to v6.0.0" in desk("render").ends(0).out
    assert f"actions/checkout@{'a' * 40} # v6.0.0" in (desk.checkout / WORKFLOW).read_text()


def test_a_pull_request_is_made_without_a_clone(desk: Desk) -> None:
    desk.write(config())
    desk("render", "--pr", "--check").ends(2)
    made = desk("render", "--pr").ends(0)
    assert "Opened: https://localhost" in made.out
    assert "Goes along, since the workflows are rendered from it: .github/trustsmith.yml" in made.out
    assert not (desk.checkout / WORKFLOW).exists()
    kinds = [request["path"].rpartition("agents/")[2] for request in desk.writes()]
    assert kinds == ["git/trees", "git/commits", "git/refs", "pulls"]
    desk.forget()
    assert "Unchanged: https://localhost" in desk("render", "--pr").ends(0).out
    assert [request["path"].rpartition("agents/")[2] for request in desk.writes()] == ["git/trees"]
