"""Explanations as text and Markdown. Builds lines; must not print or decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith.ui.report import Line, harmless, markdown_row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from trustsmith.explain import Explanation
    from trustsmith.model.subject_parts import ClaimDifference

_LABELS = {"client_id": "client id", "workflow": "job_workflow_ref"}
_LABEL_WIDTH = 16
_PASSING = "It may also only mean that a change of the last minutes is not seen everywhere yet."


def lines(explanations: Iterable[Explanation]) -> Iterator[Line]:
    """Explanations for people, one after the other."""
    for number, found in enumerate(explanations):
        if number:
            yield Line("")
        yield Line(f"{found.code}: {found.says}", "bold")
        yield from (Line(f"  {label:<{_LABEL_WIDTH}} {text}") for label, text in _facts(found))
        if found.trusted:
            yield Line(f"  {'trusted':<{_LABEL_WIDTH}} {found.trusted}")
        if found.claims:
            yield Line("")
            yield from _table(found.claims)
            yield Line("")
        if found.cause:
            yield Line(f"  Cause: {found.cause}.")
        if found.passing:
            yield Line(f"  {_PASSING}")
        first, *rest = found.next.splitlines() or [""]
        yield from (Line(f"  {text}") for text in (f"Next: {first}", *rest) if first)


def _facts(found: Explanation) -> list[tuple[str, str]]:
    return [(_LABELS.get(name, name), value) for name, value in vars(found.sent).items() if value]


def _table(claims: Sequence[ClaimDifference]) -> Iterator[Line]:
    """One line a claim: red where it differs. Without anything trusted there is nothing to compare with."""
    compared = any(claim.trusted for claim in claims)
    cells = [("claim", "sent", *(("trusted", "") if compared else ()))]
    cells += [
        (claim.claim, claim.sent or "-", *((claim.trusted or "-", claim.how or "equal") if compared else ()))
        for claim in claims
    ]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    differing = [None, *(bool(claim.how) for claim in claims)]
    styles = {None: "bold", True: "red", False: "green" if compared else ""}
    for row, differs in zip(cells, differing, strict=True):
        text = "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True))
        yield Line(f"    {text}".rstrip(), styles[differs])


def markdown(explanations: Iterable[Explanation]) -> str:
    """Explanations for a pull request or an issue."""
    parts = []
    for found in explanations:
        facts = [markdown_row(label, text) for label, text in _facts(found)]
        claims = [markdown_row(c.claim, c.sent, c.trusted, c.how or "equal") for c in found.claims]
        parts += [f"# {found.code}", "", found.says, ""]
        parts += ["| | sent |", "|---|---|", *facts, ""] if facts else []
        parts += ["| claim | sent | trusted | |", "|---|---|---|---|", *claims, ""] if claims else []
        parts += [f"Cause: {markdown_row(found.cause).strip('| ')}.", ""] if found.cause else []
        parts += [_PASSING, ""] if found.passing else []
        parts += ["Next:", "", *(f"    {harmless(line.strip())}" for line in found.next.splitlines()), ""]
    return "\n".join(parts)
