"""What GitHub's issuer puts into ``sub``: by default, immutably, or by a repository's own template.

Written from GitHub's OIDC reference ("subject claims", "immutable subject claims", "customizing") and held
to the examples there. It must not share code with trustsmith, whose idea of a subject is tested against it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trustsmith_sandbox.world import Data, World

DEFAULT_KEYS = ["repo", "context"]


def is_immutable(world: World, repository: Data) -> bool:
    """Whether ids are in the subject: by the repository's age or move, its own choice, or its organization's."""
    organization = world.data["github"]["organizations"].get(repository["owner"], {"subject_template": {}})
    return bool(
        repository["immutable_subject"] or organization["subject_template"].get("use_immutable_subject")
    )


def prefix(world: World, repository: Data) -> str:
    """Return ``repo:OWNER/NAME``, or ``repo:OWNER@ID/NAME@ID`` for an immutable subject."""
    owner, name = repository["owner"], repository["name"]
    if not is_immutable(world, repository):
        return f"repo:{owner}/{name}"
    github = world.data["github"]
    number = (github["organizations"].get(owner) or github["users"][owner])["id"]
    return f"repo:{owner}@{number}/{name}@{repository['id']}"


def template_keys(world: World, repository: Data) -> list[str]:
    """Return the claim keys that make up the subject, from the repository's or the organization's template."""
    template = repository["subject_template"]
    if template["use_default"]:
        return DEFAULT_KEYS
    own = template.get("include_claim_keys")
    organization = world.data["github"]["organizations"].get(repository["owner"], {"subject_template": {}})
    keys: list[str] = own or organization["subject_template"].get("include_claim_keys", DEFAULT_KEYS)
    return keys


def context(claims: Mapping[str, Any]) -> str:
    """Return the tail of the default subject: the environment wins over the event, the event over the ref."""
    if "environment" in claims:
        return f"environment:{_escaped(claims['environment'])}"
    if claims["event_name"] == "pull_request":
        return "pull_request"
    return f"ref:{_escaped(claims['ref'])}"


def subject(world: World, repository: Data, claims: Mapping[str, Any]) -> str:
    """Return the subject of a job with these claims; empty if its template needs an environment it lacks."""
    keys = template_keys(world, repository)
    if "environment" in keys and "environment" not in claims:
        return ""
    special = {"repo": prefix(world, repository), "context": context(claims)}
    return ":".join(special.get(key) or f"{key}:{_escaped(claims.get(key, ''))}" for key in keys)


def _escaped(value: Any) -> str:
    return str(value).replace(":", "%3A")
