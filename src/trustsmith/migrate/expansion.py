"""Expanding: federated credentials, environments and ids beside the old secrets, so that both ways in work.

Says which new ids would come before ones that the old workflows read, and makes a plan one that takes nothing away.
Must not look at anything, or plan.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trustsmith.migrate.hits import mentions
from trustsmith.migrate.inventory import environments_of, jobs_of
from trustsmith.model.environments import EnvironmentSecret, EnvironmentVariable
from trustsmith.model.plan import Hazard

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from trustsmith.migrate.inventory import Seen
    from trustsmith.migrate.repository import Repository, Spot
    from trustsmith.model.plan import Change, Plan


@dataclass(frozen=True, kw_only=True)
class Shadow:
    """An id that would come before another of that name, which a job reads together with the old secret.

    kind: "variable" or "secret". places: where it is read, `file:line`. seen: whether the other one was seen; False where
    it could not be looked for.
    """

    environment: str
    name: str
    kind: str
    places: tuple[str, ...]
    seen: bool = True

    @property
    def hazard(self) -> Hazard:
        """It as a hazard, which people may accept who know better."""
        compared = "has another value" if self.kind == "variable" else "may have another value"
        if not self.seen:
            compared = "could not be looked for, and may have another value"
        return Hazard(
            f"shadow={self.environment}/{self.name}",
            f"The jobs of {self.environment} read the {self.kind} {self.name} ({', '.join(self.places)}), which {compared} "
            f"in the repository or the organization. One of that name in the environment would come before it, and the old "
            f"sign-in could break while it is still needed.",
        )


def shadows(plan: Plan, repository: Repository, seen: Seen) -> list[Shadow]:
    """What the plan's new ids would hide from the workflows as they are. seen: GitHub's secrets and variables now.

    What could not be looked for counts as if it were there.
    """
    found = []
    for change in plan.changes:
        new = change.after if change.verb == "create" else None
        if not isinstance(new, EnvironmentVariable | EnvironmentSecret):
            continue
        kind = "variable" if isinstance(new, EnvironmentVariable) else "secret"
        hidden = _hidden(new, seen)
        told = seen.stored is not None and (seen.all_variables if kind == "variable" else seen.whole)
        places = _places(new, kind, repository) if hidden or not told else ()
        if places:
            found.append(
                Shadow(environment=new.environment, name=new.name, kind=kind, places=places, seen=hidden)
            )
    return found


def _hidden(new: EnvironmentVariable | EnvironmentSecret, seen: Seen) -> bool:
    """Whether the repository or the organization has another one of that name."""
    if isinstance(new, EnvironmentVariable):
        named = [v for v in seen.variables if not v.environment and v.name == new.name]
        return any(variable.value != new.value for variable in named)
    return any(each.store == "actions" and not each.environment for each in seen.of(new.name))


def _places(
    new: EnvironmentVariable | EnvironmentSecret, kind: str, repository: Repository
) -> tuple[str, ...]:
    """Where the jobs of its environment read that name."""
    context = "vars" if kind == "variable" else "secrets"
    places = [
        f"{spot.file}:{spot.node.line}"
        for spot in repository.spots
        if any(each.context == context and each.name == new.name for each in mentions(spot))
        and _runs_in(spot, new.environment)
    ]
    return tuple(dict.fromkeys(places))


def _runs_in(spot: Spot, environment: str) -> bool:
    """Whether a text is read in that environment, in whatever case; what cannot be told counts as if it were."""
    jobs = jobs_of(spot)
    if not jobs:
        return spot.workflow is None or bool(spot.workflow.jobs)
    allowed = [environments_of(job) for job in jobs]
    return any(each is None or environment.lower() in {name.lower() for name in each} for each in allowed)


def gentle(plan: Plan, hidden: Collection[Shadow], allow: Collection[str] = ()) -> Plan:
    """The plan with what it must not do while the old way in is needed: take away, overwrite, or hide an id in use."""
    added = [replace(h, allowed=h.id in allow) for h in (shadow.hazard for shadow in hidden)]
    own = [_never(hazard) if hazard.id.startswith("overwrite=") else hazard for hazard in plan.hazards]
    idle = sorted({word for word in allow if word.startswith("shadow=")} - {hazard.id for hazard in added})
    notes = [f"--allow {word} matches nothing in this plan." for word in idle]
    return replace(plan, hazards=(*own, *_removals(plan.changes), *added), notes=(*plan.notes, *notes))


def _never(hazard: Hazard) -> Hazard:
    hint = "Expanding overwrites nothing. Look at it with trustsmith plan; trustsmith apply can write it."
    return replace(hazard, allowable=False, allowed=False, hint=hint)


def _removals(changes: Collection[Change]) -> Iterator[Hazard]:
    for change in changes:
        if change.verb == "delete":
            why = f"Expanding takes nothing away, and this goes: {change.resource.title}."
            hint = "If it is to go, do that by itself:\n  trustsmith apply"
            yield Hazard(f"remove={change.key.name}", why, hint=hint, allowable=False)
