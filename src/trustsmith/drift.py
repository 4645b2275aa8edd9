"""The one issue about drift: what it says, how it is found again, and what is to be done with it now.

Pure; must not contact anything. An issue counts as ours when whoever writes now opened it and its body begins with the
marker: anybody can copy a marker into an issue of their own, and that one is left alone.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The label by which people find it.
LABEL = "trustsmith"
TITLE = "Drift: the set-up is not as trustsmith.yml says"
#: In the marker, instead of a report's hash: everything was as the file says.
CLEAN = "clean"
#: Characters of a report; GitHub takes bodies of 65,536.
MOST = 60_000
_MARKER = re.compile(r"<!-- trustsmith-drift config=(\S+) report=(\w+) -->")

Verb = Literal["none", "open", "update", "reopen", "close"]


@dataclass(frozen=True)
class Known:
    """An issue that is ours. report: the hash of what it says, or `CLEAN`."""

    number: int
    open: bool
    report: str


@dataclass(frozen=True)
class Deed:
    """What to do: to which issue (None: a new one, or none), with what body and comment."""

    verb: Verb
    number: int | None = None
    body: str = ""
    comment: str = ""


def digest(report: str) -> str:
    """What tells two reports apart."""
    return hashlib.sha256(report.encode()).hexdigest()


def body_of(config: str, report: str) -> str:
    """An issue's body. config: the configuration's path, since a repository may have several."""
    marker = f"<!-- trustsmith-drift config={quote(config)} report={digest(report)} -->"
    return f"{marker}\n{_cut(report)}"


def clean_body(config: str) -> str:
    """The body of an issue whose drift is over."""
    marker = f"<!-- trustsmith-drift config={quote(config)} report={CLEAN} -->"
    return f"{marker}\nEverything is as the file says.\n"


def known(config: str, number: int, body: str, *, is_open: bool) -> Known | None:
    """The issue, if its body begins with the marker for this configuration; None for any other."""
    match = _MARKER.match(body)
    if match is None or match[1] != quote(config):
        return None
    return Known(number, is_open, match[2])


def decide(config: str, issues: Iterable[Known], report: str, comment: str) -> Deed:
    """What is to be done. report: empty when everything is as the file says. comment: what is said of it.

    The oldest open issue is kept. One that somebody closed by hand is left closed for as long as the report is the one
    that they saw.
    """
    mine = sorted(issues, key=lambda issue: issue.number)
    there = [issue for issue in mine if issue.open]
    if not report:
        return Deed("close", there[0].number, clean_body(config), comment) if there else Deed("none")
    body, now = body_of(config, report), digest(report)
    if there:
        verb: Verb = "none" if there[0].report == now else "update"
        return Deed(verb, there[0].number, body, comment)
    if not mine:
        return Deed("open", None, body)
    last = mine[-1]
    return Deed("none" if last.report == now else "reopen", last.number, body, comment)


def _cut(report: str) -> str:
    """A report that fits, cut at the end of a line."""
    if len(report) <= MOST:
        return report
    kept = report[:MOST].rpartition("\n")[0]
    return f"{kept}\n\nThe rest did not fit; `trustsmith plan` shows all of it.\n"
