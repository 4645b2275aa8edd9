"""The repository at GitHub: what a commit of it holds, and what its history tells. Reads only.

Gathers the texts from which `regenerate` says what becomes of an edited file, as `worktree` does in a checkout; must not
decide that itself, nor look at any checkout.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from trustsmith.clients import git
from trustsmith.errors import UsageError
from trustsmith.generated import digest, name_of
from trustsmith.model.resources import WorkflowFile
from trustsmith.model.state import State
from trustsmith.regenerate import bases_in, regenerate, wants_base
from trustsmith.systems import together
from trustsmith.systems.worktree import is_workflow

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Iterator, Mapping

    from trustsmith.clients.github import GitHub
    from trustsmith.model.facts import Facts
    from trustsmith.systems.worktree import Former

_PLAIN = {"100644", "100755"}
_FOLDER = ".github/workflows"
#: How many versions of a file its history is followed back, and in how many the configuration is rendered again.
_VERSIONS, _COMMITS = 50, 5


@dataclass(frozen=True)
class Published:
    """A commit of a repository. branch: that it is the last one of. tree: the id of all that is in it."""

    hub: GitHub
    full_name: str
    branch: str
    commit: str
    tree: str

    async def folder(self, folder: str) -> dict[str, dict[str, Any]]:
        """What is directly in a folder, by path."""
        found = await self.hub.commits.folder(self.full_name, self.tree, folder)
        return {str(PurePosixPath(folder) / name): entry for name, entry in found.items()}

    async def texts(self, paths: Iterable[str]) -> dict[str, str]:
        """The texts of those of these files that are there. Raises UsageError for what is no file, or no text."""
        wanted = sorted(set(paths))
        folders = sorted({str(PurePosixPath(path).parent) for path in wanted})
        listed = await together(*(self.folder(folder) for folder in folders))
        entries = {path: entry for found in listed for path, entry in found.items()}
        there = [path for path in wanted if path in entries]
        texts = await together(*(self._text(path, entries[path]) for path in there))
        return dict(zip(there, texts, strict=True))

    async def _text(self, path: str, entry: Mapping[str, Any]) -> str:
        if entry.get("mode") not in _PLAIN:
            raise UsageError(
                f"{path} is on {self.branch}, and is not a file.", hint="Move it out of the way."
            )
        data = await self.hub.commits.blob(self.full_name, str(entry["sha"]), path)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            raise UsageError(f"{path} on {self.branch} is no UTF-8 text.", hint="Save it as UTF-8.") from None

    async def versions(self, path: str, most: int = _VERSIONS) -> list[git.Version]:
        """The last versions of a file, as this commit's history has them, the oldest first."""
        commits = await self.hub.commits.changes_of(self.full_name, self.commit, path, most)
        texts = await together(*(self.text_at(path, commit) for commit in commits))
        found = [
            git.Version(commit, text) for commit, text in zip(commits, texts, strict=True) if text is not None
        ]
        return found[::-1]

    async def text_at(self, path: str, commit: str) -> str | None:
        """The text of a file in a commit; None where it was not there."""
        return await self.hub.actions.file(self.full_name, path, commit)


class PublishedReader:
    """Reads the workflow files that are wanted, and those that carry our header and name the configuration.

    config: the configuration's path in the repository. former: renders what it said once.
    """

    def __init__(self, published: Published, config: str, former: Former) -> None:
        self._published = published
        self._config, self._name = config, name_of(config)
        self._former = former

    async def read(self, wanted: State, facts: Facts, identities: Awaitable[State]) -> State:
        """The wanted files that are there, each with what becomes of it, and other files of ours."""
        del facts, identities
        files = {r.path: r for r in wanted.values() if isinstance(r, WorkflowFile)}
        texts, others = await together(self._published.texts(files), self._others(files))
        seen = await together(*(self._fated(files[path], text) for path, text in texts.items()))
        return State.of([*seen, *others])

    async def _fated(self, file: WorkflowFile, text: str) -> WorkflowFile:
        bases = await self._bases(file.path, text) if wants_base(file.text, text) else {}
        fate = await asyncio.to_thread(
            regenerate, file.text, text, bases=bases, merge=git.merge, sound=is_workflow, word=file.word
        )
        return WorkflowFile.of(file.path, text, fate)

    async def _bases(self, path: str, text: str) -> dict[str, str]:
        """What the file's versions hold and prove; else what the configuration asked for in their commits."""
        versions = await self._published.versions(path)
        bases = await asyncio.to_thread(bases_in, [version.text for version in versions], git.merge)
        base = WorkflowFile.of(path, text).base
        if base in bases:
            return bases
        commits = [version.commit for version in versions if base in version.text][:_COMMITS]
        return bases | {digest(body): body for body in self._rendered(await self._configs(commits), path)}

    async def _configs(self, commits: list[str]) -> list[str]:
        """What the configuration was in these commits, and is now."""
        at = [*commits, self._published.commit]
        found = await together(*(self._published.text_at(self._config, commit) for commit in at))
        return [text for text in dict.fromkeys(found) if text is not None]

    def _rendered(self, configs: Iterable[str], path: str) -> Iterator[str]:
        return (body for config in configs if (body := self._former(config).get(path)))

    async def _others(self, wanted: Mapping[str, WorkflowFile]) -> list[WorkflowFile]:
        """Files of this configuration that nobody asks for any more. What is no plain text is none of them."""
        entries = await self._published.folder(_FOLDER)
        names = [
            path
            for path, entry in entries.items()
            if path not in wanted and path.endswith((".yml", ".yaml")) and entry.get("mode") in _PLAIN
        ]
        hub, name = self._published.hub, self._published.full_name
        blobs = await together(*(hub.commits.blob(name, str(entries[path]["sha"]), path) for path in names))
        found = [
            WorkflowFile.of(path, data.decode("utf-8", "replace"))
            for path, data in zip(names, blobs, strict=True)
        ]
        return [file for file in found if file.base and file.config == self._name]
