"""How values get into a template's text: always as quoted YAML, and never so that they change what the text means.

While a template is rendered, a mark stands in the place of each value. What a YAML parser reads in the text with marks
is the structure that the template's author meant; in the finished text it has to read the same, with each value where its mark
was. A template cannot forget to quote, and no value can become a key, a comment or a step. Must not know what workflows are.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from trustsmith.generated import block, scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_MARK = re.compile('"\ue000([0-9]+)\ue000"')
_READ = re.compile("\ue000([0-9]+)\ue000")
#: What some parsers of YAML end a line at, and others do not. In values they are escaped.
_BREAKS = re.compile("[\x85\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
#: Words that some version of YAML does not read as text.
_WORDS = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
EXPRESSION = "${{"


class InkError(ValueError):
    """The template cannot be filled in like that; the message says why, without a full stop."""


class UnfitError(InkError):
    """A value that no workflow can hold, wherever it stands."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class MisrenderedError(RuntimeError):
    """A rendered text does not say what was meant: a bug of ours, which no user can mend."""


class Expression(str):
    """Text that GitHub is to evaluate: it may hold `${{ }}`."""

    __slots__ = ()


class Bare(str):
    """Text that is YAML already, and harmless."""

    __slots__ = ()


@dataclass(frozen=True)
class Block:
    """Text to be written as a literal block, with that many blanks before each line."""

    text: str
    indent: int


#: What of a parser's event counts: its text (None where there is none), its kind, its tag, its anchor, and whether it is plain.
Event = tuple[str | None, type, str | None, str | None, object]


def plain(value: str) -> Bare:
    """A name that needs no quotes: a key, a job's id. Raises InkError for another."""
    if not _PLAIN.fullmatch(value) or value.lower() in _WORDS:
        raise InkError(f"{value!r} cannot stand without quotes")
    return Bare(value)


class Page:
    """One rendering: takes values, gives marks, and puts the values in their places at the end."""

    def __init__(self) -> None:
        self._values: list[str | Block] = []

    def take(self, value: Any) -> str:
        """What stands in the marked text for a value: text, a number, true or false, lists and mappings of them.

        Raises InkError for anything else, and for text that GitHub would evaluate although it is no Expression.
        """
        if isinstance(value, Bare):
            return value
        if isinstance(value, bool | int):
            return str(value).lower()
        if isinstance(value, list | tuple):
            return f"[{', '.join(map(self.take, value))}]"
        if isinstance(value, dict):
            return f"{{{', '.join(f'{plain(key)}: {self.take(item)}' for key, item in value.items())}}}"
        if not isinstance(value, str | Block):
            raise InkError(f"a value is {'nothing' if value is None else type(value).__name__}, and no text")
        self._check(value)
        if any(int(number) < len(self._values) for number in _MARK.findall(_text(value))):
            raise InkError("a value is text that was rendered already; put it into a file and include that")
        self._values.append(value)
        return f'"\ue000{len(self._values) - 1}\ue000"'

    @staticmethod
    def _check(value: str | Block) -> None:
        """Refuse what GitHub would evaluate although nobody means it to, and what no file can hold."""
        text = value.text if isinstance(value, Block) else value
        if _SURROGATE.search(text):
            raise UnfitError(
                "it would hold half of a character, which no file can", "Look for \\ud800 to \\udfff."
            )
        if isinstance(value, str) and not isinstance(value, Expression) and EXPRESSION in value:
            raise UnfitError(
                f"{value!r} cannot be written into it: GitHub would evaluate it",
                f"Write it without {EXPRESSION}, which has no escape at GitHub.",
            )

    def finish(self, marked: str) -> str:
        """The finished text.

        Raises InkError when a value stands inside other text, or the text is no YAML; MisrenderedError when a value
        changes what it says.
        """
        if odd := _BREAKS.search(marked):
            raise InkError(f"it holds U+{ord(odd[0]):04X}, which is a line end to some parsers of YAML only")
        body = _MARK.sub(lambda match: self._written(self._values[int(match[1])]), marked)
        meant, marks = _marked_events(marked)
        said = events(body)
        for position, number in marks:
            if position >= len(said) or said[position][0] != _text(self._values[number]):
                break
            said[position] = (meant[position][0], *said[position][1:])
        if said != meant:
            raise MisrenderedError(
                "with its values it reads other than it was meant; a block needs as many blanks as block(…) says, and is no comment"
            )
        return body

    def value(self, read: str) -> str:
        """What stands for a mark that was read in the marked text; other text as it is."""
        match = _READ.fullmatch(read)
        if match is None:
            return read
        return _text(self._values[int(match[1])])

    @staticmethod
    def _written(value: str | Block) -> str:
        return block(value.text, value.indent) if isinstance(value, Block) else scalar(value)


def _text(value: str | Block) -> str:
    return value.text if isinstance(value, Block) else str(value)


@lru_cache(maxsize=64)
def _marked_events(marked: str) -> tuple[list[Event], list[tuple[int, int]]]:
    """The events of a marked text, and at which of them which mark stands; many files differ in their values only."""
    found, marks = events(marked), []
    if tag := next((event[2] for event in found if event[2]), None):
        raise InkError(f"it has the tag {tag}, which parsers of YAML make different things of")
    for position, (text, *_) in enumerate(found):
        match = _READ.search(text) if text else None
        if match is not None and match[0] != text:
            raise InkError("a value stands inside other text; join them before: [[ 'text-' ~ value ]]")
        if match is not None:
            marks.append((position, int(match[1])))
    return found, marks


@cache
def _parser() -> Callable[[str], Iterable[Any]]:
    """Ruamel's parser, which is made once: to make it looks for plug-ins on the disk."""
    from ruamel.yaml import YAML

    return YAML(typ="safe").parse


def events(text: str) -> list[Event]:
    """What a YAML parser reads. Raises InkError for what is no YAML."""
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.events import ScalarEvent

    try:
        return [
            (event.value, ScalarEvent, event.tag, event.anchor, event.implicit[0])
            if type(event) is ScalarEvent
            else (None, type(event), getattr(event, "tag", None), getattr(event, "anchor", None), None)
            for event in _parser()(text)
        ]
    except YAMLError as error:
        raise InkError(f"it is no YAML: {' '.join(str(error).split())}") from None
