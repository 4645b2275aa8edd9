"""What a rewriting consists of while it is being put together: edits, jobs that will sign in, and what is left to people.

Must not decide what is rewritten.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from trustsmith.migrate.repository import Repository, Spot
    from trustsmith.migrate.scan import Use
    from trustsmith.model.pins import Pin
    from trustsmith.model.workflow import Job, Step
    from trustsmith.rewrite.edits import Edit


@dataclass(frozen=True, kw_only=True)
class Ids:
    """What stands in the file for the ids that a sign-in needs. subscription: "" where none is chosen."""

    client: str = "${{ vars.AZURE_CLIENT_ID }}"
    tenant: str = "${{ vars.AZURE_TENANT_ID }}"
    subscription: str = "${{ vars.AZURE_SUBSCRIPTION_ID }}"

    @property
    def inputs(self) -> dict[str, str]:
        """The inputs of azure/login."""
        chosen = (
            {"subscription-id": self.subscription}
            if self.subscription
            else {"allow-no-subscriptions": "true"}
        )
        return {"client-id": self.client, "tenant-id": self.tenant, **chosen}


class Cannot(Exception):
    """This use cannot be rewritten safely; the text says why, in words that follow "left:"."""


@dataclass
class Signing:
    """A job that will ask GitHub for a token.

    uses: those that make it so. logins: before which step, and with which ids. turned: steps that become a sign-in.
    """

    job: Job
    uses: list[Use] = field(default_factory=list)
    logins: list[tuple[int, Ids]] = field(default_factory=list)
    turned: list[int] = field(default_factory=list)

    def copy(self) -> Signing:
        """It as it is now."""
        return Signing(self.job, list(self.uses), list(self.logins), list(self.turned))


@dataclass
class Draft:
    """A rewriting of one repository.

    pin: of azure/login. audience: of the tokens that GitHub is asked for. also: inputs that azure/login needs besides.
    edits: by file. signing: by file and job. left: why, by use. permitted: the jobs that have been seen to, by file and id.
    use: the one that is being rewritten.
    """

    repository: Repository
    pin: Pin
    audience: str
    also: Mapping[str, str]
    edits: dict[str, list[Edit]] = field(default_factory=lambda: defaultdict(list))
    signing: dict[tuple[str, str], Signing] = field(default_factory=dict)
    left: dict[Use, str] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    permitted: set[tuple[str, str]] = field(default_factory=set)
    use: Use | None = None

    def try_(self, how: Callable[[Draft, Use], None], use: Use) -> None:
        """Rewrite one use, or leave it whole with the reason."""
        self.use = use
        edits = {file: list(known) for file, known in self.edits.items()}
        signing = {key: known.copy() for key, known in self.signing.items()}
        try:
            how(self, use)
        except Cannot as reason:
            self.edits, self.signing = defaultdict(list, edits), signing
            self.left[use] = str(reason)

    def change(self, file: str, edits: Iterable[Edit | None]) -> None:
        """Note edits. Raises Cannot when one of them cannot be made."""
        for edit in list(edits):
            if edit is None:
                raise Cannot("the lines around it are written in a way that cannot be edited alone")
            if edit in self.edits[file] and edit.start < edit.end:
                continue
            if any(edit.meets(other) for other in self.edits[file]):
                raise Cannot("something else changes the same lines")
            self.edits[file].append(edit)

    def sign_in(self, job: Job, step: Step | None = None, ids: Ids | None = None) -> None:
        """A job will ask for a token; with a step, it signs in with azure/login before that, with ids, or by it."""
        known = self.signing.setdefault((job.workflow.file, job.id), Signing(job))
        if self.use is not None:
            known.uses.append(self.use)
        if step is not None and ids is not None:
            known.logins.append((job.steps.index(step), ids))
        elif step is not None:
            known.turned.append(job.steps.index(step))

    def is_changed(self, spot: Spot, start: int, end: int) -> bool:
        """Whether an edit takes that range of a file away."""
        return any(edit.start <= start and end <= edit.end for edit in self.edits.get(spot.file, ()))
