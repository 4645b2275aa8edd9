"""Which write of a first run is struck, and how."""

from __future__ import annotations

from typing import Any

#: One of each kind of write of a first run: a name, the service, the method, and the path with wildcards.
#: That these are all is what `test_every_write_is_covered` says.
WRITES = {
    "application": ("graph", "PATCH", "/v1.0/applications(uniqueName='*-dev')"),
    "principal": ("graph", "PATCH", "/v1.0/servicePrincipals(appId=*"),
    "credential": ("graph", "PATCH", "/v1.0/applications/*/federatedIdentityCredentials(*"),
    "role": ("arm", "PUT", "*/roleAssignments/*"),
    "environment": ("github", "PUT", "*/environments/prod"),
    "policy": ("github", "POST", "*/environments/prod/deployment-branch-policies"),
    "mark": ("github", "POST", "*/environments/staging/variables"),
    "secret": ("github", "PUT", "*/environments/dev/secrets/AZURE_CLIENT_ID"),
    "mark-again": ("github", "PATCH", "*/environments/dev/variables/TRUSTSMITH"),
}

#: How a write goes wrong, once; what a service does in its bad moments.
FAULTS: dict[str, dict[str, Any]] = {
    "refused-500": {"when": "before", "status": 500},
    "done-500": {"when": "after", "status": 502},
    "cut": {"when": "cut"},
    "cut-before": {"when": "cut-before"},
    "garbage": {"when": "garbage"},
    "throttled": {"when": "before", "status": 429, "retry_after": 1},
}

#: Writes that are struck in the same run: none of them needs another of its group, but the last of the second.
GROUPS = {
    "beginning": ("application", "environment", "role"),
    "end": ("principal", "policy", "mark", "credential", "secret", "mark-again"),
}


def struck(how: str, group: str) -> list[dict[str, Any]]:
    """The faults of a group.

    After GitHub has throttled, we write once a second for the rest of the run; only its last write meets that here.
    """
    slow = {name for name in WRITES if WRITES[name][0] == "github"} - {"mark-again"}
    spared = slow if how == "throttled" else set()
    return [fault(name, **FAULTS[how]) for name in GROUPS[group] if name not in spared]


def fault(write: str, **how: Any) -> dict[str, Any]:
    """A fault for the sandbox's control route."""
    service, method, path = WRITES[write]
    return {"service": service, "method": method, "path": path, **how}
