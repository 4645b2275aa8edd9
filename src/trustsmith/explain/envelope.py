"""Issuers and audiences that are not the trusted ones, for people. Pure; subjects are in `model.subject_parts`."""

from __future__ import annotations

from trustsmith.model.subject_parts import MASKED, ClaimDifference, how_spelled


def issuer_difference(sent: str, trusted: str) -> ClaimDifference:
    """How two issuers differ. Entra compares them byte for byte."""
    return ClaimDifference("issuer", sent, trusted, "" if sent == trusted else _how_issuer(sent, trusted))


def _how_issuer(sent: str, trusted: str) -> str:
    if MASKED in sent:
        return "starred out in the log"
    if sent.rstrip("/") == trusted.rstrip("/"):
        return "a slash at the end"
    for longer, shorter, words in ((sent, trusted, "sent"), (trusted, sent, "trusted")):
        if longer.startswith(shorter.rstrip("/") + "/"):
            return f"with an enterprise's name when {words}"
    return how_spelled(sent, trusted) or "another issuer"


def audience_difference(sent: str, trusted: str) -> ClaimDifference:
    """How two audiences differ. Entra compares them byte for byte."""
    if sent == trusted:
        how = ""
    elif MASKED in sent:
        how = "starred out in the log"
    elif sent.startswith("https://github.com/"):
        how = "GitHub's default: none was asked for"
    elif sent.rstrip("/") == trusted.rstrip("/"):
        how = "a slash at the end"
    elif sent.startswith(trusted) or trusted.startswith(sent):
        how = "the audience of another cloud"
    else:
        how = how_spelled(sent, trusted) or "another audience"
    return ClaimDifference("audience", sent, trusted, how)
