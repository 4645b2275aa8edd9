"""GitHub's Git database and pull requests: what a branch holds, one commit of many files, one pull request for it.

Objects are plain dicts as GitHub answers them; texts are whole files. Must not decide what is written, nor whose commit a
branch ends in. Nothing here needs a clone, and nothing of one is touched.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import TYPE_CHECKING
from urllib.parse import quote

from trustsmith.errors import Conflict, NotFound, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trustsmith.clients.github_wire import Json, Wire

_FILE = "100644"
_UNPROCESSABLE = 422


class Commits:
    """The part of GitHub that keeps files, over the connections of the rest. Methods raise as those of GitHub do.

    ``sha`` is always a commit's unless it is said otherwise.
    """

    def __init__(self, wire: Wire, repo: Callable[[str], str]) -> None:
        self._wire = wire
        self._repo = repo
        self._trees: dict[str, dict[str, Json]] = {}  # by id, which no content can change under

    # -- reading ------------------------------------------------------------------------------------------------

    async def head(self, full_name: str, branch: str) -> str | None:
        """Return the commit that a branch ends in, or None for no such branch. Raises Conflict without any commit."""
        path = f"{self._repo(full_name)}/git/ref/heads/{quote(branch)}"
        found = await self._wire.get(f"read branch {branch}", path, "ref")
        return None if found is None else str(found["object"]["sha"])

    async def tree_of(self, full_name: str, sha: str) -> str:
        """Return the id of the tree of a commit."""
        path = f"{self._repo(full_name)}/git/commits/{sha}"
        found = await self._wire.run(
            f"read commit {sha[:7]}", "GET", path, lambda answer: answer.object("sha")
        )
        return str(found["tree"]["sha"])

    async def folder(self, full_name: str, tree: str, folder: str) -> dict[str, Json]:
        """Return what is directly in a folder, by name (``mode``, ``type``, ``sha``); {} where there is no such folder.

        tree: the id of the tree that `folder` is seen from; "" or "." is that tree itself.
        """
        for name in (part for part in folder.split("/") if part not in {"", "."}):
            entry = (await self._entries(full_name, tree)).get(name)
            if entry is None or entry.get("type") != "tree":
                return {}
            tree = str(entry["sha"])
        return await self._entries(full_name, tree)

    async def _entries(self, full_name: str, tree: str) -> dict[str, Json]:
        if tree not in self._trees:
            self._trees[tree] = await self._listed(full_name, tree)
        return self._trees[tree]

    async def _listed(self, full_name: str, tree: str) -> dict[str, Json]:
        path = f"{self._repo(full_name)}/git/trees/{tree}"
        operation = f"read tree {tree[:7]}"
        found = await self._wire.run(operation, "GET", path, lambda answer: answer.object("sha"))
        if found.get("truncated"):
            message = "GitHub does not show a folder whole, since it holds too many files."
            raise ServiceError(message, service="github", operation=operation)
        return {str(entry["path"]): entry for entry in found["tree"]}

    async def all_below(self, full_name: str, tree: str) -> tuple[dict[str, Json], bool]:
        """Return everything below a tree, by path (also ``size`` in bytes, of files), and whether that is all.

        tree: its id, or that of a commit. GitHub ends the list after 100,000 entries, or 7 MB (GitHub REST: get a tree).
        """
        path = f"{self._repo(full_name)}/git/trees/{tree}"
        operation = f"read all of tree {tree[:7]}"
        found = await self._wire.run(
            operation, "GET", path, lambda answer: answer.object("sha"), query={"recursive": 1}
        )
        return {str(entry["path"]): entry for entry in found["tree"]}, not found.get("truncated")

    async def branches(self, full_name: str) -> list[Json]:
        """Return all branches, each with ``name``, ``protected`` and its last commit's id (``commit``)."""
        return await self._wire.pages(
            f"list the branches of {full_name}", f"{self._repo(full_name)}/branches", None
        )

    async def blob(self, full_name: str, blob: str, path: str) -> bytes:
        """Return what is in a file, by the id that a folder has for it; path: for messages."""
        where = f"{self._repo(full_name)}/git/blobs/{blob}"
        found = await self._wire.run(f"read {path}", "GET", where, lambda answer: answer.object("content"))
        try:
            return b64decode(found["content"])
        except binascii.Error:
            raise ServiceError(f"GitHub's answer for {path} is no base64.", service="github") from None

    async def changes_of(self, full_name: str, sha: str, path: str, most: int) -> list[str]:
        """Return the commits that changed a file, the newest first, as seen from a commit; `most` at most (100)."""
        where = f"{self._repo(full_name)}/commits"
        query = {"sha": sha, "path": path, "per_page": most}
        found = await self._wire.run(
            f"read the history of {path}", "GET", where, lambda answer: answer.list(None, "sha"), query=query
        )
        return [str(each["sha"]) for each in found]

    async def own_commits(self, full_name: str, base: str, branch: str) -> list[Json]:
        """Return the commits of a branch that are not on `base`, each with ``sha``, ``commit`` and ``parents``."""
        path = f"{self._repo(full_name)}/compare/{quote(base)}...{quote(branch)}"
        return await self._wire.run(
            f"compare {branch} with {base}", "GET", path, lambda answer: answer.list("commits", "sha")
        )

    # -- writing ------------------------------------------------------------------------------------------------

    async def make_tree(self, full_name: str, base: str, files: Mapping[str, str | None]) -> str:
        """Make the tree `base` with these files (path → text, None to take it away); return its id.

        Raises NotFound or NotAllowed for workflow files where the token may not write those.
        """
        entries = [_entry(path, text) for path, text in sorted(files.items())]
        body = {"base_tree": base, "tree": entries}
        return await self._made(f"write {len(entries)} files", f"{self._repo(full_name)}/git/trees", body)

    async def make_commit(self, full_name: str, message: str, tree: str, parent: str) -> str:
        """Make a commit that is on no branch yet; return its id. One that is made twice is in nobody's way."""
        body = {"message": message, "tree": tree, "parents": [parent]}
        return await self._made("make the commit", f"{self._repo(full_name)}/git/commits", body)

    async def _made(self, operation: str, path: str, body: Json) -> str:
        found = await self._wire.run(operation, "POST", path, lambda answer: answer.object("sha"), body=body)
        return str(found["sha"])

    async def make_branch(self, full_name: str, branch: str, sha: str) -> None:
        """Make a branch that ends in a commit; one that ends there already is done. Raises Conflict for another one."""
        path = f"{self._repo(full_name)}/git/refs"
        body = {"ref": f"refs/heads/{branch}", "sha": sha}
        try:
            await self._wire.run(f"make branch {branch}", "POST", path, lambda _: None, body=body)
        except Conflict:
            if await self.head(full_name, branch) != sha:
                raise

    async def move_branch(self, full_name: str, branch: str, sha: str) -> None:
        """Let a branch end in another commit, wherever it ended before."""
        path = f"{self._repo(full_name)}/git/refs/heads/{quote(branch)}"
        body = {"sha": sha, "force": True}
        await self._wire.run(f"move branch {branch}", "PATCH", path, lambda _: None, body=body)

    # -- pull requests ------------------------------------------------------------------------------------------

    async def open_pull(self, full_name: str, branch: str) -> Json | None:
        """Return the open pull request from a branch of the repository itself, or None."""
        query = {"head": f"{full_name.partition('/')[0]}:{branch}", "state": "open"}
        found = await self._wire.run(
            f"look for a pull request from {branch}",
            "GET",
            f"{self._repo(full_name)}/pulls",
            lambda answer: answer.list(None, "html_url"),
            query=query,
        )
        return found[0] if found else None

    async def make_pull(self, full_name: str, branch: str, base: str, title: str, body: str) -> Json:
        """Open a pull request; one that is open already is returned as it is."""
        content = {"title": title, "head": branch, "base": base, "body": body}

        async def read_back() -> Json | None:
            return await self.open_pull(full_name, branch)

        try:
            return await self._wire.run(
                f"open a pull request from {branch}",
                "POST",
                f"{self._repo(full_name)}/pulls",
                lambda answer: answer.object("html_url"),
                body=content,
                read_back=read_back,
            )
        except (Conflict, NotFound) as error:
            there = await read_back() if error.status == _UNPROCESSABLE else None
            if there is None:
                raise
            return there

    async def change_pull(self, full_name: str, number: int, body: str) -> None:
        """Change the text of a pull request."""
        path = f"{self._repo(full_name)}/pulls/{number}"
        await self._wire.run(
            f"change pull request {number}", "PATCH", path, lambda _: None, body={"body": body}
        )


def _entry(path: str, text: str | None) -> Json:
    """An entry of a tree (GitHub REST, "Create a tree"): without an object, the file is taken away."""
    entry: Json = {"path": path, "mode": _FILE, "type": "blob"}
    return entry | ({"sha": None} if text is None else {"content": text})
