"""Edits of YAML text that touch only the lines they are about: comments, order, quotes and line ends stay.

Each edit finds its place in the text by the positions of nodes and splices new text in; nothing is ever written back
from a tree, so what is not edited cannot change. Must not know any key's name. An edit of an unusual layout (explicit
keys, anchors on edited values) may come out wrong: the caller checks the result, see `configwrite.update`.
"""

from __future__ import annotations

import io
import re
import textwrap
from typing import TYPE_CHECKING, Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedSeq
from ruamel.yaml.nodes import CollectionNode, MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.representer import RoundTripRepresenter
from ruamel.yaml.scalarstring import LiteralScalarString

from trustsmith.configtree import compose, find, members, tag

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trustsmith.configtree import KeyPath

#: What YAML can say with plain values: None, bool, int, str, and lists and dicts of them.
Plain = Any
_SHORT = 80


class _Representer(RoundTripRepresenter):
    """Quotes text that starts with `?` or `:`, which ruamel writes as it is, and within brackets reads as a key."""

    def represent_str(self, data: str) -> ScalarNode:
        """As ruamel does it, but for those."""
        style = "'" if data.startswith(("?", ":")) else None
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)


_Representer.add_representer(str, _Representer.represent_str)


def block(value: Plain, step: int = 2) -> str:
    """A value in block style, `step` spaces a level, as lines with line ends. Short lists within it stay on a line."""
    styled = [_styled(item) for item in value] if isinstance(value, list) else _styled(value)
    return textwrap.dedent(_dump(styled, step=step))


def flow(value: Plain) -> str:
    """A value on one line, as it can stand within brackets."""
    return _dump([value], flow=True).strip()[1:-1]


def line_end(text: str) -> str:
    """The text's line end; Windows' if it has one of them."""
    return "\r\n" if "\r\n" in text else "\n"


def _dump(value: Plain, *, flow: bool = False, step: int = 2) -> str:
    yaml = YAML()
    yaml.Representer = _Representer
    yaml.default_flow_style = flow
    yaml.brace_single_entry_mapping_in_flow_sequence = True  # else [{a: 1}] is written [a: 1]
    yaml.width = 1_000_000  # ids are long, and a folded id cannot be searched for
    yaml.indent(mapping=step, sequence=step + 2, offset=step)
    out = io.StringIO()
    yaml.dump(value, out)
    return out.getvalue().removesuffix("...\n")


def _styled(value: Plain) -> Plain:
    if isinstance(value, dict):
        return {key: _styled(child) for key, child in value.items()}
    if (
        isinstance(value, list)
        and sum(len(str(item)) for item in value) < _SHORT
        and not _has_mappings(value)
    ):
        short = CommentedSeq(value)
        short.fa.set_flow_style()
        return short
    if isinstance(value, list):
        return [_styled(item) for item in value]
    if isinstance(value, str) and "\n" in value and _fits_literal(value):
        return LiteralScalarString(value)
    return value


def _has_mappings(items: list[Plain]) -> bool:
    return any(isinstance(item, dict) for item in items)


def _fits_literal(text: str) -> bool:
    """Whether `|` can hold the text as it is, in a way that people can read."""
    lines = text.removesuffix("\n").split("\n")
    return (
        bool(lines[0])
        and not lines[0][0].isspace()
        and all(x == x.rstrip() and x.isprintable() for x in lines)
    )


def put(text: str, path: KeyPath, value: Plain, before: Sequence[str] = ()) -> str:
    """Set a mapping's key. A new key goes after the last one of `before` that is there, else to the front."""
    *above, key = path
    mapping = _node(text, tuple(above))
    if not isinstance(mapping, MappingNode):
        return text
    own = _own_keys(mapping)
    if key in own:
        return _replace(text, mapping, own[str(key)], value)
    where = max((own[name] + 1 for name in before if name in own), default=0)
    return _insert(text, mapping, where, {key: value})


def drop(text: str, path: KeyPath) -> str:
    """Remove a key or an item. A key that only `<<` brings along is set to null."""
    *above, step = path
    parent = _node(text, tuple(above))
    if isinstance(parent, SequenceNode):
        return _remove(text, parent, int(step))
    if isinstance(parent, MappingNode) and str(step) in (own := _own_keys(parent)):
        return _remove(text, parent, own[str(step)])
    return put(text, path, None, tuple(_own_keys(parent))) if str(step) in members(parent) else text


def insert(text: str, path: KeyPath, value: Plain) -> str:
    """Insert a list item; the last step of `path` is the index that it will have."""
    *above, index = path
    parent = _node(text, tuple(above))
    return _insert(text, parent, int(index), [value]) if isinstance(parent, SequenceNode) else text


def _node(text: str, path: KeyPath) -> Node | None:
    """The node at exactly this path."""
    node, steps = find(compose(text, ""), path)
    return node if steps == len(path) else None


