"""What to type about the differences of a plan, for a terminal and for an issue. Must not print or decide."""

from __future__ import annotations

import shlex
from itertools import groupby
from typing import TYPE_CHECKING

from trustsmith.ui.report import escape, harmless, plan_markdown

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trustsmith.model.plan import Plan

_SEE = "Let somebody with more rights look, and see what the observer lacks:\n  trustsmith plan\n  trustsmith doctor"


def how_to_mend(plan: Plan) -> str:
    """Lines of text, with indented commands below them.

    What is dangerous goes only by name, and so do things that are not ours; the plan says why.
    """
    said: list[str] = []
    if plan.changes:
        said += [hazard.hint for hazard in plan.hazards if not hazard.allowable]
        words = [hazard.id for hazard in plan.hazards if hazard.allowable]
        said += _apply("If all that the plan calls dangerous is meant:" if words else "Mend it with:", words)
    elif plan.strays:
        words = [stray.by_name for stray in plan.strays]
        said += _apply("Look at what is not ours; to remove it:", words)
    if plan.broken:
        said += ["Mend the edits that the plan names, then look again:", "  trustsmith plan"]
    return "\n".join(said) or _SEE


def drift_markdown(plan: Plan, repository: str) -> str:
    """A drift for those who are told of it, with what to type."""
    lines = [plan_markdown(plan, repository, "Drift of")]
    for typed, group in groupby(how_to_mend(plan).splitlines(), lambda line: line.startswith("  ")):
        said = list(group)
        block = ["```console", *(f"$ {harmless(line.strip())}" for line in said), "```"]
        lines += [*(block if typed else map(escape, said)), ""]
    return "\n".join(lines)


def _apply(why: str, words: Iterable[str]) -> list[str]:
    """A word is on the command's line, whatever was put into a name: what is pasted is one command."""
    return [why, "  trustsmith apply" + "".join(f" --allow {shlex.quote(harmless(word))}" for word in words)]
