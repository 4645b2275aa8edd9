"""One GitHub environment as it was answered, turned into resources. Must not contact anything."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trustsmith.model.environments import (
    DIGEST,
    UNKNOWN,
    BranchMode,
    EnvironmentMark,
    EnvironmentSecret,
    EnvironmentVariable,
    GitHubEnvironment,
    Reviewer,
)
from trustsmith.model.naming import MARK_VARIABLE, value_digest
from trustsmith.systems.mark import MarkText, is_newer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from trustsmith.model.resource import Resource

Json = dict[str, Any]
_CLIENT_ID = "AZURE_CLIENT_ID"
#: The ids that we write; nothing else is taken for ours when a mark is lost.
_IDS = re.compile(r"\w+/AZURE_(CLIENT_ID|TENANT_ID|SUBSCRIPTION_ID|AI_PROJECT_ENDPOINT(_\d+)?)")


@dataclass(frozen=True)
class Seen:
    """An environment as GitHub answered it, with what is in it."""

    answer: Json
    variables: list[Json]
    secrets: list[Json]
    policies: list[Json]

    @property
    def name(self) -> str:
        """As GitHub spells it."""
        return str(self.answer["name"])

    def resources(self, trusted: Iterable[str]) -> Iterator[Resource]:
        """The environment and all that is in it. trusted: environments for which a credential of ours is there."""
        values = {str(v["name"]): str(v["value"]) for v in self.variables}
        mark = MarkText.parse(values.get(MARK_VARIABLE, ""))
        lost = mark is None and self.name in trusted and not is_newer(values.get(MARK_VARIABLE, ""))
        ours = self._ours(mark, lost=lost)
        yield self.environment(mark, ours)
        if MARK_VARIABLE in values:
            yield self._mark(mark, ours, lost=lost)
        for secret in self.secrets:
            name = str(secret["name"])
            digest = mark and mark.vouches(name, str(secret["updated_at"]))
            yield EnvironmentSecret(
                environment=self.name,
                name=name,
                content=DIGEST + digest if digest else UNKNOWN,
                owned=f"secret/{name}" in ours,
            )
        for name in values.keys() - {MARK_VARIABLE}:
            owned = f"variable/{name}" in ours
            yield EnvironmentVariable(environment=self.name, name=name, value=values[name], owned=owned)

    def is_of_another(self, clients: Iterable[str]) -> bool:
        """Whether the id in it is of an application that is none of `clients` (client ids)."""
        values = {str(v["name"]): str(v["value"]) for v in self.variables}
        mark = MarkText.parse(values.get(MARK_VARIABLE, "")) or MarkText("adopted")
        written = {mark.ids.get(f"{kind}/{_CLIENT_ID}", "") for kind in ("secret", "variable")} - {""}
        return bool(written - {value_digest(self.name, _CLIENT_ID, client) for client in clients})

    def _mark(self, mark: MarkText | None, ours: frozenset[str], *, lost: bool) -> EnvironmentMark:
        """The mark, with what it says of the ids that are still there; one that we cannot read may be another's."""
        if mark is None:
            return EnvironmentMark(environment=self.name, made="adopted", readable=False, owned=lost)
        digests = {f"digest {name}": mark.ids[name] for name in ours}
        dates = {f"date {name}": date for name, date in mark.written.items() if f"secret/{name}" in ours}
        return EnvironmentMark(
            environment=self.name, made=mark.made, names=frozenset(mark.ids), minted=digests | dates
        )

    def _inside(self) -> frozenset[str]:
        """All secrets and variables in the environment but the mark itself, as the mark names them."""
        secrets = {f"secret/{item['name']}" for item in self.secrets}
        variables = {f"variable/{item['name']}" for item in self.variables if item["name"] != MARK_VARIABLE}
        return frozenset(secrets | variables)

    def _ours(self, mark: MarkText | None, *, lost: bool) -> frozenset[str]:
        """Those of them that we wrote. When the mark is lost, a credential of ours speaks for our ids."""
        if mark is not None:
            return self._inside() & mark.ids.keys()
        return frozenset(name for name in self._inside() if lost and _IDS.fullmatch(name))

    def environment(self, mark: MarkText | None, ours: frozenset[str]) -> GitHubEnvironment:
        """The environment with its protection. ours: the ids in it that are ours, as the mark names them."""
        rules = {str(rule["type"]): rule for rule in self.answer.get("protection_rules") or ()}
        required = rules.get("required_reviewers", {})
        foreign = len(self._inside() - ours)
        return GitHubEnvironment(
            name=self.name,
            reviewers=frozenset(_reviewer(entry) for entry in required.get("reviewers") or ()),
            wait_minutes=int(rules.get("wait_timer", {}).get("wait_timer") or 0),
            prevent_self_review=bool(required.get("prevent_self_review")),
            deploy_from=_deploy_from(self.answer),
            branches=frozenset(str(p["name"]) for p in self.policies if p.get("type") != "tag"),
            tags=frozenset(str(p["name"]) for p in self.policies if p.get("type") == "tag"),
            made=mark.made if mark else "adopted",
            foreign=foreign,
            minted={f"{p.get('type') or 'branch'}:{p['name']}": str(p["id"]) for p in self.policies},
            owned=mark is not None and mark.made == "created" and not foreign,
        )


def _reviewer(entry: Json) -> Reviewer:
    reviewer = entry["reviewer"]
    name = str(reviewer.get("slug") or reviewer.get("login"))
    return Reviewer("team" if entry["type"] == "Team" else "user", int(reviewer["id"]), name)


def _deploy_from(answer: Json) -> BranchMode:
    policy = answer.get("deployment_branch_policy")
    if not policy:
        return "all"
    return "protected" if policy.get("protected_branches") else "patterns"
