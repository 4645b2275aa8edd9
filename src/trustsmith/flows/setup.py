"""`setup`: find out, ask, write the file, plan, apply, render, and say what is next."""

from __future__ import annotations

import asyncio
import os
from functools import partial
from shlex import quote
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from trustsmith import configfile
from trustsmith.clients import git
from trustsmith.doctor.observer import how_to_give, lacking
from trustsmith.errors import ServiceError, UsageError
from trustsmith.flows.change import Wish, carry_out
from trustsmith.flows.look import Picture, look
from trustsmith.flows.session import Options, Session
from trustsmith.flows.subjects import OFFER
from trustsmith.model.config import CLOUDS, Config
from trustsmith.model.foundry import ProjectId
from trustsmith.model.resources import GraphPermission, WorkflowFile
from trustsmith.systems import together
from trustsmith.wizard import Answers, Found, decide, interview, project_id, reviewer, unbranched

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from trustsmith.configfile import Source
    from trustsmith.ui.console import Console


def answers_from(flags: Mapping[str, Any]) -> Answers:
    """The flags of `setup` as answers. Raises UsageError for what cannot be one."""
    return Answers(
        repository=flags["repo"],
        tenant=flags["tenant"],
        cloud=flags["cloud"],
        environments={n: tuple(map(project_id, texts)) for n, texts in pairs("env", flags["env"]).items()},
        reviewers={
            n: tuple(map(reviewer, texts)) for n, texts in pairs("reviewer", flags["reviewer"]).items()
        },
        branches=pairs("branch", flags["branch"]),
        tags=pairs("tag", flags["tag"]),
        waits={n: _minutes(texts[-1]) for n, texts in pairs("wait", flags["wait"]).items()},
        store=flags["store"],
        per=flags["per"],
    )


def pairs(flag: str, texts: Collection[str]) -> dict[str, tuple[str, ...]]:
    """ENV=VALUE, given several times, by environment. Raises UsageError."""
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise UsageError(f"--{flag} {text!r} is not ENV=VALUE.", hint=f"For example: --{flag} prod=…")
        found[name] = (*found.get(name, ()), value)
    return found


def _minutes(text: str) -> int:
    if not text.isdecimal():
        raise UsageError(f"--wait {text!r} is not a number of minutes.", hint="For example: --wait prod=10")
    return int(text)


def setup(options: Options, console: Console, answers: Answers, allow: Collection[str], *, yes: bool) -> None:
    """The main job. Raises whatever explains why it is not all done."""
    there = options.read_any_config()
    start = there.config if there else None
    session = _session(options, console, answers, start)
    with asyncio.Runner() as runner:
        try:
            source, warnings = _configure(runner, Finder(session, answers, start), console, there)
            console.repository = source.config.repository
            for warning in warnings:
                console.warn(warning)
            save = partial(save_config, options, console, source)
            if console.interactive:
                save()  # nobody wants to answer the same questions twice

            def take() -> Picture:
                return runner.run(look(session, source, allow=allow, to_write=True))

            picture = carry_out(runner, session, console, Wish(allow=allow, yes=yes), take, accepted=save)
            _say_next(options, console, source.config, picture)
            _say_of_observer(console, source.config, picture)
        finally:
            runner.run(session.aclose())


def _session(options: Options, console: Console, answers: Answers, start: Config | None) -> Session:
    """One session for finding out and for doing, so that nobody signs in twice."""
    return Session(
        options,
        console,
        cloud=answers.cloud or (start.cloud if start else CLOUDS[0]),
        github=start.github if start else "github.com",
        tenant=answers.tenant or (start.tenant if start else None),
        config=start,
    )


def save_config(options: Options, console: Console, source: Source) -> None:
    """Write the configuration, unless the file says the same already."""
    path = options.config_path
    if not path.exists() or path.read_bytes() != source.text.encode():
        configfile.save(path, source.text)
        console.note(f"Wrote {path}.")


def _configure(
    runner: asyncio.Runner, finder: Finder, console: Console, there: Source | None
) -> tuple[Source, list[str]]:
    """The configuration in the form of its file, checked by the same reader, but not written yet."""
    answers, start = finder.answers, finder.start
    ask = console.interactive and start is None
    known = runner.run(finder.find(ask=ask))
    if ask:
        answers = interview(console, known, answers)
    config, warnings = decide(answers, known, start)
    file = finder.file
    text = configfile.update(there.text, config, file) if there else configfile.new(config)
    source = configfile.load(text, file if there else f"{file} (not written yet)")
    return finder.options.pinned(source), warnings


