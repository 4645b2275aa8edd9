"""Pins of actions: what is pinned, and which of an action's releases to take. Pure; must not ask GitHub or read files.

Versions are those of Semantic Versioning with or without a `v`. Tags that are none are left alone.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from trustsmith.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

#: The repository's own pins, beside its configuration.
PINS_NAME = "trustsmith-actions.json"
#: Days for which a release is left alone: most bad ones are found, and taken back, within a week.
COOLDOWN = 7
COMMIT = re.compile(r"[0-9a-f]{40}")
ACTION = re.compile(r"[A-Za-z0-9_-]+(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9_.-]+)+")
_DAY = 86_400
_USE = re.compile(r"^\s*(?:- )?uses:\s*[\"']?([^\s\"'#]+)", re.MULTILINE)
_VERSION = re.compile(r"v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:-([\w.-]+))?(?:\+[\w.-]+)?")
_SHORT = 7


@dataclass(frozen=True, kw_only=True)
class Pin:
    """An action at a commit. version: the release's tag; date: when that was released, as YYYY-MM-DD."""

    action: str
    version: str
    sha: str
    date: str

    @property
    def use(self) -> str:
        """What stands after `uses:`."""
        return f"{self.action}@{self.sha}"

    @property
    def short(self) -> str:
        """The commit, for people."""
        return self.sha[:_SHORT]

    def as_json(self) -> dict[str, str]:
        """The entry in a file of pins, whose key is the action."""
        return {"version": self.version, "sha": self.sha, "date": self.date}


class Version(NamedTuple):
    """A version that can be compared: `final` is 0 for a prerelease, which comes before its release."""

    numbers: tuple[int, int, int]
    final: int
    parts: tuple[tuple[int, int, str], ...]

    @property
    def line(self) -> tuple[int, ...]:
        """What does not change within a line of compatible releases: the major version, and below 1.0 the minor, too."""
        return self.numbers[:1] if self.numbers[0] else self.numbers[:2]


def version_of(tag: str) -> Version | None:
    """The version that a tag names, None for a tag that names none (Semantic Versioning 2.0.0, 11)."""
    match = _VERSION.fullmatch(tag)
    if match is None:
        return None
    major, minor, patch, pre = match.groups()
    parts = [
        (0, int(part), "") if part.isdecimal() else (1, 0, part) for part in (pre or "").split(".") if part
    ]
    return Version((int(major), int(minor or 0), int(patch or 0)), 0 if parts else 1, tuple(parts))


@dataclass(frozen=True, kw_only=True)
class Release:
    """A release as GitHub lists it. published: seconds since 1970."""

    tag: str
    published: float
    url: str
    draft: bool = False
    prerelease: bool = False


@dataclass(frozen=True)
class Choice:
    """take: the release to take, None to stay. remarks: what was not taken, and why."""

    take: Release | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Update:
    """What became of one action. pin: as it is; to: as it would be, None when it stays.

    compared: False when GitHub did not say enough to tell whether there is anything newer.
    """

    action: str
    pin: Pin | None
    to: Pin | None = None
    url: str = ""
    remarks: tuple[str, ...] = ()
    compared: bool = True

    def as_json(self) -> dict[str, Any]:
        """The entry in the command's document."""
        return {
            "action": self.action,
            "from": self.pin.as_json() if self.pin else None,
            "to": self.to.as_json() if self.to else None,
            "release": self.url,
            "remarks": list(self.remarks),
            "compared": self.compared,
        }


def merged(packaged: Iterable[Pin], own: Iterable[Pin]) -> dict[str, Pin]:
    """The pins that count, by action: the repository's own before ours, in our spelling: for GitHub case is no difference."""
    found: dict[str, Pin] = {}
    spelt: dict[str, str] = {}
    for pin in (*packaged, *own):
        action = spelt.setdefault(pin.action.casefold(), pin.action)
        found[action] = replace(pin, action=action)
    return found


def outdated(packaged: Mapping[str, Pin], own: Iterable[Pin]) -> list[str]:
    """A remark for each pin of the repository that is older than ours."""
    counting = merged(packaged.values(), own)
    return [
        f"{action} is pinned to {counting[action].version} in {PINS_NAME}, and this trustsmith would use "
        f"{ours.version}. Look for newer ones: trustsmith render --update-pins"
        for action, ours in packaged.items()
        if _older(counting[action], ours)
    ]


def _older(pin: Pin, other: Pin) -> bool:
    mine, theirs = version_of(pin.version), version_of(other.version)
    return mine is not None and theirs is not None and mine < theirs


def uses_in(text: str) -> list[str]:
    """What a workflow or an action uses: all that stands after `uses:`, each once."""
    return list(dict.fromkeys(_USE.findall(text)))


