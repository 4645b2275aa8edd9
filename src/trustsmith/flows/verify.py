"""`verify`: live resources against what GitHub will send; with a run, real tokens of real jobs. Changes nothing of ours.

What is found is judged in `trustsmith.verify`. Must not compare anything itself.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from trustsmith.desire import identity_of
from trustsmith.diff import diff
from trustsmith.errors import Differences, Interrupted, UsageError
from trustsmith.flows.look import look
from trustsmith.flows.session import Options, Session
from trustsmith.flows.trial import Trial
from trustsmith.model.config import CONFIG_PATH
from trustsmith.model.findings import Finding, worst
from trustsmith.model.observing import everywhere
from trustsmith.model.resource import LIVE_SIDES
from trustsmith.verify import live_findings

if TYPE_CHECKING:
    from trustsmith.configfile import Source
    from trustsmith.flows.look import Picture
    from trustsmith.model.config import Config, Environment
    from trustsmith.ui.console import Console


def verify(
    options: Options, console: Console, environment: str | None, *, run: bool, patience: float
) -> None:
    """Compare, perhaps run check-trust, and report. Raises Differences when anything is not as it should be.

    environment: only this one. patience: for a run, in seconds.
    """
    source = options.read_config()
    chosen = choose(source.config, environment)
    session = Session.of(options, console, source.config)
    with asyncio.Runner() as runner:
        try:
            _, findings = examine(
                runner, session, console, source, chosen, patience=patience if run else None
            )
        finally:
            runner.run(session.aclose())
    report(console, source.config, findings, proven=run)


def examine(
    runner: asyncio.Runner,
    session: Session,
    console: Console,
    source: Source,
    chosen: list[Environment],
    *,
    patience: float | None,
) -> tuple[Picture, list[Finding]]:
    """Compare, and have jobs try it for `patience` seconds at most; None for comparing alone. What was seen, and found."""
    picture = runner.run(look(session, source, {"entra", "azure"}))
    findings = _compared(source.config, chosen, picture)
    if patience is not None:
        trial = Trial(session, source.config, picture, that_deploy(chosen))
        findings += _run(runner, trial, source.config.repository, patience)
        console.document(trial.as_json())
    return picture, findings


def choose(config: Config, name: str | None) -> list[Environment]:
    """The environments to look at. Raises UsageError for one that the file does not have."""
    chosen = [one for one in everywhere(config) if name in (None, one.name)]
    if not chosen:
        known = ", ".join(one.name for one in everywhere(config))
        raise UsageError(f"{CONFIG_PATH} has no environment {name!r}.", hint=f"It has {known}.")
    return chosen


def that_deploy(chosen: list[Environment]) -> list[Environment]:
    """Those whose jobs a run tries; the observer's read, and there is nothing for it to prove. Raises UsageError."""
    found = [environment for environment in chosen if not environment.observes]
    if not found:
        raise UsageError(
            f"Jobs of {chosen[0].name} only look; a run has nothing to prove there.",
            hint="Compare it without --run, or name another environment with --env.",
        )
    return found


def _compared(config: Config, chosen: list[Environment], picture: Picture) -> list[Finding]:
    """GitHub's part is compared as far as it may be read, so the plan here is of all that was seen."""
    plan = diff(picture.live, picture.wanted, LIVE_SIDES)
    return [
        finding
        for environment in chosen
        for finding in live_findings(
            environment,
            identity_of(config, picture.facts, environment),
            picture.wanted,
            picture.live,
            plan,
        )
    ]


def _run(runner: asyncio.Runner, trial: Trial, repository: str, patience: float) -> list[Finding]:
    """Whoever interrupts it is told where the run is, which goes on."""
    try:
        return runner.run(trial.run(patience))
    except KeyboardInterrupt:
        if trial.started is None:
            raise
        hint = f"Look at it:\n  gh run view {trial.started.id} -R {repository}\n{trial.started.url}"
        raise Interrupted("Interrupted. The run was left alone and goes on.", hint=hint) from None


def report(console: Console, config: Config, findings: list[Finding], *, proven: bool) -> None:
    """Show the findings. Raises Differences unless all of them pass."""
    console.show_findings(f"verify: {config.repository}", findings)
    verdict = worst(findings)
    if verdict != "pass":
        what = "is as it should be" if verdict == "fail" else "could be told"
        raise Differences(f"Not everything {what}.", hint="Do what the findings above say after `Next:`.")
    if proven:
        tried = any(finding.check == "isolation" for finding in findings)
        rest = " and nothing else" if tried else "; no other environment's project was tried"
        console.note(f"Proven: jobs exchanged their tokens, and reached what they should{rest}.")
    else:
        console.note("This compared; real tokens prove it: trustsmith verify --run")
