"""Where a repository stands on its way off client secrets: the stages, each done or not, and what is next.

Pure: judges what was seen a moment ago. Nothing is remembered from one run to the next.
"""

from __future__ import annotations

import shlex
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trustsmith.model.resources import ClientSecret, RoleAssignment, StoredSecret

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from trustsmith.migrate.scan import Use
    from trustsmith.model.plan import Change, Hazard

_KINDS = {
    StoredSecret.kind: "secret at GitHub",
    ClientSecret.kind: "password",
    RoleAssignment.kind: "role",
}
_MIGRATE = "trustsmith migrate"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One stage. done: None where it is of no use before an earlier one. said: how it stands. next: what to type."""

    name: str
    done: bool | None
    said: str
    next: str = ""

    def as_json(self) -> dict[str, Any]:
        """It for machines."""
        return {"stage": self.name, "done": self.done, "said": self.said, "next": self.next}


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What was seen. branch: the default one.

    uses: of Entra's secrets, on the branch. unsure: places on it where who reads a secret cannot be told → why.
    configured: whether there is a configuration. lacking: environments that jobs name and it does not have. unplaced: jobs
    without any. missing: what the proof lacks. left: what of the old way in is left. local: uses in the checkout; None
    without one. pull: the address of the rewriting's open pull request.
    """

    branch: str
    uses: Sequence[Use]
    unsure: Mapping[str, str] = field(default_factory=dict)
    local: Sequence[Use] | None = None
    configured: bool = False
    lacking: Sequence[str] = ()
    unplaced: Sequence[str] = ()
    missing: Collection[Hazard] = ()
    left: Sequence[Change] = ()
    pull: str = ""


def stages(standing: Standing) -> list[Stage]:
    """The stages in their order."""
    return [_expanded(standing), _rewritten(standing), _proven(standing), _contracted(standing)]


def upcoming(found: Sequence[Stage]) -> Stage | None:
    """The first that is not done; None when all is done that is of any use."""
    return next((stage for stage in found if stage.done is False), None)


def _of(standing: Standing, kind: str) -> list[Hazard]:
    return [hazard for hazard in standing.missing if hazard.id.startswith(f"{kind}=")]


def _expanded(standing: Standing) -> Stage:
    following = f"{_MIGRATE} --expand"
    if not standing.configured:
        done = not standing.uses
        said = "no configuration, and none is needed" if done else "nothing is configured yet"
        return Stage(name="expand", done=done, said=said, next="" if done else following)
    if standing.lacking:
        said = f"not configured: {', '.join(standing.lacking)}"
        return Stage(name="expand", done=False, said=said, next=following)
    if open_ := [*_of(standing, "not-seen"), *_of(standing, "not-live")]:
        said = f"{_count(len(open_), 'thing')} not as configured: {open_[0].why}"
        return Stage(name="expand", done=False, said=said, next="trustsmith plan")
    return Stage(name="expand", done=True, said="the environments are trusted, and have their roles and ids")


def _rewritten(standing: Standing) -> Stage:
    following = f"{_MIGRATE} --rewrite"
    if standing.uses:
        files = {use.file for use in standing.uses}
        said = f"{_count(len(standing.uses), 'use')} in {_count(len(files), 'file')} on {standing.branch}"
        local = len(standing.local) if standing.local is not None else len(standing.uses)
        if local < len(standing.uses):
            said += f"; the checkout has {local or 'none'}: bring it there"
        if standing.pull:
            said += f"; a pull request is open: {standing.pull}"
            following = f"gh pr view --web {standing.pull}"
        elif not local:
            following = "git push"
        elif standing.unplaced and local == len(standing.uses):
            said += f"; no environment yet: {', '.join(standing.unplaced)}"
            following += "".join(f" --environment {shlex.quote(place)}=ENV" for place in standing.unplaced)
        return Stage(name="rewrite", done=False, said=said, next=following)
    if standing.unsure:
        place, why = next(iter(standing.unsure.items()))
        said = f"who reads a secret cannot be told in {_count(len(standing.unsure), 'place')}: {place} {why}"
        return Stage(name="rewrite", done=False, said=said, next=f"{_MIGRATE} --prove")
    if wrong := _of(standing, "not-wired"):
        said = f"{_count(len(wrong), 'job')} not on the new path: {wrong[0].why}"
        return Stage(name="rewrite", done=False, said=said, next=f"{_MIGRATE} --prove")
    return Stage(name="rewrite", done=True, said=f"nothing on {standing.branch} reads an old secret")


def _proven(standing: Standing) -> Stage:
    if not standing.configured:
        return Stage(name="prove", done=None, said="after the stages above")
    if open_ := _of(standing, "not-proven"):
        names = ", ".join(hazard.id.partition("=")[2] for hazard in open_)
        return Stage(name="prove", done=False, said=f"no job yet: {names}", next=f"{_MIGRATE} --prove")
    return Stage(name="prove", done=True, said="a job of every environment has signed in")


def _contracted(standing: Standing) -> Stage:
    if not standing.configured:
        return Stage(name="contract", done=None, said="after the stages above")
    if not standing.left:
        return Stage(name="contract", done=True, said="nothing of the old way in is left")
    kinds = Counter(_KINDS[change.key.kind] for change in standing.left)
    said = "left: " + ", ".join(_count(number, kind) for kind, number in kinds.items())
    return Stage(name="contract", done=False, said=said, next=f"{_MIGRATE} --contract")


def _count(number: int, what: str) -> str:
    noun, _, rest = what.partition(" ")
    return f"{number} {noun}{'s' if number != 1 else ''} {rest}".rstrip()
