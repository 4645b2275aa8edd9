"""Which pushes start a workflow at the sandbox's GitHub, held to the examples of GitHub's filter patterns."""

from __future__ import annotations

from typing import Any

import pytest

from trustsmith_sandbox.workflow_events import asks_for_push
from trustsmith_sandbox.workflow_file import Workflow

MAIN, TAG = "refs/heads/main", "refs/tags/v1.2.3"


def _asks(push: Any, ref: str = MAIN, *changed: str) -> bool:
    workflow = Workflow(None, None, {"push": push}, {}, {}, {}, None)
    return asks_for_push(workflow, ref, changed or ("README.md",))


@pytest.mark.parametrize(
    ("pattern", "names", "others"),
    [
        ("feature/*", ["feature/my-branch"], ["feature/a/b", "feature"]),
        ("feature/**", ["feature/beta-a/my-branch", "feature/x"], ["feature"]),
        ("main", ["main"], ["mains", "Main"]),
        ("*", ["main", "releases"], ["all/the/branches"]),
        ("**", ["all/the/branches", "main"], []),
        ("*feature", ["mona-feature", "ver-10-feature"], ["feature/x"]),
        ("v2*", ["v2", "v2.0"], ["v1"]),
        ("v[12].[0-9]+.[0-9]+", ["v1.10.1", "v2.0.0"], ["v3.0.0", "v1.x.0"]),
        ("*.jsx?", ["page.js", "page.jsx"], ["page.jsxx"]),
        ("a\\*b", ["a*b"], ["axb"]),
        ("**/docs/**", ["docs/hello.md", "dir/docs/my-file.txt", "space/docs/plan/space.doc"], ["docs"]),
        ("**/*-post.md", ["my-post.md", "path/their-post.md"], ["post.md"]),
        ("(x)", ["(x)"], ["x"]),
    ],
)
def test_patterns(pattern: str, names: list[str], others: list[str]) -> None:
    assert [
        name for name in [*names, *others] if _asks({"branches": [pattern]}, f"refs/heads/{name}")
    ] == names


@pytest.mark.parametrize(
    ("push", "branch", "tag"),
    [
        (None, True, True),
        ({}, True, True),
        ({"branches": ["main"]}, True, False),
        ({"branches": ["other"]}, False, False),
        ({"branches": "main"}, True, False),
        ({"branches-ignore": ["main"]}, False, False),
        ({"tags": ["v*"]}, False, True),
        ({"tags-ignore": ["v*"]}, False, False),
        ({"branches": ["main"], "tags": ["v*"]}, True, True),
        ({"branches": ["**", "!main"]}, False, False),
        ({"branches": ["!main", "**"]}, True, False),
        ({"paths": ["src/**"]}, False, True),
        ({"paths": ["src/**", "*.md"], "branches": ["main"]}, True, False),
        ({"paths-ignore": ["*.md"]}, False, True),
        ({"paths": ["*.md", "!README.md"]}, False, True),
    ],
)
def test_filters(push: Any, *, branch: bool, tag: bool) -> None:
    assert (_asks(push), _asks(push, TAG)) == (branch, tag)


def test_one_path_is_enough() -> None:
    assert _asks({"paths-ignore": ["docs/**"]}, MAIN, "docs/a.md", "src/a.py")
    assert _asks({"paths": ["src/**"]}, MAIN, "docs/a.md", "src/a.py")
    assert not asks_for_push(Workflow(None, None, {"schedule": []}, {}, {}, {}, None), MAIN, ["a"])
