"""`migrate --status`: where a repository stands, from what is there. Changes nothing, and runs nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from trustsmith.flows.migrate import named_repository, opened
from trustsmith.flows.survey import survey
from trustsmith.migrate.proof import readers
from trustsmith.migrate.scan import of_entra, scan
from trustsmith.migrate.stages import Standing, stages
from trustsmith.model.branch import REWRITTEN
from trustsmith.rewrite.placing import needed, placing
from trustsmith.systems import remote, sources
from trustsmith.ui import report_status
from trustsmith.ui.report_mend import with_config

if TYPE_CHECKING:
    from trustsmith.configfile import Source
    from trustsmith.flows.session import Options, Session
    from trustsmith.migrate.scan import Use
    from trustsmith.ui.console import Console


def status(options: Options, console: Console) -> None:
    """Show the stages, and what is next."""
    there, session = opened(options, console)
    with asyncio.Runner() as runner:
        try:
            standing = runner.run(_standing(session, there))
        finally:
            runner.run(session.aclose())
    found = [replace(each, next=with_config(each.next, options.config)) for each in stages(standing)]
    console.document(report_status.as_json(found))
    console.data(report_status.lines(found))


async def _standing(session: Session, there: Source | None) -> Standing:
    """What there is to judge. Raises UsageError for a repository that nobody knows."""
    checkout, _ = sources.read(session.options.root)
    local = of_entra(scan(checkout)) if checkout.workflows else None
    if there is None:
        return await _before(session, local)
    seen = await survey(session, there)
    uses = of_entra(scan(seen.repository))
    placed = placing(seen.repository, uses, {}, [e.name for e in there.config.environments])
    known = {environment.name for environment in there.config.environments}
    return Standing(
        branch=seen.picture.facts.repository.default_branch,
        uses=uses,
        unsure=seen.reading.unsure,
        local=local,
        configured=True,
        lacking=[name for name in needed(seen.repository, placed) if name not in known],
        unplaced=[each.place for each in placed if not each.said],
        missing=seen.missing,
        left=seen.picture.plan.strays,
        pull=await _pull(session, seen.picture.facts.repository.full_name) if uses else "",
    )


async def _pull(session: Session, full_name: str) -> str:
    """The address of the rewriting's pull request, while it is open."""
    found = await session.github.commits.open_pull(full_name, REWRITTEN.branch)
    return str(found["html_url"]) if found else ""


async def _before(session: Session, local: list[Use] | None) -> Standing:
    """Without a configuration, what the default branch reads is all there is to say."""
    name = named_repository(session, None)
    answer = await session.github.repository(name)
    branch = str((answer or {}).get("default_branch") or "main")
    there, problems = await remote.read(session.github, name)
    uses = scan(there)
    unsure = readers(there, uses, problems).unsure
    return Standing(branch=branch, uses=of_entra(uses), unsure=unsure, local=local)
