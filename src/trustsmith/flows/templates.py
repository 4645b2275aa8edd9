"""`templates`: the catalogue, with the repository's own templates where a configuration names their folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith.configfile import read
from trustsmith.errors import UsageError, closest
from trustsmith.render import own_folder, source_of, survey

if TYPE_CHECKING:
    from trustsmith.flows.session import Options
    from trustsmith.ui.console import Console


def show(options: Options, console: Console, name: str | None, *, source: bool) -> None:
    """List all templates, or show one.

    Raises UsageError for an unknown name, and for templates that are broken, after those that are not; ConfigError for a
    broken configuration.
    """
    there = options.config is not None or options.config_path.exists()
    own = own_folder(read(options.config_path).config, options.root) if there else None
    known, broken = survey(own)
    if name in broken:
        raise broken[name]
    if name is not None and name not in known:
        raise UsageError(
            f"There is no template {name!r}.", hint=f"{closest(name, known)}Templates: {', '.join(known)}."
        )
    if source and name is None:
        raise UsageError("--source is for one template.", hint="trustsmith templates deploy-agents --source")
    if source and name is not None:
        console.raw(source_of(known[name], own))
        return
    console.show_templates([known[name]] if name else list(known.values()), full=name is not None)
    if broken and name is None:
        raise UsageError("\n".join(str(e) for e in broken.values()), hint=next(iter(broken.values())).hint)
