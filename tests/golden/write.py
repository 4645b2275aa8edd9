"""Writes the golden files anew; the difference is then for people to read."""

from __future__ import annotations

from pathlib import Path

from tests.golden.cases import CASES
from trustsmith.render import render

FOLDER = Path(__file__).parent / "workflows"

if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for case, (config, site) in CASES.items():
        (rendered,) = render(config, site)
        (FOLDER / f"{case}.yml").write_text(rendered.text, encoding="utf-8", newline="\n")
