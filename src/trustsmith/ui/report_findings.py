"""Findings as text and Markdown. Builds lines; must not print or decide."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from trustsmith.ui.report import Line, markdown_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from trustsmith.model.findings import Finding, Verdict

_SIGNS = {"pass": ("ok", "green"), "fail": ("FAIL", "bold red"), "unknown": ("?", "yellow")}
_WORDS: dict[Verdict, str] = {"pass": "fine", "fail": "failed", "unknown": "could not be told"}
_SIGN_WIDTH = 4


def lines(title: str, findings: Sequence[Finding]) -> Iterator[Line]:
    """Findings for people, under what they are about, and a summary."""
    yield Line(title, "bold")
    for about, group in _grouped(findings):
        if about:
            yield Line(f"  {about}", "bold")
        for finding in group:
            sign, style = _SIGNS[finding.verdict]
            yield Line(f"    {sign:<{_SIGN_WIDTH}} {finding.check}: {finding.why}", style)
            if finding.original and finding.original not in finding.why:
                yield Line(f"         The service said: {' '.join(finding.original.split())}")
            first, *rest = finding.next.splitlines() or [""]
            yield from (Line(f"         {text}") for text in (f"Next: {first}", *rest) if first)
    yield Line(summary(findings), "bold")


def _grouped(findings: Iterable[Finding]) -> Iterator[tuple[str, list[Finding]]]:
    """What is about the whole set-up first."""
    groups: dict[str, list[Finding]] = {"": []}
    for finding in findings:
        groups.setdefault(finding.about, []).append(finding)
    yield from groups.items()


def summary(findings: Iterable[Finding]) -> str:
    """The findings in one sentence."""
    counts = Counter(finding.verdict for finding in findings)
    parts = [f"{counts[verdict]} {word}" for verdict, word in _WORDS.items() if counts[verdict]]
    return ", ".join(parts) + "." if parts else "Nothing to report."


def markdown(title: str, findings: Iterable[Finding]) -> str:
    """Findings for a pull request or an issue."""
    rows = [
        markdown_row(_SIGNS[f.verdict][0], f.about, f.check, f.why, " ".join(f.next.split()))
        for f in findings
    ]
    head = ["| | about | check | why | next |", "|---|---|---|---|---|"] if rows else []
    return "\n".join([f"# {title}", "", summary(findings), "", *head, *rows, ""])
