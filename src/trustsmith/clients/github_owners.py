"""Whose repositories there are: an organization's, or a person's, as far as the token is shown them.

Part of ``github``, as ``actions`` is. Reads only; must not look into a repository.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from trustsmith.errors import NotAllowed

if TYPE_CHECKING:
    from trustsmith.clients.github_wire import Json, Wire


class Owners:
    """Accounts and what is theirs. Raises as ``GitHub`` does."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def account(self, login: str) -> Json | None:
        """Return an account with its ``type`` ("User", "Organization"), or None."""
        return await self._wire.get(f"find {login}", f"/users/{quote(login, safe='')}", "login", "type")

    async def of_organization(self, org: str) -> list[Json]:
        """Return the organization's repositories that the token may see."""
        path = f"/orgs/{quote(org, safe='')}/repos"
        return await self._wire.pages(f"list the repositories of {org}", path, None, text="full_name")

    async def of_user(self, login: str) -> tuple[list[Json], bool]:
        """Return a person's repositories, and whether private ones are among them: GitHub lists those only for oneself."""
        try:
            me = await self._wire.run("read who is signed in", "GET", "/user", lambda a: a.object("login"))
        except NotAllowed:  # an app's token is nobody's
            me = {"login": ""}
        own = str(me["login"]).lower() == login.lower()
        path = "/user/repos?affiliation=owner" if own else f"/users/{quote(login, safe='')}/repos"
        return await self._wire.pages(f"list the repositories of {login}", path, None, text="full_name"), own
