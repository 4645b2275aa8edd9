"""Who is in Contoso: people with and without directory roles, and their groups. Data only, as in ``seed``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trustsmith_sandbox.world import Data

ADMIN = "0c000000-0000-0000-0000-000000000001"
PLAIN = "0c000000-0000-0000-0000-000000000002"
DEVELOPER = "0c000000-0000-0000-0000-000000000003"
ELIGIBLE = "0c000000-0000-0000-0000-000000000004"
REGISTRAR = "0c000000-0000-0000-0000-000000000005"


def users(tenant: str) -> Data:
    """Return the people, by object id."""
    people: tuple[tuple[str, str, str, list[str]], ...] = (
        (ADMIN, "admin", "Sandbox Admin", ["Global Administrator"]),
        (PLAIN, "user", "Sandbox User", []),
        (DEVELOPER, "developer", "Sandbox Developer", []),
        (ELIGIBLE, "eligible", "Sandbox Eligible", []),
        (REGISTRAR, "registrar", "Sandbox Registrar", ["Application Developer"]),
    )
    return {
        object_id: {
            "id": object_id,
            "tenantId": tenant,
            "userPrincipalName": f"{name}@contoso.onmicrosoft.com",
            "displayName": display,
            "mail": None,
            "directoryRoles": directory_roles,
        }
        for object_id, name, display, directory_roles in people
    }


def groups(tenant: str, created: str) -> Data:
    """Return the groups, by object id."""
    listed = [("dev", 1), ("staging", 2), ("prod", 3)]
    return {
        f"0c000000-0000-0000-0000-00000000010{number}": {
            "id": f"0c000000-0000-0000-0000-00000000010{number}",
            "tenantId": tenant,
            "displayName": f"foundry-{environment}",
            "members": [PLAIN] if environment == "dev" else [],
            "owners": [ADMIN],
            "createdDateTime": created,
        }
        for environment, number in listed
    }
