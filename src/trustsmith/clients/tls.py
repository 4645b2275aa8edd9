"""Whose certificates are believed, decided once for all SDKs.

The SDKs disagree: httpx reads SSL_CERT_FILE, requests reads REQUESTS_CA_BUNDLE, and neither looks at the
system's store. Here either variable serves all of them. Verification is never switched off here.
"""

from __future__ import annotations

import os
import ssl
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trustsmith.errors import UsageError

if TYPE_CHECKING:
    import requests

POOL = 16
"""Connections kept for reuse: more than any thread pool of ours has threads."""


def bundle(ca_bundle: str | None) -> str | None:
    """Return the CA file (or folder) to use: the one given, else the environment's, else None (the system)."""
    return ca_bundle or os.environ.get("SSL_CERT_FILE") or os.environ.get("REQUESTS_CA_BUNDLE") or None


@cache
def context(ca_bundle: str | None, protocol: str = "http/1.1") -> ssl.SSLContext:
    """Return the context all connections of one protocol share ("h2" or "http/1.1"); UsageError if it cannot be.

    Two protocols have a context each because clients set what they speak (ALPN) on the context itself.
    Sharing saves reading the certificates, 15 ms of computing time, for each connection.
    """
    path = bundle(ca_bundle)
    if path is None:
        return _system(protocol)
    try:
        if Path(path).is_dir():
            return ssl.create_default_context(capath=path)
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        raise UsageError(
            f"Cannot use the CA bundle {path}: {error.strerror or 'it holds no certificate'}.",
            hint="It must be a PEM file. It was named by the endpoints file, SSL_CERT_FILE or REQUESTS_CA_BUNDLE.",
        ) from error


def _system(_protocol: str) -> ssl.SSLContext:
    # On Linux truststore would read OpenSSL's own file again for each connection; one reading is enough.
    if sys.platform == "linux" and ssl.get_default_verify_paths().cafile:
        return ssl.create_default_context()
    import truststore

    return truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def session(ca_bundle: str | None, url: str) -> requests.Session:
    """Return a requests session for the host of `url`: our certificates, the environment's proxies, no retries.

    It may be used by several threads at once, for requests that carry their own credentials.
    """
    import requests

    made = requests.Session()
    # The environment is read once: requests would read it for each request, and put a .netrc entry in the token's place.
    made.trust_env = False
    made.proxies = requests.utils.get_environ_proxies(url)
    made.mount("https://", _adapter(context(ca_bundle)))
    return made


def _adapter(shared: ssl.SSLContext) -> Any:
    from requests.adapters import HTTPAdapter

    class Adapter(HTTPAdapter):
        """Gives urllib3 our context, and keeps requests from loading certificates into it again."""

        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, **kwargs, ssl_context=shared)

        def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
            return super().proxy_manager_for(proxy, **kwargs, ssl_context=shared)

        def cert_verify(self, *_: Any, **__: Any) -> None:
            """Leave it to the context, which requires a certificate and checks the host's name."""

        def build_connection_pool_key_attributes(
            self, request: Any, verify: Any, cert: Any = None
        ) -> tuple[Any, Any]:
            host, _ = super().build_connection_pool_key_attributes(request, verify, cert)
            return host, {"cert_reqs": "CERT_REQUIRED"}

    return Adapter(pool_connections=POOL, pool_maxsize=POOL)
