"""Whatever write goes wrong, and however: the run recovers, or the next run finishes; nothing is doubled."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.desk import SETUP, apart
from tests.faults.recovery import FAULTS, GROUPS, WRITES, fault, struck

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.desk import Desk


@pytest.fixture
def clean(was_configured: tuple[Path, dict[str, Any]], desk: Desk) -> dict[str, Any]:
    """What a clean first run makes; the sandbox is back in its first state."""
    desk.sandbox.control("reset", was_configured[1])
    shape = desk.world().shape()
    desk.sandbox.reset()
    desk.forget()
    return shape


def _finish(desk: Desk, clean: dict[str, Any]) -> None:
    """The next run finishes the rest, and then nothing is left to do."""
    desk("apply", "--yes").ends(0)
    assert apart(desk.world().shape(), clean) == []
    desk("plan", "--check").ends(0)


@pytest.mark.parametrize("how", FAULTS)
@pytest.mark.parametrize("group", GROUPS, ids="+".join)
def test_writes_go_wrong_once(desk: Desk, clean: dict[str, Any], group: tuple[str, ...], how: str) -> None:
    desk.sandbox.control("faults", struck(how, group))
    done = desk(*SETUP)
    assert done.code in {0, 6, 7}, done.err
    if done.code:
        assert "Failed: create" in done.out
        _finish(desk, clean)
        return
    assert apart(desk.world().shape(), clean) == []


def test_every_write_is_covered(desk: Desk) -> None:
    desk(*SETUP).ends(0)
    kinds = [tuple(part.replace("-dev')", "-*')") for part in w) for w in WRITES.values()]
    kinds = [
        tuple(p.replace("/dev", "/*").replace("/prod", "/*").replace("CLIENT_ID", "*") for p in w)
        for w in kinds
    ]
    for request in desk.writes():
        asked = (request["service"], request["method"], request["path"])
        assert any(
            all(fnmatchcase(value, pattern) for value, pattern in zip(asked, kind, strict=True))
            for kind in kinds
        ), f"{asked} is in no test of faults"


@pytest.mark.parametrize("write", ["application", "role", "mark-again"])
def test_a_write_goes_wrong_for_good(desk: Desk, clean: dict[str, Any], write: str) -> None:
    desk.sandbox.control("faults", fault(write, when="before", status=400, times=999))
    done = desk(*SETUP).ends(7, "changes were made, then something failed", "trustsmith apply")
    assert "Failed:" in done.out
    assert f"{done.out.count('Failed:')} failed" in done.out
    desk.sandbox.control("faults", method="DELETE")
    _finish(desk, clean)
