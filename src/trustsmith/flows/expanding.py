"""`migrate --expand`: the new way in beside the old one. Finds out, writes the configuration, plans, applies.

Nothing is removed and nothing is overwritten, and no new id hides one that the workflows read as they are. Must not edit
workflows.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from functools import partial
from shlex import quote
from typing import TYPE_CHECKING
from uuid import UUID

from trustsmith import configfile
from trustsmith.errors import NotFound, Refused, UsageError, closest
from trustsmith.flows.change import Wish, carry_out
from trustsmith.flows.look import Picture, look
from trustsmith.flows.migrate import look_at_stores, named_repository, opened
from trustsmith.flows.rewriting import jobs_said
from trustsmith.flows.setup import Finder, pairs, save_config
from trustsmith.migrate.expansion import gentle, shadows
from trustsmith.migrate.repository import Repository
from trustsmith.migrate.scan import of_entra, scan
from trustsmith.model.config import (
    CHECK_TRUST,
    Config,
    Environment,
    Protection,
    Workflow,
    default_path,
    one_by_one,
)
from trustsmith.rewrite.placing import from_branches, needed, placing
from trustsmith.systems import remote, sources
from trustsmith.ui import report_expand
from trustsmith.wizard import Answers, Found, ask_project, decide, project_id

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from trustsmith.configfile import Source
    from trustsmith.flows.session import Options
    from trustsmith.migrate.expansion import Shadow
    from trustsmith.migrate.inventory import Seen
    from trustsmith.migrate.scan import Use
    from trustsmith.rewrite.placing import Placed
    from trustsmith.ui.console import Console
    from trustsmith.wizard import Store


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The flags. environments: JOB=ENV. projects: ENV=PROJECT_ID. application: client id of the one to go on with.

    new: the environments get applications of their own instead.
    """

    environments: Sequence[str] = ()
    projects: Sequence[str] = ()
    application: str | None = None
    new: bool = False


@dataclass(frozen=True, kw_only=True)
class _Scene:
    """What was found before anything is decided. there: the environments at GitHub.

    repository: the checkout's workflows. running: these and those of the default branch, which run meanwhile, so that what
    they read must not be hidden.
    """

    finder: Finder
    console: Console
    repository: Repository
    running: Repository
    placed: Sequence[Placed]
    seen: Seen
    there: frozenset[str]
    found: Found


def expand(options: Options, console: Console, asked: Asked, allow: Collection[str], *, yes: bool) -> None:
    """Bring the new way in into being. Raises what explains why it is not all done."""
    repository, problems = sources.read(options.root)
    for problem in problems:
        console.warn(f"This was not looked at: {problem}")
    uses = of_entra(scan(repository))
    there, session = opened(options, console)
    if not uses and there is None:
        console.note("Nothing to expand: no workflow of this checkout signs in to Azure with a secret.")
        return
    answers = Answers(
        environments={
            n: tuple(map(project_id, texts)) for n, texts in pairs("project", asked.projects).items()
        }
    )
    said = jobs_said(asked.environments, repository)
    with asyncio.Runner() as runner:
        try:
            finder = Finder(session, answers, there.config if there else None)
            scene = runner.run(_find(finder, console, repository, uses, said))
            console.aside(report_expand.jobs(scene.placed))
            decided = runner.run(_stored(scene, _configured(scene, asked), there, allow))
            _carry_out(runner, scene, decided, Wish(allow=allow, yes=yes))
        finally:
            runner.run(session.aclose())


async def _find(
    finder: Finder, console: Console, repository: Repository, uses: list[Use], said: dict[str, str]
) -> _Scene:
    """Where the jobs run, and what GitHub and Entra have. Raises UsageError for a repository that nobody knows."""
    found = await finder.find(ask=console.interactive)
    name = named_repository(finder.session, finder.start)
    seen = await look_at_stores(finder.session, finder.start, uses)
    there = {str(each["name"]) for each in await finder.session.github.environments(name)}
    running = await _running(finder, name, repository)
    known = [each.name for each in finder.start.environments] if finder.start else []
    placed = placing(repository, uses, said, [*known, *sorted(there)])
    return _Scene(
        finder=finder,
        console=console,
        repository=repository,
        running=running,
        placed=placed,
        seen=seen,
        there=frozenset(there),
        found=found,
    )


