"""The checkout: generated workflow files, and what git knows of them.

Writes to a temporary file and renames it, so that nothing is half-written. Gathers the texts from which `regenerate`
says what becomes of an edited file; must not decide that itself.
"""

from __future__ import annotations

import asyncio
import os
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from trustsmith.clients import git
from trustsmith.configfile import save
from trustsmith.errors import Refused, UsageError
from trustsmith.generated import digest, name_of
from trustsmith.model.resources import WorkflowFile
from trustsmith.model.state import State
from trustsmith.regenerate import VERSIONS, Regenerated, bases_in, regenerate, wants_base

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence

    from trustsmith.model.facts import Facts
    from trustsmith.model.plan import Change
    from trustsmith.model.resource import Resource
    from trustsmith.systems import Minted

    #: A former text of the configuration → path → body of what it asks for, as far as it can be rendered today.
    Former = Callable[[str], Mapping[str, str]]

_FOLDER = ".github/workflows"
#: In how many commits the configuration is rendered again to find a base: rendering takes longer than reading.
_COMMITS = 5


class WorktreeReader:
    """Reads the workflow files that are wanted, and those that carry our header and name the configuration.

    config: the configuration's path, seen from `root`. former: renders what it said once.
    """

    def __init__(self, root: Path, config: str, former: Former) -> None:
        self._root = root
        self._real = os.path.join(os.path.realpath(root), "")  # noqa: PTH118 - a thousand files are looked at
        self._config, self._name = config, name_of(config)
        self._former = former

    async def read(self, wanted: State, facts: Facts, identities: Awaitable[State]) -> State:
        """The wanted files that are there, each with what becomes of it, and other files of ours."""
        del facts, identities
        return await asyncio.to_thread(self.look, wanted)  # git may take its time

    def look(self, wanted: State) -> State:
        """As `read`, for those who wait for nothing else."""
        files = {r.path: r for r in wanted.values() if isinstance(r, WorkflowFile)}
        there = {path: data for path in files if (data := self._data(path)) is not None}
        texts = {path: text for path, data in there.items() if (text := _text(data)) is not None}
        sought = [path for path, text in texts.items() if wants_base(files[path].text, text)]
        bases = self._bases({path: texts[path] for path in sought})
        seen = [self._fated(files[path], texts[path], bases.get(path)) for path in texts]
        odd = [_unreadable(files[path], data) for path, data in there.items() if path not in texts]
        return State.of([*seen, *odd, *self._others(files)])

    def _fated(self, file: WorkflowFile, text: str, bases: Mapping[str, str] | None) -> WorkflowFile:
        """A wanted file that is there. bases: None when none had to be looked for."""
        fate = regenerate(
            file.text, text, bases=bases or {}, merge=git.merge, sound=is_workflow, word=file.word
        )
        seen = WorkflowFile.of(file.path, text, fate)
        if bases is None or not fate.why or seen.base in bases or not (lack := git.lack(self._root)):
            return seen
        return replace(seen, fate=replace(fate, why=f"{fate.why}: {lack}"))

    def _bases(self, texts: Mapping[str, str]) -> dict[str, dict[str, str]]:
        """For each of these edited files, what is known of its earlier renderings."""
        versions = git.history(self._root, texts, VERSIONS) if texts else {}
        return {path: self._bases_of(path, text, versions[path]) for path, text in texts.items()}

    def _bases_of(self, path: str, text: str, versions: Sequence[git.Version]) -> dict[str, str]:
        """What the file's versions hold and prove; else what the configuration asked for in their commits."""
        bases = bases_in([version.text for version in versions], git.merge)
        base = WorkflowFile.of(path, text).base
        if base in bases:
            return bases
        commits = [version.commit for version in versions if base in version.text][:_COMMITS]
        return bases | {digest(body): body for body in self._rendered_in([*commits, "HEAD"], path)}

    def _rendered_in(self, commits: Sequence[str], path: str) -> Iterator[str]:
        configs = filter(None, git.texts_at(self._root, commits, self._config))
        return (body for config in dict.fromkeys(configs) if (body := self._former(config).get(path)))

    def _others(self, wanted: Mapping[str, WorkflowFile]) -> Iterator[WorkflowFile]:
        """Files of this configuration that nobody asks for any more. What cannot be read, or is elsewhere, is none of them."""
        for file in sorted(self._root.glob(f"{_FOLDER}/*.y*ml")):
            path = file.relative_to(self._root).as_posix()
            if path in wanted or not self._holds(file):
                continue
            try:
                text = file.read_bytes().decode() if file.is_file() else ""
            except (OSError, UnicodeDecodeError):
                continue
            found = WorkflowFile.of(path, text)
            if found.base and found.config == self._name and not self._is_one_of(wanted, file):
                yield found

    def _is_one_of(self, paths: Iterable[str], file: Path) -> bool:
        """Whether a file is one of these under another name: a link, or where case does not count."""
        places = (self._root / path for path in paths)
        return any(place.exists() and place.samefile(file) for place in places)

    def _holds(self, file: Path) -> bool:
        """Whether it is one of the checkout's files, and none of git's own, wherever links lead."""
        real = os.path.realpath(file)
        return real.startswith(self._real) and ".git" not in Path(real[len(self._real) :].lower()).parts

    def _place(self, path: str) -> Path:
        """A file's place. Raises UsageError when links lead out of the checkout."""
        file = self._root / PurePosixPath(path)
        if not self._holds(file):
            raise UsageError(
                f"{path} leads out of {self._root}, or to git's own files.",
                hint="Put a file in the place of the link.",
            )
        return file

    def _data(self, path: str) -> bytes | None:
        """What is in a file's place, None for nothing. Raises UsageError for what is no file or cannot be read."""
        file = self._place(path)
        try:
            if not file.exists():
                return None
            if file.is_file():
                return file.read_bytes()
        except OSError as error:
            raise UsageError(
                f"{path} cannot be read: {error.strerror}.", hint="Check the file's rights."
            ) from None
        raise UsageError(f"{path} is there, and is not a file.", hint="Move it out of the way.")


