"""A rendering and the file that is there → the file's new text, or a conflict; and the texts that edits were made in.

Pure: texts, and who merges three of them, are handed in, whether from a checkout and its git or from a repository's
API. Must not look anything up. What somebody wrote into a file is in its new text, or it is a conflict: there is no
third way but the two words by which people say otherwise.
"""

from __future__ import annotations

import difflib
import os
import re
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Literal

from trustsmith.generated import Provenance, digest, inspect, stamp, unix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    #: (ours, base, theirs) → the three-way merge; None when they do not fit. LF line ends.
    Merge = Callable[[str, str, str], str | None]

#: adopt: where there is a conflict, keep the text that is there. overwrite: lose it, conflict or not.
Word = Literal["adopt", "overwrite"]
Outcome = Literal["same", "missing", "outdated", "merged", "adopted", "overwritten", "conflict"]

#: How many versions of a file its history is followed back.
VERSIONS = 200
#: How many versions before one are tried to prove its base, and how often in all: a merge is a process.
_NEAR, _MERGES = 8, 200
#: What git leaves in a file whose merge somebody has yet to finish.
_UNFINISHED = tuple(re.compile(sign, re.MULTILINE) for sign in (r"^<{7} ", r"^={7}$", r"^>{7} "))

_NO_HEADER = "it has no header of trustsmith: somebody else made it, or took the header out"
_NO_BASE = "it was edited, and no commit here holds the text that the edits were made in"
_NO_MERGE = "it was edited where what would be rendered now differs as well"
_NO_WORKFLOW = "it was edited, and with what would be rendered now it would be no workflow that can be read"
_UNRESOLVED = "it holds git's conflict markers: somebody's merge is not finished"


@dataclass(frozen=True, kw_only=True)
class Regenerated:
    """What becomes of a file.

    outcome: `same` changes nothing, even where it was edited; `missing` makes it; `outdated` replaces what nobody
    edited; `merged` brings the new rendering into the edits; `adopted` keeps the text as an edit of the new rendering;
    `overwritten` loses it; `conflict` is to be refused.
    text: the whole file, in its own line ends; for a conflict what `overwrite` would make of it.
    why: of a conflict, to stand after the file's name and a colon.
    """

    outcome: Outcome
    text: str
    why: str = ""


def regenerate(
    rendering: str,
    there: str | None,
    *,
    bases: Mapping[str, str],
    merge: Merge,
    sound: Callable[[str], bool],
    word: Word | None = None,
) -> Regenerated:
    """What becomes of the file `there`, None for no file, now that it would be rendered as `rendering`, header and all.

    bases: hash → body of earlier renderings, as `bases_in` finds them; looked at only if `wants_base`.
    sound: whether a whole text can be read as a workflow.
    """
    if there is None or there == rendering:
        return Regenerated(outcome="same" if there else "missing", text=rendering)
    old, new = inspect(there), _own(rendering)
    anew = _dressed(rendering, there)
    if word == "overwrite" and not (old and old.intact and not old.preamble and old.config == new.config):
        return Regenerated(outcome="overwritten", text=anew)
    text, why = _brought_along(there, old, new, bases=bases, merge=merge, sound=sound)
    if not why:
        edited = old is not None and old.edited
        outcome: Outcome = "same" if text == there else "merged" if edited else "outdated"
        return Regenerated(outcome=outcome, text=text)
    if word == "adopt" and why != _UNRESOLVED:
        preamble, body = (old.preamble, old.body) if old else ("", there.removeprefix("\ufeff"))
        return Regenerated(outcome="adopted", text=_dressed(_restamped(preamble, body, new), there))
    return Regenerated(outcome="conflict", text=anew, why=why)


def wants_base(rendering: str, there: str) -> bool:
    """Whether the text that the file's edits were made in has to be found in its history."""
    if there == rendering:
        return False
    old, new = inspect(there), _own(rendering)
    return old is not None and not old.intact and old.base != new.base and old.body != new.body


