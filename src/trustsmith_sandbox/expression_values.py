"""Values of workflow expressions: what is true, equal and less, how they read as text, and the functions.

Numbers are floats, as in GitHub's documentation ("literals", "operators", "functions"). It must not know the
grammar: ``expressions`` does.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
_PLACE = re.compile(r"\{\{|\}\}|\{(\d+)\}|[{}]")


class ExpressionError(Exception):
    """An expression cannot be read, or names something that the sandbox does not know."""


def truth(value: Any) -> bool:
    """Whether a value counts as true: not null, false, 0, NaN or the empty string."""
    if isinstance(value, bool | None | str):
        return bool(value)
    return not isinstance(value, int | float) or (value != 0 and not math.isnan(value))


def number_of(value: Any) -> float:
    """Return a value as a number; NaN where it is none."""
    if value is None or value == "":
        return 0.0
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value.strip()) else math.nan
    return float(value) if isinstance(value, int | float) else math.nan


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def equal(left: Any, right: Any) -> bool:
    """Whether two values are equal: strings in any case, other types as numbers; objects only with themselves."""
    if isinstance(left, str) and isinstance(right, str):
        return left.lower() == right.lower()
    if isinstance(left, dict | list) or isinstance(right, dict | list):
        return left is right
    return left is right or number_of(left) == number_of(right)


def compare(left: Any, right: Any, order: Callable[[Any, Any], bool]) -> bool:
    """Whether an order holds: of two strings in any case, else of numbers."""
    if isinstance(left, str) and isinstance(right, str):
        return order(left.lower(), right.lower())
    return order(number_of(left), number_of(right))


def text_of(value: Any) -> str:
    """Return a value as a workflow prints it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if _is_number(value):
        return f"{value:.15g}"
    if isinstance(value, dict | list):
        return "Object" if isinstance(value, dict) else "Array"
    return str(value)


def member(value: Any, key: Any) -> Any:
    """Return what is below an object or list; null where there is nothing. Names count in any case."""
    if isinstance(value, dict):
        name = text_of(key)
        if name in value:
            return value[name]
        return next((each for own, each in value.items() if str(own).lower() == name.lower()), None)
    if isinstance(value, list):
        place = number_of(key)
        inside = place.is_integer() and 0 <= place < len(value)
        return value[int(place)] if inside else None
    return None


def _contains(searched: Any, item: Any) -> bool:
    if isinstance(searched, list):
        return any(equal(each, item) for each in searched)
    return text_of(item).lower() in text_of(searched).lower()


def _format(pattern: Any, *values: Any) -> str:
    def placed(found: re.Match[str]) -> str:
        if found.group() in {"{{", "}}"}:
            return found.group()[0]
        if found[1] is None or int(found[1]) >= len(values):
            raise ExpressionError(f"The format string is not valid: {pattern}")
        return text_of(values[int(found[1])])

    return _PLACE.sub(placed, text_of(pattern))


def _join(values: Any, separator: Any = ",") -> str:
    listed = values if isinstance(values, list) else [values]
    return text_of(separator).join(text_of(each) for each in listed)


def _from_json(text: Any) -> Any:
    try:
        return json.loads(text_of(text))
    except ValueError:
        raise ExpressionError("fromJSON was given a text that is not JSON.") from None


def _to_json(value: Any) -> str:
    return json.dumps(_whole(value), indent=2, ensure_ascii=False)


def _whole(value: Any) -> Any:
    """Return a value with its whole numbers as integers, which JSON writes without a fraction."""
    if isinstance(value, dict):
        return {key: _whole(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_whole(each) for each in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "contains": _contains,
    "startswith": lambda text, start: text_of(text).lower().startswith(text_of(start).lower()),
    "endswith": lambda text, end: text_of(text).lower().endswith(text_of(end).lower()),
    "format": _format,
    "join": _join,
    "tojson": _to_json,
    "fromjson": _from_json,
}
"""By their names in lower case."""
