"""GitHub's REST API through PyGithub: repositories, environments and what is in them, people and teams.

One method for each thing that is asked or done; objects are plain dicts as GitHub answers them. It must not
decide what should exist, nor keep or show the value of a secret or of the token. How a call is made, tried
again and understood is in ``github_wire``.
"""

from __future__ import annotations

import os
import subprocess
from base64 import b64encode
from typing import TYPE_CHECKING
from urllib.parse import quote

from trustsmith.clients.github_actions import Actions
from trustsmith.clients.github_commits import Commits
from trustsmith.clients.github_issues import Issues
from trustsmith.clients.github_owners import Owners
from trustsmith.clients.github_releases import Releases
from trustsmith.clients.github_values import Values
from trustsmith.clients.github_wire import Json, Wire
from trustsmith.clients.transport import PACE, OnWait, Pace
from trustsmith.errors import Conflict, NotFound, NotSignedIn, ServiceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from trustsmith.clients.endpoints import Endpoints
    from trustsmith.clients.limiter import Limiter

_GH_TIMEOUT = 20
_VARIABLES_PER_PAGE = 30  # more is refused for variables (GitHub docs: list environment variables)


def github_token(host: str) -> str:
    """Return the token for a GitHub host: from the environment, else from GitHub's own `gh`.

    For hosts other than github.com GH_ENTERPRISE_TOKEN comes first, as `gh` has it. Raises NotSignedIn.
    """
    names = ["GH_TOKEN", "GITHUB_TOKEN"]
    if host != "github.com" and not host.endswith(".ghe.com"):
        names = ["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN", *names]
    for name in names:
        if token := os.environ.get(name, "").strip():
            return token
    return _token_of_gh(host)


def job_token(host: str) -> str:
    """Return the token of the job that this runs in; outside of one, what there is. Raises NotSignedIn."""
    return os.environ.get("GITHUB_TOKEN", "").strip() or github_token(host)


def _token_of_gh(host: str) -> str:
    command = ["gh", "auth", "token", "--hostname", host]
    try:
        # A fixed command that is looked up on PATH, as people's own terminals do; no shell.
        done = subprocess.run(  # noqa: S603 - see above
            command, capture_output=True, text=True, timeout=_GH_TIMEOUT, check=False
        )
        token, said = done.stdout.strip(), done.stderr.strip()
    except FileNotFoundError:
        token, said = "", "gh is not installed"
    except subprocess.TimeoutExpired:
        token, said = "", f"gh did not answer within {_GH_TIMEOUT} seconds"
    if token:
        return token
    raise NotSignedIn(
        f"Nobody is signed in to {host}.",
        service="github",
        operation="sign in",
        hint=f"gh auth login --hostname {host}\nor set GH_TOKEN",
        original=said,
    )


