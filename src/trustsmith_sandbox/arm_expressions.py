"""Evaluates what ARM templates write between ``[`` and ``]``: calls, literals, members and indexes.

Written from Azure's "template functions" and "template syntax". What is not known is refused by name. It must not know a
template or a resource: functions that do are handed in.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+)|(?P<name>[A-Za-z_]\w*)|(?P<mark>[().,\[\]])"
)
_PLACE = re.compile(r"\{\{|\}\}|\{(\d+)(?::[^}]*)?\}")
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"
_UNIQUE = 13  # letters in what uniqueString gives
_NAMESPACE = uuid.UUID("11fb06fb-712d-4ddd-98c7-e71bbd588830")

Thunk = Callable[[], Any]


class TemplateError(Exception):
    """A template, or an expression in it, cannot be deployed; the text is what ARM or the sandbox says of it."""


class Later(Exception):
    """A value is known only while resources are deployed: until then the expression stands for itself."""


@dataclass(frozen=True)
class Scope:
    """What expressions can call: the functions of a template by their names in lower case, and those of all."""

    functions: Mapping[str, Callable[..., Any]]

    def value(self, written: Any) -> Any:
        """Return what a template's value means; what is only known later stays as written.

        Raises ``TemplateError``.
        """
        if isinstance(written, dict):
            return {str(self.value(key)): self.value(each) for key, each in written.items()}
        if isinstance(written, list):
            return [self.value(each) for each in written]
        if not isinstance(written, str) or not (written.startswith("[") and written.endswith("]")):
            return written
        if written.startswith("[["):
            return written[1:]
        try:
            return _Reader(written[1:-1], self).whole()()
        except Later:
            return written


class _Reader:
    """Reads an expression into something to call, so that only what is asked for is evaluated."""

    def __init__(self, expression: str, scope: Scope) -> None:
        self._expression, self._scope, self._place = expression, scope, 0
        self._tokens = [*_tokens(expression), ("end", "")]

    def whole(self) -> Thunk:
        thunk = self._path()
        if self._tokens[self._place][0] != "end":
            raise self._wrong()
        return thunk

    def _wrong(self) -> TemplateError:
        found = self._tokens[self._place][1] or "the end"
        return TemplateError(
            f"Unable to parse language expression '{self._expression}': unexpected '{found}'."
        )

    def _take(self, mark: str) -> bool:
        taken = self._tokens[self._place] == ("mark", mark)
        self._place += taken
        return taken

    def _need(self, mark: str) -> None:
        if not self._take(mark):
            raise self._wrong()

    def _next(self, *kinds: str) -> tuple[str, str]:
        token = self._tokens[self._place]
        if token[0] not in kinds:
            raise self._wrong()
        self._place += 1
        return token

    def _path(self) -> Thunk:
        thunk = self._atom()
        while True:
            if self._take("."):
                thunk = _member(thunk, _constant(self._next("name")[1]))
            elif self._take("["):
                thunk = _member(thunk, self._path())
                self._need("]")
            else:
                return thunk

    def _atom(self) -> Thunk:
        kind, text = self._next("text", "number", "name")
        if kind == "text":
            return _constant(text[1:-1].replace("''", "'"))
        if kind == "number":
            return _constant(int(text))
        self._need("(")
        arguments: list[Thunk] = []
        while not self._take(")"):
            if arguments:
                self._need(",")
            arguments.append(self._path())
        return self._call(text, arguments)

    def _call(self, name: str, arguments: list[Thunk]) -> Thunk:
        lazy, plain = (
            _LAZY.get(name.lower()),
            self._scope.functions.get(name.lower(), FUNCTIONS.get(name.lower())),
        )
        if lazy is None and plain is None:
            raise TemplateError(f"The template function '{name}' is not one that the sandbox knows.")

        def called() -> Any:
            try:
                return lazy(*arguments) if lazy else plain(*(each() for each in arguments)) if plain else None
            except (TypeError, ValueError, IndexError, AttributeError, ZeroDivisionError) as reason:
                raise TemplateError(
                    f"Unable to evaluate '{name}' in '{self._expression}': {reason}."
                ) from None

        return called


def _tokens(expression: str) -> list[tuple[str, str]]:
    tokens, place = [], 0
    while place < len(expression):
        found = _TOKEN.match(expression, place)
        if found is None:
            raise TemplateError(
                f"Unable to parse language expression '{expression}': unexpected '{expression[place]}'."
            )
        if found.lastgroup != "space":
            tokens.append((str(found.lastgroup), found.group()))
        place = found.end()
    return tokens


def _constant(value: Any) -> Thunk:
    return lambda: value


def _member(thunk: Thunk, key: Thunk) -> Thunk:
    def found() -> Any:
        value, name = thunk(), key()
        if isinstance(value, dict):
            for own, each in value.items():
                if str(own).lower() == str(name).lower():
                    return each
            known = ", ".join(map(str, value))
            raise TemplateError(
                f"The language expression property '{name}' doesn't exist, available properties are '{known}'."
            )
        if isinstance(value, list | str) and isinstance(name, int) and name < len(value):
            return value[name]
        raise TemplateError(f"The language expression property '{name}' can't be evaluated.")

    return found


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value)
    return json.dumps(value, separators=(",", ":")) if isinstance(value, dict | list) else str(value)


def _concat(*values: Any) -> Any:
    if values and all(isinstance(value, list) for value in values):
        return list(itertools.chain(*values))
    return "".join(map(_text, values))


def _format(pattern: str, *values: Any) -> str:
    return _PLACE.sub(
        lambda found: found.group()[0] if found[1] is None else _text(values[int(found[1])]), pattern
    )


def _unique(*values: Any) -> str:
    """Return letters that depend on the values alone; not those that Azure gives."""
    digest = hashlib.sha256("-".join(map(_text, values)).encode()).digest()
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:_UNIQUE])


def _contains(holder: Any, item: Any) -> bool:
    if isinstance(holder, dict):
        return str(item).lower() in {str(key).lower() for key in holder}
    return item in holder


def _union(*values: Any) -> Any:
    if all(isinstance(value, dict) for value in values):
        return {key: each for value in values for key, each in value.items()}
    joined = list(itertools.chain(*values))
    return [each for at, each in enumerate(joined) if each not in joined[:at]]


def _equal(one: Any, other: Any) -> bool:
    both_text = isinstance(one, str) and isinstance(other, str)
    return bool(one.lower() == other.lower() if both_text else one == other)


def _coalesce(*thunks: Thunk) -> Any:
    return next((value for thunk in thunks if (value := thunk()) is not None), None)


_LAZY: dict[str, Callable[..., Any]] = {
    "if": lambda condition, yes, no: yes() if condition() else no(),
    "and": lambda *thunks: all(thunk() for thunk in thunks),
    "or": lambda *thunks: any(thunk() for thunk in thunks),
    "coalesce": _coalesce,
}
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": lambda one, other: one + other,
    "array": lambda value: value if isinstance(value, list) else [value],
    "bool": lambda value: str(value).lower() in {"true", "1"},
    "concat": _concat,
    "contains": _contains,
    "createarray": lambda *values: list(values),
    "createobject": lambda *values: dict(zip(values[::2], values[1::2], strict=True)),
    "div": lambda one, other: one // other,
    "empty": lambda value: not value,
    "endswith": lambda text, end: text.lower().endswith(end.lower()),
    "equals": _equal,
    "false": lambda: False,
    "first": lambda value: value[0],
    "format": _format,
    "greater": lambda one, other: one > other,
    "greaterorequals": lambda one, other: one >= other,
    "guid": lambda *values: str(uuid.uuid5(_NAMESPACE, "-".join(map(_text, values)))),
    "int": int,
    "join": lambda values, separator: separator.join(map(_text, values)),
    "json": json.loads,
    "last": lambda value: value[-1],
    "length": len,
    "less": lambda one, other: one < other,
    "lessorequals": lambda one, other: one <= other,
    "max": lambda *values: max(values[0] if isinstance(values[0], list) else values),
    "min": lambda *values: min(values[0] if isinstance(values[0], list) else values),
    "mod": lambda one, other: one % other,
    "mul": lambda one, other: one * other,
    "not": lambda value: not value,
    "null": lambda: None,
    "range": lambda start, count: list(range(start, start + count)),
    "replace": lambda text, old, new: text.replace(old, new),
    "skip": lambda value, count: value[count:],
    "split": lambda text, mark: re.split(
        "|".join(map(re.escape, [mark] if isinstance(mark, str) else mark)), text
    ),
    "startswith": lambda text, start: text.lower().startswith(start.lower()),
    "string": _text,
    "sub": lambda one, other: one - other,
    "substring": lambda text, start, count=None: text[start : None if count is None else start + count],
    "take": lambda value, count: value[:count],
    "tolower": lambda text: text.lower(),
    "toupper": lambda text: text.upper(),
    "trim": lambda text: text.strip(),
    "true": lambda: True,
    "union": _union,
    "uniquestring": _unique,
}
"""By their names in lower case."""
