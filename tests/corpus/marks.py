"""Texts of the corpus with marks: `«pattern SECRET»` stands right before a credential that the scan has to find.

A mark is taken out before the text is read, and says by its place which line and column are expected. Of several secrets
the names stand one after another; of none, nothing does.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from trustsmith.migrate.scan import scan
from trustsmith.model.workflow import Workflow
from trustsmith.systems.sources import with_scripts
from trustsmith.workflowfile import read

if TYPE_CHECKING:
    from trustsmith.migrate.repository import Repository

_MARK = re.compile(r"«([a-z-]+)((?: \w+)*)»")


class Found(NamedTuple):
    """A use: where it is, what it is, and of which secrets."""

    file: str
    line: int
    column: int
    pattern: str
    secrets: tuple[str, ...]


def plain(marked: str) -> str:
    """The text as a user would have it."""
    return _MARK.sub("", marked)


def expected(file: str, marked: str) -> list[Found]:
    """What its marks say."""
    found = []
    for mark in _MARK.finditer(marked):
        before = plain(marked[: mark.start()])
        line = len(re.findall(r"\r\n|\r|\n", before)) + 1
        column = (
            len(before)
            - max(before.rfind("\n"), before.rfind("\r"))
            - before.startswith("\ufeff") * (line == 1)
        )
        found.append(Found(file, line, column, mark[1], tuple(mark[2].split())))
    return found


@dataclass(frozen=True)
class Case:
    """A repository of the corpus: path → marked text."""

    name: str
    files: dict[str, str] = field(hash=False)

    @property
    def expected(self) -> list[Found]:
        """All uses in it."""
        return sorted(found for file, marked in self.files.items() for found in expected(file, marked))

    def repository(self) -> Repository:
        """It, as if it had been read from a checkout."""
        texts = {file: plain(marked) for file, marked in self.files.items()}
        return repository_of(texts)


def repository_of(texts: dict[str, str]) -> Repository:
    """A repository of these files."""
    workflows = []
    for file, text in texts.items():
        if file.endswith((".yml", ".yaml")):
            root, problems = read(text.removeprefix("\ufeff"), file)
            assert root is not None, (file, problems)
            workflows.append(Workflow(file=file, text=text.removeprefix("\ufeff"), root=root))
    return with_scripts(tuple(workflows), texts.get)


def scanned(repository: Repository) -> list[Found]:
    """What the scan finds."""
    return sorted(Found(u.file, u.line, u.column, u.pattern, u.secrets) for u in scan(repository))
