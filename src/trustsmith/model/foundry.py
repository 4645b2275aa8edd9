"""Foundry's roles and scopes. Pure data; must not contact anything or decide what is granted.

Role GUIDs are the identity of a role: display names were renamed from "Azure AI …" to "Foundry …" while the ids stayed
(Microsoft Learn, "Role-based access control for Microsoft Foundry").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID


@dataclass(frozen=True)
class Role:
    """A role definition we know by name. `slug` is what the configuration says; `former`: what it was called before."""

    slug: str
    name: str
    guid: UUID
    former: str = ""


ROLES: tuple[Role, ...] = (
    Role("foundry-user", "Foundry User", UUID("53ca6127-db72-4b80-b1b0-d745d6d5456d"), "Azure AI User"),
    Role(
        "foundry-project-manager",
        "Foundry Project Manager",
        UUID("eadc314b-1a2d-4efa-be10-5d325db5065e"),
        "Azure AI Project Manager",
    ),
    Role(
        "foundry-account-owner",
        "Foundry Account Owner",
        UUID("e47c6f54-e4a2-4754-9501-8e0985b135e1"),
        "Azure AI Account Owner",
    ),
    Role("foundry-owner", "Foundry Owner", UUID("c883944f-8b7b-4483-af10-35834be79c4a"), "Azure AI Owner"),
    Role("foundry-agent-consumer", "Foundry Agent Consumer", UUID("eed3b665-ab3a-47b6-8f48-c9382fb1dad6")),
    Role(
        "foundry-project-runtime-user",
        "Foundry Project Runtime User",
        UUID("142bfaed-a13f-4c2d-bed2-6db62c4a1009"),
    ),
    Role("acr-push", "AcrPush", UUID("8311e382-0749-4cb8-b61a-304f252e45ec")),
    Role("acr-pull", "AcrPull", UUID("7f951dda-4ed3-4680-a7ca-43fe172d538d")),
    Role("contributor", "Contributor", UUID("b24988ac-6180-42a0-ab88-20f7382dd24c")),
    Role("reader", "Reader", UUID("acdd72a7-3385-48ef-bd42-f606fba81ae7")),
)
PROJECT_MANAGER = ROLES[1]
_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_BY_GUID = {role.guid: role for role in ROLES}
_BY_SLUG = {role.slug: role for role in ROLES}
READER = _BY_SLUG["reader"]


def find_role(text: str) -> UUID | None:
    """The definition's GUID for a slug we know or a GUID; None when it is neither."""
    if text in _BY_SLUG:
        return _BY_SLUG[text].guid
    return UUID(text) if re.fullmatch(_GUID, text) else None


def role_name(guid: UUID) -> str:
    """The display name for a role we know, else its GUID."""
    return _BY_GUID[guid].name if guid in _BY_GUID else str(guid)


def role_names(guid: UUID) -> tuple[str, ...]:
    """All display names that a role we know has, or had; none for another."""
    role = _BY_GUID.get(guid)
    return tuple(filter(None, (role.name, role.former))) if role else ()


def role_slug(guid: UUID) -> str:
    """The slug for a role we know, else its GUID: what the configuration file says."""
    return _BY_GUID[guid].slug if guid in _BY_GUID else str(guid)


#: The name of the API of a Foundry project among its endpoints (ARM, "projects").
_PROJECT_API = "AI Foundry API"
_PROJECT = re.compile(
    rf"/subscriptions/(?P<subscription>{_GUID})/resourceGroups/(?P<group>[^/]+)"
    r"/providers/Microsoft\.CognitiveServices/accounts/(?P<account>[^/]+)/projects/(?P<project>[^/]+)",
    re.IGNORECASE | re.ASCII,
)


_ACCOUNT = re.compile(_PROJECT.pattern.partition("/projects/")[0], re.IGNORECASE)


def is_account(scope: str) -> bool:
    """Whether an ARM id is that of a Foundry account itself."""
    return _ACCOUNT.fullmatch(scope.rstrip("/")) is not None


@dataclass(frozen=True)
class ProjectId:
    """The ARM id of a Foundry project, taken apart. ARM ids compare without case, so `key` is lower-case."""

    subscription: str
    group: str
    account: str
    project: str

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The id taken apart, or None when `text` is not the id of a Foundry project."""
        match = _PROJECT.fullmatch(text.strip().rstrip("/"))
        if match is None:
            return None
        parts = match.groupdict()
        return cls(parts["subscription"].lower(), parts["group"], parts["account"], parts["project"])

    @property
    def subscription_scope(self) -> str:
        """The scope of the subscription."""
        return f"/subscriptions/{self.subscription}"

    @property
    def group_scope(self) -> str:
        """The scope of the resource group."""
        return f"{self.subscription_scope}/resourceGroups/{self.group}"

    @property
    def account_scope(self) -> str:
        """The scope of the Foundry account."""
        return f"{self.group_scope}/providers/Microsoft.CognitiveServices/accounts/{self.account}"

    @property
    def id(self) -> str:
        """The ARM id in its usual spelling; also the scope of the project."""
        return f"{self.account_scope}/projects/{self.project}"

    def at(self, level: str) -> str:
        """The scope of the project, or of what it is in, by the word for it in a grant: "account"."""
        return {
            "project": self.id,
            "account": self.account_scope,
            "resource-group": self.group_scope,
            "subscription": self.subscription_scope,
        }[level]

    @property
    def key(self) -> str:
        """The id in lower case, to compare by."""
        return self.id.lower()

    @property
    def short(self) -> str:
        """`account/project`, for people."""
        return f"{self.account}/{self.project}"

    def __str__(self) -> str:
        return self.id


def endpoint_of(project: Any) -> str | None:
    """Where a project answers, from ARM's answer about it; None when it does not say, or is none."""
    if not isinstance(project, dict):
        return None
    endpoints = (project.get("properties") or {}).get("endpoints") or {}
    return endpoints.get(_PROJECT_API) or next(iter(endpoints.values()), None)


def short_scope(scope: str) -> str:
    """A scope in the words of people: `account/project`, else its last two segments."""
    project = ProjectId.parse(scope)
    return project.short if project else "/".join(scope.strip("/").split("/")[-2:])
