"""What to type so that a sign-in that failed works the next time. Words and commands; must not decide what differs."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from trustsmith.model.config import CONFIG_PATH
from trustsmith.model.naming import slug
from trustsmith.model.observing import everywhere
from trustsmith.model.subject_parts import GITHUB, MASKED, ClaimDifference, parts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trustsmith.explain.log import Sent
    from trustsmith.model.config import Config

#: The codes that say that the issuer, the audience, the subject is not the trusted one.
ISSUER, AUDIENCE = "AADSTS700211", "AADSTS700212"
SUBJECT = frozenset({"AADSTS70021", "AADSTS700213", "AADSTS7002131", "AADSTS7002137", "AADSTS7002138"})
_PLAN = "  trustsmith plan\n  trustsmith apply"


def mend(
    code: str, sent: Sent, trusted: str, claims: Sequence[ClaimDifference], config: Config | None
) -> str:
    """What to type or do; "" when a general answer has to do. trusted: the nearest to what was sent, or ""."""
    if not claims:
        return ""
    if any(MASKED in claim.sent for claim in claims):
        return _unmask(code)
    if not trusted:
        return _ask_entra(code, sent)
    differing = {claim.claim: claim for claim in claims if claim.how}
    if not differing:
        return (
            "Just this should be trusted, so its credential is not there, is not written so (by names only, for "
            f"example), or is minutes old:\n{_PLAN}"
        )
    if code in {ISSUER, AUDIENCE}:
        return _issuer(claims[0]) if code == ISSUER else _audience(claims[0])
    return _subject(differing, sent, trusted, config)


def _unmask(code: str) -> str:
    flag = {ISSUER: "--issuer", AUDIENCE: "--audience"}.get(code, "--subject")
    return f"GitHub stars out what a secret also holds. Give the whole value:\n  trustsmith explain {code} {flag} '…'"


def _ask_entra(code: str, sent: Sent) -> str:
    client = sent.client_id or "CLIENT_ID"
    return (
        "See what is trusted, and compare:\n"
        f"  az ad app federated-credential list --id {shlex.quote(client)} --query '[].subject' -o tsv\n"
        f"  trustsmith explain {code} --subject {shlex.quote(sent.subject)} --trusted 'SUBJECT'"
    )


def _issuer(claim: ClaimDifference) -> str:
    if "enterprise" in claim.how and claim.sent.startswith(claim.trusted):
        name = claim.sent.rstrip("/").rsplit("/", 1)[-1]
        return f"Write `enterprise: {name}` into {CONFIG_PATH}, then:\n{_PLAN}"
    return (
        f"Entra compares to the byte, and {CONFIG_PATH} stands for {claim.trusted}. Check `github` and `enterprise` "
        f"there, then:\n{_PLAN}"
    )


def _audience(claim: ClaimDifference) -> str:
    return (
        f"Let the job ask for {claim.trusted}, as the generated workflow does:\n  trustsmith render\n"
        f"Or, if it must be the other one, write `audience: {claim.sent}` into {CONFIG_PATH}, then:\n{_PLAN}"
    )


def _subject(differing: dict[str, ClaimDifference], sent: Sent, trusted: str, config: Config | None) -> str:
    if parts(sent.subject).form != GITHUB:
        return f"Write into `trusts` in {CONFIG_PATH} what is to be trusted, then:\n{_PLAN}"
    if "context" in differing:
        return _context(differing["context"], config)
    return _configured(differing, config) if config else _by_hand(sent, trusted)


def _context(claim: ClaimDifference, config: Config | None) -> str:
    names = [environment.name for environment in config.environments] if config else []
    if not claim.trusted.startswith("environment:"):
        return (
            "Trust in an environment is narrower than in a branch, a tag or pull requests. Let trustsmith make it:\n"
            "  trustsmith setup"
        )
    wanted = f"one of {', '.join(names)}" if names else claim.trusted.partition(":")[2]
    return (
        f"Only jobs with an environment are trusted. Give the job `environment:` ({wanted}), as the generated "
        "workflow does:\n  trustsmith render"
    )


def _configured(differing: dict[str, ClaimDifference], config: Config) -> str:
    if "environment" in differing:
        return _environment(differing["environment"], config)
    if {"owner", "repository", "repository_owner"} & set(differing):
        return (
            f"If the job is of this repository, write its name as GitHub does into {CONFIG_PATH} (`repository:` is "
            f"{config.repository} there), then:\n{_PLAN}"
        )
    return f"See what GitHub sends for this repository, and what would change:\n{_PLAN}"


def _environment(claim: ClaimDifference, config: Config) -> str:
    name, trusted = (text.replace("%3A", ":") for text in (claim.sent, claim.trusted))
    if name.casefold() == trusted.casefold():
        return (
            f"Write the environment as GitHub does, in the job and in {CONFIG_PATH}; this says how:\n"
            "  trustsmith plan\n  trustsmith render"
        )
    if name in {environment.name for environment in everywhere(config)}:
        return f"See what would change:\n{_PLAN}"
    pair = shlex.quote(f"{name}=PROJECT_ID")
    return (
        f"{CONFIG_PATH} has no environment {name}. Write `environment: {trusted}` in the job, or add this one:\n"
        f"  trustsmith setup --env {pair}"
    )


def _by_hand(sent: Sent, trusted: str) -> str:
    """Without a configuration: the credential, as Azure CLI makes it."""
    environment = parts(sent.subject).get("environment")
    if environment is None:
        return f"Let the token's subject be the one that is trusted: {trusted}"
    values = {
        "name": f"github-{slug(environment)}",
        "issuer": sent.issuer or "ISSUER",
        "subject": sent.subject,
        "audiences": [sent.audience or "AUDIENCE"],
    }
    client = shlex.quote(sent.client_id or "CLIENT_ID")
    return (
        "If this job is to be trusted, let trustsmith make the credential, or make it by hand:\n  trustsmith setup\n"
        f"  az ad app federated-credential create --id {client} --parameters {shlex.quote(json.dumps(values))}"
    )
