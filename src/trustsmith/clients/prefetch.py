"""A head start: tokens are fetched and SDKs imported in threads while the command reads its files.

Only a head start: nothing depends on it, and what fails here fails again, with its message, where it is
needed. It must not be used with a sign-in that prompts people.
"""

# ruff: noqa: PLC0415 - importing is what these functions are for

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from trustsmith.errors import TrustsmithError

if TYPE_CHECKING:
    from collections.abc import Callable

    from trustsmith.clients.credentials import Credentials


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
    wanted_sdks = ((graph, _load_graph), (github, _load_github), (arm, _load_arm))
    jobs.append(_in_turn([load for wanted, load in wanted_sdks if wanted]))
    for job in jobs:
        threading.Thread(target=job, name="prefetch", daemon=True).start()


def _token_job(credentials: Credentials, scope: str) -> Callable[[], object]:
    def fetch() -> None:
        with contextlib.suppress(TrustsmithError):
            credentials.token(scope)

    return fetch


def _in_turn(loads: list[Callable[[], None]]) -> Callable[[], object]:
    """One thread for all of them: imports are computing, which threads only take turns at."""
    return lambda: [load() for load in loads]


def _load_graph() -> None:
    import kiota_authentication_azure.azure_identity_authentication_provider
    import msgraph.generated.applications.applications_request_builder
    import msgraph.graph_service_client  # noqa: F401 - loading is the point


def _load_github() -> None:
    import github.Requester
    import nacl.public  # noqa: F401 - loading is the point


def _load_arm() -> None:
    import azure.mgmt.authorization.v2022_04_01.operations
    import azure.mgmt.resource.resources  # noqa: F401 - loading is the point
