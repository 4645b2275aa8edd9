"""What applications and service principals alike can hold: passwords and owners.

A password's value is in the answer that made it and never again. It must not judge a password; signing in with
one is ``entra``'s affair.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from trustsmith_sandbox import graph_core as core
from trustsmith_sandbox import graph_views as views
from trustsmith_sandbox.graph_applications import fields
from trustsmith_sandbox.http import Answer, Call

if TYPE_CHECKING:
    from trustsmith_sandbox.world import Data

_YEARS_2 = 2 * 365 * 86400.0


def add_password(call: Call) -> Answer:
    """Make a password for an application or service principal: the one answer that has its value."""
    holder = _holder(call)
    core.may_write(call, holder)
    wanted = fields(call).get("passwordCredential") or {}
    if not isinstance(wanted, dict):
        raise core.bad(call, "Invalid value specified for 'passwordCredential'.", "BadRequest")
    value = f"sandbox~{call.world.guid()}"
    end = wanted.get("endDateTime") or call.world.stamp(offset=_YEARS_2)
    made = {
        "customKeyIdentifier": None,
        "displayName": wanted.get("displayName"),
        "endDateTime": end,
        "hint": value[:3],
        "keyId": call.world.guid(),
        "secretText": None,
        "startDateTime": wanted.get("startDateTime") or call.world.stamp(),
        "_secretText": value,
    }
    _check_time(call, end)
    holder["passwordCredentials"].append(made)
    context = f"{call.base}/$metadata#microsoft.graph.passwordCredential"
    return Answer(200, {"@odata.context": context, **views.password(made), "secretText": value})


def _check_time(call: Call, text: str) -> None:
    try:
        datetime.fromisoformat(text)
    except (TypeError, ValueError):
        raise core.bad(call, "Invalid value specified for property 'endDateTime'.") from None


def remove_password(call: Call) -> Answer:
    """Remove a password by its key id."""
    holder = _holder(call)
    core.may_write(call, holder)
    key = str(fields(call).get("keyId", "")).lower()
    kept = [p for p in holder["passwordCredentials"] if p["keyId"].lower() != key]
    if len(kept) == len(holder["passwordCredentials"]):
        raise core.bad(call, "No password credential found with keyId.")
    holder["passwordCredentials"] = kept
    return Answer(204)


def _holder(call: Call) -> Data:
    return core.lookup(
        call, "service_principals" if call.path.startswith("/servicePrincipals") else "applications"
    )


def owners(call: Call) -> Answer:
    """Answer who owns an application or service principal."""
    holder = _holder(call)
    core.may_read(call, holder)
    context = f"{call.base}/$metadata#directoryObjects"
    return Answer(body={"@odata.context": context, "value": views.objects(call, holder["owners"])})


def add_owner(call: Call) -> Answer:
    """Add an owner by reference; needs to read the directory too (permissions reference, "AlsoRequires")."""
    holder = _holder(call)
    core.may_write(call, holder)
    core.may_read_directory(call)
    owner = _reference(call).rstrip("/").rpartition("/")[2].lower()
    if not views.objects(call, [owner]):
        raise core.missing(call, owner)
    if owner in holder["owners"]:
        raise core.bad(
            call,
            "One or more added object references already exist for the following modified properties: 'owners'.",
        )
    holder["owners"].append(owner)
    return Answer(204)


def _reference(call: Call) -> str:
    """Return the ``@odata.id`` of the request; raises 400 without one."""
    reference = call.body.get("@odata.id") if isinstance(call.body, dict) else None
    if not isinstance(reference, str):
        raise core.bad(call, "Invalid reference: '@odata.id' is required.", "BadRequest")
    return reference


def remove_owner(call: Call) -> Answer:
    """Remove an owner."""
    holder = _holder(call)
    core.may_write(call, holder)
    owner = call.params["owner"].lower()
    if owner not in holder["owners"]:
        raise core.missing(call, owner)
    holder["owners"].remove(owner)
    return Answer(204)
