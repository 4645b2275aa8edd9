"""The checkout's side: what is ours there, and that nothing is written anywhere else."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.property.worlds import facts_of
from trustsmith.errors import Refused, UsageError
from trustsmith.generated import stamp
from trustsmith.model.config import CONFIG_PATH, Config
from trustsmith.model.plan import Change
from trustsmith.model.resources import WorkflowFile
from trustsmith.model.state import State
from trustsmith.systems.worktree import WorktreeReader, WorktreeWriter, is_workflow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from trustsmith.model.plan import Verb
    from trustsmith.model.resource import Resource
    from trustsmith.regenerate import Word

PATH = ".github/workflows/x.yml"
FACTS = facts_of(Config(repository="contoso/agents", tenant="t", environments=()))
links = pytest.mark.skipif(sys.platform == "win32", reason="links need a right of their own there")


def made(body: str, path: str = PATH) -> WorkflowFile:
    return WorkflowFile.of(path, stamp(body, template="t", version="1"))


WANTED = made("jobs: {}\n")


def nothing(_: str) -> Mapping[str, str]:
    return {}


def put(root: Path, data: bytes | str, path: str = PATH) -> Path:
    file = root / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return file


def look(root: Path, *wanted: WorkflowFile) -> dict[str, WorkflowFile]:
    state = WorktreeReader(root, CONFIG_PATH, nothing).look(State.of(wanted or [WANTED]))
    return {r.path: r for r in state.values() if isinstance(r, WorkflowFile)}


def fate(root: Path, word: Word | None = None) -> tuple[str, str]:
    found = look(root, replace(WANTED, word=word))[PATH].fate
    assert found is not None
    return found.outcome, found.why


def write(root: Path, verb: Verb, before: Resource | None, after: Resource | None) -> None:
    writer = WorktreeWriter(root, CONFIG_PATH, nothing)
    asyncio.run(writer.write(Change(verb, before, after, ""), FACTS))


def test_what_is_not_there_is_not_seen(tmp_path: Path) -> None:
    assert look(tmp_path) == {}


def test_a_wanted_file_is_seen_with_what_becomes_of_it(tmp_path: Path) -> None:
    put(tmp_path, made("jobs: {a: 1}\n").text)
    assert fate(tmp_path) == ("outdated", "")
    assert look(tmp_path)[PATH].owned
    put(tmp_path, "name: mine\n")
    assert fate(tmp_path)[0] == "conflict"
    assert not look(tmp_path)[PATH].owned


def test_what_is_no_text_can_only_be_overwritten(tmp_path: Path) -> None:
    put(tmp_path, b"\xff not text")
    assert fate(tmp_path) == ("conflict", "it is no UTF-8 text")
    assert fate(tmp_path, "adopt")[0] == "conflict"
    assert fate(tmp_path, "overwrite")[0] == "overwritten"


def test_other_files_of_ours_are_seen_and_nothing_else(tmp_path: Path) -> None:
    put(tmp_path, made("a\n").text, ".github/workflows/ours.yaml")
    put(tmp_path, made("a\n").text + "b\n", ".github/workflows/edited.yml")
    put(tmp_path, "# Contoso\n" + made("a\n").text, ".github/workflows/remarked.yml")
    put(tmp_path, "on: push\n", ".github/workflows/theirs.yml")
    put(tmp_path, b"\xff", ".github/workflows/binary.yml")
    (tmp_path / ".github/workflows/folder.yml").mkdir()
    owned = {path.rpartition("/")[2]: file.owned for path, file in look(tmp_path).items()}
    assert owned == {"ours.yaml": True, "edited.yml": False, "remarked.yml": False}


def test_left_overs_of_another_configuration_are_not_seen(tmp_path: Path) -> None:
    other = stamp("a\n", template="t", version="1", config=".github/other.yml")
    put(tmp_path, other, ".github/workflows/other.yml")
    put(tmp_path, made("a\n").text, ".github/workflows/ours.yml")
    assert look(tmp_path).keys() == {".github/workflows/ours.yml"}


@links
def test_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    (checkout / ".github").mkdir(parents=True)
    (checkout / ".github" / "workflows").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="leads out of"):
        look(checkout)
    with pytest.raises(UsageError, match="leads out of"):
        write(checkout, "create", None, WANTED)


@links
def test_a_link_that_leads_to_git_s_own_files_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "token\n", ".git/config")
    (tmp_path / PATH).parent.mkdir(parents=True)
    (tmp_path / PATH).symlink_to(tmp_path / ".git" / "config")
    with pytest.raises(UsageError, match="leads out of"):
        look(tmp_path)


def test_a_wanted_file_under_another_name_is_not_a_second_one(tmp_path: Path) -> None:
    put(tmp_path, WANTED.text).with_name("X.yml").hardlink_to(tmp_path / PATH)
    assert look(tmp_path).keys() == {PATH}


@links
def test_a_file_of_ours_that_is_elsewhere_is_not_ours_to_remove(tmp_path: Path) -> None:
    elsewhere = put(tmp_path, made("a\n").text, "elsewhere.yml")
    checkout = tmp_path / "checkout" / ".github" / "workflows"
    checkout.mkdir(parents=True)
    (checkout / "y.yml").symlink_to(elsewhere)
    (checkout / "z.yml").symlink_to(tmp_path / "nowhere")
    assert look(tmp_path / "checkout") == {}


def test_a_folder_in_the_place_of_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / PATH).mkdir(parents=True)
    with pytest.raises(UsageError, match="is not a file"):
        look(tmp_path)


def test_git_is_asked_only_about_edits_of_an_older_rendering(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = tmp_path / "asked"
    put(tmp_path, f"#!/bin/sh\ntouch {asked}\n", "bin/git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    older, edited = made("jobs: {a: 1}\n").text, WANTED.text + "# mine\n"
    for text in (WANTED.text, older, "# Contoso\n" + older, edited, "name: mine\n"):
        put(tmp_path, text)
        look(tmp_path)
        assert not asked.exists()
    put(tmp_path, older + "# mine\n")
    assert fate(tmp_path)[0] == "conflict"
    assert asked.exists() or sys.platform == "win32"


# Writing


def test_a_file_is_made_replaced_and_removed(tmp_path: Path) -> None:
    write(tmp_path, "create", None, WANTED)
    assert (tmp_path / PATH).read_text() == WANTED.text
    newer = made("jobs: {a: 1}\n")
    write(tmp_path, "update", WANTED, newer)
    assert (tmp_path / PATH).read_text() == newer.text
    write(tmp_path, "delete", newer, None)
    assert not (tmp_path / PATH).exists()


def test_an_empty_file_is_one_that_is_there(tmp_path: Path) -> None:
    put(tmp_path, "")
    with pytest.raises(Refused):
        write(tmp_path, "create", None, WANTED)
    write(tmp_path, "update", look(tmp_path)[PATH], WANTED)
    assert (tmp_path / PATH).read_text() == WANTED.text


@pytest.mark.parametrize("verb", ["create", "update", "delete"])
def test_what_somebody_writes_meanwhile_is_left(tmp_path: Path, verb: Verb) -> None:
    file = put(tmp_path, WANTED.text + "# mine\n")
    with pytest.raises(Refused, match="was changed while this ran"):
        write(tmp_path, verb, None if verb == "create" else WANTED, None if verb == "delete" else made("a\n"))
    assert file.read_text() == WANTED.text + "# mine\n"


@pytest.mark.parametrize(
    ("text", "sound"),
    [
        ("on: push\njobs: {a: {}}\n", True),
        ("on: push\non: push\njobs: {a: {}}\n", False),
        ("jobs: []\n", False),
        ("jobs: {\n", False),
        ("- a\n", False),
        ("", False),
        ("a: \x00\n", False),
        ("a: 2000-99-99\njobs: {}\n", False),
    ],
)
def test_a_workflow_is_told_from_what_is_none(text: str, sound: bool) -> None:  # noqa: FBT001 - one of two columns
    assert is_workflow(text) == sound
