"""Workflows as trees with positions: every spelling of a text leads back to where it stands, and bad files are problems."""

from __future__ import annotations

import re

import pytest

from tests.corpus.cases import CASES
from tests.corpus.marks import Case, plain
from trustsmith import configtree
from trustsmith.model.document import Node, spots
from trustsmith.model.workflow import Workflow
from trustsmith.workflowfile import _Converter, read


def tree(text: str) -> Node:
    root, problems = read(text, "w.yml")
    assert root is not None, problems
    return root


def value(text: str) -> Node:
    found = tree(text).get("a")
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "word", "spelled"),
    [
        ("a: one two three\n", "two", "two"),
        ("a: 'it''s two'\n", "two", "two"),
        ('a: "x\\ty two"\n', "two", "two"),
        ('a: "\\u00e4\\x41 two"\n', "two", "two"),
        ('a: "one \\\n   two"\n', "two", "two"),
        ("a: one\n   two\n", "two", "two"),
        ("a: |\n  one\n    two\n", "two", "two"),
        ("a: |2\n    one\n   two\n", "two", "two"),
        ("a: |\r\n  one\r\n  two\r\n", "two", "two"),
        ("a: |\n\n  one\n\n\n  two\n", "two", "two"),
        ("a: >-\n  one\n  two\n\n  three\n", "three", "three"),
        ("a: &x one two\n", "two", "two"),
        ("a: !!str one two\n", "two", "two"),
        ("é😀: x\na: one two\n", "two", "two"),
    ],
)
def test_a_place_in_a_value_is_a_place_in_the_text(text: str, word: str, spelled: str) -> None:
    node = value(text)
    start = node.value.index(word)
    places = spots(text, node)
    assert text[places[start] : places[start + len(word)]].strip() == spelled
    assert len(places) == len(node.value) + 1


def _scalars(node: Node) -> list[Node]:
    keys = [pair.key for pair in node.pairs]
    return [n for n in [*node.texts(), *keys] if n.kind == "text"]


@pytest.mark.parametrize("case", CASES[::9], ids=lambda case: case.name)
def test_both_parsers_read_the_same_tree(case: Case) -> None:
    """The one in C is seven times as fast, and is used where it can be."""

    def flat(node: Node) -> list[tuple[object, ...]]:
        own = (node.kind, node.start, node.end, node.line, node.column, node.value, node.style, node.flow)
        below = [n for pair in node.pairs for n in (pair.key, pair.value)] + list(node.items)
        return [own, *(line for child in below for line in flat(child))]

    for file, marked in case.files.items():
        if file.endswith((".yml", ".yaml")):
            text = plain(marked).removeprefix("\ufeff")
            slowly = configtree.compose(text, file)
            assert slowly is not None
            assert flat(tree(text)) == flat(_Converter(text).node(slowly))


@pytest.mark.parametrize("case", CASES[::9], ids=lambda case: case.name)
def test_every_word_of_every_value_is_found_where_it_stands(case: Case) -> None:
    for file, marked in case.files.items():
        if not file.endswith((".yml", ".yaml")):
            continue
        text = plain(marked).removeprefix("\ufeff")
        for node in _scalars(tree(text)):
            places = spots(text, node)
            for word in re.finditer(r"\w+", node.value):
                at = places[word.start()]
                assert text[at : at + len(word[0])] == word[0], (node, word)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("on: push\n\tjobs: {}\n", 2, "a tab"),
        ("on: [push\n", 2, "never closed"),
        ("a: *nothing\n", 1, "without an anchor"),
        ("a: b\n---\nc: d\n", 2, "second YAML document"),
        ("a: \x00\n", 1, "control character"),
    ],
)
def test_bad_yaml_is_a_problem_at_its_line(text: str, line: int, says: str) -> None:
    root, problems = read(text, "w.yml")
    assert root is None
    assert [(p.file, p.line) for p in problems] == [("w.yml", line)]
    assert says in problems[0].message


LISTS = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 10))
MERGED = "".join(f"a{n}: &a{n} {{<<: [*a{n - 1}, *a{n - 1}], x{n}: 1}}\n" for n in range(1, 40))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 200_000,
        "{a: " * 1000,
        "- " * 200_000,
        "? " * 1000,
        "{a: " * 400 + "x" + "}" * 400,
        "\n".join(" " * n + "a:" for n in range(900)),
        "- " * 490 + "x",
        f"a0: &a0 [x, x]\n{LISTS}",
        f"a0: &a0 {{k: v}}\n{MERGED}",
    ],
)
def test_absurd_nesting_is_a_problem(text: str) -> None:
    root, problems = read(text, "w.yml")
    assert root is None
    assert ["nested too deeply" in problem.message for problem in problems] == [True]


@pytest.mark.parametrize(
    "text", ["a: {b, c}\n", "a: [{b}]\n", "a: {{ b }}\n", "{{ a }}: {{ b }}\n", "a:\nb :\n", "? a\n"]
)
def test_absent_values_are_nothing(text: str) -> None:
    assert tree(text).kind == "map"


def test_an_anchor_inside_itself_ends() -> None:
    node = value("a: &x\n  b: *x\n  c: d\n")
    assert node.text("c") == "d"


def test_aliases_stand_where_they_are_written_and_lead_to_the_anchor() -> None:
    root = tree("a: &x {k: v}\nb: *x\nc:\n  <<: *x\n  k: w\n")
    first, second, third = (root.get(name) for name in "abc")
    assert first is not None
    assert second is not None
    assert third is not None
    assert (second.line, second.alias, second.pairs) == (2, True, first.pairs)
    assert (first.anchor, first.alias, first.column) == ("x", False, 7)
    assert third.text("k") == "w"


def workflow(text: str) -> Workflow:
    return Workflow(file=".github/workflows/w.yml", text=text, root=tree(text))


def test_what_is_not_as_github_wants_it_is_left_out() -> None:
    odd = workflow(
        "on: push\njobs:\n  a: text\n  b:\n    steps: [text, {run: x, with: y, env: z}]\n  c:\n    env: {A: [1]}\n"
    )
    assert [job.id for job in odd.jobs] == ["b", "c"]
    assert [len(job.steps) for job in odd.jobs] == [1, 0]
    assert odd.jobs[1].env == {}
    assert not workflow("- a\n").jobs


def test_environment_shell_and_folder() -> None:
    read_ = workflow(
        "on: [push, workflow_call]\ndefaults: {run: {shell: bash}}\njobs:\n  a:\n    environment: {name: live}\n"
        "    defaults: {run: {working-directory: infra}}\n    steps: [{run: x}, {run: y, shell: pwsh}]\n"
    )
    job = read_.jobs[0]
    assert job.environment is not None
    assert job.environment.value == "live"
    assert [(step.shell, step.folder) for step in job.steps] == [("bash", "infra"), ("pwsh", "infra")]
    assert read_.reusable
