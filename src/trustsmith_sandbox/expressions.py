"""Evaluates what workflows write between ``${{`` and ``}}``: literals, contexts, operators, functions.

Written from GitHub's documentation ("evaluate expressions in workflows and actions"): loose comparison, strings
compared in any case, ``&&`` and ``||`` give an operand back. What is not known is refused by name. It must not
know what a job or a step is: contexts and status functions are handed in.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from trustsmith_sandbox.expression_values import (
    FUNCTIONS,
    ExpressionError,
    compare,
    equal,
    member,
    number_of,
    text_of,
    truth,
)

STATUS_FUNCTIONS = ("success", "failure", "always", "cancelled")
_TOKEN = re.compile(
    r"""(?P<space>\s+)|(?P<string>'(?:[^']|'')*')|(?P<number>[-+]?(?:0x[0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.]))"""
    r"""|(?P<name>[A-Za-z_][\w-]*)|(?P<mark>&&|\|\||[=!<>]=|[<>!()\[\].,*])"""
)
_CONSTANTS: dict[str, Any] = {"true": True, "false": False, "null": None}
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": equal,
    "!=": lambda left, right: not equal(left, right),
    "<": lambda left, right: compare(left, right, lambda a, b: a < b),
    "<=": lambda left, right: compare(left, right, lambda a, b: a <= b),
    ">": lambda left, right: compare(left, right, lambda a, b: a > b),
    ">=": lambda left, right: compare(left, right, lambda a, b: a >= b),
}

Status = Mapping[str, Callable[[], bool]]


@dataclass(frozen=True)
class Scope:
    """What an expression can see: contexts by name, and the status functions that may be asked here."""

    contexts: Mapping[str, Any]
    status: Status

    def evaluate(self, expression: str) -> Any:
        """Return an expression's value. Raises ``ExpressionError``."""
        return _Reader(expression, self).whole()

    def value(self, written: Any) -> Any:
        """Return what a workflow's value means: strings and what is inside lists and mappings are evaluated.

        A string that is one expression keeps that expression's type; any other becomes a text.
        """
        if isinstance(written, dict):
            return {str(self.value(key)): self.value(each) for key, each in written.items()}
        if isinstance(written, list):
            return [self.value(each) for each in written]
        if not isinstance(written, str) or "${{" not in written:
            return written
        parts = [
            part if is_text else self.evaluate(part)
            for is_text, part in _parts(written)
            if part or not is_text
        ]
        return parts[0] if len(parts) == 1 else "".join(map(text_of, parts))

    def text(self, written: Any) -> str:
        """Return a workflow's value as a text."""
        return text_of(self.value(written))

    def texts(self, written: Any) -> dict[str, str]:
        """Return a mapping's values as texts (nothing: an empty one). Raises ``ExpressionError`` if it is none."""
        value = self.value(written)
        if not isinstance(value, dict | None):
            raise ExpressionError(f"A mapping is needed, not '{text_of(value)}'.")
        return {name: text_of(each) for name, each in (value or {}).items()}

    def seconds(self, written: Any) -> float:
        """Return a time limit that is written in minutes. Raises ``ExpressionError`` if it is none."""
        value = number_of(self.value(written))
        if not value > 0:
            raise ExpressionError(f"A number of minutes is needed, not '{self.text(written)}'.")
        return value * 60

    def condition(self, written: Any) -> bool:
        """Return whether an ``if`` holds; without a status function of its own, ``success()`` must hold too."""
        if isinstance(written, bool):
            return written and self.status["success"]()
        expression = _bare("" if written is None else str(written).strip())
        asks = "${{" not in expression and any(name in STATUS_FUNCTIONS for name in _calls(expression))
        if not asks and not self.status["success"]():
            return False
        return self.holds(expression) if expression else True

    def holds(self, written: str) -> bool:
        """Return whether a condition is true as it stands."""
        expression = _bare(written.strip())
        return truth(self.value(expression) if "${{" in expression else self.evaluate(expression))


def _bare(condition: str) -> str:
    """Return a condition without the ``${{ }}`` around all of it."""
    whole = condition.startswith("${{") and condition.endswith("}}") and condition.count("${{") == 1
    return condition[3:-2].strip() if whole else condition


