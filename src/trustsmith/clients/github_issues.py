"""GitHub's issues: find those that this token opened, open one, change it, comment on it.

Objects are plain dicts as GitHub answers them. It must not decide what an issue says, or when one is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

    from trustsmith.clients.github_wire import Json, Wire
    from trustsmith.clients.transport import Answer

_VIEWER = {"query": "{viewer{login}}"}


class Issues:
    """The issues of a repository, over the connections of the rest.

    Every method raises NotSignedIn, NotAllowed, Conflict or another ServiceError (service "github").
    repo: from "owner/name" to the path of the repository. api: the REST API's address.
    """

    def __init__(self, wire: Wire, repo: Callable[[str], str], api: str) -> None:
        self._wire = wire
        self._repo = repo
        # An enterprise server has GraphQL beside its REST API and not below it.
        self._graphql = "/graphql" if not urlsplit(api).path else f"{api.removesuffix('/v3')}/graphql"

    async def me(self) -> str:
        """Return who opens issues with this token: a login, an app's as "NAME[bot]" ("github-actions[bot]").

        REST answers that to no app; GraphQL does.
        """

        def login(answer: Answer) -> str:
            viewer = (answer.object().get("data") or {}).get("viewer") or {}
            if not isinstance(viewer.get("login"), str):
                raise answer.wrong("it does not say who the token is of")
            return str(viewer["login"])

        return await self._wire.run("read who is signed in", "POST", self._graphql, login, body=_VIEWER)

    async def opened_by(self, full_name: str, login: str, label: str) -> list[Json]:
        """Return the issues that somebody opened and that have the label, also closed ones, the newest first."""
        query = urlencode({"creator": login, "labels": label, "state": "all"})
        path = f"{self._repo(full_name)}/issues?{query}"
        found = await self._wire.pages(f"list issues of {full_name}", path, None, text="state")
        # GitHub lists pull requests as issues, and a list is no promise about who wrote what.
        return [issue for issue in found if "pull_request" not in issue and _login(issue) == login]

    async def open(self, full_name: str, title: str, body: str, label: str) -> Json:
        """Open an issue, once: when the answer was lost, it is looked for by its body."""
        operation, path = "open an issue", f"{self._repo(full_name)}/issues"
        wanted = {"title": title, "body": body, "labels": [label]}

        async def opened() -> Json | None:
            mine = await self.opened_by(full_name, await self.me(), label)
            return next((issue for issue in mine if issue.get("body") == body), None)

        return await self._wire.run(operation, "POST", path, _issue, body=wanted, read_back=opened)

    async def change(self, full_name: str, number: int, **values: str) -> Json:
        """Change an issue: ``title``, ``body``, ``state`` ("open", "closed"), ``state_reason``."""
        path = f"{self._repo(full_name)}/issues/{number}"
        return await self._wire.run(f"change issue {number}", "PATCH", path, _issue, body=values)

    async def comment(self, full_name: str, number: int, body: str) -> None:
        """Comment on an issue, once."""
        path = f"{self._repo(full_name)}/issues/{number}/comments"

        async def said() -> bool | None:
            found = await self._wire.pages(f"list comments of issue {number}", path, None, text="body")
            return True if any(entry["body"] == body for entry in found[-1:]) else None

        await self._wire.run(
            f"comment on issue {number}",
            "POST",
            path,
            lambda answer: bool(answer.object("body")),
            body={"body": body},
            read_back=said,
        )


def _issue(answer: Answer) -> Json:
    found = answer.object("state", "html_url")
    if not isinstance(found.get("number"), int):
        raise answer.wrong("'number' is missing")
    return found


def _login(issue: Json) -> str:
    return str((issue.get("user") or {}).get("login"))
