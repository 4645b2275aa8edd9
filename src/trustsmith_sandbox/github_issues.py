"""Issues of a repository and the comments on them: open, list, read, change, close, reopen.

Held to the published API. Labels are for those who may push or triage, and are dropped for others without a word
(GitHub REST, "Create an issue"); one that is not there is made. It must not send anybody a notification.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from trustsmith_sandbox.github_access import ROLES, Need, role_on
from trustsmith_sandbox.github_routes import on_repository
from trustsmith_sandbox.github_shapes import account, full_name, node_id, web
from trustsmith_sandbox.github_wire import field, invalid, malformed, not_found, paged, refusal, touch
from trustsmith_sandbox.http import Answer

if TYPE_CHECKING:
    from trustsmith_sandbox.github_access import Caller
    from trustsmith_sandbox.http import Call
    from trustsmith_sandbox.world import Data

_LONGEST = 65_536  # characters of a body
_ABSENT = dict.fromkeys(("assignee", "milestone", "active_lock_reason", "performed_via_github_app", "type"))
_REASONS = {"completed", "not_planned", "duplicate", "reopened"}


def next_number(repository: Data) -> int:
    """Return the number of the next issue or pull request, which are counted together."""
    return 1 + sum(len(repository.get(kind, {})) for kind in ("issues", "pulls"))


def login_of(caller: Caller) -> str:
    """Return who opens an issue with this token: a user, or an app's bot."""
    return caller.login or f"{caller.token['app']}[bot]"


def bot(login: str) -> Data:
    """Return an app's bot as users are kept; its id follows from its name."""
    return {"id": 40_000_000 + zlib.crc32(login.encode()) % 1_000_000, "login": login, "type": "Bot"}


def _issues(repository: Data) -> dict[str, Data]:
    table: dict[str, Data] = repository.setdefault("issues", {})
    return table


def _user(call: Call, login: str) -> Data:
    return account(call, call.world.data["github"]["users"].get(login) or bot(login))


def _may_triage(call: Call, repository: Data) -> bool:
    """Whether the caller may set labels, and change what others wrote."""
    return ROLES.index(role_on(call.world, call.caller, repository)) >= ROLES.index("triage")


def _shape(call: Call, repository: Data, issue: Data) -> Data:
    api = f"{call.base}/repos/{full_name(repository)}"
    url, kept = f"{api}/issues/{issue['number']}", {k: v for k, v in issue.items() if k != "entries"}
    return {
        **_ABSENT,
        **kept,
        "node_id": node_id("I", issue["id"]),
        "url": url,
        "html_url": f"{web(call)}/{full_name(repository)}/issues/{issue['number']}",
        "repository_url": api,
        **{f"{name}_url": f"{url}/{name}" for name in ("comments", "events", "timeline")},
        "labels_url": f"{url}/labels{{/name}}",
        "user": _user(call, issue["user"]),
        "labels": [_label(call, repository, name) for name in issue["labels"]],
        "assignees": [],
        "locked": False,
        "comments": len(issue["entries"]),
        "author_association": "NONE",
        "closed_by": None,
    }


def _label(call: Call, repository: Data, name: str) -> Data:
    number = zlib.crc32(name.encode())
    url = f"{call.base}/repos/{full_name(repository)}/labels/{name}"
    ids = {"id": number, "node_id": node_id("LA", number), "url": url}
    return ids | {"name": name, "description": None, "color": "ededed", "default": False}


def _list(call: Call, repository: Data) -> Answer:
    state, creator = call.query.get("state", "open"), call.query.get("creator")
    wanted = {name for name in call.query.get("labels", "").split(",") if name}
    found = [
        issue
        for issue in reversed(_issues(repository).values())
        if state in {"all", issue["state"]}
        and creator in {None, issue["user"]}
        and wanted <= set(issue["labels"])
    ]
    return paged(call, found, lambda issue: _shape(call, repository, issue))


def _body(call: Call, default: str | None = None) -> str | None:
    body: str | None = field(call, "body", str, default=default)
    if body is not None and len(body) > _LONGEST:
        raise invalid("Issue", "body", f"body is too long (maximum is {_LONGEST} characters)")
    return body


