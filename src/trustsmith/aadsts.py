"""Entra's sign-in errors in plain words: a code, what it means, what to do next.

A table and a look-up. It must not decide whether something is tried again; see ``credentials`` and
``verify`` for that. Codes are from Microsoft's reference of AADSTS error codes and from workload identity
federation's documentation; the wording is ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_CODE = re.compile(r"AADSTS(\d+)")


@dataclass(frozen=True)
class Meaning:
    """`code` is "AADSTS700213"; `says` what happened; `next` what to do about it (may be empty)."""

    code: str
    says: str
    next: str = ""


_PLAN = "Run `trustsmith plan` to see the difference, then `trustsmith apply`."
_LOGIN = "Sign in again: az login"
_MEANINGS = {
    "700211": ("No federated credential of this identity has the token's issuer.", _PLAN),
    "700212": (
        "No federated credential of this identity has the token's audience.",
        "The audience in the workflow and in the credential must be the same. " + _PLAN,
    ),
    "700213": ("No federated credential of this identity has the token's subject.", _PLAN),
    "7002131": (
        "No federated credential of this identity has the token's subject, nor an expression for it.",
        _PLAN,
    ),
    "7002138": (
        "A federated credential has the token's subject in other upper and lower case; Entra compares exactly.",
        _PLAN,
    ),
    "70021": (
        "No federated credential of this identity matches the token, or a new one is not seen yet.",
        _PLAN,
    ),
    "70025": ("This identity has no federated credential, or a new one is not seen yet.", _PLAN),
    "700024": (
        "The assertion is too old or too new: GitHub's live for five minutes.",
        "Sign in and fetch the tokens at the start of the job, and check the runner's clock.",
    ),
    "700027": ("The assertion's signature is not good.", "Ask for a new assertion; check the issuer's keys."),
    "700016": (
        "The tenant has no application with this client id.",
        "Check the client id and the tenant; one just created may need a minute.",
    ),
    "7000229": ("The application has no service principal in this tenant.", _PLAN),
    "7000215": (
        "A client secret was sent, and it is wrong.",
        "Use a federated credential instead of a secret.",
    ),
    "7000222": (
        "A client secret was sent, and it has expired.",
        "Use a federated credential instead of a secret.",
    ),
    "7000218": ("Neither an assertion nor a secret was sent.", "Check that the job has `id-token: write`."),
    "7000112": ("The application is disabled.", "Ask an administrator of the tenant to enable it."),
    "50057": ("The account is disabled.", "Ask an administrator of the tenant to enable it."),
    "90002": ("There is no such tenant in this cloud.", "Check the tenant's id and the cloud's name."),
    "900023": ("The tenant's id is neither an id nor a domain.", "Check the tenant's id."),
    "900144": (
        "The client id or another field was empty.",
        "A job sees an environment's secrets and variables only with that `environment:`.",
    ),
    "50027": ("The assertion is not a token.", "Pass the token as it was issued, without quotes or blanks."),
    "50166": ("Entra could not reach the issuer.", "The issuer's host must be reachable from the internet."),
    "700222": ("Tokens of Entra itself may not be used as assertions here.", "Use GitHub's issuer."),
    "700223": (
        "A policy of the tenant forbids workload identity federation.",
        "Ask an administrator of the tenant.",
    ),
    "700238": (
        "A policy of the tenant forbids workload identity federation.",
        "Ask an administrator of the tenant.",
    ),
    "53003": ("Conditional Access forbids this sign-in.", "Ask an administrator of the tenant."),
    "50076": ("A second factor is needed.", _LOGIN),
    "50078": ("The second factor has expired.", _LOGIN),
    "50079": ("A second factor must be set up first.", _LOGIN),
    "50020": (
        "This account is no member of the tenant.",
        "Sign in with an account of the tenant: az login --tenant",
    ),
    "50173": ("The sign-in was withdrawn, for example by a new password.", _LOGIN),
    "700082": ("The sign-in has expired.", _LOGIN),
    "70043": ("The sign-in has expired.", _LOGIN),
    "500011": (
        "The tenant does not know the service that the token is for.",
        "Check the scope and the cloud.",
    ),
    "70011": ("The scope is not one.", "Scopes end in /.default."),
    "65001": ("The application lacks consent for what it asked for.", "Ask an administrator of the tenant."),
}


def code(text: str) -> str:
    """Return the first code in a service's text ("AADSTS700213"), or ""."""
    found = _CODE.search(text)
    return found[0] if found else ""


def explain(text: str) -> Meaning | None:
    """Return what the first code in a service's text means; None when there is no code that we know."""
    found = _CODE.search(text)
    if found is None or found[1] not in _MEANINGS:
        return None
    says, following = _MEANINGS[found[1]]
    return Meaning(found[0], says, following)
