"""The text of generated files: their header, and values written so that YAML reads them back unchanged.

Must not know templates, and must not read or write files. The header's hash tells an edit from a file as we left
it; it is no signature, and keeps nobody out who wants to pass an edit off as ours.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass

_MARK = re.compile(r"^# trustsmith: template=(\S+) version=(\S+) sha256=([0-9a-f]{64})$", re.MULTILINE)
# Characters that YAML 1.2 does not print in a scalar, or that other versions of YAML read as line ends.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What the header of a generated file says.

    template: the template's name, such as "deploy-agents".
    version: the version of trustsmith that rendered it.
    edited: True when the text is no longer the one that was written.
    body: the text below the header, with LF line ends. Where nothing but `version` has changed it is the same.
    """

    template: str
    version: str
    edited: bool
    body: str


def stamp(body: str, *, template: str, version: str) -> str:
    """Put the header, a few comments, above `body`. Returns the text of the file, with LF line ends."""
    body = _unix(body)
    return (
        f"# Made by trustsmith {version} from its template {template} and .github/trustsmith.yml.\n"
        "# To change it, edit .github/trustsmith.yml and run: trustsmith render\n"
        "# An edit in this file is noticed by the hash below, and trustsmith then refuses to write over it.\n"
        f"# trustsmith: template={template} version={version} sha256={_digest(body)}\n"
    ) + body


def inspect(text: str) -> Provenance | None:
    """Read the header. Returns None when there is none: then the file is not ours.

    Line ends (a checkout on Windows has CRLF) and a byte order mark do not count as edits. The header's wording may
    change between versions, so only its last line is read; anything but comments above that line is an edit.
    """
    text = _unix(text.removeprefix("\ufeff"))
    mark = _MARK.search(text)
    if mark is None:
        return None
    template, version, digest = mark.groups()
    above, body = text[: mark.start()], text[mark.end() + 1 :]
    intact = _digest(body) == digest and all(line.startswith("#") for line in above.split("\n") if line)
    return Provenance(template=template, version=version, edited=not intact, body=body)


def scalar(value: str) -> str:
    """Write a value as a double-quoted YAML scalar: JSON, with what YAML does not print escaped as well."""
    quoted = json.dumps(value, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", quoted)


def block(text: str, indent: int) -> str:
    """Write `text`, which ends in one line end, as a literal block with that many blanks before each line.

    The key of the block is indented by two less. What a block cannot hold comes out as a double-quoted scalar.
    """
    if _UNPRINTABLE.search(text):
        return scalar(text)
    # A first line that begins with a blank hides the indentation from the parser, so that it is written down.
    width = "2" if text[:1].isspace() else ""
    lines = (" " * indent + line if line else "" for line in text.removesuffix("\n").split("\n"))
    return "\n".join((f"|{width}", *lines))


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n")


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
