"""The rendered workflows, letter by letter. After a wanted change: `python -m tests.golden.write`."""

from __future__ import annotations

import pytest

from tests.golden.cases import CASES
from tests.golden.write import FOLDER
from trustsmith.generated import inspect
from trustsmith.render import render


@pytest.mark.parametrize("case", CASES)
def test_a_workflow_is_rendered_as_its_golden_file_says(case: str) -> None:
    (rendered,) = render(*CASES[case])

    assert rendered.text == (FOLDER / f"{case}.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize("case", CASES)
def test_a_golden_file_is_known_as_ours_and_not_edited(case: str) -> None:
    provenance = inspect((FOLDER / f"{case}.yml").read_text(encoding="utf-8"))

    assert provenance is not None
    assert not provenance.edited


def test_every_golden_file_has_its_case() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(CASES)
