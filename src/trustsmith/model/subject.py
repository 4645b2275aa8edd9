"""Subjects of GitHub's OIDC tokens: built from what GitHub says of a repository. Pure; must not guess.

A subject that cannot be known before the run is refused, for a credential that differs by one letter never works.
Source of formats and claims: GitHub Docs, "OpenID Connect reference" (subject claims, immutable subject claims,
customizing the token claims); REST, "Actions OIDC".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from itertools import product
from typing import TYPE_CHECKING, Any

from trustsmith.errors import Refused
from trustsmith.model.subject_parts import parts

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

#: Entra takes at most 600 characters (Graph, "federatedIdentityCredential").
LONGEST = 600
DEFAULT_KEYS = ("repo", "context")
_PROPERTY = "repo_property_"
#: What tells one environment's jobs from another's.
_TELLING = {"context", "environment"}
#: What tells one repository's jobs from all others': GitHub's issuer is the same for everybody.
_NAMING = {"repo", "repository", "repository_id", "workflow_ref", "job_workflow_ref"}
#: What at least keeps other people's repositories out.
_OWNING = {"repository_owner", "repository_owner_id"}
#: What is known once a workflow and the one branch or tag that it runs from are.
_OF_A_USE = {"ref", "ref_type", "workflow", "workflow_ref", "job_workflow_ref"}
_IDS = re.compile(r"repo:[^/@:]+@\d+/[^/@:]+@\d+")
_REPOSITORY = re.compile(rf"(?:^|:)(?:{'|'.join(sorted(_NAMING))}):")
_WILDCARD = re.compile(r"[*?\[\]\\]")


@dataclass(frozen=True)
class Template:
    """How a repository's tokens name their subject.

    prefix: what the key `repo` stands for, e.g. `repo:contoso@1/agents@1001`. keys: claim keys in their order.
    values: claim → value, of those that are the same for every job of the repository.
    use_default, own_keys: what the repository itself has set, to be kept when anything else is set.
    future: the prefix with ids, for a repository that has none in its subjects yet.
    encodes: whether a `:` in a value becomes `%3A` (not on GitHub Enterprise Server 3.18 and older).
    """

    prefix: str
    keys: tuple[str, ...] = DEFAULT_KEYS
    values: Mapping[str, str] = field(default_factory=dict)
    use_default: bool = True
    own_keys: tuple[str, ...] = ()
    future: str = ""
    encodes: bool = True

    @property
    def immutable(self) -> bool:
        """Whether the subjects carry the ids of owner and repository."""
        return has_ids(self.prefix)

    def with_ids(self) -> Template:
        """The template after the repository has opted in to immutable subjects."""
        return replace(self, prefix=self.future)


@dataclass(frozen=True)
class Use:
    """One way in which a job comes to an environment: the workflow's name and path, and the full ref it runs from."""

    workflow: str
    path: str
    ref: str


def has_ids(prefix: str) -> bool:
    """Whether what subjects begin with has the ids of owner and repository."""
    return _IDS.fullmatch(prefix.rstrip(":")) is not None


def template(
    repository: Mapping[str, Any],
    customization: Mapping[str, Any],
    organization: Mapping[str, Any] | None = None,
    values: Mapping[str, str] | None = None,
    *,
    encodes: bool = True,
) -> Template:
    """The template that is in force.

    repository: GitHub's answer to GET /repos/{o}/{r}. customization: to GET …/actions/oidc/customization/sub; its
    `sub_claim_prefix` is the truth where it is given, the boolean `use_immutable_subject` beside it is not.
    organization: to GET /orgs/{org}/actions/oidc/customization/sub; None where it has none, or is not one. values: of
    claims that are known from elsewhere (`enterprise`, `repo_property_…`).
    Raises Refused for a template under which environments, or repositories, cannot be told apart.
    """
    full_name = str(repository["full_name"])
    owner, name = repository.get("owner") or {}, full_name.partition("/")[2]
    own = tuple(map(str, customization.get("include_claim_keys") or ()))
    use_default = customization.get("use_default", True) is not False
    inherited = tuple(map(str, (organization or {}).get("include_claim_keys") or DEFAULT_KEYS))
    given = str(customization.get("sub_claim_prefix") or "").rstrip(":")
    found = Template(
        prefix=given if given.startswith("repo:") else f"repo:{full_name}",
        keys=DEFAULT_KEYS if use_default else own or inherited,
        values=_of_repository(repository) | dict(values or {}),
        use_default=use_default,
        own_keys=own,
        future=f"repo:{full_name.partition('/')[0]}@{owner.get('id')}/{name}@{repository.get('id')}",
        encodes=encodes,
    )
    if not _TELLING & set(found.keys):
        raise Refused(
            f"The subject template of {full_name} ({', '.join(found.keys)}) leaves out the environment: a job of any "
            "branch or pull request would have the same subject as production's.",
            hint=_mend(full_name, (*found.keys, "context"), own=bool(own)),
        )
    if not (_NAMING | _OWNING) & set(found.keys):
        raise Refused(
            f"The subject template of {full_name} ({', '.join(found.keys)}) leaves out the repository: a job of another "
            "repository, whoever owns it, can have the same subject.",
            hint=_mend(full_name, ("repo", *found.keys), own=bool(own)),
        )
    return found


