"""Whether a workflow asks for a push: its filters of branches, tags and paths.

Written from GitHub's "workflow syntax" and its filter pattern cheat sheet. It must not know a repository.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trustsmith_sandbox.workflow_file import Workflow

_MARKS = re.compile(r"\\(?P<plain>.)|(?P<deep>\*\*/?)|(?P<star>\*)|(?P<again>[?+])|(?P<set>\[[^\]]+\])")
_KINDS = {"heads": "branches", "tags": "tags"}


def asks_for_push(workflow: Workflow, ref: str, changed: Iterable[str]) -> bool:
    """Whether the workflow starts when a full ref is pushed; ``changed`` are the paths that differ from before.

    Whoever filters branches alone gets no tags, and the other way round; paths do not count for tags.
    """
    if "push" not in workflow.triggers:
        return False
    rules = workflow.triggers["push"] if isinstance(workflow.triggers["push"], dict) else {}
    kind, _, name = ref.removeprefix("refs/").partition("/")
    own, others = _KINDS[kind], {*_KINDS.values()} - {_KINDS[kind]}
    if not _filters(rules, own) and any(_filters(rules, other) for other in others):
        return False
    return _passes(rules, own, [name]) and (kind == "tags" or _passes(rules, "paths", changed))


def _filters(rules: dict[str, Any], kind: str) -> bool:
    return rules.get(kind) is not None or rules.get(f"{kind}-ignore") is not None


def _passes(rules: dict[str, Any], kind: str, names: Iterable[str]) -> bool:
    """Whether any of the names passes the filters of a kind."""
    if rules.get(kind) is not None:
        return any(_chosen(_patterns(rules[kind]), name) for name in names)
    if rules.get(f"{kind}-ignore") is not None:
        return not all(_chosen(_patterns(rules[f"{kind}-ignore"]), name) for name in names)
    return True


def _patterns(written: Any) -> list[str]:
    return [str(each) for each in written] if isinstance(written, list) else [str(written)]


def _chosen(patterns: list[str], name: str) -> bool:
    """Whether the patterns choose a name: the last one that matches decides, and one with ``!`` says no."""
    chosen = False
    for pattern in patterns:
        if _expression(pattern.removeprefix("!")).fullmatch(name):
            chosen = not pattern.startswith("!")
    return chosen


@lru_cache(maxsize=256)
def _expression(pattern: str) -> re.Pattern[str]:
    parts, end = [], 0
    for found in _MARKS.finditer(pattern):
        parts.append(re.escape(pattern[end : found.start()]))
        end = found.end()
        if found["plain"]:
            parts.append(re.escape(found["plain"]))
        elif found["deep"]:
            parts.append("(?:.*/)?" if found["deep"].endswith("/") else ".*")
        else:
            parts.append("[^/]*" if found["star"] else found.group())
    return re.compile("".join([*parts, re.escape(pattern[end:])]))