class GitHub:
    """GitHub, asked eight things at a time.

    Every method raises NotSignedIn, NotAllowed, Conflict or another ServiceError (service "github").
    ``full_name`` is "owner/name"; once ``repository`` has read it, GitHub's own spelling and present name are
    used whatever is given. token: called once, on the first request.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        token: Callable[[], str] | None = None,
        *,
        on_wait: OnWait | None = None,
        pace: Pace = PACE,
        limiter: Limiter | None = None,
    ) -> None:
        token = token or (lambda: github_token(endpoints.github_host))
        self._wire = Wire(endpoints, token, on_wait=on_wait, pace=pace, limiter=limiter)
        self._canonical: dict[str, str] = {}
        self.actions = Actions(self._wire, self._repo, endpoints.ca_bundle)
        self.commits = Commits(self._wire, self._repo)
        self.issues = Issues(self._wire, self._repo, endpoints.api)
        self.owners = Owners(self._wire)
        self.releases = Releases(self._wire)
        self.values = Values(self._wire, self._repo)

    def be_patient(self) -> None:
        """Wait for the end of GitHub's limits from now on, however long; the request that meets one still fails."""
        self._wire.patient = True

    async def aclose(self) -> None:
        """Close the connections; the object is not used afterwards."""
        await self._wire.aclose()

    def _repo(self, full_name: str) -> str:
        """Return a repository's path: writes to a former name are not redirected."""
        name = self._canonical.get(full_name.lower(), full_name)
        return "/repos/" + quote(name, safe="/")

    def _env(self, full_name: str, name: str, rest: str = "") -> str:
        return f"{self._repo(full_name)}/environments/{quote(name, safe='')}{rest}"

    # -- repositories and people ----------------------------------------------------------------------------

    async def repository(self, full_name: str) -> Json | None:
        """Return a repository as it is called now (a former name is followed), or None."""
        found = await self._wire.get(f"read repository {full_name}", self._repo(full_name), "full_name")
        if found is not None:
            self._canonical[full_name.lower()] = found["full_name"]
        return found

    async def oidc_subject(self, full_name: str) -> Json:
        """Return how the repository's tokens name their subject; ``{"use_default": True}`` where GitHub has none."""
        path = f"{self._repo(full_name)}/actions/oidc/customization/sub"
        found = await self._wire.get(f"read the subject template of {full_name}", path)
        return {"use_default": True} if found is None else found

    async def organization_subject(self, org: str) -> Json | None:
        """Return an organization's subject template; None where there is none, or for an owner that is a person."""
        path = f"/orgs/{quote(org, safe='')}/actions/oidc/customization/sub"
        return await self._wire.get(f"read the subject template of {org}", path)

    async def set_oidc_subject(self, full_name: str, body: Json) -> None:
        """Set how the repository's tokens name their subject; the body replaces the template."""
        path = f"{self._repo(full_name)}/actions/oidc/customization/sub"
        operation = f"set the subject template of {full_name}"
        await self._wire.run(operation, "PUT", path, lambda _: None, body=body)

    async def token_properties(self, full_name: str) -> dict[str, str]:
        """Return the repository's custom properties that its tokens carry and that have one value, by name."""
        operation, path = f"read the properties of {full_name}", f"{self._repo(full_name)}/properties/values"
        owner = quote(full_name.partition("/")[0], safe="")
        included = f"/orgs/{owner}/actions/oidc/customization/properties/repo"
        listed = await self._wire.run(
            f"read which properties are in tokens of {owner}",
            "GET",
            included,
            lambda answer: answer.list(None, "custom_property_name"),
        )
        names = {each["custom_property_name"] for each in listed}
        found = await self._wire.run(
            operation, "GET", path, lambda answer: answer.list(None, "property_name")
        )
        values = {each["property_name"]: each.get("value") for each in found}
        return {name: value for name, value in values.items() if name in names and isinstance(value, str)}

    async def server_version(self) -> str:
        """Return the version of a GitHub Enterprise Server ("3.18.2"), or "" for GitHub's own hosts."""
        found = await self._wire.run("read GitHub's version", "GET", "/meta", lambda a: a.object())
        return str(found.get("installed_version") or "")

    async def protected_branches(self, full_name: str) -> list[Json]:
        """Return the branches that a rule protects."""
        operation = f"list protected branches of {full_name}"
        return await self._wire.pages(operation, f"{self._repo(full_name)}/branches?protected=true", None)

    async def user(self, login: str) -> Json | None:
        """Return a user, whose ``id`` reviewers are named by, or None."""
        return await self._wire.get(f"find user {login}", f"/users/{quote(login, safe='')}", "login")

    async def team(self, org: str, slug: str) -> Json | None:
        """Return a team of an organization, or None."""
        path = f"/orgs/{quote(org, safe='')}/teams/{quote(slug, safe='')}"
        return await self._wire.get(f"find team {org}/{slug}", path, "slug")

    async def whoami(self) -> Json:
        """Return the user that the token is of; an app's token has none and raises NotAllowed."""
        return await self._wire.run("read who is signed in", "GET", "/user", lambda a: a.object("login"))

    async def permission(self, full_name: str, login: str) -> Json | None:
        """Return what a user may do with a repository (``permission``: none, read, write, admin), or None."""
        path = f"{self._repo(full_name)}/collaborators/{quote(login, safe='')}/permission"
        return await self._wire.get(f"read the rights of {login}", path, "permission")

    async def team_reads(self, org: str, slug: str, full_name: str) -> bool:
        """Return whether a team has access to a repository (GitHub REST: check team permissions for a repository)."""
        repository = self._repo(full_name).removeprefix("/repos/")
        path = f"/orgs/{quote(org, safe='')}/teams/{quote(slug, safe='')}/repos/{repository}"
        try:
            await self._wire.run(f"read the rights of team {slug}", "GET", path, lambda _: None)
        except NotFound:
            return False
        return True

    async def organization(self, login: str) -> Json | None:
        """Return an organization, with its ``plan`` when the token's owner may see that, or None."""
        return await self._wire.get(f"read organization {login}", f"/orgs/{quote(login, safe='')}", "login")

    # -- the token and the policy -------------------------------------------------------------------------------

    @property
    def skew(self) -> float | None:
        """How many seconds GitHub's clock is ahead of ours, by its last answer."""
        return self._wire.skew

    def token_facts(self) -> Json:
        """Return what GitHub's last answer says of the token: ``prefix``, ``scopes`` (None: not said), ``expires``."""
        scopes = self._wire.heard.get("x-oauth-scopes")
        return {
            "prefix": self._wire.token_prefix,
            "scopes": None if scopes is None else [s.strip() for s in scopes.split(",") if s.strip()],
            "expires": self._wire.heard.get("github-authentication-token-expiration", ""),
        }

    async def actions_policy(self, full_name: str) -> Json | None:
        """Return whether Actions are on, which are allowed, and whether they must be pinned to a commit, or None."""
        path = f"{self._repo(full_name)}/actions/permissions"
        return await self._wire.get(f"read the Actions policy of {full_name}", path)

    async def selected_actions(self, full_name: str) -> Json | None:
        """Return the allowed actions where they are selected: by owner, by verified creators, by pattern, or None."""
        path = f"{self._repo(full_name)}/actions/permissions/selected-actions"
        return await self._wire.get(f"read the allowed actions of {full_name}", path)

    # -- environments ---------------------------------------------------------------------------------------

    async def environments(self, full_name: str) -> list[Json]:
        """Return all environments of a repository."""
        path = f"{self._repo(full_name)}/environments"
        return await self._wire.pages(f"list environments of {full_name}", path, "environments")

    async def environment(self, full_name: str, name: str) -> Json | None:
        """Return an environment with its protection rules, or None."""
        return await self._wire.get(f"read environment {name}", self._env(full_name, name), "name")

    async def put_environment(self, full_name: str, name: str, body: Json) -> Json:
        """Create an environment or replace all of its protection; what the body leaves out is taken away.

        Raises Conflict with code "plan_lacks_feature" when the plan has no such protection. GitHub has then
        still created the environment, unprotected.
        """
        path = self._env(full_name, name)
        return await self._wire.run(
            f"configure environment {name}", "PUT", path, lambda answer: answer.object("name"), body=body
        )

    async def delete_environment(self, full_name: str, name: str) -> None:
        """Delete an environment with all that is in it; one that is gone is done."""
        await self._wire.delete(f"delete environment {name}", self._env(full_name, name))

    async def branch_policies(self, full_name: str, env: str) -> list[Json]:
        """Return the branch and tag patterns an environment may be deployed from; [] where it has none."""
        path = self._env(full_name, env, "/deployment-branch-policies")
        try:
            return await self._wire.pages(f"list branch policies of {env}", path, "branch_policies")
        except NotFound:
            return []

    async def add_branch_policy(self, full_name: str, env: str, name: str, kind: str) -> None:
        """Allow deployments from a pattern; `kind` is "branch" or "tag". One that is there is done."""
        path = self._env(full_name, env, "/deployment-branch-policies")
        body = {"name": name, "type": kind}
        operation = f"allow {kind} {name} in environment {env}"
        await self._wire.run(operation, "POST", path, lambda _: None, body=body)

    async def delete_branch_policy(self, full_name: str, env: str, policy_id: int) -> None:
        """Take a pattern away; one that is gone is done."""
        path = self._env(full_name, env, f"/deployment-branch-policies/{policy_id}")
        await self._wire.delete(f"delete branch policy {policy_id} of {env}", path)

    # -- secrets --------------------------------------------------------------------------------------------

    async def public_key(self, full_name: str, env: str) -> Json:
        """Return the key that secrets of an environment are sealed with: ``key_id`` and ``key`` (base64)."""
        path = self._env(full_name, env, "/secrets/public-key")
        return await self._wire.run(
            f"read the public key of {env}", "GET", path, lambda answer: answer.object("key_id", "key")
        )

    async def secrets(self, full_name: str, env: str) -> list[Json]:
        """Return names and dates of an environment's secrets; GitHub returns no values."""
        path = self._env(full_name, env, "/secrets")
        return await self._wire.pages(f"list secrets of {env}", path, "secrets")

    async def put_secret(self, full_name: str, env: str, name: str, value: str, key: Json) -> None:
        """Create or replace a secret: `value` leaves this process only sealed with `key` (``public_key``)."""
        body = {"encrypted_value": _sealed(value, key["key"]), "key_id": key["key_id"]}
        path = self._env(full_name, env, f"/secrets/{quote(name, safe='')}")
        await self._wire.run(f"write secret {name} of {env}", "PUT", path, lambda _: None, body=body)

    async def delete_secret(self, full_name: str, env: str, name: str) -> bool:
        """Delete a secret; one that is gone is done. Return whether it was found."""
        path = self._env(full_name, env, f"/secrets/{quote(name, safe='')}")
        return await self._wire.delete(f"delete secret {name} of {env}", path)

    # -- variables ------------------------------------------------------------------------------------------

    async def variables(self, full_name: str, env: str) -> list[Json]:
        """Return an environment's variables with their values."""
        path = self._env(full_name, env, "/variables")
        return await self._wire.pages(f"list variables of {env}", path, "variables", size=_VARIABLES_PER_PAGE)

    async def set_variable(self, full_name: str, env: str, name: str, value: str, *, exists: bool) -> None:
        """Create or change a variable; `exists` is a guess that saves a request when it is right.

        GitHub has no upsert for variables: POST answers 409 for one that is there, PATCH 404 for one that is not.
        """
        try:
            await self._write_variable(full_name, env, name, value, create=not exists)
        except (Conflict, NotFound) as error:
            if isinstance(error, Conflict) and error.status != 409:  # noqa: PLR2004 - Conflict
                raise
            await self._write_variable(full_name, env, name, value, create=exists)

    async def _write_variable(self, full_name: str, env: str, name: str, value: str, *, create: bool) -> None:
        path = self._env(full_name, env, "/variables" if create else f"/variables/{quote(name, safe='')}")
        verb = "POST" if create else "PATCH"
        body = {"name": name, "value": value}
        await self._wire.run(f"write variable {name} of {env}", verb, path, lambda _: None, body=body)

    async def delete_variable(self, full_name: str, env: str, name: str) -> None:
        """Delete a variable; one that is gone is done."""
        path = self._env(full_name, env, f"/variables/{quote(name, safe='')}")
        await self._wire.delete(f"delete variable {name} of {env}", path)


def _sealed(value: str, key: str) -> str:
    """Return `value` in a libsodium sealed box for a base64 public key (GitHub docs: encrypting secrets)."""
    from nacl.encoding import Base64Encoder
    from nacl.exceptions import CryptoError
    from nacl.public import PublicKey, SealedBox

    try:
        box = SealedBox(PublicKey(key.encode(), Base64Encoder))
    except (CryptoError, ValueError, TypeError):
        raise ServiceError("GitHub's public key is not one.", service="github") from None
    return b64encode(box.encrypt(value.encode())).decode()
