"""Following a workflow run until it ends or the time is up, saying what each job does. Must not judge what it finds."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trustsmith.errors import ServiceError
from trustsmith.render.trust import STEPS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from trustsmith.flows.session import Session

Json = dict[str, Any]
#: What a step that takes long may be waiting for.
_WAITS = dict(
    zip(
        (name for name, _ in STEPS),
        (
            "a new federated credential takes minutes to reach all of Entra's servers",
            "a new role takes up to ten minutes to count",
        ),
        strict=True,
    )
)
_LOG_TRIES = 3


@dataclass(frozen=True)
class Started:
    """A run that was started: where it is, and until when it is followed (`time.monotonic`)."""

    id: int
    url: str
    until: float
    pause: float


@dataclass(frozen=True)
class Ended:
    """How a run stood when it was last looked at. waiting: environment → what it waits for."""

    done: bool
    jobs: Mapping[str, Json]
    waiting: Mapping[str, str] = field(default_factory=dict)


class Follower:
    """Follows one run of `full_name`. titles: what the job of each environment is called."""

    def __init__(self, session: Session, full_name: str, titles: Mapping[str, str]) -> None:
        self._actions = session.github.actions
        self._talk = session.talk
        self._full_name = full_name
        self._names = {title: name for name, title in titles.items()}
        self._said: dict[str, str] = {}
        self._began: dict[str, float] = {}

    async def start(
        self, file: str, ref: str, inputs: dict[str, str], title: str, patience: float
    ) -> Started:
        """Start the workflow once and find its run; `patience` in seconds is for all that follows.

        Raises ServiceError when no run of it shows up.
        """
        began = time.monotonic()
        pause = min(5.0, max(0.2, patience / 180))
        made = await self._actions.dispatch(self._full_name, file, ref, inputs, title)
        while made is None:
            found = await self._actions.run_called(self._full_name, file, title)
            if found is not None:
                made = {"workflow_run_id": found["id"]}
            elif time.monotonic() > began + patience:
                message = f"GitHub started {file}, and its run does not show up."
                raise ServiceError(message, service="github", hint="Look at the repository's Actions tab.")
            else:
                await asyncio.sleep(pause)
        number = int(made["workflow_run_id"])
        run = await self._actions.run(self._full_name, number)
        return Started(number, str(run["html_url"]), began + patience, pause)

    async def follow(self, started: Started) -> Ended:
        """Look again and again, until the run has ended or the time is up."""
        while True:
            run = await self._actions.run(self._full_name, started.id)
            jobs = await self._actions.jobs(self._full_name, started.id)
            known = {self._names[job["name"]]: job for job in jobs if job["name"] in self._names}
            done = run["status"] == "completed"
            waiting = {} if done else await self._waiting(run, known.values(), started)
            for name, job in known.items():
                if name not in waiting:
                    self._say(name, _state(job))
                    self._say_why(name, job, started)
            if done or time.monotonic() + started.pause > started.until:
                return Ended(done, known, waiting)
            await asyncio.sleep(started.pause)

    async def _waiting(self, run: Json, jobs: Iterable[Json], started: Started) -> dict[str, str]:
        """What waits for somebody's approval or for a timer, said once."""
        if "waiting" not in {run["status"], *(job.get("status") for job in jobs)}:
            return {}
        found = {}
        for entry in await self._actions.pending(self._full_name, started.id):
            name = str((entry.get("environment") or {}).get("name"))
            found[name] = _what_for(entry)
            self._say(name, f"waits for {found[name]}: {started.url}")
        return found

    def _say(self, name: str, state: str) -> None:
        if self._said.get(name) != state:
            self._said[name] = state
            self._began[name] = time.monotonic()
            self._talk.note(f"{name}: {state}")
        running = ", ".join(f"{name}: {said}" for name, said in self._said.items())
        self._talk.step(f"Following the run ({running})")

    def _say_why(self, name: str, job: Json, started: Started) -> None:
        """A step that takes longer than four looks waits, and people want to know for what."""
        step = _step(job)
        elapsed = time.monotonic() - self._began[name]
        if step in _WAITS and elapsed > 4 * started.pause and name in self._began:
            self._began[name] = float("inf")
            self._talk.note(f"{name}: still at it after {elapsed:.0f} s; {_WAITS[step]}")

    async def why(self, job: Json) -> str:
        """What GitHub says about a job that printed no result."""
        return " ".join(await self._actions.annotations(self._full_name, int(job["id"])))

    async def log(self, job: Json, pause: float) -> str:
        """What a job printed; it may take a moment to be there. Empty when there is none."""
        for attempt in range(_LOG_TRIES):
            text = await self._actions.log(self._full_name, int(job["id"]))
            if text is not None:
                return text
            if not job.get("steps"):
                break
            await asyncio.sleep(pause if attempt < _LOG_TRIES - 1 else 0)
        return ""


def _step(job: Json) -> str:
    steps = job.get("steps") or ()
    return next((str(step["name"]) for step in steps if step.get("status") == "in_progress"), "")


def _state(job: Json) -> str:
    """What a job does, in a few words."""
    if job.get("status") == "completed":
        return f"ended: {job.get('conclusion')}"
    step = _step(job)
    return f"running: {step}" if step else str(job.get("status")).replace("_", " ")


def _what_for(entry: Json) -> str:
    """What a deployment waits for (GitHub REST, "Get pending deployments for a workflow run")."""
    people = []
    for reviewer in entry.get("reviewers") or ():
        who = reviewer.get("reviewer") or {}
        people.append(f"{str(reviewer.get('type')).lower()} {who.get('login') or who.get('slug') or '?'}")
    if people:
        yours = ", which you may give" if entry.get("current_user_can_approve") else ""
        return f"the approval of {' or '.join(people)}{yours}"
    minutes = entry.get("wait_timer") or 0
    return f"its timer of {minutes} minutes" if minutes else "its protection rules"
