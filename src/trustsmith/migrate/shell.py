"""Commands in a script of bash, PowerShell or cmd: words with their places, so that they can be recognised and edited.

A reading for recognising, not for running: what it cannot follow (here-documents, code in quotes) it leaves out, and
GitHub's `${{ … }}` is one piece wherever it stands. Must not know any command's name but those of shells.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHELLS = {"bash", "sh", "zsh", "pwsh", "powershell"}
_RUNS = re.compile(r"-\w*c|-command", re.IGNORECASE)
#: Commands that only speak of others.
_TALK = {"echo", "printf", "cat", "grep", "sed", "write-host", "write-output", "write-error", "write-warning"}
_HEREDOC = re.compile(r"(?<!<)<<(?!<)-?\s*(['\"]?)(\w+)\1")
#: What is nothing special, outside and inside of quotes.
_PLAIN = re.compile(r"[\w./:@%+,=~!*?\[\]-]+")
_IN_QUOTES = re.compile(r"[^'\"$\\`]+")
_CONTINUED = re.compile(r"[\\`^]\r?\n")
_COMMENT = re.compile(r"#|(?:rem|REM|::)(?=[ \t])")
#: Commands within commands are followed so deep; nobody reads, or writes, deeper ones.
_DEEPEST = 16


@dataclass(frozen=True)
class Word:
    """A word of a command. text: without quotes. start, end: in the script, quotes included."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class Command:
    """A simple command. start, end: in the script. alone: whether it has its lines to itself, and nothing around it.

    source: the command whose output is piped into it.
    """

    words: tuple[Word, ...]
    start: int
    end: int
    alone: bool
    source: Command | None = None

    @cached_property
    def name(self) -> str:
        """The first word, without folder and suffix, in small letters."""
        return _name(self.words[0])

    @cached_property
    def _texts(self) -> list[tuple[str, str]]:
        """Each word in small letters: as a program's name, and as it is."""
        return [(_name(word), word.text.lower()) for word in self.words]

    def after(self, *names: str) -> tuple[Word, ...] | None:
        """The words after these, where the command is called so, itself or by another; None for any other command."""
        if self.name in _TALK:
            return None
        first, *rest = names
        for place, (called, _) in enumerate(self._texts):
            stop = place + len(names)
            if called == first and [text for _, text in self._texts[place + 1 : stop]] == rest:
                return self.words[stop:]
        return None


def _name(word: Word) -> str:
    return word.text.replace("\\", "/").rsplit("/", 1)[-1].lower().removesuffix(".exe").removesuffix(".cmd")


def option(words: tuple[Word, ...], *names: str) -> Word | None:
    """The value of an option, in whatever way it is given: `-p X`, `--password X`, `--password=X`, `-pX`.

    Of `--password=X` and `-pX` the whole word is returned.
    """
    for place, word in enumerate(words):
        text = word.text.lower()
        for name in names:
            if text == name:
                return words[place + 1] if place + 1 < len(words) else None
            if name.startswith("--") and text.startswith((f"{name}=", f"{name}:")):
                return word
            if name == "-p" and text.startswith("-p") and text[2:3] in {"$", "%", "'", '"', "="}:
                return word
    return None


def has(words: tuple[Word, ...], *names: str) -> bool:
    """Whether one of these flags is there, with or without a value."""
    return any(word.text.lower().partition("=")[0] in names for word in words)


@lru_cache(maxsize=4096)
def commands(script: str) -> tuple[Command, ...]:
    """The commands of a script, those inside of `$(…)` and `bash -c "…"` after their own."""
    return tuple(_Scanner(script, 0, len(script)).commands())


