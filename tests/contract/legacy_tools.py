"""What the workflows of contoso/legacy call, played: az, azd, terraform, docker, npm, and what azure/login does.

A program of its own, which is told the name of the tool. It asks for a job's token and exchanges it at the Entra that AUTHORITY
names, as the tools do; a password it takes unseen. Whatever needs a sign-in fails without one, and SIGNED says who had which.
"""

from __future__ import annotations

import json
import os
import sys
import urllib.parse
import urllib.request
from pathlib import Path

TOOL, *WORDS = sys.argv[1:]
STATE = Path(os.environ["RUNNER_TEMP"], "signed-in.json")


def option(*names: str) -> str:
    """The value of an option, "" for none."""
    return next((WORDS[at + 1] for at, word in enumerate(WORDS[:-1]) if word in names), "")


def answer(url: str, form: dict[str, str] | None = None, bearer: str = "") -> dict[str, str]:
    """The JSON at an address."""
    data = urllib.parse.urlencode(form).encode() if form else None
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    with urllib.request.urlopen(urllib.request.Request(url, data, headers)) as found:  # noqa: S310 - of the sandbox
        read: dict[str, str] = json.load(found)
        return read


def sign_in(client: str, tenant: str, assertion: str = "") -> None:
    """Exchange a job's token for one of Entra's."""
    if not assertion:
        asked = os.environ["ACTIONS_ID_TOKEN_REQUEST_URL"] + "&audience=api://AzureADTokenExchange"
        assertion = answer(asked, bearer=os.environ["ACTIONS_ID_TOKEN_REQUEST_TOKEN"])["value"]
    form = {
        "client_id": client,
        "scope": "https://ai.azure.com/.default",
        "grant_type": "client_credentials",
        "client_assertion": assertion,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }
    token = answer(f"{os.environ['AUTHORITY'].rstrip('/')}/{tenant}/oauth2/v2.0/token", form)["access_token"]
    note("token" if token else "nothing")


def note(how: str) -> None:
    """Remember a sign-in, in the job and beyond it."""
    signed = {**known(), TOOL: how}
    STATE.write_text(json.dumps(signed), encoding="utf-8")
    with Path(os.environ["SIGNED"]).open("a", encoding="utf-8") as log:
        log.write(f"{os.environ['GITHUB_WORKFLOW']}/{os.environ['GITHUB_JOB']} {TOOL} {how}\n")


def known() -> dict[str, str]:
    """The sign-ins of this job."""
    found: dict[str, str] = json.loads(STATE.read_text("utf-8")) if STATE.exists() else {}
    return found


def need(*tools: str) -> None:
    """Fail unless one of these has signed in."""
    if not set(tools) & set(known()):
        sys.exit(f"{TOOL}: nobody is signed in")


def az() -> None:
    """`az login` with a token or a password, `az acr login`; all else takes a sign-in."""
    if WORDS[0] != "login":
        need("az", "azure-login")
        if WORDS[:2] == ["acr", "login"]:
            note("registry")
    elif token := option("--federated-token"):
        sign_in(option("-u", "--username"), option("-t", "--tenant"), token)
    elif option("-p", "--password"):
        note("password")


def azd() -> None:
    """`azd auth login`."""
    if WORDS[:2] == ["auth", "login"]:
        if option("--federated-credential-provider") != "github":
            sys.exit("azd: no way to sign in")
        sign_in(option("--client-id"), option("--tenant-id"))


def terraform() -> None:
    """Signs in each time, by its variables."""
    if os.environ.get("ARM_USE_OIDC") != "true" or "ARM_CLIENT_SECRET" in os.environ:
        sys.exit("terraform: not by OIDC")
    sign_in(os.environ["ARM_CLIENT_ID"], os.environ["ARM_TENANT_ID"])


def main() -> None:
    """Be the tool."""
    match TOOL:
        case "az":
            az()
        case "azd":
            azd()
        case "terraform":
            terraform()
        case "azure-login":
            sign_in(os.environ["CLIENT"], os.environ["TENANT"])
        case "docker" if WORDS[0] == "push":
            need("az")


main()
