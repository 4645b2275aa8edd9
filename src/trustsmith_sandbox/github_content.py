"""Files and branches of a repository: reading, and one commit for each file written or deleted.

Held to the published "contents" API: an update needs the file's current id (422 without, 409 if stale). It
must not merge anything.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING
from urllib.parse import quote

from trustsmith_sandbox import github_objects as objects
from trustsmith_sandbox.github_access import Need, allow_workflows, by_name
from trustsmith_sandbox.github_git import commit_shape, decoded, git_url, signers
from trustsmith_sandbox.github_routes import on_repository
from trustsmith_sandbox.github_shapes import account, full_name, web
from trustsmith_sandbox.github_wire import field, malformed, not_found, paged, refusal, touch
from trustsmith_sandbox.http import Answer

if TYPE_CHECKING:
    from trustsmith_sandbox.http import Call
    from trustsmith_sandbox.world import Data

_RAW = "application/vnd.github.raw"


def _files(call: Call, repository: Data) -> dict[str, str]:
    """Return paths and blob ids at the ``ref`` that is asked for."""
    commit = objects.resolve(call.world, repository, call.query.get("ref") or repository["default_branch"])
    if commit is None:
        raise refusal(404, f"No commit found for the ref {call.query.get('ref')}")
    return objects.trees(repository)[objects.commits(repository)[commit]["tree"]]


def _entry(call: Call, repository: Data, path: str, sha: str, *, folder: bool = False) -> Data:
    name, ref = full_name(repository), call.query.get("ref") or repository["default_branch"]
    quoted, query = quote(path), f"?ref={quote(ref, safe='')}"
    url = f"{call.base}/repos/{name}/contents/{quoted}{query}"
    kind = "tree" if folder else "blob"
    page, git = f"{web(call)}/{name}/{kind}/{ref}/{quoted}", git_url(call, repository, f"{kind}s", sha)
    return {
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": sha,
        "size": 0 if folder else len(objects.blobs(repository)[sha].encode()),
        "type": "dir" if folder else "file",
        "url": url,
        "html_url": page,
        "git_url": git,
        "download_url": None if folder else f"{url}&raw",
        "_links": {"self": url, "git": git, "html": page},
    }


def _get(call: Call, repository: Data) -> Answer:
    path, paths = call.params.get("path", "").strip("/"), _files(call, repository)
    if path in paths:
        return _file(call, repository, path, paths[path])
    inside = {
        name.removeprefix(f"{path}/") if path else name: sha
        for name, sha in paths.items()
        if _below(name, path)
    }
    if not inside and path:
        raise not_found()
    return Answer(200, [_listed(call, repository, path, name, inside) for name in _names(inside)])


def _readme(call: Call, repository: Data) -> Answer:
    for path, sha in _files(call, repository).items():
        if path.lower().startswith("readme"):
            return _file(call, repository, path, sha)
    raise not_found()


def _below(name: str, folder: str) -> bool:
    return not folder or name.startswith(f"{folder}/")


def _names(inside: dict[str, str]) -> list[str]:
    return sorted({path.partition("/")[0] for path in inside})


def _listed(call: Call, repository: Data, folder: str, name: str, inside: dict[str, str]) -> Data:
    path = f"{folder}/{name}" if folder else name
    if name in inside:
        return _entry(call, repository, path, inside[name])
    tree = {rest.removeprefix(f"{name}/"): sha for rest, sha in inside.items() if rest.startswith(f"{name}/")}
    return _entry(call, repository, path, objects.save_tree(repository, tree), folder=True)


def _file(call: Call, repository: Data, path: str, sha: str) -> Answer:
    content = objects.blobs(repository)[sha].encode()
    if call.headers.get("accept", "").startswith(_RAW):
        return Answer(200, raw=content, media_type=f"{_RAW}; charset=utf-8")
    encoded = {"encoding": "base64", "content": base64.encodebytes(content).decode()}
    return Answer(200, _entry(call, repository, path, sha) | encoded)


def _branch_to_write(call: Call, repository: Data) -> str:
    branch: str = field(call, "branch", str, default=repository["default_branch"])
    if branch not in repository["files"]:
        raise refusal(404, f"Branch {branch} not found")
    return branch


def _check_current(call: Call, path: str, current: str | None) -> None:
    """Raise unless the body's ``sha`` is the file's current one (or both are absent)."""
    given = field(call, "sha", str)
    if current is not None and given is None:
        raise malformed('"sha" wasn\'t supplied.')
    if given is not None and given != current:
        raise refusal(409, f"{path} does not match {given}")


def _commit(call: Call, repository: Data, branch: str, paths: dict[str, str]) -> Data:
    parent = objects.head(call.world, repository, branch)
    message = field(call, "message", str, required=True)
    parents, tree = [parent] if parent else [], objects.save_tree(repository, paths)
    sha = objects.save_commit(call.world, repository, tree, parents, message, people=signers(call))
    objects.set_head(repository, branch, sha)
    touch(call.world, repository)
    return commit_shape(call, repository, sha)


def _paths_of(call: Call, repository: Data, branch: str) -> dict[str, str]:
    commit = objects.head(call.world, repository, branch) or ""
    return dict(objects.trees(repository)[objects.commits(repository)[commit]["tree"]])


def _put(call: Call, repository: Data) -> Answer:
    path = call.params["path"]
    allow_workflows(call, path)
    branch = _branch_to_write(call, repository)
    paths = _paths_of(call, repository, branch)
    current = paths.get(path)
    _check_current(call, path, current)
    paths[path] = objects.save_blob(repository, decoded(field(call, "content", str, required=True)))
    commit = _commit(call, repository, branch, paths)
    content = _entry(call, repository, path, paths[path])
    return Answer(201 if current is None else 200, {"content": content, "commit": commit})


def _delete(call: Call, repository: Data) -> Answer:
    path = call.params["path"]
    allow_workflows(call, path)
    branch = _branch_to_write(call, repository)
    paths = _paths_of(call, repository, branch)
    if path not in paths:
        raise not_found()
    _check_current(call, path, paths.pop(path))
    return Answer(200, {"content": None, "commit": _commit(call, repository, branch, paths)})


def short_branch(call: Call, repository: Data, name: str) -> Data:
    """Return a branch as lists show it."""
    sha = objects.head(call.world, repository, name) or ""
    url = f"{call.base}/repos/{full_name(repository)}/commits/{sha}"
    commit = {"sha": sha, "url": url}
    return {"name": name, "commit": commit, "protected": name in repository["protected_branches"]}


def _branches(call: Call, repository: Data) -> Answer:
    shown = [short_branch(call, repository, name) for name in sorted(repository["files"])]
    wanted = call.query.get("protected")
    if wanted is not None:
        shown = [branch for branch in shown if branch["protected"] == (wanted == "true")]
    return paged(call, shown, lambda branch: branch)


def _branch(call: Call, repository: Data) -> Answer:
    name = call.params["branch"]
    if name not in repository["files"]:
        raise refusal(404, "Branch not found")
    short = short_branch(call, repository, name)
    url = f"{call.base}/repos/{full_name(repository)}/branches/{quote(name, safe='')}"
    checks = {"enforcement_level": "off", "contexts": [], "checks": []}
    protection = {"enabled": short["protected"], "required_status_checks": checks}
    links = {"self": url, "html": f"{web(call)}/{full_name(repository)}/tree/{name}"}
    more = {"_links": links, "protection": protection, "protection_url": f"{url}/protection"}
    return Answer(200, short | more | {"commit": full_commit(call, repository, short["commit"]["sha"])})


def full_commit(call: Call, repository: Data, sha: str) -> Data:
    """Return a commit as everything but the Git database shows it (OpenAPI ``commit``)."""
    git = commit_shape(call, repository, sha)
    url = f"{call.base}/repos/{full_name(repository)}/commits/{sha}"
    who = by_name(call.world.data["github"]["users"], git["author"]["name"])
    author = account(call, who) if who else None
    inner = {key: git[key] for key in ("author", "committer", "message", "tree", "url", "verification")}
    outer = {key: git[key] for key in ("sha", "node_id", "html_url", "parents")}
    urls = {"url": url, "comments_url": f"{url}/comments"}
    return outer | urls | {"author": author, "committer": author, "commit": inner | {"comment_count": 0}}


_READ, _WRITE = Need("contents:read"), Need("contents:write", role="write")

ROUTES = (
    *on_repository("GET", "/branches", _branches, "Branches", _READ),
    *on_repository("GET", "/branches/{branch*}", _branch, "Branch", _READ),
    *on_repository("GET", "/contents", _get, "Files at the top", _READ),
    *on_repository("GET", "/contents/{path*}", _get, "File or folder", _READ),
    *on_repository("GET", "/readme", _readme, "README", _READ),
    *on_repository("PUT", "/contents/{path*}", _put, "Write a file", _WRITE),
    *on_repository("DELETE", "/contents/{path*}", _delete, "Delete a file", _WRITE),
)
