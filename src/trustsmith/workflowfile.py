"""The text of a workflow or an action as a tree with positions, and what is wrong with it in plain words.

Must not know any key of a workflow (`model.workflow` does), read files, or print.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.nodes import Node as Parsed

from trustsmith import configtree
from trustsmith.errors import ConfigError, Problem
from trustsmith.model.document import Kind, Node, Pair

if TYPE_CHECKING:
    from collections.abc import Iterator

_ALIAS = re.compile(r"(?:^|[\s\[{,])\*\w", re.MULTILINE)
_PROPERTIES = re.compile(r"(?:[&!][^\s,\[\]{}]*\s+)+")
_DEEPEST = 500
#: So many nodes may there be, and so deep below each other; GitHub reads no workflow that has more.
_MOST, _LEVELS = 200_000, 100
_BRACKET = re.compile(r"[\[\]{}]")
_LADDER = re.compile(rf"(?:[-?:][ \t]+){{{_DEEPEST}}}")
_COLON = re.compile(r"[ \t]*:")
_HINT = "GitHub does not read this file either. Mend it, then run the same again."


def read(text: str, file: str) -> tuple[Node | None, list[Problem]]:
    """The document's root (None for an empty document, or one that is no YAML), and its problems.

    text: without a byte order mark. file: for messages.
    """
    try:
        if not _is_too_deep(text):
            root = _compose(text, file)
            tree = _Converter(text).node(root) if root is not None else None
            if tree is None or _fits(tree):
                return tree, []
    except ConfigError as error:
        found = [Problem(p.file, p.line, p.column, p.message, _HINT) for p in error.problems]
        return None, found
    except (RecursionError, _TooMuchError):
        pass
    why = "This is nested too deeply, or too large with its aliases, to be a workflow."
    return None, [Problem(file, 0, 0, why, "Is this the right file?")]


class _TooMuchError(Exception):
    """Merged mappings have more entries than a workflow has."""


def _fits(root: Node) -> bool:
    """Whether a document, each alias counted as what it stands for, is one that can be walked through."""
    known: dict[int, tuple[int, int]] = {}

    def measured(node: Node) -> tuple[int, int]:
        below = (*(pair.value for pair in node.pairs), *node.items)
        if not below:
            return 1, 1
        key = id(node.pairs or node.items)  # what aliases stand for is one object
        if key not in known:
            sizes, depths = zip(*map(measured, below), strict=True)
            known[key] = 1 + sum(sizes), 1 + max(depths)
        return known[key]

    size, depth = measured(root)
    return size <= _MOST and depth <= _LEVELS


def _is_too_deep(text: str) -> bool:
    """Whether it might be nested so deeply that a parser, which is recursive, would not come back."""
    depth = 0
    for found in _BRACKET.finditer(text):
        depth = depth + 1 if found[0] in "[{" else max(0, depth - 1)
        if depth > _DEEPEST:
            return True
    return _LADDER.search(text) is not None


def _compose(text: str, file: str) -> Parsed | None:
    """As `configtree.compose`, in a seventh of the time where ruamel's C library is installed.

    The C parser does not say where an alias stands, and words errors in its own way: those texts are read once more.
    """
    if not _ALIAS.search(text):
        try:
            root: Parsed | None = YAML(typ="safe").compose(text)
        except (YAMLError, ValueError, RecursionError):
            pass
        else:
            return root
    return configtree.compose(text, file)


class _Converter:
    """Turns the parser's nodes into ours; what is shared through aliases is turned once."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._pairs: dict[int, tuple[Pair, ...]] = {}
        self._items: dict[int, tuple[Node, ...]] = {}

    def node(self, parsed: Parsed) -> Node:
        mark, end = parsed.start_mark, parsed.end_mark.index
        start, line, column = mark.index, mark.line + 1, mark.column + 1
        value, style = (str(parsed.value), parsed.style or "") if isinstance(parsed, ScalarNode) else ("", "")
        # A plain text cannot begin with an asterisk.
        alias = self._text.startswith("*", start) and start < end and not style
        properties = None if alias else _PROPERTIES.match(self._text, start, end)
        if properties:  # an anchor or a tag is no part of the value
            start = properties.end()
            line, column = configtree.position(self._text, start)
        return Node(
            kind=_kind(parsed),
            start=start,
            end=end,
            line=line,
            column=column,
            value=value,
            style=style,
            flow=bool(getattr(parsed, "flow_style", False)),
            alias=alias,
            anchor="" if alias else str(parsed.anchor or ""),
            pairs=self._pairs_of(parsed) if isinstance(parsed, MappingNode) else (),
            items=self._items_of(parsed) if isinstance(parsed, SequenceNode) else (),
        )

    def _pairs_of(self, parsed: MappingNode) -> tuple[Pair, ...]:
        key = id(parsed.value)
        if key not in self._pairs:
            self._pairs[key] = ()  # while it is being turned: an alias may stand inside its own anchor
            found = tuple(islice(self._entries(parsed), _MOST))
            if len(found) == _MOST:
                raise _TooMuchError
            self._pairs[key] = found
        return self._pairs[key]

    def _entries(self, parsed: MappingNode) -> Iterator[Pair]:
        """What `<<` merges in comes first, so that the mapping's own entries are the last ones."""
        own = []
        for key, value in parsed.value:
            if configtree.tag(key) == "merge" or (isinstance(key, ScalarNode) and key.value == "<<"):
                for source in value.value if isinstance(value, SequenceNode) else [value]:
                    if isinstance(source, MappingNode):
                        yield from self._pairs_of(source)
            else:
                own.append(self._pair(key, value))
        yield from own

    def _pair(self, key: Parsed, value: Parsed) -> Pair:
        """An absent value stands right behind the colon; each parser has its own idea of that."""
        made, below = self.node(key), self.node(value)
        if below.kind == "nothing" and below.start == below.end:
            colon = _COLON.match(self._text, made.end)  # there is none in `{a, b}`
            start = colon.end() if colon else made.end
            line, column = configtree.position(self._text, start)
            below = replace(below, start=start, end=start, line=line, column=column)
        return Pair(made, below)

    def _items_of(self, parsed: SequenceNode) -> tuple[Node, ...]:
        known = self._items.get(id(parsed.value))
        if known is None:
            self._items[id(parsed.value)] = ()
            known = self._items[id(parsed.value)] = tuple(self.node(item) for item in parsed.value)
        return known


def _kind(parsed: Parsed) -> Kind:
    if isinstance(parsed, MappingNode):
        return "map"
    if isinstance(parsed, SequenceNode):
        return "list"
    return "nothing" if configtree.tag(parsed) == "null" else "text"
