"""`render --pr`: what would be rendered on the default branch, as one commit on a branch and one pull request.

Whose commits are on the branch `model.branch` says, and what becomes of edited files `regenerate`. Nothing in the checkout
is touched; must not push over a commit that somebody else made.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from trustsmith import pinsfile
from trustsmith.flows.pushing import Push, look_at_branch
from trustsmith.flows.remarks import stopped
from trustsmith.flows.rendering import Named, look_at, refuse
from trustsmith.flows.session import Options, Session
from trustsmith.flows.sources import changed
from trustsmith.model.branch import RENDERED
from trustsmith.model.pins import merged
from trustsmith.model.resources import WorkflowFile
from trustsmith.systems.published import PublishedReader
from trustsmith.ui.report import Line
from trustsmith.ui.report_pull import body_of

if TYPE_CHECKING:
    from trustsmith.model.config import Config
    from trustsmith.model.pins import Pin
    from trustsmith.systems.published import Published
    from trustsmith.ui.console import Console


def propose(options: Options, console: Console, named: Named) -> None:
    """Look, refuse conflicts, push, and open or update the pull request.

    Raises Refused for what would be lost, NotAllowed, Incomplete when the branch is pushed and no pull request was made.
    """
    config = options.read_config().config
    with asyncio.Runner() as runner:
        session = Session.of(options, console, config)
        try:
            runner.run(_propose(session, config, console, named))
        finally:
            runner.run(session.aclose())


async def _propose(session: Session, config: Config, console: Console, named: Named) -> None:
    console.step("Looking at the default branch")
    published = await look_at_branch(session, config.repository)
    theirs = await _pins_of(session.options, published)
    if not session.options.pins_path.exists():
        config = replace(config, pins=theirs)
    reader = PublishedReader(published, session.options.config_name, session.formerly)
    along = await changed(session, config, published)
    picture = await look_at(session, config, named, reader)
    refuse(console, picture.plan, config, "trustsmith render --pr")
    notes = [*picture.plan.notes, *await stopped(session, config, picture.plan)]
    if along:
        notes.append(f"Goes along, since the workflows are rendered from it: {', '.join(sorted(along))}")
    console.show_plan(replace(picture.plan, notes=tuple(notes)))
    changes = [change for change in picture.plan.changes if isinstance(change.resource, WorkflowFile)]
    files: dict[str, str | None] = {**along}
    for change in changes:
        files[change.key.name] = change.after.text if isinstance(change.after, WorkflowFile) else None
    body = body_of(changes, sorted(along), _moved(theirs, config.pins))
    push = Push(session, published, RENDERED)
    done = await push.carry_out(files, body) if files else await push.nothing()
    console.document({"pull_request": done.as_json()})
    console.data([Line(done.said)])


async def _pins_of(options: Options, published: Published) -> tuple[Pin, ...]:
    """The repository's own pins of actions, as the default branch has them."""
    try:
        path = options.pins_path.resolve().relative_to(options.root.resolve()).as_posix()
    except ValueError:
        return ()
    text = (await published.texts([path])).get(path)
    return pinsfile.load(text, f"{path} on {published.branch}") if text is not None else ()


def _moved(theirs: tuple[Pin, ...], ours: tuple[Pin, ...]) -> list[tuple[Pin | None, Pin]]:
    """Pins of the file that are others: as they are at GitHub, and here."""
    before = merged(theirs, ())
    return [(before.get(pin.action), pin) for pin in ours if before.get(pin.action) != pin]
