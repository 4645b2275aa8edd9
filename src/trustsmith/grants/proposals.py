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

_FOUNDRY = "Microsoft.CognitiveServices"
_REGISTRY = "Microsoft.ContainerRegistry/registries"
_ROLE = {role.slug: role.guid for role in ROLES}


def _permits(actions: tuple[str, ...], *data: str, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """A permission in ARM's form."""
    return {"actions": actions, "notActions": without, "dataActions": data}


DOCUMENTED: Mapping[UUID, dict[str, Any]] = {
    _ROLE["foundry-agent-consumer"]: _permits(
        (), f"{_FOUNDRY}/accounts/AIServices/endpoints/interact/action"
    ),
    _ROLE["acr-pull"]: _permits((f"{_REGISTRY}/pull/read",)),
    _ROLE["acr-push"]: _permits((f"{_REGISTRY}/pull/read", f"{_REGISTRY}/push/write")),
    _ROLE["reader"]: _permits(("*/read",)),
    _ROLE["foundry-user"]: _permits((f"{_FOUNDRY}/*/read",), f"{_FOUNDRY}/*"),
    _ROLE["foundry-project-manager"]: _permits(
        (f"{_FOUNDRY}/accounts/*/read", f"{_FOUNDRY}/accounts/projects/*"), f"{_FOUNDRY}/*"
    ),
    _ROLE["foundry-account-owner"]: _permits((f"{_FOUNDRY}/*",)),
    _ROLE["contributor"]: _permits(
        ("*",), without=("Microsoft.Authorization/*/write", "Microsoft.Authorization/*/delete")
    ),
}
_OWNER = UUID("8e3af657-a8ff-443c-a75c-2fe8c4bcb635")
_READING = {_ROLE["reader"], _ROLE["acr-pull"], _ROLE["acr-push"]}
#: Role → those that it holds whole. Account Owner may assign a role, which Contributor may not.
HOLDS: Mapping[UUID, set[UUID]] = {
    _OWNER: _READING | {_ROLE["foundry-account-owner"], _ROLE["contributor"]},
    _ROLE["contributor"]: _READING,
    _ROLE["foundry-owner"]: {
        _ROLE["foundry-agent-consumer"],
        _ROLE["foundry-user"],
        _ROLE["foundry-project-manager"],
        _ROLE["foundry-account-owner"],
    },
}
#: What a deployment to a project is expected to have there, or less than that.
USUAL = {
    _ROLE["foundry-project-manager"],
    _ROLE["foundry-user"],
    _ROLE["foundry-agent-consumer"],
    _ROLE["foundry-project-runtime-user"],
    _ROLE["reader"],
}
