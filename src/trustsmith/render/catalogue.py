"""The templates that there are: ours, and those in the folder that the configuration names.

Each is `NAME.yml.j2`, and `NAME.toml` with what it is for, its options, and what its jobs do in Azure. Must not render. A file that begins with `_` is a part of others, and no template.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trustsmith.errors import UsageError
from trustsmith.model.operations import LEVELS, Operation
from trustsmith.model.pins import Pin
from trustsmith.render.options import KINDS, Condition, Option, holds

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

    from trustsmith.model.config import OptionValue, Workflow

SUFFIX = ".yml.j2"
#: What a workflow may have besides environments, and a template may have no place for.
TAKES = ("run", "paths", "reusable")
#: What a job may want to know of its environment's first project.
FACTS = ("resource_group", "account", "project")
_AT = re.compile(r" \(at line (\d+), column (\d+)\)$")
#: What a row of a matrix has besides options and facts.
_ROW = ("environment", "runner")


@dataclass(frozen=True, kw_only=True)
class Template:
    """A template and what it declares.

    title: of a job, with `{environment}` in it; verb: how a job's id begins. in_order: jobs wait for each other.
    takes: which of `run`, `paths` and `reusable` it has a place for. facts: what of FACTS its jobs are told.
    complete: its operations are all that its jobs do in Azure; they run no code that may do more.
    own: it is the repository's, and not ours.
    options: None when it does not say which it has: then any are handed on.
    operations: each with the options on which it hangs.
    """

    name: str
    purpose: str = ""
    title: str = "{environment}"
    verb: str = "job"
    in_order: bool = True
    takes: tuple[str, ...] = TAKES
    facts: tuple[str, ...] = ()
    complete: bool = False
    own: bool = False
    options: Mapping[str, Option] | None = None
    operations: tuple[tuple[Operation, Condition], ...] = ()

    def settings(self, given: Mapping[str, OptionValue]) -> dict[str, OptionValue]:
        """Every option with its value."""
        if self.options is None:
            return dict(given)
        return {name: given.get(name, option.default) for name, option in self.options.items()}

    def operations_of(self, workflow: Workflow) -> tuple[Operation, ...]:
        """What the jobs of a workflow do in Azure, with the options that it has."""
        settings = self.settings(workflow.options)
        return tuple(operation for operation, when in self.operations if holds(when, settings))


@cache
def folder() -> Traversable:
    """Find our templates: in the installed package, or at the top of a checkout (an editable installation)."""
    packaged = resources.files("trustsmith") / "templates"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "templates"


def part(name: str, own: Path | None) -> Traversable | None:
    """A file of our templates' folder, else of the folder `own`; None when neither has it.

    Raises UsageError for what is elsewhere, by its name or because a link leads there: who writes templates for the check of
    a pull request is not to read other files of the machine that renders them.
    """
    if name in _names():
        return folder() / name
    if own is None:
        return None
    file = own / name
    if not os.path.realpath(file).startswith(os.path.join(os.path.realpath(own), "")):  # noqa: PTH118 - with the separator
        raise UsageError(f"{name} leads out of {own}.", hint="Put the file itself into that folder.")
    return file if file.is_file() else None


@cache
def _names() -> frozenset[str]:
    return frozenset(item.name for item in folder().iterdir())


@cache
def packaged_pins() -> tuple[Pin, ...]:
    """The pins of actions that we come with; a repository's own go before them."""
    pins = json.loads((folder() / "actions.json").read_text(encoding="utf-8"))
    return tuple(Pin(action=action, **pin) for action, pin in pins.items())


def catalogue(own: Path | None = None) -> dict[str, Template]:
    """All templates by name, sorted. own: the folder of the repository's templates.

    Raises UsageError for a folder that is not there, one of its files that is broken, and a name that is ours.
    """
    found, broken = survey(own)
    for error in broken.values():
        raise error
    return found


def survey(own: Path | None = None) -> tuple[dict[str, Template], dict[str, UsageError]]:
    """As `catalogue`, and by name what is wrong with others. Raises UsageError for a folder that is not there."""
    found, broken = dict(_ours()), dict[str, UsageError]()
    if own is None:
        return found, broken
    if not own.is_dir():
        hint = "Make the folder, or correct 'templates' in the file."
        raise UsageError(f"There is no folder {own} with templates.", hint=hint)
    for name in _listed(own):
        try:
            found[name] = _new(name, own)
        except UsageError as error:
            broken[name] = error
    return dict(sorted(found.items())), broken


@cache
def _ours() -> dict[str, Template]:
    return {name: _template(name, None) for name in _listed(folder())}


def _listed(place: Traversable) -> list[str]:
    """The names of a folder's templates."""
    names = sorted(item.name for item in place.iterdir() if not item.name.startswith("_"))
    return [name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX)]


