"""Sign-ins to container registries: `az acr login` with azure/login's sign-in, in place of a password.

Each function rewrites one use in a draft, or raises Cannot. Must not touch variables, permissions or environments.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trustsmith.migrate.shell import Word, option
from trustsmith.rewrite.draft import Cannot, Draft, Ids
from trustsmith.rewrite.edits import Edit, content_end, indent_of, line_end, scalar
from trustsmith.rewrite.scripts import cut, is_nested, stands_alone
from trustsmith.rewrite.signins import of_workflow

if TYPE_CHECKING:
    from trustsmith.migrate.scan import Use

_TO_STEP = {"name", "id", "if", "env", "uses", "with", "continue-on-error", "timeout-minutes"}
#: From an action's version to its inputs: the comment that names the version goes with it, others stay.
_BETWEEN = re.compile(r"(?:[ \t]+# v?\d[\w.]*)?([ \t]+#[^\r\n]*)?[ \t]*\r?\n[ \t]*")


def registry(draft: Draft, use: Use) -> None:
    """A registry is signed in to with azure/login's sign-in."""
    (registry_command if use.hit is not None and use.hit.command is not None else registry_step)(draft, use)


def registry_step(draft: Draft, use: Use) -> None:
    """An action that signs in to a registry becomes `az acr login`."""
    step, job = of_workflow(use)
    if step.action not in {"docker/login-action", "azure/docker-login"}:
        raise Cannot("the registry's password is handed to something that needs one")
    if not {pair.key.value for pair in step.node.pairs} <= _TO_STEP:
        raise Cannot("the step has more than a sign-in")
    address = next((step.inputs[n].value.value for n in ("registry", "login-server") if n in step.inputs), "")
    uses, given = step.node.pair("uses"), step.node.pair("with")
    if not address or uses is None or given is None or given.value.alias:
        raise Cannot("the registry's address is not said")
    text, column = job.workflow.text, step.node.pairs[0].key.column - 1
    name, literal = registry_name(address)
    lines = [f"run: az acr login --name {name}" if literal else 'run: az acr login --name "$REGISTRY"']
    env = step.node.get("env")
    if not literal and env is not None:
        raise Cannot("the step has variables of its own")
    if not literal:
        inner = " " * (column + indent_of(job.workflow.root))
        lines += [" " * column + "env:", f"{inner}REGISTRY: {scalar(name)}"]
    start, stop = uses.key.start, content_end(text, given.value)
    between = _BETWEEN.fullmatch(text, content_end(text, uses.value), given.key.start)
    if between is None:
        raise Cannot("something stands between what has to change together")
    lines[0] += between[1] or ""
    draft.change(use.file, [Edit(start, stop, line_end(text).join(lines))])
    draft.sign_in(job, step, Ids())
    _note_registry(draft, use, name)


def registry_command(draft: Draft, use: Use) -> None:
    """`docker login` becomes `az acr login`."""
    command = use.hit.command if use.hit else None
    if command is None:
        raise Cannot("the secret is only handed over here")
    step, job = of_workflow(use)
    spot, words = use.spot, command.after("docker", "login") or command.after("az", "acr", "login")
    first = command.source or command
    alone = stands_alone(spot, first.start, command.end) and not is_nested(spot.node.value, first)
    if spot.key != "run" or words is None or not alone:
        raise Cannot("the sign-in depends on what is around it")
    address = _address(words)
    name, literal = registry_name(address)
    said = name if literal else f'"{address}"'
    draft.change(use.file, [cut(spot, first.start, command.end, f"az acr login --name {said}")])
    draft.sign_in(job, step, Ids())
    _note_registry(draft, use, name)


def _address(words: tuple[Word, ...]) -> str:
    """The registry of `docker login` or `az acr login`."""
    named = option(words, "--name", "-n")
    if named is not None:
        return re.sub(r"^--name=", "", named.text)
    rest, waiting = [], False
    for word in words:
        if waiting:
            waiting = False
        elif word.text.startswith("-"):
            waiting = word.text in {"-u", "-p", "--username", "--password"}
        elif not word.text.startswith((">", "2>")):
            rest.append(word.text)
    if len(rest) != 1:
        raise Cannot("the registry's address is not said")
    return rest[0]


def registry_name(address: str) -> tuple[str, bool]:
    """The name that `az acr login` takes, and whether it is spelled out."""
    plain = re.sub(r"^https?://|/$", "", address)
    found = re.fullmatch(r"([\w-]+)(\.azurecr\.(io|us|cn))?", plain)
    return (found[1], True) if found else (address, False)


def _note_registry(draft: Draft, use: Use, name: str) -> None:
    draft.notes[
        f"{use.file}:{use.line}: the identity needs the role AcrPush (AcrPull to read) on the registry {name}"
    ] = None
