"""Contraction: what of the old way in may go, each thing only by its name, and what stands in its way.

Pure. What cannot be told stands in the way. Must not say whether the new way works (`proof` does), nor remove anything.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from trustsmith.migrate import names
from trustsmith.migrate.inventory import is_expired
from trustsmith.migrate.patterns import PATTERNS
from trustsmith.model.foundry import role_slug
from trustsmith.model.plan import Change, Hazard, Plan
from trustsmith.model.resources import ClientSecret, RoleAssignment, StoredSecret

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from trustsmith.migrate.inventory import Stored
    from trustsmith.migrate.proof import Readers

#: How the words of this stage begin.
WORDS = ("delete-secret=", "delete-password=", "delete-role=", "still-held=", "also-trusted=", "not-wired=")
_REMOVES = WORDS[:3]
_SHARED = "shared-secret="
_MOST = 3  # places that are spelled out
_WHOSE = {"all": "all repositories", "private": "all private and internal repositories"}


@dataclass(frozen=True, kw_only=True)
class Old:
    """What there is of the old way in.

    repository: its full name. stored: GitHub's secrets, all of them. passwords, roles: of the identities that the
    configuration uses, and of the applications that the repository's variables name; roles: only undeclared ones.
    declared: identity → the roles that it keeps, in words. others: identity → what else it trusts, as subjects.
    unseen: what could not be looked at. today: as Entra spells it.
    """

    repository: str
    stored: tuple[Stored, ...] = ()
    passwords: tuple[ClientSecret, ...] = ()
    roles: tuple[RoleAssignment, ...] = ()
    declared: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unseen: tuple[str, ...] = ()
    today: str


@dataclass(frozen=True)
class _Candidate:
    """Something that could go. obstacles: why it cannot, whatever anybody says."""

    change: Change
    obstacles: tuple[Hazard, ...]
    consequence: str


def contraction(
    old: Old,
    reading: Readers,
    lacking: Iterable[Hazard],
    allow: Collection[str],
    gone: Collection[str] = (),
) -> Plan:
    """The removals that `allow` names, with what speaks against them; the rest stays, and is shown with its word.

    lacking: what is missing of the proof; with anything left to remove it stands in the way of all. gone: the words for
    what was removed before, as far as that is known.
    """
    candidates = _candidates(old, reading)
    named = [each for each in candidates if each.change.word in allow]
    rest = [each for each in candidates if each not in named]
    others = tuple(hazard.why for each in rest for hazard in each.obstacles if hazard.id.startswith(_SHARED))
    strays = tuple(_stays(each) for each in rest if not any(h.id.startswith(_SHARED) for h in each.obstacles))
    unknown = list(_unknown(allow, candidates, gone))
    if not (named or strays):
        return Plan(hazards=tuple(unknown), notes=(*others, *_idle(allow, [h.id for h in unknown])))
    found = [
        *unknown,
        *lacking,
        *_not_told(reading),
        *(hazard for each in named for hazard in each.obstacles),
        *(Hazard(each.change.word, each.consequence) for each in named),
        *_still_held(old, reading, named),
        *_also_trusted(old, named),
    ]
    hazards = [replace(h, allowed=h.allowable and h.id in allow) for h in dict.fromkeys(found)]
    return Plan(
        changes=tuple(each.change for each in named),
        strays=strays,
        hazards=tuple(hazards),
        notes=(*others, *_elsewhere(named, old.today), *_idle(allow, [hazard.id for hazard in hazards])),
        one_by_one=True,
    )


def _unknown(
    allow: Collection[str], candidates: Collection[_Candidate], gone: Collection[str]
) -> Iterator[Hazard]:
    """Words for what is not there, and was not removed before: somebody believes that it goes, and it does not."""
    known = {each.change.word for each in candidates} | set(gone)
    for word in sorted(word for word in allow if word.startswith(_REMOVES) and word not in known):
        yield Hazard(
            f"no-such={word}",
            "Nothing that is left is called that, and the record does not say that it was removed.",
            hint="Leave the word out, or see how it is written:\n  trustsmith migrate --contract",
            allowable=False,
        )


def offered(old: Old, reading: Readers) -> list[str]:
    """The words for all that can go together without any further danger. What needs a role, only people know."""
    candidates = [c for c in _candidates(old, reading) if not isinstance(c.change.resource, RoleAssignment)]
    free = [each for each in candidates if not each.obstacles]
    held = {hazard.id.partition("=")[2] for hazard in _still_held(old, reading, free)}
    return [each.change.word for each in free if getattr(each.change.resource, "key_id", "") not in held]


def _elsewhere(named: Iterable[_Candidate], today: str) -> Iterator[str]:
    """What nobody can look at from here."""
    going = (each.change.resource for each in named)
    if any(isinstance(each, ClientSecret) and not is_expired(each, today) for each in going):
        yield (
            "Who else holds a password cannot be seen: other repositories, pipelines and people, and the organization's "
            "own Dependabot and Codespaces secrets. What signs in with it there stops."
        )


def _idle(allow: Collection[str], known: Collection[str] = ()) -> tuple[str, ...]:
    words = sorted(set(allow) - set(known))
    return tuple(f"--allow {word} matches nothing here: it is gone already, or never was." for word in words)


def _stays(candidate: _Candidate) -> Change:
    """It as something that is left alone, with what would stand in its way."""
    change = candidate.change
    reasons = "; ".join([change.why, *(hazard.why.rstrip(".") for hazard in candidate.obstacles)])
    return replace(change, why=reasons)


# -- candidates -----------------------------------------------------------------------------------------------------------


def _candidates(old: Old, reading: Readers) -> list[_Candidate]:
    """All that could go, in the order in which it would."""
    in_use = tuple(_in_use(old, reading))
    return [
        *(_secret(each, old, reading) for each in old.stored if is_old(each.name, reading)),
        *(_password(each, old, in_use) for each in old.passwords),
        *(_role(each, old, in_use) for each in old.roles),
    ]


def is_old(name: str, reading: Readers) -> bool:
    """Whether a secret is one of an Entra application: by its name, or by what reads it. Other keys are nobody's here."""
    pattern = names.of_secret(name)
    return name in reading.entra or bool(pattern and PATTERNS[pattern].entra)