async def _running(finder: Finder, name: str, checkout: Repository) -> Repository:
    """The checkout's workflows with those of the default branch, if anything was pushed yet."""
    try:
        there, problems = await remote.read(finder.session.github, name)
    except NotFound as error:
        if error.code != remote.EMPTY:
            raise
        return checkout
    for problem in problems:
        finder.session.talk.warn(f"This was not looked at on the default branch: {problem}")
    return Repository(workflows=(*checkout.workflows, *there.workflows))


# -- the configuration -------------------------------------------------------------------------------------------------


def _configured(scene: _Scene, asked: Asked) -> Config:
    """The configuration: the file's, with the environments of the jobs that it does not have. Raises UsageError."""
    start, answers, console = scene.finder.start, scene.finder.answers, scene.console
    old = [each.name for each in start.environments] if start else []
    wanted = needed(scene.repository, scene.placed)
    _check_projects(answers, [*old, *wanted])
    lacking = [name for name in wanted if name not in {*old, *answers.environments}]
    if lacking and console.interactive:
        chosen = {name: (ask_project(console, name, scene.found.projects),) for name in lacking}
        answers = replace(answers, environments={**answers.environments, **chosen})
    elif lacking:
        raise UsageError(
            f"It is not known which Foundry project the jobs of {', '.join(lacking)} deploy to.",
            hint="Add (az resource list --resource-type Microsoft.CognitiveServices/accounts/projects lists the ids):\n"
            + "\n".join(f"  --project {quote(f'{name}=PROJECT_ID')}" for name in lacking),
        )
    if not old and not answers.environments:
        raise UsageError(
            "No job that signs in with a secret names an environment, and a credential trusts one.",
            hint="Say which the jobs are to run in, and its project:\n" + _proposed(scene),
        )
    ordered = {name: answers.environments[name] for name in wanted if name in answers.environments}
    config, _ = decide(replace(answers, environments={**ordered, **answers.environments}), scene.found, start)
    fresh = [each.name for each in config.environments if each.name not in old]
    application = _application(scene.seen, asked) if fresh else None
    environments = tuple(
        _fresh(each, scene, application) if each.name in fresh else each for each in config.environments
    )
    config = replace(config, environments=environments)
    return config if start else replace(config, workflows=(_check_trust(environments),))


def _check_projects(answers: Answers, known: Collection[str]) -> None:
    """Raise UsageError for the project of an environment in which no job runs."""
    for name in answers.environments:
        if name not in known:
            raise UsageError(
                f"--project names {name!r}, and no job that uses a secret runs in an environment of that name.",
                hint=f"{closest(name, known)}The jobs run in: {', '.join(known) or 'none'}. A job that has no environment "
                f"takes one with:\n  --environment {quote(f'JOB={name}')}",
            )


def _proposed(scene: _Scene) -> str:
    jobs = " ".join(dict.fromkeys(f"--environment {quote(f'{each.job.id}=ENV')}" for each in scene.placed))
    return f"  trustsmith migrate --expand {jobs} --project ENV=PROJECT_ID"


def _check_trust(environments: Sequence[Environment]) -> Workflow:
    stages = one_by_one(each.name for each in environments)
    return Workflow(name=CHECK_TRUST, template=CHECK_TRUST, path=default_path(CHECK_TRUST), stages=stages)


def _fresh(environment: Environment, scene: _Scene, application: str | None) -> Environment:
    """One that the file did not have. GitHub's keeps its rules; a new one is for branches, where all its jobs are."""
    rules = environment.protection
    if environment.name in scene.there or not from_branches(scene.placed, environment.name):
        rules = Protection()
    return replace(environment, client_id=application, protection=rules)


