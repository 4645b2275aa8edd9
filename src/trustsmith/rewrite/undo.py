"""The way back: what workflows were before a rewriting, found in their history, brought into what they are now.

::

    versions of a file ──▶ turns: where uses of a secret went and sign-ins without one came
                             │ newest first: merge(ours = now, base = after the turn, theirs = before it)
                             ▼
                           Restored: a text, or why there is none

No state is kept of a rewriting, so any change that looks like one counts. Histories, and who parses and merges, are handed
in. Must not read files, nor judge whether the secrets are still there.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from trustsmith.generated import unix
from trustsmith.migrate.hits import mentions
from trustsmith.migrate.repository import Repository
from trustsmith.migrate.scan import scan

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from trustsmith.model.workflow import Workflow

    #: The commit, and what a file was in it.
    Version = tuple[str, str]
    #: (text, file) → the workflow or action, None for what is neither.
    Parse = Callable[[str, str], Workflow | None]
    #: (ours, base, theirs) → the three-way merge; None when they do not fit.
    Merge = Callable[[str, str, str], str | None]

#: The "commit" of what is in the work tree and in no commit yet.
UNCOMMITTED = ""
#: What a rewriting puts in.
_KEYLESS = re.compile(
    r"\bid-token:\s*[\"']?write|\bpermissions:\s*write-all|\bARM_USE_OIDC\b|--federated-"
    r"|\b(?:vars|secrets)\.AZURE_(?:CLIENT|TENANT|SUBSCRIPTION)_ID\b"
)


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A change that took sign-ins with a secret out of a file, or goes with one. secrets: what it does not read any more."""

    file: str
    commit: str
    before: str
    after: str
    secrets: frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Restored:
    """A file as it would be again. why: there is no such text; ends a sentence about the file."""

    file: str
    turns: tuple[Turn, ...]
    text: str = ""
    why: str = ""


@dataclass(frozen=True)
class _Facts:
    keyless: int
    uses: Counter[str]
    secrets: Counter[str]


def is_keyless(text: str) -> bool:
    """Whether a file may be one that was rewritten."""
    return _KEYLESS.search(text) is not None or "azure/login@" in text.lower()


def turns(histories: Mapping[str, Sequence[Version]], parse: Parse) -> dict[str, list[Turn]]:
    """Where files were rewritten, the newest change of each first.

    histories: versions by file, the oldest first, what it is now last. What else changed in the same commit and has to do
    with it, such as a caller that hands no secret over any more, goes with it.
    """
    changes = [change for file, versions in histories.items() for change in _changes(file, versions, parse)]
    commits = {turn.commit for turn, lost, gained in changes if lost and gained}
    found: dict[str, list[Turn]] = {}
    for turn, lost, gained in changes:
        if turn.commit in commits and (lost or gained or turn.secrets):
            found.setdefault(turn.file, []).insert(0, turn)
    return found


def _changes(file: str, versions: Sequence[Version], parse: Parse) -> Iterator[tuple[Turn, bool, bool]]:
    """Each change of a file, whether uses were lost, and whether ways to sign in without a secret were gained."""
    facts = [_facts(text, file, parse) for _, text in versions]
    for ((_, old), (commit, new)), (before, after) in zip(pairwise(versions), pairwise(facts), strict=True):
        if before is not None and after is not None:
            secrets = frozenset(before.secrets - after.secrets)
            turn = Turn(file=file, commit=commit, before=old, after=new, secrets=secrets)
            yield turn, bool(before.uses - after.uses), after.keyless > before.keyless


def _facts(text: str, file: str, parse: Parse) -> _Facts | None:
    """What a file alone says; None for one that cannot be read."""
    workflow = parse(text.removeprefix("\ufeff"), file)
    if workflow is None:
        return None
    repository = Repository(workflows=(workflow,))
    signed_in = sum(step.action == "azure/login" and "creds" not in step.inputs for step in workflow.steps)
    names = Counter(
        each.name for spot in repository.spots for each in mentions(spot) if each.context == "secrets"
    )
    return _Facts(
        keyless=signed_in + len(_KEYLESS.findall(text)),
        uses=Counter(use.pattern for use in scan(repository)),
        secrets=names,
    )


def latest(found: Mapping[str, list[Turn]], stored: Collection[str]) -> dict[str, list[Turn]]:
    """The turns without those of an older migration, whose secrets are all gone while another's are there."""
    read: dict[str, set[str]] = {}
    for turn in (turn for listed in found.values() for turn in listed):
        read.setdefault(turn.commit, set()).update(turn.secrets)
    alive = {commit for commit, secrets in read.items() if secrets & set(stored)}
    kept = {
        file: [turn for turn in listed if turn.commit in alive or not alive] for file, listed in found.items()
    }
    return {file: listed for file, listed in kept.items() if listed}


def restore(
    now: str, listed: Sequence[Turn], bases: Mapping[str, str], parse: Parse, merge: Merge
) -> Restored:
    """A file as it was before these turns, with all that was changed in it since.

    bases: by file, what a rewriting made that is in no commit yet: what the work tree has besides is somebody's edit.
    """
    text, first = now, listed[0]
    result = Restored(file=first.file, turns=tuple(listed))
    for turn in listed:
        base = bases.get(turn.file) if turn.commit == UNCOMMITTED else turn.after
        merged = _merged(text, base, turn.before, merge) if base is not None else None
        if merged is None:
            return replace(result, why=f"it was changed since, where it was rewritten{_where(turn)}")
        text = merged
    wanted, is_now = _facts(listed[-1].before, first.file, parse), _facts(text, first.file, parse)
    if is_now is None or wanted is None or wanted.uses - is_now.uses:
        return replace(result, why="with what was changed since it would not sign in as it did")
    return replace(result, text=text)


def _where(turn: Turn) -> str:
    return f" in {turn.commit[:7]}" if turn.commit else ""


def _merged(ours: str, base: str, theirs: str, merge: Merge) -> str | None:
    """The merge, in the line ends and with the byte order mark of what is there."""
    mark = "\ufeff" if ours.startswith("\ufeff") else ""
    texts = [text.removeprefix("\ufeff") for text in (ours, base, theirs)]
    windows = "\r\n" in ours and ours.count("\r\n") == ours.count("\n")
    if windows or "\r\n" not in ours:
        texts = [unix(text) for text in texts]
    merged = merge(*texts)
    if merged is None:
        return None
    return mark + (merged.replace("\n", "\r\n") if windows else merged)