class WorktreeWriter(WorktreeReader):
    """Writes and removes generated files."""

    async def write(self, change: Change, facts: Facts) -> Minted:
        """Do one change. Raises Refused when the file is no longer the one that was looked at."""
        del facts
        file, before = change.resource, change.before
        if not isinstance(file, WorkflowFile):
            raise TypeError(change)
        path = self._place(file.path)
        data = self._data(file.path)
        seen = before.text if isinstance(before, WorkflowFile) else None
        if seen != (None if data is None else _shown(data)):
            raise Refused(
                f"{file.path} was changed while this ran; it was left as it is.", hint="Run the same again."
            )
        if change.verb == "delete":
            path.unlink(missing_ok=True)
        else:
            save(path, file.text)
        return {}


def is_workflow(text: str) -> bool:
    """Whether a YAML parser reads a workflow in the text: a mapping, no key of which is there twice, with jobs."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        document = YAML(typ="safe").load(text)
    except (YAMLError, RecursionError, ArithmeticError, ValueError, AssertionError, LookupError):
        return False
    return isinstance(document, dict) and isinstance(document.get("jobs"), dict)


def _unreadable(file: WorkflowFile, data: bytes) -> WorkflowFile:
    """A wanted file in whose place something is that is no text: nothing of it can be kept."""
    fate = Regenerated(outcome="conflict", text=file.text, why="it is no UTF-8 text")
    if file.word == "overwrite":
        fate = Regenerated(outcome="overwritten", text=file.text)
    return WorkflowFile.of(file.path, _shown(data), fate)


def _text(data: bytes) -> str | None:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _shown(data: bytes) -> str:
    """As `_text`, with a sign in the place of what is no text."""
    return data.decode("utf-8", "replace")


KINDS: tuple[type[Resource], ...] = (WorkflowFile,)
