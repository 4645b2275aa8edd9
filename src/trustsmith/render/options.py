"""Options of templates: their kinds, and what is wrong with a value. Must not read files, or render."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from trustsmith.model.config import OptionValue

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

#: Stands for the environment's name in options of the kinds `path` and `name`.
ENVIRONMENT = "{environment}"
#: Option → values: it has one of them, or is a list that holds one.
Condition = dict[str, tuple[OptionValue, ...]]
Kind = Literal["text", "number", "flag", "list", "path", "name", "cron", "variables", "secrets"]
#: For each kind the type of its values, how that is said, and what stands for "nothing".
KINDS: Mapping[Kind, tuple[type, str, OptionValue]] = {
    "text": (str, "text", ""),
    "number": (int, "a whole number", 0),
    "flag": (bool, "true or false", False),
    "list": (tuple, "a list of texts", ()),
    "path": (str, "text", ""),
    "name": (str, "text", ""),
    "cron": (str, "text", ""),
    "variables": (tuple, "a list of names", ()),
    "secrets": (tuple, "a list of names", ()),
}
#: Where GitHub keeps what options of these kinds name.
CONTEXTS = {"variables": "vars", "secrets": "secrets"}
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._()-]*")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
# How far each field of a cron line goes, and by which names it is known too; as at
# https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#schedule
_CRON = (
    (0, 59, ()),
    (0, 23, ()),
    (1, 31, ()),
    (1, 12, ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")),
    (0, 6, ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")),
)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# What templates of ours set themselves, and what GitHub does not let one set.
_TAKEN = re.compile(
    r"(GITHUB|RUNNER|ACTIONS|ARM|TRUSTSMITH)_.*"
    r"|AZURE_(CLIENT_ID|TENANT_ID|SUBSCRIPTION_ID|AI_PROJECT_ENDPOINT.*|ENV_NAME|LOCATION|RESOURCE_GROUP|TOKEN_CREDENTIALS|CORE_NO_COLOR)"
    r"|TRUSTSMITH|CI|PATH",
    re.IGNORECASE,
)


def holds(condition: Condition, settings: Mapping[str, OptionValue]) -> bool:
    """Whether all options are as the condition says."""

    def met(name: str, wanted: tuple[OptionValue, ...]) -> bool:
        value = settings.get(name)
        return bool(set(value) & set(wanted)) if isinstance(value, tuple) else value in wanted

    return all(met(name, wanted) for name, wanted in condition.items())


@dataclass(frozen=True, kw_only=True)
class Option:
    """One option of a template, as `with` gives it.

    kind: besides what YAML has, `path` (a file or folder of the repository, from its top), `name` (letters, digits, and
    `._()-`), `cron` (a schedule of GitHub's), `variables` and `secrets` (names of those of the GitHub environment).
    default: what it is when it is not given. values: what it, or each item of it, may be; empty for anything.
    required: when it has to be given: None for never, nothing in it for always.
    apart: with several environments it has to be another one for each.
    """

    name: str
    kind: Kind
    about: str
    default: OptionValue
    values: tuple[str, ...] = ()
    required: Condition | None = None
    apart: bool = False

    @property
    def filled(self) -> bool:
        """Whether `{environment}` in it stands for the environment's name."""
        return self.kind in {"path", "name"}

    @property
    def handed_on(self) -> bool:
        """Whether it names what jobs get from the GitHub environment."""
        return self.kind in CONTEXTS

    def problem(self, given: OptionValue) -> str:
        """What is wrong with a value; empty for a good one."""
        wanted, words, _ = KINDS[self.kind]
        if type(given) is not wanted:
            return f"'{self.name}' must be {words}."
        items = given if isinstance(given, tuple) else (given,)
        wrong = [item for item in items if self.values and item not in self.values]
        if wrong:
            return f"'{self.name}' knows {', '.join(self.values)}; not {wrong[0]!r}."
        check = _CHECKS.get(self.kind)
        found = (check(item) for item in items if check and isinstance(item, str))
        return next((f"'{self.name}': {said}" for said in found if said), "")

    def misfits(self, value: OptionValue, environments: Collection[str]) -> Iterator[tuple[str, str]]:
        """What is wrong with a good value in a workflow with these environments, and what to do about it."""
        if not self.filled or not isinstance(value, str):
            return
        if ENVIRONMENT in value:
            for name in environments:
                if not _FILE.fullmatch(name):
                    said = f"The environment {name!r} cannot stand for {ENVIRONMENT} in '{self.name}' ({value}): "
                    hint = f"Give that environment a workflow of its own, with '{self.name}' written without {ENVIRONMENT}."
                    yield said + "letters, digits, '.', '_' and '-' can.", hint
        elif self.apart and len(environments) > 1:
            yield (
                f"'{self.name}' ({value or 'nothing'}) would be the same for all of {', '.join(environments)}.",
                f"Write it with {ENVIRONMENT}, or give each environment a workflow of its own.",
            )


def _path(text: str) -> str:
    """Why a text is no path to something in the repository."""
    plain = text.replace(ENVIRONMENT, "x")
    if re.search(r"[\x00-\x1f\\:${}]", plain):
        return f"{text!r} is no path: it takes '/' and {ENVIRONMENT}, and none of \\ : $ {{ }}."
    if text and (plain[0] in "-~@" or {"", ".", ".."} & set(plain.split("/"))):
        return f"{text!r} is no path from the top of the repository, such as infra/{ENVIRONMENT}.json."
    return ""


def _name(text: str) -> str:
    if text and not _NAME.fullmatch(text.replace(ENVIRONMENT, "x")):
        return f"{text!r} is no name: letters, digits, '.', '_', '-' and {ENVIRONMENT}."
    return ""


def _cron(text: str) -> str:
    """Why GitHub would not run anything on such a schedule."""
    fields = text.split(" ")
    if text and len(fields) != len(_CRON):
        return f"{text!r} is no schedule: it takes five fields, such as '17 5 * * *' for each day at 05:17 by UTC."
    for field, (first, last, names) in zip(fields, _CRON, strict=False):
        if text and not all(_is_span(part, first, last, names) for part in field.split(",")):
            known = f"{first} to {last}" + (f", {names[0]} to {names[-1]}" if names else "")
            return f"{field!r} in {text!r} is no part of a schedule: it takes *, {known}, and , - / between them."
    return ""


def _is_span(part: str, first: int, last: int, names: tuple[str, ...]) -> bool:
    """Whether it is `*`, a value, or a span of them, with or without a step."""
    found = re.fullmatch(r"(?:\*|(\w+)(?:-(\w+))?)(?:/([1-9][0-9]?))?", part, re.ASCII)
    values = [value for value in found.groups()[:2] if value] if found else []
    numbers = [names.index(v.upper()) + first if v.upper() in names else _number(v) for v in values]
    return found is not None and all(first <= n <= last for n in numbers) and numbers == sorted(numbers)


def _number(text: str) -> int:
    return int(text) if re.fullmatch("[0-9]{1,2}", text) else -1


def _variable(text: str) -> str:
    if not _VARIABLE.fullmatch(text):
        return f"{text!r} is no variable's name: letters, digits and '_'."
    return f"{text} is set by the workflow itself, or by GitHub." if _TAKEN.fullmatch(text) else ""


_CHECKS: Mapping[Kind, Callable[[str], str]] = {
    "path": _path,
    "name": _name,
    "cron": _cron,
    "variables": _variable,
    "secrets": _variable,
}
