"""Whatever names, patterns and commands hold, the workflow has the structure that was meant."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests.golden.cases import SITE, config, environment, workflow
from trustsmith.errors import UsageError
from trustsmith.generated import block, inspect, scalar, stamp
from trustsmith.model.config import CHECK_DRIFT, Observer
from trustsmith.render import catalogue, render

if TYPE_CHECKING:
    from trustsmith.model.config import OptionValue
    from trustsmith.render import Option, Template

# Letters that mean something to YAML, to GitHub, to jinja2 or to a shell come more often than others.
TEXT = st.text(
    st.sampled_from(" \t\n:#-'\"\\{}[]$%&*!|>@`,?+.~=\x85\u2028\ufeffaé🚀") | st.characters(), max_size=30
)
NAMES = TEXT.filter(str.strip)
FIT = st.from_regex(r"[a-z][a-z0-9._-]{0,9}", fullmatch=True)
SOME_NAMES = st.lists(NAMES, min_size=1, max_size=3, unique_by=str.lower) | st.lists(
    FIT, min_size=1, max_size=3, unique_by=str.lower
)


def parsed(text: str) -> Any:
    return YAML(typ="safe").load(text)


def plain(option: Option, value: OptionValue) -> OptionValue:
    """A harmless value that is there where the other one is."""
    if option.values or option.handed_on or not isinstance(value, str | tuple) or not value:
        return value
    if isinstance(value, tuple):
        return tuple(f"x{number}" for number, _ in enumerate(value))
    return "{environment}" if "{environment}" in value else "x"


@st.composite
def options_of(draw: st.DrawFn, template: Template) -> dict[str, OptionValue]:
    """Good options of a template: whatever else its kind permits."""
    found: dict[str, OptionValue] = {}
    for name, option in (template.options or {}).items():
        kinds: dict[str, st.SearchStrategy[Any]] = {
            "text": st.sampled_from(option.values) if option.values else TEXT,
            "path": TEXT | st.just("infra/{environment}.json"),
            "name": st.from_regex(r"[a-z0-9{}environment()._-]+", fullmatch=True),
            "list": st.lists(st.sampled_from(option.values) if option.values else TEXT, max_size=3).map(
                tuple
            ),
            "number": st.integers(0, 999),
            "flag": st.booleans(),
        }
        # One name in five is in both lists, variables and secrets.
        mine = [f"{option.kind}_{number}" for number in range(4)]
        handed_on = st.lists(st.sampled_from(["TF_VAR_a", *mine]), max_size=3).map(tuple)
        value = draw(kinds.get(option.kind, handed_on))
        value = f"{value}{{environment}}" if option.apart and "{environment}" not in value else value
        found[name] = value if not option.problem(value) else option.default
    return found


def shape(node: Any) -> Any:
    """What a document is without its texts; scripts as they are, as no text may get into one."""
    if isinstance(node, dict):
        return {key: value if key == "run" else shape(value) for key, value in node.items()}
    return [shape(item) for item in node] if isinstance(node, list) else type(node)


@pytest.mark.parametrize("name", catalogue())
@settings(max_examples=15, deadline=None)
@given(
    data=st.data(),
    names=SOME_NAMES,
    title=NAMES,
    branches=st.lists(NAMES, max_size=3),
    side_by_side=st.booleans(),
)
def test_no_text_changes_the_structure(
    data: st.DataObject, name: str, names: list[str], title: str, branches: list[str], *, side_by_side: bool
) -> None:
    template = catalogue()[name]
    options = data.draw(options_of(template))
    run = data.draw(st.none() | TEXT) if "run" in template.takes else None

    def document(names: list[str], title: str, options: dict[str, OptionValue]) -> Any:
        environments = [environment(names[0], branches=tuple(branches)), *map(environment, names[1:])]
        stages = (tuple(names),) if side_by_side else tuple((one,) for one in names)
        one = replace(workflow(name=title, template=name, options=options, run=run), stages=stages)
        observer = Observer(environment=names[0]) if one.observes else None
        found = parsed(render(config(*environments, workflows=(one,), observer=observer), SITE)[0].text)
        found["jobs"] = list(found["jobs"].values())
        return found

    try:
        read = document(names, title, options)
    except UsageError as error:
        refused = (
            "${{",
            "half of a character",
            "cannot stand for",
            "the same for all of",
            "lacks",
            "has 'secrets'",
        )
        assert any(why in error.message for why in (*refused, "both under"))  # noqa: PT017  (all are fine)
        return

    harmless = {key: plain(option, options[key]) for key, option in (template.options or {}).items()}
    assert shape(read) == shape(document([f"e{n}" for n, _ in enumerate(names)], "x", harmless))
    assert read["name"] == title
    if not read["jobs"][0].get("strategy"):
        expected = names[:1] if name == CHECK_DRIFT else names
        assert [job["environment"] for job in read["jobs"]] == expected


@given(value=TEXT)
def test_a_scalar_is_read_back(value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        return
    assert parsed(f"a: {scalar(value)}\n") == {"a": value}


@given(text=TEXT.filter(str.strip), indent=st.integers(1, 6))
def test_a_block_is_read_back(text: str, indent: int) -> None:
    text = text.rstrip("\n").replace("\r\n", "\n") + "\n"
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    margin = " " * (indent - 1)
    assert parsed(f"{margin}a: {block(text, indent + 1)}\n") == {"a": text}


@given(body=st.text(st.characters(codec="utf-8")))
def test_the_header_finds_its_body_again(body: str) -> None:
    provenance = inspect(stamp(body, template="t", version="1"))

    assert provenance is not None
    assert not provenance.edited
    assert provenance.body == body.replace("\r\n", "\n")
