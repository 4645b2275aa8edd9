"""Which application a credential belongs to: its client id, where the workflow or a variable says it.

An id that is kept as a secret cannot be read; then nothing is said. Must not ask anything.
"""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING

from trustsmith.migrate.expressions import references
from trustsmith.migrate.inventory import Identity, is_guid, jobs_of
from trustsmith.migrate.patterns import PATTERNS
from trustsmith.migrate.shell import option

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from trustsmith.migrate.inventory import Seen
    from trustsmith.migrate.repository import Spot
    from trustsmith.migrate.scan import Use

_ID = re.compile(
    r"(?:(?:azure|arm|aad|sp)[-_]?)?(?:client|app|application|principal)[-_]?id|azure_ad_client_id",
    re.IGNORECASE,
)
_IN_JSON = re.compile(r"clientId\\?[\"']?\s*:\s*\\?[\"']?(\$\{\{.*?\}\}|[0-9a-fA-F-]{36})")
_VARIABLE = re.compile(r"^[\"']?\$(?:env:|\{)?(\w+)\}?[\"']?$|^%(\w+)%$", re.IGNORECASE)
_SUFFIX = re.compile(r"_?(CLIENT_?SECRET|SECRET|PASSWORD|CREDENTIALS?|CREDS?)$", re.IGNORECASE)


def identities(uses: Iterable[Use], seen: Seen, configured: Mapping[str, str]) -> list[Identity]:
    """The applications that uses and variables name. configured: client id → how it is known ("environment prod")."""
    how: dict[str, dict[str, None]] = defaultdict(dict)
    secrets: dict[str, dict[str, None]] = defaultdict(dict)
    for use in (use for use in uses if PATTERNS[use.pattern].entra):
        for client_id, said in _beside(use, seen):
            how[client_id][said] = None
            secrets[client_id] |= dict.fromkeys(use.secrets)
    for variable in seen.variables:
        if _ID.search(variable.name) and is_guid(variable.value):
            where = f" of environment {variable.environment}" if variable.environment else ""
            how[variable.value.lower()][f"variable {variable.name}{where}"] = None
    for client_id, said in configured.items():
        how[client_id.lower()][said] = None
    return [
        Identity(client_id=client_id, how=tuple(said), secrets=tuple(secrets[client_id]))
        for client_id, said in how.items()
    ]


def _beside(use: Use, seen: Seen) -> Iterator[tuple[str, str]]:
    """Client ids that stand beside a credential, and how each is known."""
    for text in _texts(use):
        for client_id, said in _meaning(text, use, seen):
            yield client_id.lower(), said or f"{use.file}:{use.line}"


def _texts(use: Use) -> Iterator[str]:
    """What is given as client id where the credential is given."""
    spot, command = use.spot, use.hit.command if use.hit else None
    words = command.words if command is not None else ()
    if word := option(words, "-u", "--username", "--client-id", "-applicationid"):
        yield word.text.partition("=")[2] if word.text.startswith("--") else word.text
    if found := _IN_JSON.search(spot.node.value):
        yield found[1]
    if spot.input and spot.step is not None:
        yield from (p.value.value for name, p in spot.step.inputs.items() if _ID.fullmatch(name))
    if spot.variable:
        yield from _siblings(spot)


def _siblings(spot: Spot) -> Iterator[str]:
    """`ARM_CLIENT_ID` for `ARM_CLIENT_SECRET`; in the same list of variables, or around it."""
    stem = _SUFFIX.sub("", spot.variable)
    for name in dict.fromkeys((f"{stem}_CLIENT_ID", f"{stem}_ID", "AZURE_CLIENT_ID", "ARM_CLIENT_ID")):
        for holder in (spot.step, spot.job, spot.workflow):
            if holder is not None and name in holder.env:
                yield holder.env[name].value.value
                return


def _meaning(text: str, use: Use, seen: Seen, depth: int = 4) -> Iterator[tuple[str, str]]:
    """Client ids that a text stands for; how is "" where it is written out."""
    text = text.strip().strip("\"'")
    if is_guid(text):
        yield text, ""
    if not depth:
        return
    for each in references(text):
        if each.context == "vars":
            yield from _variable(each.name, use, seen)
        elif each.context == "env":
            yield from _meaning(_env(use.spot, each.name), use, seen, depth - 1)
    if found := _VARIABLE.match(text):
        yield from _meaning(_env(use.spot, found[1] or found[2]), use, seen, depth - 1)


def _variable(name: str, use: Use, seen: Seen) -> Iterator[tuple[str, str]]:
    """The values that GitHub has for a variable, where the use's jobs may read them."""
    own = {job.environment.value for job in jobs_of(use.spot) if job.environment is not None}
    computed = any("${{" in one for one in own)
    for variable in seen.variables:
        readable = not variable.environment or computed or variable.environment in own
        if variable.name == name and readable and is_guid(variable.value):
            yield variable.value, f"variable {name}"


def _env(spot: Spot, name: str) -> str:
    for place in (spot, *(call.spot for call in spot.calls)):
        for holder in (place.step, place.job, place.workflow):
            if holder is not None and name in holder.env:
                return holder.env[name].value.value
    return ""
