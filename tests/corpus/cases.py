"""The corpus: hundreds of repositories, put together from hand-written parts. Each use has a mark, nothing else may be found."""

from __future__ import annotations

from itertools import cycle

from tests.corpus.marks import Case
from tests.corpus.others import OTHERS
from tests.corpus.repositories import REPOSITORIES
from tests.corpus.steps import STEPS
from tests.corpus.styles import HEAD, STYLES

FILE = ".github/workflows/deploy.yml"


def _steps() -> list[Case]:
    """Each step in four of the styles in turn, between two steps that are nothing of the kind."""
    others = cycle(OTHERS.values())
    styles = cycle(STYLES)
    found = []
    for name, step in STEPS.items():
        for _ in range(4):
            before, after, style = next(others), next(others), next(styles)
            text = HEAD + "".join(part.strip("\n") + "\n" for part in (before, step, after))
            found.append(Case(f"{name}, {style}", {FILE: STYLES[style](text)}))
    return found


def _others() -> list[Case]:
    """What is nothing of the kind, each in half of the styles."""
    return [
        Case(f"not {name}, {style}", {FILE: turn(HEAD + step.strip("\n") + "\n")})
        for number, (name, step) in enumerate(OTHERS.items())
        for style, turn in list(STYLES.items())[number % 2 :: 2]
    ]


CASES = [*_steps(), *_others(), *(Case(name, files) for name, files in REPOSITORIES.items())]