def _new(name: str, own: Path) -> Template:
    if name in _ours():
        hint = f"Give it another name, such as my-{name}{SUFFIX}."
        raise UsageError(f"{own / (name + SUFFIX)} has the name of a template of trustsmith.", hint=hint)
    return _template(name, own)


def _template(name: str, own: Path | None) -> Template:
    file = part(f"{name}.toml", own)
    if file is None:
        return Template(name=name, own=own is not None)
    try:
        return _declared(name, _said(file, own), own=own is not None)
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        what = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        # tomllib says where only in its message, before Python 3.14.
        at = _AT.search(what) if isinstance(error, tomllib.TOMLDecodeError) else None
        where, what = (f"{file}:{at[1]}:{at[2]}", what[: at.start()]) if at else (str(file), what)
        hint = "What such a file holds: docs/templates.md; or, as an example, one of ours:\n  trustsmith templates --format json"
        raise UsageError(f"{where} does not describe a template: {what}.", hint=hint) from None


def _said(file: Traversable, own: Path | None) -> dict[str, Any]:
    """What a description says, with the options and operations of the parts that it includes."""
    said = tomllib.loads(file.read_text(encoding="utf-8"))
    for name in said.pop("include", ()):
        found = part(f"{name}.toml", own)
        if found is None:
            raise ValueError(f"there is no {name}.toml, which it includes")
        more = tomllib.loads(found.read_text(encoding="utf-8"))
        said["options"] = said.get("options", {}) | more.get("options", {})
        said["operations"] = [*said.get("operations", ()), *more.get("operations", ())]
    return said


def _declared(name: str, said: dict[str, Any], *, own: bool) -> Template:
    """A template as its file describes it. Raises KeyError, TypeError or ValueError."""
    about = {"purpose": str, "title": str, "verb": str, "in_order": bool, "complete": bool}
    if unknown := sorted(said.keys() - about.keys() - {"takes", "facts", "options", "operations"}):
        raise ValueError(f"it has the unknown key {unknown[0]!r}")
    for key in about.keys() & said.keys():
        if type(said[key]) is not about[key]:
            raise TypeError(f"{key!r} is of the wrong kind")
    plain = {key: said[key] for key in about.keys() & said.keys()}
    options = said.get("options", {})
    return Template(
        name=name,
        own=own,
        takes=_some(said, "takes", TAKES),
        facts=_some(said, "facts", FACTS),
        options={key: _option(key, what, options) for key, what in options.items()},
        operations=tuple(
            (_operation(what), _condition(what.get("when", {}), options))
            for what in said.get("operations", ())
        ),
        **plain,
    )


def _some(said: dict[str, Any], key: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """A list of known words; empty when it is not there."""
    given = tuple(said.get(key, ()))
    if stranger := [word for word in given if word not in known]:
        raise ValueError(f"{key!r} knows {', '.join(known)}; not {stranger[0]!r}")
    return given


def _option(name: str, said: dict[str, Any], options: Mapping[str, Any]) -> Option:
    kind, required = said["kind"], said.get("required", False)
    if kind not in KINDS:
        raise ValueError(f"an option is of kind {', '.join(KINDS)}; {name!r} is not")
    default = KINDS[kind][-1] if required is True else said["default"]
    option = Option(
        name=name,
        kind=kind,
        about=_text(said["about"]),
        default=tuple(map(_text, default)) if isinstance(default, list) else default,
        values=tuple(map(_text, said.get("values", ()))),
        required=_condition({} if required is True else required, options) if required else None,
        apart=said.get("apart", False),
    )
    if wrong := "" if required is True else option.problem(option.default):
        raise ValueError(f"the default does not fit: {wrong}")
    if option.filled and name in {*_ROW, *FACTS}:
        raise ValueError(f"an option of kind {kind} cannot be called {name!r}")
    return option


def _condition(said: Mapping[str, Any], options: Mapping[str, Any]) -> Condition:
    """Option → a value, or a list of values, of which it has one."""
    if stranger := [name for name in said if name not in options]:
        raise ValueError(f"it hangs on the option {stranger[0]!r}, which it does not have")
    wanted = {name: tuple(value) if isinstance(value, list) else (value,) for name, value in said.items()}
    if strange := [one for values in wanted.values() for one in values if not isinstance(one, str | int)]:
        raise ValueError(f"no option can be {strange[0]!r}")
    return wanted


def _operation(said: dict[str, Any]) -> Operation:
    if said["at"] not in LEVELS:
        raise ValueError(f"an operation is at {', '.join(LEVELS)}; not at {said['at']!r}")
    does, action = _text(said["does"]), _text(said["action"])
    return Operation(does=does, action=action, data=said.get("data", False), at=said["at"])


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
