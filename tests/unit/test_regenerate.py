"""What becomes of a generated file that is there already."""

from __future__ import annotations

import time

import pytest

from trustsmith.clients.git import merge
from trustsmith.generated import digest, inspect, stamp
from trustsmith.regenerate import Regenerated, Word, bases_in, regenerate, unified, wants_base

OLD = "name: deploy\non: push\njobs:\n  dev:\n    runs-on: a\n    steps: []\n"
NEW = OLD.replace("runs-on: a", "runs-on: b")
EDITED = OLD.replace("on: push", "on: push # mine")
BOTH = NEW.replace("on: push", "on: push # mine")


def file(body: str, *, base: str | None = None, version: str = "1") -> str:
    return stamp(body, template="t", version=version, base=base and digest(base))


def becomes(
    there: str | None, rendering: str = NEW, *, bases: tuple[str, ...] = (), word: Word | None = None
) -> Regenerated:
    return regenerate(
        file(rendering, version="2"),
        there,
        bases={digest(body): body for body in bases},
        merge=merge,
        sound=lambda text: "unreadable" not in text,
        word=word,
    )


def test_what_is_not_there_is_made() -> None:
    assert becomes(None) == Regenerated(outcome="missing", text=file(NEW, version="2"))


def test_what_nobody_edited_is_replaced() -> None:
    assert becomes(file(OLD)) == Regenerated(outcome="outdated", text=file(NEW, version="2"))


@pytest.mark.parametrize("there", [file(NEW), file(BOTH, base=NEW), file(NEW + "# mine", base=NEW)])
def test_another_version_by_itself_changes_nothing(there: str) -> None:
    assert becomes(there) == Regenerated(outcome="same", text=there)


def test_edits_and_rendering_are_merged_on_a_base_that_is_known() -> None:
    there = file(EDITED, base=OLD)
    assert wants_base(file(NEW), there)
    expected = file(BOTH, base=NEW, version="2")
    assert becomes(there, bases=(OLD,)) == Regenerated(outcome="merged", text=expected)
    assert becomes(expected).outcome == "same"


def test_without_a_base_nothing_is_merged() -> None:
    lost = becomes(file(EDITED, base=OLD), bases=(EDITED, NEW))
    assert (lost.outcome, lost.text) == ("conflict", file(NEW, version="2"))
    assert "no commit" in lost.why


def test_an_edit_of_what_is_rendered_otherwise_is_a_conflict() -> None:
    clash = becomes(file(OLD.replace("runs-on: a", "runs-on: mine"), base=OLD), bases=(OLD,))
    assert (clash.outcome, clash.text) == ("conflict", file(NEW, version="2"))
    assert "differs as well" in clash.why


def test_what_would_be_no_workflow_is_a_conflict() -> None:
    broken = becomes(file(EDITED + "unreadable", base=OLD), bases=(OLD,))
    assert broken.outcome == "conflict"
    assert "can be read" in broken.why


def test_an_edit_that_says_what_is_rendered_now_is_no_edit_any_more() -> None:
    there = file(NEW, base=OLD)
    assert not wants_base(file(NEW), there)
    assert becomes(there).text == file(NEW, version="2")


def test_a_merge_that_loses_a_line_is_not_taken() -> None:
    there = file(EDITED, base=OLD)
    found = regenerate(
        file(NEW),
        there,
        bases={digest(OLD): OLD},
        merge=lambda _ours, _base, theirs: theirs,
        sound=lambda _: True,
    )
    assert found.outcome == "conflict"


# What is above and between the header's lines


def test_lines_above_and_between_the_header_s_stay_above_it() -> None:
    first, second, *rest = file(OLD).splitlines(keepends=True)
    there = "".join(["# Contoso\n", "\n", first, "# see the wiki\n", second, *rest])
    expected = "# Contoso\n\n# see the wiki\n" + file(NEW, version="2")
    assert becomes(there) == Regenerated(outcome="outdated", text=expected)


def test_a_line_of_another_version_s_header_is_ours() -> None:
    first = file(OLD, version="0").splitlines(keepends=True)[0]
    assert becomes(first + file(OLD)).text == file(NEW, version="2")


def test_a_former_wording_is_ours() -> None:
    lines = file(OLD).splitlines(keepends=True)
    lines[2] = (
        "# An edit in this file is noticed by the hash below, and trustsmith then refuses to write over it.\n"
    )
    assert becomes("".join(lines)).text == file(NEW, version="2")


def test_more_than_a_comment_above_the_header_is_an_edit_and_stays() -> None:
    there = "env: {A: b}\n" + file(OLD)
    expected = "env: {A: b}\n" + file(NEW, version="2")
    assert becomes(there) == Regenerated(outcome="merged", text=expected)
    assert becomes("env: unreadable\n" + file(OLD)).outcome == "conflict"


# Line ends


@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_and_a_byte_order_mark_stay(mark: str, end: str) -> None:
    def dressed(text: str) -> str:
        return mark + text.replace("\n", end)

    expected = file(BOTH, base=NEW, version="2")
    assert becomes(dressed(file(EDITED, base=OLD)), bases=(OLD,)).text == dressed(expected)
    assert becomes(dressed(file(OLD))).text == dressed(file(NEW, version="2"))
    assert becomes(dressed("mine\n"), word="adopt").text == dressed(file("mine\n", base=NEW, version="2"))
    assert becomes(dressed("mine\n"), word="overwrite").text == dressed(file(NEW, version="2"))


def test_a_last_line_without_a_line_end_stays_one() -> None:
    there = file(EDITED + "# mine", base=OLD)
    assert becomes(there, bases=(OLD,)).text == file(BOTH + "# mine", base=NEW, version="2")


# The two words

