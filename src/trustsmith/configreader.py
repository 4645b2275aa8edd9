"""Reads values out of YAML nodes and gathers every problem, instead of stopping at the first.

Must not know any key of the configuration, read files, or print.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeVar

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from trustsmith.configtree import members, tag
from trustsmith.errors import Problem, closest

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

T = TypeVar("T")

_KINDS = {
    "bool": "true or false",
    "float": "a number",
    "int": "a number",
    "map": "a mapping",
    "merge": "a merge key",
    "null": "nothing",
    "seq": "a list",
    "str": "text",
    "timestamp": "a date",
}


class Wrong(ValueError):
    """What a check of a single value raises: `message` says what is wrong and allowed, `hint` what to type."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def shown(text: str, limit: int = 80) -> str:
    """A value as it may be put into a message: on one line, in quotes, not too long."""
    visible = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
    return f"'{visible[:limit]}…'" if len(visible) > limit else f"'{visible}'"


def describe(node: Node) -> str:
    """What a node is, in words: "a list", "a number (1.0)"."""
    kind = _KINDS.get(tag(node), f"a value tagged {tag(node)}")
    return (
        f"{kind} ({node.value[:40]})"
        if isinstance(node, ScalarNode) and kind not in ("text", "nothing")
        else kind
    )


class Reader:
    """Reads values out of nodes. Every method reports what is wrong and answers None (or nothing), never raises.

    `what` in the methods is the key's name, for messages.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def report(self, node: Node | None, message: str, hint: str = "") -> None:
        """Note a problem at a node's position; None means the start of the file."""
        mark = node.start_mark if node is not None else None
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        self.problems.append(Problem(self.file, line, column, message, hint))

    def mapping(self, node: Node | None, what: str, keys: Mapping[str, bool]) -> dict[str, Node]:
        """The values of known keys (key → whether it is required). An optional key without a value is left out."""
        fields: dict[str, Node] = {}
        for name, key, value in self.named(node, what):
            if name not in keys:
                self._unknown(key, name, keys)
            elif not _is_null(value):
                fields[name] = value
            elif keys[name]:
                self.report(value, f"'{name}' has no value.", f"Write one after '{name}:'.")
        if isinstance(node, MappingNode) or (node is not None and _is_null(node)):
            given = members(node)
            for name in (key for key, required in keys.items() if required and key not in given):
                self.report(node, f"'{name}' is missing{_inside(what)}.", f"Add '{name}: …'.")
        return fields

    def _unknown(self, key: Node, name: str, keys: Collection[str]) -> None:
        if re.search(r"secret|password|credential|token", name, re.IGNORECASE):
            hint = "No secret belongs in this file. Remove it, and revoke it if it was ever pushed."
        else:
            hint = f"{closest(name, keys)}Known here: {', '.join(keys)}."
        self.report(key, f"Unknown key {shown(name)}.", hint)

    def named(self, node: Node | None, what: str) -> Iterator[tuple[str, Node, Node]]:
        """Name, key node and value node of each entry, merged ones too. Reports keys that are no text or come twice."""
        if node is None or _is_null(node):
            return
        if not isinstance(node, MappingNode) or tag(node) != "map":
            self.report(
                node, f"{_subject(what)} must be a mapping ('key: value' lines), not {describe(node)}."
            )
            return
        self._check_keys(node)
        for name, (key, value) in members(node).items():
            yield name, key, value

    def _check_keys(self, node: Node) -> None:
        first: dict[str, Node] = {}
        for key, value in node.value:
            if tag(key) == "merge":
                self._check_merge(value)
            elif not isinstance(key, ScalarNode):
                self.report(key, f"A key must be text, not {describe(key)}.")
            elif key.value in first:
                line = first[key.value].start_mark.line + 1
                self.report(
                    key, f"{shown(key.value)} is given twice; the first is on line {line}.", "Keep one."
                )
            else:
                first[key.value] = key
                if tag(key) != "str":
                    self.report(
                        key, f"A key must be text, not {describe(key)}.", f'Put it in quotes: "{key.value}":'
                    )

    def _check_merge(self, value: Node) -> None:
        sources = value.value if isinstance(value, SequenceNode) else [value]
        if not all(isinstance(source, MappingNode) for source in sources):
            self.report(
                value, "'<<' merges mappings only.", "Write '<<: *name' with the anchor of a mapping."
            )

    def items(self, node: Node | None, what: str, *, allow_empty: bool = False) -> list[Node] | None:
        """A list's nodes; None when the key is absent or wrong."""
        if node is None:
            return None
        if not isinstance(node, SequenceNode):
            hint = (
                f"Write '{what}: [{node.value[:40]}]'." if isinstance(node, ScalarNode) and node.value else ""
            )
            self.report(node, f"'{what}' must be a list, not {describe(node)}.", hint)
            return None
        if not node.value and not allow_empty:
            self.report(node, f"'{what}' is an empty list.", f"List at least one, or remove '{what}'.")
        return list(node.value)

    def values(
        self, node: Node | None, what: str, parse: Callable[[str], T], *, allow_empty: bool = False
    ) -> tuple[T, ...] | None:
        """A list of parsed texts; wrong items are reported and left out. The same value twice is a problem."""
        nodes = self.items(node, what, allow_empty=allow_empty)
        if nodes is None:
            return None
        parsed = [(item, self.value(item, f"an item of {what}", parse)) for item in nodes]
        good: list[T] = []
        for item, value in parsed:
            if value is not None and str(value).casefold() in {str(other).casefold() for other in good}:
                self.report(item, f"{shown(str(value))} is listed twice in '{what}'.", "Keep one.")
            elif value is not None:
                good.append(value)
        return tuple(good)

    def value(self, node: Node | None, what: str, parse: Callable[[str], T]) -> T | None:
        """A text on one line, parsed; None when it is absent or wrong."""
        text = self._text(node, what)
        if node is None or text is None:
            return None
        return self.parsed(node, text if text.isprintable() else None, what, parse)

    def parsed(self, node: Node, text: str | None, what: str, parse: Callable[[str], T]) -> T | None:
        """The text parsed, with the problem reported at the node; None stands for text with control characters."""
        if text is None:
            self.report(
                node, f"{_subject(what)} contains a line break or an invisible character.", "Remove it."
            )
        elif not text or text != text.strip():
            self.report(node, f"{_subject(what)} must not be empty, nor start or end with a space.")
        else:
            try:
                return parse(text)
            except Wrong as wrong:
                self.report(node, wrong.message, wrong.hint)
        return None

    def script(self, node: Node | None, what: str) -> str | None:
        """A text that may have several lines, and is kept as it is."""
        text = self._text(node, what)
        if text is None:
            return None
        if not text.strip():
            self.report(node, f"'{what}' is empty.", f"Write a command, or remove '{what}'.")
        elif not text.replace("\n", "").replace("\t", "").isprintable():
            self.report(node, f"'{what}' contains a control or invisible character.", "Remove it.")
        else:
            return text
        return None

    def _text(self, node: Node | None, what: str) -> str | None:
        if node is None:
            return None
        if isinstance(node, ScalarNode) and tag(node) == "str":
            return str(node.value)
        hint = f'Put it in quotes: "{node.value}"' if isinstance(node, ScalarNode) and node.value else ""
        self.report(node, f"{_subject(what)} must be text, not {describe(node)}.", hint)
        return None

    def whole(self, node: Node | None, what: str, low: int, high: int) -> int | None:
        """A whole number from `low` to `high`, in plain digits: 010 is 8 to some YAML readers and 10 to others."""
        if node is None:
            return None
        digits = node.value if isinstance(node, ScalarNode) and tag(node) == "int" else ""
        if re.fullmatch(r"0|[1-9][0-9]{0,9}", digits) and low <= int(digits) <= high:
            return int(digits)
        plain = digits.lstrip("0")
        hint = f"Write {plain}." if plain.isdecimal() and low <= int(plain[:10]) <= high else ""
        found = (
            shown(node.value)
            if isinstance(node, ScalarNode) and tag(node) in ("int", "str")
            else describe(node)
        )
        allowed = f"{low}" if low == high else f"a whole number from {low} to {high}, in plain digits"
        self.report(
            node,
            f"'{what}' must be {allowed}; it is {found}.",
            hint or f"Write, for example, '{what}: {min(high, 10)}'.",
        )
        return None

    def flag(self, node: Node | None, what: str) -> bool | None:
        """True or false. `yes` and `on` are refused: they are text in YAML 1.2."""
        if node is None:
            return None
        word = node.value.lower() if isinstance(node, ScalarNode) and not node.style else ""
        if tag(node) == "bool" and word in ("true", "false"):
            return bool(word == "true")
        guess = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}.get(
            word
        )
        hint = f"Write '{what}: {guess}'." if guess else f"Write '{what}: true' or '{what}: false'."
        self.report(node, f"'{what}' must be true or false, not {describe(node)}.", hint)
        return None


def _subject(what: str) -> str:
    """The start of a sentence about a key, or about something described in words."""
    if not what:
        return "The file"
    return f"'{what}'" if " " not in what else what[0].upper() + what[1:]


def _is_null(node: Node) -> bool:
    return isinstance(node, ScalarNode) and tag(node) == "null"


def _inside(what: str) -> str:
    return f" in {what}" if what else ""
