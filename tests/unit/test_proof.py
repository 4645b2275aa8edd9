"""What counts as a result in a job's log."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from trustsmith.model import proof

DOCUMENT: dict[str, Any] = {
    "schema": 1,
    "nonce": "n",
    "environment": "dev",
    "issuer": "https://issuer",
    "subject": "s",
    "audience": "a",
    "client_id": "c",
    "tenant": "t",
    "claims": {"sub": "s"},
    "exchange": {"ok": True, "code": "", "message": "", "waited_s": 1.5},
    "projects": [],
    "others": {"prod": [{"endpoint": "e", "status": None}, {"endpoint": "f", "status": 403}]},
}
STAMP = "2026-11-28T07:00:00.0000000Z "


def line(**changes: Any) -> str:
    document = json.dumps(DOCUMENT | changes).encode()
    return f"trustsmith-result: {base64.b64encode(document).decode()}"


def test_a_result_is_found_among_other_lines() -> None:
    log = f"{STAMP}##[group]Run x\r\n{STAMP}{line()}\r\n{STAMP}Cleaning up\r\n"
    found = proof.read(log)
    assert found is not None
    assert (found[0].subject, found[0].waited_s, found[0].others) == ("s", 1.5, {"prod": (None, 403)})
    assert found[1] == DOCUMENT


def test_a_line_that_came_in_by_a_variable_does_not_count() -> None:
    """The runner shows a step's variables before it runs, and whoever starts a run chooses some of them."""
    log = f"{STAMP}  TRUSTSMITH_REQUEST: {line(subject='forged')}\n{STAMP}{line(subject='forged')}\n{STAMP}{line()}"
    found = proof.read(log)
    assert found is not None
    assert found[0].subject == "s"
    assert proof.read(f"{STAMP}  TRUSTSMITH_REQUEST: {line()}") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        'MARK = "trustsmith-result: "',
        "trustsmith-result: ***",
        "trustsmith-result: AAAA",
        "trustsmith-result: bm8=",
        "trustsmith-result: W10=",
        f"trustsmith-result: {base64.b64encode(b'[' * 99_999).decode()}",
        line(schema=2),
        line(exchange=None),
        line(projects=[1]),
        line(others=[]),
    ],
)
def test_what_is_no_result_is_none(text: str) -> None:
    assert proof.read(text) is None
