"""The catalogue of templates as text and JSON. Builds lines; must not print or decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trustsmith.ui.report import Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trustsmith.model.config import OptionValue
    from trustsmith.render import Condition, Option, Template


def lines(templates: Sequence[Template], *, full: bool) -> Iterator[Line]:
    """The templates for people: one paragraph each, or all about them."""
    width = max(len(template.name) for template in templates)
    for template in templates:
        whose = " (yours)" if template.own else ""
        purpose = template.purpose or "(no description)"
        yield Line(f"{template.name:<{width}}  {purpose}{whose}", "bold" if full else "")
        if full:
            yield from _details(template)
    if not full:
        yield Line("")
        yield Line("One of them in full: trustsmith templates NAME", "dim")


def _details(template: Template) -> Iterator[Line]:
    yield Line("")
    yield Line("jobs        " + ("one after another" if template.in_order else "side by side"))
    yield Line("takes       " + (", ".join(template.takes) or "neither run, paths nor reusable"))
    if template.options is None:
        yield Line("options     whatever `with` gives it")
    for heading, option in zip(_heading("options"), (template.options or {}).values(), strict=False):
        yield Line(f"{heading}{option.name} ({option.kind}){_needed(option)}")
        yield Line(f"            {option.about}{_choices(option)}", "dim")
    for heading, (operation, when) in zip(_heading("operations"), template.operations, strict=False):
        only = f", with {_words(when)}" if when else ""
        yield Line(f"{heading}{operation.does}, at the {operation.at}{only}")
        yield Line(f"            {'data action' if operation.data else 'action'} {operation.action}", "dim")


def _heading(word: str) -> Iterator[str]:
    yield f"{word:<12}"
    while True:
        yield " " * 12


def _needed(option: Option) -> str:
    """What an option is when it is not given, or when it has to be."""
    if option.required is None:
        return f" = {_shown(option.default)}"
    return f", required{' with ' + _words(option.required) if option.required else ''}"


def _choices(option: Option) -> str:
    return f" One of: {', '.join(option.values)}." if option.values else ""


def _words(condition: Condition) -> str:
    """A condition for people: "scope: subscription, command: up or provision"."""
    return ", ".join(f"{name}: {' or '.join(map(_shown, values))}" for name, values in condition.items())


def _shown(value: OptionValue) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(value)}]"
    return str(value).lower() if isinstance(value, bool) else str(value) or '""'


def as_json(template: Template) -> dict[str, Any]:
    """A template as data. `options` is null where it takes any."""
    options = None if template.options is None else [_option(option) for option in template.options.values()]
    return {
        "name": template.name,
        "purpose": template.purpose,
        "own": template.own,
        "in_order": template.in_order,
        "complete": template.complete,
        "takes": list(template.takes),
        "options": options,
        "operations": [
            {"does": o.does, "action": o.action, "data": o.data, "at": o.at, "when": _condition(when)}
            for o, when in template.operations
        ],
    }


def _option(option: Option) -> dict[str, Any]:
    default = list(option.default) if isinstance(option.default, tuple) else option.default
    return {
        "name": option.name,
        "kind": option.kind,
        "default": default,
        "about": option.about,
        "values": list(option.values) or None,
        "required": option.required is not None and (_condition(option.required) or True),
        "apart": option.apart,
    }


def _condition(condition: Condition) -> dict[str, list[OptionValue]]:
    return {name: list(values) for name, values in condition.items()}
