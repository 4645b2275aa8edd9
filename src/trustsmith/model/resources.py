"""Everything that trustsmith makes, one frozen class a kind. Wanted and seen are the same type.

Must not do I/O, and must not know how a service spells these things: `systems/` does.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

from trustsmith.generated import digest, inspect
from trustsmith.model.environments import (
    EnvironmentMark,
    EnvironmentSecret,
    EnvironmentVariable,
    GitHubEnvironment,
    SubjectSetting,
)
from trustsmith.model.foundry import role_name, role_slug, short_scope
from trustsmith.model.resource import Key, Resource, Value, merged

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from trustsmith.regenerate import Regenerated, Word

#: Begins the `identity` of a role assignment whose principal is gone, or of an application that nobody names any more.
ORPHAN = "other principal "


@dataclass(frozen=True, kw_only=True)
class Application(Resource):
    """An Entra application. minted: object_id, client_id."""

    kind = "application"
    side = "entra"
    unique_name: str
    display_name: str
    tags: frozenset[str]
    audience: str = "AzureADMyOrg"
    service_management_reference: str | None = None
    owners: frozenset[str] = frozenset()

    @property
    def key(self) -> Key:
        return Key(self.kind, self.unique_name)

    @property
    def title(self) -> str:
        return f"{self.display_name} ({self.unique_name})"

    def over(self, live: Mapping[Key, Resource]) -> Self:
        """Tags and owners that others added stay."""
        there = live.get(self.key)
        if not isinstance(there, Application):
            return self
        reference = merged(self.service_management_reference, there.service_management_reference, "") or None
        return replace(
            self,
            tags=self.tags | there.tags,
            owners=self.owners | there.owners,
            service_management_reference=reference,
        )


@dataclass(frozen=True, kw_only=True)
class ServicePrincipal(Resource):
    """The application's principal in the tenant. minted: principal_id."""

    kind = "service principal"
    side = "entra"
    identity: str
    client_id: Value
    enabled: bool = True

    @property
    def key(self) -> Key:
        return Key(self.kind, self.identity)

    @property
    def parents(self) -> frozenset[Key]:
        return frozenset({Key(Application.kind, self.identity)})


@dataclass(frozen=True, kw_only=True)
class FederatedCredential(Resource):
    """Trust in one subject of one issuer. Its key is what it trusts; `name` is derived from that.

    environment: of the file. jobs: it trusts the jobs of that GitHub environment, and not another issuer's workloads.
    """

    kind = "federated credential"
    side = "entra"
    identity: str
    name: str
    issuer: str
    subject: str
    audience: str
    environment: str = field(compare=False)
    application: Value = field(compare=False)
    jobs: bool = field(default=True, compare=False)

    @property
    def key(self) -> Key:
        return Key(self.kind, f"{self.identity}/{self.name}")

    @property
    def title(self) -> str:
        return f"{self.environment} trusts {self.subject}"

    @property
    def parents(self) -> frozenset[Key]:
        """A credential for an environment that is not protected as configured would be an open door."""
        application = Key(Application.kind, self.identity)
        environment = Key(GitHubEnvironment.kind, self.environment)
        return frozenset({application, environment} if self.jobs else {application})


@dataclass(frozen=True, kw_only=True)
class ClientSecret(Resource):
    """That an application has a client secret, which is never ours. Its value has no field to be in.

    hint: the first characters, as Entra shows them. name: what somebody called it. starts, expires: as Entra spells the
    dates. of_principal: the service principal has it, not the application. minted: object_id.
    """

    kind = "client secret"
    side = "entra"
    identity: str
    key_id: str
    hint: str = field(default="", compare=False)
    name: str = field(default="", compare=False)
    starts: str = field(default="", compare=False)
    expires: str = field(default="", compare=False)
    of_principal: bool = field(default=False, compare=False)

    @property
    def key(self) -> Key:
        return Key(self.kind, f"{self.identity}/{self.key_id}")

    @property
    def title(self) -> str:
        return f"{self.identity} has a secret that begins with {self.hint or '?'} and expires {self.expires or '?'}"

    @property
    def parents(self) -> frozenset[Key]:
        return frozenset({Key(Application.kind, self.identity)})


