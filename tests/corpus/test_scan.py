"""Every use of the corpus is found where it stands, and nothing else is."""

from __future__ import annotations

import pytest

from tests.corpus.cases import CASES
from tests.corpus.marks import Case, scanned


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_marked_is_found_and_nothing_else(case: Case) -> None:
    assert scanned(case.repository()) == case.expected


def test_the_corpus_is_large_and_not_only_azure() -> None:
    assert len(CASES) > 450
    assert sum(not case.expected for case in CASES) > 150