def _parts(written: str) -> list[tuple[bool, str]]:
    """Return the text and the expressions of a string in turn, as (is text, part)."""
    parts, end = [], 0
    while (start := written.find("${{", end)) >= 0:
        parts.append((True, written[end:start]))
        stop = start + 3
        while not written.startswith("}}", stop):
            if stop >= len(written):
                raise ExpressionError(f"An expression has no end: {written[start:]}")
            quoted = _TOKEN.match(written, stop) if written[stop] == "'" else None
            stop = quoted.end() if quoted else stop + 1
        parts.append((False, written[start + 3 : stop]))
        end = stop + 2
    return [*parts, (True, written[end:])]


def _tokens(expression: str) -> list[tuple[str, str]]:
    tokens, place = [], 0
    while place < len(expression):
        found = _TOKEN.match(expression, place)
        if found is None:
            raise ExpressionError(
                f"Unexpected symbol: '{expression[place:].split(maxsplit=1)[0]}' in '{expression.strip()}'."
            )
        if found.lastgroup != "space":
            tokens.append((str(found.lastgroup), found.group()))
        place = found.end()
    return [*tokens, ("end", "")]


def _calls(expression: str) -> list[str]:
    tokens = _tokens(expression)
    pairs = itertools.pairwise(tokens)
    return [text.lower() for (kind, text), (_, after) in pairs if kind == "name" and after == "("]


class _Reader:
    """Reads and evaluates at once, by precedence: ``||``, ``&&``, ``==`` and ``!=``, the orders, ``!``."""

    def __init__(self, expression: str, scope: Scope) -> None:
        self._expression, self._scope = expression, scope
        self._tokens, self._place = _tokens(expression), 0

    def whole(self) -> Any:
        value = self._either()
        if self._tokens[self._place][0] != "end":
            raise self._unexpected()
        return value

    def _unexpected(self) -> ExpressionError:
        found = self._tokens[self._place][1] or "the end"
        return ExpressionError(f"Unexpected symbol: '{found}' in '{self._expression.strip()}'.")

    def _take(self, *marks: str) -> str | None:
        kind, text = self._tokens[self._place]
        if kind != "mark" or text not in marks:
            return None
        self._place += 1
        return text

    def _need(self, mark: str) -> None:
        if self._take(mark) is None:
            raise self._unexpected()

    # Both sides are evaluated: nothing in an expression has an effect.
    def _either(self) -> Any:
        value = self._both()
        while self._take("||"):
            other = self._both()
            value = value if truth(value) else other
        return value

    def _both(self) -> Any:
        value = self._equality()
        while self._take("&&"):
            other = self._equality()
            value = other if truth(value) else value
        return value

    def _equality(self) -> Any:
        value = self._order()
        while mark := self._take("==", "!="):
            value = _COMPARISONS[mark](value, self._order())
        return value

    def _order(self) -> Any:
        value = self._negation()
        while mark := self._take("<", "<=", ">", ">="):
            value = _COMPARISONS[mark](value, self._negation())
        return value

    def _negation(self) -> Any:
        return not truth(self._negation()) if self._take("!") else self._path()

    def _path(self) -> Any:
        value = self._atom()
        while mark := self._take(".", "["):
            if mark == "[":
                value = member(value, self._either())
                self._need("]")
            else:
                kind, name = self._tokens[self._place]
                if kind != "name":
                    raise self._unexpected()
                self._place += 1
                value = member(value, name)
        return value

    def _atom(self) -> Any:
        if self._take("("):
            value = self._either()
            self._need(")")
            return value
        kind, text = self._tokens[self._place]
        if kind not in {"string", "number", "name"}:
            raise self._unexpected()
        self._place += 1
        if kind == "string":
            return text[1:-1].replace("''", "'")
        if kind == "number":
            return float(int(text, 16)) if "x" in text.lower() else float(text)
        return self._call(text) if self._take("(") else self._named(text)

    def _named(self, name: str) -> Any:
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        if name.lower() not in self._scope.contexts:
            raise ExpressionError(f"Unrecognized named-value: '{name}' in '{self._expression.strip()}'.")
        return self._scope.contexts[name.lower()]

    def _call(self, name: str) -> Any:
        arguments: list[Any] = []
        while not self._take(")"):
            if arguments:
                self._need(",")
            arguments.append(self._either())
        if name.lower() in self._scope.status:
            return self._scope.status[name.lower()]()
        function = FUNCTIONS.get(name.lower())
        if function is None:
            raise ExpressionError(f"Unrecognized function: '{name}' in '{self._expression.strip()}'.")
        try:
            return function(*arguments)
        except TypeError:
            raise ExpressionError(f"Wrong number of arguments for '{name}'.") from None
