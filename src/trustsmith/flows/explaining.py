"""`explain`: a pasted log in the light of the configuration, offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith.errors import ConfigError, UsageError
from trustsmith.explain import Believed, Sent, explain

if TYPE_CHECKING:
    from trustsmith.flows.session import Options
    from trustsmith.model.config import Config
    from trustsmith.ui.console import Console


def show(options: Options, console: Console, text: str, given: Sent, trusted: tuple[str, ...]) -> None:
    """Explain every code in the text. Raises UsageError when there is none."""
    explanations = explain(text, given, _believed(options, console, trusted))
    if not explanations:
        raise UsageError(
            "There is no code of Entra (AADSTS…) in this text.",
            hint="Paste the failed step's whole log, or name the code:\n  trustsmith explain AADSTS700213 --subject '…'",
        )
    console.show_explanations(explanations)


def _believed(options: Options, console: Console, trusted: tuple[str, ...]) -> Believed:
    """What should be trusted: as given, and as the configuration says, as far as it can be read."""
    config = _config(options, console)
    try:
        endpoints = options.choose_endpoints(config.cloud, config.github, config) if config else None
    except UsageError as error:
        console.warn(error.message)
        endpoints = None
    issuer, audience = (endpoints.issuer, endpoints.audience) if endpoints else ("", "")
    return Believed(config=config, subjects=trusted, issuer=issuer, audience=audience)


def _config(options: Options, console: Console) -> Config | None:
    if not options.config_path.exists() and options.config is None:
        return None
    try:
        return options.read_config().config
    except (ConfigError, UsageError) as error:
        found = "; ".join(map(str, error.problems)) if isinstance(error, ConfigError) else ""
        console.warn(f"Explained without the configuration: {found or error.message}")
        return None
