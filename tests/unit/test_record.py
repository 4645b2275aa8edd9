"""The record of removals: it is written to the file that is named, and to no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from trustsmith.errors import UsageError
from trustsmith.systems.record import Record

if TYPE_CHECKING:
    from pathlib import Path


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    """A file of the checkout could be one."""
    other = tmp_path / "other"
    other.write_text("mine\n", "utf-8")
    (tmp_path / "removed.jsonl").symlink_to(other)
    with pytest.raises(UsageError, match="nothing was removed"):
        Record(tmp_path / "removed.jsonl", {})
    assert other.read_text("utf-8") == "mine\n"


def test_a_line_that_was_cut_is_ended(tmp_path: Path) -> None:
    file = tmp_path / "removed.jsonl"
    file.write_text('{"schema"', "utf-8")
    Record(file, {}).close()
    assert file.read_text("utf-8") == '{"schema"\n'
