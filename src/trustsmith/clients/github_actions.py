"""GitHub's workflow runs: start one, follow it, read what its jobs printed, and the files that it runs from.

Objects are plain dicts as GitHub answers them. It must not decide what a run means, nor take GitHub's token to the
host that keeps the logs.
"""

from __future__ import annotations

import asyncio
import binascii
from base64 import b64decode
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from trustsmith.clients import tls, transport
from trustsmith.clients.transport import Answer, Failed
from trustsmith.errors import NotAllowed, NotFound, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from trustsmith.clients.github_wire import Json, Wire

_RUN = ("status", "html_url")
_NEWEST = 30  # runs; a run that was just started is among them
_LOOKS = 10  # for a run that may have been started
_TIMES = (transport.CONNECT_TIMEOUT, transport.READ_TIMEOUT)


class Actions:
    """The part of GitHub that runs workflows, over the connections of the rest.

    Every method raises NotSignedIn, NotAllowed, Conflict or another ServiceError (service "github").
    repo: from "owner/name" to the path of the repository.
    """

    def __init__(self, wire: Wire, repo: Callable[[str], str], ca_bundle: str | None) -> None:
        self._wire = wire
        self._repo = repo
        self._ca_bundle = ca_bundle

    def _path(self, full_name: str, rest: str) -> str:
        return f"{self._repo(full_name)}/actions{rest}"

    async def dispatch(
        self, full_name: str, file: str, ref: str, inputs: dict[str, str], title: str
    ) -> Json | None:
        """Start a workflow (the file's name) once, and only once.

        title: what its run will be called (``run-name``), and no other run is; by it the run is found when the answer
        was lost. Returns ``{"workflow_run_id": …}``, or None where this GitHub does not tell (204): ``run_called``
        finds it. Raises ServiceError, ``unsure`` when it may have been started.
        """
        operation = f"start the workflow {file}"
        path = self._path(full_name, f"/workflows/{quote(file, safe='')}/dispatches")
        body = {"ref": ref, "inputs": inputs, "return_run_details": True}

        async def read_back() -> Json:
            for _ in range(_LOOKS):
                found = await self.run_called(full_name, file, title)
                if found is not None:
                    return {"workflow_run_id": found["id"]}
                await asyncio.sleep(self._wire.pace.settle_first)
            message = f"GitHub did not say whether it started {file}, and no run of it is to be seen."
            hint = "Look at the Actions tab of the repository, then run it again."
            raise ServiceError(message, service="github", operation=operation, unsure=True, hint=hint)

        def started(answer: Answer) -> Json | None:
            if answer.status == 204 or not answer.content:  # noqa: PLR2004 - No Content
                return None
            found = answer.object()
            return found if isinstance(found.get("workflow_run_id"), int) else None

        return await self._wire.run(operation, "POST", path, started, body=body, read_back=read_back)

    async def run_called(self, full_name: str, file: str, title: str) -> Json | None:
        """Return the run whose title is that, or None."""
        runs = await self.runs(full_name, file)
        return next((run for run in runs if run["display_title"] == title), None)

    async def runs(
        self, full_name: str, file: str, *, event: str = "workflow_dispatch", **query: str
    ) -> list[Json]:
        """Return the newest runs of a workflow; [] where there is no such workflow.

        event: what started them: somebody by hand, if nothing is said; "" for anything.
        """
        path = self._path(full_name, f"/workflows/{quote(file, safe='')}/runs")
        wanted = {**({"event": event} if event else {}), "per_page": _NEWEST, **query}
        try:
            return await self._wire.run(
                f"list runs of {file}",
                "GET",
                path,
                lambda answer: answer.list("workflow_runs", "display_title", *_RUN),
                query=wanted,
            )
        except NotFound:
            return []

    async def run(self, full_name: str, run_id: int) -> Json:
        """Return a run: ``status``, ``conclusion``, ``html_url``, ``head_branch``."""
        path = self._path(full_name, f"/runs/{run_id}")
        return await self._wire.run(f"read run {run_id}", "GET", path, lambda answer: answer.object(*_RUN))

    async def jobs(self, full_name: str, run_id: int) -> list[Json]:
        """Return the jobs of a run's latest attempt, with their ``steps``."""
        return await self._wire.pages(
            f"list jobs of run {run_id}", self._path(full_name, f"/runs/{run_id}/jobs"), "jobs"
        )

    async def pending(self, full_name: str, run_id: int) -> list[Json]:
        """Return the environments whose approval or timer a run waits for: ``environment``, ``reviewers``."""
        path = self._path(full_name, f"/runs/{run_id}/pending_deployments")
        return await self._wire.run(
            f"read what run {run_id} waits for", "GET", path, lambda answer: answer.list(None)
        )

    async def annotations(self, full_name: str, job_id: int) -> list[str]:
        """Return what GitHub says about a job, such as why it could not start; [] for a token that may not read it."""
        path = f"{self._repo(full_name)}/check-runs/{job_id}/annotations"
        try:
            found = await self._wire.run(
                f"read what GitHub says about job {job_id}", "GET", path, lambda answer: answer.list(None)
            )
        except (NotFound, NotAllowed):
            return []
        return [str(entry.get("message") or "") for entry in found]

    async def log(self, full_name: str, job_id: int) -> str | None:
        """Return what a finished job printed, or None when there is no log (yet, or any more).

        GitHub sends us to another host for it, which gets no token of ours.
        """
        operation = f"read the log of job {job_id}"
        path = self._path(full_name, f"/jobs/{job_id}/logs")
        try:
            where = await self._wire.run(
                operation, "GET", path, lambda answer: answer.headers.get("location", ""), answers=(302,)
            )
            return await transport.call(
                lambda: asyncio.to_thread(self._fetch, where),
                operation=operation,
                service="github",
                repeatable=True,
            )
        except NotFound:
            return None

    def _fetch(self, where: str) -> str:
        """Read a text from the host that keeps it. Raises Failed."""
        from requests.exceptions import ConnectTimeout, RequestException

        host = urlsplit(where).netloc
        if urlsplit(where).scheme != "https" or not host:
            message = "GitHub sent us to an address that is not https:// for a log; it was not followed."
            raise Failed(ServiceError(message, service="github"), "fatal")
        try:
            with tls.session(self._ca_bundle, where) as session:
                answer = session.get(where, allow_redirects=False, timeout=_TIMES)
        except RequestException as error:
            raise transport.unreachable(
                "github", host, type(error)(), sent=not isinstance(error, ConnectTimeout), write=False
            ) from None  # its text holds the address, which is signed: whoever has it can read the log
        if answer.status_code == 404:  # noqa: PLR2004 - Not Found
            raise Failed(NotFound("The log is gone.", service="github", status=404), "fatal")
        if answer.status_code != 200:  # noqa: PLR2004 - OK
            message = f"{host} answered {answer.status_code} instead of the log."
            failure = ServiceError(message, service="github", status=answer.status_code)
            raise Failed(failure, transport.kind_of(answer.status_code))
        return answer.content.decode("utf-8", "replace")

    async def file(self, full_name: str, path: str, ref: str) -> str | None:
        """Return a file of the repository as a text, as it is on a branch, or None when it is not there."""
        where = f"{self._repo(full_name)}/contents/{quote(path)}?ref={quote(ref, safe='')}"
        found = await self._wire.get(f"read {path} on {ref}", where, "content")
        try:
            return None if found is None else b64decode(found["content"]).decode("utf-8", "replace")
        except binascii.Error as error:
            raise ServiceError(f"GitHub's answer for {path} is no base64.", service="github") from error
