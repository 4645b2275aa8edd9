"""The mark: what it says, and that it vouches only for what GitHub says was not written since."""

from __future__ import annotations

import json

import pytest

from trustsmith.systems.mark import MarkText

MARK = MarkText(
    "created", {"secret/B": "2", "secret/A": "1", "variable/C": "3"}, {"A": "2026-11-23T10:00:00Z"}
)


def test_its_text_is_one_line_and_in_one_order() -> None:
    assert str(MARK) == (
        '{"version":1,"made":"created","ids":{"secret/A":"1","secret/B":"2","variable/C":"3"},'
        '"written":{"A":"2026-11-23T10:00:00Z"}}'
    )
    assert MarkText.parse(str(MARK)) == MARK


def test_it_vouches_for_a_secret_as_it_was_written() -> None:
    assert MARK.vouches("A", "2026-11-23T10:00:00Z") == "1"
    assert MARK.vouches("A", "2026-11-23T10:00:01Z") is None
    assert MARK.vouches("B", "2026-11-23T10:00:00Z") is None
    assert MARK.vouches("C", "2026-11-23T10:00:00Z") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "null",
        "[]",
        '"created"',
        "{}",
        "[" * 48_000,
        "1" * 5000,
        json.dumps({"version": 2, "made": "created", "ids": {}, "written": {}}),
        json.dumps({"version": 1, "made": "found", "ids": {}, "written": {}}),
        json.dumps({"version": 1, "made": ["created"], "ids": {}, "written": {}}),
        json.dumps({"version": 1, "made": "created", "ids": {}}),
        json.dumps({"version": 1, "made": "created", "ids": [], "written": {}}),
        json.dumps({"version": 1, "made": "created", "ids": {"A": 1}, "written": {}}),
    ],
    ids=range(14),
)
def test_anything_else_is_no_mark(text: str) -> None:
    assert MarkText.parse(text) is None
