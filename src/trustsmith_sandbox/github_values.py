"""Where secrets and variables are kept: environments, repositories and organizations have a shelf of each.

Names, sizes and counts are GitHub's (reference "GitHub REST", secrets and variables), as is who may look.
Beside the store of Actions, repositories and organizations have others. Routes of the three places are made from one table of handlers. It must not know sealed boxes or HTTP verbs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from trustsmith_sandbox.github_access import Need, organization
from trustsmith_sandbox.github_routes import on_environment, on_repository
from trustsmith_sandbox.github_shapes import repository as repository_shape
from trustsmith_sandbox.github_wire import field, invalid, malformed, not_found, paged, refusal
from trustsmith_sandbox.http import Route

if TYPE_CHECKING:
    from collections.abc import Callable

    from trustsmith_sandbox.http import Answer, Call
    from trustsmith_sandbox.world import Data

Kind = Literal["secrets", "variables"]
#: Stores of secrets beside that of Actions; jobs do not see them (GitHub REST: Dependabot, Codespaces, agent secrets).
STORES = ("dependabot", "codespaces", "agents")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_LARGEST = 48 * 1024
_MOST = {"environment": 100, "repository": 100, "organization": 1000}
_MOST_VARIABLES = {"environment": 100, "repository": 500, "organization": 1000}
_UPGRADE = "Upgrade to GitHub Pro or make this repository public to enable this feature."


@dataclass(frozen=True)
class Shelf:
    """The secrets or the variables of one place. ``box`` names the place's sealed box; ``store`` is one of ``STORES``."""

    kind: Kind
    place: str
    owner: Data
    values: dict[str, Data]
    store: str = "actions"

    @property
    def box(self) -> str:
        """What the place's key is derived from: an environment made anew has a new one."""
        return f"{self.place}/{self.owner['id']}" + ("" if self.store == "actions" else f"/{self.store}")

    def named(self, call: Call) -> Data:
        """Return the value named in the path. Raises 404."""
        found = self.values.get(call.params["name"].upper())
        if found is None:
            raise not_found()
        return found

    def free(self, name: str, text: str) -> str:
        """Return the name as stored. Raises 422 for names and sizes that GitHub refuses, and when it is full."""
        noun = self.kind.removesuffix("s").title()
        if not _NAME.fullmatch(name):
            rule = "can only contain alphanumeric characters ([a-z], [A-Z], [0-9]) or underscores (_). Spaces are not allowed. Must start with a letter ([a-z], [A-Z]) or underscores (_)."
            raise refusal(422, f"{noun} names {rule}")
        if name.upper().startswith("GITHUB_"):
            raise refusal(422, f"{noun} names must not start with GITHUB_.")
        if len(text.encode()) > _LARGEST:
            raise invalid(noun, "value", "is too long (maximum is 48 KB)", "too_long")
        most = (_MOST if self.kind == "secrets" else _MOST_VARIABLES)[self.place]
        if name.upper() not in self.values and len(self.values) >= most:
            raise refusal(422, f"The {self.place} has its {most} {self.kind} already.")
        return name.upper()


def visibility(call: Call, known: Data | None = None) -> Data:
    """Return who an organization's value is for, from the body, else as it was: visibility and chosen ids."""
    known = known or {}
    seen_by = field(call, "visibility", str, default=known.get("visibility"))
    if seen_by not in {"all", "private", "selected"}:
        raise malformed("'visibility' must be all, private or selected.")
    chosen: list[Any] = field(
        call, "selected_repository_ids", list, default=known.get("selected_repository_ids", [])
    )
    return {"visibility": seen_by, "selected_repository_ids": [int(number) for number in chosen]}


def reaches(value: Data, repository: Data) -> bool:
    """Whether an organization's secret or variable can be used in the repository."""
    if value["visibility"] == "selected":
        return repository["id"] in value["selected_repository_ids"]
    return bool(value["visibility"] == "all") or repository["visibility"] != "public"


def kept(owner: Data, kind: Kind, store: str) -> dict[str, Data]:
    """Return what a repository or an organization has in a store."""
    found: dict[str, Data] = owner[kind] if store == "actions" else owner["stores"][store]
    return found


