"""YAML text as a tree of nodes with positions, and parse errors in plain words.

Must not know any key's name, read files, or print. YAML 1.2, so `on` and `yes` are text. Nothing is constructed from
tags: only ruamel's composer runs, never a constructor.
"""

from __future__ import annotations

import copy
import re
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from trustsmith.errors import ConfigError, Problem

KeyPath = tuple[str | int, ...]

#: The parser's words, in the words of people who do not write parsers.
_PLAIN_WORDS = (
    (r"found character '\\t'", "a tab is used for indentation", "Indent with spaces."),
    (
        r"found another document",
        "a second YAML document starts here",
        "Keep one document: remove the '---' line.",
    ),
    (r"mapping values are not allowed", "a ':' where none can be", "Put text that contains ': ' in quotes."),
    (r"but (got|found) '<stream end>'", "a '[' or '{' is never closed", "Add the missing ']' or '}'."),
    (r"unexpected end of stream", "a quoted text is never closed", "Add the missing quote."),
    (
        r"found undefined alias",
        "an alias (*name) without an anchor (&name) before it",
        "Define the anchor first.",
    ),
    (
        r"block end",
        "the indentation does not fit what is above",
        "Line keys of one mapping up under each other.",
    ),
    (r"could not find expected ':'", "a key without ':' after it", "Write 'key: value'."),
    (r"cannot start any token", "a value cannot start with this character", "Put the value in quotes."),
)


class _Composer(Composer):
    """Puts right two positions: of an alias (ruamel hands out the anchored node itself), and of an absent value."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.warn_double_anchors = False  # the last one counts, as YAML says; warnings would go to stderr

    def compose_node(self, parent: Any, index: Any) -> Any:
        alias = self.parser.peek_event() if self.parser.check_event(AliasEvent) else None
        node = super().compose_node(parent, index)
        if alias is None or node is None:
            return node
        # Shallow on purpose: the list of children is still being filled when an alias is inside its own anchor.
        use = copy.copy(node)
        use.start_mark, use.end_mark = alias.start_mark, alias.end_mark
        return use

    def compose_mapping_node(self, anchor: Any) -> Any:
        node = super().compose_mapping_node(anchor)
        for key, value in node.value:
            if (
                value.start_mark.index == value.end_mark.index
            ):  # no value: ruamel puts it where the next token is
                value.start_mark = value.end_mark = key.end_mark
        return node


def compose(text: str, file: str) -> Node | None:
    """The document's root, or None when there is nothing but comments. Raises ConfigError with one problem."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Composer = _Composer
    try:
        root: Node | None = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what, hint = _in_plain_words(str(error.problem or error.context))
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise ConfigError([Problem(file, line, column, f"This is not valid YAML: {what}.", hint)]) from None
    except ReaderError as error:
        line, column = position(text, error.position)
        message = "This is not valid YAML: a control character is in the text."
        hint = "Delete the character, or write it as an escape in double quotes."
        raise ConfigError([Problem(file, line, column, message, hint)]) from None
    except (YAMLError, RecursionError, ArithmeticError, ValueError, AssertionError, LookupError):
        # What ruamel lets through for absurd nesting and for escapes that are no characters.
        message = (
            "This cannot be read as YAML: it is nested too deeply, or has an escape that is no character."
        )
        raise ConfigError([Problem(file, 0, 0, message, "Is this the right file?")]) from None
    return root


def _in_plain_words(problem: str) -> tuple[str, str]:
    for pattern, words, hint in _PLAIN_WORDS:
        if re.search(pattern, problem):
            return words, hint
    return problem, "Compare the line with the examples in docs/configuration.md."


def position(text: str, index: int) -> tuple[int, int]:
    """1-based line and column of a character index."""
    before = text[:index]
    return before.count("\n") + 1, index - (before.rfind("\n") + 1) + 1


def tag(node: Node) -> str:
    """The node's tag, short for YAML's own: "str", "int", "map", or "!foo"."""
    return str(node.tag).removeprefix("tag:yaml.org,2002:")


def members(node: Node | None) -> dict[str, tuple[Node, Node]]:
    """A mapping's keys and values as text → (key node, value node), own ones before what `<<` merges in."""
    found: dict[str, tuple[Node, Node]] = {}
    waiting: list[Node | None] = [node]
    seen: set[int] = set()
    while waiting:
        mapping = waiting.pop(0)
        if not isinstance(mapping, MappingNode) or id(mapping.value) in seen:
            continue
        seen.add(id(mapping.value))  # an anchor may merge itself, or one mapping a thousand times
        merged: list[Node | None] = []
        for key, value in mapping.value:
            if tag(key) == "merge":
                merged += value.value if isinstance(value, SequenceNode) else [value]
            elif isinstance(key, ScalarNode):
                found.setdefault(key.value, (key, value))
        waiting = merged + waiting
    return found


def find(root: Node | None, path: KeyPath) -> tuple[Node | None, int]:
    """The node at `path`, or its nearest ancestor that exists, and how many steps of the path were found."""
    node = root
    for count, step in enumerate(path):
        found = _child(node, step)
        if found is None:
            return node, count
        node = found
    return node, len(path)


def _child(node: Node | None, step: str | int) -> Node | None:
    if isinstance(step, str):
        return members(node).get(step, (None, None))[1]
    if isinstance(node, SequenceNode) and step < len(node.value):
        child: Node = node.value[step]
        return child
    return None