CONFLICTS = {
    "no header": "name: mine\n",
    "base lost": file(EDITED, base=OLD),
    "both differ": file(OLD.replace("runs-on: a", "runs-on: mine"), base=OLD),
}


@pytest.mark.parametrize("name", CONFLICTS)
def test_adopting_keeps_the_text_as_an_edit_of_what_is_rendered_now(name: str) -> None:
    there = CONFLICTS[name]
    made = inspect(there)
    kept = file(made.body if made else there, base=NEW, version="2")
    assert becomes(there, word="adopt") == Regenerated(outcome="adopted", text=kept)
    assert becomes(kept).outcome == "same"


def test_what_is_adopted_and_as_rendered_is_ours_again() -> None:
    assert becomes(NEW, word="adopt").text == file(NEW, version="2")


@pytest.mark.parametrize("there", [file(OLD), file(NEW), file(EDITED, base=OLD)])
def test_where_nothing_conflicts_there_is_nothing_to_adopt(there: str) -> None:
    assert becomes(there, bases=(OLD,), word="adopt") == becomes(there, bases=(OLD,))


@pytest.mark.parametrize("there", [*CONFLICTS.values(), file(BOTH, base=NEW), "# mine\n" + file(OLD)])
def test_overwriting_leaves_what_is_rendered(there: str) -> None:
    found = becomes(there, bases=(OLD,), word="overwrite")
    assert found == Regenerated(outcome="overwritten", text=file(NEW, version="2"))


@pytest.mark.parametrize(("there", "outcome"), [(file(OLD), "outdated"), (file(NEW), "same")])
def test_where_nobody_wrote_anything_nothing_is_overwritten(there: str, outcome: str) -> None:
    assert becomes(there, word="overwrite").outcome == outcome


@pytest.mark.parametrize("base", [OLD, NEW])
def test_an_unfinished_merge_is_neither_taken_nor_adopted(base: str) -> None:
    there = file(f"<<<<<<< HEAD\n{EDITED}=======\n{OLD}>>>>>>> other\n", base=base)
    for word in (None, "adopt"):
        found = becomes(there, bases=(OLD,), word=word)
        assert found.outcome == "conflict"
        assert "conflict markers" in found.why
    assert becomes(there, word="overwrite").text == file(NEW, version="2")


@pytest.mark.parametrize("line", ["<<<<<<< a\n", "<<<<<<< a\n=======\n", "\r"])
def test_absurd_texts_do_not_take_long(line: str) -> None:
    began = time.process_time()
    assert becomes(line * 20_000).outcome == "conflict"
    assert time.process_time() - began < 2


# Bases

NEWEST = NEW + "env: {}\n"


def test_a_rendering_that_was_committed_is_a_base() -> None:
    assert bases_in([file(OLD), "", "no header\n", file(EDITED, base=OLD)], merge)[digest(OLD)] == OLD


def test_a_rendering_that_was_merged_at_once_is_proved_by_taking_the_edit_back() -> None:
    merged, again = BOTH, NEWEST.replace("on: push", "on: push # mine")
    texts = [file(OLD), file(EDITED, base=OLD), file(merged, base=NEW), file(again, base=NEWEST)]
    bases = bases_in(texts, merge)
    assert bases[digest(NEW)] == NEW
    assert bases[digest(NEWEST)] == NEWEST


def test_what_cannot_be_proved_is_no_base() -> None:
    """The edit and the rendering were committed at once, and something else was edited besides."""
    texts = [file(OLD), file(EDITED, base=OLD), file(BOTH + "# more\n", base=NEW)]
    assert digest(NEW) not in bases_in(texts, merge)
    assert bases_in(texts, merge, {digest(NEW): NEW})[digest(NEW)] == NEW


def test_every_base_is_what_its_hash_says() -> None:
    texts = [file(OLD), file(EDITED, base=OLD), file(BOTH, base=NEW), file(EDITED, base=NEWEST)]
    bases = bases_in(texts, merge)
    assert all(digest(body) == base for base, body in bases.items())


def test_the_work_has_a_bound() -> None:
    edits = [file(f"{EDITED}# {n}\n", base=OLD) for n in range(50)]
    lost = [file(f"{n}\n", base=str(n)) for n in range(500)]
    count = 0

    def counted(ours: str, base: str, theirs: str) -> None:
        nonlocal count
        count += bool(ours or base or theirs)

    texts = [text for pair in zip(edits * 10, lost, strict=True) for text in pair]
    bases_in(texts, counted, {digest(OLD): OLD})
    assert 0 < count <= 200


# Diffs


def test_a_diff_is_one_that_git_takes() -> None:
    assert unified("x.yml", "a\r\nb", "a\nc\n") == (
        "--- a/x.yml\n+++ b/x.yml\n@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+c\n"
    )
    assert unified('\x1b[0mä"\n.yml', "", "a\n").startswith(
        '--- "a/\\033[0m\\303\\244\\042\\012.yml"\n+++ "b/'
    )
    assert unified("a\udcff.yml", "", "a\n").startswith('--- "a/a\\377.yml"\n')  # a name that is no UTF-8
    assert unified("ä b.yml", "", "a\n").startswith("--- a/ä b.yml\n")
    assert unified("x.yml", None, "a\n") == "--- /dev/null\n+++ b/x.yml\n@@ -0,0 +1 @@\n+a\n"
    assert unified("x.yml", "a\n", None) == "--- a/x.yml\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"
    assert unified("x.yml", "\ufeffa\r\n", "a\n") == ""
    assert unified("x.yml", "\ufeffa\r\nb", "\ufeffa\r\nc", exact=True) == (
        "--- a/x.yml\n+++ b/x.yml\n@@ -1,2 +1,2 @@\n \ufeffa\r\n-b\n\\ No newline at end of file\n"
        "+c\n\\ No newline at end of file\n"
    )
