"""`render --pr`: what would be rendered on the default branch, as one commit on a branch and one pull request.

Whose commits are on the branch `model.branch` says, and what becomes of edited files `regenerate`. Nothing in the checkout
is touched; must not push over a commit that somebody else made.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trustsmith import pinsfile
from trustsmith.errors import NotAllowed, UsageError
from trustsmith.flows.pushing import Push
from trustsmith.flows.remarks import stopped
from trustsmith.flows.rendering import Named, look_at, refuse
from trustsmith.flows.session import Options, Session
from trustsmith.flows.sources import changed
from trustsmith.model.pins import merged
from trustsmith.model.resources import WorkflowFile
from trustsmith.systems.published import Published, PublishedReader
from trustsmith.ui.report import Line
from trustsmith.ui.report_pull import body_of

if TYPE_CHECKING:
    from trustsmith.model.config import Config
    from trustsmith.model.pins import Pin
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
    published = await _published(session, config)
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
    push = Push(session, published)
    done = await push.carry_out(files, body) if files else await push.nothing()
    console.document({"pull_request": done.as_json()})
    console.data([Line(done.said)])


async def _published(session: Session, config: Config) -> Published:
    """The default branch as it is now, if this token can be used to change it by a pull request."""
    hub = session.github
    repository = await hub.repository(config.repository)
    if repository is None:
        raise UsageError(
            f"{session.endpoints.github_host} does not show {config.repository}.",
            hint="Check the name in the configuration, and that the token may see it.",
        )
    _check_rights(repository, hub.token_facts())
    name, branch = str(repository["full_name"]), str(repository["default_branch"])
    commit = await hub.commits.head(name, branch)
    if commit is None:
        raise UsageError(f"{name} has no branch {branch} yet.", hint="Push a first commit to it.")
    return Published(hub, name, branch, commit, await hub.commits.tree_of(name, commit))


def _check_rights(repository: dict[str, Any], token: dict[str, Any]) -> None:
    """Raise for what is known beforehand; a fine-grained token's rights show only when they are used."""
    name = repository["full_name"]
    if repository.get("archived"):
        raise UsageError(
            f"{name} is archived: nothing in it can be changed.", hint=f"gh repo unarchive {name}"
        )
    if (repository.get("permissions") or {}).get("push") is False:
        raise NotAllowed(
            f"The token's owner may not push to {name}.",
            service="github",
            hint="Ask for the role Write, or let somebody run it who has that.",
        )
    if token["scopes"] and "workflow" not in token["scopes"]:
        raise NotAllowed(
            "The token may not write workflow files: it lacks the scope `workflow`. Nothing was pushed.",
            service="github",
            hint="gh auth refresh --scopes workflow\nor give the token in GH_TOKEN that scope",
        )


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
