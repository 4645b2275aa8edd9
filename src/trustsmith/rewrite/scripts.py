"""Parts of scripts that stand in YAML: taken out, replaced, and looked at for what is around them.

Must not know any command but those that open and close a block.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trustsmith.migrate.shell import commands
from trustsmith.model.document import spots
from trustsmith.rewrite.edits import Edit, indent_of, line_end, line_start, next_line

if TYPE_CHECKING:
    from trustsmith.migrate.repository import Spot
    from trustsmith.migrate.shell import Command
    from trustsmith.model.workflow import Step

_OPENS = ("if", "for", "while", "until", "case", "{")
_CLOSES = ("fi", "done", "esac", "}")


def cut(spot: Spot, start: int, end: int, instead: str = "") -> Edit | None:
    """Replace a part of a script; None where the part is not spelled as it is read, or the new text may not stand there."""
    places = spots(spot.text, spot.node)
    first, last = places[start], places[end - 1] + 1
    style = spot.node.style
    if style == ">" or _spelled(spot.text[first:last]) != _spelled(spot.node.value[start:end]):
        return None
    if style in ("'", '"') and set(instead) & {"'", '"', "\\"}:
        return None
    several = "\n" in spot.text[spot.node.start : spot.node.end]
    if not style and (several or ": " in instead or " #" in instead):
        return None
    return Edit(first, last, instead)


def _spelled(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def cut_lines(spot: Spot, start: int, end: int) -> Edit | None:
    """Take whole lines out of a script that has others."""
    edit = cut(spot, start, end)
    if edit is None or spot.node.style != "|":
        return None
    return Edit(line_start(spot.text, edit.start), next_line(spot.text, edit.end))


def as_block(step: Step, spot: Spot, script: str) -> Edit | None:
    """A script of one line as a block, in which a colon and a quote are nothing special."""
    key = step.node.pair("run")
    if key is None or "\n" in script or "\n" in spot.text[spot.node.start : spot.node.end]:
        return None
    indent = " " * (key.key.column - 1 + indent_of(step.job.workflow.root))
    return Edit(spot.node.start, spot.node.end, f"|{line_end(spot.text)}{indent}{script}")


def stands_alone(spot: Spot, start: int, end: int) -> bool:
    """Whether a range has its lines to itself."""
    value = spot.node.value
    before = value[line_start(value, start) : start]
    return not before.strip() and not value[end : next_line(value, end)].strip()


def is_nested(script: str, command: Command) -> bool:
    """Whether a command stands inside of a block that was opened before it: a condition, a loop, a function."""
    depth = 0
    for other in commands(script):
        if other.start >= command.start:
            break
        words = [word.text for word in other.words]
        depth += sum(words.count(word) for word in _OPENS) - sum(words.count(word) for word in _CLOSES)
    head = re.sub(r"\$\{\{.*?\}\}|\$\{\w+\}", "", script[: command.start])
    return depth > 0 or head.count("{") > head.count("}")


def is_quoted(spot: Spot, command: Command) -> bool:
    """Whether a quote is open where a command begins."""
    line = spot.node.value[line_start(spot.node.value, command.start) : command.start]
    return line.count("'") % 2 == 1 or line.count('"') % 2 == 1
