"""A YAML document as frozen nodes that know where they stand in the text.

Must not know YAML's grammar beyond how a scalar is spelled, nor any key's name; `workflowfile` makes the nodes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["map", "list", "text", "nothing"]

#: How many characters follow `\x`, `\u` and `\U` in double quotes.
_HEX = {"x": 2, "u": 4, "U": 8}
WHOLE = "whole"
_BLANKS = re.compile(r"[ \t]*")
_BREAK = re.compile(r"[ \t]*(?:\r\n|\r|\n)[ \t]*")


@dataclass(frozen=True, kw_only=True, eq=False)
class Node:
    """One node. Two are the same only if they are one object.

    start, end: offsets of the node's own text, `end` exclusive; line, column: of `start`, from 1.
    value, style: of a text: what it says, and how it is spelled: "" (plain), "'", '"', "|" or ">"; WHOLE for a file
    that is one text.
    flow: a mapping or list in brackets. alias: written `*name` here; what is below stands where the anchor is.
    anchor: the name that others may refer to it by, or "".
    """

    kind: Kind
    start: int
    end: int
    line: int
    column: int
    value: str = ""
    style: str = ""
    flow: bool = False
    alias: bool = False
    anchor: str = ""
    pairs: tuple[Pair, ...] = ()
    items: tuple[Node, ...] = ()

    def pair(self, name: str) -> Pair | None:
        """The entry of a mapping with that key, the last one that is written."""
        return next((pair for pair in reversed(self.pairs) if pair.key.value == name), None)

    def get(self, name: str) -> Node | None:
        """The value of that entry; None when there is none, or when it has no value."""
        found = self.pair(name)
        return found.value if found and found.value.kind != "nothing" else None

    def text(self, name: str) -> str:
        """The value of that entry as text; "" when there is none, or when it is no text."""
        found = self.get(name)
        return found.value if found else ""

    def texts(self) -> Iterator[Node]:
        """Every text below, and itself; no keys."""
        if self.kind == "text":
            yield self
        for pair in self.pairs:
            yield from pair.value.texts()
        for item in self.items:
            yield from item.texts()


@dataclass(frozen=True, eq=False)
class Pair:
    """One entry of a mapping."""

    key: Node
    value: Node


def whole(text: str) -> Node:
    """A file that is no YAML, as one text."""
    return Node(kind="text", start=0, end=len(text), line=1, column=1, value=text, style=WHOLE)


@lru_cache(maxsize=4096)
def spots(text: str, node: Node) -> list[int]:
    """For each character of a text node's value, and for its end, the offset in `text` where it is spelled.

    Exact for all but folded blocks (`>`), where it may be off by some white space.
    """
    if node.style == WHOLE:
        return list(range(len(text) + 1))
    raw = text[node.start : node.end]
    if node.style in ("|", ">"):
        found = _in_block(raw, node.value, literal=node.style == "|")
    else:
        found = _in_flow(raw, node.value, node.style)
    return [node.start + place for place in found]


def _in_block(raw: str, value: str, *, literal: bool) -> list[int]:
    header = raw.find("\n") + 1
    lines = raw[header:].splitlines(keepends=True)
    said = next((int(c) for c in raw[:header] if c.isdigit()), 0)
    first = next((line for line in lines if line.strip()), "")
    indent = len(first) - len(first.lstrip(" "))
    if said:  # an explicit indentation counts from the parent: what is more is content
        indent = max(0, indent - (len(value) - len(value.lstrip(" "))))
    places: list[int] = []
    at, start = 0, header
    for line in lines:
        content = line.rstrip("\r\n")
        inner = start + min(indent, len(content))
        for offset, character in enumerate(content[indent:]):
            if at < len(value) and value[at] == character:
                places.append(inner + offset)
                at += 1
        if at < len(value) and (value[at] == "\n" or (not literal and value[at] == " ")):
            places.append(start + len(content))
            at += 1
        start += len(line)
    places += [min(start, len(raw))] * (len(value) - at)
    return [*places, min(start, len(raw))]


def _in_flow(raw: str, value: str, quote: str) -> list[int]:
    places: list[int] = []
    at = len(quote)
    seen = 0  # up to there are blanks behind which no line ends
    while len(places) < len(value):
        folded = _BREAK.match(raw, at) if at >= seen else None
        if not folded and at >= seen:
            seen = _BLANKS.match(raw, at).end()  # type: ignore[union-attr] # it always matches
        if folded:
            end, breaks = _run(raw, at)
            places += [at] * (1 if breaks == 1 else breaks - 1)
            at = end
        elif quote == '"' and raw[at : at + 1] == "\\":
            continued = re.compile(r"\\(?:\r\n|\r|\n)\s*").match(raw, at)
            if continued:
                at = continued.end()
                continue
            places.append(at)
            at += 2 + _HEX.get(raw[at + 1 : at + 2], 0)
        else:
            places.append(at)
            at += 2 if quote == "'" and raw.startswith("''", at) else 1
    return [*places[: len(value)], min(at, len(raw))]


def _run(raw: str, at: int) -> tuple[int, int]:
    """Where a run of line breaks ends, and how many there are."""
    breaks = 0
    while found := _BREAK.match(raw, at):
        at, breaks = found.end(), breaks + 1
    return at, breaks
