"""A small part of GitHub's GraphQL: who am I, a repository, its owner, its environments, a file or folder.

Enough for stock ``gh`` and for reading a repository's environments and workflows at once. A field that is
not here is refused by its name, as GitHub refuses one that does not exist. It must not write.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from trustsmith_sandbox import github_objects as objects
from trustsmith_sandbox.github_access import Need, allow, role_on, signed_in
from trustsmith_sandbox.github_issues import bot, login_of
from trustsmith_sandbox.github_query import Field, Inline, Query, QueryError, Selection, parse
from trustsmith_sandbox.github_routes import named_repository
from trustsmith_sandbox.github_shapes import full_name, node_id, owner_of, web
from trustsmith_sandbox.github_wire import field
from trustsmith_sandbox.http import Answer, Call, Refusal, Route

if TYPE_CHECKING:
    from trustsmith_sandbox.world import Data

_INTERFACES = {
    "User": {"Actor", "Node", "RepositoryOwner"},
    "Organization": {"Actor", "Node", "RepositoryOwner"},
    "Blob": {"GitObject"},
    "Tree": {"GitObject"},
}
_LARGEST_PAGE = 100


@dataclass(frozen=True)
class Thing:
    """An object of a type, on its way to being asked for fields; ``repository`` is what it belongs to."""

    type: str
    data: Any
    repository: Any = None


@dataclass(frozen=True)
class Asked:
    """What a field's function gets: the call, the object the field is on, the arguments."""

    call: Call
    on: Thing
    arguments: dict[str, Any]

    @property
    def data(self) -> Any:
        """The object's own data."""
        return self.on.data


class _NotFoundError(Exception):
    """An object that is not there, or that the caller may not see: null, and an entry in ``errors``."""


_Resolver = Callable[[Asked], Any]


def _account(who: Data) -> Thing:
    return Thing(who.get("type", "Organization"), who)


def _repository(asked: Asked) -> Thing:
    name = f"{asked.arguments.get('owner')}/{asked.arguments.get('name')}"
    repository = named_repository(asked.call.world, name)
    try:
        if repository is None:
            raise _NotFoundError(f"Could not resolve to a Repository with the name '{name}'.")
        allow(asked.call, repository, Need("metadata:read"))
    except Refusal:
        raise _NotFoundError(f"Could not resolve to a Repository with the name '{name}'.") from None
    return Thing("Repository", repository, repository)


def _page(asked: Asked, type_name: str, everything: list[Any]) -> Thing:
    """Return a connection: its nodes from the cursor on, at most ``first``."""
    start, first = int(asked.arguments.get("after") or 0), asked.arguments.get("first")
    if not isinstance(first, int) or not 1 <= first <= _LARGEST_PAGE:
        raise QueryError("You must provide a `first` value from 1 to 100 to properly paginate.")
    shown = [Thing(type_name, each, asked.on.repository) for each in everything[start : start + first]]
    end = start + len(shown)
    info = {"hasNextPage": end < len(everything), "endCursor": str(end) if shown else None}
    return Thing(
        "Connection", {"nodes": shown, "totalCount": len(everything), "pageInfo": Thing("PageInfo", info)}
    )


def _environments(asked: Asked) -> Thing:
    return _page(asked, "Environment", list(asked.data["environments"].values()))


def _rules(asked: Asked) -> Thing:
    environment, rules = asked.data, []
    if environment["wait_timer"]:
        rules.append({"type": "WAIT_TIMER", "timeout": environment["wait_timer"], "reviewers": []})
    if environment["reviewers"]:
        rules.append({"type": "REQUIRED_REVIEWERS", "timeout": 0, "reviewers": environment["reviewers"]})
    if environment["deployment_branch_policy"]:
        rules.append({"type": "BRANCH_POLICY", "timeout": 0, "reviewers": []})
    alone = environment["prevent_self_review"]
    return _page(asked, "DeploymentProtectionRule", [{**rule, "preventSelfReview": alone} for rule in rules])


