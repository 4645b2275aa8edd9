"""Whatever write goes wrong, and however: the run recovers, or the next run finishes; nothing is doubled."""

from __future__ import annotations

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.desk import SETUP, apart, config, wait_until, without_makers
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
@pytest.mark.parametrize("group", GROUPS)
def test_writes_go_wrong_once(desk: Desk, clean: dict[str, Any], group: str, how: str) -> None:
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
    kinds = [[re.sub("dev|staging|prod|CLIENT_ID", "*", pattern) for pattern in w] for w in WRITES.values()]
    for request in desk.writes():
        asked = (request["service"], request["method"], request["path"])
        assert any(
            all(fnmatchcase(value, pattern) for value, pattern in zip(asked, kind, strict=True))
            for kind in kinds
        ), f"{asked} is in no test of faults"


@pytest.mark.parametrize("write", ["role", "mark-again"])
def test_a_write_goes_wrong_for_good(desk: Desk, clean: dict[str, Any], write: str) -> None:
    desk.sandbox.control("faults", fault(write, when="before", status=400, times=999))
    done = desk(*SETUP).ends(7, "changes were made, then something failed", "run the same again")
    assert "Failed:" in done.out
    assert f"{done.out.count('Failed:')} failed" in done.out
    desk.sandbox.control("faults", method="DELETE")
    _finish(desk, clean)


def test_two_runs_at_the_same_time(desk: Desk, clean: dict[str, Any]) -> None:
    desk.sandbox.control("latency", {"ms": 30})
    with ThreadPoolExecutor() as pool:
        codes = [run.result().code for run in [pool.submit(desk, *SETUP) for _ in range(2)]]
    assert set(codes) <= {0, 6, 7}
    desk.sandbox.control("latency", {"ms": 0})
    desk("apply", "--yes").ends(0)
    assert apart(without_makers(desk.world().shape()), without_makers(clean)) == []
    desk("plan", "--check").ends(0)


def test_a_run_that_is_killed(desk: Desk, clean: dict[str, Any]) -> None:
    """Killed in its middle, at a write: nothing could be tidied up, and the next run finds its way."""
    desk.write(config())
    desk.sandbox.control("faults", fault("mark", when="slow", retry_after=20))
    command = [str(desk.installed.command), "apply", "--yes"]
    environment = desk.installed.environment(desk.env)
    with subprocess.Popen(
        command, cwd=desk.checkout, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as run:
        wait_until(lambda: "dev" in desk.world().environments and bool(desk.world().apps))
        run.kill()
    desk.sandbox.control("faults", method="DELETE")
    desk("apply", "--yes").ends(0)
    wanted = without_makers(clean)["environments"]["dev"]
    assert without_makers(desk.world().shape())["environments"]["dev"] == wanted
    assert len(desk.world().roles("dev")) == 1
    desk("plan", "--check").ends(0)