def bases_in(versions: Sequence[str], merge: Merge, known: Mapping[str, str] | None = None) -> dict[str, str]:
    """Hash → body of the renderings that a file's versions hold or prove. versions: oldest first; the last 200 count.

    After a merge the rendering is in no version by itself. It comes out when the edit is taken back: of a version
    whose header names it, an earlier one that was edited, and what that one was edited from. The hash proves it.
    known: renderings that are known from elsewhere.
    """
    made = [found for text in versions[-VERSIONS:] if (found := inspect(text))]
    bases = dict(known or {}) | {digest(one.body): one.body for one in made}
    for version, edited in islice(_pairs(made, bases), _MERGES):
        body = merge(version.body, edited.body, bases[edited.base])
        if body is not None and digest(body) == version.base:
            bases[version.base] = body
    return bases


def unified(path: str, before: str | None, after: str | None, *, exact: bool = False) -> str:
    """The unified diff of two texts of a file, None for no file.

    Line ends and byte order marks are no difference; with `exact` they are, and the diff holds them as they are.
    """
    same = str if exact else _same
    names = (
        "/dev/null" if before is None else _named(f"a/{path}"),
        "/dev/null" if after is None else _named(f"b/{path}"),
    )
    lines = difflib.unified_diff(_lines(same(before or "")), _lines(same(after or "")), *names)
    return "".join(
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines
    )


def _named(path: str) -> str:
    """A path as git has it in a diff: in quotes and escaped where it could be taken for something else."""
    if all(c.isprintable() and c not in '"\\' for c in path):
        return path
    kept = (chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\{b:03o}" for b in os.fsencode(path))  # noqa: PLR2004 - ASCII
    return f'"{"".join(kept)}"'


def _brought_along(
    there: str,
    old: Provenance | None,
    new: Provenance,
    *,
    bases: Mapping[str, str],
    merge: Merge,
    sound: Callable[[str], bool],
) -> tuple[str, str]:
    """The file's text with all that somebody wrote into it, or why there is none."""
    if "<<<<<<<" in there and _is_unfinished(unix(there)):
        return "", _UNRESOLVED
    if old is None or old.config != new.config:
        return "", f"it was rendered from another configuration, {old.config}" if old else _NO_HEADER
    if old.base == new.base:
        return there, ""
    base = old.body if old.intact or old.body == new.body else bases.get(old.base)
    if base is None:
        return "", _NO_BASE
    body = new.body if base == old.body else _merged(old.body, base, new.body, merge)
    if body is None:
        return "", _NO_MERGE
    text = _dressed(_restamped(old.preamble, body, new), there)
    return (text, "") if not old.edited or sound(text) else ("", _NO_WORKFLOW)


def _is_unfinished(text: str) -> bool:
    """Whether there are all three markers of a conflict, in their order."""
    at = 0
    for sign in _UNFINISHED:
        found = sign.search(text, at)
        if found is None:
            return False
        at = found.end()
    return True


def _merged(ours: str, base: str, theirs: str, merge: Merge) -> str | None:
    """The merge, if it holds every line that was added: it is not taken at its word."""
    merged = merge(ours, base, theirs)
    added = Counter(ours.split("\n")) - Counter(base.split("\n"))
    return merged if merged is not None and added <= Counter(merged.split("\n")) else None


def _pairs(made: Sequence[Provenance], bases: Mapping[str, str]) -> Iterator[tuple[Provenance, Provenance]]:
    """The first version that names an unknown rendering, with each edited one before it; `bases` may grow meanwhile."""
    seen = set[str]()
    for at, version in enumerate(made):
        earlier = [] if version.base in seen else made[max(0, at - _NEAR) : at]
        seen.add(version.base)
        for edited in reversed(earlier):
            if version.base not in bases and edited.base in bases and not edited.intact:
                yield version, edited


def _restamped(preamble: str, body: str, new: Provenance) -> str:
    return preamble + stamp(
        body, template=new.template, version=new.version, config=new.config, base=new.base
    )


def _dressed(text: str, there: str) -> str:
    """The text with the byte order mark and the line ends of the file that is there, whichever it has more of."""
    mark = "\ufeff" if there.startswith("\ufeff") else ""
    windows = 2 * there.count("\r\n") > there.count("\n")
    return mark + (text.replace("\n", "\r\n") if windows else text)


def _same(text: str) -> str:
    return unix(text.removeprefix("\ufeff"))


def _lines(text: str) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _own(rendering: str) -> Provenance:
    new = inspect(rendering)
    if new is None:
        message = "a rendering has a header"
        raise ValueError(message)
    return new
