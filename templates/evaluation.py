"""What jobs of the workflow evaluate-agents run around the action microsoft/ai-agent-evals.

The action says its results in a page for people, and ends well however bad they are. So the first step (`before`) notes
which evaluations the project has; after the action, `gate` reads the results of those that came since from the project,
where the action has them from, and fails when they are not good enough.

Needs Python 3.8 and nothing else. A token for Foundry comes in on standard input; it is never printed, and goes only to
the environment's own project.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections import Counter
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# The last version that has what the action imports: https://github.com/microsoft/ai-agent-evals/issues/64
CONSTRAINT = "azure-ai-projects==2.0.0b3\n"
PAUSES_S = (2, 5, 15, 30)  # between the tries of a call that a busy or restarting service turns away
BUSY = {0, 408, 429, 500, 502, 503, 504}
TIMEOUT_S = 60.0
OK, DENIED, ABSENT = 200, {401, 403}, 404
PAGE, MOST_PAGES = 100, 500
TOKEN = re.compile(r"eyJ[\w-]{6,}[\w.-]*")


class FailedError(Exception):
    """The job cannot go on, or must not. The message says why."""


class _NoRedirects(HTTPRedirectHandler):
    """A token is never sent on to where an answer points."""

    def redirect_request(self, *_: Any) -> None:
        """Return the redirect itself as the answer."""
        return


def harmless(text: str) -> str:
    """One line of a service's text, without anything like a token, and without commands to the runner."""
    line = TOKEN.sub("(a token)", " ".join(text.split()))[:300]
    return re.sub(r"::|##\[", ": ", line)


def send(url: str, token: str) -> tuple[int, str]:
    """Ask once. Returns the status (0: no answer) and the body, or why there is no answer."""
    request = Request(url, headers={"Authorization": f"Bearer {token}"})  # noqa: S310 - https, see Project
    try:
        with build_opener(_NoRedirects).open(request, timeout=TIMEOUT_S) as answer:
            return int(answer.status), answer.read().decode("utf-8", "replace")
    except HTTPError as error:
        return error.code, error.read().decode("utf-8", "replace")
    except (URLError, OSError, HTTPException, ValueError) as error:
        return 0, type(error).__name__


class Project:
    """A Foundry project, of which only is read."""

    def __init__(self, endpoint: str, token: str) -> None:
        self.endpoint = endpoint.strip().rstrip("/")
        self.token = token.strip()
        if not self.endpoint.startswith("https://"):
            raise FailedError(
                "AZURE_AI_PROJECT_ENDPOINT is empty in this environment: 'trustsmith apply' writes it."
            )
        if not self.token:
            raise FailedError("There is no token for Foundry.")

    def sleep(self, seconds: float) -> None:
        """Let them pass."""
        time.sleep(seconds)

    def ask(self, url: str) -> tuple[int, str]:
        """Ask once: the status and what was said."""
        return send(url, self.token)

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """The JSON object at a path below the endpoint. Raises FailedError."""
        url = f"{self.endpoint}/{path}" + (f"?{urlencode(query)}" if query else "")
        status, text = self.ask(url)
        for pause in PAUSES_S:
            if status not in BUSY:
                break
            self.sleep(pause)
            status, text = self.ask(url)
        if status in DENIED:
            raise FailedError(
                f"Foundry does not let this identity read {path} (HTTP {status}). {harmless(text)}"
            )
        try:
            found = json.loads(text) if status == OK else None
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise FailedError(f"Foundry answers HTTP {status} for {path}: {harmless(text)}")
        return found

    def items(self, path: str) -> Iterator[dict[str, Any]]:
        """All items of a list, page by page."""
        after: dict[str, str] = {}
        for _ in range(MOST_PAGES):
            page = self.get(path, limit=PAGE, **after)
            data = [item for item in page.get("data") or () if isinstance(item, dict)]
            yield from data
            if not page.get("has_more") or not data:
                return
            after = {"after": str(data[-1].get("id"))}
        raise FailedError(f"Foundry's list at {path} has no end.")

    def version(self, agent: str) -> str:
        """An agent with its version: `name:3`; the newest where none is named."""
        name, colon, version = agent.partition(":")
        if not colon:
            found = self.get(f"agents/{quote(name, safe='')}", **{"api-version": "v1"})
            version = str(((found.get("versions") or {}).get("latest") or {}).get("version") or "")
        if not re.fullmatch(r"[\w.-]+", name) or not re.fullmatch(r"[\w.-]+", version):
            raise FailedError(f"{harmless(agent)} is no agent with a version: write NAME, or NAME:VERSION.")
        return f"{name}:{version}"


