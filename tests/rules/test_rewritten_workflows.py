"""What two checkers of workflows say to the rewritten corpus: nothing that they did not say before."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.corpus.test_rewrite import AZURE, rewritten
from tests.rules.checkers import installed, parsed, run

if TYPE_CHECKING:
    from pathlib import Path

CHANGED = [case for case in AZURE if rewritten(case).done.texts]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The corpus before and after: what is one file beside the others, what is several in a folder of its own."""
    before, after = tmp_path_factory.mktemp("before"), tmp_path_factory.mktemp("after")
    for number, case in enumerate(CHANGED):
        both = rewritten(case)
        for folder, texts in ((before, both.before), (after, both.after)):
            for file, text in texts.items():
                name = f".github/workflows/{number}.yml" if len(texts) == 1 else f"{number}/{file}"
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(text.encode())
    return before, after


def actionlint(folder: Path) -> Counter[tuple[str, str]]:
    """What it says of which file; not where."""
    found: Counter[tuple[str, str]] = Counter()
    for repository in [folder, *(each for each in folder.iterdir() if each.name.isdecimal())]:
        files = sorted((repository / ".github" / "workflows").iterdir())
        done = run(
            installed("actionlint"),
            "-no-color",
            "-oneline",
            "-shellcheck=",
            "-pyflakes=",
            *files,
            cwd=repository,
        )
        for line in done.stdout.splitlines():
            place, _, said = line.partition(": ")
            found[f"{'' if repository == folder else repository.name}/{place.partition(':')[0]}", said] += 1
    return found


def test_actionlint_finds_nothing_new(folders: tuple[Path, Path]) -> None:
    before, after = map(actionlint, folders)
    assert after - before == Counter()


def test_githubs_parser_finds_nothing_new(folders: tuple[Path, Path]) -> None:
    before, after = (
        {file.removeprefix(str(folder)): answer["errors"] for file, answer in parsed(_files(folder)).items()}
        for folder in folders
    )
    assert len(after) >= len(CHANGED) > 140
    assert {file: errors for file, errors in after.items() if Counter(errors) - Counter(before[file])} == {}


def _files(folder: Path) -> list[Path]:
    return sorted(each for each in folder.rglob("*.y*ml"))
