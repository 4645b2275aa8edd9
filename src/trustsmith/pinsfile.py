"""`trustsmith-actions.json`, a repository's own pins of actions ⇄ `Pin`s: load with every problem at once, and write.

It has the form of the packaged `actions.json`. Must not decide which pin counts, nor ask GitHub.
"""

from __future__ import annotations

import json
import re
from datetime import date
from typing import TYPE_CHECKING

from trustsmith import configtree
from trustsmith.configreader import Reader, Wrong, shown
from trustsmith.errors import ConfigError, UsageError
from trustsmith.model.pins import ACTION, COMMIT, Pin

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ruamel.yaml.nodes import Node

_KEYS = dict.fromkeys(("version", "sha", "date"), True)
_PLAIN = re.compile(r"[\w.+-]+")  # it becomes a comment in a workflow


def read(path: Path) -> tuple[Pin, ...]:
    """The pins of a file, () when there is none. Raises ConfigError, and UsageError when it cannot be read."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}.", hint="Mend it, or delete it.") from None
    return load(text, str(path))


def load(text: str, file: str) -> tuple[Pin, ...]:
    """The pins in `text`; `file` is its name in messages. Raises ConfigError with all problems."""
    reader = Reader(file)
    # JSON is YAML, and YAML's composer knows where each value stands
    entries = list(reader.named(configtree.compose(text, file), ""))
    pins = [_pin(reader, name, key, value) for name, key, value in entries]
    _check_spellings(reader, entries)
    if reader.problems:
        hint = "Mend it, or delete it and run:\n  trustsmith render --update-pins"
        raise ConfigError(reader.problems, hint=hint)
    return tuple(pin for pin in pins if pin is not None)


def _pin(reader: Reader, action: str, key: Node, value: Node) -> Pin | None:
    if not ACTION.fullmatch(action):
        reader.report(key, f"{shown(action)} is no action.", "Write OWNER/NAME, such as 'actions/checkout'.")
    fields = reader.mapping(value, action, _KEYS)
    version = reader.value(fields.get("version"), "version", _version)
    sha = reader.value(fields.get("sha"), "sha", _sha)
    day = reader.value(fields.get("date"), "date", _date)
    if version is None or sha is None or day is None:
        return None
    return Pin(action=action, version=version, sha=sha, date=day)


def _check_spellings(reader: Reader, entries: Iterable[tuple[str, Node, Node]]) -> None:
    """Report an action that is there in two spellings: for GitHub they are one."""
    first: dict[str, str] = {}
    for name, key, _ in entries:
        other = first.setdefault(name.casefold(), name)
        if other != name:
            reader.report(key, f"{shown(name)} and {shown(other)} are one action to GitHub.", "Keep one.")


def _version(text: str) -> str:
    if not _PLAIN.fullmatch(text):
        raise Wrong(f"{shown(text)} is no version.", "Write the release's tag, such as 'v7.0.1'.")
    return text


def _sha(text: str) -> str:
    if not COMMIT.fullmatch(text):
        raise Wrong(f"{shown(text)} is no commit.", "Write all 40 hexadecimal digits, in lower case.")
    return text


def _date(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise Wrong(f"{shown(text)} is no date.", "Write it as YYYY-MM-DD.") from None
    return text


def text_of(pins: Iterable[Pin]) -> str:
    """The file's text, sorted by action."""
    entries = {pin.action: pin.as_json() for pin in sorted(pins, key=lambda pin: pin.action.lower())}
    return json.dumps(entries, indent=2) + "\n"
