"""Pull requests: open, read, change, close.

Held to the published API; one open pull request for each head and base. It must not merge: that is a
person's decision, and ``push`` on the control route stands in for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith_sandbox import github_objects as objects
from trustsmith_sandbox import github_shapes
from trustsmith_sandbox.github_access import Need
from trustsmith_sandbox.github_issues import next_number
from trustsmith_sandbox.github_routes import on_repository
from trustsmith_sandbox.github_shapes import account, full_name, node_id, owner_of, web
from trustsmith_sandbox.github_wire import field, invalid, not_found, paged, touch
from trustsmith_sandbox.http import Answer

if TYPE_CHECKING:
    from trustsmith_sandbox.http import Call
    from trustsmith_sandbox.world import Data

_ABSENT = dict.fromkeys(
    (
        "assignee",
        "milestone",
        "merge_commit_sha",
        "merged_at",
        "merged_by",
        "auto_merge",
        "active_lock_reason",
    )
)
_COUNTS = dict.fromkeys(("additions", "deletions", "changed_files", "comments", "review_comments"), 0)
_STATE = {
    "locked": False,
    "author_association": "OWNER",
    "labels": [],
    "assignees": [],
    "requested_reviewers": [],
}


def _pulls(repository: Data) -> dict[str, Data]:
    table: dict[str, Data] = repository.setdefault("pulls", {})
    return table


def _side(call: Call, repository: Data, branch: str) -> Data:
    sha = objects.head(call.world, repository, branch) or ""
    owner = account(call, owner_of(call, repository))
    label = f"{repository['owner']}:{branch}"
    return {
        "label": label,
        "ref": branch,
        "sha": sha,
        "user": owner,
        "repo": github_shapes.repository(call, repository),
    }


def _urls(call: Call, repository: Data, number: int) -> Data:
    api, page = (
        f"{call.base}/repos/{full_name(repository)}",
        f"{web(call)}/{full_name(repository)}/pull/{number}",
    )
    return {
        "url": f"{api}/pulls/{number}",
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": f"{api}/issues/{number}",
        "commits_url": f"{api}/pulls/{number}/commits",
        "review_comments_url": f"{api}/pulls/{number}/comments",
        "review_comment_url": f"{api}/pulls/comments{{/number}}",
        "comments_url": f"{api}/issues/{number}/comments",
        "statuses_url": f"{api}/statuses/{number}",
    }


def _links(urls: Data) -> Data:
    names = ("html", "issue", "comments", "review_comments", "review_comment", "commits", "statuses")
    links = {name: {"href": urls[f"{name}_url"]} for name in names}
    return {"self": {"href": urls["url"]}, **links}


def _simple(call: Call, repository: Data, pull: Data) -> Data:
    urls = _urls(call, repository, pull["number"])
    kept = {key: value for key, value in pull.items() if key not in {"head", "base", "user"}}
    sides = {side: _side(call, repository, pull[side]) for side in ("head", "base")}
    who = account(call, call.world.data["github"]["users"][pull["user"]])
    ids = {"node_id": node_id("PR", pull["id"]), "user": who, "_links": _links(urls), "requested_teams": []}
    return _ABSENT | _STATE | kept | urls | sides | ids


def _full(call: Call, repository: Data, pull: Data) -> Data:
    merging = {"merged": False, "mergeable": True, "mergeable_state": "clean", "rebaseable": True}
    return (
        _simple(call, repository, pull) | merging | _COUNTS | {"commits": 1, "maintainer_can_modify": False}
    )


def _list(call: Call, repository: Data) -> Answer:
    state, base = call.query.get("state", "open"), call.query.get("base")
    head = call.query.get("head", "").rpartition(":")[2]
    found = [
        pull
        for pull in reversed(_pulls(repository).values())
        if state in {"all", pull["state"]} and base in {None, pull["base"]} and head in {"", pull["head"]}
    ]
    return paged(call, found, lambda pull: _simple(call, repository, pull))


def _create(call: Call, repository: Data) -> Answer:
    head, base = (field(call, side, str, required=True) for side in ("head", "base"))
    head = head.rpartition(":")[2]
    for side, branch in (("head", head), ("base", base)):
        if branch not in repository["files"]:
            raise invalid("PullRequest", side, f"{side} is not a branch", "invalid")
    if repository["files"][head] == repository["files"][base]:
        raise invalid("PullRequest", "head", f"No commits between {base} and {head}")
    for other in _pulls(repository).values():
        if (other["state"], other["head"], other["base"]) == ("open", head, base):
            text = f"A pull request already exists for {repository['owner']}:{head}."
            raise invalid("PullRequest", "head", text)
    number = next_number(repository)
    pull = {"number": number, "id": call.world.next_id(), "state": "open", "head": head, "base": base}
    pull |= {"title": field(call, "title", str, required=True), "body": field(call, "body", str)}
    pull |= {"draft": field(call, "draft", bool, default=False), "closed_at": None, "user": call.caller.login}
    _pulls(repository)[str(number)] = touch(call.world, pull)
    return Answer(201, _full(call, repository, pull))


def _named(call: Call, repository: Data) -> Data:
    found = _pulls(repository).get(call.params["number"])
    if found is None:
        raise not_found()
    return found


def _get(call: Call, repository: Data) -> Answer:
    return Answer(200, _full(call, repository, _named(call, repository)))


def _update(call: Call, repository: Data) -> Answer:
    pull = _named(call, repository)
    state = field(call, "state", str, default=pull["state"])
    if state not in {"open", "closed"}:
        raise invalid("PullRequest", "state", "state is not open or closed", "invalid")
    pull.update({key: field(call, key, str, default=pull[key]) for key in ("title", "body", "base")})
    touch(call.world, pull)
    pull.update(state=state, closed_at=pull["updated_at"] if state == "closed" else None)
    return Answer(200, _full(call, repository, pull))


_READ, _WRITE = Need("pull_requests:read"), Need("pull_requests:write")

ROUTES = (
    *on_repository("GET", "/pulls", _list, "Pull requests", _READ),
    *on_repository("POST", "/pulls", _create, "Open a pull request", _WRITE),
    *on_repository("GET", "/pulls/{number}", _get, "Pull request", _READ),
    *on_repository("PATCH", "/pulls/{number}", _update, "Change or close a pull request", _WRITE),
)
