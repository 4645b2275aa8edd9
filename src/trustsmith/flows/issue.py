"""Keeping the one issue about drift: finds it, and does what `drift` decides. Must not judge a plan itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from trustsmith import drift
from trustsmith.errors import NotAllowed, NotFound
from trustsmith.model.config import CONFIG_PATH
from trustsmith.ui.report import summary
from trustsmith.ui.report_mend import drift_markdown

if TYPE_CHECKING:
    from trustsmith.clients.github_issues import Issues
    from trustsmith.drift import Deed, Known
    from trustsmith.flows.session import Session
    from trustsmith.model.plan import Plan

Json = dict[str, Any]
_SAID = {
    "none": "left as it is: it says this already",
    "open": "opened",
    "update": "updated",
    "reopen": "opened again",
    "close": "closed: everything is as the file says",
}


async def keep(session: Session, repository: str, plan: Plan) -> Json:
    """Open, update or close the issue. Returns what was done (``verb``, ``said``), its ``number`` and ``url``.

    It is written with the token of the job that this runs in. Raises NotAllowed, NotSignedIn or another ServiceError.
    """
    config = Path(session.options.config or CONFIG_PATH).as_posix()
    report = "" if plan.clean else drift_markdown(plan, repository, session.options.config)
    try:
        keeper = _Keeper(session.job.issues, repository, config, await session.job.issues.me())
        return await keeper.keep(report, _comment(plan))
    except (NotAllowed, NotFound) as error:
        raise NotAllowed(
            f"The report could not be written into an issue of {repository}.",
            service="github",
            status=error.status,
            hint="Give the job `permissions: issues: write` and the step its token as GITHUB_TOKEN.",
            original=error.original,
        ) from error


def _comment(plan: Plan) -> str:
    """What those who watch the issue are told; how far was looked belongs to it when nothing was found."""
    if not plan.clean:
        return f"The report has changed. {summary(plan)}"
    return " ".join(["Everything is as the file says again.", *plan.notes])


class _Keeper:
    """Whoever writes (`me`, a login); only issues that they opened are looked at."""

    def __init__(self, issues: Issues, repository: str, config: str, me: str) -> None:
        self._issues = issues
        self._repository = repository
        self._config = config
        self._me = me
        self._found: dict[int, Json] = {}

    async def keep(self, report: str, comment: str) -> Json:
        mine = await self._mine()
        deed = drift.decide(self._config, mine, report, comment)
        number = await self._do(deed)
        if deed.verb == "open":
            mine = await self._mine()  # another run may have opened one at the same moment
        opened = sorted(issue.number for issue in mine if issue.open)
        for double in opened[1:]:
            await self._change(double, state="closed", state_reason="not_planned")
            await self._issues.comment(self._repository, double, f"#{opened[0]} says the same.")
        kept = opened[0] if deed.verb == "open" and opened else number
        url = self._found.get(kept or 0, {}).get("html_url")
        return {"verb": deed.verb, "said": _SAID[deed.verb], "number": kept, "url": url}

    async def _mine(self) -> list[Known]:
        found = await self._issues.opened_by(self._repository, self._me, drift.LABEL)
        self._found = {int(issue["number"]): issue for issue in found}
        known = (
            drift.known(self._config, number, str(issue.get("body") or ""), is_open=issue["state"] == "open")
            for number, issue in self._found.items()
        )
        return [issue for issue in known if issue is not None]

    async def _do(self, deed: Deed) -> int | None:
        """Returns the issue's number; None when there is none."""
        if deed.verb == "open":
            made = await self._issues.open(self._repository, drift.TITLE, deed.body, drift.LABEL)
            return int(made["number"])
        if deed.number is None or deed.verb == "none":
            return deed.number
        state = {"close": "closed", "reopen": "open"}.get(deed.verb)
        # First the body: when the rest fails, the next run says nothing twice.
        await self._change(deed.number, body=deed.body, **({"state": state} if state else {}))
        await self._issues.comment(self._repository, deed.number, deed.comment)
        return deed.number

    async def _change(self, number: int, **values: str) -> None:
        self._found[number] = await self._issues.change(self._repository, number, **values)