class _Scanner:
    def __init__(self, script: str, start: int, end: int, depth: int = 0) -> None:
        self.script = script
        self.depth = depth
        self.at = start
        self.end = end
        self.inner: list[tuple[int, int]] = []
        self.waiting: list[str] = []

    def commands(self) -> Iterator[Command]:
        words: list[Word] = []
        before, last = "\n", None
        while self.at < self.end or words:
            word = self._next() if self.at < self.end else None
            if word is not None:
                words.append(word)
                continue
            separator = self._separator()
            if words:
                last = self._made(words, before, separator, last if before == "|" else None)
                yield last
                yield from self._called(last)
                words, before = [], separator
            elif separator != "\n" or before != "|":
                before = separator
            if separator == "\n":
                self._skip_heredocs()
        inner, self.inner = self.inner, []
        for start, end in inner:
            yield from self._within(start, end)

    def _within(self, start: int, end: int) -> Iterator[Command]:
        if self.depth < _DEEPEST:
            yield from _Scanner(self.script, start, end, self.depth + 1).commands()

    def _made(self, words: list[Word], before: str, after: str, source: Command | None) -> Command:
        head = self.script[self.script.rfind("\n", 0, words[0].start) + 1 : words[0].start]
        alone = not head.strip() and before == "\n" and after in ("", "\n")
        return Command(tuple(words), words[0].start, words[-1].end, alone, source)

    def _called(self, command: Command) -> Iterator[Command]:
        """What a shell is given to run: `bash -c "…"`."""
        for flag, said in zip(command.words, command.words[1:], strict=False):
            quoted = self.script[said.start] in "'\""
            if command.name in _SHELLS and _RUNS.fullmatch(flag.text) and quoted:
                yield from self._within(said.start + 1, said.end - 1)

    def _next(self) -> Word | None:
        """The next word, or None where a separator stands."""
        self._skip_blanks()
        start, text = self.at, []
        while self.at < self.end:
            part = self._part(started=self.at > start)
            if part is None:
                break
            text.append(part)
        return Word("".join(text), start, self.at) if self.at > start else None

    def _skip_blanks(self) -> None:
        while self.at < self.end:
            if continued := _CONTINUED.match(self.script, self.at, self.end):
                self.at = continued.end()
            elif self.script[self.at] in " \t\r":
                self.at += 1
            elif _COMMENT.match(self.script, self.at, self.end):
                stop = self.script.find("\n", self.at, self.end)
                self.at = self.end if stop < 0 else stop
            else:
                return

    def _part(self, *, started: bool) -> str | None:
        """One piece of a word; None at its end."""
        if plain := _PLAIN.match(self.script, self.at, self.end):
            return self._taken(plain.end())
        character = self.script[self.at]
        if self._ends(character, started=started):
            return None
        if self.script.startswith("${{", self.at):
            return self._expression()
        if self.script.startswith("$(", self.at):
            return self._substitution()
        if character in "'\"":
            return self._quoted(character)
        return self._special(character)

    def _ends(self, character: str, *, started: bool) -> bool:
        """Whether a word ends here."""
        if character in " \t\r\n;|()" or _CONTINUED.match(self.script, self.at, self.end):
            return True
        if character == "&":  # but not in `2>&1` and `&>file`
            return ">" not in (self.script[self.at - 1 : self.at], self.script[self.at + 1 : self.at + 2])
        alone = not self.script[self.at + 1 : self.at + 2].strip()
        return character in "{}" and not started and alone

    def _special(self, character: str) -> str:
        if heredoc := _HEREDOC.match(self.script, self.at, self.end):
            self.waiting.append(heredoc[2])
            return self._taken(heredoc.end())
        if character == "\\" and self.at + 1 < self.end:
            self.at += 2
            return self.script[self.at - 1]
        return self._taken(self.at + 1)

    def _expression(self) -> str:
        """`${{ … }}`."""
        return self._taken(self.script.find("}}", self.at, self.end) + 2)

    def _taken(self, stop: int) -> str:
        start, self.at = self.at, stop if stop > self.at else self.end
        return self.script[start : self.at]

    def _substitution(self) -> str:
        """`$(…)`: one piece here; what is in it is read later."""
        start, depth = self.at, 0
        self.at += 1
        while self.at < self.end:
            character = self.script[self.at]
            if self.script.startswith("${{", self.at):
                self._expression()
                continue
            if character == "'":
                self._quoted(character)
                continue
            depth += {"(": 1, ")": -1}.get(character, 0)
            self.at += 1
            if not depth:
                break
        self.inner.append((start + 2, self.at - 1))
        return self.script[start : self.at]

    def _quoted(self, quote: str) -> str:
        self.at += 1
        text: list[str] = []
        while self.at < self.end and self.script[self.at] != quote:
            if self.script.startswith("${{", self.at):
                text.append(self._expression())
            elif quote == '"' and self.script.startswith("$(", self.at):
                text.append(self._substitution())
            elif quote == '"' and self.script[self.at] in "\\`" and self.at + 1 < self.end:
                text.append(self.script[self.at : self.at + 2])
                self.at += 2
            else:
                plain = _IN_QUOTES.match(self.script, self.at, self.end)
                text.append(self._taken(plain.end() if plain else self.at + 1))
        self.at = min(self.at + 1, self.end)
        return "".join(text)

    def _separator(self) -> str:
        character = self.script[self.at] if self.at < self.end else ""
        self.at += 1
        return character

    def _skip_heredocs(self) -> None:
        for delimiter in self.waiting:
            found = re.compile(rf"^[ \t]*{re.escape(delimiter)}[ \t]*\r?$", re.MULTILINE).search(
                self.script, self.at, self.end
            )
            self.at = found.end() if found else self.end
        self.waiting = []
