"""Workflow files from templates and the configuration. The only user of jinja2.

Must not read the configuration file, write a file, ask a service, or know a default branch: the same configuration
gives the same text on every machine. What it returns has been parsed again and compared with what was meant.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trustsmith.errors import UsageError
from trustsmith.generated import block, scalar, stamp
from trustsmith.model.config import CHECK_TRUST, Config, Workflow
from trustsmith.model.pins import Pin, merged
from trustsmith.render import trust
from trustsmith.render.check import MisrenderedError, compare
from trustsmith.render.content import Site, content_of, endpoint_names

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

    from jinja2 import Environment as Templates

__all__ = [
    "MisrenderedError",
    "Rendered",
    "Site",
    "endpoint_names",
    "login_environment",
    "operations",
    "packaged_pins",
    "probe",
    "render",
    "template_names",
]

_SUFFIX = ".yml.j2"
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


def template_names() -> tuple[str, ...]:
    """The templates that are there, sorted."""
    files = (item.name for item in _folder().iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in files if name.endswith(_SUFFIX)))


def render(config: Config, site: Site) -> tuple[Rendered, ...]:
    """The workflow files, in the configuration's order.

    Raises UsageError for an unknown template or environment, and for names that no workflow can hold.
    """
    return tuple(_render(workflow, config, site) for workflow in config.workflows)


def _render(workflow: Workflow, config: Config, site: Site) -> Rendered:
    if workflow.template not in template_names():
        message = f"There is no template {workflow.template!r} (workflow {workflow.name!r})."
        raise UsageError(message, hint=f"Templates: {', '.join(template_names())}.")
    body = (
        _trust(workflow, config, site)
        if workflow.template == CHECK_TRUST
        else _deployment(workflow, config, site)
    )
    text = stamp(body, template=workflow.template, version=site.version)
    return Rendered(path=workflow.path, template=workflow.template, text=text)


def _deployment(workflow: Workflow, config: Config, site: Site) -> str:
    meant = content_of(workflow, config, site)
    pins = merged(packaged_pins(), config.pins)
    body = _templates().get_template(workflow.template + _SUFFIX).render(vars(meant) | {"pins": pins})
    compare(body, meant, {action: (pin.use, pin.version) for action, pin in pins.items()})
    return body


def _trust(workflow: Workflow, config: Config, site: Site) -> str:
    meant = trust.content_of(workflow, config, site, probe())
    body = _templates().get_template(workflow.template + _SUFFIX).render(vars(meant))
    trust.compare(body, meant)
    return body


@cache
def probe() -> str:
    """The script that a job of check-trust runs."""
    return (_folder() / "probe.py").read_text(encoding="utf-8")


@cache
def _folder() -> Traversable:
    """Find the templates: in the installed package, or at the top of a checkout (an editable installation)."""
    packaged = resources.files("trustsmith") / "templates"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "templates"


@cache
def _templates() -> Templates:
    """Set jinja2 up with delimiters that leave GitHub's `${{ }}` alone."""
    import jinja2

    loader = jinja2.FunctionLoader(lambda name: (_folder() / name).read_text(encoding="utf-8"))
    templates = jinja2.Environment(  # noqa: S701  (autoescape is for HTML; the filters below quote for YAML)
        loader=loader,
        undefined=jinja2.StrictUndefined,
        block_start_string="[%",
        block_end_string="%]",
        variable_start_string="[[",
        variable_end_string="]]",
        comment_start_string="[#",
        comment_end_string="#]",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters.update(scalar=scalar, block=block, pinned=jinja2.pass_context(_pinned))
    return templates


@cache
def packaged_pins() -> tuple[Pin, ...]:
    """The pins that we come with; those in the configuration go before them."""
    pins = json.loads((_folder() / "actions.json").read_text(encoding="utf-8"))
    return tuple(Pin(action=action, **pin) for action, pin in pins.items())


def operations() -> dict[str, list[dict[str, Any]]]:
    """What the jobs of each template do in Azure, and the action that permits it: template → operations."""
    found: dict[str, list[dict[str, Any]]] = json.loads(
        (_folder() / "operations.json").read_text(encoding="utf-8")
    )
    return found


def _pinned(context: Mapping[str, Any], action: str) -> str:
    """`action@commit # version`: the commit counts, the comment is for people and for tools that update it."""
    pin: Pin = context["pins"][action]
    return f"{pin.use} # {pin.version}"
