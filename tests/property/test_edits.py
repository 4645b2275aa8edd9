"""Edits of YAML: the tree changes as it is meant to, and every line that an edit has nothing to do with stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import assume, given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from trustsmith.rewrite.edits import Edit, added, applied, in_place_of, scalar, without
from trustsmith.workflowfile import read

if TYPE_CHECKING:
    from trustsmith.model.document import Node

KEYS = ("alpha", "beta", "gamma", "delta")
VALUES = (
    "plain",
    "'it''s'",
    '"a # b"',
    "${{{{ secrets.X }}}}",
    "|\n{0}  one\n{0}\n{0}  two # no comment",
    ">-\n{0}  folded\n{0}  text",
    "\n{0}  inner: 1\n{0}  # below\n{0}  other: x",
    "\n{0}  - a\n{0}  - b: c",
    "{{flow: [1, 2]}}",
    "[a, b]",
)
FLOW = ("x", "'y z'", "[1, 2]", '"${{ vars.X }}"')
COMMENTS = ("", "# a comment\n", "\n", "\n# after a blank line\n")


@st.composite
def mappings(draw: st.DrawFn) -> str:
    """A mapping below `with:`, in a list or not, in blocks or in brackets, with comments and either line end."""
    keys = draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=4, unique=True))
    if draw(st.booleans()):
        entries = [f"{key}: {draw(st.sampled_from(FLOW))}" for key in keys]
        text = f"with: {{ {', '.join(entries)} }}\nnext: 1\n"
    else:
        depth = draw(st.sampled_from(["  ", "    "]))
        lines = []
        for key in keys:
            above = draw(st.sampled_from(COMMENTS)).replace("#", f"{depth}#")
            value = draw(st.sampled_from(VALUES)).format(depth)
            tail = "  # behind" if "\n" not in value and draw(st.booleans()) else ""
            lines.append(f"{above}{depth}{key}: {value}{tail}\n")
        text = f"# top\nwith:\n{''.join(lines)}" + draw(st.sampled_from(["next: 1\n", "# end\n", ""]))
        if draw(st.booleans()) and "two" not in lines[-1]:  # a line end after it would be in the script
            text = text.removesuffix("\n")
    return text.replace("\n", "\r\n") if draw(st.booleans()) else text


def parsed(text: str) -> Any:
    return YAML(typ="safe").load(text)


def holder(text: str) -> Node:
    root, problems = read(text, "x.yml")
    assert root is not None, problems
    found = root.get("with")
    assert found is not None
    return found


@given(mappings(), st.integers(0, 3))
def test_an_entry_goes_alone(text: str, which: int) -> None:
    mapping = holder(text)
    assume(len(mapping.pairs) > 1)
    pair = mapping.pairs[which % len(mapping.pairs)]
    edit = without(text, mapping, pair)
    assert edit is not None
    after = applied(text, [edit])
    wanted = parsed(text)
    del wanted["with"][pair.key.value]
    assert parsed(after) == wanted
    assert after == text[: edit.start] + text[edit.end :]
    assert not {line.strip() for line in text[edit.start : edit.end].splitlines()} & {
        "# a comment",
        "# after a blank line",
    }


@given(
    mappings(),
    st.integers(0, 3),
    st.sampled_from(["v", "${{ vars.A }}", "0a000000-0000-0000-0000-000000000001"]),
)
def test_others_take_the_place_of_an_entry(text: str, which: int, value: str) -> None:
    mapping = holder(text)
    pair = mapping.pairs[which % len(mapping.pairs)]
    edit = in_place_of(text, mapping, pair, {"new-a": value, "new-b": value})
    assert edit is not None
    after = applied(text, [edit])
    wanted = parsed(text)
    there = wanted["with"]
    at = list(there).index(pair.key.value)
    items = [*list(there.items())[:at], ("new-a", value), ("new-b", value), *list(there.items())[at + 1 :]]
    wanted["with"] = dict(items)
    assert parsed(after) == wanted
    assert list(parsed(after)["with"]) == [key for key, _ in items]


@given(mappings(), st.integers(0, 3))
def test_an_entry_is_put_behind_another(text: str, which: int) -> None:
    mapping = holder(text)
    edit = added(text, mapping, {"new": "v"}, mapping.pairs[which % len(mapping.pairs)])
    assert edit is not None
    assert edit.start == edit.end
    after = applied(text, [edit])
    wanted = parsed(text)
    wanted["with"]["new"] = "v"
    assert parsed(after) == wanted


@given(st.text(max_size=40), st.data())
def test_what_is_outside_of_all_edits_stays(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    edits = [
        Edit(start, end, data.draw(st.text(max_size=5)))
        for start, end in zip(cuts[::2], cuts[1::2], strict=False)
    ]
    kept, at = [], 0
    for edit in edits:
        kept += [text[at : edit.start], edit.text]
        at = edit.end
    assert applied(text, edits) == "".join([*kept, text[at:]])


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
def test_any_text_is_a_value(value: str) -> None:
    assert parsed(f"k: {scalar(value)}\n") == {"k": value if value != "true" else True}
