"""GitHub's Git database: refs, annotated tags, commits, trees and blobs by id.

Held to the published API: what is missing is 404, what is no fast forward 422. It must not speak git's own
protocol, and it keeps plain text files only.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from trustsmith_sandbox import github_objects as objects
from trustsmith_sandbox.github_access import Need, allow_workflows
from trustsmith_sandbox.github_routes import on_repository
from trustsmith_sandbox.github_shapes import full_name, node_id, web
from trustsmith_sandbox.github_wire import field, malformed, not_found, paged, refusal, touch
from trustsmith_sandbox.http import Answer

if TYPE_CHECKING:
    from trustsmith_sandbox.http import Call
    from trustsmith_sandbox.world import Data

_VERIFICATION = {
    "verified": False,
    "reason": "unsigned",
    "signature": None,
    "payload": None,
    "verified_at": None,
}
_LEAF = {"blob": objects.FILE, "tree": objects.FOLDER}


def git_url(call: Call, repository: Data, kind: str, sha: str) -> str:
    """Return the API's URL of a Git object; ``kind`` is blobs, trees, commits or tags."""
    return f"{call.base}/repos/{full_name(repository)}/git/{kind}/{sha}"


def commit_shape(call: Call, repository: Data, sha: str) -> Data:
    """Return a commit as the Git database shows it (OpenAPI ``git-commit``)."""
    commit, page = objects.commits(repository)[sha], f"{web(call)}/{full_name(repository)}/commit/"
    parents = [
        {"sha": each, "url": git_url(call, repository, "commits", each), "html_url": page + each}
        for each in commit["parents"]
    ]
    return {
        "sha": sha,
        "node_id": f"C_{sha}",
        "url": git_url(call, repository, "commits", sha),
        "html_url": page + sha,
        "author": commit["author"],
        "committer": commit["committer"],
        "tree": {"sha": commit["tree"], "url": git_url(call, repository, "trees", commit["tree"])},
        "message": commit["message"],
        "parents": parents,
        "verification": _VERIFICATION,
    }


def signers(call: Call) -> Data:
    """Return author and committer for a commit from the body, each filled in with the caller and the time."""
    login = call.caller.login or "github-actions[bot]"
    default = {"name": login, "email": f"{login}@users.noreply.github.com", "date": call.world.stamp()}
    author = default | field(call, "author", dict, default={})
    people = {"author": author, "committer": author | field(call, "committer", dict, default={})}
    for who in people.values():
        who["date"] = _date(str(who["date"]))
    return people


def _date(given: str) -> str:
    """Return a time as commits show it. Raises 422 for what is none."""
    try:
        moment = datetime.fromisoformat(given)
    except ValueError:
        raise refusal(422, f"'{given}' is not a time as in 2026-01-31T12:00:00Z.") from None
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _target(call: Call, repository: Data, sha: str) -> Data:
    """What a ref or a tag object points to; annotated tags point to an object of their own."""
    kind = "tag" if sha in objects.tag_objects(repository) else "commit"
    return {"sha": sha, "type": kind, "url": git_url(call, repository, f"{kind}s", sha)}


def _ref_shape(call: Call, repository: Data, ref: str, sha: str) -> Data:
    return {
        "ref": ref,
        "node_id": node_id("REF", repository["id"]) + ref,
        "url": f"{call.base}/repos/{full_name(repository)}/git/{ref}",
        "object": _target(call, repository, sha),
    }


def _get_tag(call: Call, repository: Data) -> Answer:
    sha, known = call.params["sha"], objects.tag_objects(repository)
    if sha not in known:
        raise not_found()
    shape = {"sha": sha, "node_id": f"TA_{sha}", "url": git_url(call, repository, "tags", sha)}
    target = _target(call, repository, known[sha]["object"]["sha"])
    return Answer(200, known[sha] | shape | {"object": target, "verification": _VERIFICATION})


def _refs(call: Call, repository: Data) -> dict[str, str]:
    heads = {f"refs/heads/{name}": objects.head(call.world, repository, name) for name in repository["files"]}
    marked = {f"refs/tags/{name}": sha for name, sha in objects.tags(repository).items()}
    return {name: sha for name, sha in sorted((heads | marked).items()) if sha}


def _named_ref(call: Call, repository: Data) -> tuple[str, str]:
    name, known = f"refs/{call.params['ref']}", _refs(call, repository)
    if name not in known:
        raise not_found()
    return name, known[name]