def split(text: str) -> list[str]:
    """What stands between commas."""
    return [part.strip() for part in text.split(",") if part.strip()]


def check_data(path: str) -> None:
    """Whether the action can read the file, and has something to do. Raises FailedError."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FailedError(
            f"{path} cannot be read as JSON ({type(error).__name__}); 'data_path:' names it."
        ) from None
    for key in ("evaluators", "data"):
        if not isinstance(found, dict) or not isinstance(found.get(key), list) or not found[key]:
            raise FailedError(
                f"{path} has nothing under {key!r}: it needs evaluators, and data to ask the agents."
            )


class Job:
    """One job: what it is to evaluate, and what it needs. `env` is the process's environment."""

    def __init__(self, env: Mapping[str, str], project: Project) -> None:
        self.env = env
        self.project = project
        self.note = Path(env["RUNNER_TEMP"], "trustsmith-evaluations.json")

    def before(self) -> None:
        """Note what there is, and tell the action which versions it evaluates."""
        check_data(self.env["TRUSTSMITH_DATA"])
        base = split(self.env.get("TRUSTSMITH_BASELINE", ""))[:1]
        named = [*base, *split(self.env["TRUSTSMITH_AGENTS"])]
        agents = list(dict.fromkeys(map(self.project.version, named)))
        baseline = agents[0] if base else ""
        known = [str(found.get("id")) for found in self.project.items("openai/v1/evals")]
        gated = [agent for agent in agents if agent != baseline]
        if not gated:
            raise FailedError("There is no agent to evaluate besides the baseline; 'agent_ids:' names some.")
        self.note.write_text(json.dumps({"known": known, "gated": gated}), encoding="utf-8")
        Path(self.env["RUNNER_TEMP"], "trustsmith-constraints.txt").write_text(
            self.constraints(), encoding="utf-8"
        )
        with Path(self.env["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as outputs:
            outputs.write(f"agents={','.join(agents)}\nbaseline={baseline}\n")
        print(f"Evaluating {', '.join(agents)}" + (f", compared with {baseline}." if baseline else "."))

    def constraints(self) -> str:
        """What pip may install for the action: what the repository says, else what is known to work."""
        path = self.env.get("TRUSTSMITH_CONSTRAINTS", "")
        try:
            own = Path(path).read_text(encoding="utf-8") if path else ""
        except (OSError, ValueError) as error:
            raise FailedError(
                f"{path} cannot be read ({type(error).__name__}); 'constraints:' names it."
            ) from None
        named = re.search(r"^azure[-_.]ai[-_.]projects\b", own, re.IGNORECASE | re.MULTILINE)
        return own if named else CONSTRAINT + own

    def gate(self) -> bool:
        """Whether all that came since is good enough; says so, line by line and in the job's summary."""
        noted = json.loads(self.note.read_text(encoding="utf-8"))
        rows = [row for found in self.since(noted["known"]) for row in self.judged(found, noted["gated"])]
        for agent in noted["gated"]:
            if not any(row[0] == agent for row in rows):
                rows.append((agent, "", "no evaluation of it was found", False))
        with Path(self.env["GITHUB_STEP_SUMMARY"]).open("a", encoding="utf-8") as summary:
            summary.write(table(rows, self.least))
        for agent, evaluator, said, good in rows:
            what = f"{agent} {evaluator}".strip()
            print(f"{what}: {said}" if good else f"::error::{what}: {said}; {self.least} % are needed.")
        return all(row[-1] for row in rows)

    @property
    def least(self) -> int:
        """How many of a hundred rows have to pass."""
        return int(self.env["TRUSTSMITH_PASS_RATE"])

    def since(self, known: list[str]) -> list[dict[str, Any]]:
        """The evaluations that were not there before."""
        return [found for found in self.project.items("openai/v1/evals") if found.get("id") not in known]

    def judged(
        self, evaluation: Mapping[str, Any], agents: list[str]
    ) -> Iterator[tuple[str, str, str, bool]]:
        """Agent, evaluator, what it came to, and whether that is enough; of the runs that are about these agents."""
        path = f"openai/v1/evals/{quote(str(evaluation.get('id')), safe='')}/runs"
        for run in self.project.items(path):
            agent = next((agent for agent in agents if run.get("name") == f"Agent {agent}"), None)
            if agent is None:
                continue
            if run.get("status") != "completed":
                error = run.get("error") or {}
                why = harmless(str(error.get("message", "no reason given")))
                yield agent, "", f"its evaluation is {harmless(str(run.get('status')))}: {why}", False
                continue
            rows = list(self.project.items(f"{path}/{quote(str(run.get('id')), safe='')}/output_items"))
            for evaluator, passed in self.counted(evaluation, rows):
                good = bool(rows) and passed * 100 >= self.least * len(rows)
                yield agent, evaluator, f"{passed} of {len(rows)} rows pass", good

    def counted(self, evaluation: Mapping[str, Any], rows: list[dict[str, Any]]) -> Iterator[tuple[str, int]]:
        """Each evaluator (and metric, where it has several) that counts, with how many rows it lets pass.

        A row that has no verdict of it does not pass: then the evaluator failed, or has no threshold.
        """
        criteria = [str(one.get("name")) for one in evaluation.get("testing_criteria") or ()]
        wanted = {name.rpartition(".")[2] for name in split(self.env.get("TRUSTSMITH_EVALUATORS", ""))}
        for name in sorted(wanted - set(criteria)):
            yield name, 0
        passed: Counter[tuple[str, str]] = Counter()
        for row in rows:
            for result in row.get("results") or ():
                key = (str(result.get("name")), str(result.get("metric") or ""))
                passed[key] += result.get("passed") is True
        for name in dict.fromkeys(criteria):
            if not wanted or name in wanted:
                found = {metric: count for (whose, metric), count in passed.items() if whose == name}
                if not found.get("") and len(found) > 1:
                    found.pop("", None)  # rows that failed tell no metric
                found = found or {"": 0}
                for metric, count in found.items():
                    yield (f"{name}:{metric}" if len(found) > 1 else name), count


def table(rows: list[tuple[str, str, str, bool]], least: int) -> str:
    """The verdicts for the job's summary."""
    lines = [
        f"| {' | '.join(cell(text) for text in row[:3])} | {'yes' if row[3] else '**no**'} |" for row in rows
    ]
    head = f"## Gate: at least {least} % of the rows have to pass\n\n| agent | evaluator | result | enough |\n|---|---|---|---|\n"
    return "\n" + head + "\n".join(lines) + "\n"


def cell(text: str) -> str:
    """Text that stays in its cell."""
    return re.sub(r"[|<>`\[\]\\]", " ", text)


def main(step: str) -> bool:
    """Do one step of the job. Returns whether it is well."""
    try:
        job = Job(os.environ, Project(os.environ.get("AZURE_AI_PROJECT_ENDPOINT", ""), sys.stdin.read()))
        if step == "before":
            job.before()
            return True
        return job.gate()
    except FailedError as failed:
        print(f"::error::{failed}")
        return False


if __name__ == "__main__":
    sys.exit(0 if main("".join(sys.argv[1:2])) else 1)
