"""What a rewriting consists of while it is being put together: edits, jobs that will sign in, and what is left to people.

Must not decide what is rewritten.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from trustsmith.rewrite.edits import content_end, without, without_all

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from trustsmith.migrate.repository import Repository, Spot
    from trustsmith.migrate.scan import Use
    from trustsmith.model.document import Node, Pair
    from trustsmith.model.workflow import Job, Step
    from trustsmith.rewrite.choices import Choices
    from trustsmith.rewrite.edits import Edit


_MERGED = "the file merges mappings (<<), so that a line of it may stand for several jobs"
_OLD = "the file has line ends of old Macs (CR): save it with others"
_LONE = re.compile(r"\r(?!\n)")


@dataclass(frozen=True, kw_only=True)
class Ids:
    """What the file spells out of the ids that a sign-in needs; "" for the environment's.

    subscription: None where none is to be chosen.
    """

    client: str = ""
    tenant: str = ""
    subscription: str | None = ""


class Cannot(Exception):
    """This use cannot be rewritten safely; the text says why, in words that follow "left:"."""


@dataclass
class Signing:
    """A job that will ask GitHub for a token, or read an environment's ids (`asks` says which).

    uses: those that make it so. logins: before which step, and with which ids. turned: steps that become a sign-in.
    whose: the application of each sign-in that there was: the client id as the file spells it, else "" and the secret; and
    the step.
    """

    job: Job
    uses: list[Use] = field(default_factory=list)
    logins: list[tuple[int, Ids]] = field(default_factory=list)
    turned: list[int] = field(default_factory=list)
    whose: list[tuple[str, str, Step]] = field(default_factory=list)
    asks: bool = False

    def copy(self) -> Signing:
        """It as it is now."""
        return Signing(
            self.job, list(self.uses), list(self.logins), list(self.turned), list(self.whose), self.asks
        )


@dataclass
class Draft:
    """A rewriting of one repository.

    known: the environments that there are. edits: by file. signing: by file and job. left: why, by use. permitted: the jobs
    that have been seen to, by file and id. use: the one that is being rewritten.
    """

    repository: Repository
    choices: Choices
    known: Collection[str] = ()
    edits: dict[str, list[Edit]] = field(default_factory=lambda: defaultdict(list))
    signing: dict[tuple[str, str], Signing] = field(default_factory=dict)
    left: dict[Use, str] = field(default_factory=dict)
    notes: dict[str, None] = field(default_factory=dict)
    permitted: set[tuple[str, str]] = field(default_factory=set)
    use: Use | None = None

    @cached_property
    def _unfit(self) -> dict[str, str]:
        """Files that are not edited at all, and why."""
        said = {w.file: _MERGED for w in self.repository.workflows if _merges(w.root)}
        return said | {w.file: _OLD for w in self.repository.workflows if _LONE.search(w.text)}

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
            if file in self._unfit:
                raise Cannot(self._unfit[file])
            if edit is None:
                raise Cannot("the lines around it are written in a way that cannot be edited alone")
            if edit in self.edits[file] and edit.start < edit.end:
                continue
            if any(edit.meets(other) for other in self.edits[file]):
                raise Cannot("something else changes the same lines")
            self.edits[file].append(edit)

    def take_out(self, file: str, text: str, outer: Node, pair: Pair) -> None:
        """Take an entry out of a mapping that is an entry of `outer`; this as well, when nothing else is left in it.

        Raises Cannot when that cannot be done.
        """
        whole = next(each for each in outer.pairs if pair in each.value.pairs)
        gone = [each for each in whole.value.pairs if each is pair or self._is_gone(file, text, each)]
        self.edits[file] = [
            edit for edit in self.edits[file] if not any(_takes(edit, text, each) for each in gone)
        ]
        if len(gone) == len(whole.value.pairs):
            self.change(file, [without(text, outer, whole)])
        else:
            self.change(file, without_all(text, whole.value, gone))

    def _is_gone(self, file: str, text: str, pair: Pair) -> bool:
        return any(_takes(edit, text, pair) for edit in self.edits.get(file, ()))

    def sign_in(self, job: Job, step: Step | None = None, ids: Ids | None = None) -> None:
        """A job will ask for a token; with a step, it signs in with azure/login before that, with ids, or by it."""
        known = self.read_ids(job)
        known.asks = True
        if step is not None and ids is not None:
            known.logins.append((job.steps.index(step), ids))
        elif step is not None:
            known.turned.append(job.steps.index(step))

    def read_ids(self, job: Job) -> Signing:
        """A job will read its environment's ids."""
        known = self.signing.setdefault((job.workflow.file, job.id), Signing(job))
        if self.use is not None:
            known.uses.append(self.use)
        return known

    def was_signed_in(self, job: Job, step: Step, client: str, secret: str) -> None:
        """A step of the job signed in as that application."""
        self.signing[job.workflow.file, job.id].whose.append((client, "" if client else secret, step))

    def is_changed(self, spot: Spot, start: int, end: int) -> bool:
        """Whether an edit takes that range of a file away."""
        return any(edit.start <= start and end <= edit.end for edit in self.edits.get(spot.file, ()))


def _takes(edit: Edit, text: str, pair: Pair) -> bool:
    """Whether an edit takes an entry away and puts nothing in its place."""
    return not edit.text and edit.start <= pair.key.start and content_end(text, pair.value) <= edit.end


def _merges(node: Node) -> bool:
    """Whether `<<` is used anywhere below; what an alias stands for is looked at where its anchor is."""
    if node.alias:
        return False
    return any(
        not node.start <= pair.key.start < node.end or _merges(pair.value) for pair in node.pairs
    ) or any(map(_merges, node.items))
