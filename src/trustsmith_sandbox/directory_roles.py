"""Entra's built-in directory roles, as far as setting up a trust asks for them: their ids, and who holds them.

Names and template ids are from Entra's "built-in roles" reference. It must not decide what a role permits:
``graph_core`` does.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trustsmith_sandbox.world import Data, World

DEVELOPER = "Application Developer"
MANAGERS = {
    "Global Administrator",
    "Application Administrator",
    "Cloud Application Administrator",
    "Hybrid Identity Administrator",
}
"""Who may change any application, federated credentials included (Entra docs, "create trust")."""

_TEMPLATES = {
    "Global Administrator": "62e90394-69f5-4237-9190-012177145e10",
    "Application Administrator": "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
    "Cloud Application Administrator": "158c047a-c907-4556-b7ef-446551a6b5f7",
    "Hybrid Identity Administrator": "8ac3fc64-6eca-42ea-9e69-59f4c7b60eb2",
    DEVELOPER: "cf1c38e5-3621-4004-a7cb-879624dced7c",
    "Privileged Role Administrator": "e8611ab8-c189-46e8-94e1-60213ab1f814",
    "Global Reader": "f2ef992c-3afb-46b9-b7cf-a126ee74c451",
}
_EVERY_MEMBER = "b79fbf4d-3ef9-4689-8143-76b194e85509"  # in every member's ``wids``


def groups_of(world: World, member: str) -> list[Data]:
    """Return the groups that somebody is in, also through other groups."""
    found: list[Data] = []
    waiting = [member]
    while waiting:
        inner = waiting.pop()
        new = [g for g in world.data["groups"].values() if inner in g["members"] and g not in found]
        found += new
        waiting += [group["id"] for group in new]
    return found


def held(world: World, who: Data, *, through_groups: bool = True) -> list[str]:
    """Return the names of the directory roles that a user, principal or group holds, each once."""
    holders = [who, *(groups_of(world, who["id"]) if through_groups else ())]
    return list(dict.fromkeys(name for holder in holders for name in holder.get("directoryRoles", [])))


def template_ids(world: World, who: Data) -> list[str]:
    """Return a person's roles as the ``wids`` claim of their tokens has them."""
    return [*(_TEMPLATES[name] for name in held(world, who)), _EVERY_MEMBER]


def shown(name: str, tenant: str) -> Data:
    """Return a directory role as Graph shows it; its own id differs from tenant to tenant."""
    template = _TEMPLATES[name]
    return {
        "id": str(uuid.uuid5(uuid.UUID(template), tenant)),
        "deletedDateTime": None,
        "description": f"The built-in role {name}.",
        "displayName": name,
        "roleTemplateId": template,
    }
