"""What is wrong with the configuration's workflows, in the eyes of the templates. Must not render."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from trustsmith.errors import closest
from trustsmith.render.options import holds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trustsmith.model.config import OptionValue, Workflow
    from trustsmith.render.catalogue import Template
    from trustsmith.render.options import Option


class Found(NamedTuple):
    """A problem: where in the file, what, and what to do."""

    path: tuple[str, ...]
    message: str
    hint: str


def problems(workflow: Workflow, known: Mapping[str, Template]) -> Iterator[Found]:
    """Everything that the workflow asks for and its template does not have."""
    here = ("workflows", workflow.name)
    template = known.get(workflow.template)
    if template is None:
        message = f"There is no template {workflow.template!r} (workflow {workflow.name!r})."
        hint = f"{closest(workflow.template, known)}Templates: {', '.join(known)}."
        yield Found((*here, "template"), message, hint)
        return
    given = {"run": workflow.run is not None, "paths": bool(workflow.paths), "reusable": workflow.reusable}
    for key in (key for key, there in given.items() if there and key not in template.takes):
        takers = ", ".join(name for name, one in known.items() if key in one.takes)
        message = (
            f"Workflow {workflow.name!r} has {key!r}, which the template {template.name} has no use for."
        )
        yield Found((*here, key), message, f"Remove it; these take it: {takers}.")
    if workflow.reusable and workflow.paths:
        message = (
            f"Workflow {workflow.name!r} is 'reusable', so no push starts it, and 'paths' has no effect."
        )
        yield Found((*here, "paths"), message, "Remove one of the two.")
    if template.options is not None:
        yield from _options(workflow, template, template.options)


def _options(workflow: Workflow, template: Template, options: Mapping[str, Option]) -> Iterator[Found]:
    given, settings = workflow.options, template.settings(workflow.options)
    for name in (name for name in given if name not in options):
        hint = f"{closest(name, options)}It has: {', '.join(options) or 'none'}."
        yield Found(
            ("workflows", workflow.name, "with", name),
            f"The template {template.name} has no option {name!r}.",
            hint,
        )
    for name, option in options.items():
        here = ("workflows", workflow.name, "with", name)
        if name not in given and option.required is not None and holds(option.required, settings):
            message = f"Workflow {workflow.name!r} lacks '{name}' under 'with', which the template {template.name} needs."
            yield Found(here, message, option.about)
        elif wrong := option.problem(settings[name]):
            yield Found(here, wrong, option.about)
        else:
            for misfit, hint in option.misfits(settings[name], workflow.environments):
                yield Found(here, f"Workflow {workflow.name!r}: {misfit}", hint)
    yield from _twice(workflow, options, settings)


def _twice(
    workflow: Workflow, options: Mapping[str, Option], settings: Mapping[str, OptionValue]
) -> Iterator[Found]:
    """Names that a job would be handed from two places."""
    seen: dict[str, str] = {}
    for name, option in options.items():
        value = settings[name]
        if option.handed_on and isinstance(value, tuple):
            for item in dict.fromkeys(value):
                if seen.setdefault(item, name) != name:
                    message = f"Workflow {workflow.name!r} has {item!r} both under {seen[item]!r} and under {name!r}."
                    yield Found(("workflows", workflow.name, "with", name), message, "Keep one.")