class Finder:
    """Finds out what need not be asked: the repository, its default branch, the tenant, the projects."""

    def __init__(self, session: Session, answers: Answers, start: Config | None) -> None:
        self.session = session
        self.answers = answers
        self.start = start
        self.options = session.options
        self.file = self.options.config_path.as_posix()
        self._remote = git.remote(self.options.root)

    async def find(self, *, ask: bool) -> Found:
        """What is known before the first question; services are asked only for what the flags leave open.

        ask: somebody will be asked, so look for projects to choose from, too.
        """
        repository = self._repository()
        self.session.prefetch({"entra", "azure", "github"})
        tenant, branch, projects = await together(
            self._tenant(), self._branch(repository, ask=ask), self._projects(ask=ask)
        )
        return Found(repository=repository, tenant=tenant, default_branch=branch, projects=projects)

    def _repository(self) -> str:
        """What was named, else that of the git remote, if it is on our GitHub."""
        host = urlsplit(self.session.endpoints.web).netloc
        named = self.answers.repository or (self.start.repository if self.start else "")
        if named and self._remote and self._remote[0] != host:
            self.session.talk.warn(
                f"The checkout's git remote is on {self._remote[0]}, and the repository on {host}."
            )
        if named:
            return named
        return self._remote[1] if self._remote and self._remote[0] == host else ""

    async def _tenant(self) -> str:
        known = self.session.tenant or os.environ.get("AZURE_TENANT_ID")
        return known or (await self.session.credentials.whoami())["tid"]

    async def _branch(self, repository: str, *, ask: bool) -> str:
        """The default branch, where production needs one; `look` says what is wrong with a repository nobody sees."""
        if not repository or not (ask or unbranched(self.answers, self.start)):
            return "main"
        answer = await self.session.github.repository(repository)
        return str((answer or {}).get("default_branch") or "main")

    async def _projects(self, *, ask: bool) -> tuple[ProjectId, ...]:
        if not ask or self.answers.environments:
            return ()
        session = self.session
        session.talk.step("Looking for Foundry projects")
        try:
            subscriptions = await session.arm.subscriptions()
            accounts = await together(*(session.arm.accounts(s["subscriptionId"]) for s in subscriptions))
            ids = [account["id"] for found in accounts for account in found]
            projects = await together(*(session.arm.projects(account) for account in ids))
        except ServiceError as error:
            session.talk.warn(f"Foundry projects could not be listed: {error.message}")
            return ()
        parsed = [ProjectId.parse(str(project["id"])) for found in projects for project in found]
        return tuple(sorted(filter(None, parsed), key=lambda project: project.key))


def _say_next(options: Options, console: Console, config: Config, picture: Picture) -> None:
    """What is left to do: a set-up is proven only when a job has exchanged a token."""
    plan = picture.plan
    if not plan.changes:
        console.note("Nothing to do: the set-up is as the file says.")
        return
    if not any(isinstance(change.after, WorkflowFile) for change in plan.changes):
        console.note("\nThe set-up is again as the file says.")
        return
    files = [workflow.path for workflow in config.workflows]
    console.note(
        "\nConfigured, not yet proven: it is proven when a job has exchanged its token. Next:\n"
        f"  git add {quote(options.config_name)} {' '.join(files)}\n"
        "  git commit -m 'Deploy to Foundry without a secret'\n"
        "  git push\n"
        "  trustsmith verify --run\n"
        f"A push to a branch that deploys starts the workflow; by hand: gh workflow run {files[0].rsplit('/', 1)[-1]}\n"
        "Run `trustsmith setup` again when something changes."
    )
    if not picture.facts.repository.template.immutable:
        console.note(f"\n{OFFER}")


def _say_of_observer(console: Console, config: Config, picture: Picture) -> None:
    """What others have to do before the observer can look: an administrator's consent, and something to read GitHub with."""
    for entry in picture.plan.waiting:
        if entry.key.kind == GraphPermission.kind:
            console.note(f"\nThe observer cannot read Entra yet: {entry.reason}")
    if config.observer and (names := lacking(config.observer, picture.live)):
        told = how_to_give(config, config.observer, names)
        console.note(f"\nThe observer has nothing to read GitHub with yet. {told}")
