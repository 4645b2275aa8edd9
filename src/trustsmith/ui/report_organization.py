"""An owner's repositories by risk, as text for a terminal of 80 columns. Builds lines; must not print or decide."""

from __future__ import annotations

from collections import Counter
from textwrap import wrap
from typing import TYPE_CHECKING

from trustsmith.migrate.risk import LEVELS, named
from trustsmith.ui.report import Line
from trustsmith.ui.report_migrate import many

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trustsmith.migrate.overview import Looked, Overview

_MANY = 40
_WIDTH, _NO_BREAK = 79, "\u00a0"
_STYLES = {"high": "bold red", "medium": "bold yellow", "low": "bold"}


def lines(overview: Overview, *, full: bool = False) -> Iterator[Line]:
    """The repositories that use credentials, with reasons; the organization's secrets; the others by name; a summary.

    full: name also those in which nothing was found when they are many.
    """
    using = [each for each in overview.ordered if each.uses]
    if using:
        yield Line("risk        repository", "dim")
    for each in using:
        yield from _archived(each) if each.about.archived else _risky(each)
        yield Line("")
    yield from _secrets(overview)
    rest = [each for each in overview.ordered if not each.uses]
    nothing = [_name(each) for each in rest if each.state == "read"]
    if full or len(nothing) <= _MANY:
        yield from _listed("Nothing found", nothing)
    else:
        yield Line(f"Nothing found in {len(nothing)} others; -v names them", "bold")
        yield Line("")
    yield from _listed("Empty", [_name(each) for each in rest if each.state == "empty"])
    yield from _unread(overview)
    yield from _notes(overview)
    yield Line(_summary(overview), "bold")


def _risky(each: Looked) -> Iterator[Line]:
    yield Line(f"{each.points:>4} {each.level:<6} {_name(each)}: {_uses(each)}", _STYLES.get(each.level, ""))
    for reason in each.reasons:
        yield from _wrapped(reason.says, f"       +{reason.points:<3} ", " " * 12)
    yield from _places(each)


def _archived(each: Looked) -> Iterator[Line]:
    yield Line(f"     -      {_name(each)}: {_uses(each)}", "bold")
    yield Line("            its workflows do not run; the secrets are still there")
    yield from _places(each)


def _name(each: Looked) -> str:
    """The repository's own name, and what it is beside private."""
    about = each.about
    known = [about.visibility] if about.visibility != "private" else []
    known += ["archived"] * about.archived + ["fork"] * about.fork
    name = about.full_name.partition("/")[2]
    return f"{name} ({', '.join(known)})" if known else name


def _uses(each: Looked) -> str:
    return f"{many(each.uses, 'use')}, last push {each.about.pushed[:10] or 'never'}"


def _places(each: Looked) -> Iterator[Line]:
    """Each secret with the levels that it is read from, and what could not be looked at."""
    assert each.listing is not None  # noqa: S101 - it has uses
    places: dict[str, dict[str, None]] = {}
    for entry in each.listing.entries:
        for name in entry.use.secrets:
            places.setdefault(name, {})[entry.level] = None
    for name, levels in sorted(places.items()):
        known = [level for level in levels if level != "unknown"]
        yield from _wrapped(f"{name} ({', '.join(known)})" if known else name, " " * 12, " " * 14)
    for problem in each.listing.problems:
        yield from _wrapped(str(problem), " " * 12, " " * 14)


def _secrets(overview: Overview) -> Iterator[Line]:
    if not overview.secrets:
        return
    yield Line("Secrets of the organization", "bold")
    for each in sorted(overview.secrets, key=lambda stored: stored.name):
        used = [name.partition("/")[2] for name in overview.used_by(each.name)]
        said = f"used by {', '.join(used)}" if used else "used by none of those that were read"
        whose = f" for {many(len(each.repositories), 'repository')}" if each.repositories is not None else ""
        whose = whose.replace("repositorys", "repositories")
        yield from _wrapped(f"{each.name} ({each.visibility}{whose}): {said}", "  ", "    ")
    yield Line("")


def _listed(title: str, names: Iterable[str]) -> Iterator[Line]:
    if names := sorted(names):
        yield Line(f"{title} ({len(names)})", "bold")
        yield from _together(names)


def _unread(overview: Overview) -> Iterator[Line]:
    """By reason, since it may be the same for very many; and files of those without a use."""
    reasons: dict[str, list[str]] = {}
    for each in overview.ordered:
        if each.state == "not read":
            reasons.setdefault(each.why, []).append(_name(each))
    for why, names in reasons.items():
        yield Line(f"Not read ({len(names)}): {why}", "yellow")
        yield from _together(names)
    for each in overview.ordered:
        for problem in each.listing.problems if each.listing and not each.uses else ():
            yield from _wrapped(f"{_name(each)}: {problem}")


def _together(names: list[str]) -> Iterator[Line]:
    """Names one after another; no line ends inside of one."""
    joined = ", ".join(name.replace(" ", _NO_BREAK) for name in names)
    yield from (line._replace(text=line.text.replace(_NO_BREAK, " ")) for line in _wrapped(joined, "  "))
    yield Line("")


def _notes(overview: Overview) -> Iterator[Line]:
    """What could not be told: once, though it may be so for many."""
    whose: dict[str, list[str]] = {note: [] for note in overview.notes}
    for each in overview.ordered:
        for note in each.listing.seen.notes if each.listing else ():
            whose.setdefault(note, []).append(_name(each))
    for note, names in whose.items():
        of = f" ({named(names)})" if names else ""
        yield from _wrapped(f"Note{of}: {note.rstrip('.')}.")


def _wrapped(text: str, first: str = "", rest: str | None = None) -> Iterator[Line]:
    rest = " " * len(first) if rest is None else rest
    for line in wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    ):
        yield Line(line)


def _summary(overview: Overview) -> str:
    using = [each for each in overview.looked if each.uses]
    running = Counter(each.level for each in using if not each.about.archived)
    parts = [f"{running[level]} {level}" for level in LEVELS if running[level]]
    archived = len(using) - sum(running.values())
    parts += [f"{archived} archived"] if archived else []
    unread = sum(each.state == "not read" for each in overview.looked)
    said = f"{len(using)} of {len(overview.looked)} repositories of {overview.owner} use long-lived Azure credentials"
    said += f": {', '.join(parts)}" if parts else ""
    return f"{said}. {unread} could not be read." if unread else f"{said}."
