"""How a rewriting is shown: the diff, what is left to people, and what has to be there before it is merged.

Builds lines and values; must not print or decide.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from trustsmith.migrate.listing import Entry
from trustsmith.model.branch import REWRITTEN
from trustsmith.ui.report import Line, markdown_row
from trustsmith.ui.report_migrate import many, table
from trustsmith.ui.report_pull import counted, framed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from trustsmith.errors import Problem
    from trustsmith.migrate.scan import Use
    from trustsmith.rewrite import Rewritten
    from trustsmith.systems.sources import Changed

_IDS = re.compile(r"\b(vars|secrets)\.(AZURE_(?:CLIENT|TENANT|SUBSCRIPTION)_ID)\b")


@dataclass(frozen=True, kw_only=True)
class Rewriting:
    """A rewriting. uses: all that there were; files: how many were read.

    known: the environments of the configuration; None without one. written: it is in the work tree.
    """

    done: Rewritten
    changed: Sequence[Changed]
    uses: Sequence[Use]
    files: int
    known: tuple[str, ...] | None
    problems: tuple[Problem, ...] = ()
    written: bool = False

    @property
    def variables(self) -> list[str]:
        """The variables that the files read ids from."""
        return self._ids("vars")

    @property
    def secrets(self) -> list[str]:
        """The secrets that they read ids from."""
        return self._ids("secrets")

    def _ids(self, store: str) -> list[str]:
        found = {match for each in self.changed for match in _IDS.findall(each.after)}
        return sorted(name for kept, name in found if kept == store)

    @property
    def notes(self) -> list[str]:
        """What has to be known about it."""
        moved = sum(bool(each.how) for each in self.done.environments)
        if not moved:
            return list(self.done.notes)
        note = (
            f"{many(moved, 'job')} had no environment. With one, its rules hold for the job, its secrets and variables go "
            "before the repository's, and the subject of the job's tokens names it in place of the branch"
        )
        return [*self.done.notes, note]


def as_json(rewriting: Rewriting) -> dict[str, Any]:
    """The rewriting for machines."""
    done = rewriting.done
    return {
        "files": [{"file": each.file, "diff": each.diff} for each in rewriting.changed],
        "written": rewriting.written,
        "left": [Entry(use=use).as_json() | {"why": why} for use, why in _left(done)],
        "environments": [
            {
                "file": each.job.workflow.file,
                "job": each.job.id,
                "environment": each.environment,
                "how": each.how,
            }
            for each in done.environments
        ],
        "variables": rewriting.variables,
        "secrets": rewriting.secrets,
        "notes": rewriting.notes,
        "problems": [problem.as_json() for problem in rewriting.problems],
    }


def diff(rewriting: Rewriting) -> str:
    """What would change, as `git apply` takes it."""
    return "".join(each.diff for each in rewriting.changed)


def written(rewriting: Rewriting) -> Iterator[Line]:
    """The files that were written."""
    return (Line(f"rewritten: {each.file}") for each in rewriting.changed)


def lines(rewriting: Rewriting) -> Iterator[Line]:
    """All that is to be said beside the diff."""
    done = rewriting.done
    if rewriting.changed:
        yield Line("")
    rows = [
        (f"{each.job.workflow.file}, job {each.job.id}", f"{each.environment} ({each.how})")
        for each in done.environments
        if each.how
    ]
    yield from table("Environments that jobs are now in", rows)
    for file, left in groupby(_left(done), key=lambda each: each[0].file):
        yield Line(f"Left in {file}", "bold")
        yield from (_line(use, why) for use, why in left)
        yield Line("")
    used = dict.fromkeys(Entry(use=use).pattern for use, _ in _left(done))
    yield from table("What takes their place", [(pattern.id, pattern.replacement) for pattern in used])
    for problem in rewriting.problems:
        yield Line(str(problem), "yellow")
        yield from (Line(f"    {text}") for text in problem.hint.splitlines())
    yield from table("Before this is merged", list(_needed(rewriting)))
    yield from (Line(f"Note: {note}") for note in rewriting.notes)
    yield Line(summary(rewriting), "bold")


def body(rewriting: Rewriting) -> str:
    """The pull request's text. Secrets are named in it, and none is there to be shown."""
    done = rewriting.done
    lines = [_INTRODUCTION]
    lines += _rows(("before this is merged", "there has to be"), _needed(rewriting))
    lines += _rows(
        ("file", "lines", "what changes"), (_change(rewriting, each) for each in rewriting.changed)
    )
    lines += _rows(
        ("job", "environment", "why this one"),
        (
            (f"{each.job.id} in {each.job.workflow.file}", each.environment, each.how)
            for each in done.environments
            if each.how
        ),
    )
    lines += _rows(
        ("left to you", "secret", "why", "what takes its place"),
        (
            (f"{use.file}:{use.line}", ", ".join(use.secrets), why, Entry(use=use).pattern.replacement)
            for use, why in _left(done)
        ),
    )
    lines += _rows(("to know",), ((note,) for note in rewriting.notes))
    return framed([*lines, "", _AGAIN])


