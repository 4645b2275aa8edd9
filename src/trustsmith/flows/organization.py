"""`migrate --scan --org`: looks at all repositories of an organization or a person, and shows them by risk.

Changes nothing, needs no checkout, and asks GitHub alone. A repository that cannot be read is named, and the others go on.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, TypeVar

from trustsmith.errors import Differences, NotSignedIn, ServiceError
from trustsmith.flows.migrate import left, opened
from trustsmith.migrate import names
from trustsmith.migrate.inventory import Seen
from trustsmith.migrate.listing import listing
from trustsmith.migrate.overview import Looked, Overview
from trustsmith.migrate.risk import reasons
from trustsmith.migrate.scan import scan
from trustsmith.systems import owners, remote, together
from trustsmith.systems.stores import StoreReader
from trustsmith.ui import report_organization

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from trustsmith.errors import Problem
    from trustsmith.flows.session import Options, Session
    from trustsmith.migrate.inventory import Stored
    from trustsmith.migrate.repository import Repository
    from trustsmith.migrate.risk import About
    from trustsmith.migrate.scan import Use
    from trustsmith.ui.console import Console

T = TypeVar("T")
#: Repositories that are read at a time; the client has as many connections.
_AT_A_TIME = 16
#: Codes of errors that end by themselves, and how often to wait for that; an hour each.
_LIMITS, _HOURS = {"rate_limit", "secondary_limit"}, 24


def show(options: Options, console: Console, owner: str) -> None:
    """Show the repositories by risk. Raises Differences when one has a use, or could not be read."""
    _, session = opened(options, console)
    with asyncio.Runner() as runner:
        try:
            found = runner.run(Look(session).overview(owner))
        finally:
            runner.run(session.aclose())
    console.document(found.as_json())
    console.data(report_organization.lines(found, full=console.talkative))
    _judge(found)


def _judge(found: Overview) -> None:
    using = [each for each in found.ordered if each.uses]
    if using:
        first = using[0].about.full_name
        raise Differences(
            f"Long-lived Azure credentials are in use in {len(using)} of {len(found.looked)} repositories.",
            hint=f"Begin with the first:\n  gh repo clone {first}\n  trustsmith migrate --scan -C {first.partition('/')[2]}",
        )
    if not found.clean:
        raise Differences(
            "Not everything could be read.", hint="See what is named above, then run the same again."
        )


class Look:
    """One look at all of them: first the files, then where the secrets are that these use.

    There may be more of them than GitHub answers requests in an hour: then it waits for the next hour and goes on.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._hub = session.github
        self._hub.be_patient()
        self._slots = asyncio.Semaphore(_AT_A_TIME)
        self._done = 0

    async def overview(self, owner: str) -> Overview:
        """Everything."""
        self._session.talk.step(f"Looking for the repositories of {owner}")
        name, kind, listed, notes = await owners.repositories(self._hub, owner)
        files = await together(*(self._files(about, len(listed)) for about in listed))
        reads = [found for found in files if isinstance(found, _Read)]
        stored: tuple[Stored, ...] | None = ()
        if kind == "organization":
            self._session.talk.step(f"Looking at the secrets of {name}")
            used = {secret for read in reads for secret in read.secrets}
            stored, more = await _until_answered(
                lambda: owners.secrets(
                    self._hub, name, lambda secret: secret in used or bool(names.of_secret(secret))
                )
            )
            notes += more
        looked = await together(*(self._looked(read, stored) for read in reads))
        unread = [found for found in files if isinstance(found, Looked)]
        return Overview(owner=name, kind=kind, looked=(*looked, *unread), secrets=stored, notes=tuple(notes))

    async def _files(self, about: About, of: int) -> _Read | Looked:
        """What a repository has of workflows, actions and scripts; why not, where it could not be read."""
        async with self._slots:
            try:
                found = await _until_answered(lambda: remote.read(self._hub, about.full_name, about.branch))
                return _Read(about, *found)
            except NotSignedIn:
                raise
            except ServiceError as error:
                return Looked(about=about, why=error.message, empty=error.code == remote.EMPTY)
            finally:
                self._done += 1
                self._session.talk.step(f"Reading repositories: {self._done} of {of}")

    async def _looked(self, read: _Read, stored: tuple[Stored, ...] | None) -> Looked:
        """The repository with its reasons. Where the secrets are is asked only of one that uses some."""
        async with self._slots:
            seen = await self._seen(read, stored) if read.uses else Seen()
        today = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
        found = listing(
            read.repository,
            read.uses,
            seen=seen,
            problems=read.problems,
            today=today,
            left=left(read.repository, read.uses),
        )
        return Looked(about=read.about, listing=found, reasons=reasons(read.about, found, today))

    async def _seen(self, read: _Read, stored: tuple[Stored, ...] | None) -> Seen:
        """Where its secrets live; the organization's, if those are known, as far as it uses them."""
        used = None if stored is None else [each for each in stored if each.name in read.secrets]
        shared = None if used is None else owners.for_repository(used, read.about)
        try:
            name = read.about.full_name
            return await _until_answered(lambda: StoreReader(self._hub, name).places(shared))
        except NotSignedIn:
            raise
        except ServiceError as error:
            return Seen(notes=(f"where the secrets live could not be told: {error.message}",))


async def _until_answered(ask: Callable[[], Awaitable[T]]) -> T:
    """What is asked, anew after each of GitHub's limits: the client lets nothing through before that ends."""
    for _ in range(_HOURS):
        try:
            return await ask()
        except ServiceError as error:
            if error.code not in _LIMITS:
                raise
    return await ask()


class _Read:
    """A repository whose files were read."""

    def __init__(self, about: About, repository: Repository, problems: list[Problem]) -> None:
        self.about = about
        self.repository = repository
        self.problems = problems
        self.uses: list[Use] = scan(repository)
        self.secrets = {secret for use in self.uses for secret in use.secrets}
