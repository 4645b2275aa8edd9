"""Whether the federated path is proven, and what still reads a secret: what has to be known before one goes.

Pure. What cannot be told counts as not proven, and as read. Must not say what may be removed (`contract` does).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trustsmith.migrate import names
from trustsmith.migrate.hits import mentions
from trustsmith.migrate.inventory import handing_all_on
from trustsmith.migrate.patterns import PATTERNS, REGISTRY_PASSWORD
from trustsmith.migrate.scan import position
from trustsmith.model.document import spots
from trustsmith.model.environments import EnvironmentMark
from trustsmith.model.plan import Hazard
from trustsmith.model.resource import LIVE_SIDES, Key, Later
from trustsmith.model.resources import Application, FederatedCredential

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from trustsmith.errors import Problem
    from trustsmith.migrate.repository import Repository, Spot
    from trustsmith.migrate.scan import Use
    from trustsmith.model.config import Config, Environment
    from trustsmith.model.plan import Plan
    from trustsmith.model.state import State


def lacking(config: Config, plan: Plan, wanted: State, live: State) -> list[Hazard]:
    """What the environments of the configuration still need before they can do without a secret; none is allowable.

    plan: what would make `live` into `wanted`, of all sides but the checkout's. live: with what jobs have proven.
    """
    unseen = [
        Hazard(
            f"not-seen={side}",
            f"What is there at {side} could not be looked at ({why}), so nothing is proven.",
            hint="Have somebody look who may read everything:\n  trustsmith plan",
            allowable=False,
        )
        for side, why in live.unread.items()
        if side in LIVE_SIDES
    ]
    return [
        *unseen,
        *_not_live(plan, wanted),
        *(h for environment in config.environments for h in _unproven(environment, wanted, live)),
    ]


def _not_live(plan: Plan, wanted: State) -> Iterator[Hazard]:
    """What the configuration asks for and is not there as it should be."""
    whys = {c.key: c.why for c in plan.shown if c.verb != "delete" and c.side in LIVE_SIDES}
    whys |= {entry.key: entry.reason for entry in plan.waiting if entry.key in wanted}
    whys |= {entry.key: entry.reason for entry in plan.not_compared}
    for key, why in whys.items():
        if key.kind != EnvironmentMark.kind:
            yield Hazard(
                f"not-live={key.name}",
                f"The {key.kind} is not as the configuration has it: {why}.",
                hint="Make it so first:\n  trustsmith apply",
                allowable=False,
            )


def _unproven(environment: Environment, wanted: State, live: State) -> Iterator[Hazard]:
    """One of an environment's credentials has to be there, and a job has to have used it as it is now."""
    credentials = [
        r
        for key, r in wanted.items()
        if isinstance(r, FederatedCredential) and r.jobs and r.environment == environment.name and key in live
    ]
    for credential in credentials:
        application = Key(Application.kind, credential.identity)
        client = (live.known(Later(application, "client_id")) or "").lower()
        if (client, credential.issuer, credential.subject, credential.audience) in live.proven:
            return
    why = "no job has exchanged its token on the default branch yet, in a run of check-trust that succeeded"
    yield Hazard(
        f"not-proven={environment.name}",
        f"Environment {environment.name}: {why if credentials else 'no federated credential is there'}.",
        hint="Prove every environment first:\n  trustsmith migrate --prove",
        allowable=False,
    )


@dataclass(frozen=True, kw_only=True)
class Readers:
    """What reads secrets, as `file:line`.

    of: of each secret by name. unnamed: sign-ins with an Entra credential of which no secret is known. unsure: places
    where all secrets are handed on or a name is computed, and files that could not be read; place → why.
    entra: secrets that Entra's applications sign in with. registries: those that sign in to a registry; such a one can
    be an application's password, too.
    """

    of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unnamed: tuple[str, ...] = ()
    unsure: Mapping[str, str] = field(default_factory=dict)
    entra: frozenset[str] = frozenset()
    registries: frozenset[str] = frozenset()


def readers(repository: Repository, uses: Iterable[Use], problems: Iterable[Problem]) -> Readers:
    """Who reads what in a repository. problems: of the files that could not be read."""
    uses = list(uses)
    of: dict[str, dict[str, None]] = defaultdict(dict)
    for use in uses:
        for name in use.secrets:
            of[name][f"{use.file}:{use.line}"] = None
    unsure = {problem.file: f"could not be read: {problem.message}" for problem in problems}
    for spot in repository.spots:
        for each in mentions(spot):
            if each.context != "secrets":
                continue
            place = _place(spot, each.start)
            if each.name:
                of[each.name][place] = None
            else:
                unsure[place] = "names a secret that only the run knows, or all of them"
    for job, given in handing_all_on(repository):
        called = job.uses.value if job.uses else "nobody"
        unsure[f"{job.workflow.file}:{given.line}"] = f"hands all secrets to {called}"
    entra = [use for use in uses if PATTERNS[use.pattern].entra]
    return Readers(
        of={name: tuple(places) for name, places in of.items()},
        unnamed=tuple(f"{use.file}:{use.line}" for use in entra if not use.secrets),
        unsure=unsure,
        entra=frozenset(n for use in entra for n in use.secrets if not names.is_id(n)),
        registries=frozenset(n for use in uses if use.pattern == REGISTRY_PASSWORD for n in use.secrets),
    )


def _place(spot: Spot, start: int) -> str:
    line, _ = position(spot, spots(spot.text, spot.node)[start])
    return f"{spot.file}:{line}"