def selected_route(kind: Kind, store: str = "actions") -> Route:
    """Return the route that lists the repositories an organization's secret or variable is for."""
    need = Need(_permission(kind, store, "read", "organization_"), scope="admin:org")

    def run(call: Call) -> Answer:
        owner = organization(call, need)
        value = Shelf(kind, "organization", owner, kept(owner, kind, store), store).named(call)
        if value["visibility"] != "selected":
            raise refusal(409, f"The visibility of {value['name']} is not set to selected.")
        repositories = call.world.data["github"]["repositories"].values()
        chosen = [each for each in repositories if each["id"] in value["selected_repository_ids"]]
        return paged(call, chosen, lambda each: repository_shape(call, each), key="repositories")

    path = f"/orgs/{{org}}/{store}/{kind}/{{name}}/repositories"
    return Route("GET", path, run, f"{_titled(store)}rganization {kind}: repositories of one")


def shelf_routes(
    kind: Kind, method: str, tail: str, handler: Callable[[Call, Shelf], Answer], summary: str
) -> list[Route]:
    """Return the routes of one operation in all three places; ``handler`` gets the call and the shelf."""
    return [
        *_in_environment(kind, method, tail, handler, summary),
        *_in_repository(kind, method, tail, handler, summary),
        _in_organization(kind, method, tail, handler, summary),
    ]


def store_routes(
    method: str, tail: str, handler: Callable[[Call, Shelf], Answer], summary: str
) -> list[Route]:
    """Return the routes of one operation on secrets in the other stores, which environments do not have."""
    return [
        route
        for store in STORES
        for route in (
            *_in_repository("secrets", method, tail, handler, summary, store=store),
            _in_organization("secrets", method, tail, handler, summary, store=store),
        )
    ]


def _level(method: str) -> str:
    return "read" if method == "GET" else "write"


def _in_environment(
    kind: Kind, method: str, tail: str, handler: Callable[[Call, Shelf], Answer], summary: str
) -> list[Route]:
    def run(call: Call, repository: Data, environment: Data) -> Answer:
        owner = call.world.data["github"]["organizations"].get(repository["owner"], {"plan": "free"})
        if owner["plan"] == "free" and repository["visibility"] != "public":
            raise refusal(403, _UPGRADE)
        return handler(call, Shelf(kind, "environment", environment, environment[kind]))

    need = Need(f"environments:{_level(method)}", role="write" if method == "GET" else "admin")
    return on_environment(method, f"/{kind}{tail}", run, f"Environment {kind}: {summary}", need)


def _permission(kind: Kind, store: str, level: str, owner: str = "") -> str:
    return f"{owner}{kind if store == 'actions' else f'{store}_{kind}'}:{level}"


def _titled(store: str) -> str:
    return "O" if store == "actions" else f"{store.title()}: o"


def _in_repository(
    kind: Kind,
    method: str,
    tail: str,
    handler: Callable[[Call, Shelf], Answer],
    summary: str,
    *,
    store: str = "actions",
) -> list[Route]:
    def run(call: Call, repository: Data) -> Answer:
        return handler(call, Shelf(kind, "repository", repository, kept(repository, kind, store), store))

    need = Need(_permission(kind, store, _level(method)), role="write")
    title = f"Repository {kind}" if store == "actions" else f"{store.title()}: repository {kind}"
    return on_repository(method, f"/{store}/{kind}{tail}", run, f"{title}: {summary}", need)


def _in_organization(
    kind: Kind,
    method: str,
    tail: str,
    handler: Callable[[Call, Shelf], Answer],
    summary: str,
    *,
    store: str = "actions",
) -> Route:
    need = Need(_permission(kind, store, _level(method), "organization_"), scope="admin:org")

    def run(call: Call) -> Answer:
        owner = organization(call, need)
        return handler(call, Shelf(kind, "organization", owner, kept(owner, kind, store), store))

    return Route(
        method, f"/orgs/{{org}}/{store}/{kind}{tail}", run, f"{_titled(store)}rganization {kind}: {summary}"
    )
