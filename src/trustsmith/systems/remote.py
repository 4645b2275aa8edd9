"""A repository's workflows, actions and the scripts that they run, as they are at GitHub; what `sources` is for a checkout.

Reads only, and only files that `migrate` looks at. What could not be seen is a problem by name, never silently less.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from trustsmith.errors import Conflict, NotFound, Problem
from trustsmith.migrate.calls import called
from trustsmith.systems import sources, together
from trustsmith.systems.sources import ACTION_FILES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trustsmith.clients.github import GitHub
    from trustsmith.migrate.repository import Repository
    from trustsmith.model.workflow import Workflow

Json = dict[str, Any]
Read = tuple[str | None, list[Problem]]
_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_LINK, _SUBMODULE = "120000", "commit"
_GITHUB = ".github"
_LINKED = "it is a link; look at a checkout"
_INSIDE = "it is in a submodule, which is another repository"
_PARTS = (
    "GitHub does not list all files of this repository, since they are too many. Workflows and all else below .github "
    "were seen, and the actions and scripts that they name; actions elsewhere that nothing names were not."
)
_NOT_EVEN = (
    "GitHub does not list all files below .github, since they are too many: workflows may be missing here."
)
#: The code of an error that says that there is nothing to read.
EMPTY = "empty"
#: How many branches are read beside the default branch.
MOST_BRANCHES = 50


@dataclass(frozen=True, kw_only=True)
class Branch:
    """A branch as it was read. commit: its last one."""

    name: str
    commit: str
    repository: Repository
    problems: tuple[Problem, ...]


async def read(hub: GitHub, full_name: str, ref: str = "") -> tuple[Repository, list[Problem]]:
    """What there is at a branch's end, or in a commit (its full id), and what of it could not be read.

    ref: "" is the default branch. Raises NotFound for a repository or branch that is not there, or a repository
    without any commit, and what GitHub's methods raise.
    """
    commit = ref if _COMMIT.fullmatch(ref) else await head(hub, full_name, ref)
    return await _Reader(hub, full_name).read(commit)


async def head(hub: GitHub, full_name: str, branch: str = "") -> str:
    """The commit that a branch ends in. Raises as `read` does; NotFound has the code EMPTY where nothing is there yet."""
    if not branch:
        repository = await hub.repository(full_name)
        if repository is None:
            raise _missing(
                f"GitHub does not show {full_name} to this token.", "Check its name and the token."
            )
        branch = str(repository["default_branch"])
    try:
        commit = await hub.commits.head(full_name, branch)
    except Conflict:  # GitHub's word for a repository without anything in it
        raise _missing(f"{full_name} has no commit yet.", "Push a first one.", EMPTY) from None
    if commit is None:
        raise _missing(f"{full_name} has no branch {branch}.", "Push to it, or name another one.", EMPTY)
    return commit


def _missing(message: str, hint: str, code: str = "") -> NotFound:
    return NotFound(message, service="github", operation="read a repository", code=code, hint=hint)


async def branches(
    hub: GitHub, full_name: str, without: str, most: int = MOST_BRANCHES
) -> tuple[list[Branch], list[str]]:
    """The branches other than `without`, protected ones first, and the names of those that were too many to be read.

    Files that branches share are read once.
    """
    listed = [each for each in await hub.commits.branches(full_name) if each["name"] != without]
    listed.sort(key=lambda each: not each.get("protected"))
    reader = _Reader(hub, full_name)
    commits = {str(each["name"]): str(each["commit"]["sha"]) for each in listed[:most]}
    distinct = list(dict.fromkeys(commits.values()))
    found = dict(zip(distinct, await together(*map(reader.read, distinct)), strict=True))
    seen = [
        Branch(name=name, commit=commit, repository=found[commit][0], problems=tuple(found[commit][1]))
        for name, commit in commits.items()
    ]
    return seen, [str(each["name"]) for each in listed[most:]]


class _Reader:
    """Reads commits of one repository; what it has read of a file it keeps, by the id of its content."""

    def __init__(self, hub: GitHub, full_name: str) -> None:
        self._commits = hub.commits
        self._name = full_name
        self._blobs: dict[str, asyncio.Task[bytes]] = {}

    async def read(self, commit: str) -> tuple[Repository, list[Problem]]:
        """As `read` above."""
        tree = _Tree(self._commits, self._name, commit)
        problems = await tree.look()
        paths = [path for path in tree.entries if sources.is_source(path)]
        workflows = await self._workflows(tree, paths, problems)
        workflows += await self._named_actions(tree, workflows, problems)
        repository = await self._with_scripts(tree, tuple(workflows), problems)
        return repository, sorted(set(problems))

    async def _workflows(self, tree: _Tree, paths: Iterable[str], problems: list[Problem]) -> list[Workflow]:
        found = []
        for path, (text, unread) in (await self._texts(tree, paths)).items():
            workflow, wrong = sources.parsed(text, path)
            problems += [*unread, *wrong]
            found += [workflow] if workflow else []
        return found

    async def _named_actions(
        self, tree: _Tree, workflows: list[Workflow], problems: list[Problem]
    ) -> list[Workflow]:
        """The actions that steps name and that were not listed, and those that these name: there, or in a submodule."""
        found: list[Workflow] = []
        asked = {workflow.folder for workflow in workflows}
        latest = workflows
        while folders := {step.local for w in latest for step in w.steps if step.local} - asked:
            asked |= folders
            paths = [f"{folder}/{name}" for folder in folders for name in ACTION_FILES]
            latest = await self._workflows(tree, filter(sources.is_source, paths), problems)
            found += latest
        return found

    async def _with_scripts(
        self, tree: _Tree, workflows: tuple[Workflow, ...], problems: list[Problem]
    ) -> Repository:
        """As `sources.with_scripts`, which asks for one text after the other, in rounds."""
        texts: dict[str, str | None] = {}
        for _ in range(sources.DEPTH):
            wanted = called(sources.with_scripts(workflows, texts.get)).keys() - texts.keys()
            found = await self._texts(tree, wanted)
            texts |= dict.fromkeys(wanted) | {path: text for path, (text, _) in found.items()}
            problems += [problem for _, unread in found.values() for problem in unread]
        return sources.with_scripts(workflows, texts.get)

    async def _texts(self, tree: _Tree, paths: Iterable[str]) -> dict[str, Read]:
        """Those of these files that are there, by path."""
        wanted = sorted(paths)
        entries = await together(*map(tree.entry, wanted))
        there = {path: entry for path, entry in zip(wanted, entries, strict=True) if entry is not None}
        texts = await together(*(self._text(path, entry) for path, entry in there.items()))
        return dict(zip(there, texts, strict=True))

    async def _text(self, path: str, entry: Json) -> Read:
        if entry["type"] == _SUBMODULE:
            return sources.not_read(path, _INSIDE)
        if entry["mode"] == _LINK:
            return sources.not_read(path, _LINKED)
        if entry.get("size", 0) > sources.LARGEST:
            return sources.not_read(path, sources.TOO_LARGE)
        return sources.decoded(await self._blob(str(entry["sha"]), path), path)

    async def _blob(self, sha: str, path: str) -> bytes:
        if sha not in self._blobs:
            self._blobs[sha] = asyncio.ensure_future(self._commits.blob(self._name, sha, path))
        return await self._blobs[sha]


class _Tree:
    """What is in a commit. entries: by path; whole: whether that is all, else the rest is asked for by folder."""

    def __init__(self, commits: Any, full_name: str, commit: str) -> None:
        self._commits = commits
        self._name = full_name
        self._commit = commit
        self.entries: dict[str, Json] = {}
        self.whole = True

    async def look(self) -> list[Problem]:
        """List it."""
        self.entries, self.whole = await self._commits.all_below(self._name, self._commit)
        if self.whole:
            return []
        top, said = await self._commits.folder(self._name, self._commit, ""), _PARTS
        if _GITHUB in top:
            below, all_of_it = await self._commits.all_below(self._name, top[_GITHUB]["sha"])
            self.entries |= {f"{_GITHUB}/{path}": entry for path, entry in below.items()}
            said = _PARTS if all_of_it else _NOT_EVEN
        return [Problem(_GITHUB, 0, 0, said, "Look at all of it in a checkout:\n  trustsmith migrate --scan")]

    async def entry(self, path: str) -> Json | None:
        """The file at a path, or the submodule or the link that it would be in; None where there is none."""
        if path in self.entries:
            found = self.entries[path]
            return found if found["type"] == "blob" else None
        for folder in PurePosixPath(path).parents:
            known = self.entries.get(str(folder))
            if known is not None and known["type"] != "tree":
                return known
        if self.whole:
            return None
        place = PurePosixPath(path)
        found = (await self._commits.folder(self._name, self._commit, str(place.parent))).get(place.name)
        return found if found is not None and found["type"] == "blob" else None
