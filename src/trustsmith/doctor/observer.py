"""The observer: may it read Entra, and has it something to read GitHub with. Pure; must not ask anybody.

Sources: Microsoft Learn, "Least privileged roles by task" (application permissions to Microsoft Graph); GitHub Docs,
"Permissions required for fine-grained personal access tokens".
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from trustsmith.doctor.check import ENTRA, GITHUB, Check, bad, fine, open_question
from trustsmith.errors import TrustsmithError
from trustsmith.model.environments import EnvironmentSecret, EnvironmentVariable
from trustsmith.model.observing import APP_ID, APP_KEY, TOKEN, names_teams
from trustsmith.model.resource import Key
from trustsmith.model.resources import GraphPermission

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trustsmith.doctor.evidence import Evidence
    from trustsmith.model.config import Config, Observer
    from trustsmith.model.findings import Finding
    from trustsmith.model.state import State

_CONSENT = "a Privileged Role Administrator or Global Administrator of the tenant"
#: Repository permissions, all to read; of the organization only where the file names teams.
_PERMISSIONS = "Metadata, Actions and Environments"


def consent_line(permission: GraphPermission) -> str:
    """What an administrator types in this checkout."""
    return f"trustsmith apply --only entra --allow {shlex.quote(f'graph-permission={permission.identity}')}"


def consent_waits(permission: GraphPermission) -> str:
    """Why a permission on Graph waits, and until when."""
    return f"it takes the consent of {_CONSENT}, who runs `{consent_line(permission)}`"


def permission(evidence: Evidence) -> Iterator[Finding]:
    """Whether it was consented that the observer reads all applications."""
    made, wanted = evidence.made, evidence.made.wanted
    if wanted is None or isinstance(wanted, TrustsmithError) or "entra" in made.failed:
        return
    for resource in wanted.values():
        if not isinstance(resource, GraphPermission):
            continue
        if resource.key in made.live:
            yield fine(f"The observer has {resource.permission} on Microsoft Graph.")
        else:
            yield bad(
                f"The observer may not read Entra: nobody has consented to {resource.permission}. What it cannot read is "
                "reported as not compared.",
                resource.identity,
                next=f"Let {_CONSENT} type, in this checkout:\n  {consent_line(resource)}",
            )


def token(evidence: Evidence) -> Iterator[Finding]:
    """Whether the observer's environment holds what its jobs read GitHub with."""
    observer, made = evidence.config.observer, evidence.made
    if observer is None or made.plan is None:
        return
    if "github" in made.failed:
        yield open_question("What is in the observer's environment could not be read.", observer.environment)
    elif missing := lacking(observer, made.live):
        yield bad(
            f"The observer has nothing to read GitHub with: {', '.join(missing)} is not in its environment.",
            observer.environment,
            next=how_to_give(evidence.config, observer, missing),
        )
    else:
        what = "token" if observer.github == "token" else "GitHub App"
        yield fine(f"The observer's environment holds its {what}.", observer.environment)


def lacking(observer: Observer, live: State) -> list[str]:
    """The names of the secrets and variables that somebody has to put into the observer's environment."""
    secret, variable = EnvironmentSecret.kind, EnvironmentVariable.kind
    wanted = [(secret, TOKEN)] if observer.github == "token" else [(variable, APP_ID), (secret, APP_KEY)]
    return [name for kind, name in wanted if Key(kind, f"{observer.environment}/{name}") not in live]


def how_to_give(config: Config, observer: Observer, names: list[str]) -> str:
    """What to make at GitHub, with which rights, and what to type then. No value is ever taken by trustsmith."""
    members = ", and of the organization Members" if names_teams(config) else ""
    rights = f"to read {_PERMISSIONS} of {config.repository}{members}"
    what = (
        "Make a fine-grained personal access token"
        if TOKEN in names
        else "Make a GitHub App, and install it,"
    )
    host = "" if config.github == "github.com" else f"{config.github}/"
    there = f"--repo {host}{config.repository} --env {shlex.quote(observer.environment)}"
    lines = {
        TOKEN: f"gh secret set {TOKEN} {there}",
        APP_ID: f"gh variable set {APP_ID} {there} --body CLIENT_ID",
        APP_KEY: f"gh secret set {APP_KEY} {there} < private-key.pem",
    }
    return "\n".join([f"{what} {rights}; then:", *(f"  {lines[name]}" for name in names)])


CHECKS = (
    Check("observer-permission", ENTRA, permission),
    Check("observer-token", GITHUB, token),
)
