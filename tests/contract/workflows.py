"""Dispatches workflows at the sandbox's GitHub and follows their runs; a workflow that proves a trust."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from tests.conftest import Sandbox

AGENTS = "/repos/contoso/agents"
_PATIENCE_S = 20.0
_DYING_S = 2.0
_PROBE = """\
          import base64, json, os, urllib.error, urllib.parse, urllib.request
          told = {"environment": os.environ["ENVIRONMENT"], "code": None}
          def ask(url, data=None, **headers):
              return json.load(urllib.request.urlopen(urllib.request.Request(url, data, headers)))
          asked = os.environ.get("ACTIONS_ID_TOKEN_REQUEST_URL")
          if asked is None:
              told["code"] = "no id-token"
          else:
              bearer = "bearer " + os.environ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
              assertion = ask(asked + "&audience=api://AzureADTokenExchange", Authorization=bearer)["value"]
              body = assertion.split(".")[1]
              claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
              told |= {"subject": claims["sub"], "claims": claims}
              form = {"grant_type": "client_credentials", "client_id": os.environ["CLIENT"],
                      "scope": "https://ai.azure.com/.default", "client_assertion": assertion,
                      "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}
              try:
                  ask(os.environ["TOKENS"], urllib.parse.urlencode(form).encode())
                  told["code"] = "ok"
              except urllib.error.HTTPError as refused:
                  told["code"] = json.load(refused)["error_description"].split(":")[0]
          print("trustsmith-result: " + base64.b64encode(json.dumps(told).encode()).decode())
"""
_JOB = """\
  check-{name}:
    if: ${{{{ inputs.environment == '' || inputs.environment == '{name}' }}}}
    runs-on: ubuntu-latest
    environment: "{name}"
    {permissions}
    steps:
      - name: Exchange the token
        env:
          ENVIRONMENT: {name}
          CLIENT: ${{{{ vars.AZURE_CLIENT_ID }}}}
          TOKENS: ${{{{ vars.TOKENS }}}}
        run: |
          python3 - <<'END'
{probe}          END
"""
_HEAD = """\
name: check-trust
run-name: Check trust ${{ inputs.nonce }}
on:
  workflow_dispatch:
    inputs:
      environment: {type: string, default: ""}
      nonce: {type: string, required: true}
permissions: {}
jobs:
"""

_SLEEPER = """\
on: [workflow_dispatch]
jobs: {one: {runs-on: x, steps: [{run: 'sleep 60 & echo $$,$! > PIDS; sleep 60'}]}}
"""


def check_trust(*environments: str, permissions: str = "permissions: {id-token: write}") -> str:
    """Return a workflow with one job for each environment, which says what its token is worth."""
    jobs = (_JOB.format(name=name, permissions=permissions, probe=_PROBE) for name in environments)
    return _HEAD + "".join(jobs)


def alive(pids: Path) -> bool:
    """Whether any process is left whose id is in that file; what nobody has waited for yet is not alive.

    What was killed gets a moment to die, which it needs on a busy machine.
    """
    command = ["ps", "-o", "stat=", "-p", pids.read_text().strip()]
    until = time.monotonic() + _DYING_S
    while True:
        states = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
        if all(state.startswith("Z") for state in states) or time.monotonic() > until:
            return any(not state.startswith("Z") for state in states)
        time.sleep(0.02)


@dataclass(frozen=True)
class Hub:
    """One repository's Actions, seen through a client of the sandbox's GitHub."""

    sandbox: Sandbox
    http: httpx.Client
    place: str = AGENTS

    def push(self, text: str, file: str = "check-trust.yml", branch: str = "main", **more: str) -> None:
        """Commit a workflow."""
        files = {f".github/workflows/{file}": text, **more}
        repository = self.place.removeprefix("/repos/")
        self.sandbox.control("push", {"repository": repository, "branch": branch, "files": files})

    def dispatch(self, file: str = "check-trust.yml", ref: str = "main", **inputs: Any) -> int:
        """Start a run and return its id."""
        answer = self.raw_dispatch(file, {"ref": ref, "inputs": inputs, "return_run_details": True})
        assert answer.status_code == 200, answer.text
        return int(answer.json()["workflow_run_id"])

    def raw_dispatch(self, file: str, body: dict[str, Any], **headers: str) -> httpx.Response:
        """Start a run, or not."""
        return self.http.post(f"{self.place}/actions/workflows/{file}/dispatches", json=body, headers=headers)

    def asleep(self, pids: Path) -> int:
        """Start a run whose processes sleep; when they do, their ids are in that file."""
        self.push(_SLEEPER.replace("PIDS", str(pids)), "sleep.yml")
        number = self.dispatch("sleep.yml")
        deadline = time.monotonic() + _PATIENCE_S
        while not (pids.exists() and pids.read_text().strip()):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        return number

    def run(self, number: int) -> dict[str, Any]:
        """Return a run."""
        found: dict[str, Any] = self.http.get(f"{self.place}/actions/runs/{number}").json()
        return found

    def until(self, number: int, status: str) -> dict[str, Any]:
        """Wait for a run's status."""
        deadline = time.monotonic() + _PATIENCE_S
        while (run := self.run(number))["status"] != status:
            assert time.monotonic() < deadline, run["status"]
            time.sleep(0.02)
        return run

    def ended(self, number: int) -> str:
        """Wait for the end of a run; return its conclusion."""
        return str(self.until(number, "completed")["conclusion"])

    def jobs(self, number: int) -> dict[str, dict[str, Any]]:
        """Return a run's jobs by name."""
        listed = self.http.get(f"{self.place}/actions/runs/{number}/jobs").json()["jobs"]
        return {job["name"]: job for job in listed}

    def log(self, job: dict[str, Any]) -> str:
        """Return a job's log, fetched without the token."""
        answer = self.http.get(f"{self.place}/actions/jobs/{job['id']}/logs")
        assert answer.status_code == 302, answer.text
        return self.sandbox.http.get(answer.headers["location"]).raise_for_status().text

    def output(self, number: int, job: str) -> list[str]:
        """Return what the steps of an ended job printed, without times and without what GitHub adds."""
        lines = [line.split(" ", 1)[1] for line in self.log(self.jobs(number)[job]).splitlines()]
        inside = False
        shown = []
        for line in lines:
            inside = (inside or line.startswith("##[group]Run")) and line != "##[endgroup]"
            if not inside and line not in {"##[endgroup]", "Cleaning up orphan processes"}:
                shown.append(line)
        return shown

    def told(self, number: int, job: str) -> dict[str, Any]:
        """Return what the proving job found out."""
        (line,) = (line for line in self.output(number, job) if line.startswith("trustsmith-result: "))
        found: dict[str, Any] = json.loads(base64.b64decode(line.removeprefix("trustsmith-result: ")))
        return found

    def once(self, steps: str, head: str = "", **inputs: Any) -> tuple[str, list[str]]:
        """Run a workflow with one job; return its conclusion and what it printed."""
        indented = re.sub(r"^", "      ", steps.strip("\n"), flags=re.MULTILINE)
        text = f"on: {{workflow_dispatch: }}\n{head}\njobs:\n  one:\n    runs-on: x\n    steps:\n{indented}\n"
        self.push(text, "once.yml")
        number = self.dispatch("once.yml", **inputs)
        return self.ended(number), self.output(number, "one")
