"""What a single value of the configuration may be: text in, value out, or `Wrong` with what to type instead.

Pure functions without positions. They must not look at other keys, at files, or at a service: whether a thing exists
is asked later. Sources of the limits are named where they are used.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from uuid import UUID

from trustsmith import configshapes as shapes
from trustsmith.configreader import Wrong, shown
from trustsmith.errors import closest
from trustsmith.model.config import Reviewer
from trustsmith.model.foundry import ROLES, ProjectId, find_role

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_GUID = re.compile(shapes.GUID)
_UPN = re.compile(shapes.UPN)
_HOST = re.compile(shapes.HOST)
_LOGIN = re.compile(shapes.LOGIN)
_TEAM = re.compile(shapes.TEAM)
_REPOSITORY = re.compile(f"{shapes.OWNER}/(?P<name>{shapes.REPOSITORY})")
_REPOSITORY_URL = re.compile(
    r"(?:[a-z+]+://|git@)(?:[^/@]+@)?[^/:]+(?::\d+)?[/:]([^/]+/[^/]+?)(?:\.git)?(?:/.*)?"
)
_SCOPE_ID = re.compile(rf"/subscriptions/{shapes.GUID}(/[^/\s]+/[^/\s]+)*", re.IGNORECASE | re.ASCII)
_LONGEST_AUDIENCE = 600

#: Not for Foundry projects, says "Role-based access control for Microsoft Foundry" (Microsoft Learn).
_UNFIT_ROLES = {
    UUID("64702f94-c441-49e6-a78b-ef80e0188fee"): "Azure AI Developer",
    UUID("a97b65f3-24c7-4388-baec-2e87135dc908"): "Cognitive Services User",
    UUID("5e0bd9bd-7b93-4f28-af87-19fc36ad61bd"): "Cognitive Services OpenAI User",
    UUID("a001fd3d-188f-4b5d-821b-7da978bf7442"): "Cognitive Services OpenAI Contributor",
    UUID("25fbc0a9-bd7c-42a3-aa1a-3b75d497ee68"): "Cognitive Services Contributor",
}
_LIST_PROJECTS = (
    "List the ids you can see: az resource list --resource-type Microsoft.CognitiveServices/accounts/projects "
    '--query "[].id" -o tsv'
)
_PROJECT_LOOKS = (
    "/subscriptions/<guid>/resourceGroups/<group>/providers/Microsoft.CognitiveServices/accounts/<account>"
    "/projects/<project>"
)


def one_of(options: Collection[str]) -> Callable[[str], str]:
    """A check that the text is one of a few words."""

    def parse(text: str) -> str:
        if text not in options:
            raise Wrong(f"{shown(text)} is not one of {', '.join(options)}.", closest(text, options).strip())
        return text

    return parse


def any_text(text: str) -> str:
    """Any text on one line."""
    return text


def repository(text: str) -> str:
    """`owner/name`."""
    url = _REPOSITORY_URL.fullmatch(text)
    bare = url[1] if url else text.removesuffix(".git")
    match = _REPOSITORY.fullmatch(bare)
    if match is None or match["name"] in (".", ".."):
        raise Wrong(
            f"{shown(text)} is not a repository: write owner/name.", "For example: repository: contoso/agents"
        )
    if bare != text:
        raise Wrong(f"{shown(text)} is an address; 'repository' is owner/name.", f"Write: repository: {bare}")
    return text


def tenant(text: str) -> str:
    """The tenant's GUID, in lower case."""
    if _GUID.fullmatch(text):
        return text.lower()
    what = (
        "a domain; 'tenant' must be the tenant's id, a GUID"
        if "." in text
        else "not a tenant id, which is a GUID"
    )
    raise Wrong(f"{shown(text)} is {what}.", "Find it with: az account show --query tenantId -o tsv")


def guid(text: str) -> str:
    """Any GUID, in lower case."""
    if not _GUID.fullmatch(text):
        raise Wrong(
            f"{shown(text)} is not an id: a GUID.", "For example: 22222222-2222-2222-2222-222222222222"
        )
    return text.lower()


def audience(text: str) -> str:
    """A token's audience, at most 600 characters without blanks (Graph, "federatedIdentityCredential")."""
    if len(text) > _LONGEST_AUDIENCE or re.search(r"\s", text):
        raise Wrong(
            f"{shown(text)} cannot be an audience: at most {_LONGEST_AUDIENCE} characters, without blanks.",
            "The usual one is api://AzureADTokenExchange",
        )
    return text


