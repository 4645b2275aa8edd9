"""Entra's sign-in errors in plain words: a code, what it means, its usual cause, what to do next.

A table and a look-up. It must not decide whether something is tried again: it only marks the codes that a federated
credential, application or service principal which is there, but not everywhere yet, gives rise to. Codes are from
Microsoft's reference of AADSTS error codes and from workload identity federation's documentation; the wording is ours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_CODE = re.compile(r"AADSTS(\d+)")


@dataclass(frozen=True)
class Meaning:
    """`code` is "AADSTS700213"; `says` what happened; `next` what to do about it (may be empty).

    cause: the usual one. passing: it may only mean that a change of the last minutes is not seen everywhere yet.
    """

    code: str
    says: str
    next: str = ""
    cause: str = ""
    passing: bool = False


def _row(code: str, says: str, cause: str, following: str, *, passing: bool = False) -> Meaning:
    return Meaning(f"AADSTS{code}", says, following, cause, passing)


_PLAN = "Run `trustsmith plan` to see the difference, then `trustsmith apply`."
_LOGIN = "Sign in again: az login"
_ADMINISTRATOR = "Ask an administrator of the tenant."
_KEYLESS = "Take the client secret out of the workflow; `trustsmith render` writes one that uses none."
_ENVIRONMENT = "A job sees an environment's secrets and variables only with that `environment:`."
_SUBJECT = "a job without `environment:` or with another one, or a repository that was renamed, transferred or moved to ids"

#: In the order in which they are documented: matching, the identity, the assertion, policies, requests, people.
MEANINGS = (
    _row(
        "70021",
        "No federated credential of this identity matches the token, or a new one is not seen yet.",
        "issuer, subject or audience differ, or the credential is minutes old",
        _PLAN,
        passing=True,
    ),
    _row(
        "700211",
        "No federated credential of this identity has the token's issuer.",
        "a slash at the end, an enterprise's name in the issuer, or another GitHub host",
        "Check `github` and `enterprise` in the configuration. " + _PLAN,
        passing=True,
    ),
    _row(
        "700212",
        "No federated credential of this identity has the token's audience.",
        "the workflow asks for another audience than the credential has",
        "The audience in the workflow and in the credential must be the same. " + _PLAN,
        passing=True,
    ),
    _row(
        "700213",
        "No federated credential of this identity has the token's subject.",
        _SUBJECT,
        _PLAN,
        passing=True,
    ),
    _row(
        "7002131",
        "No federated credential of this identity has the token's subject, nor an expression for it.",
        _SUBJECT,
        _PLAN,
        passing=True,
    ),
    _row(
        "7002137",
        "No federated credential of this identity has the token's subject.",
        "the subject of a token that Entra itself issued is written in another way",
        "Compare the subject in the message with the credential's, letter by letter.",
    ),
    _row(
        "7002138",
        "A federated credential has the token's subject in other upper and lower case; Entra compares exactly.",
        "owner, repository or environment is not written as GitHub writes it",
        _PLAN,
    ),
    _row(
        "70025",
        "This identity has no federated credential, or a new one is not seen yet.",
        "another application's client id, or the first credential is minutes old",
        "Compare AZURE_CLIENT_ID with the application's. " + _PLAN,
        passing=True,
    ),
    _row(
        "700016",
        "The tenant has no application with this client id.",
        "AZURE_CLIENT_ID or AZURE_TENANT_ID is another's, or the application was just made",
        "Check the client id and the tenant; one just created may need a minute. " + _PLAN,
        passing=True,
    ),
    _row(
        "7000229",
        "The application has no service principal in this tenant.",
        "the application was registered without one, or just now",
        _PLAN,
        passing=True,
    ),
    _row(
        "50057",
        "The account is disabled.",
        "an administrator did it",
        "Ask an administrator of the tenant to enable it.",
    ),
    _row(
        "7000112",
        "The application is disabled.",
        "its service principal may not sign in",
        "Ask an administrator of the tenant to enable it.",
    ),
    _row(
        "700024",
        "The assertion is too old or too new: GitHub's live for five minutes.",
        "a step asked for a token of another service later in the job, or the runner's clock is wrong",
        "Sign in and fetch the tokens at the start of the job, and check the runner's clock.",
    ),
    _row(
        "700027",
        "The assertion's signature is not good.",
        "it is not signed with a key that the issuer publishes",
        "Ask for a new assertion; check the issuer's keys.",
    ),
    _row(
        "50027",
        "The assertion is not a token.",
        "quotes, blanks or a whole answer were passed in its place",
        "Pass the token as it was issued, without quotes or blanks.",
    ),
    _row(
        "700021",
        "Entra could not read the issuer's keys.",
        "an enterprise server that the internet does not reach",
        "The issuer's host must be reachable from the internet.",
    ),
    _row(
        "700030",
        "Entra could not read the issuer's keys.",
        "an enterprise server that the internet does not reach",
        "The issuer's host must be reachable from the internet.",
    ),
    _row(
        "50166",
        "Entra could not reach the issuer.",
        "an enterprise server that the internet does not reach",
        "The issuer's host must be reachable from the internet.",
    ),
    _row(
        "700222",
        "Tokens of Entra itself may not be used as assertions here.",
        "the issuer is Entra's, not GitHub's",
        "Use GitHub's issuer.",
    ),
    _row(
        "700235",
        "This kind of identity takes no credential with an expression.",
        "a flexible federated credential on a managed identity",
        "Use a credential with an exact subject, as trustsmith makes them. " + _PLAN,
    ),
    _row(
        "700237",
        "The expression of a federated credential is not allowed.",
        "a flexible federated credential whose expression Entra does not take",
        "Use a credential with an exact subject, as trustsmith makes them. " + _PLAN,
    ),
    _row(
        "7002241",
        "Expressions are not allowed for this issuer.",
        "a flexible federated credential for an issuer that has none",
        "Use a credential with an exact subject, as trustsmith makes them. " + _PLAN,
    ),
    _row(
        "700223",
        "A policy of the tenant forbids workload identity federation.",
        "an administrator's policy for applications",
        _ADMINISTRATOR,
    ),
    _row(
        "700238",
        "A policy of the tenant forbids workload identity federation.",
        "an administrator's policy for applications",
        _ADMINISTRATOR,
    ),
    _row(
        "53003",
        "Conditional Access forbids this sign-in.",
        "a policy for workload identities: where the runner is, or a risk",
        _ADMINISTRATOR,
    ),
    _row(
        "7000215",
        "A client secret was sent, and it is wrong.",
        "the workflow still signs in with a secret",
        _KEYLESS,
    ),
    _row(
        "7000222",
        "A client secret was sent, and it has expired.",
        "the workflow still signs in with a secret",
        _KEYLESS,
    ),
    _row(
        "7000218",
        "Neither an assertion nor a secret was sent.",
        "the job got no token from GitHub",
        "Check that the job has `id-token: write`.",
    ),
    _row(
        "90002",
        "There is no such tenant in this cloud.",
        "AZURE_TENANT_ID is wrong, or of another cloud",
        "Check the tenant's id and the cloud's name.",
    ),
    _row(
        "900023",
        "The tenant's id is neither an id nor a domain.",
        "AZURE_TENANT_ID is empty or cut off",
        f"Check the tenant's id. {_ENVIRONMENT}",
    ),
    _row(
        "900144",
        "The client id or another field was empty.",
        "AZURE_CLIENT_ID is not visible in the job",
        _ENVIRONMENT,
    ),
    _row(
        "500011",
        "The tenant does not know the service that the token is for.",
        "the scope is misspelled, or of another cloud",
        "Check the scope and the cloud.",
    ),
    _row("70011", "The scope is not one.", "it lacks its ending", "Scopes end in /.default."),
    _row(
        "7000113",
        "This is about another kind of sign-in than that of a job.",
        "not a job of GitHub",
        "Look at which step asked for the token, and as whom.",
    ),
    _row(
        "50126",
        "A person's name or password is wrong.",
        "a person's sign-in, not that of a job",
        "Sign in without a password of a person: az login in a terminal, a federated credential in a job.",
    ),
    _row(
        "65001",
        "The application lacks consent for what it asked for.",
        "nobody has consented yet",
        _ADMINISTRATOR,
    ),
    _row("50076", "A second factor is needed.", "a policy of the tenant", _LOGIN),
    _row("50078", "The second factor has expired.", "a policy of the tenant", _LOGIN),
    _row("50079", "A second factor must be set up first.", "a policy of the tenant", _LOGIN),
    _row(
        "50020",
        "This account is no member of the tenant.",
        "a sign-in of another tenant",
        "Sign in with an account of the tenant: az login --tenant",
    ),
    _row("50173", "The sign-in was withdrawn, for example by a new password.", "a new password", _LOGIN),
    _row("700082", "The sign-in has expired.", "it was not used for long", _LOGIN),
    _row("70043", "The sign-in has expired.", "a policy of the tenant", _LOGIN),
)
_BY_CODE = {meaning.code: meaning for meaning in MEANINGS}

#: The codes, without prefix, that a change of the last minutes can give rise to.
PROPAGATION = frozenset(meaning.code.removeprefix("AADSTS") for meaning in MEANINGS if meaning.passing)


def code(text: str) -> str:
    """Return the first code in a service's text ("AADSTS700213"), or ""."""
    found = _CODE.search(text)
    return found[0] if found else ""


def explain(text: str) -> Meaning | None:
    """Return what the first code in a service's text means; None when there is no code that we know."""
    found = code(text)
    # All of 50027, 500271, 5002730, … say that a token is malformed, each in its own way.
    return _BY_CODE.get("AADSTS50027" if found.startswith("AADSTS50027") else found)
