"""Roles that may be proposed for what jobs do, from the narrowest to the widest, with what each is documented to permit.

Only to propose one: what a role of the file permits is read from Azure, where Microsoft changes it. Pure data. Sources:
Microsoft Learn, "Role-based access control for Microsoft Foundry", "Azure built-in roles". Foundry User may also list the
keys of an account, and so comes after Reader.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from trustsmith.model.foundry import ROLES

if TYPE_CHECKING:
    from collections.abc import Mapping

Json = dict[str, Any]
_FOUNDRY = "Microsoft.CognitiveServices"
_REGISTRY = "Microsoft.ContainerRegistry/registries"


def _permits(actions: tuple[str, ...], *data: str, without: tuple[str, ...] = ()) -> Json:
    """A permission in ARM's form."""
    return {"actions": actions, "notActions": without, "dataActions": data}


_BODIES = {
    "foundry-agent-consumer": _permits((), f"{_FOUNDRY}/accounts/AIServices/endpoints/interact/action"),
    "acr-pull": _permits((f"{_REGISTRY}/pull/read",)),
    "acr-push": _permits((f"{_REGISTRY}/pull/read", f"{_REGISTRY}/push/write")),
    "reader": _permits(("*/read",)),
    "foundry-user": _permits((f"{_FOUNDRY}/*/read",), f"{_FOUNDRY}/*"),
    "foundry-project-manager": _permits(
        (f"{_FOUNDRY}/accounts/*/read", f"{_FOUNDRY}/accounts/projects/*"), f"{_FOUNDRY}/*"
    ),
    "foundry-account-owner": _permits((f"{_FOUNDRY}/*",)),
    "contributor": _permits(
        ("*",), without=("Microsoft.Authorization/*/write", "Microsoft.Authorization/*/delete")
    ),
}
_IDS = {role.slug: role.guid for role in ROLES} | {"owner": UUID("8e3af657-a8ff-443c-a75c-2fe8c4bcb635")}


def _ids(slugs: str) -> frozenset[UUID]:
    return frozenset(_IDS[slug] for slug in slugs.split())


DOCUMENTED: Mapping[UUID, Json] = {_IDS[slug]: body for slug, body in _BODIES.items()}
#: Role → those that it holds whole. Account Owner may assign a role, which Contributor may not.
HOLDS: Mapping[UUID, frozenset[UUID]] = {
    _IDS["owner"]: _ids("reader acr-pull acr-push foundry-account-owner contributor"),
    _IDS["contributor"]: _ids("reader acr-pull acr-push"),
    _IDS["foundry-owner"]: _ids(
        "foundry-agent-consumer foundry-user foundry-project-manager foundry-account-owner"
    ),
}
#: What a deployment to a project is expected to have there, or less than that.
USUAL = _ids(
    "foundry-project-manager foundry-user foundry-agent-consumer foundry-project-runtime-user reader"
)
