"""The checkout's workflows, actions and the scripts that they run, as texts; and a rewriting of them, written whole.

Reads and writes only inside the checkout.
"""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from trustsmith import configfile
from trustsmith.errors import Problem, Refused
from trustsmith.migrate.calls import called
from trustsmith.migrate.repository import Repository
from trustsmith.model.workflow import WORKFLOWS, Workflow
from trustsmith.regenerate import unified
from trustsmith.workflowfile import read as parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

ACTION_FILES = {"action.yml", "action.yaml"}
#: Folders that hold nobody's own actions.
_FOREIGN = {".git", "node_modules", ".venv", "venv", "vendor", "__pycache__", ".terraform", ".tox"}
LARGEST, TOO_LARGE = 1024 * 1024, "it is larger than a megabyte"
#: Scripts that scripts call are followed so deep.
DEPTH = 2


class Changed(NamedTuple):
    """A file that becomes another; both texts are whole, with the byte order mark if there is one."""

    file: str
    before: str
    after: str

    @property
    def diff(self) -> str:
        """The change as `git apply` takes it."""
        return unified(self.file, self.before, self.after, exact=True)


def read(root: Path) -> tuple[Repository, list[Problem]]:
    """Everything, and what could not be read, by file and line."""
    problems: list[Problem] = []
    workflows: list[Workflow] = []
    for path in _files(root):
        file = path.relative_to(root).as_posix()
        text, found = _text(path, file)
        workflow, wrong = parsed(text, file)
        problems += [*found, *wrong]
        workflows += [workflow] if workflow else []

    def script(path: str) -> str | None:
        return _text(root / path, path)[0] if (root / path).is_file() else None

    return with_scripts(tuple(workflows), script), sorted(problems)


def _files(root: Path) -> Iterator[Path]:
    """Workflows, wherever they are below their folder, and actions, wherever they are."""
    for folder, names, files in os.walk(root):
        names[:] = sorted(name for name in names if name not in _FOREIGN)
        for path in sorted(Path(folder, name) for name in files):
            if is_source(path.relative_to(root).as_posix()):
                yield path


def is_source(path: str) -> bool:
    """Whether a path from the checkout is one of a workflow or an action, and in no folder of somebody else's."""
    place = PurePosixPath(path)
    if _FOREIGN.intersection(place.parts[:-1]):
        return False
    is_workflow = place.is_relative_to(WORKFLOWS) and place.name.endswith((".yml", ".yaml"))
    return is_workflow or place.name in ACTION_FILES


def parsed(text: str | None, file: str) -> tuple[Workflow | None, list[Problem]]:
    """A file's text as a workflow or an action; None for one that is neither, or that could not be read."""
    if text is None:
        return None, []
    tree, problems = parse(text, file)
    is_map = tree is not None and tree.kind == "map"
    return (Workflow(file=file, text=text, root=tree) if tree and is_map else None), problems


def decoded(data: bytes, file: str) -> tuple[str | None, list[Problem]]:
    """What is in a file as text, without its byte order mark; None for what is no text."""
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        message = f"This is not UTF-8 text (byte {error.start})."
        return None, [Problem(file, 0, 0, message, "Save the file again with the encoding UTF-8.")]


def not_read(file: str, why: str) -> tuple[None, list[Problem]]:
    """What there is of a file that is not to be read. why: ends a sentence."""
    return None, [Problem(file, 0, 0, f"This was not read: {why}.")]


def with_scripts(workflows: tuple[Workflow, ...], text_of: Callable[[str], str | None]) -> Repository:
    """A repository with the scripts that its steps run, and those that these run. text_of: None where there is none."""
    repository = Repository(workflows=workflows)
    for _ in range(DEPTH):
        found = {path: text for path in called(repository) if (text := text_of(path)) is not None}
        repository = Repository(workflows=workflows, scripts=found)
    return repository


def _text(path: Path, file: str) -> tuple[str | None, list[Problem]]:
    """A file's text as it is, without its byte order mark; None when it is not to be read."""
    inside = Path(os.path.realpath(path)).is_relative_to(os.path.realpath(path.parents[file.count("/")]))
    try:
        if not inside or path.stat().st_size > LARGEST:
            return not_read(file, TOO_LARGE if inside else "it is a link that leads out of the checkout")
        return decoded(path.read_bytes(), file)
    except OSError as error:
        return None, [
            Problem(file, 0, 0, f"This cannot be read: {error.strerror}.", "Check the file's rights.")
        ]


def whole(root: Path, files: Iterable[str]) -> dict[str, str]:
    """These files of a checkout, byte order marks and all."""
    return {file: (root / file).read_bytes().decode("utf-8", "replace") for file in files}


def changed(there: Mapping[str, str], repository: Repository, texts: Mapping[str, str]) -> list[Changed]:
    """What becomes of these files of a repository that was read. there: the files as they are now, whole.

    Raises Refused when one is no longer as it was read.
    """
    read = {workflow.file: workflow.text for workflow in repository.workflows}
    found = []
    for file, after in sorted(texts.items()):
        before = there[file]
        mark = "\ufeff" if before.startswith("\ufeff") else ""
        if before != mark + read[file]:
            raise _moved(file)
        found.append(Changed(file, before, mark + after))
    return found


def save(root: Path, files: Iterable[Changed]) -> None:
    """Write them, if all are still as they were. Raises Refused, or UsageError when one cannot be written."""
    by_place: dict[str, Changed] = {}
    for each in files:
        known = by_place.setdefault(os.path.realpath(root / each.file), each)
        if known.after != each.after or (root / each.file).read_bytes() != each.before.encode():
            raise _moved(each.file)
    for place, each in by_place.items():
        configfile.save(Path(place), each.after)


def _moved(file: str) -> Refused:
    return Refused(f"{file} was changed while this ran; nothing was written.", hint="Run the same again.")
