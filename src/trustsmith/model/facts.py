"""Facts about the repository and the projects that a wanted state is built from. Frozen values; no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trustsmith.model.subject import Template


@dataclass(frozen=True, kw_only=True)
class Repository:
    """The repository as GitHub knows it.

    full_name: owner/name in GitHub's own spelling. template: how its tokens name their subject.
    """

    id: int
    full_name: str
    default_branch: str
    template: Template

    @property
    def owner(self) -> str:
        """The owner's login."""
        return self.full_name.partition("/")[0]

    @property
    def name(self) -> str:
        """The name without its owner."""
        return self.full_name.partition("/")[2]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that the wanted state needs to know beside the file.

    host: GitHub's host, as in the marks ("github.com"). issuer, audience: of the federated credentials.
    endpoints: a project's ARM id in lower case → its data-plane endpoint; absent when ARM could not be read.
    reviewers: "team:platform" → GitHub's numeric id. owners: as written in the file → directory object id.
    """

    host: str
    issuer: str
    audience: str
    repository: Repository
    endpoints: Mapping[str, str] = field(default_factory=dict)
    reviewers: Mapping[str, int] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
