"""Azure's role assignment conditions (ABAC), as far as constrained delegation uses them.

``ActionMatches``, ``@Request``/``@Resource`` attributes of role assignments, GUID and string comparison,
``AND``, ``OR``, ``!``. It must not guess: what it cannot read does not permit.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOKEN = re.compile(
    r"\s*(?:(?P<mark>[()!])|(?P<word>AND|OR)\b|&&|\|\||(?P<action>ActionMatches)\s*\{\s*'(?P<pattern>[^']*)'\s*\}"
    r"|@(?P<source>Request|Resource)\[Microsoft\.Authorization/roleAssignments:(?P<attribute>\w+)\]\s*"
    r"(?:ForAnyOfAnyValues:)?(?P<operator>\w+)\s*\{(?P<values>[^}]*)\})",
    re.IGNORECASE,
)
_POSITIVE = {"guidequals", "stringequals", "stringequalsignorecase"}
_NEGATIVE = {"guidnotequals", "stringnotequals", "stringnotequalsignorecase"}


@dataclass(frozen=True)
class Attempt:
    """What is tried: an action, and the role assignment it is about (attribute → value, lower case)."""

    action: str
    attributes: Mapping[str, str]


class _Unreadable(Exception):
    """The condition uses something that we do not evaluate."""


def permits(condition: str, attempt: Attempt) -> bool:
    """Whether the condition lets the attempt through; False when it cannot be evaluated."""
    try:
        reader = _Reader(_tokens(condition), attempt)
        return reader.either() and not reader.tokens
    except _Unreadable:
        return False


def _tokens(text: str) -> list[re.Match[str]]:
    found, position = [], 0
    text = text.rstrip()
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise _Unreadable(text[position:])
        found.append(token)
        position = token.end()
    return found


@dataclass
class _Reader:
    tokens: list[re.Match[str]]
    attempt: Attempt

    def next_is(self, *words: str) -> bool:
        return bool(self.tokens) and self.tokens[0].group().strip().upper() in words

    def either(self) -> bool:
        result = self.both()
        while self.next_is("OR", "||"):
            self.tokens.pop(0)
            result = self.both() or result
        return result

    def both(self) -> bool:
        result = self.single()
        while self.next_is("AND", "&&"):
            self.tokens.pop(0)
            result = self.single() and result
        return result

    def single(self) -> bool:
        if not self.tokens:
            raise _Unreadable("it ends too early")
        token = self.tokens.pop(0)
        if token["mark"] == "!":
            return not self.single()
        if token["mark"] == "(":
            result = self.either()
            if not self.next_is(")"):
                raise _Unreadable("a parenthesis is not closed")
            self.tokens.pop(0)
            return result
        if token["action"]:
            return fnmatchcase(self.attempt.action.lower(), token["pattern"].lower())
        if token["attribute"]:
            return self.compared(token)
        raise _Unreadable(token.group())

    def compared(self, token: re.Match[str]) -> bool:
        operator = token["operator"].lower()
        wanted = {value.strip().strip("'").lower() for value in token["values"].split(",")}
        value = self.attempt.attributes.get(token["attribute"].lower())
        if operator not in _POSITIVE | _NEGATIVE:
            raise _Unreadable(token.group())
        if value is None:  # the attempt is about no role assignment: what is not there matches nothing
            return False
        return (value.lower() in wanted) == (operator in _POSITIVE)
