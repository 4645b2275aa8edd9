"""Findings as text and Markdown. Builds lines; must not print or decide."""

from __future__ import annotations

from collections import Counter
from textwrap import wrap
from typing import TYPE_CHECKING

from trustsmith.ui.report import Line, markdown_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from trustsmith.model.findings import Finding, Verdict

_SIGNS = {"pass": ("ok", "green"), "fail": ("FAIL", "bold red"), "unknown": ("?", "yellow")}
_WORDS: dict[Verdict, str] = {"pass": "fine", "fail": "failed", "unknown": "could not be told"}
_SIGN_WIDTH, _WIDTH = 4, 110
_INDENT = " " * (_SIGN_WIDTH + 3)


def lines(title: str, findings: Sequence[Finding], *, brief: bool = False) -> Iterator[Line]:
    """Findings for people, and a summary.

    brief: a line for each check that passes, then what does not; else everything, under what it is about.
    """
    yield Line(title, "bold")
    yield from _briefly(findings) if brief else _grouped(findings)
    yield Line("")
    yield Line(summary(findings), "bold")


def _briefly(findings: Sequence[Finding]) -> Iterator[Line]:
    yield from _by_check(finding for finding in findings if finding.verdict == "pass")
    for finding in findings:
        if finding.verdict != "pass":
            yield Line("")
            yield from _in_full(finding, finding.about)


def _grouped(findings: Iterable[Finding]) -> Iterator[Line]:
    """What is about the whole set-up first."""
    groups: dict[str, list[Finding]] = {"": []}
    for finding in findings:
        groups.setdefault(finding.about, []).append(finding)
    for about, group in groups.items():
        if about:
            yield Line("")
            yield Line(about, "bold")
        for finding in group:
            if finding.verdict == "pass":
                yield _line("pass", f"{finding.check}: {finding.why}")
            else:
                yield from _in_full(finding)


def _by_check(passed: Iterable[Finding]) -> Iterator[Line]:
    """One line a check: what it found, or what it is fine about when that is several things."""
    groups: dict[str, list[Finding]] = {}
    for finding in passed:
        groups.setdefault(finding.check, []).append(finding)
    for check, group in groups.items():
        abouts = ", ".join(finding.about for finding in group)
        yield _line("pass", f"{check}: {abouts}" if len(group) > 1 else f"{check}: {group[0].why}")


def _line(verdict: Verdict, text: str) -> Line:
    sign, style = _SIGNS[verdict]
    return Line(f"  {sign:<{_SIGN_WIDTH}} {text}", style)


def _in_full(finding: Finding, about: str = "") -> Iterator[Line]:
    """What failed or could not be told: what it is about, why, the service's words, and what to type."""
    yield _line(finding.verdict, f"{finding.check} ({about})" if about else finding.check)
    yield from (Line(f"{_INDENT}{text}") for text in _wrapped(finding.why))
    if finding.original and finding.original not in finding.why:
        said = f"The service said: {' '.join(finding.original.split())}"
        yield from (Line(f"{_INDENT}{text}", "dim") for text in _wrapped(said))
    first, *rest = finding.next.splitlines() or [""]
    for text in (f"Next: {first}", *rest) if first else ():
        # What can be pasted stands on a line of its own, and stays one line.
        parts = [text] if text.startswith(" ") else _wrapped(text)
        yield from (Line(f"{_INDENT}{part}") for part in parts)


def _wrapped(text: str) -> list[str]:
    return wrap(text, _WIDTH - len(_INDENT), break_long_words=False, break_on_hyphens=False)


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
