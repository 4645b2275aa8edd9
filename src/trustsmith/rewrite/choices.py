"""What people and the configuration decide about a rewriting. Frozen values; must not know a workflow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trustsmith.model.pins import Pin


@dataclass(frozen=True, kw_only=True)
class Choices:
    """environments: "JOB" or "FILE:JOB" → environment; "*" is any job. known: the environments that there are.

    pin: of azure/login. audience: of the tokens. also: inputs that azure/login needs besides the ids, the audience among
    them when it is not the common one.
    store: where environments keep the ids that the rewriting brings in, as expressions name it.
    applications: of the configuration, environment → client id; "" for one that is trustsmith's to make, and nothing
    for what the configuration does not say.
    """

    pin: Pin
    audience: str
    also: Mapping[str, str] = field(default_factory=dict)
    environments: Mapping[str, str] = field(default_factory=dict)
    known: tuple[str, ...] = ()
    store: Literal["vars", "secrets"] = "vars"
    applications: Mapping[str, str] = field(default_factory=dict)
