"""What can be reached from where: a file's commits, two commits compared, branches that end at a commit.

Held to the published API. It must not change anything, and it lists no changed files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith_sandbox import github_objects as objects
from trustsmith_sandbox.github_access import Need
from trustsmith_sandbox.github_content import full_commit, short_branch
from trustsmith_sandbox.github_routes import on_repository
from trustsmith_sandbox.github_shapes import full_name, web
from trustsmith_sandbox.github_wire import not_found, paged, refusal
from trustsmith_sandbox.http import Answer

if TYPE_CHECKING:
    from trustsmith_sandbox.http import Call
    from trustsmith_sandbox.world import Data


def _commit(call: Call, repository: Data, ref: str) -> str:
    found = objects.resolve(call.world, repository, ref)
    if found is None:
        raise not_found()
    return found


def _blob(repository: Data, commit: str | None, path: str) -> str | None:
    """The file's blob at a commit; None where it is not there."""
    return (
        objects.trees(repository)[objects.commits(repository)[commit]["tree"]].get(path) if commit else None
    )


def _touches(repository: Data, commit: str, path: str) -> bool:
    """Whether a commit changed the file, as against its first parent."""
    parent = next(iter(objects.commits(repository)[commit]["parents"]), None)
    return _blob(repository, commit, path) != _blob(repository, parent, path)


def _commits(call: Call, repository: Data) -> Answer:
    start = _commit(call, repository, call.query.get("sha") or repository["default_branch"])
    found, path = objects.history(repository, start), call.query.get("path")
    if path:
        found = [sha for sha in found if _touches(repository, sha, path)]
    return paged(
        call, [{"sha": sha} for sha in found], lambda each: full_commit(call, repository, each["sha"])
    )


def _status(ahead: int, behind: int) -> str:
    if ahead and behind:
        return "diverged"
    return "ahead" if ahead else "behind" if behind else "identical"


def _compare(call: Call, repository: Data) -> Answer:
    names = call.params["basehead"].split("...")
    if len(names) != 2:  # noqa: PLR2004 - two ends
        raise not_found()
    base, head = (_commit(call, repository, name) for name in names)
    below, above = objects.history(repository, base), objects.history(repository, head)
    ahead, behind = [sha for sha in above if sha not in below], [sha for sha in below if sha not in above]
    shared = next((sha for sha in above if sha in below), None)
    if shared is None:
        raise refusal(404, f"No common ancestor between {names[0]} and {names[1]}.")
    api = f"{call.base}/repos/{full_name(repository)}/compare/{'...'.join(names)}"
    page = f"{web(call)}/{full_name(repository)}/compare/{'...'.join(names)}"
    links = {
        "html_url": page,
        "permalink_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
    }
    ends = {
        name: full_commit(call, repository, sha) for name, sha in (("base", base), ("merge_base", shared))
    }
    counts = {"ahead_by": len(ahead), "behind_by": len(behind), "total_commits": len(ahead)}
    listed = [full_commit(call, repository, sha) for sha in reversed(ahead)]
    shown = {"url": api, **links, **counts, "status": _status(len(ahead), len(behind)), "commits": listed}
    return Answer(200, shown | {f"{name}_commit": commit for name, commit in ends.items()} | {"files": []})


def _branches_where_head(call: Call, repository: Data) -> Answer:
    sha = call.params["sha"]
    if sha not in objects.commits(repository):
        raise refusal(422, f"No commit found for SHA: {sha}")
    heads = [
        name for name in sorted(repository["files"]) if objects.head(call.world, repository, name) == sha
    ]
    return Answer(200, [short_branch(call, repository, name) for name in heads])


_READ = Need("contents:read")

ROUTES = (
    *on_repository("GET", "/commits", _commits, "Commits, also of one file", _READ),
    *on_repository(
        "GET", "/commits/{sha}/branches-where-head", _branches_where_head, "Branches at a commit", _READ
    ),
    *on_repository("GET", "/compare/{basehead*}", _compare, "Two commits compared", _READ),
)
