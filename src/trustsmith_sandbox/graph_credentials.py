"""Federated identity credentials of an application, with the limits that Entra documents.

Twenty at most, one audience, immutable names, unique (issuer, subject); a wrong subject is accepted, as
Entra accepts it. It must not decide whether a credential matches a token (``assertions`` does).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from trustsmith_sandbox import graph_core as core
from trustsmith_sandbox import graph_views as views
from trustsmith_sandbox.graph_applications import fields
from trustsmith_sandbox.http import Answer, Call, Refusal

if TYPE_CHECKING:
    from trustsmith_sandbox.world import Data

MOST = 20
LONGEST = 600
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{2,119}")
_FIELDS = ("name", "issuer", "subject", "audiences", "description")


def _application(call: Call, *, writing: bool = False) -> Data:
    app = core.lookup(call, "applications")
    (core.may_write if writing else core.may_read)(call, app)
    held: list[Data] = app.setdefault("federatedIdentityCredentials", [])
    return {"app": app, "held": held}


def _named(call: Call, held: list[Data]) -> Data | None:
    """Return the credential that the path names, by name or by id: the same segment serves both."""
    wanted = core.unquoted(call.params["credential"])
    found = held if _is_upsert(call) else call.world.seen(held)
    return next((c for c in found if wanted in {c["name"], c["id"]}), None)


def _is_upsert(call: Call) -> bool:
    return call.method == "PATCH" and core.creates_if_missing(call) and "(name='" in call.path


def _found(call: Call, held: list[Data]) -> Data:
    thing = _named(call, held)
    if thing is None:
        text = f"FederatedIdentityCredential with name {call.params['credential']} not found."
        raise core.refuse(call, 404, "Request_ResourceNotFound", text)
    return thing


def listing(call: Call) -> Answer:
    """Answer an application's credentials, filtered by name, subject or issuer."""
    return core.many(call, views.CREDENTIAL, call.world.seen(_application(call)["held"]))


def show(call: Call) -> Answer:
    """Answer one credential."""
    return core.one(call, views.CREDENTIAL, _found(call, _application(call)["held"]))


def create(call: Call) -> Answer:
    """Make a credential."""
    held = _application(call, writing=True)["held"]
    return core.one(call, views.CREDENTIAL, _create(call, held, fields(call)), 201)


def change(call: Call) -> Answer:
    """Update a credential; by ``(name='…')`` and with ``Prefer: create-if-missing`` also make it."""
    held = _application(call, writing=True)["held"]
    wanted, thing = fields(call), _named(call, held)
    if thing is None and _is_upsert(call):
        name = core.unquoted(call.params["credential"])
        return core.one(call, views.CREDENTIAL, _create(call, held, wanted | {"name": name}), 201)
    thing = _found(call, held)
    if wanted.get("name", thing["name"]) != thing["name"]:
        raise _invalid(call, "Property 'name' is read-only and cannot be set.", "name", wanted["name"])
    merged = {**thing, **wanted}
    _check(call, merged)
    _check_pair(call, [c for c in held if c is not thing], merged)
    thing.update(wanted)
    return Answer(204)


def delete(call: Call) -> Answer:
    """Delete a credential."""
    held = _application(call, writing=True)["held"]
    held.remove(_found(call, held))
    return Answer(204)


def _create(call: Call, held: list[Data], wanted: Data) -> Data:
    _check(call, wanted)
    if any(c["name"] == wanted["name"] for c in held):
        text = f"FederatedIdentityCredential with name {wanted['name']} already exists."
        raise core.refuse(call, 409, "Request_MultipleObjectsWithSameKeyValue", text)
    _check_pair(call, held, wanted)
    if len(held) >= MOST:
        text = f"The number of federated identity credentials exceeds the limit of {MOST}."
        raise core.bad(call, text, "Request_BadRequest")
    made = {"id": call.world.guid(), "description": None, **wanted}
    held.append(call.world.written(made))
    return made


def _invalid(call: Call, text: str, name: str, value: object) -> Refusal:
    shown = f"{text} paramName: FederatedIdentityCredential.{name.capitalize()}, paramValue: {value}, "
    kind = "objectType: Microsoft.Online.DirectoryServices.Application"
    return core.bad(call, shown + kind, "InvalidFederatedIdentityCredentialValue")


def _check(call: Call, wanted: Data) -> None:
    unknown = sorted(key for key in wanted if key not in {*_FIELDS, "id"} and not key.startswith("_"))
    if unknown:
        raise core.bad(
            call, f"Property '{unknown[0]}' does not exist on FederatedIdentityCredential.", "BadRequest"
        )
    if not _NAME.fullmatch(str(wanted.get("name"))):
        raise _invalid(call, "The name is invalid.", "name", wanted.get("name"))
    for key in ("issuer", "subject"):
        if not _is_value(wanted.get(key)):
            raise _invalid(
                call, f"The {key} is required and at most {LONGEST} characters.", key, wanted.get(key)
            )
    if not wanted["issuer"].startswith("https://"):
        raise _invalid(call, "The issuer must be a valid https URL.", "issuer", wanted["issuer"])
    audiences = wanted.get("audiences")
    if not (isinstance(audiences, list) and len(audiences) == 1 and _is_value(audiences[0])):
        raise _invalid(call, "Exactly one audience is required.", "audiences", audiences)


def _is_value(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST and value == value.strip()


def _check_pair(call: Call, held: list[Data], wanted: Data) -> None:
    issuer, subject = wanted["issuer"], wanted["subject"]
    if any((c["issuer"], c["subject"]) == (issuer, subject) for c in held):
        text = (
            "The combination of issuer and subject must be unique for the application."
            f" Issuer {issuer} and Subject: {subject} already exist."
        )
        raise _invalid(call, text, "subject", subject)
