"""The terminal: the only module that prints. Data goes to stdout, talk to stderr; nothing blinks in a pipe."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, TextIO, TypeVar

from trustsmith.errors import TrustsmithError, UsageError
from trustsmith.ui import (
    report,
    report_explain,
    report_files,
    report_findings,
    report_mend,
    report_pins,
    report_templates,
)
from trustsmith.ui.report import Line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from rich.console import Console as Rich
    from rich.status import Status

    from trustsmith.apply import Outcome, Run
    from trustsmith.explain import Explanation
    from trustsmith.model.findings import Finding
    from trustsmith.model.pins import Update
    from trustsmith.model.plan import Change, Plan
    from trustsmith.render import Template

T = TypeVar("T")
Format = Literal["text", "json", "md", "sarif"]
Color = Literal["auto", "always", "never"]


class Console:
    """Shows things in the chosen format, asks when somebody can answer, and says how work goes on.

    format: of the data on stdout. talkative: -v was given. ask: prompts are allowed (no --no-input).
    """

    def __init__(
        self,
        format: Format = "text",  # noqa: A002 - the flag's name
        color: Color = "auto",
        *,
        ask: bool = True,
        talkative: bool = False,
    ) -> None:
        self.format = format
        self.talkative = talkative
        self.interactive = ask and sys.stdin.isatty() and sys.stderr.isatty()
        self.repository = ""
        self.config: Path | None = None  # that was named, and belongs to what is to be typed
        self._color = color
        self._rich: dict[TextIO, Rich] = {}
        self._document: dict[str, Any] = {}
        self._status: Status | None = None
        self._running: dict[Change, None] = {}  # in the order in which they began
        self._began = time.monotonic()
        self._total = 0
        self._ended = 0

    # Data

    def data(self, lines: Iterable[Line]) -> None:
        """Lines of data, for people."""
        self._quiet()  # while a status moves, rich stands in for stdout and writes to stderr
        if self.format == "text":
            self._print(sys.stdout, lines)

    def advise(self, lines: Iterable[Line]) -> None:
        """Lines of data in which something is to be typed about the configuration that was named."""
        self.data(self._about(lines))

    def _about(self, lines: Iterable[Line]) -> Iterator[Line]:
        """The same, with what is to be typed about the configuration that was named."""
        return (line._replace(text=report_mend.with_config(line.text, self.config)) for line in lines)

    def document(self, values: dict[str, Any]) -> None:
        """Values of the JSON document, which is printed whole when the command ends."""
        self._document |= values

    def diff(self, text: str) -> None:
        """A diff, for people to read where one does, and exactly as it is for the tools that take one.

        In a GitHub job the log is read by the runner, and lines of others' files may be commands to it.
        """
        if self.format != "text":
            return
        if sys.stdout.isatty() or os.environ.get("GITHUB_ACTIONS"):
            self._print(sys.stdout, report_files.diff_lines(text))
        else:
            self.raw(text)

    def aside(self, lines: Iterable[Line]) -> None:
        """Lines that belong to the data and are none, to stderr."""
        if self.format == "text":
            self._print(sys.stderr, self._about(lines))

    def raw(self, text: str) -> None:
        """Text to stdout: its bytes in UTF-8; at a terminal it can do nothing but be read, whoever wrote it."""
        self._quiet()  # as in `data`
        if sys.stdout.isatty():
            sys.stdout.write("\n".join(map(report.harmless, text.split("\n"))))
            return
        sys.stdout.flush()  # what was written as text comes first
        sys.stdout.buffer.write(text.encode("utf-8", "backslashreplace"))  # half a character can be in a name

    def close(self, error: TrustsmithError | None = None) -> None:
        """Print the JSON document, if that is what was asked for."""
        self._quiet()
        if self.format == "json" and (self._document or error):
            document = {"schema": 1, **self._document}
            if error is not None:
                document["error"] = report.error_json(error)
            # In a job's log, GitHub's runner takes `##[…]` for a command wherever in a line it stands.
            sys.stdout.write(json.dumps(document, indent=2).replace("##[", "#\\u0023[") + "\n")
        sys.stdout.flush()

    # Talk

    def step(self, text: str) -> None:
        """What is being done now; on a terminal it goes away when it is done."""
        self._show_status(f"{text} …")
        if self.talkative:
            self._say(Line(f"{text} …", "dim"))

    def note(self, text: str) -> None:
        """Something worth knowing; several lines are said one by one."""
        self._print(sys.stderr, self._about(Line(part) for part in text.split("\n")))

    def warn(self, text: str) -> None:
        """Something that may hurt later."""
        self._say(Line(f"Warning: {text}", "yellow"))

    def waiting(self, operation: str, why: str, seconds: float) -> None:
        """A wait before trying again."""
        self._say(Line(f"  waiting {max(seconds, 1):.0f} s to {operation}: {why}", "dim"))

    def started(self, change: Change) -> None:
        """A change is being made."""
        if not change.implied:
            self._running[change] = None
        self._progress()

    def finished(self, outcome: Outcome) -> None:
        """A change has ended."""
        self._running.pop(outcome.change, None)
        if outcome.change.implied and outcome.status != "failed":
            return
        self._ended += 1
        self._say(report.outcome_line(outcome))
        self._progress()

    def fail(self, error: TrustsmithError) -> None:
        """An error, to stderr."""
        first, *rest = report.error_lines(error)
        self._print(sys.stderr, [Line(f"Error: {first}", "bold red"), *map(Line, rest)])

    # A flow's front

    def show_plan(self, plan: Plan) -> None:
        """The plan, whole."""
        self._quiet()
        self._total = len(plan.shown)
        self.document({"plan": plan.as_json()})
        self.advise(report.plan_lines(plan))
        if self.format == "md":
            self.raw(report.plan_markdown(plan, self.repository))

    def show_files(self, plan: Plan, files: Sequence[report_files.Difference]) -> None:
        """How workflow files differ from what would be rendered; `plan` is that of which they are."""
        self.document({"plan": plan.as_json(), "files": [file.as_json() for file in files]})
        self.data(report_files.lines(files))

    def show_findings(self, title: str, findings: Sequence[Finding], *, brief: bool = False) -> None:
        """Findings. brief: without -v, what passes takes one line a check."""
        self._quiet()
        findings = [replace(one, next=report_mend.with_config(one.next, self.config)) for one in findings]
        self.document({"findings": [finding.as_json() for finding in findings]})
        self.data(report_findings.lines(title, findings, brief=brief and not self.talkative))
        if self.format == "md":
            self.raw(report_findings.markdown(title, findings))

    def show_explanations(self, explanations: Sequence[Explanation]) -> None:
        """What codes of Entra mean."""
        self.document({"explanations": [found.as_json() for found in explanations]})
        self.data(report_explain.lines(explanations))
        if self.format == "md":
            self.raw(report_explain.markdown(explanations))

    def show_pins(self, updates: Sequence[Update]) -> None:
        """Pins of actions, and what they would become."""
        self._quiet()
        self.document({"pins": [update.as_json() for update in updates]})
        self.data(report_pins.lines(updates))

    def show_templates(self, templates: Sequence[Template], *, full: bool) -> None:
        """The catalogue of templates. full: with options, and what their jobs do in Azure."""
        self.document({"templates": [report_templates.as_json(template) for template in templates]})
        self.data(report_templates.lines(templates, full=full))

    def show_run(self, plan: Plan, run: Run) -> None:
        """How it went."""
        self._quiet()
        self.document(report.run_json(plan, run))
        self.data(report.run_lines(plan, run, time.monotonic() - self._began))

    def agree(self, question: str) -> bool:
        """Ask yes or no on the terminal. Raises UsageError when nobody can be asked."""
        if not self.interactive:
            raise UsageError(
                "Nobody can be asked here, and the plan was not accepted.", hint="Accept it with --yes."
            )
        import click

        agreed = click.confirm(question, err=True)
        self._began = time.monotonic()
        return agreed

    # The wizard's asker

    def ask(self, question: str, parse: Callable[[str], T], default: str = "", why: str = "") -> T:
        """A line of text, parsed; `default` when nothing is typed. Asks again while `parse` raises UsageError."""
        import click

        self._explain(why)
        while True:
            typed = str(click.prompt(question, default=default, show_default=bool(default), err=True)).strip()
            try:
                return parse(typed)
            except UsageError as error:
                self._print(sys.stderr, [Line(text, "red") for text in report.error_lines(error)])

    def choose(self, question: str, options: Sequence[tuple[T, str]], default: T | None, why: str = "") -> T:
        """One of the options, by its number; Enter alone is the default, if there is one."""
        import click

        self._explain(why)
        values = [value for value, _ in options]
        for number, (_, label) in enumerate(options, start=1):
            self._say(Line(f"  {number}. {label}"))
        numbers = click.IntRange(1, len(options))
        usual = None if default is None else values.index(default) + 1
        chosen: int = click.prompt(question, type=numbers, default=usual, err=True)
        return values[chosen - 1]

    def _explain(self, why: str) -> None:
        self._say(Line(""))
        if why:
            self._say(Line(why, "dim"))

    # How

    def _say(self, line: Line) -> None:
        self._print(sys.stderr, [line])

    def _print(self, stream: TextIO, lines: Iterable[Line]) -> None:
        self._quiet()  # what moves goes away before a line is printed, and comes back with the next step
        lines = [line._replace(text=report.harmless(line.text)) for line in lines]
        if not self._colourful(stream):
            stream.writelines(line.text + "\n" for line in lines)
            stream.flush()
            return
        from rich.text import Text

        terminal = self._terminal(stream)
        for line in lines:
            # Data, and what can be pasted, keeps its lines: a line end in a command would make it two.
            whole = stream is sys.stdout or line.text.startswith("  ")
            terminal.print(Text(line.text, line.style), soft_wrap=whole)

    def _colourful(self, stream: TextIO) -> bool:
        if self._color != "auto":
            return self._color == "always"
        return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def _terminal(self, stream: TextIO) -> Rich:
        if stream not in self._rich:
            from rich.console import Console as Rich

            self._rich[stream] = Rich(file=stream, force_terminal=True if self._color == "always" else None)
        return self._rich[stream]

    def _progress(self) -> None:
        if self._running:
            oldest = next(iter(self._running))
            elapsed = time.monotonic() - self._began
            self._show_status(
                f"{self._ended}/{self._total} done, {elapsed:.0f} s: {oldest.verb} {oldest.key}"
            )

    def _show_status(self, text: str) -> None:
        """A line that moves, on a terminal that can show it."""
        if not (sys.stderr.isatty() and self._colourful(sys.stderr)):
            return
        if self._status is None:
            self._status = self._terminal(sys.stderr).status(text)
            self._status.start()
        else:
            self._status.update(text)

    def _quiet(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None