def _of_repository(repository: Mapping[str, Any]) -> dict[str, str]:
    """Claims that are the same for all jobs of a repository, in GitHub's own spelling."""
    full_name, owner = str(repository["full_name"]), repository.get("owner") or {}
    known = {
        "repository": full_name,
        "repository_id": repository.get("id"),
        "repository_owner": full_name.partition("/")[0],
        "repository_owner_id": owner.get("id"),
        "repository_visibility": repository.get("visibility"),
        "runner_environment": "github-hosted",  # the generated workflows name no other runner
    }
    return {claim: str(value) for claim, value in known.items() if value is not None}


def properties_in(customization: Mapping[str, Any], organization: Mapping[str, Any] | None) -> list[str]:
    """The custom properties of the repository that a template asks for, without their prefix."""
    keys = [*(customization.get("include_claim_keys") or ())]
    keys += (organization or {}).get("include_claim_keys") or ()
    return sorted({str(key).removeprefix(_PROPERTY) for key in keys if str(key).startswith(_PROPERTY)})


def inherits(customization: Mapping[str, Any]) -> bool:
    """Whether the organization's template is in force (GitHub REST: `use_default` false, and no keys of its own)."""
    return customization.get("use_default", True) is False and not customization.get("include_claim_keys")


def for_environment(found: Template, environment: str, uses: Iterable[Use] = ()) -> tuple[str, ...]:
    """The subjects of jobs in that environment, sorted: one, unless the template names workflows or refs.

    uses: how jobs come to it; looked at only when the template asks for it.
    Raises Refused for a claim that is not known before the run.
    """
    asked = [key for key in found.keys if key in _OF_A_USE]
    ways = [_of_use(use) for use in uses] if asked else [{}]
    if not ways:
        raise Refused(
            f"The subject template names {', '.join(asked)}, which is not known before the run: environment {environment} "
            "can be deployed to from more than one branch or tag.",
            hint=f"Name the branches and tags in the file, without wildcards:\n  environments.{environment}.protection.branches: [main]\n"
            + _mend(found.values.get("repository", "OWNER/NAME"), DEFAULT_KEYS, own=True),
        )
    values = dict(found.values) | {"environment": environment}
    return tuple(sorted({_subject(found, values | way) for way in ways}))


def _of_use(use: Use) -> dict[str, str]:
    return {
        "ref": use.ref,
        "ref_type": "tag" if use.ref.startswith("refs/tags/") else "branch",
        "workflow": use.workflow,
        "workflow_ref": f"{use.path}@{use.ref}",
        "job_workflow_ref": f"{use.path}@{use.ref}",
    }


def _subject(found: Template, values: Mapping[str, str]) -> str:
    """The keys in their order. `repo` and `context` stand for what the default subject is made of."""
    parts = []
    for key in found.keys:
        if key == "repo":
            parts.append(found.prefix)
        elif key in values or key == "context":
            claim = "environment" if key == "context" else key
            parts.append(f"{claim}:{_encoded(found, values[claim])}")
        else:
            raise _unknown(found, key)
    return ":".join(parts)


def _encoded(found: Template, value: str) -> str:
    return value.replace(":", "%3A") if found.encodes else value


def _unknown(found: Template, key: str) -> Refused:
    full_name = found.values.get("repository", "OWNER/NAME")
    kept = [other for other in found.keys if other != key]
    why = "its value is not known before the run"
    if key.startswith(_PROPERTY):
        why = (
            f"GitHub does not say that the repository has one value for its property {key.removeprefix(_PROPERTY)}, and "
            "that the organization puts it into tokens"
        )
    elif key == "enterprise":
        why = "GitHub does not say which enterprise the repository is of; name it as `enterprise` in the file"
    return Refused(
        f"The subject template of {full_name} ({', '.join(found.keys)}) names {key}, and {why}. No credential can be made "
        "that matches to the byte.",
        hint=_mend(full_name, kept, own=bool(found.own_keys)),
    )


def _mend(full_name: str, keys: Collection[str], *, own: bool) -> str:
    """The call that makes the template usable; `own`: the repository has one itself, and not its organization's."""
    listed = " ".join(f"-f 'include_claim_keys[]={key}'" for key in keys)
    whose = "Change the repository's template" if own else "Give the repository a template of its own"
    path = f"repos/{full_name}/actions/oidc/customization/sub"
    return (
        f"{whose} (other clouds that trust its tokens see the change, too):\n"
        f"  gh api -X PUT {path} -F use_default=false {listed}\n"
        "or return to GitHub's default template:\n"
        f"  gh api -X PUT {path} -F use_default=true"
    )


def uses(
    workflows: Iterable[tuple[str, str]],
    repository: str,
    branches: Collection[str] | None,
    tags: Collection[str] | None,
) -> tuple[Use, ...]:
    """Each workflow (name, path in the repository) from each ref; empty when the refs cannot be counted.

    branches, tags: patterns that may deploy; None: any.
    """
    patterns = [*(branches or ()), *(tags or ())]
    if any(_WILDCARD.search(pattern) for pattern in patterns):
        return ()
    refs = [f"refs/heads/{name}" for name in branches or ()] + [f"refs/tags/{name}" for name in tags or ()]
    return tuple(Use(name, f"{repository}/{path}", ref) for (name, path), ref in product(workflows, refs))


def environment_of(text: str) -> str | None:
    """The environment that a subject names, whatever the template; None for a branch, a tag or a pull request."""
    found = parts(text).get("environment")
    return found.replace("%3A", ":") if found else None


def names_repository(text: str) -> bool:
    """Whether a subject is of one repository's jobs alone, whatever the template."""
    return _REPOSITORY.search(text) is not None
