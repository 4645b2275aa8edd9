"""GitHub: environments with their protection, the ids in them, and the mark that says they are ours."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trustsmith.errors import Conflict, Refused
from trustsmith.model.environments import (
    EnvironmentMark,
    EnvironmentSecret,
    EnvironmentVariable,
    GitHubEnvironment,
    SubjectSetting,
)
from trustsmith.model.naming import MARK_VARIABLE, value_digest
from trustsmith.model.resource import Key, Later, Resource
from trustsmith.model.resources import Application, FederatedCredential, StoredSecret
from trustsmith.model.state import State
from trustsmith.model.subject import has_ids
from trustsmith.systems import together
from trustsmith.systems.github_seen import Seen
from trustsmith.systems.mark import MarkText
from trustsmith.systems.sight import Sight
from trustsmith.systems.stores import take_away

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable, Mapping

    from trustsmith.clients.github import GitHub
    from trustsmith.model.facts import Facts
    from trustsmith.model.plan import Change
    from trustsmith.systems import Minted

Json = dict[str, Any]


class GitHubReader:
    """Reads the environments of one repository."""

    def __init__(self, github: GitHub, sight: Sight | None = None) -> None:
        self._github = github
        self._sight = sight or Sight()
        self._listed: asyncio.Future[list[Json]] | None = None

    async def environments(self, repository: str) -> list[Json]:
        """The repository's environments as GitHub lists them; asked for once, however many wait for it."""
        if self._listed is None:
            self._listed = asyncio.ensure_future(self._github.environments(repository))
        return await self._listed

    async def read(self, wanted: State, facts: Facts, identities: Awaitable[State]) -> State:
        """The wanted environments, and those that carry our mark."""
        asked = {r.name: _inside(r.name, wanted) for r in wanted.values() if isinstance(r, GitHubEnvironment)}
        seen, known = await together(self._seen(facts.repository.full_name, asked), identities)
        there = [one for one in seen if one]
        found = [r for one in there for r in self._resources(one, known, wanted=one.name in asked)]
        template, name = facts.repository.template, facts.repository.full_name
        return State.of([*found, SubjectSetting(repository=name, immutable=template.immutable)])

    @staticmethod
    def _resources(one: Seen, identities: State, *, wanted: bool) -> Iterable[Resource]:
        """What is in an environment.

        One that the file no longer names, and whose application was not looked at, is left alone: its credential may be
        there still, and without the environment's rules anybody could use it.
        """
        found = one.resources(_trusted(identities))
        if wanted or "entra" in identities.unread or not one.is_of_another(_clients(identities)):
            return found
        alone = [replace(resource, owned=False) for resource in found]
        return [replace(r, unseen=True) if isinstance(r, GitHubEnvironment) else r for r in alone]

    async def _seen(self, repository: str, wanted: Mapping[str, list[Key]]) -> list[Seen | None]:
        """wanted: environment → what is to be in it."""
        listed = await self.environments(repository)
        return await together(
            *(self._environment(repository, answer, wanted.get(answer["name"])) for answer in listed)
        )

    async def _environment(self, repository: str, answer: Json, inside: list[Key] | None) -> Seen | None:
        """An environment that is wanted, or that carries our mark. inside: what is to be in it, if it is wanted."""
        name = str(answer["name"])
        mark = EnvironmentMark(environment=name).key
        nothing: list[Json] = []
        variables = self._sight.see(
            self._github.variables(repository, name), nothing, [mark, *(inside or ())]
        )
        if inside is not None:
            found, (secrets, policies) = await together(
                variables, self._inside(repository, name, answer, inside)
            )
            return Seen(answer, found, secrets, policies)
        found = await variables
        if not any(variable["name"] == MARK_VARIABLE for variable in found):
            return None
        return Seen(answer, found, *await self._inside(repository, name, answer, []))

    async def _inside(
        self, repository: str, name: str, answer: Json, inside: list[Key]
    ) -> tuple[list[Json], list[Json]]:
        """Secrets, and the patterns of branches and tags."""
        custom = (answer.get("deployment_branch_policy") or {}).get("custom_branch_policies")
        rules = self._github.branch_policies(repository, name) if custom else _none()
        held = [key for key in inside if key.kind == EnvironmentSecret.kind]
        nothing: list[Json] = []
        secrets, found = await together(
            self._sight.see(self._github.secrets(repository, name), nothing, held),
            self._sight.see(rules, nothing, [Key(GitHubEnvironment.kind, name)]),
        )
        return secrets, found


def _inside(environment: str, wanted: State) -> list[Key]:
    """The ids that are to be in an environment."""
    kinds = (EnvironmentSecret, EnvironmentVariable)
    return [r.key for r in wanted.values() if isinstance(r, kinds) and r.environment == environment]


