"""The text of generated files: their header, and values written so that YAML reads them back unchanged.

Must not know templates, and must not read or write files. The header's hash tells an edit from a file as we left
it; it is no signature, and keeps nobody out who wants to pass an edit off as ours.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import quote

#: The header above its last line, the mark.
_ABOVE = (
    "# Made by trustsmith {version} from its template {template} and {config}.",
    "# To change it, edit {config} and run: trustsmith render{flag}",
    "# Edits made here are kept: a later rendering is merged into them, or refused. The hash is of what was rendered.",
)
#: What other versions wrote there. A line that no version wrote belongs to whoever added it.
_ABOVE_ONCE = (
    "# An edit in this file is noticed by the hash below, and trustsmith then refuses to write over it.",
)
#: The configuration that the mark does not name.
_USUAL = ".github/trustsmith.yml"
#: A line that is exactly one of those, of whatever version, template and configuration.
_OURS = re.compile(
    "|".join(
        re.sub(r"\\\{\w+\\\}", r"\\S+", re.escape(line).replace(r"\{flag\}", r"(?: --config \S+)?"))
        for line in (*_ABOVE, *_ABOVE_ONCE)
    )
)
_MARK = re.compile(
    r"^# trustsmith: template=(\S+) version=(\S+)(?: config=(\S+))? sha256=([0-9a-f]{64})$", re.MULTILINE
)
_WINDOWS = re.compile("(?<!\r)\r+\n")
# Characters that YAML 1.2 does not print in a scalar, or that other versions of YAML read as line ends.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_ENDED = re.compile(r"[^\n]\n\Z")


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What the header of a generated file says. Texts have LF line ends.

    template: the template's name, such as "deploy-agents".
    version: the version of trustsmith that rendered it.
    config: the configuration that it was rendered from, as `name_of` writes it.
    base: the hash of what was rendered, which edits have since made into `body`.
    preamble: lines of others above the header and between its lines; "" or ends with a line end.
    body: the text below the header. Where nothing but `version` has changed it is the same.
    """

    template: str
    version: str
    config: str
    base: str
    preamble: str
    body: str

    @cached_property
    def intact(self) -> bool:
        """The body is what was rendered."""
        return digest(self.body) == self.base

    @property
    def edited(self) -> bool:
        """It may do something else than what was rendered; comments above the header do nothing."""
        return not self.intact or any(line[0] != "#" for line in self.preamble.splitlines() if line)


def name_of(path: str) -> str:
    """A configuration's path, seen from the checkout's top with `/`, as the header holds it: in percent-encoding."""
    return quote(path, errors="surrogatepass")


def stamp(body: str, *, template: str, version: str, config: str = _USUAL, base: str | None = None) -> str:
    """Put the header, a few comments, above `body`. Returns the text of the file, with LF line ends.

    config: the configuration's name, as `name_of` writes it.
    base: the hash of the rendering that `body` is an edit of; None when it is the rendering itself.
    """
    body = unix(body)
    flag, named = ("", "") if config == _USUAL else (f" --config {config}", f" config={config}")
    lines = "".join(f"{line}\n" for line in _ABOVE)
    above = lines.format(template=template, version=version, config=config, flag=flag)
    return f"{above}# trustsmith: template={template} version={version}{named} sha256={base or digest(body)}\n{body}"


def inspect(text: str) -> Provenance | None:
    """Read the header. Returns None when there is none: then the file is not ours.

    Line ends (a checkout on Windows has CRLF) and a byte order mark do not count as edits. The header's wording may
    change between versions: its last line is what makes it one, and those lines above are ours that any version wrote,
    for git may leave those of two versions there when it merges branches.
    """
    text = unix(text.removeprefix("\ufeff"))
    mark = _MARK.search(text)
    if mark is None:
        return None
    template, version, config, base = mark.groups()
    above = [line for line in text[: mark.start()].split("\n") if not _OURS.fullmatch(line)]
    body = text[mark.end() + 1 :]
    return Provenance(
        template=template,
        version=version,
        config=config or _USUAL,
        base=base,
        preamble="\n".join(above),
        body=body,
    )


def unix(text: str) -> str:
    """The text with LF line ends. Doing it again changes nothing."""
    return _WINDOWS.sub("\n", text) if "\r" in text else text


def digest(body: str) -> str:
    """The hash of a rendering, whose line ends are LF, as the header holds it."""
    return hashlib.sha256(body.encode()).hexdigest()


def scalar(value: str) -> str:
    """Write a value as a double-quoted YAML scalar: JSON, with what YAML does not print escaped as well."""
    quoted = json.dumps(value, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", quoted)


def block(text: str, indent: int) -> str:
    """Write `text` as a literal block with that many blanks before each line.

    The key of the block is indented by two less. What a block cannot hold, and text that does not end in one line end,
    comes out as a double-quoted scalar.
    """
    if _UNPRINTABLE.search(text) or not _ENDED.search(text):
        return scalar(text)
    # A first line that begins with a blank hides the indentation from the parser, so that it is written down.
    width = "2" if text[:1].isspace() else ""
    lines = (" " * indent + line if line else "" for line in text.removesuffix("\n").split("\n"))
    return "\n".join((f"|{width}", *lines))
