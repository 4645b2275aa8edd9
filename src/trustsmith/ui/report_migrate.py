"""What a scan found, as text and as SARIF 2.1.0. Builds lines and values; must not print or decide."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from trustsmith import __version__
from trustsmith.migrate.inventory import is_expired
from trustsmith.migrate.patterns import PATTERNS
from trustsmith.ui.report import Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trustsmith.migrate.inventory import Stored
    from trustsmith.migrate.listing import Entry, Listing

DOCS = "https://github.com/trustsmith/trustsmith/blob/main/docs/migrate.md"


def lines(listing: Listing) -> Iterator[Line]:
    """The listing for people: uses by file, what takes their place, secrets and applications, then a summary."""
    mixed = any(entry.rewritable for entry in listing.entries)  # else the summary says it of all
    for file, found in groupby(listing.entries, key=lambda entry: entry.use.file):
        yield Line(file, "bold")
        yield from _uses(list(found), mixed=mixed)
        yield Line("")
    for problem in listing.problems:
        yield Line(str(problem), "yellow")
        yield from (Line(f"    {text}") for text in problem.hint.splitlines())
    if listing.problems:
        yield Line("")
    used = dict.fromkeys(entry.pattern for entry in listing.entries)
    yield from table("What takes their place", [(pattern.id, pattern.replacement) for pattern in used])
    yield from table("Secrets", list(_secrets(listing)))
    yield from _applications(listing)
    for note in listing.seen.notes:
        yield Line(f"Note: {note}")
    yield Line(summary(listing), "bold")


def table(title: str, rows: Sequence[tuple[str, str]]) -> Iterator[Line]:
    """Names and what is said of each, below a title; nothing without any."""
    if rows:
        yield Line(title, "bold")
        width = max(len(row[0]) for row in rows)
        yield from (Line(f"  {name:<{width}}  {said}") for name, said in rows)
        yield Line("")


def _secrets(listing: Listing) -> Iterator[tuple[str, str]]:
    """Each secret with the places where it lives."""
    forgotten = {each.name for each in listing.forgotten}
    uses = Counter(secret for entry in listing.entries for secret in entry.use.secrets)
    ordered = sorted(listing.stored, key=_near)
    for name, places in groupby(ordered, key=lambda stored: stored.name):
        said = "; ".join(each.place for each in places)
        if name in forgotten:
            perhaps = (
                f" (but {', '.join(listing.handed_on)} hands on all secrets)" if listing.handed_on else ""
            )
            yield name, f"{said}: nothing in this checkout names it{perhaps}"
        else:
            yield name, f"{said}: {many(uses[name], 'use')}"
    yield from ((name, "lives nowhere, and is used") for name in listing.missing)


def _near(stored: Stored) -> tuple[str, int, int, str]:
    """By name; then as jobs look for it, and the other stores last."""
    levels = ("environment", "repository", "organization")
    return stored.name, int(stored.store != "actions"), levels.index(stored.level), stored.place


def _applications(listing: Listing) -> Iterator[Line]:
    for found in listing.seen.identities:
        yield Line(
            f"Application {found.name or '(not in the tenant, or not looked at)'}, {found.client_id}", "bold"
        )
        yield Line(f"  known by {', '.join(found.how)}")
        if found.secrets:
            yield Line(f"  used with {', '.join(found.secrets)}")
        for password in found.passwords:
            expired = is_expired(password, listing.today)
            until = f"{'expired' if expired else 'expires'} {password.expires[:10] or '?'}"
            on = " (of the service principal)" if password.of_principal else ""
            text = f"  key id {password.key_id}  {password.hint or '?'}…  {password.name or '-'}  {until}{on}"
            yield Line(text, "yellow" if expired else "")
        yield Line("")


def _uses(entries: Sequence[Entry], *, mixed: bool) -> Iterator[Line]:
    places = [f"{entry.use.line}:{entry.use.column}" for entry in entries]
    secrets = [_secret(entry) for entry in entries]
    wide, wider = max(map(len, places)), max(map(len, secrets))
    for entry, place, secret in zip(entries, places, secrets, strict=True):
        can = " (by hand)" if mixed and not entry.rewritable else ""
        text = f"  {place:>{wide}}  {secret:<{wider}}  {entry.use.pattern}: {entry.pattern.says}{can}"
        yield Line(text, "red" if entry.pattern.entra else "yellow")


def _secret(entry: Entry) -> str:
    """The secret and where it lives."""
    if not entry.secret:
        return "-"
    return f"{entry.secret} ({entry.level})" if entry.level != "unknown" else entry.secret


def summary(listing: Listing) -> str:
    """The listing in one sentence."""
    uses = len(listing.entries)
    if not uses:
        left = f" {many(len(listing.forgotten), 'secret')} left over." if listing.forgotten else ""
        return f"No use of a long-lived Azure credential in {many(listing.files, 'file')}.{left}"
    secrets = {secret for entry in listing.entries for secret in entry.use.secrets}
    files = {entry.use.file for entry in listing.entries}
    can = Counter(entry.rewritable for entry in listing.entries)[True]
    return (
        f"{many(uses, 'use')} of {many(len(secrets), 'secret')} in {many(len(files), 'file')}; "
        f"{can} can be rewritten, {uses - can} by hand."
    )


def many(count: int, noun: str) -> str:
    """A number of things."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def sarif(listing: Listing) -> dict[str, Any]:
    """The listing for code scanning (OASIS SARIF 2.1.0). Lines and columns count characters, from 1."""
    ids = list(PATTERNS)
    driver = {
        "name": "trustsmith",
        "version": __version__,
        "informationUri": "https://github.com/trustsmith/trustsmith",
        "rules": [_rule(name) for name in ids],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(entry, ids.index(entry.use.pattern)) for entry in listing.entries],
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    {"level": "warning", "message": {"text": str(problem)}} for problem in listing.problems
                ],
            }
        ],
    }
    schema = "https://json.schemastore.org/sarif-2.1.0.json"
    return {"$schema": schema, "version": "2.1.0", "runs": [run]}


def _rule(name: str) -> dict[str, Any]:
    pattern = PATTERNS[name]
    said = f"{pattern.says[0].upper()}{pattern.says[1:]}."
    return {
        "id": name,
        "shortDescription": {"text": said},
        "fullDescription": {"text": f"{said} Without a long-lived credential: {pattern.replacement}."},
        "helpUri": f"{DOCS}#{name}",
        "defaultConfiguration": {"level": "warning"},
        "properties": {"tags": ["security"]},
    }


def _result(entry: Entry, index: int) -> dict[str, Any]:
    use = entry.use
    secret = f" ({entry.secret})" if entry.secret else ""
    message = f"{entry.pattern.says[0].upper()}{entry.pattern.says[1:]}{secret}. Instead: {entry.pattern.replacement}."
    place = {
        "artifactLocation": {"uri": quote(os.fsencode(use.file)), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": use.line, "startColumn": use.column},
    }
    # The same use keeps its fingerprint when lines move above it.
    same = f"{use.file}\n{use.pattern}\n{use.job}\n{entry.secret}".encode(errors="backslashreplace")
    print_of = hashlib.sha256(same).hexdigest()
    return {
        "ruleId": use.pattern,
        "ruleIndex": index,
        "level": "warning",
        "message": {"text": message},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"trustsmith/v1": print_of[:32]},
    }