def _get_ref(call: Call, repository: Data) -> Answer:
    if not _refs(call, repository):
        raise refusal(409, "Git Repository is empty.")
    return Answer(200, _ref_shape(call, repository, *_named_ref(call, repository)))


def _matching_refs(call: Call, repository: Data) -> Answer:
    start = f"refs/{call.params['ref']}"
    found = [
        {"ref": ref, "sha": sha} for ref, sha in _refs(call, repository).items() if ref.startswith(start)
    ]
    return paged(call, found, lambda each: _ref_shape(call, repository, each["ref"], each["sha"]))


def _known_commit(call: Call, repository: Data) -> str:
    sha: str = field(call, "sha", str, required=True)
    if sha not in objects.commits(repository):
        raise refusal(422, "Object does not exist")
    return sha


def _point(call: Call, repository: Data, ref: str, sha: str) -> None:
    kind, _, name = ref.removeprefix("refs/").partition("/")
    if kind == "heads":
        objects.set_head(repository, name, sha)
    else:
        objects.tags(repository)[name] = sha
    touch(call.world, repository)


def _create_ref(call: Call, repository: Data) -> Answer:
    ref, known = field(call, "ref", str, required=True), _refs(call, repository)
    if not ref.startswith(("refs/heads/", "refs/tags/")):
        raise refusal(422, "Reference name must start with 'refs/heads/' or 'refs/tags/'.")
    if ref in known:
        raise refusal(422, "Reference already exists")
    sha = _known_commit(call, repository)
    _point(call, repository, ref, sha)
    return Answer(201, _ref_shape(call, repository, ref, sha))


def _update_ref(call: Call, repository: Data) -> Answer:
    ref, before = _named_ref(call, repository)
    sha, force = _known_commit(call, repository), field(call, "force", bool, default=False)
    if not force and not objects.is_ancestor(repository, before, sha):
        raise refusal(422, "Update is not a fast forward")
    _point(call, repository, ref, sha)
    return Answer(200, _ref_shape(call, repository, ref, sha))


def _delete_ref(call: Call, repository: Data) -> Answer:
    ref = f"refs/{call.params['ref']}"
    if ref not in _refs(call, repository):
        raise refusal(422, "Reference does not exist")
    kind, _, name = ref.removeprefix("refs/").partition("/")
    if kind == "heads":
        objects.drop_head(repository, name)
    else:
        del objects.tags(repository)[name]
    return Answer(204)


def _get_commit(call: Call, repository: Data) -> Answer:
    if objects.resolve(call.world, repository, call.params["sha"]) != call.params["sha"]:
        raise not_found()
    return Answer(200, commit_shape(call, repository, call.params["sha"]))


def _create_commit(call: Call, repository: Data) -> Answer:
    tree, parents = field(call, "tree", str, required=True), field(call, "parents", list, default=[])
    if tree not in objects.trees(repository) or any(
        each not in objects.commits(repository) for each in parents
    ):
        raise refusal(422, "Tree SHA or a parent SHA does not exist")
    message = field(call, "message", str, required=True)
    sha = objects.save_commit(call.world, repository, tree, parents, message, people=signers(call))
    return Answer(201, commit_shape(call, repository, sha))


def _entries(call: Call, repository: Data, tree: str, *, recursive: bool) -> list[Data]:
    paths = objects.trees(repository)[tree]
    if recursive:
        return _all_entries(call, repository, paths)
    below: dict[str, dict[str, str]] = {}
    for path, sha in paths.items():
        name, _, rest = path.partition("/")
        below.setdefault(name, {})[rest] = sha
    return [
        _entry(call, repository, name, "blob", inner[""])
        if "" in inner
        else _entry(call, repository, name, "tree", objects.save_tree(repository, inner))
        for name, inner in sorted(below.items())
    ]


def _all_entries(call: Call, repository: Data, paths: dict[str, str]) -> list[Data]:
    entries = [_entry(call, repository, path, "blob", sha) for path, sha in paths.items()]
    folders = {str(folder) for path in paths for folder in PurePosixPath(path).parents} - {"."}
    for folder in folders:
        inner = {
            path.removeprefix(f"{folder}/"): sha
            for path, sha in paths.items()
            if path.startswith(f"{folder}/")
        }
        entries.append(_entry(call, repository, folder, "tree", objects.save_tree(repository, inner)))
    return sorted(entries, key=lambda entry: str(entry["path"]))


def _entry(call: Call, repository: Data, path: str, kind: str, sha: str) -> Data:
    entry: Data = {"path": path, "mode": _LEAF[kind], "type": kind, "sha": sha}
    if kind == "blob":
        entry["size"] = len(objects.blobs(repository)[sha].encode())
    return entry | {"url": git_url(call, repository, f"{kind}s", sha)}


