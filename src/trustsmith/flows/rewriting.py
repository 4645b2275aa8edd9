"""`migrate --rewrite`: the workflows without secrets: a diff of the checkout's, or in it, or GitHub's as a pull request.

For the checkout's nobody is contacted, and for a pull request the checkout's workflows are not looked at. A rewriting is
read again before it is shown: every file has to parse, and the scan has to find in it what was left and nothing else. Must
not decide what is rewritten, nor write a part of it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from shlex import quote
from typing import TYPE_CHECKING

from trustsmith.clients.endpoints import AUDIENCE, login_environment
from trustsmith.errors import Differences, Refused, UsageError, closest
from trustsmith.flows.migrate import named_repository, opened
from trustsmith.flows.pushing import Push, look_at_branch
from trustsmith.migrate.scan import scan
from trustsmith.model.branch import REWRITTEN
from trustsmith.model.config import CLOUDS
from trustsmith.model.pins import merged
from trustsmith.model.workflow import Workflow
from trustsmith.render import packaged_pins
from trustsmith.rewrite import Choices, rewrite
from trustsmith.systems import remote, sources
from trustsmith.ui import report_rewrite
from trustsmith.ui.report import Line
from trustsmith.ui.report_rewrite import Rewriting
from trustsmith.workflowfile import read as parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trustsmith.flows.session import Options, Session
    from trustsmith.migrate.repository import Repository
    from trustsmith.migrate.scan import Use
    from trustsmith.model.config import Config
    from trustsmith.rewrite import Rewritten
    from trustsmith.ui.console import Console


def show(options: Options, console: Console, environments: Sequence[str], *, write: bool) -> None:
    """Show the diff, or write the files. environments: as they were typed, JOB=ENV.

    Raises UsageError for an environment of no job, Refused for a rewriting that is not what it should be, and Differences
    when a use is left, or a file could not be read.
    """
    console.step("Looking for credentials")
    repository, problems = sources.read(options.root)
    source = options.read_any_config()
    config = source.config if source else None
    said = jobs_said(environments, repository)
    _check_environments(said, config)
    uses, done = _without_secrets(repository, choices(options, config, said))
    changed = sources.changed(sources.whole(options.root, done.texts), repository, done.texts)
    if write:
        sources.save(options.root, changed)
    rewriting = Rewriting(
        done=done,
        changed=changed,
        uses=uses,
        files=len(repository.workflows),
        known=known(config),
        problems=tuple(problems),
        written=write,
    )
    console.document(report_rewrite.as_json(rewriting))
    if write:
        console.data(report_rewrite.written(rewriting))
    else:
        console.diff(report_rewrite.diff(rewriting))
    console.aside(report_rewrite.lines(rewriting))
    _judge(rewriting, environments)


def propose(options: Options, console: Console, environments: Sequence[str]) -> None:
    """Rewrite what is on the default branch at GitHub, and open or update the pull request.

    Raises as `show`, and as `flows.pushing` does.
    """
    source, session = opened(options, console)
    with asyncio.Runner() as runner:
        try:
            rewriting = runner.run(
                _propose(session, source.config if source else None, console, environments)
            )
        finally:
            runner.run(session.aclose())
    console.aside(report_rewrite.lines(rewriting))
    _judge(rewriting, environments)


async def _propose(
    session: Session, config: Config | None, console: Console, environments: Sequence[str]
) -> Rewriting:
    console.step("Looking for credentials on the default branch")
    branch = await look_at_branch(session, named_repository(session, config))
    repository, problems = await remote.read(session.github, branch.full_name, branch.commit)
    said = jobs_said(environments, repository)
    _check_environments(said, config)
    uses, done = _without_secrets(repository, choices(session.options, config, said))
    rewriting = Rewriting(
        done=done,
        changed=sources.changed(await branch.texts(done.texts), repository, done.texts),
        uses=uses,
        files=len(repository.workflows),
        known=known(config),
        problems=tuple(problems),
    )
    push = Push(session, branch, REWRITTEN)
    files = {each.file: each.after for each in rewriting.changed}
    pushed = await push.carry_out(files, report_rewrite.body(rewriting)) if files else await push.nothing()
    console.document(report_rewrite.as_json(rewriting) | {"pull_request": pushed.as_json()})
    console.data([Line(pushed.said)])
    return rewriting


def _without_secrets(repository: Repository, chosen: Choices) -> tuple[list[Use], Rewritten]:
    """The uses that there are, and the rewriting, read again. Raises Refused."""
    uses = scan(repository)
    done = rewrite(repository, uses, chosen)
    check(repository, uses, done)
    return uses, done


def known(config: Config | None) -> tuple[str, ...] | None:
    """The environments of the configuration; None without one."""
    return None if config is None else tuple(environment.name for environment in config.environments)


def _check_environments(said: Mapping[str, str], config: Config | None) -> None:
    """Raise UsageError for one that the configuration does not have: GitHub would make it, without any rules."""
    there = known(config)
    for job, environment in said.items():
        if there is not None and environment not in there:
            raise UsageError(
                f"--environment {job}={environment}: the configuration has no environment {environment!r}.",
                hint=f"{closest(environment, there)}It has: {', '.join(there)}. To have another one set up first:\n"
                f"  trustsmith migrate --expand --project {quote(f'{environment}=PROJECT_ID')}",
            )


def jobs_said(words: Sequence[str], repository: Repository) -> dict[str, str]:
    """What was said of jobs. Raises UsageError."""
    names = {job.id for workflow in repository.workflows for job in workflow.jobs if job.id}
    said = {}
    for word in words:
        job, _, environment = (part.strip() for part in word.partition("="))
        if not job or not environment:
            raise UsageError(
                f"--environment {word!r} names no job, or no environment.",
                hint="Write --environment JOB=ENV, or FILE:JOB=ENV where several files have a job of that name.",
            )
        file, _, name = job.rpartition(":")
        there = {job.id for workflow in repository.workflows for job in workflow.jobs if _is(workflow, file)}
        if name != "*" and name not in (there if file else names):
            known = ", ".join(sorted(names)) or "none"
            raise UsageError(
                f"There is no job {job!r}.",
                hint=f"{closest(name, names)}The workflows have the jobs: {known}.",
            )
        said[job] = environment
    return said


def _is(workflow: Workflow, file: str) -> bool:
    return file in {workflow.file, workflow.file.rsplit("/", 1)[-1]}


def choices(options: Options, config: Config | None, said: Mapping[str, str]) -> Choices:
    """What a rewriting takes from the configuration and from what was said of jobs."""
    cloud = config.cloud if config else CLOUDS[0]
    endpoints = options.choose_endpoints(cloud, config.github if config else "github.com", config)
    also = {"environment": login_environment(cloud)} if cloud != CLOUDS[0] else {}
    if endpoints.audience != AUDIENCE:
        also["audience"] = endpoints.audience
    return Choices(
        pin=merged(packaged_pins(), config.pins if config else ())["azure/login"],
        audience=endpoints.audience,
        also=also,
        environments=said,
        known=tuple(environment.name for environment in config.environments) if config else (),
        store="secrets" if config and config.store == "secrets" else "vars",
        applications={e.name: e.client_id or "" for e in config.environments} if config else {},
    )


def check(repository: Repository, uses: Sequence[Use], done: Rewritten) -> None:
    """Read what was rewritten as if it were new. Raises Refused when it is not what it should be."""
    workflows = []
    for workflow in repository.workflows:
        root = workflow.root
        if (text := done.texts.get(workflow.file)) is not None:
            tree, problems = parse(text, workflow.file)
            if tree is None or problems:
                raise _broken(workflow.file, str(problems[0]) if problems else "it is empty")
            root = tree
        workflows.append(
            Workflow(file=workflow.file, text=done.texts.get(workflow.file, workflow.text), root=root)
        )
    again = scan(
        sources.with_scripts(tuple(workflows), repository.scripts.get),
        {secret for use in uses for secret in use.secrets},
    )
    wanted, found = (Counter((use.file, use.secrets) for use in each) for each in (done.left, again))
    for file, secrets in [*(found - wanted), *(wanted - found)]:
        raise _broken(
            file, f"the uses of {', '.join(secrets) or 'a credential'} are not those that were to be left"
        )


def _broken(file: str, why: str) -> Refused:
    return Refused(
        f"The rewriting of {file} is not what it should be: {why}. Nothing was written.",
        hint="This is a mistake of trustsmith's: please report it, with that file.",
    )


def _judge(rewriting: Rewriting, said: Sequence[str]) -> None:
    if unplaced := dict.fromkeys(f"{job.id}=ENV" for job in rewriting.done.unplaced):
        jobs = " ".join(f"--environment {quote(word)}" for word in (*said, *unplaced))
        raise Differences(
            "It was not said in which environment some jobs are to run.",
            hint=f"Put the environment's name in the place of ENV:\n  trustsmith migrate --rewrite {jobs}",
        )
    if rewriting.done.left:
        raise Differences(
            "Not every use can be rewritten.", hint="Change what is left by hand; what to do is said above."
        )
    if rewriting.problems:
        raise Differences(
            "Not every file could be read.", hint="Mend what is named above, then run the same again."
        )