def _reviewers(asked: Asked) -> Thing:
    github = asked.call.world.data["github"]
    known = [*github["users"].values(), *github["teams"].values()]
    by_id = {("Team" if "slug" in each else "User", each["id"]): each for each in known}
    pairs = [(entry["type"], entry["id"]) for entry in asked.data["reviewers"]]
    connection = _page(asked, "", [pair for pair in pairs if pair in by_id])
    connection.data["nodes"] = [Thing(node.data[0], by_id[node.data]) for node in connection.data["nodes"]]
    return connection


def _branch(asked: Asked) -> Thing | None:
    name = asked.data["default_branch"]
    sha = objects.head(asked.call.world, asked.data, name)
    return Thing("Ref", {"name": name, "oid": sha}) if sha else None


def _object(asked: Asked) -> Thing | None:
    revision, _, path = str(asked.arguments.get("expression", "")).partition(":")
    commit = objects.resolve(asked.call.world, asked.data, revision)
    if commit is None:
        return None
    paths = objects.trees(asked.data)[objects.commits(asked.data)[commit]["tree"]]
    return _at(asked.data, paths, path.strip("/"))


def _at(repository: Data, paths: dict[str, str], path: str) -> Thing | None:
    if path in paths:
        return Thing("Blob", paths[path], repository)
    start = f"{path}/" if path else ""
    inside = {name.removeprefix(start): sha for name, sha in paths.items() if name.startswith(start)}
    return Thing("Tree", inside, repository) if inside else None


def _entries(asked: Asked) -> list[Thing]:
    names = sorted({path.partition("/")[0] for path in asked.data})
    entries = {name: _at(asked.on.repository, asked.data, name) for name in names}
    return [Thing("TreeEntry", {"name": name, "object": entry}) for name, entry in entries.items()]


def _key(name: str) -> _Resolver:
    return lambda asked: asked.data[name]


def _always(value: Any) -> _Resolver:
    return lambda _asked: value


def _id(kind: str) -> _Resolver:
    return lambda asked: node_id(kind, asked.data["id"])


def _text(asked: Asked) -> str:
    return objects.blobs(asked.on.repository)[asked.data]


def _url(asked: Asked) -> str:
    return f"{web(asked.call)}/{full_name(asked.data)}"


def _role(asked: Asked) -> str:
    return role_on(asked.call.world, asked.call.caller, asked.data).upper()


def _viewer(asked: Asked) -> Thing:
    """Whoever the token is of; unlike ``GET /user``, an app's bot too."""
    caller = asked.call.caller
    return Thing("User", bot(login_of(caller))) if "app" in caller.token else _account(signed_in(asked.call))


_ACCOUNT: dict[str, _Resolver] = {
    "id": _id("U"),
    "databaseId": _key("id"),
    "login": _key("login"),
    "name": lambda asked: asked.data.get("name"),
    "url": lambda asked: f"{web(asked.call)}/{asked.data['login']}",
}
_FIELDS: dict[str, dict[str, _Resolver]] = {
    "Query": {"viewer": _viewer, "repository": _repository},
    "User": _ACCOUNT,
    "Organization": _ACCOUNT,
    "Team": {"id": _id("T"), "databaseId": _key("id"), "slug": _key("slug"), "name": _key("name")},
    "Repository": {
        "id": _id("R"),
        "databaseId": _key("id"),
        "name": _key("name"),
        "nameWithOwner": lambda asked: full_name(asked.data),
        "owner": lambda asked: _account(owner_of(asked.call, asked.data)),
        "description": _key("description"),
        "isPrivate": lambda asked: asked.data["visibility"] != "public",
        "visibility": lambda asked: asked.data["visibility"].upper(),
        "isArchived": _key("archived"),
        "isFork": _always(value=False),
        "isTemplate": _always(value=False),
        "isEmpty": lambda asked: not asked.data["files"],
        "isInOrganization": lambda asked: owner_of(asked.call, asked.data).get("type") != "User",
        "hasIssuesEnabled": _always(value=True),
        "hasWikiEnabled": _always(value=False),
        "mergeCommitAllowed": _always(value=True),
        "rebaseMergeAllowed": _always(value=True),
        "squashMergeAllowed": _always(value=True),
        "parent": _always(None),
        "homepageUrl": _always(None),
        "createdAt": _key("created_at"),
        "updatedAt": _key("updated_at"),
        "pushedAt": _key("updated_at"),
        "url": _url,
        "sshUrl": lambda asked: f"git@{web(asked.call).removeprefix('https://')}:{full_name(asked.data)}.git",
        "viewerPermission": _role,
        "viewerCanAdminister": lambda asked: _role(asked) == "ADMIN",
        "defaultBranchRef": _branch,
        "environments": _environments,
        "object": _object,
    },
    "Ref": {"name": _key("name"), "target": lambda asked: Thing("Commit", asked.data)},
    "Commit": {"oid": _key("oid")},
    "Environment": {
        "id": _id("EN"),
        "databaseId": _key("id"),
        "name": _key("name"),
        "protectionRules": _rules,
    },
    "DeploymentProtectionRule": {
        "type": _key("type"),
        "timeout": _key("timeout"),
        "preventSelfReview": _key("preventSelfReview"),
        "reviewers": _reviewers,
    },
    "Connection": {"nodes": _key("nodes"), "totalCount": _key("totalCount"), "pageInfo": _key("pageInfo")},
    "PageInfo": {"hasNextPage": _key("hasNextPage"), "endCursor": _key("endCursor")},
    "Blob": {
        "oid": lambda asked: asked.data,
        "text": _text,
        "byteSize": lambda asked: len(_text(asked).encode()),
    },
    "Tree": {"entries": _entries},
    "TreeEntry": {"name": _key("name"), "object": _key("object")},
}


