"""The sandbox's certificate authority, made anew at each start; nothing of it outlives the process.

It must not be trusted by anybody who was not told to: clients get its certificate by path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from pathlib import Path

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


def make_certificates(folder: Path, names: tuple[str, ...]) -> tuple[Path, Path]:
    """Write the CA's certificate and a server certificate with its key for ``names``; return both paths."""
    authority = trustme.CA(organization_name="trustsmith sandbox")
    bundle, server = folder / "ca.pem", folder / "server.pem"
    authority.cert_pem.write_to_path(str(bundle))
    server.touch(mode=0o600)
    authority.issue_cert(*LOCAL_NAMES, *names).private_key_and_cert_chain_pem.write_to_path(str(server))
    return bundle, server
