"""Whatever people do to a generated file, and however often it is rendered again: no line of theirs is lost."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from trustsmith.clients.git import merge
from trustsmith.generated import digest, inspect, stamp
from trustsmith.regenerate import bases_in, regenerate, unified, wants_base

_HEADER, _LINES = 5, 33


def rendering(config: tuple[int, ...]) -> str:
    """A file of eight blocks; the configuration says how each looks, and whether it is there."""
    blocks = [f"- block {n}\n  begins\n  as {look}\n  ends\n" for n, look in enumerate(config) if look != 3]
    return stamp("jobs:\n" + "".join(blocks), template="t", version=f"1.{sum(config)}")


@dataclass
class Checkout:
    """A file, its commits, and how often somebody wrote a line into it."""

    text: str
    commits: list[str] = field(default_factory=list)
    written: int = 0

    def edit(self, how: Literal["insert", "change", "delete"], at: int, what: str) -> None:
        lines = self.text.splitlines(keepends=True)
        at %= len(lines) + (how == "insert")
        self.written += 1
        end = "\r\n" if "\r\n" in self.text else "\n"
        new = [] if how == "delete" else [what.replace("%", f"mine {self.written}") + end]
        lines[at : at + (how != "insert")] = new
        self.text = "".join(lines) or end

    def theirs(self) -> list[str]:
        text = self.text.removeprefix("\ufeff").replace("\r\n", "\n")
        return [line for line in text.split("\n") if "mine" in line]

    def render(self, wanted: str, word: Literal["adopt"] | None = None) -> str:
        """Render it again; what came of it. Whatever it is, nothing of theirs is lost."""
        bases = bases_in(self.commits, merge) if wants_base(wanted, self.text) else {}
        found = regenerate(wanted, self.text, bases=bases, merge=merge, sound=lambda _: True, word=word)
        if found.outcome == "conflict":
            return found.outcome
        mine, windows = self.theirs(), self.text.count("\r\n") * 2 > self.text.count("\n")
        if found.outcome != "same":
            assert ("\r\n" in found.text) == windows
            made = inspect(found.text)
            assert made is not None
            assert made.base == digest_of(wanted)
        self.text = found.text
        assert sorted(self.theirs()) == sorted(mine)
        again = regenerate(wanted, self.text, bases={}, merge=merge, sound=lambda _: True)
        assert (again.outcome, again.text) == ("same", self.text)
        return found.outcome


def digest_of(text: str) -> str:
    made = inspect(text)
    assert made is not None
    return made.base


CONFIGS = st.tuples(*[st.integers(0, 3)] * 8)
EDITS = st.tuples(
    st.just("edit"),
    st.sampled_from(["insert", "change", "delete"]),
    st.integers(0, _HEADER + _LINES),
    st.sampled_from(["# %", "  % # here", "%:", "# trustsmith: %", "# Made by trustsmith %"]),
)
# Mostly what leaves the header alone, or nearly all would be refused.
CAREFUL = EDITS.map(lambda edit: (*edit[:2], edit[2] % _LINES + _HEADER, edit[3]))
WORDS = st.sampled_from([None, "adopt"])
CONFIGURED = st.tuples(st.just("configure"), st.integers(0, 7), st.integers(0, 3), WORDS)
COMMITTED = st.just(("commit",))
STEPS = st.one_of(
    CAREFUL,
    CAREFUL,
    EDITS,
    CONFIGURED,
    CONFIGURED,
    COMMITTED,
    COMMITTED,
    st.sampled_from([("windows",), ("mark",), ("cut",)]),
)


@settings(max_examples=60, deadline=None)
@given(first=CONFIGS, steps=st.lists(STEPS, min_size=8, max_size=24))
def test_no_line_of_theirs_is_lost(first: tuple[int, ...], steps: list[tuple[object, ...]]) -> None:
    config, checkout = first, Checkout(rendering(first))
    checkout.commits.append(checkout.text)
    for step in steps:
        match step:
            case ("edit", how, int(at), str(what)):
                checkout.edit(how, at, what)  # type: ignore[arg-type]
            case ("configure", int(at), int(look), word):
                config = (*config[:at], look, *config[at + 1 :])
                checkout.render(rendering(config), word)  # type: ignore[arg-type]
            case ("commit",):
                checkout.commits.append(checkout.text)
            case ("windows",):
                checkout.text = checkout.text.replace("\r\n", "\n").replace("\n", "\r\n")
            case ("mark",):
                checkout.text = "\ufeff" + checkout.text.removeprefix("\ufeff")
            case _:
                checkout.text = checkout.text.rstrip("\r\n") or "\n"


@settings(max_examples=30, deadline=None)
@given(
    start=CONFIGS,
    at=st.integers(5, 20),
    changes=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 2)), min_size=1, max_size=4),
)
def test_edits_that_are_committed_first_have_a_base_in_every_round(
    start: tuple[int, ...], at: int, changes: list[tuple[int, int]]
) -> None:
    """Edit, commit, render, commit, and so on: the base is found however long ago it was in a commit by itself."""
    config, checkout = start, Checkout(rendering(start))
    checkout.commits.append(checkout.text)
    checkout.edit("insert", at, "# %")
    checkout.commits.append(checkout.text)
    for place, look in changes:
        config = (*config[:place], look, *config[place + 1 :])
        if checkout.render(rendering(config)) == "conflict":
            return
        checkout.commits.append(checkout.text)
        assert digest_of(rendering(config)) in bases_in(checkout.commits, merge)


@given(before=st.text("ab\n\r", max_size=12), after=st.text("ab\n\r", max_size=12))
def test_a_diff_is_empty_only_for_the_same_text(before: str, after: str) -> None:
    same = digest(before.replace("\r\n", "\n")) == digest(after.replace("\r\n", "\n"))
    assert (unified("x", before, after) == "") >= same
