"""`migrate --undo`: the workflows as they were before they were rewritten: as a diff, in the checkout, or as a pull request.

What they were is found in the history, and who could use a secret again is asked for: without every secret that the old
texts read nothing is restored. Must not decide what a rewriting was (`rewrite.undo` does).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trustsmith.clients import git
from trustsmith.errors import Refused, TrustsmithError
from trustsmith.flows.migrate import name_of_repository, named_repository, opened
from trustsmith.flows.pushing import Push, look_at_branch
from trustsmith.flows.rewriting import choices
from trustsmith.generated import unix
from trustsmith.migrate.inventory import is_readable, jobs_of
from trustsmith.migrate.scan import scan
from trustsmith.model.branch import RESTORED
from trustsmith.rewrite import rewrite
from trustsmith.rewrite.undo import UNCOMMITTED, is_keyless, latest, restore, turns
from trustsmith.rewrite.values import names_of
from trustsmith.systems import remote, sources, together
from trustsmith.systems.stores import StoreReader
from trustsmith.ui import report_undo
from trustsmith.ui.report import Line
from trustsmith.ui.report_undo import Undoing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trustsmith.flows.session import Options, Session
    from trustsmith.migrate.inventory import Seen
    from trustsmith.migrate.repository import Repository
    from trustsmith.migrate.scan import Use
    from trustsmith.migrate.trace import Origin
    from trustsmith.model.config import Config
    from trustsmith.model.workflow import Job, Workflow
    from trustsmith.rewrite.undo import Version
    from trustsmith.ui.console import Console

#: How many versions of a file are looked at: in a checkout, and at GitHub, where each is a question.
_VERSIONS, _ASKED = 200, 20
_AGAIN = "trustsmith migrate --undo"


@dataclass(frozen=True, kw_only=True)
class _There:
    """Where files are restored. texts: of files that may have been rewritten, whole.

    bases: what a rewriting made that is in no commit yet.
    """

    name: str
    repository: Repository
    texts: Mapping[str, str]
    histories: Mapping[str, Sequence[Version]]
    bases: Mapping[str, str]


def show(options: Options, console: Console, *, write: bool) -> None:
    """Show the diff, or write the files. Raises Refused when a file or a secret is not what it was."""
    source, session = opened(options, console)
    config = source.config if source else None
    console.step("Looking for what was rewritten")
    repository, _ = sources.read(options.root)
    with asyncio.Runner() as runner:
        try:
            there = _in_checkout(options, config, repository, name_of_repository(session, config) or "")
            undoing = runner.run(_undone(session, console, there))
        finally:
            runner.run(session.aclose())
    if write:
        sources.save(options.root, undoing.changed)
    lack = "" if undoing.changed else git.lack(options.root)
    notes = (f"not all commits are here: {lack}",) if lack else ()
    undoing = replace(undoing, written=write, notes=notes)
    console.document(report_undo.as_json(undoing))
    if write:
        console.data(report_undo.written(undoing))
    else:
        console.diff(report_undo.diff(undoing))
    console.aside(report_undo.lines(undoing))


def propose(options: Options, console: Console) -> None:
    """The same for the default branch at GitHub, as a pull request. Raises as `show`, and as `flows.pushing` does."""
    source, session = opened(options, console)
    with asyncio.Runner() as runner:
        try:
            undoing = runner.run(_propose(session, source.config if source else None, console))
        finally:
            runner.run(session.aclose())
    console.aside(report_undo.lines(undoing))


async def _propose(session: Session, config: Config | None, console: Console) -> Undoing:
    console.step("Looking for what was rewritten on the default branch")
    branch = await look_at_branch(session, named_repository(session, config))
    repository, _ = await remote.read(session.github, branch.full_name, branch.commit)
    texts = await branch.texts(w.file for w in repository.workflows if is_keyless(w.text))
    versions = await together(*(branch.versions(file, _ASKED) for file in texts))
    there = _There(
        name=branch.full_name,
        repository=repository,
        texts=texts,
        histories=dict(zip(texts, versions, strict=True)),
        bases={},
    )
    undoing = await _undone(session, console, there)
    if not undoing.changed and any(len(each) == _ASKED for each in versions):
        undoing = replace(undoing, notes=(f"only the last {_ASKED} versions of each file were looked at",))
    push = Push(session, branch, RESTORED)
    files = {each.file: each.after for each in undoing.changed}
    pushed = await push.carry_out(files, report_undo.body(undoing)) if files else await push.nothing()
    console.document(report_undo.as_json(undoing) | {"pull_request": pushed.as_json()})
    console.data([Line(pushed.said)])
    return undoing


# -- a checkout's history ----------------------------------------------------------------------------------------------


def _in_checkout(options: Options, config: Config | None, repository: Repository, name: str) -> _There:
    """The checkout's files with their versions; what is in no commit is the last of them."""
    texts = sources.whole(options.root, [w.file for w in repository.workflows if is_keyless(w.text)])
    committed = git.line(options.root, texts, _VERSIONS) if texts else {}
    changed = {
        file: text
        for file, text in texts.items()
        if committed[file] and unix(committed[file][-1].text) != unix(text)
    }
    last = {file: committed[file][-1].text for file in changed}
    histories = {
        file: [*versions, *([(UNCOMMITTED, changed[file])] if file in changed else [])]
        for file, versions in committed.items()
    }
    bases = _rewritten_anew(options, config, repository, last) if changed else {}
    return _There(name=name, repository=repository, texts=texts, histories=histories, bases=bases)


