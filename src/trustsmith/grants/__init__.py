"""What the jobs of each environment do in Azure, against the roles that the file gives it. Pure; must not ask Azure.

The one place that judges this: `plan` shows the advice, and `doctor` makes findings of what is missing. It must not cry
wolf: a role is *too wide* only where all that its holders do is declared, else *perhaps*. One whose definition could not
be read, and one for something else than the environment's projects, is not judged; nor is the usual role on a project.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith.grants.holder import Holder, Roles
from trustsmith.grants.lacking import lacking
from trustsmith.grants.reach import too_wide
from trustsmith.model.advice import Advice, Jobs

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from uuid import UUID

    from trustsmith.grants.holder import Json
    from trustsmith.model.config import Config, Environment

__all__ = ["assess", "not_looked_at"]


def assess(config: Config, jobs: Mapping[str, Jobs], definitions: Mapping[UUID, Json]) -> tuple[Advice, ...]:
    """The advice about each environment, in the file's order.

    jobs: by environment. definitions: ARM's, of those roles of the file that could be read.
    """
    holders: dict[str, list[Environment]] = {}
    for environment in config.environments:
        holders.setdefault(_identity(config, environment), []).append(environment)
    roles = Roles(definitions)
    found = [
        advice
        for members in holders.values()
        for advice in _of(Holder(members, {e.name: jobs.get(e.name, Jobs()) for e in members}, roles))
    ]
    order = [environment.name for environment in config.environments]
    return tuple(sorted(found, key=lambda advice: order.index(advice.environment)))


def _of(holder: Holder) -> Iterator[Advice]:
    for environment in holder.environments:
        yield from lacking(holder, environment)
    yield from too_wide(holder)


def _identity(config: Config, environment: Environment) -> str:
    """The same for environments that share an identity, and with it all its roles."""
    if environment.client_id:
        return environment.client_id
    return "" if config.identity.per == "repository" else f"of {environment.name}"


def not_looked_at(config: Config) -> tuple[Advice, ...]:
    """That nothing is said of any environment."""
    why = "What its roles permit was not looked at: Azure's part was not asked for."
    return tuple(Advice(environment=e.name, kind="not-looked-at", why=why) for e in config.environments)
