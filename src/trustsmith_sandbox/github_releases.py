"""Releases of a repository, the newest first. Held to the published API; they are seeded, and nobody publishes here.

A seeded release has ``tag_name`` and ``published_at``, or ``days_old`` for one that is always as young as that.
``draft`` and ``prerelease`` are false unless they are said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith_sandbox.github_access import ROLES, Need, role_on
from trustsmith_sandbox.github_routes import on_repository
from trustsmith_sandbox.github_shapes import account, full_name, node_id, owner_of, web
from trustsmith_sandbox.github_wire import paged

if TYPE_CHECKING:
    from trustsmith_sandbox.http import Answer, Call
    from trustsmith_sandbox.world import Data

_DAY = 86_400


def _published(call: Call, release: Data) -> str:
    if "days_old" in release:
        return call.world.stamp(offset=-release["days_old"] * _DAY)
    return str(release["published_at"])


def _shape(call: Call, repository: Data, release: Data) -> Data:
    number, tag = release["id"], release["tag_name"]
    name, draft = full_name(repository), bool(release.get("draft"))
    api, page = f"{call.base}/repos/{name}", f"{web(call)}/{name}/releases"
    return {
        "id": number,
        "node_id": node_id("RE", number),
        "tag_name": tag,
        "target_commitish": repository["default_branch"],
        "name": release.get("name"),
        "body": "",
        "draft": draft,
        "prerelease": bool(release.get("prerelease")),
        "immutable": False,
        "created_at": _published(call, release),
        "published_at": None if draft else _published(call, release),
        "author": account(call, owner_of(call, repository)),
        "assets": [],
        "url": f"{api}/releases/{number}",
        "assets_url": f"{api}/releases/{number}/assets",
        "upload_url": f"{api}/releases/{number}/assets{{?name,label}}",
        "html_url": f"{page}/tag/{tag}",
        "tarball_url": f"{api}/tarball/{tag}",
        "zipball_url": f"{api}/zipball/{tag}",
    }


def _list(call: Call, repository: Data) -> Answer:
    writes = ROLES.index(role_on(call.world, call.caller, repository)) >= ROLES.index("write")
    known = repository.get("releases", [])
    seen = [
        release for release in known if writes or not release.get("draft")
    ]  # drafts are for those who write
    newest = sorted(seen, key=lambda release: _published(call, release), reverse=True)
    return paged(call, newest, lambda release: _shape(call, repository, release))


ROUTES = (*on_repository("GET", "/releases", _list, "Releases", Need("contents:read")),)
