"""SDKs are loaded late, and by one thread at a time; ``prefetch`` loads them, and signs in, ahead of need.

Two threads that import packages with circular imports, as these SDKs have, can wait for each other for ever;
so every client loads its SDK through ``load`` before it first uses it. This module must not use what it loads.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.util import find_spec
from typing import TYPE_CHECKING

from trustsmith.errors import TrustsmithError

if TYPE_CHECKING:
    from collections.abc import Callable

    from trustsmith.clients.credentials import Credentials

_LOADER = ThreadPoolExecutor(1, thread_name_prefix="load")
_LOADS: dict[str, Future[None]] = {}
_ASKING = threading.Lock()
_MODULES = {
    "identity": ("azure.identity", "azure.core.pipeline.transport._requests_basic"),
    "graph": (
        "httpx",
        "kiota_authentication_azure.azure_identity_authentication_provider",
        "msgraph.graph_service_client",
        "msgraph.generated.applications.applications_request_builder",
    ),
    "github": ("requests", "github.Requester", "nacl.public"),
    "arm": (
        "azure.core.pipeline.transport._requests_basic",
        "azure.core.rest",
        "azure.mgmt.core.policies",
        "azure.mgmt.resource.resources",
        "azure.mgmt.authorization.v2022_04_01.operations",
    ),
}


def load(sdk: str) -> None:
    """Import all that a client uses of "identity", "graph", "github" or "arm", unless it is there already.

    One thread imports them all, one after another; whoever needs one waits for that one only.
    """
    with _ASKING:
        if sdk not in _LOADS:
            _LOADS[sdk] = _LOADER.submit(_import, sdk)
    _LOADS[sdk].result()


def _import(sdk: str) -> None:
    # httpx loads a command line of its own wherever click and rich are; that is a tenth of our start-up
    sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
    # httpcore imports sniffio several times a request; where that is not installed, each time is a search on the disk
    if "sniffio" not in sys.modules and find_spec("sniffio") is None:
        sys.modules["sniffio"] = None  # type: ignore[assignment]
    for module in _MODULES[sdk]:
        importlib.import_module(module)


def prefetch(
    credentials: Credentials | None, *, graph: bool = True, arm: bool = True, github: bool = True
) -> None:
    """Start fetching the tokens of Graph and ARM and loading the SDKs named; return at once.

    Only a head start: nothing depends on it, and what fails here fails again, with its message, where it is
    needed. `credentials` None, or a sign-in that asks people: only load. The threads never keep the process
    alive.
    """
    jobs: list[Callable[[], object]] = []
    if credentials is not None and credentials.method == "auto":
        scopes = {credentials.endpoints.graph_scope: graph, credentials.endpoints.resource_manager_scope: arm}
        jobs += [_token_job(credentials, scope) for scope, wanted in scopes.items() if wanted]
    wanted = {"github": github, "graph": graph, "arm": arm}
    jobs.append(lambda: _load_all([sdk for sdk, use in wanted.items() if use]))
    for job in jobs:
        threading.Thread(target=job, name="prefetch", daemon=True).start()


def _load_all(sdks: list[str]) -> None:
    for sdk in sdks:
        with contextlib.suppress(Exception):  # it fails again, with its message, where it is needed
            load(sdk)


def _token_job(credentials: Credentials, scope: str) -> Callable[[], object]:
    def fetch() -> None:
        with contextlib.suppress(TrustsmithError):
            credentials.token(scope)

    return fetch