def _rewritten_anew(
    options: Options, config: Config | None, repository: Repository, last: Mapping[str, str]
) -> dict[str, str]:
    """What a rewriting makes of the files as they were committed, with the environments that jobs now have.

    What the work tree has besides is somebody's edit, and has to stay.
    """
    there = _with(repository, last)
    said = {
        f"{workflow.file}:{job.id}": job.environment.value
        for workflow in repository.workflows
        for job in workflow.jobs
        if job.environment is not None
    }
    done = rewrite(there, scan(there), choices(options, config, said))
    return dict(done.texts)


def _with(repository: Repository, texts: Mapping[str, str]) -> Repository:
    """The repository with other texts of these files."""
    workflows = (_parsed(texts.get(w.file, w.text), w.file) or w for w in repository.workflows)
    return sources.with_scripts(tuple(workflows), repository.scripts.get)


def _parsed(text: str, file: str) -> Workflow | None:
    workflow, problems = sources.parsed(text.removeprefix("\ufeff"), file)
    return None if problems else workflow


# -- what can be restored ----------------------------------------------------------------------------------------------


async def _undone(session: Session, console: Console, there: _There) -> Undoing:
    """The files as they were, if everything they take is there. Raises Refused."""
    found = turns(there.histories, _parsed)
    if not found:
        return Undoing()
    seen = await _stores(session, there.name)
    stored = {each.name for each in seen.stored or () if each.store == "actions"}
    restored = [
        restore(there.texts[file], listed, there.bases, _parsed, git.merge)
        for file, listed in sorted(latest(found, stored).items())
    ]
    changing = [each for each in restored if each.why or each.text != there.texts[each.file]]
    undoing = Undoing(restored=changing, texts=there.texts)
    if undoing.conflicts:
        console.document(report_undo.as_json(undoing))
        console.diff(report_undo.by_hand(undoing))
        raise Refused(
            "Not every file can be restored; nothing was written.\n"
            + "\n".join(f"  {each.file}: {each.why}" for each in undoing.conflicts),
            hint=f"Above is what would have to be done in it by hand. When nothing of it is left, run the same again:\n  {_AGAIN}",
        )
    again = _with(there.repository, {each.file: each.text for each in changing})
    uses = _back(there.repository, again)
    _check_secrets(again, uses, seen)
    return replace(undoing, secrets=tuple(sorted({name for use in uses for name in use.secrets})))


async def _stores(session: Session, name: str) -> Seen:
    """The secrets that there are. Raises Refused when that cannot be told."""
    try:
        if not name:
            reason = "the checkout has no git remote at GitHub"
        elif await session.github.repository(name) is None:
            reason = f"GitHub shows no repository {name} to this token"
        else:
            session.talk.step(f"Looking at the secrets of {name}")
            return await StoreReader(session.github, name).read(lambda _: False)
    except TrustsmithError as error:
        raise _unsure(error.message, error.hint) from error
    raise _unsure(reason, "Check the checkout's remote `origin`, and the token.")


def _unsure(why: str, hint: str) -> Refused:
    return Refused(
        "Whether the secrets are still there that the files read before they were rewritten could not be told; nothing was "
        f"restored: {why}",
        hint=hint or "Have somebody run it who may see the repository's secrets.",
    )


def _back(now: Repository, again: Repository) -> list[Use]:
    """The uses that would be there again."""
    there = Counter((use.file, use.pattern, use.secrets) for use in scan(now))
    found = []
    for use in scan(again):
        key = (use.file, use.pattern, use.secrets)
        if there[key]:
            there[key] -= 1
        else:
            found.append(use)
    return found


def _check_secrets(repository: Repository, uses: Sequence[Use], seen: Seen) -> None:
    """Raise Refused unless the jobs that would read a secret again can."""
    gone: dict[str, None] = {}
    unsure: dict[str, None] = {}
    for use in uses:
        for origin in (origin for origin in use.origins if not origin.alias):
            for job in _readers(use, origin):
                environments = _environments(repository, job)
                for name in origin.names:
                    readable = is_readable(name, job, environments, seen)
                    if readable is not True:
                        place = f"{name}, which {use.file}:{use.line} would read again"
                        (gone if readable is False else unsure)[place] = None
    if gone:
        listed = "\n".join(f"  {place}" for place in gone)
        raise Refused(
            f"Secrets are no longer where the jobs could read them; nothing was restored.\n{listed}",
            hint="Without them the old way in does not work. Go on with the new one:\n  trustsmith migrate --status",
        )
    if unsure:
        notes = "".join(f"\n  {note}" for note in seen.notes)
        raise _unsure("\n" + "\n".join(f"  {place}" for place in unsure) + notes, "")


def _readers(use: Use, origin: Origin) -> Iterator[Job | None]:
    """Who reads a secret there: of secrets that are all inherited, the job that they are inherited by."""
    spot = use.spot if origin.handed and origin.spot.node.value == "inherit" else origin.spot
    jobs: Sequence[Job | None] = jobs_of(spot) or [None]
    yield from jobs


def _environments(repository: Repository, job: Job | None) -> frozenset[str] | None:
    if job is None:
        return None
    if job.environment is None:
        return frozenset()
    return names_of(repository, job, job.environment.value)
