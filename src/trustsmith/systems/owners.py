"""An organization or a person at GitHub: whose repositories there are, and the organization's secrets.

Reads only. What may not be read is a note, not an error: somebody else may see it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trustsmith.errors import NotAllowed, NotFound, UsageError
from trustsmith.migrate.inventory import Stored
from trustsmith.migrate.risk import About
from trustsmith.systems import together

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trustsmith.clients.github import GitHub

Json = dict[str, Any]
_PUBLIC_ONLY = "GitHub lists a person's private repositories for that person alone; these are the public ones"
_FOR_OWNERS = (
    "the organization's secrets could not be read: that is for its owners, with a token that has admin:org. "
    "Who else can use one is not known"
)


async def repositories(hub: GitHub, login: str) -> tuple[str, str, list[About], list[str]]:
    """The owner's name as GitHub spells it, "organization" or "user", the repositories that the token may see, and notes.

    Raises UsageError for an owner that does not exist.
    """
    account = await hub.owners.account(login)
    if account is None:
        raise UsageError(
            f"GitHub knows no organization or person {login}.", hint="Check the name after --org."
        )
    name = str(account["login"])
    if account["type"] == "Organization":
        return name, "organization", [_about(each) for each in await hub.owners.of_organization(name)], []
    listed, all_of_them = await hub.owners.of_user(name)
    return name, "user", [_about(each) for each in listed], [] if all_of_them else [_PUBLIC_ONLY]


def _about(listed: Json) -> About:
    return About(
        full_name=str(listed["full_name"]),
        branch=str(listed.get("default_branch") or "main"),
        visibility=str(listed.get("visibility") or ("private" if listed.get("private") else "public")),
        archived=bool(listed.get("archived")),
        fork=bool(listed.get("fork")),
        pushed=str(listed.get("pushed_at") or ""),
    )


async def secrets(
    hub: GitHub, org: str, matters: Callable[[str], bool]
) -> tuple[tuple[Stored, ...] | None, list[str]]:
    """The organization's secrets for Actions that matter, and notes; None where the token may not see them."""
    try:
        listed = await hub.values.secrets_of_organization(org, "actions")
    except (NotAllowed, NotFound):
        return None, [_FOR_OWNERS]
    wanted = [each for each in listed if matters(str(each["name"]))]
    return tuple(await together(*(_stored(hub, org, each) for each in wanted))), []


async def _stored(hub: GitHub, org: str, secret: Json) -> Stored:
    found = Stored(
        name=str(secret["name"]),
        level="organization",
        updated=str(secret.get("updated_at") or ""),
        visibility=str(secret["visibility"]),
    )
    if found.visibility != "selected":
        return found
    chosen = await hub.values.selected_repositories(org, found.name, "actions")
    return replace(found, repositories=tuple(sorted(str(each["full_name"]) for each in chosen)))


def for_repository(stored: Sequence[Stored], about: About) -> list[Stored]:
    """Those of an organization's secrets that a repository can use (GitHub docs: `private` is all but public ones)."""
    return [
        each
        for each in stored
        if each.visibility == "all"
        or (each.visibility == "private" and not about.public)
        or about.full_name in (each.repositories or ())
    ]
