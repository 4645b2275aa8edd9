"""What to type about the differences of a plan, for a terminal and for an issue. Must not print or decide."""

from __future__ import annotations

import re
import shlex
from itertools import groupby
from typing import TYPE_CHECKING

from trustsmith.ui.report import escape, harmless, plan_markdown

if TYPE_CHECKING:
    from pathlib import Path

    from trustsmith.model.plan import Plan

_SEE = "Let somebody with more rights look, and see what the observer lacks:\n  trustsmith plan\n  trustsmith doctor"


def how_to_mend(plan: Plan) -> str:
    """Lines of text, with indented commands below them, each on one line whatever others put into a name.

    What is dangerous goes only by name, and so do things that are not ours; the plan says why.
    """
    said: list[str] = []
    if plan.changes:
        said += [hazard.hint for hazard in plan.hazards if not hazard.allowable]
        dangerous = any(hazard.allowable for hazard in plan.hazards)
        said += ["If all that the plan calls dangerous is meant:" if dangerous else "Mend it with:"]
        said += [f"  {harmless(plan.command)}"]
    elif plan.strays:
        words = "".join(f" --allow {shlex.quote(stray.by_name)}" for stray in plan.strays)
        said += ["Look at what is not ours; to remove it:", f"  {harmless('trustsmith apply' + words)}"]
    if plan.broken:
        said += ["Mend the edits that the plan names, then look again:", "  trustsmith plan"]
    return "\n".join(said) or _SEE


def drift_markdown(plan: Plan, repository: str, config: Path | None = None) -> str:
    """A drift for those who are told of it, with what to type about that configuration."""
    lines = [plan_markdown(plan, repository, "Drift of")]
    for typed, group in groupby(
        with_config(how_to_mend(plan), config).splitlines(), lambda line: line.startswith("  ")
    ):
        said = list(group)
        block = ["```console", *(f"$ {harmless(line.strip())}" for line in said), "```"]
        lines += [*(block if typed else map(escape, said)), ""]
    return "\n".join(lines)


#: A command of ours that reads a configuration, where a line or a part of a sentence is nothing else.
_OURS = re.compile(
    r"(?:^[ $]*|[;:] )trustsmith (?:apply|destroy|doctor|migrate|plan|render|setup|subjects|verify)(?= --|$)",
    re.MULTILINE,
)


def with_config(text: str, config: Path | None) -> str:
    """What to type, about the same configuration; None is the usual one."""
    if config is None:
        return text
    return _OURS.sub(lambda found: f"{found[0]} --config {shlex.quote(harmless(config.as_posix()))}", text)