_INTRODUCTION = (
    f"`{REWRITTEN.command}` made this. Jobs sign in to Azure with GitHub's tokens in place of client secrets. It changes "
    "files, and nothing else: the secrets stay where they are until `trustsmith migrate --contract`, and until then "
    "`trustsmith migrate --undo` brings the files back."
)
_AGAIN = (
    f"`{REWRITTEN.command}` run again replaces this branch's commit and this text, and leaves alone what others wrote "
    "around the text. Onto a branch that holds others' commits it pushes nothing."
)


def _rows(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """A table, with an empty line before it; nothing without any row."""
    written = [markdown_row(*row) for row in rows]
    return ["", f"| {' | '.join(head)} |", "|---" * len(head) + "|", *written] if written else []


def _change(rewriting: Rewriting, changed: Changed) -> tuple[str, str, str]:
    rewritten = [use for use in rewriting.uses if use.file == changed.file and use not in rewriting.done.left]
    by_pattern = groupby(
        sorted(rewritten, key=lambda use: (use.pattern, use.line)), key=lambda use: use.pattern
    )
    said = [f"{pattern} (line {', '.join(str(use.line) for use in uses)})" for pattern, uses in by_pattern]
    said += [
        f"job {each.job.id} runs in {each.environment}"
        for each in rewriting.done.environments
        if each.how and each.job.workflow.file == changed.file
    ]
    return (
        changed.file,
        counted(changed.before, changed.after),
        "; ".join(said) or "what its callers and jobs need",
    )


def _line(use: Use, why: str) -> Line:
    secret = ", ".join(use.secrets) or "-"
    return Line(f"  {use.line}:{use.column}  {secret}  {use.pattern}: {why}", "yellow")


def _left(done: Rewritten) -> list[tuple[Use, str]]:
    return sorted(done.left.items(), key=lambda each: each[0].order)


def _needed(rewriting: Rewriting) -> Iterator[tuple[str, str]]:
    """What has to be there before it is merged."""
    named = dict.fromkeys(each.environment for each in rewriting.done.environments)
    if named:
        yield "environments", f"{', '.join(named)}: each with a federated credential that trusts its jobs"
    for store, ids in (("variables", rewriting.variables), ("secrets", rewriting.secrets)):
        if ids:
            yield store, f"{', '.join(ids)}: in each environment, or in the repository"
    if any(name.endswith("SUBSCRIPTION_ID") for name in (*rewriting.variables, *rewriting.secrets)):
        yield (
            "subscription",
            "that of the environment's Foundry project, where expanding wrote it: where jobs work in another one, write that",
        )
    if named and rewriting.known is None:
        yield (
            "how",
            "trustsmith migrate --expand, then this again: files read ids where the configuration keeps them",
        )
    elif any("${{" not in name and name not in (rewriting.known or ()) for name in named):
        yield "how", "trustsmith migrate --expand"


def summary(rewriting: Rewriting) -> str:
    """The rewriting in one sentence."""
    if not rewriting.uses:
        return f"No use of a long-lived Azure credential in {many(rewriting.files, 'file')}."
    uses, left = len(rewriting.uses), len(rewriting.done.left)
    done = f"{uses - left} of {many(uses, 'use')}"
    files = f"in {many(len(rewriting.changed), 'file')}; {left} left."
    if not rewriting.written:
        return f"{done} can be rewritten, {files}"
    return f"Rewritten: {done}, {files} Bring them to the default branch, then: trustsmith migrate --prove"
