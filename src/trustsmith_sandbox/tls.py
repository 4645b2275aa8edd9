"""The sandbox's certificate authority, made anew at each start; nothing of it outlives the process.

It must not be trusted by anybody who was not told to: clients get its certificate by path.
"""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")


def make_certificates(folder: Path, names: tuple[str, ...]) -> tuple[Path, Path]:
    """Write the CA's certificate and a server certificate with its key for ``names``; return both paths."""
    authority = trustme.CA(organization_name="trustsmith sandbox")
    bundle, server = folder / "ca.pem", folder / "server.pem"
    authority.cert_pem.write_to_path(str(bundle))
    server.touch(mode=0o600)
    authority.issue_cert(*LOCAL_NAMES, *names).private_key_and_cert_chain_pem.write_to_path(str(server))
    return bundle, server


def for_jobs(bundle: Path) -> Path:
    """Write what jobs trust beside the CA's certificate: it, and what this machine trusts; return the path.

    A job installs packages from where this machine does, too.
    """
    known = ssl.get_default_verify_paths().cafile
    both = bundle.with_name("jobs.pem")
    both.write_bytes(bundle.read_bytes() + (Path(known).read_bytes() if known else b""))
    return both
