"""Edits of a text, and how parts of YAML are taken out, replaced and put in without touching anything else.

An edit replaces a range of the text; what is outside of all ranges stays byte for byte. Must not know any key of a
workflow. What cannot be done without touching more is answered by None.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trustsmith.model.document import Node, Pair

_PLAIN = re.compile(r"[A-Za-z_][\w./-]*|[\da-fA-F]+(?:-[\da-fA-F]+){4}|\$\{\{[^#\n]*\}\}", re.ASCII)
#: What YAML reads as something else than a text, in one of its versions.
_NO_TEXTS = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}


@dataclass(frozen=True)
class Edit:
    """The text between two offsets gives way to another; the same offset twice puts text in."""

    start: int
    end: int
    text: str = ""

    def meets(self, other: Edit) -> bool:
        """Whether both change the same text; two that only put in never do."""
        return self.start < other.end and other.start < self.end


def applied(text: str, edits: Iterable[Edit]) -> str:
    """The text with these edits, none of which meets another; what is put in at one place stays in order."""
    parts, at = [], 0
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        parts += [text[at : edit.start], edit.text]
        at = edit.end
    return "".join([*parts, text[at:]])


def line_end(text: str) -> str:
    """How lines of a text end, most of them."""
    return "\r\n" if 2 * text.count("\r\n") > text.count("\n") else "\n"


def line_start(text: str, at: int) -> int:
    """Where the line of a place begins."""
    return text.rfind("\n", 0, at) + 1


def next_line(text: str, at: int) -> int:
    """Where the line after that of a place begins; the end of the text after the last one."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def content_end(text: str, node: Node) -> int:
    """Where a node's own text ends: a parser's end of what is indented lies at the next token."""
    if node.alias:
        return node.end
    if not node.flow and (below := [pair.value for pair in node.pairs] or list(node.items)):
        return max(content_end(text, each) for each in below)
    if node.style in ("|", ">"):
        return node.start + len(text[node.start : node.end].rstrip())
    return node.end


def without_all(text: str, holder: Node, gone: list[Pair]) -> list[Edit | None]:
    """Take entries out of a mapping that has others."""
    kept = [pair for pair in holder.pairs if pair not in gone]
    if not holder.flow or not kept:
        return [without(text, holder, pair) for pair in gone]
    behind = [pair for pair in gone if pair.key.start > kept[-1].key.start]
    edits: list[Edit | None] = [without(text, holder, pair) for pair in gone if pair not in behind]
    if behind:
        edits.append(Edit(content_end(text, kept[-1].value), content_end(text, behind[-1].value)))
    return edits


def without(text: str, holder: Node, pair: Pair) -> Edit | None:
    """Take an entry out of a mapping that has others, with its line and the comment on it."""
    if holder.flow:
        return _without_in_brackets(text, holder, pair)
    if _is_explicit(text, pair):
        return None
    start, end = line_start(text, pair.key.start), next_line(text, content_end(text, pair.value))
    if not text[start : pair.key.start].strip():
        return Edit(start, end)
    # The first entry of a list's item stands behind the dash: the next one moves up to it.
    following = next((other for other in holder.pairs if other.key.start > pair.key.start), None)
    if following is None or text[end : following.key.start].strip():
        return None
    return Edit(pair.key.start, following.key.start)


def _is_explicit(text: str, pair: Pair) -> bool:
    """Whether an entry is written as `? key` and `: value`."""
    return "?" in text[line_start(text, pair.key.start) : pair.key.start].replace("- ", "")[-2:]


def _without_in_brackets(text: str, holder: Node, pair: Pair) -> Edit | None:
    place = holder.pairs.index(pair)
    if place + 1 < len(holder.pairs):
        return Edit(pair.key.start, holder.pairs[place + 1].key.start)
    if place:
        return Edit(content_end(text, holder.pairs[place - 1].value), content_end(text, pair.value))
    return None


def in_place_of(text: str, holder: Node, pair: Pair, entries: dict[str, str]) -> Edit | None:
    """These entries in place of another, in its way of writing. Values are as they are to stand in the file."""
    if _is_explicit(text, pair):
        return None
    start, end = pair.key.start, content_end(text, pair.value)
    if holder.flow:
        return Edit(start, end, ", ".join(f"{key}: {_quoted(value)}" for key, value in entries.items()))
    quote = pair.value.style if pair.value.style in ("'", '"') else ""
    lines = [f"{key}: {_in_quotes(value, quote)}" for key, value in entries.items()]
    indent = " " * (pair.key.start - line_start(text, pair.key.start))
    return Edit(start, end, f"{line_end(text)}{indent}".join(lines))


def added(text: str, holder: Node, entries: dict[str, str], after: Pair | None = None) -> Edit | None:
    """These entries in a mapping that has others: behind one of them, or at the end."""
    after = after or (holder.pairs[-1] if holder.pairs else None)
    if after is None or holder.alias or _is_explicit(text, after):
        return None
    if holder.flow:
        said = "".join(f", {key}: {_quoted(value)}" for key, value in entries.items())
        end = content_end(text, after.value)
        return Edit(end, end, said)
    indent = " " * (after.key.start - line_start(text, after.key.start))
    return below(
        text, content_end(text, after.value), [f"{indent}{key}: {value}" for key, value in entries.items()]
    )


def below(text: str, at: int, lines: list[str]) -> Edit:
    """Whole lines below that of a place."""
    end = line_end(text)
    place = next_line(text, at)
    said = end.join(lines)
    if place == len(text) and not text.endswith("\n"):
        return Edit(place, place, f"{end}{said}")
    return Edit(place, place, f"{said}{end}")


def scalar(value: str) -> str:
    """A value as it may stand behind a key, and is read as a text. `true` is what GitHub makes one of by itself."""
    if value == "true":
        return value
    if _PLAIN.fullmatch(value) and value.lower() not in _NO_TEXTS:
        return value
    quoted = json.dumps(value, ensure_ascii=False)  # JSON has no escapes for what is beyond 16 bits
    return "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in quoted)


def _in_quotes(value: str, quote: str) -> str:
    """A value in the quotes that the old one had, where it stands in none of its own."""
    return f"{quote}{value}{quote}" if quote and value[:1] not in "'\"" else value


def _quoted(value: str) -> str:
    """A value that may stand in brackets."""
    return value if re.fullmatch(r"[\w./-]+|\".*\"|'.*'", value) else f'"{value}"'


def indent_of(root: Node) -> int:
    """How far this file's writer moves in for one level."""
    jobs = root.get("jobs") or root.get("runs")
    return jobs.pairs[0].key.column - 1 if jobs is not None and jobs.pairs and not jobs.flow else 2
