"""What a job of check-trust found, read from its log. Pure; must not judge it (`verify` does) nor fetch anything.

A log holds more than what the script printed: the runner shows a step's variables, and those come from whoever started
the run. So only a line of its own counts, and the last one.
"""

from __future__ import annotations

import binascii
import json
import re
from base64 import b64decode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_LINE = re.compile(r"^(?:\S+Z )?trustsmith-result: ([A-Za-z0-9+/]+=*)\s*$", re.MULTILINE)
_SCHEMA = 1


@dataclass(frozen=True, kw_only=True)
class Reached:
    """What one of the environment's own projects answered. status: HTTP's, 0 for no answer."""

    endpoint: str
    host: str
    addresses: tuple[str, ...]
    status: int
    waited_s: float
    message: str


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one job found.

    code: Entra's ("AADSTS700213"), empty where it gave none. waited_s: seconds. ok: the token was exchanged.
    others: environment → what each of its projects answered: an HTTP status, 0 for no answer, None for not called.
    """

    nonce: str
    environment: str
    issuer: str
    subject: str
    audience: str
    client_id: str
    ok: bool
    code: str
    message: str
    waited_s: float
    claims: Mapping[str, Any] = field(default_factory=dict)
    projects: tuple[Reached, ...] = ()
    others: Mapping[str, tuple[int | None, ...]] = field(default_factory=dict)


def read(log: str) -> tuple[Result, dict[str, Any]] | None:
    """The result in a job's log, and the document it was made of; None when there is none that can be read."""
    lines = _LINE.findall(log.replace("\r\n", "\n"))
    if not lines:
        return None
    try:
        document = json.loads(b64decode(lines[-1], validate=True))
        if document["schema"] != _SCHEMA:
            return None
        return _result(document), document
    except (binascii.Error, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _result(document: dict[str, Any]) -> Result:
    names = ("nonce", "environment", "issuer", "subject", "audience", "client_id")
    exchange = document["exchange"]
    return Result(
        **{name: str(document[name] or "") for name in names},
        ok=exchange["ok"] is True,
        code=str(exchange["code"]),
        message=str(exchange["message"]),
        waited_s=float(exchange["waited_s"]),
        claims=dict(document["claims"]),
        projects=tuple(_reached(project) for project in document["projects"]),
        others={
            str(name): tuple(None if one["status"] is None else int(one["status"]) for one in found)
            for name, found in document["others"].items()
        },
    )


def _reached(project: dict[str, Any]) -> Reached:
    return Reached(
        endpoint=str(project["endpoint"]),
        host=str(project["host"]),
        addresses=tuple(str(address) for address in project["addresses"]),
        status=int(project["status"]),
        waited_s=float(project["waited_s"]),
        message=str(project["message"]),
    )
