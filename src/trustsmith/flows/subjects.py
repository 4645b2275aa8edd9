"""`subjects`: what GitHub will send beside what Entra trusts, environment by environment. Changes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trustsmith.desire import desire, identity_of, subjects, subjects_to_come
from trustsmith.errors import Differences
from trustsmith.flows.facts import Asker
from trustsmith.flows.session import Options, Session
from trustsmith.model.observing import everywhere
from trustsmith.model.resources import FederatedCredential
from trustsmith.model.state import State
from trustsmith.systems import unasked
from trustsmith.ui.report import Line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trustsmith.configfile import Source
    from trustsmith.model.facts import Facts
    from trustsmith.ui.console import Console


@dataclass(frozen=True)
class Trust:
    """One environment's trust. sent: what its jobs' tokens say. to_come: what they will say after an opt-in.

    trusted: the credentials for GitHub's jobs on its identity; None when Entra could not be looked at.
    """

    environment: str
    sent: tuple[str, ...]
    to_come: tuple[str, ...]
    trusted: tuple[FederatedCredential, ...] | None

    def match(self, facts: Facts) -> bool | None:
        """Whether every subject that is sent is trusted, to the byte and with issuer and audience."""
        if self.trusted is None:
            return None
        known = {(one.issuer, one.subject, one.audience) for one in self.trusted}
        return all((facts.issuer, subject, facts.audience) in known for subject in self.sent)


def show(options: Options, console: Console, *, check: bool) -> None:
    """Show each environment's trust. Raises Differences with `check` unless all that is sent is trusted."""
    source = options.read_config()
    session = Session.of(options, console, source.config)
    with asyncio.Runner() as runner:
        try:
            facts, trusts, unread = runner.run(_look(session, source))
        finally:
            runner.run(session.aclose())
    console.document(_document(facts, trusts))
    console.data(_lines(facts, trusts))
    if unread:
        console.warn(f"Entra could not be looked at: {unread}")
    if not facts.repository.template.immutable:
        console.note(OFFER)
    if check and not all(trust.match(facts) for trust in trusts):
        raise Differences(
            "Not everything that GitHub sends is known to be trusted.",
            hint="Mend it with:\n  trustsmith apply",
        )


#: Said to those whose repository has no ids in its subjects; nobody is opted in unasked.
OFFER = (
    "These subjects name the repository and not its ids: whoever gets the names later, after a deletion or a rename, is\n"
    "trusted, too. On github.com and GHE.com a repository can opt in to ids: immutable_subjects: true in the file."
)


async def _look(session: Session, source: Source) -> tuple[Facts, list[Trust], str]:
    """Facts, trust, and why Entra could not be looked at, if so; nobody need be signed in to Azure to see subjects."""
    session.prefetch({"entra"})
    session.talk.step("Looking at subjects")
    config = source.config
    facts = await Asker(session, source, frozenset({"entra", "github"}), ()).repository()
    wanted = desire(config, facts, ())
    nobody = asyncio.ensure_future(unasked(State()))
    reading = session.reader("entra").read(wanted, facts, nobody)
    live = await session.sight.side(reading, "entra", needed=False)
    unread = live.unread.get("entra", "")
    credentials = [r for r in live.values() if isinstance(r, FederatedCredential) and r.jobs]
    trusts = []
    for environment in everywhere(config):
        identity = identity_of(config, facts, environment)
        found = tuple(c for c in credentials if c.identity == identity and _concerns(c, environment.name))
        trusts.append(
            Trust(
                environment.name,
                subjects(config, facts, environment),
                subjects_to_come(config, facts, environment),
                None if unread else found,
            )
        )
    return facts, trusts, unread


def _concerns(credential: FederatedCredential, environment: str) -> bool:
    """Whether a credential of the identity is to be shown with the environment: also one that names none."""
    return (
        credential.environment in {environment, "-"} or credential.environment.lower() == environment.lower()
    )


def _document(facts: Facts, trusts: Sequence[Trust]) -> dict[str, Any]:
    template = facts.repository.template
    return {
        "repository": facts.repository.full_name,
        "template": list(template.keys),
        "immutable": template.immutable,
        "issuer": facts.issuer,
        "audience": facts.audience,
        "subjects": [
            {
                "environment": trust.environment,
                "sent": list(trust.sent),
                "to_come": list(trust.to_come),
                "trusted": None if trust.trusted is None else [_credential(one) for one in trust.trusted],
                "match": trust.match(facts),
            }
            for trust in trusts
        ],
    }


def _credential(credential: FederatedCredential) -> dict[str, Any]:
    return {
        "name": credential.minted.get("name", credential.name),
        "issuer": credential.issuer,
        "subject": credential.subject,
        "audience": credential.audience,
        "ours": credential.owned,
    }


def _lines(facts: Facts, trusts: Sequence[Trust]) -> Iterator[Line]:
    """For each environment what is sent and what is trusted, one below the other, so that the eye can compare."""
    template = facts.repository.template
    ids = "with the ids of owner and repository" if template.immutable else "by name, without ids"
    yield Line(f"{facts.repository.full_name}: {', '.join(template.keys)}; {ids}", "bold")
    yield Line(f"  issuer    {facts.issuer}")
    yield Line(f"  audience  {facts.audience}")
    for trust in trusts:
        yield Line("")
        yield Line(f"  {trust.environment}", "bold")
        yield from _of_one(facts, trust)


def _of_one(facts: Facts, trust: Trust) -> Iterator[Line]:
    trusted = trust.trusted or ()
    subjects_trusted = {one.subject for one in trusted if (one.issuer, one.audience) == _rest(facts)}
    for subject in trust.sent:
        same = subject in subjects_trusted
        unknown = trust.trusted is None
        style = "" if unknown else "green" if same else "bold red"
        said = "" if unknown else "  the same to the byte" if same else "  NOT TRUSTED"
        yield Line(f"    GitHub sends  {subject}{said}", style)
    for subject in trust.to_come:
        said = "trusted already" if subject in subjects_trusted else "not trusted yet"
        yield Line(f"    after opt-in  {subject}  {said}")
    for one in trusted:
        yield Line(
            f"    Entra trusts  {one.subject}{_remark(facts, trust, one)}", "" if one.owned else "yellow"
        )
    if trust.trusted == ():
        yield Line("    Entra trusts  nothing yet", "yellow")


def _rest(facts: Facts) -> tuple[str, str]:
    return facts.issuer, facts.audience


def _remark(facts: Facts, trust: Trust, credential: FederatedCredential) -> str:
    """What is to be known about a trusted subject, besides its text."""
    parts = []
    if credential.issuer != facts.issuer:
        parts.append(f"of another issuer, {credential.issuer}")
    if credential.audience != facts.audience:
        parts.append(f"for another audience, {credential.audience}")
    if credential.subject not in {*trust.sent, *trust.to_come}:
        parts.append("never sent")
    if not credential.owned:
        parts.append("not made by trustsmith")
    return "  " + "; ".join(parts) if parts else ""
