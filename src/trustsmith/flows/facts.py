"""Facts: what GitHub, ARM and Entra say about what the file names. Changes nothing; finds all problems at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from trustsmith.desire import ENDPOINT_UNKNOWN
from trustsmith.doctor.repository import not_administrator
from trustsmith.errors import (
    ConfigError,
    NotAllowed,
    NotFound,
    NotSignedIn,
    Problem,
    Refused,
    TrustsmithError,
    UsageError,
)
from trustsmith.flows.evidence import every, quiet, reviewer_of
from trustsmith.model import subject
from trustsmith.model.environments import GitHubEnvironment, SubjectSetting
from trustsmith.model.facts import Facts, Repository
from trustsmith.model.foundry import endpoint_of
from trustsmith.model.observing import everywhere
from trustsmith.model.resource import Key
from trustsmith.model.resources import FederatedCredential
from trustsmith.model.state import ALL
from trustsmith.systems import together
from trustsmith.systems.sight import HIDDEN, why_hidden

if TYPE_CHECKING:
    from collections.abc import Collection

    from trustsmith.configfile import Source
    from trustsmith.flows.session import Session
    from trustsmith.model.config import Environment
    from trustsmith.model.foundry import ProjectId
    from trustsmith.model.resource import Side

Json = dict[str, Any]
#: GitHub Enterprise Server writes a `:` as it is up to this version (GitHub Docs, "OpenID Connect reference").
_LAST_WITHOUT_ENCODING = (3, 18)


class Asker:
    """Asks for all facts at once, then says everything that is wrong with the file at once.

    For an observer, what may not be read hides what depends on it, instead.
    """

    def __init__(
        self, session: Session, source: Source, contacted: frozenset[Side], sides: Collection[Side]
    ) -> None:
        self._session = session
        self._source = source
        self._config = source.config
        self._contacted = contacted
        self._sight = session.sight
        self._sides = () if session.sight.observing else sides
        self._unread: dict[Side, str] = {}
        self._problems: list[Problem] = []

    async def repository(self) -> Facts:
        """The facts that everything else hangs on: the repository, and how its subjects begin.

        Reviewers and owners stand for themselves until `rest` has asked for their ids.
        """
        endpoints = self._session.endpoints
        return Facts(
            host=urlsplit(endpoints.web).hostname or "",
            issuer=endpoints.issuer,
            audience=endpoints.audience,
            repository=await self._repository(),
            owners={owner: owner for owner in self._config.identity.owners},
        )

    async def rest(self, facts: Facts) -> tuple[Facts, dict[Side, str]]:
        """All facts, and the sides that could not be looked at though their look was only a convenience.

        Raises ConfigError with everything that the services say is wrong with the file.
        """
        reviewers, endpoints, owners, _ = await together(
            self._reviewers(), self._projects(), self._owners(), self._spelling()
        )
        if self._problems:
            raise ConfigError(self._problems)
        return replace(facts, reviewers=reviewers, endpoints=endpoints, owners=owners), self._unread

    def _problem(self, path: tuple[str | int, ...], message: str, hint: str = "") -> None:
        self._problems.append(self._source.problem(path, message, hint))

    async def _repository(self) -> Repository:
        github, name = self._session.github, self._config.repository
        nothing: Json = {}
        answer, customization = await together(
            github.repository(name), self._sight.see(github.oidc_subject(name), nothing, self._trust())
        )
        if answer is None:
            raise self._no_repository(name)
        if self._sight.observing and self._is_githubs() and not customization.get("sub_claim_prefix"):
            self._sight.hide(
                self._trust(), "GitHub does not show this token how the repository's subjects begin"
            )
        full_name = str(answer["full_name"])
        if full_name.lower() != name.lower():
            self._session.talk.warn(
                f"{name} is now called {full_name}; write that as `repository` in the file."
            )
        # GitHub hides environments from others; say so before anything is made.
        if "github" in self._sides and (denied := not_administrator(answer)):
            raise denied
        return Repository(
            id=int(answer["id"]),
            full_name=full_name,
            default_branch=str(answer.get("default_branch") or "main"),
            template=await self._template(answer, customization),
        )

    def _trust(self) -> list[Key]:
        """What cannot be compared by those who may not read how the repository's subjects are made up."""
        setting = [Key(SubjectSetting.kind, ALL)] if self._config.immutable_subjects else []
        return [Key(FederatedCredential.kind, ALL), *setting]

    def _no_repository(self, name: str) -> TrustsmithError:
        message = f"GitHub shows no repository {name} to this token."
        hint = f"Check `repository` in the file, and that the token may see it:\n  gh repo view {name}"
        if self._sight.observing:
            return NotFound(message, service="github", hint=hint)
        return UsageError(message, hint=hint)

    async def _template(self, answer: Json, customization: Json) -> subject.Template:
        """How subjects are made up; more is asked only when the repository's own answer does not say it."""
        organization = None
        full_name = str(answer["full_name"])
        if subject.inherits(customization) and (answer.get("owner") or {}).get("type") == "Organization":
            organization = await self._organization_template(full_name)
        values = {"enterprise": self._config.enterprise} if self._config.enterprise else {}
        if named := subject.properties_in(customization, organization):
            known = await self._properties(full_name)
            values |= {f"repo_property_{name}": known[name] for name in named if name in known}
        return subject.template(answer, customization, organization, values, encodes=await self._encodes())

    async def _properties(self, full_name: str) -> dict[str, str]:
        """Custom properties in the tokens; what may not be read is not known, and the template is then refused."""
        try:
            return await self._session.github.token_properties(full_name)
        except (NotAllowed, NotFound) as error:
            if self._sight.observing:
                self._sight.hide(self._trust(), why_hidden(error))
            return {}

    async def _organization_template(self, full_name: str) -> Json | None:
        owner = full_name.partition("/")[0]
        try:
            found: Json | None = await self._session.github.organization_subject(owner)
        except NotAllowed as error:
            found, said = None, error.original
        else:
            said = ""
        if found is None and self._sight.observing:
            self._sight.hide(self._trust(), f"this token may not read the subject template of {owner}")
        elif found is None:
            raise Refused(
                f"{full_name} takes the subject template of {owner}, and this token may not read that.",
                hint=f"Use a token with read:org of a member of {owner}, or return to GitHub's default template:\n"
                f"  gh api -X PUT repos/{full_name}/actions/oidc/customization/sub -F use_default=true",
                original=said,
            )
        return found

    def _is_githubs(self) -> bool:
        """Whether GitHub itself runs the host, which so is of the newest version."""
        host = self._session.endpoints.github_host
        return host == "github.com" or host.endswith(".ghe.com")

    async def _encodes(self) -> bool:
        """Whether GitHub writes a `:` as `%3A`; only old servers do not, and they are asked only when it matters."""
        colons = any(":" in environment.name for environment in everywhere(self._config))
        if not colons or self._is_githubs():
            return True
        version = await self._session.github.server_version()
        numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
        return not numbers or numbers > _LAST_WITHOUT_ENCODING

    async def _reviewers(self) -> dict[str, int]:
        if "github" not in self._contacted:
            return {}
        named = [
            (reviewer, ("environments", environment.name, "protection", "reviewers", index))
            for environment in self._config.environments
            for index, reviewer in enumerate(environment.protection.reviewers or ())
        ]
        asked = {str(reviewer): reviewer for reviewer, _ in named}
        answers = await together(
            *(
                self._sight.see(reviewer_of(self._session, self._config, reviewer), None, ())
                for reviewer in asked.values()
            )
        )
        found = {name: int(answer["id"]) for name, answer in zip(asked, answers, strict=True) if answer}
        for reviewer, path in named:
            if str(reviewer) not in found:
                message = f"GitHub knows no {reviewer.kind} {reviewer.name!r} that this token may see"
                self._unknown(path, message, Key(GitHubEnvironment.kind, path[1]))
        return found

    def _unknown(self, path: tuple[str | int, ...], message: str, hides: Key, hint: str = "") -> None:
        """Something that is not there, or may not be seen: a problem of the file, but for an observer it hides a thing."""
        if self._sight.observing:
            self._sight.hide([hides], message)
        else:
            self._problem(path, message, hint)

    async def _spelling(self) -> None:
        """A job's subject carries the environment's name as it is spelled, so the file must spell it as GitHub does."""
        if "github" not in self._contacted:
            return
        try:
            answers = await self._session.github_side.environments(self._config.repository)
        except HIDDEN:
            if "github" in self._sides:
                raise
            return
        names = {str(answer["name"]).lower(): str(answer["name"]) for answer in answers}
        for environment in everywhere(self._config):
            spelled = names.get(environment.name.lower(), environment.name)
            if spelled != environment.name:
                self._problem(
                    ("observer",) if environment.observes else ("environments", environment.name),
                    f"GitHub spells this environment {spelled!r}; names that differ only in case are one environment",
                    f"write {spelled!r}: the subject of a job's token is compared with case",
                )

    async def _owners(self) -> dict[str, str]:
        if "entra" not in self._contacted or not self._config.identity.owners:
            return {}
        names = self._config.identity.owners
        users = self._session.graph.users
        answers = await together(
            *(self._sight.see(users(name), None, [_owner(name)]) for name in names),
        )
        for index, (name, answer) in enumerate(zip(names, answers, strict=True)):
            if answer is None:
                self._unknown(("identity", "owners", index), f"the tenant has no user {name!r}", _owner(name))
        return {name: str(answer["id"]) for name, answer in zip(names, answers, strict=True) if answer}

    async def _projects(self) -> dict[str, str]:
        """Each project's endpoint; a project that is not there, or in another tenant, is a problem of the file."""
        if "azure" not in self._contacted:
            return {}
        projects = self._config.projects
        try:
            # Whose fault an error about a project is depends on its subscription.
            subscriptions, answers = await together(
                self._session.arm.subscriptions(),
                every(*(quiet(self._session.arm.project(project.id)) for project in projects)),
            )
        except (NotSignedIn, NotAllowed) as error:
            if "azure" in self._sides:
                raise
            self._unread["azure"] = why_hidden(error) if self._sight.observing else error.message
            return {}
        if not subscriptions and "azure" in self._sides:
            raise NotAllowed(
                f"Whoever is signed in sees no subscription in tenant {self._config.tenant}; nothing was changed.",
                service="arm",
                hint="Ask for Reader on the subscriptions of the projects, or sign in as somebody who has it:\n"
                f"  az login --tenant {self._config.tenant}\n"
                "or do your own part only, for example:\n  trustsmith apply --only entra",
            )
        tenants = {str(s["subscriptionId"]).lower(): str(s.get("tenantId") or "") for s in subscriptions}
        found = {project.key: answer for project, answer in zip(projects, answers, strict=True)}
        for environment in self._config.environments:
            self._check_projects(environment, tenants, found)
        return {key: url for key, answer in found.items() if (url := endpoint_of(answer))}

    def _check_projects(
        self, environment: Environment, tenants: dict[str, str], found: dict[str, Any]
    ) -> None:
        for index, project in enumerate(environment.projects):
            path: tuple[str | int, ...] = ("environments", environment.name, "project")
            if len(environment.projects) > 1:
                path = ("environments", environment.name, "projects", index)
            message, hint = self._project_problem(project, tenants, found[project.key])
            if message:
                self._unknown(path, message, ENDPOINT_UNKNOWN, hint)

    def _project_problem(self, project: ProjectId, tenants: dict[str, str], found: Any) -> tuple[str, str]:
        tenant = tenants.get(project.subscription)
        if tenant is None:
            message = (
                f"subscription {project.subscription} is not visible in tenant {self._config.tenant}: it is in another "
                "tenant, or whoever is signed in has no role in it"
            )
            return (
                message,
                f"az account list --all --query \"[?id=='{project.subscription}'].tenantId\"",
            )
        if tenant and tenant.lower() != self._config.tenant.lower():
            return (
                f"subscription {project.subscription} is in tenant {tenant}, the file says {self._config.tenant}",
                "",
            )
        if isinstance(found, HIDDEN) and self._sight.observing:
            return why_hidden(found), ""
        if isinstance(found, TrustsmithError):
            raise found
        if found is None:
            return f"there is no Foundry project {project.short}, or whoever is signed in may not see it", ""
        return "", ""


def _owner(name: str) -> Key:
    return Key("application owner", name)
