"""Every use of a long-lived Azure credential in a repository, each once, with the secret that it comes from.

First the checks: what is surely a credential. Where it comes from is a use as well. Then every other mention of a secret
that was found so, or that is named like one. Must not read files, or know where a secret lives.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from trustsmith.migrate import names, patterns
from trustsmith.migrate.calls import scripts, started_with
from trustsmith.migrate.checks_commands import in_code, in_script
from trustsmith.migrate.checks_values import CHECKS
from trustsmith.migrate.expressions import between
from trustsmith.migrate.hits import Hit, mentions
from trustsmith.migrate.trace import Trace
from trustsmith.model.document import spots

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trustsmith.migrate.expressions import Reference
    from trustsmith.migrate.repository import Repository, Spot
    from trustsmith.migrate.trace import Origin

_JSON = re.compile(r"\bjq\b|ConvertFrom-Json|json\.loads|JSON\.parse|fromjson", re.IGNORECASE)
_EMPTY = re.compile(r"(?:[!=]=\s*(?:''|null)|(?:''|null)\s*[!=]=|^\s*!)", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Use:
    """One use. line, column: from 1, where the credential stands.

    secrets: the GitHub secrets that it comes from; nothing when that could not be told, or when it is none of GitHub's.
    origins: where those are read. hit: what was found there; None for a mention that no check knows. passes: the secret
    only passes here on its way to another use.
    """

    file: str
    line: int
    column: int
    pattern: str
    origins: tuple[Origin, ...]
    spot: Spot
    start: int
    end: int
    hit: Hit | None = None
    passes: bool = False

    @property
    def secrets(self) -> tuple[str, ...]:
        """The names, each once."""
        return tuple(dict.fromkeys(name for origin in self.origins for name in origin.names))

    @property
    def job(self) -> str:
        """The job that it is in; "" in an action or a script."""
        return self.spot.job.id if self.spot.job else ""

    @property
    def order(self) -> tuple[str, int, int, str]:
        """By file and place."""
        return (self.file, self.line, self.column, self.pattern)


def scan(repository: Repository, known: Iterable[str] = ()) -> list[Use]:
    """All uses, by file and line. known: secrets that are Azure credentials, whatever their names say."""
    return _Scan(repository).run(set(known))


def of_entra(uses: Iterable[Use]) -> list[Use]:
    """The uses of secrets of Entra applications, those among them that are handed to something else, as to a registry."""
    uses = list(uses)
    found = {secret for use in uses if patterns.PATTERNS[use.pattern].entra for secret in use.secrets}
    return [use for use in uses if patterns.PATTERNS[use.pattern].entra or found & set(use.secrets)]


class _Scan:
    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._trace = Trace(repository)
        self._uses: dict[tuple[str, int], Use] = {}
        self._covered: set[tuple[str, int]] = set()

    def run(self, known: set[str]) -> list[Use]:
        origins: list[tuple[Hit, Origin]] = []
        for hit in self._hits():
            found = list(self._trace.origins(hit.spot, hit.start, hit.end))
            if not found and _is_computed(hit):
                continue
            self._note(hit.pattern, hit.spot, (hit.start, hit.end), found, hit)
            origins += [(hit, origin) for origin in found]
        for hit, origin in origins:
            self._hand_over(hit, origin)
        self._rest(known | {secret for use in self._uses.values() for secret in use.secrets})
        return sorted(self._uses.values(), key=lambda use: use.order)

    def _hits(self) -> Iterator[Hit]:
        for spot in self._repository.spots:
            for check in CHECKS:
                yield from check(spot)
            if spot.is_script:
                yield from in_script(spot)
        for spot in scripts(self._repository):
            if spot.is_script:
                yield from in_script(spot)
            else:
                yield from in_code(spot, frozenset(started_with(spot.calls)))

    def _hand_over(self, hit: Hit, origin: Origin) -> None:
        """Where the credential of a hit is handed over on its way there."""
        if _place(origin.spot, origin.start) not in self._covered:
            pattern = patterns.WORKFLOW_SECRETS if origin.handed else hit.pattern
            origins = [origin]
            if origin.alias:
                origins = list(self._trace.origins(origin.spot, origin.start, origin.end))
            self._note(pattern, origin.spot, (origin.start, origin.end), origins, passes=True)

    def _rest(self, known: set[str]) -> None:
        """Every other mention of a secret that is known, or named, as an Azure credential."""
        for spot in self._repository.spots:
            for each in mentions(spot):
                if each.context == "env" and spot.is_condition:
                    self._condition(spot, each, known)
                if each.context == "secrets" and _place(spot, each.expression[0]) not in self._covered:
                    self._mention(spot, each, known)

    def _mention(self, spot: Spot, each: Reference, known: set[str]) -> None:
        """A mention of a secret that no check knows. In a reusable workflow its name is the callers' to choose."""
        origins = list(self._trace.origins(spot, each.start, each.end))
        secrets = [name for origin in origins for name in origin.names]
        pattern = next((found for name in (*secrets, each.name) if (found := _of_name(name, known))), "")
        if not each.name:
            pattern = _of_computed(each.computed, known)
        if pattern:
            self._note(_way(pattern, spot, each), spot, each.expression, origins)

    def _condition(self, spot: Spot, each: Reference, known: set[str]) -> None:
        """`if: env.X != ''`, where X is a credential."""
        origins = self._trace.origins(spot, each.start, each.end)
        found = [origin for origin in origins if any(_of_name(name, known) for name in origin.names)]
        if found and _EMPTY.search(spot.node.value):
            self._note(patterns.SECRET_CONDITION, spot, each.expression, found)

    def _note(
        self,
        pattern: str,
        spot: Spot,
        span: tuple[int, int],
        origins: Iterable[Origin],
        hit: Hit | None = None,
        *,
        passes: bool = False,
    ) -> None:
        start, end = span
        place = _place(spot, start)
        inside = between(spot.node.value, start, end, bare=spot.is_condition)
        self._covered |= {_place(spot, each.expression[0]) for each in inside}
        if known := self._uses.get(place):
            self._uses[place] = replace(known, origins=(*known.origins, *origins))
            return
        line, column = position(spot, place[1])
        self._uses[place] = Use(
            file=spot.file,
            line=line,
            column=column,
            pattern=pattern,
            origins=tuple(origins),
            spot=spot,
            start=start,
            end=end,
            hit=hit,
            passes=passes,
        )


