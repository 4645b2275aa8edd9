"""A pasted log → the codes of Entra in it, and what was sent. Pure; nothing that may be a secret comes out of here.

Knows how azure/login, Azure CLI, azd, azure-identity, MSAL and Terraform print what Entra answers, and what GitHub
adds to a line. A log is anybody's text: whatever it holds, this only finds or does not find.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_GUID = r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
_HIDDEN = "(not shown)"
_SECRETS = re.compile(
    r"eyJ[\w-]{8,}(?:\.[\w-]*)*"  # a JSON web token
    r"|gh[a-z]_\w{16,}|github_pat_\w{16,}"
    r"|[\w~.-]{3}\dQ~[\w~.-]{20,}"  # a client secret of Entra
    r"|(?i:(?:client[_-]?secret|password|pwd|secret|accountkey|sharedaccesskey|sig)"
    # not a bare colon: a repository may be called `secret`, and then a subject goes on with one
    r"(?:\"\s*:\s*|\s*=\s*|\s*:\s+))\"?(?!\*{3})[^\s\"'&,;]+"
)
_NOISE = (
    (re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?"), ""),  # colours, links
    (re.compile(r"^(?:[^\t\n]*\t){0,2}\ufeff?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z ?", re.MULTILINE), ""),
    (re.compile(r"^[ \t]*[│|╷╵][ \t]?", re.MULTILINE), ""),  # Terraform's frame
    (re.compile(r"\[(\d+)\]\(https?://[^)\s]*\)"), r"\1"),  # a code that GitHub's page made a link in
    (re.compile(r"\\+u0027"), "'"),
    (re.compile(r"\\+r\\+n|\\+n"), "\n"),
    (re.compile(r'\\+"'), '"'),
)
_CODES = re.compile(r"AADSTS ?(\d{4,9})\b|error_codes\"?\s*:\s*\[\s*(\d{4,9})|/error\?code=(\d{4,9})\b")
#: What ends a quoted value of Entra's; the value may hold apostrophes.
_END = r"'(?=[.,;:)\s]|$)"
_MESSAGES = {
    "subject": (rf"assertion\s+subject:?\s+'(.{{1,700}}?){_END}",),
    "issuer": (rf"assertion\s+issuer:?\s+'(.{{1,700}}?){_END}",),
    "audience": (rf"assertion\s+audience:?\s+'(.{{1,700}}?){_END}",),
    "client_id": (
        r"Application\s+with\s+identifier\s+'(.*?)'",
        rf"(?:client|app|application)\s+'({_GUID})'",
        rf"client\s+application\s+({_GUID})",
    ),
    "tenant": (
        r"in\s+the\s+directory\s+'(.*?)'",
        r"Tenant\s+'(.*?)'",
        r"tenant\s+identifier\s+'(.*?)'",
        rf"in\s+the\s+tenant\s+({_GUID})",
    ),
    "workflow": (),
}
_DETAILS = {
    "subject": (
        r"^[^\w\n]*subject (?:claim|identifier)\s*[-:]\s*(\S.*?)\s*$",
        r'"sub(?:ject)?"\s*:\s*"([^"\n]+)"',
    ),
    "issuer": (r"^[^\w\n]*issuer\s*[-:]\s*(https?://\S+|\*{3})\s*$", r'"iss(?:uer)?"\s*:\s*"([^"\n]+)"'),
    "audience": (r"^[^\w\n]*audience\s*[-:]\s*(\S+)\s*$", r'"aud(?:ience)?"\s*:\s*"([^"\n]+)"'),
    "client_id": (rf"^[^\w\n]*(?:client[-_ ]id|(?:AZURE|ARM)_CLIENT_ID)\s*[:=]\s*\"?({_GUID})",),
    "tenant": (
        rf"^[^\w\n]*(?:tenant[-_ ]id|(?:AZURE|ARM)_TENANT_ID)\s*[:=]\s*\"?({_GUID})",
        rf"https://[^/\s]+/({_GUID})/oauth2/",
    ),
    "workflow": (r"^[^\w\n]*job_workflow_ref\s*[-:]\s*(\S+)\s*$",),
}
_LOOKS = {
    # whatever is long and has no claims in it may be a token in a dress that is not known
    "subject": re.compile(r".{0,40}|[^:]*:.*|/eid1/.*", re.DOTALL),
    "issuer": re.compile(r"https?://[^@\s]*|\*{3}"),
    "client_id": re.compile(_GUID),
    "tenant": re.compile(rf"{_GUID}|[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"),
}


@dataclass(frozen=True, kw_only=True)
class Sent:
    """What a job sent to Entra, as far as it is known; "" is not known. workflow: the token's job_workflow_ref."""

    subject: str = ""
    issuer: str = ""
    audience: str = ""
    client_id: str = ""
    tenant: str = ""
    workflow: str = ""

    def over(self, other: Sent) -> Sent:
        """This, and where it says nothing, the other."""
        return replace(other, **{name: value for name, value in vars(self).items() if value})

    def without_secrets(self) -> Sent:
        """The same, without what looks like a token or a secret, or is not what it stands for."""
        return Sent(**{name: _shown(name, value) for name, value in vars(self).items()})


def without_secrets(text: str) -> str:
    """The text without what looks like a token, a secret or a password."""
    return _SECRETS.sub(_HIDDEN, text)


def _shown(name: str, value: str) -> str:
    value = without_secrets(value)
    looks = _LOOKS.get(name)
    return value if not value or looks is None or looks.fullmatch(value) else _HIDDEN


def clean(text: str) -> str:
    """The text without colours, time stamps, frames and escapes, and without what looks like a secret."""
    for pattern, instead in _NOISE:
        text = pattern.sub(instead, text)
    return without_secrets(text)


def codes(text: str) -> list[tuple[str, int]]:
    """Each code once ("AADSTS700213"), and where it is first, in order. text: as `clean` returns it."""
    found: dict[str, int] = {}
    for match in _CODES.finditer(text):
        found.setdefault(f"AADSTS{match[1] or match[2] or match[3]}", match.start())
    return list(found.items())


def sent(text: str, start: int, end: int) -> Sent:
    """What was sent when the code at `start` was answered; `end` is where the next one begins.

    Entra's own message, which follows the code, counts most; then the details printed last before it; then any.
    """
    own, before = text[start:end], text[:start]
    values = {
        name: _first(patterns, own)
        or _last(_DETAILS[name], before)
        or _first(_DETAILS[name], own)
        or _first(_DETAILS[name], text[end:])
        for name, patterns in _MESSAGES.items()
    }
    return Sent(**values).without_secrets()


def _first(patterns: tuple[str, ...], text: str) -> str:
    found = (re.search(pattern, text, re.IGNORECASE | re.MULTILINE | re.DOTALL) for pattern in patterns)
    return next((_tidy(match[1]) for match in found if match), "")


def _last(patterns: tuple[str, ...], text: str) -> str:
    found = (list(re.finditer(pattern, text, re.IGNORECASE | re.MULTILINE)) for pattern in patterns)
    return next((_tidy(matches[-1][1]) for matches in found if matches), "")


def _tidy(value: str) -> str:
    """A value that a terminal's width broke into lines is one again."""
    return re.sub(r"\s*\n\s*", " ", value).strip()
