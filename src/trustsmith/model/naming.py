"""Names and marks by which our objects are found again. Pure; the same inputs give the same names for ever.

Changing anything here orphans what earlier versions made, so it must only ever grow.
"""

from __future__ import annotations

import hashlib
import re
from uuid import UUID, uuid5

#: Tag on every application that trustsmith made. Tags are copied to the service principal (Graph, "application").
TAG = "trustsmith"
#: The variable that marks a GitHub environment.
MARK_VARIABLE = "TRUSTSMITH"
_ROLE_NAMESPACE = UUID("8f3f7a52-5d0c-5a0e-9d0b-2d7f1f6f1c55")
_LONGEST_SLUG = 40
_DESCRIBED = re.compile(r", (environment|other workloads of) (.+)$", re.DOTALL)
_HASHED = re.compile(r"-[0-9a-f]{6}$")


def slug(name: str) -> str:
    """`name` in a form that Entra takes in names: [a-z0-9-], at most 47 characters.

    Names that differ only in case share a slug (the configuration refuses such pairs); when anything else was lost, a
    hash of the full name keeps slugs apart. So it does for a name that itself looks like a slug with a hash.
    """
    folded = name.casefold()
    plain = re.sub(r"[^a-z0-9]+", "-", folded).strip("-")[:_LONGEST_SLUG].strip("-")
    if plain == folded and not _HASHED.search(plain):
        return plain
    return f"{plain or 'environment'}-{_digest(folded, 6)}"


def unique_name(host: str, repository_id: int, environment: str | None) -> str:
    """An application's `uniqueName`; without an environment, that of the identity of the whole repository.

    It holds the repository's id and not its name, so that it survives renames and transfers.
    """
    base = f"trustsmith-{host}-{repository_id}"
    return base if environment is None else f"{base}-{slug(environment)}"


def repository_tag(host: str, repository_id: int) -> str:
    """The tag by which all applications of one repository are listed."""
    return f"{TAG}:repository={host}/{repository_id}"


def environment_tag(environment: str) -> str:
    """The tag that says which environment an application is for."""
    return f"{TAG}:environment={slug(environment)}"


def mark(host: str, repository_id: int) -> str:
    """What the descriptions of our credentials and role assignments begin with."""
    return f"Made by trustsmith for {host}/{repository_id}"


def is_marked(description: str | None, host: str, repository_id: int) -> bool:
    """Whether a description carries our mark for just this repository: 4001 is not 40012."""
    begins = mark(host, repository_id)
    text = description or ""
    return text == begins or text.startswith((f"{begins}:", f"{begins},"))


def description(begins: str, environment: str, *, jobs: bool) -> str:
    """What a federated credential's description says (Graph: at most 600 characters): the mark, and whom it is for."""
    return f"{begins}, {'environment' if jobs else 'other workloads of'} {environment}"[:600]


def described(text: str) -> tuple[str, bool] | None:
    """The environment in a credential's description, and whether its jobs are trusted; None for another text."""
    match = _DESCRIBED.search(text)
    return (match[2], match[1] == "environment") if match else None


def credential_name(environment: str, issuer: str, subject: str, audience: str) -> str:
    """A federated credential's name: the environment's slug and a hash of what it trusts.

    Old and new credentials of one environment can so stand side by side, and the name itself proves that the
    credential is ours and unchanged (Graph allows 3 to 120 of [A-Za-z0-9_-]; names are immutable).
    """
    return f"{slug(environment)}-{_digest(chr(10).join((issuer, subject, audience)), 12)}"


def is_credential_name(name: str, issuer: str, subject: str, audience: str) -> bool:
    """Whether a credential's name is one that we would give to what it trusts, for whichever environment."""
    return name.endswith("-" + _digest(chr(10).join((issuer, subject, audience)), 12))


def role_assignment_name(scope: str, principal_id: str, role: UUID) -> str:
    """The GUID of a role assignment, the same for the same three values, so that a repeat changes nothing."""
    return str(uuid5(_ROLE_NAMESPACE, f"{scope.lower()}|{principal_id.lower()}|{role}"))


def value_digest(environment: str, name: str, value: str) -> str:
    """What the mark remembers of a value that GitHub never shows again."""
    return _digest(f"{environment}/{name}={value}", 32)


def _digest(text: str, length: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:length]