def _application(seen: Seen, asked: Asked) -> str | None:
    """The client id of the application that the secrets belong to; None for new ones. Raises UsageError."""
    if asked.new:
        return None
    if asked.application:
        try:
            return str(UUID(asked.application))
        except ValueError:
            raise UsageError(
                f"--application {asked.application!r} is not a client id (a GUID).",
                hint="az ad app list --display-name NAME --query '[].appId' -o tsv",
            ) from None
    there = [each for each in seen.identities if each.name] or list(seen.identities)
    if len(there) == 1:
        return there[0].client_id
    known = "\n".join(f"  --application {each.client_id}  # {' '.join(each.name.split())}" for each in there)
    what = (
        "Several applications are used" if there else "Which application the secrets belong to is not known"
    )
    raise UsageError(
        f"{what}: say which is to trust the environments' jobs, or have new ones made.",
        hint=f"Add one of:\n{known or '  --application CLIENT_ID'}\n  --new-applications",
    )


# -- where the ids go, and the plan ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Decided:
    """A configuration, as its file says it, and its plan. hidden: what another place for the ids would have hidden."""

    source: Source
    picture: Picture
    hidden: Sequence[Shadow] = ()


async def _stored(scene: _Scene, config: Config, there: Source | None, allow: Collection[str]) -> _Decided:
    """The configuration with ids where they hide and overwrite nothing, as variables if they can; and its plan.

    With a file, its word counts; what would be hidden or overwritten is a hazard of the plan then.
    """
    stores: tuple[Store, ...] = (config.store,) if there else ("variables", "secrets")
    found: list[_Decided] = []
    for store in stores:
        source = _source(scene.finder, replace(config, store=store), there)
        picture = await look(scene.finder.session, source, to_write=True)
        hidden = shadows(picture.plan, scene.running, scene.seen)
        if not gentle(picture.plan, hidden, allow).blocked:
            return _Decided(source, picture, found[0].hidden if found else ())
        found.append(_Decided(source, picture, hidden))
    return replace(found[0], hidden=())


def _source(finder: Finder, config: Config, there: Source | None) -> Source:
    """It in the form of its file, checked by the same reader, but not written yet."""
    text = configfile.update(there.text, config, finder.file) if there else configfile.new(config)
    source = configfile.load(text, finder.file if there else f"{finder.file} (not written yet)")
    return finder.options.pinned(source)


def _carry_out(runner: asyncio.Runner, scene: _Scene, decided: _Decided, wish: Wish) -> None:
    """Show, refuse or ask, apply; then say what is next."""
    session, console, source = scene.finder.session, scene.console, decided.source
    console.repository = source.config.repository
    taken = [decided.picture]
    words = [word for word in wish.allow if not word.startswith("shadow=")]

    def take() -> Picture:
        """As it was just seen; after somebody was asked, as it is then."""
        seen = taken.pop() if taken else runner.run(look(session, source, allow=words, to_write=True))
        hidden = shadows(seen.plan, scene.running, scene.seen)
        return replace(seen, plan=gentle(seen.plan, hidden, wish.allow))

    prefix = decided.picture.facts.repository.template.prefix
    path = session.options.config_path
    writes = not path.exists() or path.read_bytes() != source.text.encode()
    expansion = report_expand.Expansion(
        scene.placed, source.config, prefix, decided.hidden, session.options.config_name, writes
    )
    console.document(report_expand.as_json(expansion))
    console.aside(report_expand.lines(expansion))
    save = partial(save_config, session.options, console, source)
    carry_out(runner, session, console, wish, take, agree=lambda: _agreed(console), accepted=save)
    console.note(report_expand.next_steps(expansion))


def _agreed(console: Console) -> bool:
    if not console.agree("Apply this plan?"):
        raise Refused(
            "Nothing was applied, and no file was written.", hint="Run the same again when it is right."
        )
    return True