@dataclass(frozen=True, kw_only=True)
class StoredSecret(Resource):
    """A secret at GitHub that somebody else made, as an old credential is. Its value has no field to be in.

    level: "environment", "repository" or "organization". environment: whose it is, at that level. store: "actions", or
    another of GitHub's ("dependabot"). updated: when it was last written.
    """

    kind = "stored secret"
    side = "github"
    name: str
    level: str
    environment: str = ""
    store: str = "actions"
    updated: str = field(default="", compare=False)

    @property
    def place(self) -> str:
        """Where it is, with its name: `environment/prod/X`, `repository/X`, `dependabot/X`, `organization/agents/X`."""
        if self.level == "environment":
            return f"environment/{self.environment}/{self.name}"
        if self.store == "actions":
            return f"{self.level}/{self.name}"
        return f"{self.store if self.level == 'repository' else f'{self.level}/{self.store}'}/{self.name}"

    @property
    def key(self) -> Key:
        return Key(self.kind, self.place)

    @property
    def title(self) -> str:
        return self.place


@dataclass(frozen=True, kw_only=True)
class RoleAssignment(Resource):
    """A role of a principal at a scope. minted: id (the ARM id of the assignment)."""

    kind = "role assignment"
    side = "azure"
    identity: str
    role: UUID
    scope: str
    principal: Value = field(compare=False)
    because: str = field(default="", compare=False)

    @property
    def key(self) -> Key:
        return Key(self.kind, f"{self.identity}: {role_slug(self.role)} at {self.scope.lower()}")

    @property
    def title(self) -> str:
        return f"{role_name(self.role)} at {short_scope(self.scope)} for {self.identity}"

    @property
    def parents(self) -> frozenset[Key]:
        return frozenset({Key(ServicePrincipal.kind, self.identity)})

    def shown(self) -> dict[str, Any]:
        return {**super().shown(), "principal": str(self.principal)}

    def over(self, live: Mapping[Key, Resource]) -> Self:
        """Scopes are compared without case, and shown as ARM spells them."""
        there = live.get(self.key)
        return replace(self, scope=there.scope) if isinstance(there, RoleAssignment) else self


@dataclass(frozen=True, kw_only=True)
class GraphPermission(Resource):
    """What an identity may do in the whole tenant, without a person: an app role of Microsoft Graph, by its name.

    Never ours to take away by itself: nothing can mark who gave it. minted: id (of the assignment).
    """

    kind = "graph permission"
    side = "entra"
    identity: str
    permission: str
    principal: Value = field(compare=False)
    owned: bool = field(default=False, compare=False)

    @property
    def key(self) -> Key:
        return Key(self.kind, f"{self.identity}/{self.permission}")

    @property
    def title(self) -> str:
        return f"{self.permission} for {self.identity}"

    @property
    def parents(self) -> frozenset[Key]:
        return frozenset({Key(ServicePrincipal.kind, self.identity)})


@dataclass(frozen=True, kw_only=True)
class WorkflowFile(Resource):
    """A generated file in the checkout.

    owned: it carries our header, and nobody wrote anything into it. text: all of it. What is compared is in it: `body`
    below the header, `base`, the hash in the header ("" without one), `config`, the name of its configuration there, and
    `preamble`, what others wrote above it. A new version of trustsmith by itself changes no file.
    word: of a wanted file, what was said about edits. fate: of one that is there, what becomes of it.
    """

    kind = "workflow file"
    side = "files"
    path: str
    body: str = field(repr=False)
    base: str = ""
    config: str = ""
    preamble: str = field(default="", repr=False)
    text: str = field(repr=False, compare=False)
    word: Word | None = field(default=None, repr=False, compare=False)
    fate: Regenerated | None = field(default=None, repr=False, compare=False)

    @classmethod
    def of(cls, path: str, text: str, fate: Regenerated | None = None) -> Self:
        """The file at `path` that has this text."""
        made = inspect(text)
        if made is None:
            return cls(path=path, body=text, text=text, fate=fate, owned=False)
        owned = made.intact and not made.preamble
        base, config, preamble, body = made.base, made.config, made.preamble, made.body
        return cls(
            path=path,
            body=body,
            base=base,
            config=config,
            preamble=preamble,
            text=text,
            fate=fate,
            owned=owned,
        )

    @property
    def key(self) -> Key:
        return Key(self.kind, self.path)

    def shown(self) -> dict[str, Any]:
        rest = self.preamble + self.body
        return {"path": self.path, "sha256": digest(rest), "base": self.base, "lines": rest.count("\n")}

    def over(self, live: Mapping[Key, Resource]) -> Self:
        """What others wrote into the file stays in it, where that can be."""
        there = live.get(self.key)
        return self.of(self.path, there.fate.text) if isinstance(there, WorkflowFile) and there.fate else self


KINDS: tuple[type[Resource], ...] = (
    Application,
    ServicePrincipal,
    GitHubEnvironment,
    EnvironmentMark,
    FederatedCredential,
    ClientSecret,
    GraphPermission,
    RoleAssignment,
    EnvironmentSecret,
    EnvironmentVariable,
    StoredSecret,
    SubjectSetting,
    WorkflowFile,
)