def _as_secret(stored: Stored) -> StoredSecret:
    return StoredSecret(
        name=stored.name,
        level=stored.level,
        environment=stored.environment,
        store=stored.store,
        updated=stored.updated,
        owned=False,
    )


def _secret(stored: Stored, old: Old, reading: Readers) -> _Candidate:
    secret = _as_secret(stored)
    # To the second: one that is written anew while somebody is asked is another secret.
    why = f"last written {stored.updated}" if stored.updated else "an old credential"
    obstacles = [*_read(stored.name, reading), *_shared(stored, secret, old.repository)]
    consequence = "The secret goes. GitHub shows its value to nobody, so nothing can put it back."
    word = f"delete-secret={secret.place}"
    return _Candidate(Change("delete", secret, None, why, word=word), tuple(obstacles), consequence)


def _password(password: ClientSecret, old: Old, in_use: tuple[Hazard, ...]) -> _Candidate:
    holder = "service principal" if password.of_principal else "application"
    called = f" {password.name!r}" if password.name else ""
    past = is_expired(password, old.today)
    why = f"{'expired ' if past else ''}password{called} of the {holder}, key id {password.key_id}"
    consequence = "Whatever signs in with this password stops, here and elsewhere; a new one can be made, not this one again."
    word = f"delete-password={password.key_id}"
    if past:
        consequence = "It has expired and opens nothing."
    return _Candidate(Change("delete", password, None, why, word=word), () if past else in_use, consequence)


def _role(role: RoleAssignment, old: Old, in_use: tuple[Hazard, ...]) -> _Candidate:
    kept = ", ".join(old.declared.get(role.identity, ())) or "nothing"
    consequence = f"What needs it fails. What the configuration gives stays: {kept}."
    word = f"delete-role={role_slug(role.role)}@{role.scope}#{role.identity}"
    why = "the configuration does not declare it"
    return _Candidate(Change("delete", role, None, why, word=word), in_use, consequence)


