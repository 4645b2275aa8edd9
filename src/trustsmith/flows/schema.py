"""`schema`: the configuration's JSON Schema, printed or as a file. Needs no configuration, network or sign-in."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from trustsmith import editorschema
from trustsmith.configfile import save

if TYPE_CHECKING:
    from pathlib import Path

    from trustsmith.flows.session import Options
    from trustsmith.ui.console import Console


def give(options: Options, console: Console, out: Path | None) -> None:
    """Print it, or write it to `out`, seen from the checkout. Raises UsageError when that cannot be written."""
    text = editorschema.text()
    if out is None:
        console.raw(text)
        return
    file = options.root / out
    save(file, text)
    console.note(f"Wrote {file}. The first line of {options.config_path} by which editors find it:")
    beside = os.path.relpath(file, options.config_path.parent).replace(os.sep, "/")
    console.note(editorschema.modeline(beside if beside.startswith("../") else f"./{beside}").rstrip("\n"))
