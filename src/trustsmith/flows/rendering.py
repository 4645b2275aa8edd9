"""`render`: the workflow files, without a network."""

from __future__ import annotations

import asyncio
import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trustsmith.errors import Differences, Refused, UsageError, closest
from trustsmith.flows.change import Wish, carry_out
from trustsmith.flows.look import Picture, look_at_files
from trustsmith.flows.remarks import old_pins
from trustsmith.flows.session import Options, Session, rendered
from trustsmith.model.resources import WorkflowFile
from trustsmith.ui.report import Line, broken_lines, summary
from trustsmith.ui.report_files import differences

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping
    from pathlib import Path

    from trustsmith.model.config import Config
    from trustsmith.model.plan import Plan
    from trustsmith.regenerate import Word
    from trustsmith.systems import Reader
    from trustsmith.ui.console import Console


@dataclass(frozen=True)
class Named:
    """Files that somebody named. adopt, overwrite: by their workflow's name or by path. remove: by path."""

    adopt: Collection[str] = ()
    overwrite: Collection[str] = ()
    remove: Collection[str] = ()


def write(options: Options, console: Console, out: Path | None, named: Named, *, check: bool) -> None:
    """Write the files under the checkout, or under `out`.

    Raises UsageError for a name that there is not, Refused for a conflict, Differences with `check`.
    """
    if out and named.remove:
        raise UsageError(
            "--remove is for files of the checkout, and --out writes elsewhere.", hint="Use one."
        )
    source = options.read_config()
    config = source.config
    session = Session.of(replace(options, out=out), console, config)
    with asyncio.Runner() as runner:
        picture = runner.run(look_at(session, config, named))
        picture = picture if out is None else replace(picture, plan=_kept(picture.plan))
        if check:
            _report(console, picture, config)
            return
        refuse(console, picture.plan, config)
        carry_out(runner, session, console, Wish({"files"}, yes=True), lambda: picture)


async def look_at(session: Session, config: Config, named: Named, reader: Reader | None = None) -> Picture:
    """What is there, and what becomes of it. Raises UsageError for a name that there is not.

    reader: of the files; None for the checkout's.
    """
    words = _words(config, named)
    files = rendered(config, session.endpoints, session.options)
    files = [replace(file, word=words.get(file.path)) for file in files]
    allow = {f"{word}={path}" for path, word in words.items()} | {f"remove={path}" for path in named.remove}
    picture = await look_at_files(session, config, files, allow, reader)
    _check_stale(picture, named.remove)
    notes = (*_idle(picture, words), *old_pins(config))
    return replace(picture, plan=replace(picture.plan, notes=notes))


def _words(config: Config, named: Named) -> dict[str, Word]:
    """Path → what is said about what others wrote into it. Raises UsageError for a name that there is not."""
    adopted, overwritten = _paths(config, named.adopt), _paths(config, named.overwrite)
    if both := adopted & overwritten:
        raise UsageError(f"--adopt keeps the text of {min(both)}, and --overwrite loses it.", hint="Use one.")
    words: dict[str, Word] = dict.fromkeys(adopted, "adopt")
    return words | dict.fromkeys(overwritten, "overwrite")


def _paths(config: Config, names: Collection[str]) -> set[str]:
    workflows = config.workflows
    paths = {workflow.path: workflow.path for workflow in workflows}
    paths |= {workflow.name: workflow.path for workflow in workflows}
    for name in names:
        if name not in paths:
            known = ", ".join(workflow.name for workflow in workflows)
            raise UsageError(
                f"There is no workflow {name!r}.",
                hint=f"{closest(name, paths)}The configuration has {known}.",
            )
    return {paths[name] for name in names}


def _check_stale(picture: Picture, names: Collection[str]) -> None:
    """Raise UsageError for a name of something else than a file that is ours and no longer asked for."""
    stale = [key.name for key in picture.live if key not in picture.wanted]
    for name in names:
        if name not in stale:
            known = f"These are: {', '.join(stale)}." if stale else "There is none."
            raise UsageError(
                f"{name!r} is no file of trustsmith that the configuration no longer asks for.",
                hint=closest(name, stale) + known,
            )


def _idle(picture: Picture, words: Mapping[str, Word]) -> Iterator[str]:
    """What was said and has no effect."""
    files = {r.path: r.fate for r in picture.live.values() if isinstance(r, WorkflowFile)}
    for path, word in words.items():
        fate = files.get(path)
        if fate is None or fate.outcome not in {"adopted", "overwritten", "conflict"}:
            lost = "it was not in conflict" if word == "adopt" else "nobody wrote anything into it"
            yield f"--{word} changes nothing about {path}: {lost}."


def _kept(plan: Plan) -> Plan:
    """A plan that removes nothing: another folder's files are not ours to remove."""
    kept = tuple(change for change in plan.changes if change.verb != "delete")
    return replace(plan, changes=kept, strays=())


def _report(console: Console, picture: Picture, config: Config) -> None:
    """Show what differs. Raises Differences when anything does."""
    plan = picture.plan
    console.show_files(plan, differences((*plan.changes, *plan.strays)))
    console.advise(broken_lines(plan))
    for note in plan.notes:
        console.note(note)
    if plan.clean:
        console.data([Line(_all_well(picture))])
        return
    console.data([Line(summary(plan), "bold")])
    message = "The workflow files are not what would be rendered."
    if not plan.changes and not plan.strays:
        message = "Edited workflow files break rules of generated ones."
    raise Differences(message, hint=_next(plan, config))


def refuse(console: Console, plan: Plan, config: Config, command: str = "trustsmith render") -> None:
    """Show every conflict, and raise Refused when there is one; `command` is what takes a word about it."""
    blocked = {hazard.id for hazard in plan.blocked}
    conflicts = [change for change in plan.changes if f"overwrite={change.key.name}" in blocked]
    if conflicts:
        console.show_files(plan, differences(conflicts))
        reasons = "\n".join(f"  {change.key.name}: {change.why}" for change in conflicts)
        message = f"What others wrote would be lost; no file was changed.\n{reasons}"
        raise Refused(message, hint=_next(plan, config, command))


def _next(plan: Plan, config: Config, command: str = "trustsmith render") -> str:
    """What to type about conflicts, else about differences; and about what stays."""
    names = {f"overwrite={workflow.path}": shlex.quote(workflow.name) for workflow in config.workflows}
    conflicts = [names[hazard.id] for hazard in plan.blocked]
    said = []
    if conflicts:
        said += [
            "Put what you want of the difference into the file and keep that, or lose what others wrote:"
        ]
        said += [f"  {command} --{word} {name}" for name in conflicts for word in ("adopt", "overwrite")]
    elif plan.changes:
        said += ["Write them with:", "  trustsmith render"]
    if plan.strays:
        said += ["Remove what nobody asks for any more, whoever wrote into it:"]
        said += [f"  trustsmith render --remove {shlex.quote(stray.key.name)}" for stray in plan.strays]
    if plan.broken:
        said += ["Mend the edits that are named above, then look again:", "  trustsmith render --check"]
    return "\n".join(said)


def _all_well(picture: Picture) -> str:
    files = [r for key, r in picture.live.items() if key in picture.wanted]
    edited = [file.key.name for file in files if not file.owned]
    besides = f"; edited, and up to date: {', '.join(edited)}" if edited else ""
    return f"Nothing to do: {len(files)} workflow file{'s are' if len(files) != 1 else ' is'} as wanted{besides}."
