"""Conditions of Azure role assignments (ABAC), evaluated for one attempt. Pure; must not guess.

Three values: True, False, and None for what cannot be told: an attribute that is not known yet, an operator or a text
that is not understood. None is never a yes. Source: Microsoft Learn, "Azure role assignment condition format and
syntax" and "Delegate Azure access management to others" (the attributes of role assignments).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Truth = bool | None

_TOKEN = re.compile(
    r"\s*(?:(?P<attribute>@\w+\[[^\]]*\])|(?P<text>'[^']*')|(?P<sign>&&|\|\||[(){},!])|(?P<word>[\w:.*/-]+))"
)
_ATTRIBUTE = re.compile(r"@(\w+)\[Microsoft\.Authorization/roleAssignments:(\w+)\]", re.IGNORECASE)
_JOINS = {"&&": "and", "||": "or", "!": "not"}
#: Operators that are understood: how two texts are made comparable, and whether equal texts match.
_GUID, _EXACT, _ANY_CASE = "guid", "exact", "any case"
_OPERATORS = {
    "guidequals": (_GUID, True),
    "guidnotequals": (_GUID, False),
    "stringequals": (_EXACT, True),
    "stringnotequals": (_EXACT, False),
    "stringequalsignorecase": (_ANY_CASE, True),
    "stringnotequalsignorecase": (_ANY_CASE, False),
}
#: For one value of the attribute, only the second half of a quantifier counts: any, or all, of the listed values.
_QUANTIFIERS = {
    "foranyofanyvalues": "any",
    "forallofanyvalues": "any",
    "foranyofallvalues": "all",
    "forallofallvalues": "all",
}


@dataclass(frozen=True)
class Attempt:
    """What somebody wants to do to a role assignment.

    action: "Microsoft.Authorization/roleAssignments/write". source: whose attributes are known: those of the request
    (a write) or of what is there (a delete). attributes: by lower-case name ("roledefinitionid"); None for one that is
    there but not known yet.
    """

    action: str
    source: Literal["request", "resource"] = "request"
    attributes: Mapping[str, str | None] = field(default_factory=dict)


def evaluate(condition: str, attempt: Attempt) -> Truth:
    """Whether the condition lets the attempt through; None when that cannot be told."""
    try:
        parser = _Parser(list(_tokens(condition)), attempt)
        found = parser.alternatives()
        parser.expect("")
    except (_UnreadableError, RecursionError):
        return None
    return found


def matches(pattern: str, action: str) -> bool:
    """Whether an action fits a pattern, in which `*` stands for any text; case does not count."""
    return bool(re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), action, re.IGNORECASE))


def either(values: list[Truth]) -> Truth:
    """OR of three-valued truths."""
    return True if True in values else None if None in values else False


def every(values: list[Truth]) -> Truth:
    """AND of three-valued truths."""
    return False if False in values else None if None in values else True


def opposite(value: Truth) -> Truth:
    """NOT of a three-valued truth."""
    return None if value is None else not value


class _UnreadableError(Exception):
    """The text does not follow the grammar."""


def _tokens(text: str) -> Iterator[str]:
    text, place = text.strip(), 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            raise _UnreadableError
        yield found.group().strip()
        place = found.end()
    yield ""


class _Parser:
    """Reads an expression from left to right and evaluates it on the way: NOT before AND before OR."""

    def __init__(self, tokens: list[str], attempt: Attempt) -> None:
        self._tokens = tokens
        self._place = 0
        self._attempt = attempt

    def _next(self) -> str:
        """What the next token means; operators in words, without case."""
        token = self._tokens[self._place]
        return _JOINS.get(token, token.lower() if token.lower() in {"and", "or", "not"} else token)

    def _take(self) -> str:
        token = self._next()
        if not token:
            raise _UnreadableError
        self._place += 1
        return token

    def expect(self, token: str) -> None:
        """Go on behind that token, or raise. The empty one is the end."""
        if self._next() != token:
            raise _UnreadableError
        self._place += bool(token)

    def alternatives(self) -> Truth:
        """Terms with OR between them."""
        found = [self._term()]
        while self._next() == "or":
            self._take()
            found.append(self._term())
        return either(found)

    def _term(self) -> Truth:
        found = [self._factor()]
        while self._next() == "and":
            self._take()
            found.append(self._factor())
        return every(found)

    def _factor(self) -> Truth:
        token = self._take()
        if token == "not":  # noqa: S105 - a word of the language
            return opposite(self._factor())
        if token == "(":  # noqa: S105 - a sign of the language
            inner = self.alternatives()
            self.expect(")")
            return inner
        if token.startswith("@"):
            return self._comparison(token)
        return self._function(token)

    def _function(self, name: str) -> Truth:
        """`ActionMatches{'…'}`, `Exists @…`; of others only the form is understood."""
        if self._next().startswith("@"):
            known = self._has(self._take())
            return {"exists": known, "notexists": opposite(known)}.get(name.lower())
        if not re.fullmatch(r"\w+", name) or self._next() != "{":
            raise _UnreadableError
        patterns = self._values()
        if name.lower() != "actionmatches" or None in patterns:
            return None
        return any(matches(str(pattern), self._attempt.action) for pattern in patterns)

    def _comparison(self, attribute: str) -> Truth:
        quantifier, _, operator = self._take().rpartition(":")
        values = self._values()
        how = _OPERATORS.get(operator.lower())
        reach = _QUANTIFIERS.get(quantifier.lower()) if quantifier else "any"
        known = self._value(attribute)
        if how is None or reach is None or known is None or (not quantifier and len(values) > 1):
            return None
        found = [_compared(known, value, *how) for value in values]
        return either(found) if reach == "any" else every(found)

    def _values(self) -> list[str | None]:
        """One literal, or those in braces; None for what is no literal."""
        if self._next() != "{":
            return [_literal(self._take())]
        self.expect("{")
        found = []
        while self._next() != "}":
            found.append(_literal(self._take()))
            if self._next() != "}":
                self.expect(",")
        self.expect("}")
        return found

    def _value(self, attribute: str) -> str | None:
        name = self._name(attribute)
        return self._attempt.attributes.get(name) if name else None

    def _has(self, attribute: str) -> Truth:
        name = self._name(attribute)
        return True if name and name in self._attempt.attributes else None

    def _name(self, attribute: str) -> str | None:
        """The attribute's lower-case name when it belongs to what is attempted."""
        found = _ATTRIBUTE.fullmatch(attribute)
        if found is None or found[1].lower() != self._attempt.source:
            return None
        return found[2].lower()


def _literal(token: str) -> str | None:
    if token.startswith("'"):
        return token[1:-1]
    return token if re.fullmatch(r"[\w.-]+", token) else None


def _compared(known: str, value: str | None, how: str, equal: bool) -> Truth:  # noqa: FBT001 - from the table above
    if value is None:
        return None
    if how == _GUID:
        first, second = _guid(known), _guid(value)
        return None if first is None or second is None else (first == second) is equal
    same = known.lower() == value.lower() if how == _ANY_CASE else known == value
    return same is equal


def _guid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