@dataclass
class _Run:
    """One query being answered: where its fragments are, and what went wrong."""

    call: Call
    query: Query
    errors: list[Data]

    def answer(self, value: Any, selections: list[Selection], path: list[str]) -> Any:
        if isinstance(value, list):
            return [self.answer(each, selections, path) for each in value]
        if not isinstance(value, Thing):
            return value
        wanted: dict[str, Field] = {}
        for selected in self.fields(value, selections):
            # the same field may be selected in several fragments, with different parts of it in each
            before = wanted[selected.key].selections if selected.key in wanted else []
            wanted[selected.key] = replace(selected, selections=before + selected.selections)
        return {key: self.resolve(value, each, [*path, key]) for key, each in wanted.items()}

    def fields(self, value: Thing, selections: list[Selection]) -> list[Field]:
        found: list[Field] = []
        for selection in selections:
            if isinstance(selection, Field):
                found.append(selection)
                continue
            part = selection if isinstance(selection, Inline) else self.query.fragments.get(selection.name)
            if part is None:
                raise QueryError("A fragment is used that is not defined.")
            if part.on in {None, value.type, *_INTERFACES.get(value.type, ())}:
                found += self.fields(value, part.selections)
        return found

    def resolve(self, value: Thing, selected: Field, path: list[str]) -> Any:
        if selected.name == "__typename":
            return value.type
        resolver = _FIELDS[value.type].get(selected.name)
        if resolver is None:
            raise QueryError(f"Field '{selected.name}' doesn't exist on type '{value.type}' in the sandbox.")
        try:
            found = resolver(Asked(self.call, value, selected.arguments))
        except _NotFoundError as missing:
            self.errors.append({"type": "NOT_FOUND", "path": path, "message": str(missing)})
            return None
        return self.answer(found, selected.selections, path)


def _graphql(call: Call) -> Answer:
    if "app" not in call.caller.token:
        signed_in(call)
    text, variables = field(call, "query", str, required=True), field(call, "variables", dict, default={})
    try:
        run = _Run(call, parse(text, dict(variables)), [])
        data = run.answer(Thing("Query", None), run.query.selections, [])
    except QueryError as problem:
        return Answer(200, {"errors": [{"message": str(problem)}]})
    return Answer(200, {"data": data, **({"errors": run.errors} if run.errors else {})})


ROUTES = tuple(
    # an enterprise server has it beside its REST root, not below
    Route("POST", path, _graphql, "GraphQL: viewer, repository, environments, files")
    for path in ("/graphql", "/api/graphql")
)
