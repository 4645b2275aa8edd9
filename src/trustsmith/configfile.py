"""`.github/trustsmith.yml` ⇄ `Config`: load with every problem at once, write anew, change with minimal edits.

Reads and writes that one file and nothing else. Must not ask, print, or contact a service.
"""

from __future__ import annotations

import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from trustsmith import configschema, configtree
from trustsmith.configwrite import new, update
from trustsmith.errors import Problem, UsageError

if TYPE_CHECKING:
    from trustsmith.model.config import Config


__all__ = ["Source", "load", "new", "read", "save", "update"]


@dataclass(frozen=True)
class Source:
    """A configuration and the text it was read from, so that later steps can point into the file."""

    file: str
    text: str
    config: Config

    def problem(self, path: tuple[str | int, ...], message: str, hint: str = "") -> Problem:
        """A problem at the value that `path` leads to: ("environments", "dev", "project").

        When the key is absent, the position is that of the nearest one above it. `project` and `projects` stand for
        each other.
        """
        root = configtree.compose(self.text, self.file)
        twins = {"project": "projects", "projects": "project"}
        other = tuple(twins.get(step, step) if isinstance(step, str) else step for step in path)
        node, _ = max((configtree.find(root, way) for way in (path, other)), key=lambda found: found[1])
        mark = node.start_mark if node is not None else None
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return Problem(self.file, line, column, message, hint)


def load(text: str, file: str) -> Source:
    """The configuration in `text`; `file` is its name in messages. Raises ConfigError with all problems."""
    return Source(file, text, configschema.read(configtree.compose(text, file), file))


def read(path: Path) -> Source:
    """The configuration in a file. Raises ConfigError, and UsageError when there is no such file or it is not text."""
    try:
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise UsageError(
            f"There is no configuration at {path}.",
            hint="Run 'trustsmith setup' to write one, or say where it is with --config FILE.",
        ) from None
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is not UTF-8 text (byte {error.start}).",
            hint="Save the file again with the encoding UTF-8.",
        ) from None
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}.", hint="Check the path and its rights."
        ) from None
    return load(text, str(path))


def save(path: Path, text: str) -> None:
    """Write the file in one step, so that nobody ever reads half of it. Makes its folder; keeps its mode.

    Raises UsageError when it cannot be written; the old file is then as it was.
    """
    target = Path(os.path.realpath(path))  # a link stays a link
    draft = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            draft.write_bytes(text.encode("utf-8"))
            if target.exists():
                shutil.copymode(target, draft)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written: {error.strerror}.", hint="Check the folder and its rights."
        ) from None
