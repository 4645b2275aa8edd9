"""The record of what is removed: a line is in the file, and on the disk, before each removal, and one after it.

JSON lines with ids, hints and dates; no value has a way into it. Where it cannot be written, nothing is removed.
Must not decide what is removed.
"""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING, Any

from trustsmith.errors import TrustsmithError, UsageError
from trustsmith.model.foundry import role_name
from trustsmith.model.resources import ClientSecret, RoleAssignment, StoredSecret

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from trustsmith.model.facts import Facts
    from trustsmith.model.plan import Change
    from trustsmith.model.resource import Resource
    from trustsmith.systems import Minted, Writer

Json = dict[str, Any]
SCHEMA = 1


class Record:
    """An open file to which lines are added. who: who removes, by service."""

    def __init__(self, path: Path, who: Mapping[str, str]) -> None:
        """Raises UsageError when it cannot be written, or is a link: a checkout could have it lead anywhere."""
        self.path = path
        self._who = dict(who)
        try:
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
            self._file = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)
            _onto_disk(path.absolute().parent)
            if os.fstat(self._file).st_size and not path.read_bytes().endswith(b"\n"):
                os.write(self._file, b"\n")  # a run was cut within a line
        except OSError as error:
            raise UsageError(
                f"The record {path} cannot be written ({error.strerror}), so nothing was removed.",
                hint="Name a file that can be:\n  --record FILE",
            ) from error

    def close(self) -> None:
        """Close it; no line is added afterwards."""
        os.close(self._file)

    def add(self, event: str, change: Change, facts: Facts, said: str = "") -> None:
        """Add a line, and see it onto the disk. Raises TrustsmithError when it is not there."""
        line: Json = {
            "schema": SCHEMA,
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "event": event,
            "kind": change.key.kind,
            "name": change.key.name,
            "word": change.word,
            "repository": facts.repository.full_name,
            "who": self._who,
            **_details(change.resource),
            **({"error": said} if said else {}),
        }
        text = (json.dumps(line, ensure_ascii=True) + "\n").encode()
        try:
            while text:
                text = text[os.write(self._file, text) :]
            os.fsync(self._file)
        except OSError as error:
            what = "was not tried" if event == "removing" else "has ended"
            raise TrustsmithError(
                f"The record {self.path} could not be written ({error.strerror}); the removal {what}.",
                hint="Mend that, or name another file with --record, and run the same again.",
            ) from error


def removed(path: Path) -> frozenset[str]:
    """The words for what a record says was removed, or was about to be; nothing for one that cannot be read."""
    try:
        lines = path.read_text("utf-8").splitlines() if path.is_file() else []
    except (OSError, UnicodeDecodeError):
        return frozenset()
    return frozenset(word for line in lines if (word := _word(line)))


def _word(line: str) -> str:
    try:
        said = json.loads(line)
    except ValueError:
        return ""  # a run was cut within it
    is_entry = isinstance(said, dict) and said.get("event") in {"removing", "removed"}
    return str(said.get("word") or "") if is_entry else ""


def _onto_disk(folder: Path) -> None:
    """See that the folder knows the file, too; Windows does that by itself. Raises OSError."""
    if os.name != "nt":
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def _details(resource: Resource) -> Json:
    """What there is to know of it when it is gone."""
    match resource:
        case StoredSecret():
            return {
                "level": resource.level,
                "environment": resource.environment,
                "store": resource.store,
                "secret": resource.name,
                "updated": resource.updated,
            }
        case ClientSecret():
            return {
                "application": resource.identity,
                "on": "service principal" if resource.of_principal else "application",
                "object_id": resource.minted["object_id"],
                "key_id": resource.key_id,
                "hint": resource.hint,
                "display_name": resource.name,
                "starts": resource.starts,
                "expires": resource.expires,
            }
        case RoleAssignment():
            return {
                "application": resource.identity,
                "principal": str(resource.principal),
                "assignment": resource.minted["id"],
                "role": str(resource.role),
                "role_name": role_name(resource.role),
                "scope": resource.scope,
            }
        case _:
            raise TypeError(resource)


class Recorded:
    """A Writer that writes down each change before and after another one makes it."""

    def __init__(self, writer: Writer, record: Record) -> None:
        self._writer = writer
        self._record = record

    async def write(self, change: Change, facts: Facts) -> Minted:
        """Do one change. Raises what the writer raises, and TrustsmithError when the record cannot be written."""
        self._record.add("removing", change, facts)
        try:
            minted = await self._writer.write(change, facts)
        except TrustsmithError as error:
            self._record.add("failed", change, facts, error.message)
            raise
        self._record.add("removed", change, facts)
        return minted
