"""The checkout's side: what is ours there, and that nothing is written anywhere else."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from trustsmith.errors import UsageError
from trustsmith.model.resources import WorkflowFile
from trustsmith.model.state import State
from trustsmith.systems.worktree import WorktreeReader

if TYPE_CHECKING:
    from pathlib import Path

WANTED = State.of([WorkflowFile(path=".github/workflows/x.yml", body="a", text="a")])


def test_a_file_without_our_header_is_not_ours(tmp_path: Path) -> None:
    file = tmp_path / ".github" / "workflows" / "x.yml"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"\xff not text")
    (found,) = WorktreeReader(tmp_path).look(WANTED).values()
    assert not found.owned


@pytest.mark.skipif(sys.platform == "win32", reason="links need a right of their own there")
def test_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    checkout = tmp_path / "checkout"
    (checkout / ".github").mkdir(parents=True)
    (checkout / ".github" / "workflows").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="leads out of"):
        WorktreeReader(checkout).look(WANTED)


def test_a_folder_in_the_place_of_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / ".github" / "workflows" / "x.yml").mkdir(parents=True)
    with pytest.raises(UsageError, match="is not a file"):
        WorktreeReader(tmp_path).look(WANTED)
