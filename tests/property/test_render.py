"""Whatever names, patterns and commands hold, the workflow has the structure that was meant."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests.golden.cases import SITE, config, environment, workflow
from trustsmith.errors import UsageError
from trustsmith.generated import block, inspect, scalar, stamp
from trustsmith.render import render

# Letters that mean something to YAML, to GitHub, to jinja2 or to a shell come more often than others.
TEXT = st.text(
    st.sampled_from(" \t\n:#-'\"\\{}[]$%&*!|>@`,?+.~=\x85\u2028\ufeffaé🚀") | st.characters(), max_size=30
)
NAMES = TEXT.filter(str.strip)


def parsed(text: str) -> Any:
    return YAML(typ="safe").load(text)


@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(NAMES, min_size=1, max_size=3, unique_by=str.lower),
    title=NAMES,
    branches=st.lists(NAMES, max_size=3),
    run=st.none() | TEXT,
)
def test_no_text_changes_the_structure(
    names: list[str], title: str, branches: list[str], run: str | None
) -> None:
    environments = [environment(names[0], branches=tuple(branches)), *map(environment, names[1:])]
    wanted = config(*environments, workflows=(workflow(*names, name=title, run=run),))

    try:
        (rendered,) = render(wanted, SITE)
    except UsageError as error:
        assert "${{" in error.message or "half of a character" in error.message  # noqa: PT017  (both are fine)
        return

    plain = parsed(render(config(*(environment(f"e{n}") for n, _ in enumerate(names))), SITE)[0].text)
    document = parsed(rendered.text)
    jobs = list(document["jobs"].values())
    assert document.keys() == plain.keys()
    assert document["name"] == title
    assert [job["environment"] for job in jobs] == names
    for job, model in zip(jobs, plain["jobs"].values(), strict=True):
        assert job.keys() == model.keys()
        assert [step.keys() for step in job["steps"]] == [step.keys() for step in model["steps"]]
        assert job["steps"][:-1] == model["steps"][:-1]


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
