"""Releases of actions' repositories, the commits that their tags lead to, and whether those are on a branch there.

Objects are plain dicts as GitHub answers them. Must not decide which release to take. ``repository`` is "owner/name"
of a repository that is not ours: nothing is ever written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from trustsmith.errors import NotFound, ServiceError

if TYPE_CHECKING:
    from trustsmith.clients.github_wire import Json, Wire

_NEWEST = 100  # releases; one page, the newest first
_DEEPEST = 5  # tags of tags
_BRANCHES = 10  # of those whose name begins with "release"
_ON_BRANCH = {"behind", "identical"}


class Releases:
    """What is asked about actions, over the connections of the rest. Methods raise as those of GitHub do."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def newest(self, repository: str) -> list[Json]:
        """Return the newest releases, drafts too where they are shown. Raises NotFound for no such repository."""
        return await self._wire.run(
            f"list releases of {repository}",
            "GET",
            f"{_path(repository)}/releases",
            lambda answer: answer.list(None, "tag_name", "html_url"),
            query={"per_page": _NEWEST},
        )

    async def commit_of(self, repository: str, tag: str) -> str | None:
        """Return the commit that a tag leads to, or None for no such tag.

        An annotated tag points to an object of its own, whose id no workflow can use (GitHub REST, "Get a tag").
        """
        operation = f"read the tag {tag} of {repository}"
        found = await self._wire.get(operation, f"{_path(repository)}/git/ref/tags/{quote(tag)}")
        for _ in range(_DEEPEST):
            target = (found or {}).get("object") or {}
            sha, kind = str(target.get("sha") or ""), target.get("type")
            if kind != "tag":
                return sha if kind == "commit" else None
            found = await self._wire.get(operation, f"{_path(repository)}/git/tags/{sha}")
        message = f"The tag {tag} of {repository} leads to tags only."
        raise ServiceError(message, service="github", operation=operation)

    async def committed(self, repository: str, sha: str) -> str | None:
        """Return when a commit was made (ISO 8601), or None where there is no such commit."""
        path = f"{_path(repository)}/git/commits/{sha}"
        found = await self._wire.get(f"read commit {sha[:7]} of {repository}", path, "sha")
        return None if found is None else str((found.get("committer") or {}).get("date") or "")

    async def on_a_branch(self, repository: str, sha: str) -> bool:
        """Return whether a commit is on a branch of the repository.

        All forks of a repository share their commits, so that GitHub also shows, and runs, what somebody pushed to a
        fork. Looked at are branches that end there, the default branch, and some whose name begins with "release".
        """
        operation = f"look for commit {sha[:7]} on the branches of {repository}"
        heads = f"{_path(repository)}/commits/{sha}/branches-where-head"
        if await self._wire.run(operation, "GET", heads, lambda answer: answer.list(None, "name")):
            return True
        for branch in [await self._default_branch(repository), *await self._release_branches(repository)]:
            if await self._is_on(operation, repository, branch, sha):
                return True
        return False

    async def _default_branch(self, repository: str) -> str:
        operation = f"read repository {repository}"
        found = await self._wire.run(
            operation, "GET", _path(repository), lambda answer: answer.object("default_branch")
        )
        return str(found["default_branch"])

    async def _release_branches(self, repository: str) -> list[str]:
        """The last of them by name, which are those of the newest versions."""
        refs = await self._wire.run(
            f"list release branches of {repository}",
            "GET",
            f"{_path(repository)}/git/matching-refs/heads/release",
            lambda answer: answer.list(None, "ref"),
        )
        names = sorted(str(ref["ref"]).removeprefix("refs/heads/") for ref in refs)
        return names[: -_BRANCHES - 1 : -1]

    async def _is_on(self, operation: str, repository: str, branch: str, sha: str) -> bool:
        path = f"{_path(repository)}/compare/{quote(branch)}...{sha}"
        try:
            found = await self._wire.run(
                operation, "GET", path, lambda answer: answer.object("status"), query={"per_page": 1}
            )
        except NotFound:  # no ancestor in common
            return False
        return found["status"] in _ON_BRANCH


def _path(repository: str) -> str:
    return "/repos/" + quote(repository, safe="/")
