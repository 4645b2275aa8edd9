"""`setup`: find out, ask, write the file, plan, apply, render, and say what is next."""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from trustsmith import configfile
from trustsmith.clients import git
from trustsmith.errors import ServiceError, UsageError
from trustsmith.flows.change import Wish, carry_out, refuse
from trustsmith.flows.facts import together
from trustsmith.flows.look import look
from trustsmith.flows.session import Options, Session
from trustsmith.model.config import Config
from trustsmith.model.foundry import ProjectId
from trustsmith.render import workflows
from trustsmith.wizard import Answers, Found, decide, interview, reviewer

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from trustsmith.configfile import Source
    from trustsmith.ui.console import Console

_NOBODY = "00000000-0000-0000-0000-000000000000"


def answers_from(flags: Mapping[str, Any]) -> Answers:
    """The flags of `setup` as answers. Raises UsageError for what cannot be one."""
    return Answers(
        repository=flags["repo"],
        tenant=flags["tenant"],
        cloud=flags["cloud"],
        environments={n: tuple(map(_project, texts)) for n, texts in _pairs("env", flags["env"]).items()},
        reviewers={
            n: tuple(map(reviewer, texts)) for n, texts in _pairs("reviewer", flags["reviewer"]).items()
        },
        branches=_pairs("branch", flags["branch"]),
        tags=_pairs("tag", flags["tag"]),
        waits={n: _minutes(texts[-1]) for n, texts in _pairs("wait", flags["wait"]).items()},
        store=flags["store"],
        per=flags["per"],
    )


