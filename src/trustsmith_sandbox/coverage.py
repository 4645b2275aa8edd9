"""Which routes the sandbox has: the list of its services, and the table in its documentation.

The table is generated, so that it cannot say more than there is. It must not start anything.
"""

from __future__ import annotations

from trustsmith_sandbox import (
    arm,
    control,
    entra,
    foundry,
    github,
    github_clone,
    graph,
    issuer,
    results,
)

SERVICES = (
    entra.SERVICE,
    graph.SERVICE,
    arm.SERVICE,
    foundry.SERVICE,
    issuer.SERVICE,
    github_clone.SERVICE,
    github.SERVICE,
    results.SERVICE,
    control.SERVICE,
)
"""In the order in which production host names are compared."""


def table() -> str:
    """Return a Markdown table of every route, by service."""
    lines = ["| service | method | path | what |", "|---|---|---|---|"]
    for service in SERVICES:
        mount = service.mounts[0]
        for route in service.routes:
            path = (mount + route.pattern).replace("*}", "}")
            lines.append(f"| {service.name} | {route.method} | `{path}` | {route.summary} |")
    return "\n".join(lines) + "\n"