# -- what stands in the way -----------------------------------------------------------------------------------------------


def _not_told(reading: Readers) -> Iterator[Hazard]:
    for place, why in reading.unsure.items():
        yield Hazard(
            f"not-told={place}",
            f"{place} {why}, so which secrets are still read cannot be told.",
            hint="Hand secrets on by name, one by one, and have every file readable; then look again:\n"
            "  trustsmith migrate --prove",
            allowable=False,
        )


def _read(name: str, reading: Readers) -> Iterator[Hazard]:
    if places := reading.of.get(name):
        yield Hazard(
            f"still-read={name}",
            f"{name} is read on the default branch: {_places(places)}.",
            hint="Rewrite what reads it, and merge that first:\n  trustsmith migrate --rewrite",
            allowable=False,
        )


def _places(places: Collection[str]) -> str:
    listed = list(places)
    more = f" and {len(listed) - _MOST} more" if len(listed) > _MOST else ""
    return ", ".join(listed[:_MOST]) + more


def _in_use(old: Old, reading: Readers) -> Iterator[Hazard]:
    """What signs in with an old credential as long as it is there: no password and no role may go before."""
    stored = {each.name for each in old.stored if is_old(each.name, reading)}
    for name in sorted(stored | reading.entra):
        yield from _read(name, reading)
    for place in reading.unnamed:
        yield Hazard(
            f"still-read={place}",
            f"{place} signs in with a credential of which no secret is known.",
            hint="Rewrite what reads it, and merge that first:\n  trustsmith migrate --rewrite",
            allowable=False,
        )


def _shared(stored: Stored, secret: StoredSecret, repository: str) -> Iterator[Hazard]:
    """An organization's secret is for this repository to delete only when it is surely for no other one."""
    if who := _who_else(stored, repository):
        yield Hazard(
            f"shared-secret={secret.place}",
            f"The organization's secret {stored.name} can be used by {who}. It stays: an owner of the organization takes "
            f"{repository} off its list, or the others off their secrets first.",
            hint=f"See who uses it:\n  trustsmith migrate --scan --org {repository.partition('/')[0]}",
            allowable=False,
        )


def _who_else(stored: Stored, repository: str) -> str:
    """Which other repositories can use a secret; "" when surely none can.

    This one is on the list of those that can, or the list is not all of it.
    """
    if stored.level != "organization":
        return ""
    if stored.visibility in _WHOSE:
        return f"{_WHOSE[stored.visibility]} of the organization"
    listed = {each.lower(): each for each in stored.repositories or ()}
    if stored.visibility != "selected" or listed.pop(repository.lower(), None) is None:
        return "repositories that this token may not see (that is for the organization's owners)"
    return ", ".join(listed.values())


def _still_held(old: Old, reading: Readers, going: Collection[_Candidate]) -> Iterator[Hazard]:
    """Passwords that go while a secret stays that may hold them: which one a secret holds, nobody can see."""
    gone = {each.change.key for each in going}
    kept = [s for s in old.stored if is_old(s.name, reading) or s.name in reading.registries]
    stay = {
        secret.place: _who_else(s, old.repository) for s in kept if (secret := _as_secret(s)).key not in gone
    }
    said = [f"{place} ({who})" if who else place for place, who in stay.items()]
    places = "; ".join([*said, *(f"unknown, since {note}" for note in old.unseen)])
    for each in going:
        password = each.change.resource
        if places and isinstance(password, ClientSecret) and not is_expired(password, old.today):
            yield Hazard(
                f"still-held={password.key_id}",
                f"A secret that stays may hold this password, and whoever reads it would fail: {places}.",
            )


def _also_trusted(old: Old, going: Collection[_Candidate]) -> Iterator[Hazard]:
    """Roles that go from an application which others sign in as, too: it is theirs as well."""
    for identity in dict.fromkeys(
        each.change.resource.identity for each in going if isinstance(each.change.resource, RoleAssignment)
    ):
        if others := old.others.get(identity):
            yield Hazard(
                f"also-trusted={identity}",
                f"The application trusts others as well, who would lose the role: {', '.join(others)}.",
            )
