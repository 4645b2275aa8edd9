"""What people do beside the tool, done for them in the demo: push and pull, run a workflow, approve what waits.

Commands that talk to a sandbox over HTTPS as anybody could: they know the endpoints file, a repository and a token.
They must not know trustsmith.
"""

from __future__ import annotations

import base64
import json
import os
import ssl
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import httpx

_TIMEOUT = 30.0  # seconds
_PAUSE = 0.3  # seconds between looks
_PATIENCE = 120.0  # seconds


@dataclass(frozen=True)
class Desk:
    """One repository of a sandbox: GitHub's API, the control routes, and a token."""

    api: str
    control: str
    repository: str
    http: httpx.Client

    @classmethod
    def at(cls, endpoints: Path, repository: str) -> Desk:
        """The desk that an endpoints file leads to, with the token of the environment."""
        known = json.loads(endpoints.read_text(encoding="utf-8"))
        api = known["github"]["api"]
        origin = urlsplit(api)
        trust = ssl.create_default_context(cafile=known["ca_bundle"] or os.environ.get("SSL_CERT_FILE"))
        headers = {"Authorization": f"Bearer {os.environ['GH_TOKEN']}"}
        http = httpx.Client(verify=trust, timeout=_TIMEOUT, headers=headers)
        return cls(api, f"{origin.scheme}://{origin.netloc}/_sandbox", repository, http)

    def push(self, folder: Path, more: tuple[Path, ...] = (), **how: Any) -> dict[str, Any]:
        """Commit the checkout's .github, and what else is named in it, to the default branch.

        ``how`` may have ``tag`` and ``start``. Returns what the control route answers, and ``files``.
        """
        roots = [folder / ".github", *(folder / each for each in more)]
        found = {path for root in roots for path in (root, *root.rglob("*")) if path.is_file()}
        files = {p.relative_to(folder).as_posix(): p.read_text(encoding="utf-8") for p in sorted(found)}
        told = self._post(f"{self.control}/push", {"repository": self.repository, "files": files, **how})
        return {**told, "files": list(files)}

    def run(self, workflow: str, event: str, ref: str, inputs: dict[str, str]) -> int:
        """Start a workflow as a schedule or somebody at GitHub would; return the run's number."""
        if event == "schedule":
            told = self._post(f"{self.control}/runs", {"repository": self.repository, "workflow": workflow})
            return int(told["run"])
        asked = {"ref": ref, "inputs": inputs, "return_run_details": True}
        path = f"/actions/workflows/{workflow}/dispatches"
        return int(self._post(f"{self.api}/repos/{self.repository}{path}", asked)["workflow_run_id"])

    def pull(self, folder: Path) -> list[str]:
        """Write the files of the default branch, as a clone would; return them."""
        branch = self._get("")["default_branch"]
        blobs = [e for e in self._get(f"/git/trees/{branch}?recursive=1")["tree"] if e["type"] == "blob"]
        for blob in blobs:
            file = folder / blob["path"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(base64.b64decode(self._get(f"/git/blobs/{blob['sha']}")["content"]))
        return [blob["path"] for blob in blobs]

    def approve(self, runs: int) -> None:
        """Approve all that waits, and let wait timers pass, until so many runs have ended."""
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            listed = self._get("/actions/runs")["workflow_runs"]
            if sum(run["status"] == "completed" for run in listed) >= runs:
                return
            for run in listed:
                self._let_through(run)
            time.sleep(_PAUSE)

    def _let_through(self, run: dict[str, Any]) -> None:
        # Only when nothing else is under way: moving the clock ends tokens that are in use.
        path = f"/actions/runs/{run['id']}/pending_deployments"
        waiting = self._get(path) if run["status"] == "waiting" else []
        if waiting:
            self._post(f"{self.control}/clock", {"advance_s": max(w["wait_timer"] for w in waiting) * 60})
        mine = [w["environment"]["id"] for w in waiting if w["reviewers"]]
        if mine:
            decision = {"environment_ids": mine, "state": "approved", "comment": "Approved in the demo."}
            self._post(f"{self.api}/repos/{self.repository}{path}", decision)

    def _get(self, path: str) -> Any:
        return self.http.get(f"{self.api}/repos/{self.repository}{path}").raise_for_status().json()

    def _post(self, url: str, body: dict[str, Any]) -> Any:
        answer = self.http.post(url, json=body)
        if answer.is_error:
            raise click.ClickException(
                f"The sandbox answers {answer.status_code}: {answer.json()['message']}"
            )
        return answer.json()


_ENDPOINTS = click.option(
    "--endpoints",
    envvar="TRUSTSMITH_ENDPOINTS",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The sandbox's endpoints file.",
)
_REPOSITORY = click.option("--repository", required=True, metavar="OWNER/NAME", help="Whose repository.")


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--path", "more", multiple=True, type=click.Path(path_type=Path), help="What else to commit.")
@click.option("--tag", help="Put that tag on the commit.")
@click.option("--start", is_flag=True, help="Start the workflows that ask for this push.")
@_REPOSITORY
@_ENDPOINTS
def push(
    *, folder: Path, more: tuple[Path, ...], tag: str | None, start: bool, repository: str, endpoints: Path
) -> None:
    """Commit the .github of FOLDER to the repository's default branch."""
    told = Desk.at(endpoints, repository).push(folder, more, tag=tag, start=start)
    for line in [*told["files"], *(f"Run {number} started." for number in told.get("runs", []))]:
        click.echo(line)
    for path, reason in told.get("refused", {}).items():
        click.echo(f"{path} does not start: {reason}", err=True)


@click.command()
@click.argument("workflow", metavar="FILE")
@click.option(
    "--event",
    type=click.Choice(["workflow_dispatch", "schedule"]),
    default="workflow_dispatch",
    show_default=True,
    help="What starts it.",
)
@click.option("--ref", default="main", show_default=True, help="Which branch or tag is dispatched.")
@click.option("--input", "inputs", multiple=True, metavar="NAME=VALUE", help="An input of the dispatch.")
@_REPOSITORY
@_ENDPOINTS
def run(
    *, workflow: str, event: str, ref: str, inputs: tuple[str, ...], repository: str, endpoints: Path
) -> None:
    """Start the workflow FILE, which has been pushed."""
    given = dict(each.partition("=")[::2] for each in inputs)
    click.echo(f"Run {Desk.at(endpoints, repository).run(workflow, event, ref, given)} started.")


@click.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@_REPOSITORY
@_ENDPOINTS
def pull(*, folder: Path, repository: str, endpoints: Path) -> None:
    """Write the files of the repository's default branch into FOLDER."""
    for file in Desk.at(endpoints, repository).pull(folder):
        click.echo(file)


@click.command()
@click.option("--runs", default=1, help="Until so many runs have ended.")
@_REPOSITORY
@_ENDPOINTS
def approve(*, runs: int, repository: str, endpoints: Path) -> None:
    """Approve every deployment that waits, as a reviewer would."""
    try:
        Desk.at(endpoints, repository).approve(runs)
    except httpx.HTTPError as reason:
        click.echo(f"Could not approve: {reason}", err=True)
        sys.exit(1)