def _is_computed(hit: Hit) -> bool:
    """Whether a script has asked a service for the key itself: then nobody keeps it."""
    is_entra = patterns.PATTERNS[hit.pattern].entra
    return not is_entra and hit.command is not None and re.search(r"\$(?!\{\{)", hit.text) is not None


def _of_name(name: str, known: set[str]) -> str:
    """What a secret is, by its name or because it is used elsewhere as a credential; "" for none."""
    if names.is_id(name) or name == "GITHUB_TOKEN":
        return ""
    return names.of_secret(name) or (patterns.OTHER_USE if name in known else "")


def _of_computed(computed: str, known: set[str]) -> str:
    """`secrets[matrix.secret]` says nothing; `secrets[format('AZURE_CREDENTIALS_{0}', …)]` does, and so do all secrets."""
    if not computed:
        return patterns.OTHER_USE if known else ""
    said = (names.of_secret(text.strip("_{}0")) for text in re.findall(r"'([^']*)'", computed))
    return next((pattern for pattern in said if pattern), "")


def _way(pattern: str, spot: Spot, each: Reference) -> str:
    """How a mention that no check knows uses the secret."""
    expression = spot.node.value[slice(*each.expression)]
    if _EMPTY.search(expression):
        return patterns.SECRET_CONDITION
    if spot.path[2:3] == ("secrets",):
        return patterns.WORKFLOW_SECRETS
    if pattern != patterns.OTHER_USE:
        return pattern
    is_parsed = "fromjson" in expression.lower() or any(map(_JSON.search, _scripts_that_see(spot)))
    return patterns.CREDENTIALS_JSON if is_parsed else pattern


def _scripts_that_see(spot: Spot) -> list[str]:
    """The scripts that a mention is in, or that have the variable."""
    if spot.is_script:
        return [spot.node.value]
    if not spot.variable or spot.step is None:
        return []
    given = spot.step.inputs.get("script")
    return [node.value for node in (spot.step.run, given.value if given else None) if node is not None]


def _place(spot: Spot, start: int) -> tuple[str, int]:
    return spot.file, spots(spot.text, spot.node)[start]


def position(spot: Spot, offset: int) -> tuple[int, int]:
    """Line and column of a place in a spot's file, from 1."""
    starts = _lines(spot.text)
    line = bisect_right(starts, offset)
    return line, offset - starts[line - 1] + 1


@lru_cache(maxsize=1024)
def _lines(text: str) -> list[int]:
    """Where each line begins."""
    return [0, *(found.end() for found in re.finditer(r"\r\n|\r|\n", text))]
