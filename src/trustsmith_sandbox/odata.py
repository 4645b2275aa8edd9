"""OData as Microsoft Graph speaks it: a small parser for ``$filter``, strict about what a property allows.

A filter compiles to a predicate and to the list of (property, operator) it used; whether those are allowed
is the entity's table, which the caller brings. It must not know any entity, and it raises ``Unsupported``
where Graph would answer 400.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Predicate = Callable[[Any], bool]
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<name>[A-Za-z_$][\w$./-]*)|(?P<number>-?\d+)|(?P<mark>[(),:]))"
)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda a, b: bool(_folded(a) == _folded(b)),
    "ne": lambda a, b: bool(_folded(a) != _folded(b)),
    "ge": lambda a, b: a is not None and bool(_folded(a) >= _folded(b)),
    "le": lambda a, b: a is not None and bool(_folded(a) <= _folded(b)),
    "gt": lambda a, b: a is not None and bool(_folded(a) > _folded(b)),
    "lt": lambda a, b: a is not None and bool(_folded(a) < _folded(b)),
}
_FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "startswith": lambda text, part: text.startswith(part),
    "endswith": lambda text, part: text.endswith(part),
}
_WORDS = {"true": True, "false": False, "null": None}


class Unsupported(Exception):
    """The filter's text cannot be parsed, or uses something that the property does not support."""


def _folded(value: Any) -> Any:
    """Graph compares strings without regard to case."""
    return value.casefold() if isinstance(value, str) else value


@dataclass
class Filter:
    """A compiled ``$filter``: ``matches`` decides, ``used`` says which properties with which operators."""

    matches: Predicate
    used: set[tuple[str, str]]


def parse(text: str) -> Filter:
    """Compile ``text``; raises ``Unsupported``."""
    parser = _Parser(_tokens(text))
    matches = parser.either()
    if parser.peek():
        raise Unsupported(f"Syntax error at '{parser.peek()}'")
    return Filter(matches, parser.used)


def _tokens(text: str) -> list[str]:
    found, position = [], 0
    text = text.rstrip()
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise Unsupported(f"Invalid filter clause: syntax error at position {position} in '{text}'.")
        found.append(token.group().strip())
        position = token.end()
    return found


@dataclass
class _Parser:
    tokens: list[str]
    used: set[tuple[str, str]] = field(default_factory=set)
    inside: dict[str, str] = field(default_factory=dict)
    """Range variables of the lambdas we are in, and the collections they range over."""

    def peek(self, ahead: int = 0) -> str:
        return self.tokens[ahead] if ahead < len(self.tokens) else ""

    def take(self, expected: str | None = None) -> str:
        if not self.tokens or (expected and self.tokens[0].lower() != expected):
            raise Unsupported(
                f"Invalid filter clause: expected '{expected or 'more'}', found '{self.peek()}'."
            )
        return self.tokens.pop(0)

    def either(self) -> Predicate:
        options = [self.both()]
        while self.peek().lower() == "or":
            self.take()
            options.append(self.both())
        return options[0] if len(options) == 1 else lambda row: any(option(row) for option in options)

    def both(self) -> Predicate:
        needs = [self.single()]
        while self.peek().lower() == "and":
            self.take()
            needs.append(self.single())
        return needs[0] if len(needs) == 1 else lambda row: all(need(row) for need in needs)

    def single(self) -> Predicate:
        word = self.peek().lower()
        if word == "not":
            return self.negation()
        if word == "(":
            self.take()
            inner = self.either()
            self.take(")")
            return inner
        if word in _FUNCTIONS and self.peek(1) == "(":
            return self.function()
        if word.endswith(("/any", "/all")):
            return self.collection()
        return self.comparison()

    def negation(self) -> Predicate:
        self.take()
        before = set(self.used)
        inner = self.single()
        self.used |= {(name, "not") for name, _operator in self.used - before}
        return lambda row: not inner(row)

    def function(self) -> Predicate:
        name = self.take().lower()
        self.take("(")
        path = self.path(self.take(), name)
        self.take(",")
        part = _folded(self.text())
        self.take(")")
        test = _FUNCTIONS[name]
        return lambda row: test(_folded(path(row) or ""), part)

    def collection(self) -> Predicate:
        collection = self.take().rpartition("/")[0]
        self.take("(")
        variable = self.take()
        self.take(":")
        self.inside[variable] = collection
        inner = self.either()
        self.take(")")
        del self.inside[variable]
        return lambda row: any(inner(item) for item in row.get(collection) or [])

    def comparison(self) -> Predicate:
        name, operator = self.take(), self.take().lower()
        if operator == "in":
            return self.membership(name)
        if operator not in _COMPARE:
            raise Unsupported(f"Invalid filter clause: unknown operator '{operator}'.")
        path, test = self.path(name, operator), _COMPARE[operator]
        wanted = self.literal() if operator in {"eq", "ne"} else self.text()
        return lambda row: test(path(row), wanted)

    def membership(self, name: str) -> Predicate:
        path = self.path(name, "in")
        self.take("(")
        wanted = [_folded(self.literal())]
        while self.peek() == ",":
            self.take()
            wanted.append(_folded(self.literal()))
        self.take(")")
        return lambda row: _folded(path(row)) in wanted

    def literal(self) -> Any:
        token = self.take()
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        if token.lower() in _WORDS:
            return _WORDS[token.lower()]
        if token.lstrip("-").isdigit():
            return int(token)
        raise Unsupported(f"Invalid filter clause: '{token}' is not a literal.")

    def text(self) -> str:
        """Take a literal that must be text: dates are compared as such, and nothing else has an order here."""
        value = self.literal()
        if not isinstance(value, str):
            raise Unsupported(f"Invalid filter clause: '{value}' is not of the property's type.")
        return value

    def path(self, name: str, operator: str) -> Callable[[Any], Any]:
        """Return how to read a property: of the row, of a lambda's variable, or the size of a collection."""
        head, _, rest = name.partition("/")
        if head in self.inside:
            self.used.add((f"{self.inside[head]}/any" + (f"/{rest}" if rest else ""), operator))
            return (lambda item: item.get(rest)) if rest else (lambda item: item)
        self.used.add((name, operator))
        if rest == "$count":
            return lambda row: len(row.get(head) or [])
        return lambda row: row.get(name)