def named(words: Iterable[str]) -> dict[str, str]:
    """Actions and the versions that are wanted by name. Raises UsageError for what is not ACTION@VERSION."""
    found: dict[str, str] = {}
    for word in words:
        action, _, version = word.partition("@")
        if not ACTION.fullmatch(action) or version_of(version) is None:
            message = f"--pin {word!r} is not ACTION@VERSION."
            raise UsageError(
                message, hint="For example: --pin actions/checkout@v7 or --pin actions/checkout@v7.0.1"
            )
        found[action] = version
    return found


def is_exact(version: str) -> bool:
    """Whether a version names one release, as `v7.0.1` and `v3-beta` do, and not a line of them, as `v7` does."""
    return version.count(".") >= 2 or "-" in version  # noqa: PLR2004 - major.minor.patch


def choose(pin: Pin | None, releases: Sequence[Release], now: float) -> Choice:
    """The newest compatible release that is old enough. now: seconds since 1970.

    Never an older one, a draft, another major version, nor a prerelease unless one is pinned already.
    """
    current = version_of(pin.version) if pin else None
    if pin is None or current is None:
        version = pin.version if pin else "nothing"
        return Choice(
            None, (f"It is pinned to {version}, which is no version; name one to take with --pin.",)
        )
    newer = [(v, r) for v, r in _published(releases, prereleases=not current.final) if v > current]
    same = [(v, r) for v, r in newer if v.line == current.line]
    other = [(v, r) for v, r in newer if v.line != current.line and v.final]
    ripe = [(v, r) for v, r in same if _age(r, now) >= COOLDOWN * _DAY]
    remarks = []
    if same and same[-1] not in ripe:
        remarks.append(too_young(same[-1][1].tag, same[-1][1].published, now))
    if other:
        tag = other[-1][1].tag
        remarks.append(
            f"{tag} is another major version. To take it: "
            f"trustsmith render --pin {pin.action}@{_line_name(tag, other[-1][0])}"
        )
    return Choice(ripe[-1][1] if ripe else None, tuple(remarks))


def _line_name(tag: str, version: Version) -> str:
    return ("v" if tag.startswith("v") else "") + ".".join(map(str, version.line))


def choose_named(
    action: str, pin: Pin | None, releases: Sequence[Release], version: str, now: float
) -> Choice:
    """The release that was named, however young; of a line of releases, the newest that is old enough.

    Raises UsageError when there is none, and for one that is older than the pin.
    """
    current = version_of(pin.version) if pin else None
    prereleases = "-" in version or (current is not None and not current.final)
    fitting = [(v, r) for v, r in _published(releases, prereleases=prereleases) if _fits(r.tag, v, version)]
    if not fitting:
        raise UsageError(f"{action} has no release {version}.", hint=_known(action, releases))
    ripe = fitting if is_exact(version) else [(v, r) for v, r in fitting if _age(r, now) >= COOLDOWN * _DAY]
    newest, young = fitting[-1][1], fitting[-1] not in ripe
    remarks = (too_young(newest.tag, newest.published, now),) if young else ()
    if not ripe:
        return Choice(None, remarks)
    found, release = ripe[-1]
    if current is not None and found < current:
        message = f"{action} is pinned to {pin.version if pin else ''}, and {release.tag} is older."
        raise UsageError(
            message, hint="A pin is never moved back by --pin. Edit the file of pins to do that."
        )
    return Choice(release, remarks)


def _fits(tag: str, version: Version, wanted: str) -> bool:
    asked = version_of(wanted)
    if asked is None or is_exact(wanted):
        return tag == wanted or version == asked
    given = wanted.removeprefix("v").count(".") + 1
    return version.numbers[:given] == asked.numbers[:given]


def _known(action: str, releases: Sequence[Release]) -> str:
    tags = [release.tag for _, release in _published(releases, prereleases=True)]
    return (
        f"Its newest releases: {', '.join(reversed(tags[-5:]))}."
        if tags
        else f"{action} has no releases at all."
    )


def _published(releases: Iterable[Release], *, prereleases: bool) -> list[tuple[Version, Release]]:
    """Releases that are there for everybody and have a version, the newest last."""
    found = [(version_of(release.tag), release) for release in releases if not release.draft]
    known = [
        (version, release)
        for version, release in found
        if version and (prereleases or (version.final and not release.prerelease))
    ]
    return sorted(known, key=lambda each: each[0])


def _age(release: Release, now: float) -> float:
    return now - release.published


def too_young(tag: str, since: float, now: float) -> str:
    """Why a release is not taken yet. since, now: seconds since 1970."""
    days = max(0, int((now - since) // _DAY))
    until = datetime.fromtimestamp(since + COOLDOWN * _DAY, UTC).date().isoformat()
    return f"{tag} is {days} day{'s' if days != 1 else ''} old; it is taken from {until} on, or when it is named in full."
