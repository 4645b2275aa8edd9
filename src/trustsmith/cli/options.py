"""Flags that every command takes, before or after its name. Must import nothing but click."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import reduce, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from trustsmith.flows.session import Options
    from trustsmith.ui.console import Console

F = TypeVar("F", bound=Callable[..., Any])
_NAMES = ("directory", "config", "endpoints", "sign_in", "no_input", "verbose", "color")

_FLAGS = [
    click.option(
        "-C", "directory", type=click.Path(path_type=Path), metavar="DIR", help="Work in this checkout."
    ),
    click.option(
        "--config",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The configuration, seen from the checkout.  [default: .github/trustsmith.yml]",
    ),
    click.option(
        "--endpoints",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Which hosts to talk to, as JSON; also TRUSTSMITH_ENDPOINTS.  [default: the cloud's own]",
    ),
    click.option(
        "--sign-in",
        type=click.Choice(["auto", "browser", "device-code"]),
        help="auto: workload identity when its variables are set, else Azure CLI, else azd.  [default: auto]",
    ),
    click.option("--no-input", is_flag=True, default=None, help="Never ask anything."),
    click.option("-v", "--verbose", is_flag=True, default=None, help="Say more about what is being done."),
    click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        help="Colours; NO_COLOR counts too.  [default: auto]",
    ),
]


def common(function: F) -> F:
    """Add the common flags to a group or a command."""
    return reduce(lambda decorated, flag: flag(decorated), reversed(_FLAGS), function)


def formats(*names: str) -> Callable[[F], F]:
    """Add `--format` with these choices, the first of which is the default."""
    return click.option(
        "--format",
        "output",
        type=click.Choice(names),
        default=names[0],
        show_default=True,
        help="How the result is printed.",
    )


#: Seconds in a unit of time.
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(ctx: click.Context, parameter: click.Parameter, text: str) -> float:
    """`15m`, `90s`, `1h`, or seconds."""
    found = re.fullmatch(r"(\d{1,5}(?:\.\d)?)([smh]?)", text)
    if found is None or not float(found[1]):
        raise click.BadParameter("a time is a number and s, m or h, such as 15m", ctx, parameter)
    return float(found[1]) * _UNITS[found[2]]


#: One side's part of a plan.
only = click.option(
    "--only",
    multiple=True,
    type=click.Choice(["entra", "azure", "github", "files"]),
    help="One side's part; the others are contacted only to read. May be repeated.",
)
#: A hazard, accepted by name.
allow = click.option(
    "--allow",
    multiple=True,
    metavar="HAZARD=NAME",
    help="Accept a hazard, as the plan names it. May be repeated.",
)
#: The plan, accepted beforehand.
yes = click.option("--yes", is_flag=True, help="Accept the plan; never a hazard.")


def remember(ctx: click.Context, flags: dict[str, Any]) -> dict[str, Any]:
    """The common flags as given so far; those after the command's name win."""
    given = {name: flags.pop(name) for name in _NAMES if name in flags}
    known = ctx.find_object(dict) or {}
    ctx.obj = {**known, **{name: value for name, value in given.items() if value is not None}}
    return dict(ctx.obj)


def command(function: Callable[..., Any]) -> Callable[..., Any]:
    """A command that is handed `console` and `options` made of the common flags, and its own flags."""

    @common
    @click.pass_context
    @wraps(function)
    def wrapped(ctx: click.Context, /, **flags: Any) -> Any:
        shared = remember(ctx, flags)
        console = _console(shared, flags.pop("output", "text"))
        ctx.obj["console"] = console
        root = ctx.find_root()
        root.meta["console"] = console
        return function(console=console, options=_options(shared), **flags)

    return wrapped


def _console(shared: dict[str, Any], output: Any) -> Console:
    from trustsmith.ui.console import Console

    ask = not shared.get("no_input")
    console = Console(output, shared.get("color", "auto"), ask=ask, talkative=bool(shared.get("verbose")))
    console.config = shared.get("config")
    return console


def _options(shared: dict[str, Any]) -> Options:
    from trustsmith.errors import UsageError
    from trustsmith.flows.session import Options

    root = shared.get("directory") or Path.cwd()
    if not root.is_dir():
        raise UsageError(f"There is no directory {root}.", hint="Name the repository's checkout with -C DIR.")
    sign_in = shared.get("sign_in", "auto")
    return Options(root, shared.get("config"), shared.get("endpoints"), sign_in)
