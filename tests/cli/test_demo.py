"""The demo as a newcomer sees it: it ends well, proves each environment, and leaves nothing behind."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.cli.desk import Desk


def test_the_whole_story(desk: Desk) -> None:
    told = desk("demo", timeout=110).ends(0, "prod: waits for the approval of team platform", "Proven:")
    assert told.out.count("isolation: The projects of") == 6
    assert re.search(r"^\d+ fine\.$", told.out, re.MULTILINE), told.out
    assert "FAIL" not in told.out
    assert "Plan: nothing to do." in told.out
    assert list(desk.checkout.iterdir()) == []
    assert desk.requests() == [], "it has a sandbox of its own"
