"""References in GitHub's expressions: `${{ secrets.X }}`, `secrets['X']`, `toJSON(secrets)`, `env.X`, `inputs.x`.

Finds and names them; must not evaluate, or know which names matter.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

#: As GitHub reads it: up to the first `}}` outside of quotes. It never goes back, so that no text takes long.
_EXPRESSION = re.compile(r"\$\{\{(?:[^'}]++|'[^']*+'|\}(?!\}))*+\}\}")
#: No name in brackets, and no blank before one, is longer than this.
_FAR = 500
_STRING = re.compile(r"'(?:[^']++|'')*+'")
_REFERENCE = re.compile(
    r"(?<![\w.\-])(github\.event\.inputs|secrets|vars|env|inputs|steps|needs|matrix)\b"
    r"(?:\s*\.\s*([\w-]+)|\s*\[\s*'([^']*)'\s*\]|\s*(\[)|\s*\.\s*\*|(?!\s*[\w.]))",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Reference:
    """One mention of a context in an expression.

    context: "secrets", "env", … in small letters. name: what of it (secrets in capitals); "" for all of it, and for a
    name that is computed. start, end: of the mention, in the text that was searched. expression: of the `${{ … }}`
    around it. computed: how a name is computed (`matrix.secret`), or "".
    """

    context: str
    name: str
    start: int
    end: int
    expression: tuple[int, int]
    computed: str = ""

    def alone(self, text: str) -> bool:
        """Whether the expression is this mention and nothing else."""
        inner = text[self.expression[0] : self.expression[1]]
        inner = inner.removeprefix("${{").removesuffix("}}")
        return inner.strip() == text[self.start : self.end].strip()


@lru_cache(maxsize=4096)
def references(text: str, *, bare: bool = False) -> tuple[Reference, ...]:
    """Every mention in the expressions of a text, in order. bare: it is an expression even without `${{ }}` (`if:`)."""
    found = list(_expressions(text))
    if bare and not found:
        found = [(0, len(text))]
    return tuple(each for start, end in found for each in _within(text, start, end))


def between(text: str, start: int, end: int, *, bare: bool = False) -> tuple[Reference, ...]:
    """Those of them that begin in a part of the text."""
    found = references(text, bare=bare)
    first, stop = (bisect_left(found, place, key=lambda each: each.start) for place in (start, end))
    return found[first:stop]


def _expressions(text: str) -> Iterator[tuple[int, int]]:
    """Where each begins and ends. After one that has no end there is no other, which GitHub says is a mistake."""
    start = text.find("${{")
    while start >= 0 and (match := _EXPRESSION.match(text, start)):
        yield match.span()
        start = text.find("${{", match.end())


def _within(text: str, start: int, end: int) -> Iterator[Reference]:
    inner = text[start:end]
    masked = _STRING.sub(
        lambda s: s[0] if _is_key(inner, s.start()) else "'" + " " * (len(s[0]) - 2) + "'", inner
    )
    for found in _REFERENCE.finditer(masked):
        context = found[1].lower().removeprefix("github.event.")
        name, stop, computed = found[2] or found[3] or "", found.end(), ""
        if found[4]:
            stop = _closing(inner, found.end())
            computed = inner[found.end() : stop - 1].strip()
        yield Reference(
            context=context,
            name=_spelled(context, name),
            start=start + found.start(),
            end=start + stop,
            expression=(start, end),
            computed=computed,
        )


def _is_key(text: str, start: int) -> bool:
    """Whether a string is all that stands in brackets: `secrets['X']`."""
    return text[max(0, start - _FAR) : start].rstrip().endswith("[")


def _spelled(context: str, name: str) -> str:
    """Names of secrets and variables are the same in any case, as are those of inputs."""
    if context in {"secrets", "vars"}:
        return name.upper()
    return name.lower() if context == "inputs" else name


def _closing(text: str, start: int) -> int:
    """Where the bracket that was opened before `start` has been closed."""
    depth = 1
    for place in range(start, min(start + _FAR, len(text))):
        depth += {"[": 1, "]": -1}.get(text[place], 0)
        if not depth:
            return place + 1
    return min(start + _FAR, len(text))
