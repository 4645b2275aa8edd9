"""A person at the desk: Azure CLI, signed in as somebody of the sandbox's tenant.

A script named ``az`` answers ``account get-access-token`` from the sandbox, as Azure CLI would from its cache.
The tool under test sees nothing but a command on PATH. Must not import trustsmith, nor the sandbox.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_WORKLOAD = {"AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"}
_SCRIPT = """#!{python} -ES
import json, os, ssl, sys, urllib.error, urllib.request

words = sys.argv[1:]
if words[:2] != ["account", "get-access-token"] or "--resource" not in words:
    sys.exit("this az knows account get-access-token --resource only")
wanted = {{"user": {user!r}, "resource": words[words.index("--resource") + 1]}}
asked = urllib.request.Request("{origin}/_sandbox/token", json.dumps(wanted).encode(), method="POST")
trust = urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile={bundle!r}))
try:
    answer = urllib.request.build_opener(urllib.request.ProxyHandler({{}}), trust).open(asked)
except urllib.error.HTTPError:
    sys.exit("ERROR: Please run 'az login' to setup account.")
print(answer.read().decode())
"""


def signed_in(folder: Path, env: Mapping[str, str], origin: str, user: str) -> dict[str, str]:
    """Return ``env`` for a shell in which Azure CLI is signed in as ``user`` (nobody's name: signed out).

    The script goes to ``folder``; the sandbox's own workload identity is left out of what is returned.
    """
    folder.mkdir(exist_ok=True)
    script = folder / "az"
    bundle = env["SSL_CERT_FILE"]
    text = _SCRIPT.format(python=sys.executable, user=user, origin=origin, bundle=bundle)
    script.write_text(text, encoding="utf-8")
    script.chmod(0o755)
    path = os.pathsep.join([str(folder), env.get("PATH", os.environ["PATH"])])
    return {name: value for name, value in env.items() if name not in _WORKLOAD} | {"PATH": path}
