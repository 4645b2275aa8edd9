"""A pull request of ours as text: its body for those who review it. Builds texts; must not print, decide, or ask GitHub."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trustsmith.model.resources import WorkflowFile
from trustsmith.regenerate import unified
from trustsmith.ui.report import markdown_row

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trustsmith.model.pins import Pin
    from trustsmith.model.plan import Change

_BEGIN, _END = "<!-- trustsmith: begin -->", "<!-- trustsmith: end -->"
_OURS = re.compile(f"{re.escape(_BEGIN)}.*?{re.escape(_END)}", re.DOTALL)
_AGAIN = (
    "To change it, edit `.github/trustsmith.yml` and run `trustsmith render --pr` again: it replaces this branch's commit "
    "and this text, and leaves alone what others wrote around the text. Onto a branch that holds others' commits it pushes "
    "nothing."
)
_ALONG = "the workflows are rendered from it, and it is another one in the checkout"


def body_of(changes: Iterable[Change], along: Iterable[str], pins: Iterable[tuple[Pin | None, Pin]]) -> str:
    """What changes and why, and how to make it again.

    changes: of workflow files. along: what these are rendered from. pins: of actions, as they were and would be.
    """
    lines = [
        "`trustsmith render --pr` made this from `.github/trustsmith.yml`. It changes files, and nothing else.",
    ]
    lines += ["", "| file | lines | why |", "|---|---|---|"]
    lines += [markdown_row(path, "", _ALONG) for path in along]
    lines += [markdown_row(change.key.name, _counted(change), change.why) for change in changes]
    moved = [
        markdown_row(new.action, old.version if old else "", f"{new.version} of {new.date}")
        for old, new in pins
    ]
    if moved:
        lines += ["", "| action | pinned to | now to |", "|---|---|---|", *moved]
    return framed([*lines, "", _AGAIN])


def framed(lines: Iterable[str]) -> str:
    """Lines of ours, so that they are found again in a body that others write into as well."""
    return "\n".join([_BEGIN, *lines, _END])


def merged(there: str, body: str) -> str:
    """The body with ours in the place of the one before; what others wrote around it stays."""
    if not _OURS.search(there):
        return f"{there.rstrip()}\n\n{body}" if there.strip() else body
    return _OURS.sub(lambda _: body, there, count=1)


def _counted(change: Change) -> str:
    before, after = (
        side.text if isinstance(side, WorkflowFile) else None for side in (change.before, change.after)
    )
    return counted(before, after)


def counted(before: str | None, after: str | None) -> str:
    """How many lines come and go: `+3 -2`."""
    signs = [line[:1] for line in unified("", before, after).splitlines()[2:]]
    return f"+{signs.count('+')} -{signs.count('-')}"
