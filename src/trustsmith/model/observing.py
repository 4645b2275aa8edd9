"""The observer as one environment more: with an identity, and without anything to deploy. Pure; must not do I/O.

What it may read: all applications of the tenant, and who has a role at the scopes that the file is about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trustsmith.model.config import Environment, Grant, Protection
from trustsmith.model.foundry import READER

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trustsmith.model.config import Config

#: The secret with the token that it reads GitHub with, where that is what the file says.
TOKEN = "TRUSTSMITH_GITHUB_TOKEN"  # noqa: S105 - a name
#: The variable and the secret of the GitHub App, where it is one.
APP_ID, APP_KEY = "TRUSTSMITH_GITHUB_APP_CLIENT_ID", "TRUSTSMITH_GITHUB_APP_KEY"
_BECAUSE = "the observer sees who has a role here"


def observing(config: Config) -> Environment | None:
    """The observer's environment. Only the default branch's jobs get in: nobody's branch may read the whole tenant."""
    observer = config.observer
    if observer is None:
        return None
    scopes = readable(config)
    return Environment(
        name=observer.environment,
        projects=(),
        grants=tuple(Grant(role=READER.guid, scope=scope, because=_BECAUSE) for scope in scopes),
        client_id=observer.client_id,
        protection=Protection(branches="default"),
        observes=True,
    )


def everywhere(config: Config) -> tuple[Environment, ...]:
    """All environments with an identity: those that deploy, and then the observer's."""
    own = observing(config)
    return (*config.environments, own) if own else config.environments


def names_teams(config: Config) -> bool:
    """Whether teams are reviewers: to see which, one has to be allowed to read who is in the organization."""
    return any(r.kind == "team" for e in config.environments for r in e.protection.reviewers or ())


def readable(config: Config) -> list[str]:
    """Where it may read: the accounts (or subscriptions) of the file, and where else the file grants a role.

    A reader sees the roles at a scope, below it, and those that the scope inherits; so what is above needs no role.
    """
    wide = config.observer is not None and config.observer.reach == "subscriptions"
    found = [project.subscription_scope if wide else project.account_scope for project in config.projects]
    for scope in (g.scope for e in config.environments for g in e.grants if g.scope.startswith("/")):
        if not is_seen(scope, found):
            found.append(scope)
    return sorted({scope.lower(): scope for scope in found}.values())


def is_seen(scope: str, places: Iterable[str]) -> bool:
    """Whether who may read at one of these places sees the role assignments at `scope`."""
    return any(is_below(scope, place) or is_below(place, scope) for place in places)


def is_below(scope: str, other: str) -> bool:
    """Whether an ARM scope is another one, or in it."""
    return f"{scope.lower().rstrip('/')}/".startswith(f"{other.lower().rstrip('/')}/")