def enterprise(text: str) -> str:
    """An enterprise's slug, as it stands in its address on GitHub."""
    if not re.fullmatch(shapes.SLUG, text):
        bare = text.rstrip("/").rsplit("/", 1)[-1]
        hint = (
            f"Write: enterprise: {bare}" if re.fullmatch(r"[A-Za-z0-9-]+", bare) else "For example: contoso"
        )
        raise Wrong(f"{shown(text)} is not an enterprise's slug.", hint)
    return text


def client_id(text: str) -> str:
    """An application's client id (a GUID, in lower case)."""
    if _GUID.fullmatch(text):
        return text.lower()
    # The value is not repeated: what is pasted here by mistake may be a client secret.
    raise Wrong(
        "'client_id' must be the application (client) id, a GUID.",
        'Find it with: az ad app list --display-name NAME --query "[].appId" -o tsv',
    )


def github_host(text: str) -> str:
    """A host name, in lower case; `github.com`, a GHES host or a ghe.com host."""
    host = urlsplit(text).hostname if "://" in text else text.partition("/")[0]
    bare = (host or "").lower().removeprefix("www.").removeprefix("api.")
    if not _HOST.fullmatch(text):
        hint = f"Write: github: {bare}" if _HOST.fullmatch(bare) else "For example: github: github.com"
        raise Wrong(f"{shown(text)} is not a host name: no https://, no path.", hint)
    if text.lower() in ("www.github.com", "api.github.com"):
        raise Wrong(f"{shown(text)} is not the host of the repositories.", "Write: github: github.com")
    return text.lower()


def owner(text: str) -> str:
    """A user's principal name or an object id."""
    if _UPN.fullmatch(text) or _GUID.fullmatch(text):
        return text
    raise Wrong(
        f"{shown(text)} is not an owner: write a user principal name or an object id.",
        "Find yours with: az ad signed-in-user show --query userPrincipalName -o tsv",
    )


def identity_kind(text: str) -> str:
    """`application`, the only kind there is so far."""
    if re.sub(r"[^a-z]", "", text.lower()) in ("managedidentity", "userassigned", "userassignedidentity"):
        raise Wrong(
            "Managed identities are not supported yet: 'kind' must be application.",
            "Write: kind: application",
        )
    return one_of(["application"])(text)


def name_pattern(text: str) -> str:
    """A display name's pattern. Placeholders: {repository}, {environment}, {owner}."""
    unknown = [name for name in re.findall(r"\{([^{}]*)\}", text) if name not in shapes.PLACEHOLDERS]
    allowed = "{repository}, {environment} and {owner}"
    if unknown:
        hint = closest(unknown[0], shapes.PLACEHOLDERS) + f"Known placeholders: {allowed}."
        raise Wrong(f"Unknown placeholder {{{unknown[0][:40]}}} in the display name.", hint)
    if re.search(r"[{}]", re.sub(r"\{[^{}]*\}", "", text)):
        raise Wrong("A brace without its partner in the display name.", f"Known placeholders: {allowed}.")
    return text


def environment_name(text: str) -> str:
    """A GitHub environment's name: at most 255 characters ("Managing environments for deployment").

    GitHub documents no other rule. "." and ".." are refused because HTTP clients fold them out of the address of
    the environment, which would then be another one's; "%3A" because its subject is that of a name with a colon.
    """
    if len(text) > 255:  # noqa: PLR2004  the limit, named above
        raise Wrong(f"The environment's name has {len(text)} characters; GitHub takes 255.", "Shorten it.")
    if text in (".", ".."):
        raise Wrong(f"{shown(text)} cannot be an environment's name.", "Use a word, such as dev or prod.")
    if "%3a" in text.lower():
        raise Wrong(
            f"{shown(text)} cannot be told from a name with a colon, which GitHub writes as %3A in subjects.",
            "Leave out %3A.",
        )
    return text


def project(text: str) -> ProjectId:
    """The ARM id of a Foundry project."""
    parsed = ProjectId.parse(text)
    if parsed is None:
        raise Wrong(
            f"{shown(text, 200)} {_instead_of_a_project(text)}",
            f"{_LIST_PROJECTS}\nIt looks like {_PROJECT_LOOKS}",
        )
    return parsed


