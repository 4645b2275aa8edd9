"""Reads the GraphQL that stock clients send: one query with fields, arguments, fragments and variables.

A small part of the language (GraphQL spec, section 2); mutations, subscriptions and directives are refused
by name. It must not know any type or field: ``github_graphql`` does.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(
    r"""(?P<skip>[\s,\ufeff]+|\#[^\n]*)|(?P<text>"(?:\\.|[^"\\\n])*")|(?P<number>-?\d+(?:\.\d+)?)"""
    r"""|(?P<name>[A-Za-z_]\w*)|(?P<mark>\.\.\.|[!$()\[\]{}:=@|&])"""
)
_CONSTANTS = {"true": True, "false": False, "null": None}


class QueryError(Exception):
    """The query cannot be read, or uses a part of the language that the sandbox lacks."""


@dataclass(frozen=True)
class Field:
    """One selected field; ``key`` is its name in the answer."""

    key: str
    name: str
    arguments: dict[str, Any]
    selections: list[Selection]


@dataclass(frozen=True)
class Inline:
    """A fragment's selections, for objects of one type (None: of any)."""

    on: str | None
    selections: list[Selection]


@dataclass(frozen=True)
class Spread:
    """A named fragment, looked up when the query is run."""

    name: str


Selection = Field | Inline | Spread


@dataclass
class Query:
    """What was asked for, and the fragments it uses."""

    selections: list[Selection] = field(default_factory=list)
    fragments: dict[str, Inline] = field(default_factory=dict)


def parse(text: str, variables: dict[str, Any]) -> Query:
    """Return the query with its variables filled in. Raises QueryError."""
    reader = _Reader(_tokens(text), variables)
    query = Query()
    while reader.more():
        reader.definition(query)
    if not query.selections:
        raise QueryError("A query was expected.")
    return query


def _tokens(text: str) -> list[str]:
    found: list[str] = []
    place = 0
    while place < len(text):
        token = _TOKEN.match(text, place)
        if token is None:
            raise QueryError(f"Unexpected character {text[place]!r}.")
        if token.lastgroup != "skip":
            found.append(token.group())
        place = token.end()
    return found


class _Reader:
    """Recursive descent over the tokens; each method reads one rule of the grammar."""

    def __init__(self, tokens: list[str], variables: dict[str, Any]) -> None:
        self.tokens, self.variables, self.place = tokens, variables, 0

    def more(self) -> bool:
        return self.place < len(self.tokens)

    def peek(self) -> str:
        return self.tokens[self.place] if self.more() else ""

    def take(self, wanted: str | None = None) -> str:
        token = self.peek()
        if not token or (wanted is not None and token != wanted):
            raise QueryError(f"Expected {wanted or 'more'}, found {token or 'the end'}.")
        self.place += 1
        return token

    def took(self, wanted: str) -> bool:
        if self.peek() != wanted:
            return False
        self.place += 1
        return True

    def definition(self, query: Query) -> None:
        kind = "query" if self.peek() == "{" else self.take()
        if kind == "fragment":
            name = self.take()
            self.take("on")
            query.fragments[name] = Inline(self.take(), self.selections())
        elif kind == "query":
            if self.peek() not in {"{", "("}:
                self.take()
            self.defaults()
            query.selections = self.selections()
        else:
            raise QueryError(f"The sandbox's GraphQL has no {kind}.")

    def defaults(self) -> None:
        """Read the variables' declarations: types are not checked, defaults are used."""
        if not self.took("("):
            return
        while not self.took(")"):
            self.take("$")
            name = self.take()
            self.take(":")
            while self.peek() not in {"$", ")", "="}:
                self.take()
            if self.took("="):
                self.variables.setdefault(name, self.value())

    def selections(self) -> list[Selection]:
        found: list[Selection] = []
        self.take("{")
        while not self.took("}"):
            found.append(self.fragment() if self.took("...") else self.field())
        return found

    def fragment(self) -> Selection:
        if self.peek() == "{":
            return Inline(None, self.selections())
        if self.took("on"):
            return Inline(self.take(), self.selections())
        return Spread(self.take())

    def field(self) -> Field:
        key = name = self.take()
        if self.took(":"):
            name = self.take()
        arguments = self.pairs(")") if self.took("(") else {}
        if self.peek() == "@":
            raise QueryError("The sandbox's GraphQL has no directives.")
        return Field(key, name, arguments, self.selections() if self.peek() == "{" else [])

    def pairs(self, closing: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while not self.took(closing):
            name = self.take()
            self.take(":")
            found[name] = self.value()
        return found

    def value(self) -> Any:
        mark = self.take()
        if mark == "$":
            return self.variables.get(self.take())
        if mark == "[":
            found: list[Any] = []
            while not self.took("]"):
                found.append(self.value())
            return found
        if mark == "{":
            return self.pairs("}")
        if mark[0] == '"' or mark[0] in "-0123456789":
            return json.loads(mark)
        return _CONSTANTS.get(mark, mark)  # what is no constant is an enum's name
