"""`schema`: JSON on stdout, or a file of one's own with the line that leads to it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.cli.desk import config

if TYPE_CHECKING:
    from tests.cli.desk import Desk


def test_printed_and_written(desk: Desk) -> None:
    shown = desk("schema").ends(0)
    assert json.loads(shown.out)["title"] == "trustsmith.yml"
    assert shown.err == ""
    done = desk("schema", "--out", ".github/own.json").ends(0, "# yaml-language-server: $schema=./own.json\n")
    assert done.out == ""
    assert (desk.checkout / ".github" / "own.json").read_text("utf-8") == shown.out
    desk("schema", "--out", "docs/own.json").ends(0, "$schema=../docs/own.json\n")
    desk.write("# yaml-language-server: $schema=./own.json\n" + config("workflows: {}"))
    desk("render", "--check").ends(0)
    desk("schema", "--out", ".github").ends(2, "cannot be written")
    assert desk.requests() == []
