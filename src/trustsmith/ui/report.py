"""Plans and outcomes as text, JSON and Markdown. Builds lines and values; must not print or decide."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from trustsmith.errors import ConfigError, TrustsmithError
from trustsmith.model.environments import GitHubEnvironment, SubjectSetting
from trustsmith.model.plan import SCHEMA, Change, Plan
from trustsmith.model.resource import Later, Resource
from trustsmith.model.resources import FederatedCredential, StoredSecret, WorkflowFile
from trustsmith.ui import report_rights

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trustsmith.apply import Outcome, Run

_SIGNS = {"create": "+", "update": "~", "restore": "^", "delete": "-"}
_STYLES = {"create": "green", "update": "yellow", "restore": "cyan", "delete": "red"}
_PAST = {"create": "created", "update": "updated", "restore": "restored", "delete": "deleted"}
_KIND_WIDTH = 20
#: As far as its last character, without which it is none.
_COMMAND = re.compile(r"^\s*::|##\[")


class Line(NamedTuple):
    """A line of text and how it looks on a terminal (a style name that rich knows)."""

    text: str
    style: str = ""


def plan_lines(plan: Plan) -> Iterator[Line]:
    """The plan for people: changes by identity and environment, then what waits, is stray, or is dangerous."""
    for title, changes in _grouped(plan):
        yield Line(f"  {title}", "bold")
        for change in changes:
            yield from _change_lines(change)
        yield Line("")
    if plan.strays:
        yield Line("  Left as it is; removed only by name:", "bold")
        for stray in plan.strays:
            yield Line(f"    ? {stray.key.kind}  {stray.resource.title}: {stray.why}")
            yield Line(f"      {_removing(stray)}")
        yield Line("")
    if plan.waiting:
        yield Line("  Waiting:", "bold")
        yield from (
            Line(f"    . {entry.key.kind}  {entry.key.name}: {entry.reason}") for entry in plan.waiting
        )
        yield Line("")
    if plan.not_compared:
        yield Line("  Not compared, since it may not be read here:", "bold")
        for why, kinds in _by_reason(plan).items():
            yield Line(f"    {why}", "yellow")
            pairs = [(kind, name) for kind, names in kinds.items() for name in names]
            yield from (Line(f"    / {kind:<{_KIND_WIDTH}}  {name}") for kind, name in pairs)
        yield Line("")
    yield from (Line(text, style) for text, style in report_rights.lines(plan.rights))
    for hazard in plan.hazards:
        allowed = " (allowed)" if hazard.allowed else ""
        yield Line(f"  ! {hazard.id}{allowed}: {hazard.why}", "yellow" if hazard.allowed else "bold red")
    yield from broken_lines(plan)
    yield from (Line(f"  Note: {note}") for note in plan.notes)
    yield Line(summary(plan), "bold")


def _removing(stray: Change) -> str:
    """What takes a stray away: a file also without a network."""
    if isinstance(stray.resource, WorkflowFile):
        return f"trustsmith render --remove {shlex.quote(stray.key.name)}"
    return f"--allow {shlex.quote(stray.by_name)}"


def broken_lines(plan: Plan) -> Iterator[Line]:
    """What edits broke in generated files, and what to do about it."""
    for problem in plan.broken:
        yield Line(f"  ! {problem}", "bold red")
        yield from (Line(f"      {line}") for line in problem.hint.splitlines())


def summary(plan: Plan) -> str:
    """The plan in one sentence."""
    counts = Counter(change.verb for change in plan.shown)
    parts = [
        f"{counts[verb]} to {verb}" for verb in ("create", "update", "restore", "delete") if counts[verb]
    ]
    if not parts and plan.not_compared:
        parts = ["nothing to do in what was compared"]
    elif not parts:
        parts = (
            ["nothing to do"] if not plan.waiting else ["nothing to do until the others have done their part"]
        )
    if plan.strays:
        parts.append(f"{len(plan.strays)} {'left' if plan.one_by_one else 'not ours or no longer used'}")
    if plan.waiting:
        parts.append(f"{len(plan.waiting)} waiting")
    if plan.not_compared:
        parts.append(f"{len(plan.not_compared)} not compared")
    if plan.broken:
        parts.append(f"{len(plan.broken)} against the rules of generated workflows")
    return f"Plan: {', '.join(parts)}."


def _by_reason(plan: Plan) -> dict[str, dict[str, list[str]]]:
    """What was not compared: reason → kind → names. A side that may not be read is one reason for many."""
    found: dict[str, dict[str, list[str]]] = {}
    for entry in plan.not_compared:
        found.setdefault(entry.reason, {}).setdefault(entry.key.kind, []).append(entry.key.name)
    return found


def _grouped(plan: Plan) -> Iterator[tuple[str, list[Change]]]:
    """Changes under the environment that they are about; files last."""
    environments = {
        change.resource.identity: change.resource.environment
        for change in plan.shown
        if isinstance(change.resource, FederatedCredential)
    }
    shared = Counter(
        change.resource.identity for change in plan.shown if isinstance(change.resource, FederatedCredential)
    )
    groups: dict[str, list[Change]] = {}
    for change in sorted(plan.shown, key=lambda c: isinstance(c.resource, WorkflowFile)):
        groups.setdefault(_group(change.resource, environments, shared), []).append(change)
    yield from groups.items()


def _group(resource: Resource, environments: dict[str, str], shared: Counter[str]) -> str:
    if isinstance(resource, WorkflowFile):
        return "files"
    if isinstance(resource, GitHubEnvironment):
        return resource.name
    if isinstance(resource, SubjectSetting):
        return "repository"
    if isinstance(resource, StoredSecret):
        return resource.environment or resource.level
    identity = getattr(resource, "identity", getattr(resource, "unique_name", ""))
    if shared[identity] > 1 and not isinstance(resource, FederatedCredential):
        return identity
    return str(getattr(resource, "environment", environments.get(identity, identity)))


def _change_lines(change: Change) -> Iterator[Line]:
    sign, style = _SIGNS[change.verb], _STYLES[change.verb]
    said = _details(change.resource) if change.verb == "create" else change.why
    text = f"    {sign} {change.key.kind:<{_KIND_WIDTH}}  {_title(change.resource)}"
    yield Line(f"{text}  [{said}]" if said else text, style)


def _title(resource: Resource) -> str:
    """In its group, a resource need not say which environment it is in."""
    match resource:
        case FederatedCredential():
            return resource.subject
        case Resource():
            environment = getattr(resource, "environment", "")
            return resource.title.removeprefix(f"{environment}/") if environment else resource.title


def _details(resource: Resource) -> str:
    if isinstance(resource, GitHubEnvironment):
        return resource.rules
    value = getattr(resource, "value", getattr(resource, "content", None))
    if isinstance(value, Later):
        return str(value)
    return value if isinstance(value, str) else ""


def outcome_line(outcome: Outcome) -> Line:
    """One change that has ended, with how long it took."""
    change = outcome.change
    name = f"{change.key.kind} {change.resource.title}"
    if outcome.status == "done":
        return Line(f"  {_PAST[change.verb]:<9} {name}  ({outcome.seconds:.1f} s)", "green")
    if outcome.status == "failed":
        return Line(
            f"  FAILED    {name}: {outcome.error and outcome.error.message.partition(chr(10))[0]}", "bold red"
        )
    return Line(f"  not tried {name}: {outcome.reason}", "yellow")


def run_lines(plan: Plan, run: Run, seconds: float) -> Iterator[Line]:
    """How a run ended: what is done in one line, what failed and what was not reached in full."""
    done, failed, missed = run.of("done"), run.failures, run.of("not reached")
    if not plan.changes:
        return
    for outcome in failed:
        yield Line(
            f"Failed: {outcome.change.verb} {outcome.change.key.kind} {outcome.change.resource.title}",
            "bold red",
        )
        yield from (Line(f"  {line}") for line in error_lines(outcome.error) if outcome.error)
    if missed:
        yield Line("Not reached:", "yellow")
        yield from (
            Line(f"  {o.change.verb} {o.change.key.kind} {o.change.resource.title}: {o.reason}", "yellow")
            for o in missed
        )
    yield Line(
        f"{len(done)} done, {len(failed)} failed, {len(missed)} not reached, in {seconds:.1f} s.", "bold"
    )


def error_lines(error: TrustsmithError | None) -> Iterator[str]:
    """An error: what happened, the service's own words, what to type next."""
    if error is None:
        return
    yield from error.message.split("\n")
    if isinstance(error, ConfigError):
        for problem in error.problems:
            yield f"  {problem}"
            yield from (f"      {line}" for line in problem.hint.splitlines())
    if error.original and error.original not in error.message:
        yield f"The service said: {' '.join(error.original.split())}"
    first, *rest = error.hint.splitlines() or [""]
    yield from (f"Next: {first}", *rest) if first else ()