async def _none() -> list[Json]:
    return []


def _trusted(identities: State) -> frozenset[str]:
    """Environments for which a credential of ours is there: they were set up by us, even when their mark is lost."""
    credentials = [r for r in identities.values() if isinstance(r, FederatedCredential) and r.owned]
    return frozenset(credential.environment for credential in credentials)


def _clients(identities: State) -> set[str]:
    """The client ids of all applications that were looked at, the deleted ones too."""
    apps = [*identities.values(), *identities.deleted.values()]
    return {app.minted["client_id"] for app in apps if isinstance(app, Application)}


class GitHubWriter(GitHubReader):
    """Carries out changes to environments and what is in them."""

    def __init__(self, github: GitHub, sight: Sight | None = None) -> None:
        super().__init__(github, sight)
        self._keys: dict[str, asyncio.Future[Json]] = {}
        self._written: set[tuple[str, str]] = set()
        self._deleted: set[tuple[str, str, str]] = set()

    async def write(self, change: Change, facts: Facts) -> Minted:
        """Do one change."""
        repository = facts.repository.full_name
        match change.resource:
            case GitHubEnvironment() as environment:
                await self._write_environment(repository, change, environment)
            case EnvironmentMark() as mark:
                await self._write_mark(repository, change, mark)
            case EnvironmentSecret() as secret:
                await self._write_secret(repository, change, secret)
            case EnvironmentVariable() as variable:
                await self._write_variable(repository, change, variable)
            case StoredSecret() as stored:
                await take_away(self._github, repository, stored)
            case SubjectSetting() as setting:
                await self._opt_in(repository, setting)
        return {}

    async def _opt_in(self, repository: str, setting: SubjectSetting) -> None:
        """Opt in to subjects with ids; the template stays as it is. Raises Refused when GitHub keeps them as they were."""
        body: Json = {"use_default": setting.use_default, "use_immutable_subject": True}
        if setting.keys:
            body["include_claim_keys"] = list(setting.keys)
        await self._github.set_oidc_subject(repository, body)
        answer = await self._github.oidc_subject(repository)
        if not has_ids(str(answer.get("sub_claim_prefix") or "")):
            raise Refused(
                f"GitHub took the opt-in of {repository} and still names its subjects as before: "
                f"{answer.get('sub_claim_prefix') or 'it gives no prefix'}.",
                hint="Immutable subjects need github.com or GHE.com. Take immutable_subjects out of the file.",
            )

    async def _write_environment(self, repository: str, change: Change, wanted: GitHubEnvironment) -> None:
        match change.verb:
            case "delete":
                await self._github.delete_environment(repository, wanted.name)
            case "check":
                await self._check_environment(repository, wanted)
            case _:
                await self._put_environment(repository, change, wanted)
                if wanted.deploy_from == "patterns":
                    await self._write_policies(repository, change, wanted)

    async def _put_environment(self, repository: str, change: Change, wanted: GitHubEnvironment) -> None:
        """Write the rules. Where the plan lacks one, GitHub says no and makes the environment all the same: ours."""
        try:
            await self._github.put_environment(repository, wanted.name, _rules(wanted))
        except Conflict:
            if change.verb == "create" and await self._github.environment(repository, wanted.name):
                mark = str(MarkText("created"))
                await self._github.set_variable(repository, wanted.name, MARK_VARIABLE, mark, exists=False)
            raise

    async def _check_environment(self, repository: str, wanted: GitHubEnvironment) -> None:
        """Read the rules back: GitHub may answer 200 and leave some out."""
        answer, policies = await together(
            self._github.environment(repository, wanted.name), self._policies(repository, wanted)
        )
        there = Seen(answer or {"name": wanted.name}, [], [], policies).environment(None, frozenset())
        if there != wanted:
            raise Refused(
                f"GitHub took the protection of environment {wanted.name} and kept another: "
                f"{there.shown()} instead of {wanted.shown()}. No credential is made for it.",
                hint="Some rules need GitHub Enterprise, or a public repository. Leave out what your plan lacks.",
            )

    async def _policies(self, repository: str, wanted: GitHubEnvironment) -> list[Json]:
        if wanted.deploy_from != "patterns":
            return []
        found: list[Json] = await self._github.branch_policies(repository, wanted.name)
        return found

    async def _write_policies(self, repository: str, change: Change, wanted: GitHubEnvironment) -> None:
        """Add what is missing, then take away what is too much, so that no branch is locked out on the way."""
        there = change.before.minted if change.before else {}
        names = [("branch", name) for name in sorted(wanted.branches or ())]
        names += [("tag", name) for name in sorted(wanted.tags or ())]
        missing = [(kind, name) for kind, name in names if f"{kind}:{name}" not in there]
        await together(
            *(self._github.add_branch_policy(repository, wanted.name, name, kind) for kind, name in missing)
        )
        extra = [number for key, number in there.items() if tuple(key.split(":", 1)) not in names]
        await together(
            *(self._github.delete_branch_policy(repository, wanted.name, int(number)) for number in extra)
        )

    async def _write_mark(self, repository: str, change: Change, mark: EnvironmentMark) -> None:
        """Before the ids, the mark says which are about to be written; after them, when they were.

        The key that the ids will be sealed with is asked for meanwhile.
        """
        if change.verb == "delete":
            await self._github.delete_variable(repository, mark.environment, MARK_VARIABLE)
            return
        kind = "secret" if mark.store == "secrets" else "variable"
        known = {name: value for name, value in mark.ids.items() if not isinstance(value, Later)}
        digests = {name: value_digest(mark.environment, name, value) for name, value in known.items()}
        before = change.before.minted if change.before else {}
        kept = {name.removeprefix("digest "): d for name, d in before.items() if name.startswith("digest ")}
        ids = {**kept, **{f"{kind}/{name}": digests.get(name, "") for name in mark.ids}}
        gone = {
            f"{what}/{name}" for environment, what, name in self._deleted if environment == mark.environment
        }
        dates = await self._dates(repository, change, mark)
        text = MarkText(mark.made, {n: d for n, d in ids.items() if n not in gone}, dates)
        exists = change.before is not None or change.implied
        writing = self._github.set_variable(
            repository, mark.environment, MARK_VARIABLE, str(text), exists=exists
        )
        if mark.store == "secrets" and not change.implied:
            await together(writing, self._key(repository, mark.environment))
        else:
            await writing

    async def _dates(self, repository: str, change: Change, mark: EnvironmentMark) -> Mapping[str, str]:
        """When GitHub says that each secret was written: asked for those of this run, remembered for the others.

        A secret that somebody else writes meanwhile is so never vouched for.
        """
        before = change.before.minted if change.before else {}
        remembered = {name.removeprefix("date "): d for name, d in before.items() if name.startswith("date ")}
        written = {name for environment, name in self._written if environment == mark.environment}
        if not (change.implied and written):
            return remembered
        secrets = await self._github.secrets(repository, mark.environment)
        asked = {str(s["name"]): str(s["updated_at"]) for s in secrets}
        return remembered | {name: date for name, date in asked.items() if name in written}

    async def _write_secret(self, repository: str, change: Change, secret: EnvironmentSecret) -> None:
        if change.verb == "delete":
            await self._github.delete_secret(repository, secret.environment, secret.name)
            self._deleted.add((secret.environment, "secret", secret.name))
            return
        key = await self._key(repository, secret.environment)
        await self._github.put_secret(repository, secret.environment, secret.name, str(secret.content), key)
        self._written.add((secret.environment, secret.name))

    async def _key(self, repository: str, environment: str) -> Json:
        """An environment's public key, asked for once."""
        if environment not in self._keys:
            self._keys[environment] = asyncio.ensure_future(self._github.public_key(repository, environment))
        return await self._keys[environment]

    async def _write_variable(self, repository: str, change: Change, variable: EnvironmentVariable) -> None:
        if change.verb == "delete":
            await self._github.delete_variable(repository, variable.environment, variable.name)
            self._deleted.add((variable.environment, "variable", variable.name))
            return
        exists = change.before is not None
        await self._github.set_variable(
            repository, variable.environment, variable.name, str(variable.value), exists=exists
        )


def _rules(wanted: GitHubEnvironment) -> Json:
    """The whole body: PUT replaces everything, and what is left out counts as taken away."""
    policy = {
        "all": None,
        "protected": {"protected_branches": True, "custom_branch_policies": False},
        "patterns": {"protected_branches": False, "custom_branch_policies": True},
    }[wanted.deploy_from or "all"]
    reviewers = [{"type": r.kind.capitalize(), "id": r.id} for r in sorted(wanted.reviewers or ())]
    return {
        "wait_timer": wanted.wait_minutes or 0,
        "prevent_self_review": bool(wanted.prevent_self_review),
        "reviewers": reviewers or None,
        "deployment_branch_policy": policy,
    }


KINDS: tuple[type[Resource], ...] = (
    GitHubEnvironment,
    EnvironmentMark,
    EnvironmentSecret,
    EnvironmentVariable,
    StoredSecret,
    SubjectSetting,
)
