"""A head start: tokens are fetched and SDKs imported in threads while the command reads its files.

Only a head start: nothing depends on it, and what fails here fails again, with its message, where it is
needed. It must not be used with a sign-in that prompts people.
"""

from __future__ import annotations

import contextlib
import importlib
import threading
from typing import TYPE_CHECKING

from trustsmith.errors import TrustsmithError

if TYPE_CHECKING:
    from collections.abc import Callable

    from trustsmith.clients.credentials import Credentials


_MODULES = {
    "graph": (
        "kiota_authentication_azure.azure_identity_authentication_provider",
        "msgraph.graph_service_client",
        "msgraph.generated.applications.applications_request_builder",
    ),
    "github": ("github.Requester", "nacl.public"),
    "arm": ("azure.mgmt.resource.resources", "azure.mgmt.authorization"),
}


def prefetch(
    credentials: Credentials | None, *, graph: bool = True, arm: bool = True, github: bool = True
) -> None:
    """Start fetching the tokens of Graph and ARM and loading the SDKs named; return at once.

    `credentials` None: only load. The threads end by themselves and never keep the process alive.
    """
    jobs: list[Callable[[], object]] = []
    if credentials is not None and credentials.method == "auto":
        scopes = {credentials.endpoints.graph_scope: graph, credentials.endpoints.resource_manager_scope: arm}
        jobs += [_token_job(credentials, scope) for scope, wanted in scopes.items() if wanted]
    wanted = {"graph": graph, "github": github, "arm": arm}
    jobs.append(lambda: _load([module for name, use in wanted.items() if use for module in _MODULES[name]]))
    for job in jobs:
        threading.Thread(target=job, name="prefetch", daemon=True).start()


def _token_job(credentials: Credentials, scope: str) -> Callable[[], object]:
    def fetch() -> None:
        with contextlib.suppress(TrustsmithError):
            credentials.token(scope)

    return fetch


def _load(modules: list[str]) -> None:
    """Import one after another: imports are computing, which threads only take turns at."""
    for module in modules:
        importlib.import_module(module)
