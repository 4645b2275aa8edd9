"""What a repository can read of secrets and variables, at every level and in every store: names and dates, no values.

Part of ``github``, as ``actions`` is. It can delete a secret, by its name; must not decide what any of it means.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Callable

    from trustsmith.clients.github_wire import Json, Wire

#: Where secrets are kept (GitHub REST: secrets of Actions, Dependabot, Codespaces, agents).
Store = Literal["actions", "dependabot", "codespaces", "agents"]
STORES: tuple[Store, ...] = ("actions", "dependabot", "codespaces", "agents")
#: Stores whose organization's secrets can be listed from the side of a repository.
SEEN_FROM_REPOSITORY: tuple[Store, ...] = ("actions", "agents")
_VARIABLES_PER_PAGE = 30  # more is refused for variables (GitHub docs: list repository variables)


class Values:
    """Secrets and variables beside those of environments. Raises as ``GitHub`` does."""

    def __init__(self, wire: Wire, repo: Callable[[str], str]) -> None:
        self._wire = wire
        self._repo = repo

    async def secrets(self, full_name: str, store: Store) -> list[Json]:
        """Return names and dates of a repository's own secrets in a store."""
        path = f"{self._repo(full_name)}/{store}/secrets"
        return await self._wire.pages(f"list {store} secrets of {full_name}", path, "secrets")

    async def organization_secrets(self, full_name: str, store: Store) -> list[Json]:
        """Return those of the organization that the repository can use; of stores in ``SEEN_FROM_REPOSITORY`` only."""
        path = f"{self._repo(full_name)}/{store}/organization-secrets"
        operation = f"list the organization's {store} secrets for {full_name}"
        return await self._wire.pages(operation, path, "secrets")

    async def secrets_of_organization(self, org: str, store: Store) -> list[Json]:
        """Return all of an organization's secrets in a store, each with its ``visibility``; for its owners."""
        path = f"/orgs/{quote(org, safe='')}/{store}/secrets"
        return await self._wire.pages(f"list {store} secrets of {org}", path, "secrets")

    async def organization_secret(self, org: str, name: str, store: Store) -> Json | None:
        """Return an organization's secret with its ``visibility`` (all, private, selected), or None."""
        path = f"/orgs/{quote(org, safe='')}/{store}/secrets/{quote(name, safe='')}"
        return await self._wire.get(f"read {store} secret {name} of {org}", path, "name", "visibility")

    async def selected_repositories(self, org: str, name: str, store: Store) -> list[Json]:
        """Return the repositories that an organization's secret of visibility ``selected`` is for."""
        path = f"/orgs/{quote(org, safe='')}/{store}/secrets/{quote(name, safe='')}/repositories"
        return await self._wire.pages(f"list repositories of {store} secret {name}", path, "repositories")

    async def delete_secret(self, full_name: str, name: str, store: Store) -> bool:
        """Delete one of a repository's own secrets in a store; one that is gone is done. Return whether it was found."""
        path = f"{self._repo(full_name)}/{store}/secrets/{quote(name, safe='')}"
        return await self._wire.delete(f"delete {store} secret {name} of {full_name}", path)

    async def delete_organization_secret(self, org: str, name: str, store: Store) -> bool:
        """Delete an organization's secret in a store, for all who can use it. Return whether it was found."""
        path = f"/orgs/{quote(org, safe='')}/{store}/secrets/{quote(name, safe='')}"
        return await self._wire.delete(f"delete {store} secret {name} of {org}", path)

    async def variables(self, full_name: str) -> list[Json]:
        """Return a repository's variables with their values."""
        path = f"{self._repo(full_name)}/actions/variables"
        operation = f"list variables of {full_name}"
        return await self._wire.pages(operation, path, "variables", size=_VARIABLES_PER_PAGE)

    async def organization_variables(self, full_name: str) -> list[Json]:
        """Return those of the organization that the repository can use, with their values."""
        path = f"{self._repo(full_name)}/actions/organization-variables"
        operation = f"list the organization's variables for {full_name}"
        return await self._wire.pages(operation, path, "variables", size=_VARIABLES_PER_PAGE)