def error_json(error: TrustsmithError) -> dict[str, Any]:
    """An error for machines."""
    found = {
        "message": error.message,
        "hint": error.hint,
        "original": error.original,
        "exit_code": error.exit_code,
    }
    if isinstance(error, ConfigError):
        found["problems"] = [problem.as_json() for problem in error.problems]
    return found


def run_json(plan: Plan, run: Run) -> dict[str, Any]:
    """A plan and what came of it."""
    return {
        "schema": SCHEMA,
        "plan": plan.as_json(),
        "interrupted": run.interrupted,
        "outcomes": [
            {
                **{
                    name: value
                    for name, value in outcome.change.as_json().items()
                    if name in {"verb", "kind", "name"}
                },
                "status": outcome.status,
                "seconds": round(outcome.seconds, 3),
                "error": error_json(outcome.error) if outcome.error else None,
                "reason": outcome.reason,
            }
            for outcome in run.outcomes.values()
            if not outcome.change.implied or outcome.status == "failed"
        ],
    }


def plan_markdown(plan: Plan, repository: str, heading: str = "Plan for") -> str:
    """The plan for those who approve it, or who are told of a drift. What others named calls and links nobody."""
    lines = [f"# {heading} {escape(repository)}", "", summary(plan)]
    if plan.shown:
        lines += ["", "| | kind | name | why |", "|---|---|---|---|"]
        lines += [
            f"| {c.verb} | {c.key.kind} | {_code(c.resource.title, table=True)} | {escape(c.why)} |"
            for c in plan.shown
        ]
    for title, rows in (
        ("Not ours", [(s.key.kind, s.key.name, s.why) for s in plan.strays]),
        ("Waiting", [(w.key.kind, w.key.name, w.reason) for w in plan.waiting]),
        ("Edits", [("against the rules", f"{b.file}:{b.line}", b.message) for b in plan.broken]),
        ("Hazards", [("allowed" if h.allowed else "not allowed", h.id, h.why) for h in plan.hazards]),
        (
            "Roles",
            [
                (report_rights.TOLD[a.kind].word, a.environment, a.why)
                for a in report_rights.told(plan.rights)
            ],
        ),
    ):
        if rows:
            lines += ["", f"## {title}", ""]
            lines += (f"- {kind} {_code(name)}: {escape(why)}" for kind, name, why in rows)
    lines += _not_compared(plan)
    lines += ["", *(escape(note) for note in plan.notes)] if plan.notes else []
    lines += [] if plan.not_compared else ["", f"Fingerprint: `{plan.fingerprint}`"]
    return "\n".join([*lines, ""])


