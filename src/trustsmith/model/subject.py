"""Subjects of GitHub's OIDC tokens: built from what GitHub says, taken apart for people. Pure; must not guess.

Source of the formats: GitHub Docs, "OpenID Connect reference".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trustsmith.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Entra takes at most 600 characters (Graph, "federatedIdentityCredential").
LONGEST = 600
_PARTS = re.compile(r"repo:([^/@:]+)(?:@(\d+))?/([^/@:]+)(?:@(\d+))?:(.+)")


@dataclass(frozen=True)
class Subject:
    """A subject taken apart. The ids are None in a name-based subject; `context` is the tail after the repository."""

    owner: str
    owner_id: int | None
    repository: str
    repository_id: int | None
    context: str

    @property
    def environment(self) -> str | None:
        """The environment's name, or None for a branch, a tag or a pull request."""
        kind, _, value = self.context.partition(":")
        return value.replace("%3A", ":") if kind == "environment" else None


def parse(text: str) -> Subject | None:
    """The subject taken apart, or None when it does not have the default form."""
    match = _PARTS.fullmatch(text)
    if match is None:
        return None
    owner, owner_id, name, repository_id, context = match.groups()
    return Subject(
        owner,
        int(owner_id) if owner_id else None,
        name,
        int(repository_id) if repository_id else None,
        context,
    )


def prefix(full_name: str, customization: Mapping[str, Any]) -> str:
    """How this repository's subjects begin, e.g. `repo:contoso@1/agents@1001`.

    customization: GitHub's answer to GET /repos/{o}/{r}/actions/oidc/customization/sub. Its `sub_claim_prefix` is the
    truth where it is given; the boolean `use_immutable_subject` beside it is not.
    full_name: owner/name as GitHub spells it, used by hosts that do not give a prefix.
    Raises Refused for a custom template, whose subjects we could only guess.
    """
    if not customization.get("use_default", True):
        keys = ", ".join(customization.get("include_claim_keys") or ()) or "the organization's template"
        raise Refused(
            f"{full_name} customises the subject of its tokens ({keys}), and trustsmith does not build credentials "
            "for custom templates yet: a credential that does not match to the byte never works.",
            hint="Return to GitHub's default template:\n"
            f"  gh api -X PUT repos/{full_name}/actions/oidc/customization/sub -F use_default=true",
        )
    given = customization.get("sub_claim_prefix")
    return str(given).rstrip(":") if given else f"repo:{full_name}"


def for_environment(repository_prefix: str, environment: str) -> str:
    """The subject of a job in that environment. A `:` in a value becomes `%3A`; nothing else is encoded."""
    return f"{repository_prefix}:environment:{environment.replace(':', '%3A')}"
