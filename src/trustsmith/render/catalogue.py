"""The templates that there are: ours, and those in the folder that the configuration names.

Each is `NAME.yml.j2`, and `NAME.toml` with what it is for, its options, and what its jobs do in Azure. Must not render. A file that begins with `_` is a part of others, and no template.
"""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from trustsmith.errors import UsageError
from trustsmith.model.operations import LEVELS, Operation
from trustsmith.model.pins import Pin

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.resources.abc import Traversable

    from trustsmith.model.config import OptionValue, Workflow

SUFFIX = ".yml.j2"
#: What a workflow may have besides environments, and a template may have no place for.
TAKES = ("run", "paths", "reusable")
#: What a job may want to know of its environment's first project.
FACTS = ("resource_group", "account", "project")
Kind = Literal["text", "number", "flag", "list"]
_TYPES: dict[str, tuple[type, str]] = {
    "text": (str, "text"),
    "number": (int, "a whole number"),
    "flag": (bool, "true or false"),
    "list": (tuple, "a list of texts"),
}


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option of a template, as `with` gives it.

    default: what it is when it is not given. values: what it, or each item of it, may be; empty for anything.
    """

    name: str
    kind: Kind
    about: str
    default: OptionValue
    values: tuple[str, ...] = ()

    def problem(self, given: OptionValue) -> str:
        """What is wrong with a value; empty for a good one."""
        wanted, words = _TYPES[self.kind]
        if type(given) is not wanted:
            return f"'{self.name}' must be {words}."
        items = given if isinstance(given, tuple) else (given,)
        wrong = [item for item in items if self.values and item not in self.values]
        return f"'{self.name}' knows {', '.join(self.values)}; not {wrong[0]!r}." if wrong else ""


@dataclass(frozen=True, kw_only=True)
class Template:
    """A template and what it declares.

    title: of a job, with `{environment}` in it; verb: how a job's id begins. in_order: jobs wait for each other.
    takes: which of `run`, `paths` and `reusable` it has a place for. facts: what of FACTS its jobs are told.
    complete: its operations are all that its jobs do in Azure; they run no code that may do more.
    own: it is the repository's, and not ours.
    options: None when it does not say which it has: then any are handed on.
    operations: with the option and the item on which each hangs, or None.
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
    operations: tuple[tuple[Operation, tuple[str, str] | None], ...] = ()

    def settings(self, given: Mapping[str, OptionValue]) -> dict[str, OptionValue]:
        """Every option with its value."""
        if self.options is None:
            return dict(given)
        return {name: given.get(name, option.default) for name, option in self.options.items()}

    def operations_of(self, workflow: Workflow) -> tuple[Operation, ...]:
        """What the jobs of a workflow do in Azure, with the options that it has."""
        settings = self.settings(workflow.options)

        def wanted(when: tuple[str, str] | None) -> bool:
            value = settings.get(when[0]) if when else None
            return when is None or (when[1] in value if isinstance(value, tuple) else when[1] == value)

        return tuple(operation for operation, when in self.operations if wanted(when))


@cache
def folder() -> Traversable:
    """Find our templates: in the installed package, or at the top of a checkout (an editable installation)."""
    packaged = resources.files("trustsmith") / "templates"
    return packaged if packaged.is_dir() else Path(__file__).parents[3] / "templates"


@cache
def packaged_pins() -> tuple[Pin, ...]:
    """The pins of actions that we come with; a repository's own go before them."""
    pins = json.loads((folder() / "actions.json").read_text(encoding="utf-8"))
    return tuple(Pin(action=action, **pin) for action, pin in pins.items())


def catalogue(own: Path | None = None) -> dict[str, Template]:
    """All templates by name, sorted. own: the folder of the repository's templates.

    Raises UsageError for a folder that is not there, one of its files that is broken, and a name that is ours.
    """
    found = dict(_ours())
    if own is not None:
        if not own.is_dir():
            hint = "Make the folder, or correct 'templates' in the file."
            raise UsageError(f"There is no folder {own} with templates.", hint=hint)
        for name, template in _read(own, own=True).items():
            if name in found:
                hint = f"Give it another name, such as my-{name}{SUFFIX}."
                raise UsageError(
                    f"{own / (name + SUFFIX)} has the name of a template of trustsmith.", hint=hint
                )
            found[name] = template
    return dict(sorted(found.items()))


@cache
def _ours() -> dict[str, Template]:
    return _read(folder(), own=False)


def _read(place: Traversable, *, own: bool) -> dict[str, Template]:
    names = sorted(item.name for item in place.iterdir())
    return {
        name.removesuffix(SUFFIX): _template(place, name.removesuffix(SUFFIX), own=own)
        for name in names
        if name.endswith(SUFFIX) and not name.startswith("_")
    }


def _template(place: Traversable, name: str, *, own: bool) -> Template:
    file = place / f"{name}.toml"
    if not file.is_file():
        return Template(name=name, own=own)
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
        return _declared(name, said, own=own)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        what = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        hint = "What such a file holds:\n  trustsmith templates --format json"
        raise UsageError(f"{file} does not describe a template: {what}.", hint=hint) from None


def _declared(name: str, said: dict[str, Any], *, own: bool) -> Template:
    """A template as its file describes it. Raises KeyError, TypeError or ValueError."""
    about = {"purpose": str, "title": str, "verb": str, "in_order": bool, "complete": bool}
    if unknown := sorted(said.keys() - about.keys() - {"takes", "facts", "options", "operations"}):
        raise ValueError(f"it has the unknown key {unknown[0]!r}")
    for key in about.keys() & said.keys():
        if type(said[key]) is not about[key]:
            raise TypeError(f"{key!r} is of the wrong kind")
    plain = {key: said[key] for key in about.keys() & said.keys()}
    return Template(
        name=name,
        own=own,
        takes=_some(said, "takes", TAKES),
        facts=_some(said, "facts", FACTS),
        options={key: _option(key, what) for key, what in said.get("options", {}).items()},
        operations=tuple(_operation(what) for what in said.get("operations", ())),
        **plain,
    )


def _some(said: dict[str, Any], key: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """A list of known words; empty when it is not there."""
    given = tuple(said.get(key, ()))
    if stranger := [word for word in given if word not in known]:
        raise ValueError(f"{key!r} knows {', '.join(known)}; not {stranger[0]!r}")
    return given


def _option(name: str, said: dict[str, Any]) -> Option:
    default = said["default"]
    option = Option(
        name=name,
        kind=said["kind"],
        about=said["about"],
        default=tuple(default) if isinstance(default, list) else default,
        values=tuple(said.get("values", ())),
    )
    if option.kind not in _TYPES:
        raise ValueError(f"an option is of kind {', '.join(_TYPES)}; {name!r} is not")
    if wrong := option.problem(option.default):
        raise ValueError(f"the default does not fit: {wrong}")
    return option


def _operation(said: dict[str, Any]) -> tuple[Operation, tuple[str, str] | None]:
    if said["at"] not in LEVELS:
        raise ValueError(f"an operation is at {', '.join(LEVELS)}; not at {said['at']!r}")
    done = Operation(does=said["does"], action=said["action"], data=said.get("data", False), at=said["at"])
    when = said.get("when")
    return done, (when["option"], when["is"]) if when else None