def _not_compared(plan: Plan) -> Iterator[str]:
    if plan.not_compared:
        yield from ("", "## Not compared", "", "Nothing is said about these; they may not be read here.", "")
    for why, kinds in _by_reason(plan).items():
        yield f"- {escape(why)}"
        yield from (f"  - {kind} {', '.join(map(_code, names))}" for kind, names in kinds.items())


def markdown_row(*cells: str) -> str:
    """A row of a table, in which nothing of others is markup."""
    return "| " + " | ".join(escape(cell) for cell in cells) + " |"


#: What GitHub makes a call, a reference or a link of, wherever it stands in a text.
_CALLS = re.compile(r"(?<!\w)@(?=\w)|#(?=\d)|\bGH-(?=\d)|\bhttps?:(?=//)|\bwww\.(?=\w)", re.IGNORECASE)


def escape(text: str) -> str:
    """Text of others in Markdown: no markup, no line ends, and nobody is called by it."""
    plain = re.sub(r"([\\|`<>\[\]!*_~&])", r"\\\1", harmless(text))
    return _CALLS.sub(lambda found: f"{found[0]}&#8203;", plain)


def _code(name: str, *, table: bool = False) -> str:
    """A name to the letter: in a code span GitHub calls and links nobody."""
    plain = harmless(name).replace("`", "'") or " "
    return f"`{plain.replace('|', chr(92) + '|') if table else plain}`"


def harmless(text: str) -> str:
    """A line of text that can do nothing but be read, neither on a terminal nor in the log of a GitHub job.

    What others named may hold escape sequences or line ends; and a line that begins with `::`, after blanks, or has `##[`
    in it, is a command to GitHub's runner, which could set outputs or hide text (actions/runner, ActionCommand).
    """
    plain = "".join(c if c.isprintable() or c == "\t" else f"\\u{ord(c):04x}" for c in text)
    return _COMMAND.sub(lambda sign: f"{sign[0][:-1]}\\u{ord(sign[0][-1]):04x}", plain)
