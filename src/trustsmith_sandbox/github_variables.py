"""Variables of GitHub environments, repositories and organizations.

There is no upsert: POST of a name that exists is 409, PATCH of one that does not is 404; lists show ten a
page unless asked, thirty at most (reference "GitHub REST", variables). It must not touch secrets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith_sandbox.github_access import Need
from trustsmith_sandbox.github_routes import on_repository
from trustsmith_sandbox.github_values import Shelf, reaches, selected_route, shelf_routes, visibility
from trustsmith_sandbox.github_wire import field, paged, refusal, touch
from trustsmith_sandbox.http import Answer

if TYPE_CHECKING:
    from trustsmith_sandbox.http import Call
    from trustsmith_sandbox.world import Data

_DEFAULT_PAGE = 10
_LARGEST_PAGE = 30


def _shape(call: Call, shelf: Shelf, variable: Data) -> Data:
    shown: Data = {key: variable[key] for key in ("name", "value", "created_at", "updated_at")}
    if shelf.place == "organization":
        shown["visibility"] = variable["visibility"]
        if variable["visibility"] == "selected":
            path = (
                f"{call.base}/orgs/{shelf.owner['login']}/actions/variables/{variable['name']}/repositories"
            )
            shown["selected_repositories_url"] = path
    return shown


def _paged(call: Call, shelf: Shelf) -> Answer:
    ordered = sorted(shelf.values.values(), key=lambda variable: str(variable["name"]))
    return paged(
        call,
        ordered,
        lambda variable: _shape(call, shelf, variable),
        key="variables",
        default=_DEFAULT_PAGE,
        largest=_LARGEST_PAGE,
    )


def _get(call: Call, shelf: Shelf) -> Answer:
    return Answer(200, _shape(call, shelf, shelf.named(call)))


def _refuse_double() -> None:
    raise refusal(409, "Already exists - Variable already exists")


def _post(call: Call, shelf: Shelf) -> Answer:
    value = field(call, "value", str, required=True)
    name = shelf.free(field(call, "name", str, required=True), value)
    if name in shelf.values:
        _refuse_double()
    more = visibility(call) if shelf.place == "organization" else {}
    shelf.values[name] = touch(call.world, {"name": name, "value": value, **more})
    return Answer(201, {})


def _patch(call: Call, shelf: Shelf) -> Answer:
    variable = shelf.named(call)
    before, value = variable["name"], field(call, "value", str, default=variable["value"])
    name = shelf.free(field(call, "name", str, default=before), value)
    if name != before and name in shelf.values:
        _refuse_double()
    more = visibility(call, variable) if shelf.place == "organization" else {}
    del shelf.values[before]
    shelf.values[name] = touch(call.world, variable | {"name": name, "value": value, **more})
    return Answer(204)


def _delete(call: Call, shelf: Shelf) -> Answer:
    del shelf.values[shelf.named(call)["name"]]
    return Answer(204)


def _from_organization(call: Call, repository: Data) -> Answer:
    owner = call.world.data["github"]["organizations"].get(repository["owner"], {"variables": {}})
    usable = {name: value for name, value in owner["variables"].items() if reaches(value, repository)}
    return _paged(call, Shelf("variables", "repository", repository, usable))


ROUTES = (
    *shelf_routes("variables", "GET", "", _paged, "list"),
    *shelf_routes("variables", "GET", "/{name}", _get, "one"),
    *shelf_routes("variables", "POST", "", _post, "create"),
    *shelf_routes("variables", "PATCH", "/{name}", _patch, "change"),
    *shelf_routes("variables", "DELETE", "/{name}", _delete, "delete"),
    selected_route("variables"),
    *on_repository(
        "GET",
        "/actions/organization-variables",
        _from_organization,
        "Organization variables a repository can use",
        Need("variables:read", role="write"),
    ),
)
