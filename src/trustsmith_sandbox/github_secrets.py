"""Secrets of GitHub environments, repositories and organizations.

A secret arrives sealed for its place's public key and is really opened, so a wrong box is refused
(reference "GitHub REST", secrets). Answers must never contain a value; jobs get them from the world.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from trustsmith_sandbox import keys
from trustsmith_sandbox.github_access import Need
from trustsmith_sandbox.github_routes import on_repository
from trustsmith_sandbox.github_values import (
    STORES,
    Shelf,
    kept,
    reaches,
    selected_route,
    shelf_routes,
    store_routes,
    visibility,
)
from trustsmith_sandbox.github_wire import field, paged, refusal, touch
from trustsmith_sandbox.http import Answer

if TYPE_CHECKING:
    from trustsmith_sandbox.http import Call
    from trustsmith_sandbox.world import Data


def _shape(call: Call, shelf: Shelf, secret: Data) -> Data:
    shown: Data = {key: secret[key] for key in ("name", "created_at", "updated_at")}
    if shelf.place == "organization":
        shown["visibility"] = secret["visibility"]
        if secret["visibility"] == "selected":
            place = f"{call.base}/orgs/{shelf.owner['login']}/{shelf.store}/secrets"
            path = f"{place}/{secret['name']}/repositories"
            shown["selected_repositories_url"] = path
    return shown


def _list(call: Call, shelf: Shelf) -> Answer:
    ordered = sorted(shelf.values.values(), key=lambda secret: str(secret["name"]))
    return paged(call, ordered, lambda secret: _shape(call, shelf, secret), key="secrets")


def _public_key(call: Call, shelf: Shelf) -> Answer:
    return Answer(200, keys.box_public(call.world, shelf.box))


def _get(call: Call, shelf: Shelf) -> Answer:
    return Answer(200, _shape(call, shelf, shelf.named(call)))


def _put(call: Call, shelf: Shelf) -> Answer:
    name = shelf.free(call.params["name"], value := _opened(call, shelf))
    before = shelf.values.get(name)
    secret: Data = {**(before or {}), "name": name, "value": value}
    if shelf.place == "organization":
        secret |= visibility(call, before)
    shelf.values[name] = touch(call.world, secret)
    return Answer(201, {}) if before is None else Answer(204)


def _opened(call: Call, shelf: Shelf) -> str:
    """Return the value. Raises 422 unless it was sealed with the key that this place gives out now."""
    if field(call, "key_id", str, required=True) != keys.box_public(call.world, shelf.box)["key_id"]:
        raise refusal(422, "The key_id is not that of the current public key.")
    try:
        sealed = base64.b64decode(field(call, "encrypted_value", str, required=True), validate=True)
    except binascii.Error:
        raise refusal(422, "encrypted_value is not valid Base64.") from None
    value = keys.box_open(call.world, shelf.box, sealed)
    if value is None:
        raise refusal(422, "encrypted_value was not encrypted with this place's public key.")
    return value.decode(errors="replace")


def _delete(call: Call, shelf: Shelf) -> Answer:
    del shelf.values[shelf.named(call)["name"]]
    return Answer(204)


def _from_organization(call: Call, repository: Data) -> Answer:
    return _usable(call, repository, "actions")


def _for_agents(call: Call, repository: Data) -> Answer:
    return _usable(call, repository, "agents")


def _usable(call: Call, repository: Data, store: str) -> Answer:
    owner = call.world.data["github"]["organizations"].get(repository["owner"])
    values = kept(owner, "secrets", store).values() if owner else ()
    usable = [secret for secret in values if reaches(secret, repository)]
    plain = Shelf("secrets", "repository", repository, {})
    return paged(call, usable, lambda secret: _shape(call, plain, secret), key="secrets")


_OPERATIONS = (
    ("GET", "", _list, "names"),
    ("GET", "/public-key", _public_key, "public key"),
    ("GET", "/{name}", _get, "one"),
    ("PUT", "/{name}", _put, "create or replace"),
    ("DELETE", "/{name}", _delete, "delete"),
)
ROUTES = (
    *(route for operation in _OPERATIONS for route in shelf_routes("secrets", *operation)),
    *(route for operation in _OPERATIONS for route in store_routes(*operation)),
    *(selected_route("secrets", store) for store in ("actions", *STORES)),
    *on_repository(
        "GET",
        "/actions/organization-secrets",
        _from_organization,
        "Organization secrets a repository can use",
        Need("secrets:read", role="write"),
    ),
    *on_repository(
        "GET",
        "/agents/organization-secrets",
        _for_agents,
        "Agents: organization secrets a repository can use",
        Need("agents_secrets:read", role="write"),
    ),
)
