"""A repository's Git objects: blobs, trees, commits and the branches that point to them.

Ids are those that git itself would compute. ``files`` of a repository (branch → path → text) is what people
seed and push; objects follow it. Text files of mode 100644 only. It must not know HTTP.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trustsmith_sandbox.world import Data, World

FILE, FOLDER = "100644", "040000"
WORKFLOWS = ".github/workflows/"
_NOBODY = {"name": "GitHub", "email": "noreply@github.com"}


def _shelf(repository: Data, kind: str) -> dict[str, Any]:
    shelf: dict[str, Any] = repository.setdefault("objects", {}).setdefault(kind, {})
    return shelf


def blobs(repository: Data) -> dict[str, str]:
    """Return the texts by id."""
    return _shelf(repository, "blobs")


def trees(repository: Data) -> dict[str, dict[str, str]]:
    """Return trees by id, each flat: every path below it and its blob's id."""
    return _shelf(repository, "trees")


def commits(repository: Data) -> dict[str, Data]:
    """Return commits by id: tree, parents, message, author, committer."""
    return _shelf(repository, "commits")


def tags(repository: Data) -> dict[str, str]:
    """Return tags: name and the id of the commit, or, of an annotated one, of its tag object."""
    return _shelf(repository, "tags")


def tag_objects(repository: Data) -> dict[str, Data]:
    """Return the objects of annotated tags by id: tag, message, tagger, and what they point to (sha, type)."""
    return _shelf(repository, "tag_objects")


def peeled(repository: Data, sha: str) -> str:
    """Return the commit that an id leads to, through any number of tag objects."""
    while sha in tag_objects(repository):
        sha = tag_objects(repository)[sha]["object"]["sha"]
    return sha


def _framed(kind: str, content: bytes) -> bytes:
    return f"{kind} {len(content)}\0".encode() + content


def _git_id(kind: str, content: bytes) -> str:
    return hashlib.sha1(_framed(kind, content), usedforsecurity=False).hexdigest()


def save_blob(repository: Data, text: str) -> str:
    """Keep a text and return its id."""
    sha = _git_id("blob", text.encode())
    blobs(repository)[sha] = text
    return sha


def save_tree(repository: Data, paths: Mapping[str, str]) -> str:
    """Keep the tree with these paths and blob ids, and every tree below it; return its id."""
    sha = _git_id("tree", _tree_content(repository, paths))
    trees(repository)[sha] = dict(paths)
    return sha


def _tree_content(repository: Data, paths: Mapping[str, str]) -> bytes:
    listed: list[tuple[str, str, str]] = []
    folders: dict[str, dict[str, str]] = {}
    for path, sha in paths.items():
        name, slash, rest = path.partition("/")
        if slash:
            folders.setdefault(name, {})[rest] = sha
        else:
            listed.append((name, FILE, sha))
    # git sorts a folder as if its name ended in a slash, and writes its mode without the leading zero
    listed += [
        (f"{name}/", FOLDER.lstrip("0"), save_tree(repository, inner)) for name, inner in folders.items()
    ]
    content = [
        f"{mode} {name.rstrip('/')}\0".encode() + bytes.fromhex(sha) for name, mode, sha in sorted(listed)
    ]
    return b"".join(content)


def save_files(repository: Data, files: Mapping[str, str]) -> str:
    """Keep these texts by path and return their tree's id."""
    return save_tree(repository, {path: save_blob(repository, text) for path, text in files.items()})


def texts(repository: Data, tree: str) -> dict[str, str]:
    """Return the texts of a tree by path."""
    return {path: blobs(repository)[sha] for path, sha in trees(repository)[tree].items()}


def save_commit(
    world: World, repository: Data, tree: str, parents: list[str], message: str, *, people: Data | None = None
) -> str:
    """Keep a commit and return its id; ``people`` has ``author`` and ``committer`` (name, email, date)."""
    signed = {"date": world.stamp(), **_NOBODY}
    commit: Data = {"author": signed, "committer": signed, **(people or {})}
    commit |= {"tree": tree, "parents": parents, "message": message}
    sha = _git_id("commit", _commit_content(commit))
    commits(repository)[sha] = commit
    return sha


def _commit_content(commit: Data) -> bytes:
    lines = [f"tree {commit['tree']}", *(f"parent {parent}" for parent in commit["parents"])]
    for role in ("author", "committer"):
        who = commit[role]
        moment = datetime.fromisoformat(who["date"])
        lines.append(f"{role} {who['name']} <{who['email']}> {int(moment.timestamp())} {moment:%z}")
    return "\n".join([*lines, "", commit["message"]]).encode()


def loose(repository: Data) -> Iterator[tuple[str, bytes]]:
    """Yield every object by its id, as git keeps one before it compresses it."""
    contents = [("blob", sha, text.encode()) for sha, text in blobs(repository).items()]
    contents += [
        ("tree", sha, _tree_content(repository, paths)) for sha, paths in [*trees(repository).items()]
    ]
    contents += [("commit", sha, _commit_content(commit)) for sha, commit in commits(repository).items()]
    return ((sha, _framed(kind, content)) for kind, sha, content in contents)


def head(world: World, repository: Data, branch: str) -> str | None:
    """Return the id of a branch's last commit, made now if its files were seeded or pushed as plain texts."""
    files = repository["files"].get(branch)
    if files is None:
        return None
    heads, tree = _shelf(repository, "heads"), save_files(repository, files)
    last: str | None = heads.get(branch)
    if last is None or commits(repository)[last]["tree"] != tree:
        last = save_commit(world, repository, tree, [last] if last else [], "Update files")
        heads[branch] = last
    return last


def set_head(repository: Data, branch: str, commit: str) -> None:
    """Make a branch, or let it point to another commit."""
    repository["files"][branch] = texts(repository, commits(repository)[commit]["tree"])
    _shelf(repository, "heads")[branch] = commit


def drop_head(repository: Data, branch: str) -> None:
    """Delete a branch."""
    del repository["files"][branch]
    _shelf(repository, "heads").pop(branch, None)


def resolve(world: World, repository: Data, ref: str) -> str | None:
    """Return the commit that a branch, tag, full ref, commit id or ``HEAD`` means, or None."""
    name = repository["default_branch"] if ref == "HEAD" else ref
    name = name.removeprefix("refs/")
    if name.startswith("tags/"):
        tag = tags(repository).get(name.removeprefix("tags/"))
        return peeled(repository, tag) if tag else None
    found = head(world, repository, name.removeprefix("heads/")) or tags(repository).get(name)
    return peeled(repository, found) if found else (name if name in commits(repository) else None)


def history(repository: Data, commit: str) -> list[str]:
    """Return a commit and all that can be reached from it, the nearest first."""
    waiting, met = [commit], dict[str, None]()
    while waiting:
        sha = waiting.pop(0)
        if sha not in met:
            met[sha] = None
            waiting += commits(repository)[sha]["parents"]
    return list(met)


def is_ancestor(repository: Data, older: str, newer: str) -> bool:
    """Whether ``older`` is ``newer`` or can be reached from it."""
    return older in history(repository, newer)
