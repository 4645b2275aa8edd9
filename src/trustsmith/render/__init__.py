"""Workflow files from templates and the configuration. The only user of jinja2.

Must not read the configuration file, write a file, ask a service, or know a default branch: the same configuration
gives the same text on every machine. What it returns has been parsed again and compared with what was meant.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from trustsmith.errors import UsageError
from trustsmith.generated import name_of, stamp
from trustsmith.model.pins import merged
from trustsmith.render.catalogue import SUFFIX, Template, catalogue, folder, packaged_pins, part, survey
from trustsmith.render.content import Site, content_of, endpoint_names
from trustsmith.render.ink import MisrenderedError
from trustsmith.render.options import Condition, Option
from trustsmith.render.problems import Found, problems

if TYPE_CHECKING:
    from pathlib import Path

    from trustsmith.model.config import Config

__all__ = [
    "Condition",
    "Found",
    "MisrenderedError",
    "Option",
    "Rendered",
    "Site",
    "Template",
    "catalogue",
    "endpoint_names",
    "login_environment",
    "own_folder",
    "packaged_pins",
    "problems",
    "render",
    "scripts",
    "source_of",
    "survey",
]

_LOGIN_ENVIRONMENTS = {
    "AzureCloud": None,
    "AzureUSGovernment": "azureusgovernment",
    "AzureChinaCloud": "azurechinacloud",
}


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """A generated file: its path in the repository with `/`, the template's name, the whole text with LF."""

    path: str
    template: str
    text: str


def login_environment(cloud: str) -> str | None:
    """azure/login's name for an Azure cloud, None for the public one (azure/login v3, `LoginConfig`).

    Raises UsageError for a cloud that azure/login cannot sign in to.
    """
    if cloud not in _LOGIN_ENVIRONMENTS:
        message = (
            f"Workflows cannot be rendered for {cloud}: the action azure/login does not know that cloud."
        )
        raise UsageError(message, hint=f"It knows {', '.join(_LOGIN_ENVIRONMENTS)}.")
    return _LOGIN_ENVIRONMENTS[cloud]


def render(config: Config, site: Site, root: Path | None = None) -> tuple[Rendered, ...]:
    """The workflow files, in the configuration's order.

    root: the checkout, in which the repository's own templates are looked for.
    Raises UsageError for what `problems` would report, for an own template that is broken, and for names that no workflow
    can hold.
    """
    from trustsmith.render.engine import Engine

    own = own_folder(config, root)
    known = catalogue(own)
    engine = Engine(merged(packaged_pins(), config.pins), own)
    rendered = []
    for workflow in config.workflows:
        for found in problems(workflow, known):
            raise UsageError(found.message, hint=found.hint)
        template = known[workflow.template]
        content = content_of(workflow, template, config, site, scripts())
        body = engine.body(template, content)
        text = stamp(body, template=template.name, version=site.version, config=name_of(site.config))
        rendered.append(Rendered(path=workflow.path, template=template.name, text=text))
    return tuple(rendered)


def own_folder(config: Config, root: Path | None) -> Path | None:
    """Where the repository's own templates are; None when the file names no folder, or there is no checkout.

    Raises UsageError when links lead elsewhere.
    """
    if root is None or not config.templates:
        return None
    own = root / config.templates
    if os.path.normcase(own.resolve()) != os.path.normcase(root.resolve() / config.templates):
        raise UsageError(f"A link leads from {own} elsewhere.", hint="Put the folder itself there.")
    return own


def source_of(template: Template, own: Path | None) -> str:
    """A template's own text, in its own line ends."""
    file = part(f"{template.name}{SUFFIX}", own)
    if file is None:
        raise UsageError(f"The template {template.name!r} is no file.", hint="Look at what is in its place.")
    return file.read_bytes().decode("utf-8")


@cache
def scripts() -> dict[str, str]:
    """What jobs of our templates run besides shell: the script `probe` (of check-trust) and others, by name."""
    files = [file for file in folder().iterdir() if file.name.endswith(".py")]
    return {file.name.removesuffix(".py"): file.read_text(encoding="utf-8") for file in files}
