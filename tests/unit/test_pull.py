"""The pull request's text, and whose a commit on its branch is."""

from __future__ import annotations

import pytest

from trustsmith.model.branch import RENDERED, Commit, foreign, message_of
from trustsmith.model.pins import Pin
from trustsmith.model.plan import Change
from trustsmith.model.resources import WorkflowFile
from trustsmith.ui.report_pull import body_of, merged

TREE, OTHER = "a" * 40, "b" * 40
PATHS = [".github/workflows/a.yml", ".github/trustsmith.yml"]


def commit(message: str, tree: str = TREE) -> Commit:
    return Commit("c" * 40, tree, message, "octocat", ())


def test_a_commit_is_ours_while_it_has_the_tree_that_it_names() -> None:
    message = message_of(RENDERED, PATHS, TREE)
    assert commit(message).ours
    assert message.splitlines()[0] == "Workflows as the configuration says (2 files)"
    others = [
        commit(message, OTHER),
        commit("Repair"),
        commit(f"See Trustsmith-Tree: {TREE}"),
        commit(message.replace(TREE, TREE.upper())),
    ]
    assert foreign([commit(message), *others]) == others
    assert str(others[1]) == "ccccccc Repair (octocat)"


@pytest.mark.parametrize(
    ("there", "whole"),
    [
        ("", "{}"),
        ("  \n", "{}"),
        ("Mine", "Mine\n\n{}"),
        ("Mine\n<!-- trustsmith: begin -->old<!-- trustsmith: end -->\nToo", "Mine\n{}\nToo"),
    ],
)
def test_what_people_wrote_around_it_stays(there: str, whole: str) -> None:
    body = body_of([], ["a\\1"], [])
    assert merged(there, body) == whole.format(body)
    assert merged(merged(there, body), body) == merged(there, body)


def test_each_file_and_pin_has_its_row_and_nothing_of_others_is_markup() -> None:
    old, new = (WorkflowFile.of(".github/workflows/a|b.yml", text) for text in ("a\nb\n", "a\nc\nd\n"))
    pin = Pin(action="actions/checkout", version="v8.0.0", sha="c" * 40, date="2026-10-06")
    changes = [Change("update", old, new, "<b>it</b> differs"), Change("delete", old, None, "")]
    body = body_of(changes, [".github/trustsmith.yml"], [(None, pin)])
    assert "| .github/workflows/a\\|b.yml | +2 -1 | \\<b\\>it\\</b\\> differs |" in body
    assert "| .github/workflows/a\\|b.yml | +0 -2 | " in body
    assert "| .github/trustsmith.yml |  | " in body
    assert "| actions/checkout |  | v8.0.0 of 2026-10-06 |" in body
