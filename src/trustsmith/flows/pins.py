"""`render --update-pins`: newer releases of the actions in use are shown, and taken with a yes.

Must not judge releases (`flows.releases` does), and writes nothing but the file of pins and what is rendered with it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from trustsmith import configfile, pinsfile
from trustsmith.errors import Differences
from trustsmith.flows.change import Wish, carry_out
from trustsmith.flows.releases import look_up
from trustsmith.flows.rendering import Named, look_at, refuse
from trustsmith.flows.session import Options, Session
from trustsmith.model.pins import Update, merged, named

if TYPE_CHECKING:
    from collections.abc import Collection

    from trustsmith.configfile import Source
    from trustsmith.flows.look import Picture
    from trustsmith.model.pins import Pin
    from trustsmith.ui.console import Console


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What the caller asked for. every: all actions in use; names: ACTION@VERSION, taken by name. files: as `render` takes them."""

    every: bool
    names: Collection[str] = ()
    files: Named = field(default_factory=Named)
    check: bool = False
    yes: bool = False


def update(options: Options, console: Console, asked: Asked) -> None:
    """Look, show, ask, write, render again. Raises Differences with `check`, Refused for edited files or without a yes."""
    wanted = named(asked.names)
    source = options.read_config()
    with asyncio.Runner() as runner:
        session = Session.of(options, console, source.config)
        try:
            updates = runner.run(look_up(session, source.config, wanted, every=asked.every))
            console.show_pins(updates)
            taken = [found.to for found in updates if found.to]
            if asked.check:
                _check(updates)
            elif taken:
                _take(runner, session, _with(source, taken), console, asked)
            else:
                console.note("Nothing to take: the pins stay as they are.")
        finally:
            runner.run(session.aclose())


def _check(updates: list[Update]) -> None:
    """Raise Differences when there is something to take, or it cannot be told."""
    if any(found.to for found in updates):
        hint = "Take them with:\n  trustsmith render --update-pins"
        raise Differences("There are newer releases of actions.", hint=hint)
    if not all(found.compared for found in updates):
        raise Differences("Not every action could be compared.")


def _with(source: Source, taken: list[Pin]) -> Source:
    pins = merged(source.config.pins, taken)
    return replace(source, config=replace(source.config, pins=tuple(pins.values())))


def _take(runner: asyncio.Runner, session: Session, source: Source, console: Console, asked: Asked) -> None:
    """Render with these pins; the file of pins is written when nothing and nobody speaks against it."""

    def take() -> Picture:
        picture = runner.run(look_at(session, source.config, asked.files))
        refuse(console, picture.plan, source.config)
        return picture

    def save() -> None:
        path = session.options.pins_path
        configfile.save(path, pinsfile.text_of(source.config.pins))
        console.note(f"Wrote {path}.")

    carry_out(runner, session, console, Wish({"files"}, yes=asked.yes), take, accepted=save)
