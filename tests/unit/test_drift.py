"""The one issue: what happens to it, and which issues are not ours to touch."""

from __future__ import annotations

import pytest

from trustsmith.drift import MOST, Known, body_of, clean_body, decide, digest, known

FILE, REPORT = ".github/trustsmith.yml", "2 to update"
SAME, OTHER, CLEAN = digest(REPORT), digest("another"), "clean"


@pytest.mark.parametrize(
    ("issues", "report", "verb", "number"),
    [
        ([], REPORT, "open", None),
        ([], "", "none", None),
        ([Known(3, open=True, report=SAME)], REPORT, "none", 3),
        ([Known(3, open=True, report=OTHER)], REPORT, "update", 3),
        ([Known(3, open=True, report=CLEAN)], REPORT, "update", 3),
        ([Known(3, open=True, report=SAME)], "", "close", 3),
        ([Known(3, open=False, report=CLEAN)], REPORT, "reopen", 3),
        ([Known(3, open=False, report=CLEAN)], "", "none", None),
        # closed by hand: left closed for as long as it says the same
        ([Known(3, open=False, report=SAME)], REPORT, "none", 3),
        ([Known(3, open=False, report=OTHER)], REPORT, "reopen", 3),
        # the oldest open one is kept, the newest closed one is opened again
        ([Known(9, open=True, report=OTHER), Known(4, open=True, report=SAME)], REPORT, "none", 4),
        ([Known(9, open=False, report=CLEAN), Known(4, open=False, report=CLEAN)], REPORT, "reopen", 9),
        ([Known(9, open=False, report=SAME), Known(4, open=True, report=OTHER)], REPORT, "update", 4),
    ],
)
def test_what_is_done(issues: list[Known], report: str, verb: str, number: int | None) -> None:
    deed = decide(FILE, issues, report, "said")
    assert (deed.verb, deed.number) == (verb, number)
    if verb in {"open", "update", "reopen"}:
        assert deed.body == body_of(FILE, REPORT)
    if verb == "close":
        assert (deed.body, deed.comment) == (clean_body(FILE), "said")


def test_doing_it_leaves_nothing_to_do() -> None:
    body = decide(FILE, [], REPORT, "").body
    there = known(FILE, 1, body, is_open=True)
    assert there is not None
    assert decide(FILE, [there], REPORT, "").verb == "none"
    closed = known(FILE, 1, decide(FILE, [there], "", "").body, is_open=False)
    assert closed is not None
    assert decide(FILE, [closed], "", "").verb == "none"
    assert decide(FILE, [closed], REPORT, "").verb == "reopen"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "Look at this:\n" + body_of(FILE, REPORT),
        body_of("other.yml", REPORT),
        body_of(FILE, REPORT).replace("trustsmith-drift", "drift"),
    ],
)
def test_what_does_not_begin_with_the_marker_of_this_file_is_not_ours(body: str) -> None:
    assert known(FILE, 1, body, is_open=True) is None


def test_a_path_cannot_leave_the_marker() -> None:
    path = "a b/--> @octocat #1.yml"
    body = body_of(path, REPORT)
    assert body.splitlines()[0].count("-->") == 1
    assert known(path, 1, body, is_open=True) == Known(1, open=True, report=SAME)


def test_a_long_report_is_cut_between_lines_and_still_told_apart() -> None:
    long = "a line of text\n" * 10_000
    body = body_of(FILE, long)
    assert MOST - 1000 < len(body) < 65_536
    assert "a line of text\n\nThe rest did not fit; `trustsmith plan` shows all of it." in body
    assert body_of(FILE, long + "more").splitlines()[0] != body.splitlines()[0]
