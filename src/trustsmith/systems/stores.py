"""GitHub's secrets and variables of one repository, at every level and in every store, as far as the token may see them.

What may not be read is a note, not an error: somebody else may see it. A secret is taken away by its name, and that it
was gone already is believed only when it is not listed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from trustsmith.clients.github_values import SEEN_FROM_REPOSITORY, STORES, Store
from trustsmith.errors import NotAllowed, NotFound
from trustsmith.migrate.inventory import Seen, Stored, Variable
from trustsmith.systems import together, unasked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from trustsmith.clients.github import GitHub
    from trustsmith.model.resources import StoredSecret

Json = dict[str, Any]
T = TypeVar("T")


class StoreReader:
    """Reads what one repository can use. Raises NotSignedIn and ServiceError."""

    def __init__(self, github: GitHub, repository: str) -> None:
        self._github = github
        self._repository = repository
        self._owner = repository.partition("/")[0]
        self._notes: dict[str, None] = {}
        self._whole = self._all_variables = True

    async def read(self, matters: Callable[[str], bool]) -> Seen:
        """All secrets and variables. matters: of which of the organization's secrets the visibility is asked for."""
        github, repository = self._github, self._repository
        environments = await self._may(
            github.environments(repository), [], "its environments", store="actions"
        )
        own, shared, inside, variables = await together(
            together(*(self._own(store) for store in STORES)),
            together(*(self._shared(store, matters) for store in STORES)),
            together(*(self._environment(str(each["name"])) for each in environments)),
            self._variables(),
        )
        stored = [secret for secrets in (*own, *shared) for secret in secrets]
        for secrets, found in inside:
            stored += secrets
            variables += found
        return Seen(
            stored=tuple(stored),
            variables=tuple(variables),
            notes=tuple(sorted(self._notes)),
            whole=self._whole,
            all_variables=self._all_variables,
        )

    async def places(self, shared: Sequence[Stored] | None) -> Seen:
        """The secrets alone, and few requests. shared: the organization's that it can use, where that is known already."""
        github, repository = self._github, self._repository
        environments = await self._may(
            github.environments(repository), [], "its environments", store="actions"
        )
        own, inside, others = await together(
            together(*(self._own(store) for store in STORES)),
            together(*(self._inside(str(each["name"])) for each in environments)),
            self._shared("actions", lambda _: False) if shared is None else unasked(shared),
        )
        stored = [secret for secrets in (*own, *inside, others) for secret in secrets]
        return Seen(stored=tuple(stored), notes=tuple(sorted(self._notes)), whole=self._whole)

    async def _may(self, asked: Awaitable[T], instead: T, what: str, *, store: str = "") -> T:
        """The answer; where the token may not see it, or GitHub has no such thing, what stands for it, and a note.

        store: whose secrets are then not all seen; "variables" for those.
        """
        try:
            return await asked
        except (NotAllowed, NotFound) as error:
            self._notes[f"{what} could not be read: {error.message}"] = None
            self._whole = self._whole and store != "actions"
            self._all_variables = self._all_variables and store != "variables"
            return instead

    async def _own(self, store: Store) -> list[Stored]:
        asked = self._github.values.secrets(self._repository, store)
        listed = await self._may(asked, [], f"the repository's {store} secrets", store=store)
        return [
            Stored(
                name=str(s["name"]), level="repository", store=store, updated=str(s.get("updated_at") or "")
            )
            for s in listed
        ]

    async def _shared(self, store: Store, matters: Callable[[str], bool]) -> list[Stored]:
        """The organization's that the repository can use. Who else can is for the organization's owners to see."""
        if store not in SEEN_FROM_REPOSITORY:
            return []
        what = f"the organization's {store} secrets"
        asked = self._github.values.organization_secrets(self._repository, store)
        listed = await self._may(asked, [], what, store=store)
        return list(await together(*(self._of_organization(s, store, matters) for s in listed)))

    async def _of_organization(self, secret: Json, store: Store, matters: Callable[[str], bool]) -> Stored:
        name, visibility, repositories = str(secret["name"]), "", None
        if matters(name):
            what = f"who else can use the organization's {store} secret {name}"
            values = self._github.values
            full = await self._may(values.organization_secret(self._owner, name, store), None, what)
            if full is None:
                self._notes[f"{what} could not be read: that is for the organization's owners"] = None
            else:
                visibility = str(full["visibility"])
            if visibility == "selected":
                chosen = await self._may(values.selected_repositories(self._owner, name, store), [], what)
                repositories = tuple(sorted(str(each["full_name"]) for each in chosen))
        return Stored(
            name=name,
            level="organization",
            store=store,
            updated=str(secret.get("updated_at") or ""),
            visibility=visibility,
            repositories=repositories,
        )

    async def _environment(self, name: str) -> tuple[list[Stored], list[Variable]]:
        asked = self._github.variables(self._repository, name)
        what = f"the variables of environment {name}"
        secrets, variables = await together(self._inside(name), self._may(asked, [], what, store="variables"))
        return secrets, [
            Variable(name=str(v["name"]), value=str(v["value"]), environment=name) for v in variables
        ]

    async def _inside(self, name: str) -> list[Stored]:
        asked = self._github.secrets(self._repository, name)
        return [
            Stored(
                name=str(s["name"]),
                level="environment",
                environment=name,
                updated=str(s.get("updated_at") or ""),
            )
            for s in await self._may(asked, [], f"the secrets of environment {name}", store="actions")
        ]

    async def _variables(self) -> list[Variable]:
        values = self._github.values
        mine, ours = values.variables(self._repository), values.organization_variables(self._repository)
        own, shared = await together(
            self._may(mine, [], "the repository's variables", store="variables"),
            self._may(ours, [], "the organization's variables", store="variables"),
        )
        hidden = {str(v["name"]) for v in own}  # by the repository's of the same name
        return [
            *(Variable(name=str(v["name"]), value=str(v["value"])) for v in own),
            *(
                Variable(name=str(v["name"]), value=str(v["value"]), shared=True)
                for v in shared
                if str(v["name"]) not in hidden
            ),
        ]


async def take_away(github: GitHub, repository: str, secret: StoredSecret) -> None:
    """Delete a secret; one that is gone is done.

    GitHub says "not found" also to those who may not delete it. Raises NotAllowed when it is still listed then.
    """
    values, owner = github.values, repository.partition("/")[0]
    store = next(store for store in STORES if store == secret.store)
    if secret.level == "organization":
        found = await values.delete_organization_secret(owner, secret.name, store)
    elif secret.level == "repository":
        found = await values.delete_secret(repository, secret.name, store)
    else:
        found = await github.delete_secret(repository, secret.environment, secret.name)
    if not found and secret.name.upper() in await _listed(github, repository, secret, store):
        needed = "admin:org" if secret.level == "organization" else "repo"
        raise NotAllowed(
            f"GitHub does not find the secret {secret.place} to delete it, and lists it still: the token may not.",
            service="github",
            operation=f"delete {secret.place}",
            hint=f"Ask an administrator there; a classic token needs the scope {needed}:\n"
            f"  gh auth refresh --scopes {needed}",
        )


async def _listed(github: GitHub, repository: str, secret: StoredSecret, store: Store) -> set[str]:
    """The names of the secrets where one is; none where the place itself is gone."""
    try:
        if secret.level == "organization":
            listed = await github.values.organization_secrets(repository, store)
        elif secret.level == "repository":
            listed = await github.values.secrets(repository, store)
        else:
            listed = await github.secrets(repository, secret.environment)
    except NotFound:
        return set()
    return {str(each["name"]).upper() for each in listed}
