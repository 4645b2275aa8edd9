"""How long a first set-up takes with 100 ms of latency, against what the network alone would take.

The bound is the larger of the longest dependent chain and a share of the requests to GitHub, times the latency. The
chain is: the token, the repository and what is there (2), the environment, its mark, an id, the list of ids, the mark
again (5).
"""

from __future__ import annotations

import json
import os
import shlex
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any

_LATENCY_MS = 100
_CHAIN = 8
_AT_ONCE = 8
_RUNS = 5
_PROJECT = (
    "/subscriptions/aaaaaaaa-0000-0000-0000-000000000001/resourceGroups/rg-foundry-dev"
    "/providers/Microsoft.CognitiveServices/accounts/foundry-dev/projects/agents"
)


class Bench:
    """A sandbox with latency and without GitHub's limits, and a folder to run in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log.jsonl"
        exports = folder / "env"
        command = [sys.executable, "-m", "trustsmith_sandbox", "serve", "--latency", str(_LATENCY_MS)]
        command += ["--env-file", str(exports), "--log", str(self.log)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while not exports.exists():
            time.sleep(0.05)
        words = [shlex.split(line)[1] for line in exports.read_text("utf-8").splitlines()]
        self.env = dict(word.split("=", 1) for word in words)

    def control(self, path: str, body: dict[str, Any]) -> None:
        """Call a control route."""
        url = f"{self.env['AZURE_AUTHORITY_HOST'].rstrip('/')}/_sandbox/{path}"
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(url, json.dumps(body).encode(), headers, method="POST")  # noqa: S310 - loopback
        trust = ssl.create_default_context(cafile=self.env["SSL_CERT_FILE"])
        urllib.request.urlopen(request, context=trust).close()  # noqa: S310 - loopback

    def first_run(self, environments: int) -> tuple[float, Counter[str]]:
        """Seconds of a first set-up, and how many requests each service got."""
        self.control("reset", {})
        self.control("limits", {"github": False})
        read = self.log.stat().st_size if self.log.exists() else 0
        named = [word for n in range(environments) for word in ("--env", f"e{n}={_PROJECT}")]
        command = [
            sys.executable,
            "-m",
            "trustsmith",
            "setup",
            "--no-input",
            "--yes",
            "--repo",
            "contoso/agents",
        ]
        with tempfile.TemporaryDirectory(dir=self.folder) as checkout:
            began = time.perf_counter()
            env = {**os.environ, **self.env}
            subprocess.run([*command, *named], cwd=checkout, env=env, check=True, capture_output=True)
            took = time.perf_counter() - began
        with self.log.open(encoding="utf-8") as log:
            log.seek(read)
            return took, Counter(json.loads(line)["service"] for line in log)


def main() -> None:
    """Measure for 3 and 10 environments."""
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name))
        try:
            for environments in (3, 10):
                runs = [bench.first_run(environments) for _ in range(_RUNS)]
                took = statistics.median(seconds for seconds, _ in runs)
                services = runs[-1][1]
                bound = max(_CHAIN, services["github"] / _AT_ONCE) * _LATENCY_MS / 1000
                print(
                    f"{environments} environments: {took:.2f} s, {took / bound:.2f} of the bound "
                    f"({bound:.2f} s, {took - bound:+.2f} s); requests {dict(services)}"
                )
        finally:
            bench.process.terminate()


if __name__ == "__main__":
    main()