def _own_keys(mapping: Node | None) -> dict[str, int]:
    pairs = mapping.value if isinstance(mapping, MappingNode) else []
    return {
        key.value: i
        for i, (key, _) in enumerate(pairs)
        if isinstance(key, ScalarNode) and tag(key) != "merge"
    }


def _spans(text: str, node: Node) -> list[tuple[int, int]]:
    """Start and end of each entry's content: key to end of value, or item."""
    if isinstance(node, MappingNode):
        return [(key.start_mark.index, _end(text, value)) for key, value in node.value]
    return [(item.start_mark.index, _end(text, item)) for item in node.value]


def _end(text: str, node: Node) -> int:
    """Where a node's content ends. The end mark of a block node is only where the next token starts."""
    start, end = node.start_mark.index, node.end_mark.index
    if isinstance(node, CollectionNode) and not node.flow_style and node.value and text[start] != "*":
        return _spans(text, node)[-1][1]
    return int(start + len(text[start:end].rstrip()))


def _first(text: str, node: CollectionNode) -> int:
    """Where a block collection's first entry starts; the node itself may start with an anchor, lines above."""
    if isinstance(node, MappingNode):
        return int(node.value[0][0].start_mark.index)
    return text.rfind("-", 0, node.value[0].start_mark.index)


def _line_start(text: str, index: int) -> int:
    return text.rfind("\n", 0, index) + 1


def _after(text: str, end: int, column: int) -> int:
    """The start of the line after an entry that ends at `end`, and after the comments indented deeper than it."""
    while True:
        found = text.find("\n", end)
        if found < 0:
            return len(text)
        line = text[found + 1 :].partition("\n")[0]
        if not re.match(rf" {{{column + 1},}}#", line):
            return found + 1
        end = found + 1


def _step(text: str) -> int:
    """How many spaces a level has in this file."""
    first = re.search(r"^( {2,8})[^ #\n-]", text, re.MULTILINE)
    return len(first[1]) if first else 2


def _lines(text: str, value: Plain, column: int) -> str:
    """A value in block style, from `column` on and with the file's line ends; without the last line end."""
    indented = textwrap.indent(block(value, _step(text)).rstrip("\n"), " " * column).removeprefix(
        " " * column
    )
    return indented.replace("\n", line_end(text))


def _replace(text: str, mapping: MappingNode, index: int, value: Plain) -> str:
    key, old = mapping.value[index]
    start, end = old.start_mark.index, _end(text, old)
    is_block = (
        isinstance(old, CollectionNode) and not old.flow_style and bool(old.value) and text[start] != "*"
    )
    if is_block and isinstance(value, dict | list) and value:
        start = _first(text, old)
        return text[:start] + _lines(text, value, start - _line_start(text, start)) + text[end:]
    has_lines = (isinstance(old, ScalarNode) and old.style in ("|", ">")) or "\n" in str(value)
    if not mapping.flow_style and (is_block or has_lines):
        start = key.start_mark.index
        return text[:start] + _lines(text, {key.value: value}, key.start_mark.column) + text[end:]
    if start == end:  # no value yet
        start = end = text.find(":", end) + 1
        return f"{text[:start]} {flow(value)}{text[end:]}"
    return text[:start] + flow(value) + text[end:]


def _insert(text: str, parent: CollectionNode, index: int, entry: Plain) -> str:
    """Insert an entry (a dict of one key, or a list of one item) so that it becomes number `index`."""
    spans = _spans(text, parent)
    if parent.flow_style or not spans:
        return _insert_in_brackets(text, parent, spans, index, _dump(entry, flow=True).strip()[1:-1])
    start = _first(text, parent)
    column = start - _line_start(text, start)
    rendered = _lines(text, entry, column)
    if index == 0:
        return f"{text[:start]}{rendered}{line_end(text)}{' ' * column}{text[start:]}"
    place = _after(text, spans[index - 1][1], column)
    gap = "" if text[:place].endswith("\n") else line_end(text)
    return f"{text[:place]}{gap}{' ' * column}{rendered}{line_end(text)}{text[place:]}"


def _insert_in_brackets(
    text: str, parent: Node, spans: list[tuple[int, int]], index: int, rendered: str
) -> str:
    if index < len(spans):
        place = spans[index][0]
        return f"{text[:place]}{rendered}, {text[place:]}"
    place = spans[-1][1] if spans else parent.end_mark.index - 1
    return f"{text[:place]}{', ' if spans else ''}{rendered}{text[place:]}"


def _remove(text: str, parent: CollectionNode, index: int) -> str:
    spans = _spans(text, parent)
    start, end = spans[index]
    following = spans[index + 1][0] if index + 1 < len(spans) else end
    if parent.flow_style:
        start = spans[index - 1][1] if index and following == end else start
        return text[:start] + text[following:]
    line = _line_start(text, start)
    column = _first(text, parent) - _line_start(text, _first(text, parent))
    if text[line:start].strip() == ("-" if isinstance(parent, SequenceNode) else ""):
        return text[:line] + text[_after(text, end, column) :]
    return text[:start] + text[following:]