def _instead_of_a_project(text: str) -> str:  # noqa: PLR0911  one answer for each thing that gets pasted here
    """The rest of a sentence that says what the text is."""
    path = text.lower().rstrip("/")
    if re.match(r"https?://[^/]+/api/projects/", path):
        return "is a project's endpoint; the project's ARM id is needed."
    if path.startswith(("http://", "https://")):
        return "is a web address; the project's ARM id is needed (in the portal: JSON view, Resource ID)."
    if "/microsoft.machinelearningservices/" in path:
        return "is a hub or a workspace of Azure Machine Learning; only projects of a Foundry account are supported."
    if re.search(r"/microsoft\.cognitiveservices/accounts/[^/]+$", path):
        return "is a Foundry account, not a project: add /projects/<project>."
    if re.search(r"/accounts/[^/]+/projects/[^/]+/", path):
        return "is something inside a project: cut it after the project's name."
    if re.match(r"/?subscriptions/", path) and not re.match(rf"/?subscriptions/{_GUID.pattern}(/|$)", path):
        return "does not start with a subscription: /subscriptions/ is followed by a GUID."
    if path.startswith("subscriptions/"):
        return "lacks the slash at its start."
    return "is not the id of a Foundry project."


def endpoint(text: str) -> str:
    """A project's endpoint, `https://<account>.services.ai.azure.com/api/projects/<project>`."""
    url = urlsplit(text)
    path = re.fullmatch(r"/api/projects/[^/]+", url.path.rstrip("/"))
    if url.scheme != "https" or not _HOST.fullmatch(url.netloc) or path is None or url.query or url.fragment:
        raise Wrong(
            f"{shown(text)} is not a project's endpoint.",
            "It looks like https://<account>.services.ai.azure.com/api/projects/<project>",
        )
    return text.rstrip("/")


def role(text: str) -> UUID:
    """A role we know by its slug, or any role's GUID that is fit for Foundry."""
    slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    guid = find_role(text)
    unfit = _UNFIT_ROLES.get(guid) if guid else None
    if slug.startswith("cognitive-services") or slug == "azure-ai-developer" or unfit:
        raise Wrong(
            f"{unfit or shown(text)} is not for Foundry projects: Microsoft's role documentation advises against it.",
            "For a pipeline write: foundry-project-manager; for an app: foundry-user",
        )
    if guid is None:
        slugs = [known.slug for known in ROLES]
        renamed = slug.replace("azure-ai-", "foundry-")
        near = f"Write '{renamed}'. " if renamed in slugs else closest(f"foundry-{slug}", slugs)
        raise Wrong(
            f"Unknown role {shown(text)}.", f"{near}Known: {', '.join(slugs)}, or a role definition's GUID."
        )
    return guid


def scope(text: str) -> str:
    """Where a grant applies: a word relative to the projects, or an ARM id in a subscription."""
    if text in shapes.SCOPES:
        return text
    bare = text.rstrip("/")
    if _SCOPE_ID.fullmatch(bare):
        return bare
    if bare.lower().startswith("/providers/microsoft.management/"):
        raise Wrong(
            "A management group is too wide: the widest scope is a subscription.",
            f"Use {_words(shapes.SCOPES)}.",
        )
    near = closest(text, shapes.SCOPES)
    raise Wrong(
        f"{shown(text)} is not a scope.",
        f"{near}Use {_words(shapes.SCOPES)}, or an ARM id (/subscriptions/<guid>/…).",
    )


def reviewer(text: str) -> Reviewer:
    """`team:<slug>` or `user:<login>`."""
    kind, _, name = text.partition(":")
    if kind == "team" and _TEAM.fullmatch(name):
        return Reviewer(kind="team", name=name)
    if kind == "user" and _LOGIN.fullmatch(name):
        return Reviewer(kind="user", name=name)
    bare = name.rsplit("/", 1)[-1] or text.lstrip("@").rsplit("/", 1)[-1]
    if kind == "team" and "/" in name:
        hint = f"Write team:{bare}, without the organization."
    elif _LOGIN.fullmatch(bare):
        hint = f"Write user:{bare} for a person, or team:{bare} for a team of the repository's organization."
    else:
        hint = "For example: team:platform, user:octocat"
    raise Wrong(f"{shown(text)} is not a reviewer: write team:<slug> or user:<login>.", hint)


def ref_pattern(text: str) -> str:
    """A pattern for branch or tag names, as `git check-ref-format` allows them, with `*`, `?` and `[…]`."""
    bare = re.sub(r"^refs/(heads|tags)/", "", text)
    if bare != text:
        raise Wrong(f"{shown(text)} is a full ref; a pattern is a name only.", f"Write: {bare}")
    if re.search(rf"[{shapes.NOT_IN_REFS}]|\.\.|@\{{|//|^/|[/.]$", text):
        raise Wrong(
            f"{shown(text)} matches no branch or tag: Git allows no such name.",
            'For example: main, "release/*"',
        )
    return text


def _words(options: Collection[str]) -> str:
    *most, last = options
    return f"{', '.join(most)} or {last}"
