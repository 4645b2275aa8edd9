"""Who is signed in: to Azure, in which tenant; to GitHub, with what token. Pure; must not ask anybody."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from trustsmith.doctor.check import AZURE, ENTRA, GITHUB, Check, bad, fine, open_question, unread
from trustsmith.errors import NotSignedIn, ServiceError, TrustsmithError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trustsmith.doctor.evidence import Evidence
    from trustsmith.model.findings import Finding

_KINDS = {
    "ghp_": "a classic personal access token",
    "github_pat_": "a fine-grained personal access token",
    "gho_": "a token of GitHub CLI or another OAuth app",
    "ghu_": "a user's token of a GitHub App",
    "ghs_": "a token of a GitHub App or of a workflow",
}
_SOON = 24 * 3600.0
#: The classic scope that environments, their secrets and variables need (GitHub REST, "Environments").
_SCOPE = "repo"


def azure_sign_in(evidence: Evidence) -> Iterator[Finding]:
    """Tokens for Azure Resource Manager and for Microsoft Graph."""
    for answer, name in ((evidence.people.azure, ""), (evidence.people.graph, "Microsoft Graph")):
        if isinstance(answer, NotSignedIn) and not _is_elsewhere(answer):
            yield bad(answer.message, name, next=answer.hint, original=answer.original)
        elif isinstance(answer, TrustsmithError):
            yield from unread(answer, "the sign-in to Azure", name)
        elif answer is not None and not name:
            yield fine(f"Signed in as {answer['name']} in tenant {answer['tid']} ({answer['method']}).")


def tenant(evidence: Evidence) -> Iterator[Finding]:
    """The sign-in is of the file's tenant."""
    wrong = [e for e in (evidence.people.azure, evidence.people.graph) if _is_elsewhere(e)]
    if wrong and isinstance(wrong[0], ServiceError):
        yield bad(wrong[0].message, next=wrong[0].hint)
    elif evidence.people.azure is not None and not isinstance(evidence.people.azure, TrustsmithError):
        yield fine("The sign-in is of the tenant that the file names.")


def _is_elsewhere(answer: object) -> bool:
    return isinstance(answer, ServiceError) and answer.code == "wrong_tenant"


def github_sign_in(evidence: Evidence) -> Iterator[Finding]:
    """GitHub takes the token."""
    answer = evidence.github.repository
    if isinstance(answer, NotSignedIn):
        yield bad(answer.message, next=answer.hint, original=answer.original)
    elif evidence.github.token is not None:
        yield fine(f"{evidence.host} accepts the token.")


def github_token(evidence: Evidence) -> Iterator[Finding]:
    """What kind of token it is, what it may do, and how long it is good."""
    token = evidence.github.token
    if token is None or isinstance(token, TrustsmithError):
        return
    kind = _KINDS.get(token["prefix"], "a token")
    expires, ends = token["expires"], _moment(token["expires"])
    if ends is not None and ends - evidence.now < _SOON:
        yield bad(
            f"The GitHub token expires at {expires}; a run after that stops half-way.",
            next="Renew it on GitHub (Settings, Developer settings, Personal access tokens), or sign in anew:\n"
            f"  gh auth login --hostname {evidence.host}",
        )
    scopes = token["scopes"]
    if scopes is not None and _SCOPE not in scopes:
        yield bad(
            f"The GitHub token has the scopes {', '.join(scopes) or '(none)'}; environments and their secrets need "
            f"{_SCOPE}.",
            next=f"gh auth refresh --hostname {evidence.host} --scopes {_SCOPE}\nor make a classic token with that scope.",
        )
    elif scopes is not None:
        yield fine(f"It is {kind}, with the scope {_SCOPE}.")
    else:
        yield _unscoped(evidence, kind)


def _unscoped(evidence: Evidence, kind: str) -> Finding:
    """Fine-grained tokens and apps do not say what they may do; only writing tells."""
    plan = evidence.made.plan
    if plan is not None and not any(change.side == "github" for change in plan.changes):
        return fine(f"It is {kind}; nothing is left to write on GitHub.")
    return open_question(
        f"It is {kind}, which does not say what it may write.",
        next="Make sure that it has, for this repository: Administration, Environments and Actions, read and write.\n"
        "'trustsmith apply' writes to GitHub first, so that a token that will not do leaves nothing half made.",
    )


def _moment(text: str) -> float | None:
    """GitHub's "2026-12-01 09:00:00 UTC" (or with "+0100") as seconds since 1970."""
    for form in ("%Y-%m-%d %H:%M:%S %Z", "%Y-%m-%d %H:%M:%S %z"):
        try:
            moment = datetime.strptime(text, form)  # noqa: DTZ007 - the zone is UTC where strptime drops it
        except ValueError:
            continue
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return None


CHECKS = (
    Check("azure-sign-in", AZURE | ENTRA, azure_sign_in),
    Check("tenant", AZURE | ENTRA, tenant),
    Check("github-sign-in", GITHUB | ENTRA, github_sign_in),
    Check("github-token", GITHUB, github_token),
)