def _labels(call: Call, repository: Data, default: list[str]) -> list[str]:
    asked = field(call, "labels", list, default=default)
    if not all(isinstance(name, str) for name in asked):
        raise malformed("For 'properties/labels', the sandbox takes names.")
    return list(dict.fromkeys(asked)) if _may_triage(call, repository) else default


def _create(call: Call, repository: Data) -> Answer:
    if not repository.get("has_issues", True):
        raise refusal(410, "Issues are disabled for this repo")
    issue: Data = {
        "number": next_number(repository),
        "id": call.world.next_id(),
        "title": field(call, "title", str, required=True),
        "body": _body(call),
        "user": login_of(call.caller),
        "labels": _labels(call, repository, []),
        "state": "open",
        "state_reason": None,
        "closed_at": None,
        "entries": [],
    }
    _issues(repository)[str(issue["number"])] = touch(call.world, issue)
    return Answer(201, _shape(call, repository, issue))


def _named(call: Call, repository: Data) -> Data:
    found = _issues(repository).get(call.params["number"])
    if found is None:
        raise not_found()
    return found


def _get(call: Call, repository: Data) -> Answer:
    return Answer(200, _shape(call, repository, _named(call, repository)))


def _update(call: Call, repository: Data) -> Answer:
    """Change an issue: its author, and those who may triage."""
    issue = _named(call, repository)
    if issue["user"] != login_of(call.caller) and not _may_triage(call, repository):
        raise refusal(403, "Must have admin rights to Repository.")
    state, reason = field(call, "state", str, default=issue["state"]), field(call, "state_reason", str)
    if state not in {"open", "closed"} or reason not in {None, *_REASONS}:
        raise invalid("Issue", "state", "state is not open or closed", "invalid")
    labels = _labels(call, repository, issue["labels"])
    issue |= {"title": field(call, "title", str, default=issue["title"]), "labels": labels}
    issue["body"] = _body(call, issue["body"])
    touch(call.world, issue)
    if state != issue["state"]:
        usual = "completed" if state == "closed" else "reopened"
        closed = issue["updated_at"] if state == "closed" else None
        issue |= {"state": state, "state_reason": reason or usual, "closed_at": closed}
    return Answer(200, _shape(call, repository, issue))


def _comment(call: Call, repository: Data, issue: Data, entry: Data) -> Data:
    url = f"{call.base}/repos/{full_name(repository)}/issues"
    page = f"{web(call)}/{full_name(repository)}/issues/{issue['number']}#issuecomment-{entry['id']}"
    return {
        **entry,
        "node_id": node_id("IC", entry["id"]),
        "url": f"{url}/comments/{entry['id']}",
        "html_url": page,
        "issue_url": f"{url}/{issue['number']}",
        "user": _user(call, entry["user"]),
        "author_association": "NONE",
        "performed_via_github_app": None,
    }


def _comments(call: Call, repository: Data) -> Answer:
    issue = _named(call, repository)
    return paged(call, issue["entries"], lambda entry: _comment(call, repository, issue, entry))


def _add_comment(call: Call, repository: Data) -> Answer:
    issue = _named(call, repository)
    field(call, "body", str, required=True)
    entry = touch(
        call.world, {"id": call.world.next_id(), "body": _body(call), "user": login_of(call.caller)}
    )
    issue["entries"].append(entry)
    return Answer(201, _comment(call, repository, issue, entry))


_READ, _WRITE = Need("issues:read"), Need("issues:write")

ROUTES = (
    *on_repository("GET", "/issues", _list, "Issues", _READ),
    *on_repository("POST", "/issues", _create, "Open an issue", _WRITE),
    *on_repository("GET", "/issues/{number}", _get, "Issue", _READ),
    *on_repository("PATCH", "/issues/{number}", _update, "Change, close or reopen an issue", _WRITE),
    *on_repository("GET", "/issues/{number}/comments", _comments, "Comments on an issue", _READ),
    *on_repository("POST", "/issues/{number}/comments", _add_comment, "Comment on an issue", _WRITE),
)