def _pairs(flag: str, texts: Collection[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not (name and equals and value):
            raise UsageError(f"--{flag} {text!r} is not ENV=VALUE.", hint=f"For example: --{flag} prod=…")
        found[name] = (*found.get(name, ()), value)
    return found


def _project(text: str) -> ProjectId:
    project = ProjectId.parse(text)
    if project is None:
        raise UsageError(
            f"{text!r} is not the ARM id of a Foundry project.",
            hint="It reads /subscriptions/…/resourceGroups/…/providers/Microsoft.CognitiveServices/accounts/…/projects/…\n"
            "List them with:\n  az resource list --resource-type Microsoft.CognitiveServices/accounts/projects --query '[].id'",
        )
    return project


def _minutes(text: str) -> int:
    if not text.isdecimal():
        raise UsageError(f"--wait {text!r} is not a number of minutes.", hint="For example: --wait prod=10")
    return int(text)


def setup(options: Options, console: Console, answers: Answers, allow: Collection[str], *, yes: bool) -> None:
    """The main job. Raises whatever explains why it is not all done."""
    path = options.config_path
    there = options.read_config() if path.exists() else None
    with asyncio.Runner() as runner:
        source, warnings = _configure(runner, options, console, answers, there)
        console.repository = source.config.repository
        for warning in warnings:
            console.warn(warning)
        session = Session(options, source, console)
        try:
            picture = runner.run(look(session, allow=allow))
            if picture.who:
                console.note(f"Signed in as {picture.who}.")
            if console.interactive or not picture.plan.blocked:
                _save(options, console, source, there)
            refuse_first = not console.interactive and picture.plan.blocked
            if refuse_first:
                console.show_plan(picture.plan)
                refuse(picture.plan)
            carry_out(runner, session, console, Wish(allow=allow, yes=yes), picture)
            _say_next(console, source.config, changed=bool(picture.plan.changes))
        finally:
            runner.run(session.aclose())


def _save(options: Options, console: Console, source: Source, there: Source | None) -> None:
    if there is None or there.text != source.text:
        configfile.save(options.config_path, source.text)
        console.note(f"Wrote {options.config_path}.")


def _configure(
    runner: asyncio.Runner, options: Options, console: Console, answers: Answers, there: Source | None
) -> tuple[Source, list[str]]:
    """The configuration in the form of its file, checked by the same reader, but not written yet."""
    start = there.config if there else None
    found = _Finder(options, console, answers, start)
    known = runner.run(found.find(ask=console.interactive and start is None))
    if console.interactive and start is None:
        answers = interview(console, known, answers)
    config, warnings = decide(answers, known, start)
    file = options.config_path.as_posix()
    text = configfile.update(there.text, config, file) if there else configfile.new(config)
    return configfile.load(text, file), warnings


class _Finder:
    """Finds out what need not be asked: the repository, its default branch, the tenant, the projects."""

    def __init__(self, options: Options, console: Console, answers: Answers, start: Config | None) -> None:
        self._options, self._console, self._answers, self._start = options, console, answers, start
        cloud = answers.cloud or (start.cloud if start else "AzureCloud")
        self._endpoints = options.choose_endpoints(cloud, start.github if start else "github.com")

    async def find(self, *, ask: bool) -> Found:
        """What is known before the first question. ask: look for projects to choose from, too."""
        repository = self._answers.repository or (self._start.repository if self._start else self._remote())
        self._warn_other_host()
        if self._start is not None and not self._answers.environments:
            return Found(repository=repository, tenant=self._start.tenant)
        session = Session(self._options, self._placeholder(repository), self._console)
        try:
            tenant, branch, projects = await together(
                self._tenant(session), self._branch(session, repository), self._projects(session, ask=ask)
            )
        finally:
            await session.aclose()
        return Found(repository=repository, tenant=tenant, default_branch=branch, projects=projects)

    def _remote(self) -> str:
        """The repository of the git remote, if it is on our GitHub."""
        remote = git.remote(self._options.root)
        return remote[1] if remote and remote[0] == self._host else ""

    @property
    def _host(self) -> str:
        return urlsplit(self._endpoints.web).netloc

    def _warn_other_host(self) -> None:
        remote = git.remote(self._options.root)
        if self._answers.repository and remote and remote[0] != self._host:
            self._console.warn(
                f"The checkout's git remote is on {remote[0]}, and the repository on {self._host}."
            )

    def _placeholder(self, repository: str) -> Source:
        """A session needs a configuration; this one only says which services to ask."""
        config = Config(repository=repository or "-/-", tenant=self._answers.tenant or "", environments=())
        if self._answers.cloud:
            config = replace(config, cloud=self._answers.cloud)
        return configfile.Source("", "", config)

    async def _tenant(self, session: Session) -> str:
        given = self._answers.tenant or (self._start.tenant if self._start else None)
        return given or os.environ.get("AZURE_TENANT_ID") or (await session.credentials.whoami())["tid"]

    async def _branch(self, session: Session, repository: str) -> str:
        """The default branch; `look` says what is wrong with a repository that cannot be seen."""
        answer = await session.github.repository(repository) if repository else None
        return str((answer or {}).get("default_branch") or "main")

    async def _projects(self, session: Session, *, ask: bool) -> tuple[ProjectId, ...]:
        if not ask or self._answers.environments:
            return ()
        self._console.step("Looking for Foundry projects")
        try:
            subscriptions = await session.arm.subscriptions()
            accounts = await together(*(session.arm.accounts(s["subscriptionId"]) for s in subscriptions))
            ids = [account["id"] for found in accounts for account in found]
            projects = await together(*(session.arm.projects(account) for account in ids))
        except ServiceError as error:
            self._console.warn(f"Foundry projects could not be listed: {error.message}")
            return ()
        parsed = [ProjectId.parse(str(project["id"])) for found in projects for project in found]
        return tuple(sorted(filter(None, parsed), key=lambda project: project.key))


def _say_next(console: Console, config: Config, *, changed: bool) -> None:
    """What is left to do: a set-up is proven only when a job has exchanged a token."""
    if not changed:
        console.note("Nothing to do: the set-up is as the file says.")
        return
    files = [workflow.path for workflow in workflows(config)]
    console.note(
        "\nConfigured, not yet proven: it is proven when a job has exchanged its token. Next:\n"
        f"  git add .github/trustsmith.yml {' '.join(files)}\n"
        "  git commit -m 'Deploy to Foundry without a secret' && git push\n"
        f"  gh workflow run {files[0].rsplit('/', 1)[-1]}\n"
        "Run `trustsmith setup` again when something changes."
    )
