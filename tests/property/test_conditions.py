"""Laws of conditions: a text means what its tree means, what is not known is never a yes, and nothing raises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from trustsmith.model.conditions import Attempt, evaluate

if TYPE_CHECKING:
    from collections.abc import Mapping

GUIDS = [f"00000000-0000-0000-0000-00000000000{number}" for number in range(3)]
NAMES = ("roledefinitionid", "principalid")


@dataclass(frozen=True)
class Tree:
    """An expression, and what it is made of."""

    kind: Literal["is", "not", "and", "or"]
    parts: tuple[Tree, ...] = ()
    name: str = ""
    guid: str = ""

    def text(self) -> str:
        match self.kind:
            case "is":
                return f"@Request[Microsoft.Authorization/roleAssignments:{self.name}] GuidEquals {{{self.guid}}}"
            case "not":
                return f"!({self.parts[0].text()})"
            case _:
                return f" {self.kind.upper()} ".join(f"({part.text()})" for part in self.parts)

    def holds(self, known: Mapping[str, str]) -> bool:
        match self.kind:
            case "is":
                return known[self.name] == self.guid
            case "not":
                return not self.parts[0].holds(known)
            case "and":
                return all(part.holds(known) for part in self.parts)
            case "or":
                return any(part.holds(known) for part in self.parts)


LEAVES = st.builds(Tree, st.just("is"), name=st.sampled_from(NAMES), guid=st.sampled_from(GUIDS))
TREES = st.recursive(
    LEAVES,
    lambda inner: (
        st.builds(Tree, st.just("not"), st.tuples(inner))
        | st.builds(Tree, st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=3).map(tuple))
    ),
    max_leaves=8,
)
KNOWN = st.fixed_dictionaries(dict.fromkeys(NAMES, st.sampled_from(GUIDS)))


@given(tree=TREES, known=KNOWN)
def test_a_text_means_what_its_tree_means(tree: Tree, known: dict[str, str]) -> None:
    assert evaluate(tree.text(), Attempt("write", "request", known)) is tree.holds(known)


@given(tree=TREES, known=KNOWN, hidden=st.sets(st.sampled_from(NAMES)))
def test_a_yes_or_no_stays_when_more_becomes_known(
    tree: Tree, known: dict[str, str], hidden: set[str]
) -> None:
    before = evaluate(
        tree.text(), Attempt("write", "request", {n: None if n in hidden else v for n, v in known.items()})
    )
    assert before in {None, tree.holds(known)}


_PIECES = [
    "@Request[x]",
    "(",
    ")",
    "{",
    "}",
    "'a'",
    ",",
    "AND",
    "||",
    "!",
    "GuidEquals",
    str(UUID(int=1)),
    "ActionMatches",
]


@given(st.text(max_size=60) | st.lists(st.sampled_from(_PIECES), max_size=12).map(" ".join))
def test_whatever_it_is_nothing_raises(text: str) -> None:
    assert evaluate(text, Attempt("write")) in {True, False, None}