def _tree_shape(call: Call, repository: Data, tree: str, *, recursive: bool = False) -> Data:
    entries = _entries(call, repository, tree, recursive=recursive)
    return {"sha": tree, "url": git_url(call, repository, "trees", tree), "tree": entries, "truncated": False}


def _get_tree(call: Call, repository: Data) -> Answer:
    sha = call.params["tree"]
    commit = objects.resolve(call.world, repository, sha)
    tree = objects.commits(repository)[commit]["tree"] if commit else sha
    if tree not in objects.trees(repository):
        raise not_found()
    return Answer(200, _tree_shape(call, repository, tree, recursive="recursive" in call.query))


def _create_tree(call: Call, repository: Data) -> Answer:
    base = field(call, "base_tree", str)
    if base is not None and base not in objects.trees(repository):
        raise not_found()
    paths = dict(objects.trees(repository)[base]) if base else {}
    for entry in field(call, "tree", list, required=True):
        _apply(call, repository, paths, entry)
    return Answer(201, _tree_shape(call, repository, objects.save_tree(repository, paths)))


def _apply(call: Call, repository: Data, paths: dict[str, str], entry: Any) -> None:
    if not isinstance(entry, dict) or not isinstance(entry.get("path"), str):
        raise malformed("A tree's entry is an object with a path.")
    allow_workflows(call, entry["path"])
    if "content" not in entry and entry.get("sha") is None:
        paths.pop(entry["path"], None)
        return
    if entry.get("mode") != objects.FILE:
        raise refusal(422, f"The sandbox keeps plain files only (mode {objects.FILE}).")
    sha = objects.save_blob(repository, entry["content"]) if "content" in entry else entry["sha"]
    if sha not in objects.blobs(repository):
        raise refusal(422, f"tree.sha {sha} is not a valid blob")
    paths[entry["path"]] = sha


def _get_blob(call: Call, repository: Data) -> Answer:
    sha, texts = call.params["sha"], objects.blobs(repository)
    if sha not in texts:
        raise not_found()
    content = texts[sha].encode()
    shape = {"sha": sha, "node_id": f"B_{sha}", "size": len(content), "encoding": "base64"}
    encoded = base64.encodebytes(content).decode()
    return Answer(200, shape | {"url": git_url(call, repository, "blobs", sha), "content": encoded})


def _create_blob(call: Call, repository: Data) -> Answer:
    content = field(call, "content", str, required=True)
    if field(call, "encoding", str, default="utf-8") == "base64":
        content = decoded(content)
    sha = objects.save_blob(repository, content)
    return Answer(201, {"sha": sha, "url": git_url(call, repository, "blobs", sha)})


def decoded(content: str) -> str:
    """Return the text behind Base64. Raises 422 for anything that is not text: the sandbox keeps nothing else."""
    try:
        return base64.b64decode(content, validate=False).decode()
    except ValueError:
        raise refusal(
            422, "content is not valid Base64 of UTF-8 text, which is all the sandbox keeps"
        ) from None


_READ, _WRITE = Need("contents:read"), Need("contents:write", role="write")

ROUTES = (
    *on_repository("GET", "/git/ref/{ref*}", _get_ref, "Ref", _READ),
    *on_repository("GET", "/git/matching-refs/{ref*}", _matching_refs, "Refs by their start", _READ),
    *on_repository("POST", "/git/refs", _create_ref, "Create a ref", _WRITE),
    *on_repository("PATCH", "/git/refs/{ref*}", _update_ref, "Move a ref", _WRITE),
    *on_repository("DELETE", "/git/refs/{ref*}", _delete_ref, "Delete a ref", _WRITE),
    *on_repository("GET", "/git/tags/{sha}", _get_tag, "Annotated tag", _READ),
    *on_repository("GET", "/git/commits/{sha}", _get_commit, "Git commit", _READ),
    *on_repository("POST", "/git/commits", _create_commit, "Create a Git commit", _WRITE),
    *on_repository("GET", "/git/trees/{tree*}", _get_tree, "Git tree", _READ),
    *on_repository("POST", "/git/trees", _create_tree, "Create a Git tree", _WRITE),
    *on_repository("GET", "/git/blobs/{sha}", _get_blob, "Git blob", _READ),
    *on_repository("POST", "/git/blobs", _create_blob, "Create a Git blob", _WRITE),
)
