"""What a job of the workflow check-trust runs: exchange the job's token, then see which projects it opens.

Needs Python 3.8 and nothing else. The token and GitHub's assertion stay in this process: they are never printed or
stored, and the token is sent only to hosts in the domain of this environment's own project. Whoever may start the
workflow chooses its inputs, so nothing that comes from them is trusted.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

if TYPE_CHECKING:
    from collections.abc import Mapping

MARK = "trustsmith-result: "
# Entra gives these while a new federated credential or principal is not yet known to all of its servers.
PROPAGATION = {"70021", "700211", "700212", "700213", "7002131", "70025", "700016", "7000229"}
EXCHANGE_WAIT_S, PROJECTS_WAIT_S = 300.0, 600.0
TRIES = 60  # in the time that there is: every 5 seconds for Entra, every 10 for Foundry
TIMEOUT_S = 30.0
OK, UNAUTHORIZED, FORBIDDEN = 200, 401, 403
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FOUNDRY = re.compile(r"services\.ai\.azure\.(com|us|cn)(:\d+)?")  # where accounts answer, and nobody else
CLOSED = re.compile(r"public access is disabled|virtual network|firewall", re.IGNORECASE)
TOKEN = re.compile(r"eyJ[\w-]{6,}[\w.-]*")


class FailedError(Exception):
    """A step cannot go on. `code` is Entra's ("AADSTS700213"), or nothing."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.message = harmless(message)
        self.code = code


class _NoRedirects(HTTPRedirectHandler):
    """A token is never sent on to where an answer points."""

    def redirect_request(self, *_: Any) -> None:
        """Return the redirect itself as the answer."""
        return


def harmless(text: str) -> str:
    """One line of a service's text: without anything like a token, and without commands to the runner."""
    line = TOKEN.sub("(a token)", " ".join(text.split()))[:600]
    return re.sub(r"^::|##\[", "(command) ", line)


def send(url: str, headers: Mapping[str, str], body: bytes | None = None) -> tuple[int, str]:
    """Ask once. Returns the status (0: no answer) and the body, or why there is no answer."""
    if not host_of(url):
        return 0, "the address is not https://"
    request = Request(url, data=body, headers=dict(headers))  # noqa: S310 - https, see above
    try:
        with build_opener(_NoRedirects).open(request, timeout=TIMEOUT_S) as answer:
            return int(answer.status), answer.read().decode("utf-8", "replace")
    except HTTPError as error:
        return error.code, error.read().decode("utf-8", "replace")
    except (URLError, OSError) as error:
        return 0, str(getattr(error, "reason", error))
    except (http.client.HTTPException, ValueError) as error:
        return 0, type(error).__name__  # its text may hold what was sent


def host_of(url: str) -> str:
    """The host of an https:// address, with its port if it has one; nothing for other addresses."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return parts.netloc.lower() if parts.scheme == "https" else ""


def parsed(text: str) -> dict[str, Any]:
    """The JSON object in a text, or an empty one."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def claims_of(assertion: str) -> dict[str, Any]:
    """What a token says, without its one-time id."""
    payload = [*assertion.split("."), "", ""][1]
    try:
        text = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode("utf-8", "replace")
    except ValueError:
        return {}
    return {name: value for name, value in parsed(text).items() if name != "jti"}


def seconds(request: Mapping[str, Any], name: str, most: float) -> float:
    """How long the request lets us wait: never longer than the usual."""
    value = request.get(name)
    return float(min(most, max(0.0, value))) if isinstance(value, (int, float)) else most


def neighbours(own: str, other: str) -> bool:
    """Whether the token may go to `other`: the same host, or another Foundry account of the same cloud, on the same port.

    Not siblings in any domain: under one that lets everybody register a name, a stranger could wait for the token.
    """
    if own == other:
        return bool(own)
    mine, its = own.split("."), other.split(".")
    alike = mine[1:] == its[1:] and FOUNDRY.fullmatch(".".join(mine[1:]))
    names = re.fullmatch(r"[a-z0-9-]+", its[0]) and not its[-1].split(":")[0].isdecimal()
    return bool(alike and names)


class Probe:
    """One job's look at the world. `env` is the process's environment."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.request = parsed(env.get("TRUSTSMITH_REQUEST", ""))
        self.result: dict[str, Any] = {
            "schema": 1,
            "nonce": env.get("TRUSTSMITH_NONCE", ""),
            "environment": env.get("TRUSTSMITH_ENVIRONMENT", ""),
            "issuer": "",
            "subject": "",
            "audience": "",
            "client_id": env.get("AZURE_CLIENT_ID", "").strip(),
            "tenant": env.get("AZURE_TENANT_ID", "").strip(),
            "claims": {},
            "exchange": {"ok": False, "code": "", "message": "", "waited_s": 0},
            "projects": [],
            "others": {},
        }

    def clock(self) -> float:
        """Seconds, from any start."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let them pass."""
        time.sleep(seconds)

    # -- the exchange ---------------------------------------------------------------------------------------

    def assertion(self) -> str:
        """A fresh token of GitHub's, good for five minutes."""
        url, key = (self.env.get(f"ACTIONS_ID_TOKEN_REQUEST_{name}", "") for name in ("URL", "TOKEN"))
        if not url or not key:
            raise FailedError("GitHub offers this job no token: it needs `permissions: id-token: write`.")
        audience = self.env.get("TRUSTSMITH_AUDIENCE", "")
        status, text = send(f"{url}&audience={quote(audience, safe='')}", {"Authorization": f"bearer {key}"})
        value = parsed(text).get("value")
        if status != OK or not isinstance(value, str):
            raise FailedError(f"GitHub gave no token (HTTP {status}): {'' if status == OK else text}")
        claims = claims_of(value)
        seen = {"issuer": claims.get("iss"), "subject": claims.get("sub"), "audience": claims.get("aud")}
        self.result.update(seen, claims=claims)
        return value

    def access_token(self) -> str:
        """Exchange a fresh assertion once. Raises FailedError with Entra's code."""
        client, tenant = self.result["client_id"], self.result["tenant"]
        for name, value in (("AZURE_CLIENT_ID", client), ("AZURE_TENANT_ID", tenant)):
            if not value:
                raise FailedError(f"{name} is empty in this environment.")
        form = {
            "client_id": client,
            "scope": self.env.get("TRUSTSMITH_SCOPE", ""),
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": self.assertion(),
            "grant_type": "client_credentials",
        }
        authority = self.env.get("TRUSTSMITH_AUTHORITY", "").rstrip("/")
        url = f"{authority}/{quote(tenant, safe='')}/oauth2/v2.0/token"
        status, text = send(url, {}, urlencode(form).encode())
        token = parsed(text).get("access_token")
        if status == OK and isinstance(token, str):
            return token
        raise refusal(status, "" if status == OK else text)

    def exchange(self) -> str:
        """The token for Foundry, waited for while Entra's answer may be that of a server that lags."""
        budget = seconds(self.request, "exchange_wait_s", EXCHANGE_WAIT_S)
        began, pause, outcome = self.clock(), budget / TRIES, self.result["exchange"]
        while True:
            waited = self.clock() - began
            outcome["waited_s"] = round(waited, 1)
            try:
                token = self.access_token()
            except FailedError as failed:
                outcome.update(code=failed.code, message=failed.message)
                if failed.code.replace("AADSTS", "") not in PROPAGATION or waited + pause > budget:
                    raise
                why = (
                    f"{failed.code}: a new federated credential takes minutes to reach all of Entra's servers"
                )
                say(f"Waiting {pause:.0f} s of at most {budget - waited:.0f} s ({why}).")
                self.sleep(pause)
            else:
                outcome.update(ok=True, code="", message="")
                return token

    # -- the projects ---------------------------------------------------------------------------------------

    def own(self) -> list[str]:
        """The endpoints of this environment's projects."""
        names = [name for name in self.env if re.fullmatch(r"AZURE_AI_PROJECT_ENDPOINT(_\d+)?", name)]
        names.sort(key=lambda name: int(name.rpartition("_")[2]) if name[-1].isdecimal() else 1)
        return [self.env[name].strip().rstrip("/") for name in names]

    def call(self, endpoint: str, token: str) -> tuple[int, str]:
        """List a project's agents once: the status and what was said."""
        return send(f"{endpoint}/agents?api-version=v1", {"Authorization": f"Bearer {token}"})

    def addresses(self, host: str) -> list[str]:
        """What this machine's DNS says of a host."""
        try:
            return sorted({str(found[4][0]) for found in socket.getaddrinfo(host, 443)})
        except (OSError, UnicodeError):
            return []

    def reach(self, token: str) -> None:
        """Call each own project, waiting until its role counts."""
        budget = seconds(self.request, "projects_wait_s", PROJECTS_WAIT_S)
        until = self.clock() + budget
        for endpoint in self.own():
            began, pause = self.clock(), budget / TRIES
            status, text = self.call(endpoint, token)
            while status in (UNAUTHORIZED, FORBIDDEN) and not CLOSED.search(text):
                left = until - self.clock()
                if left < pause:
                    break
                why = f"HTTP {status}: a new role takes up to ten minutes to count"
                say(f"Waiting {pause:.0f} s of at most {left:.0f} s ({why}).")
                self.sleep(pause)
                status, text = self.call(endpoint, token)
            host = re.sub(r":\d+$", "", host_of(endpoint))
            found = {"endpoint": endpoint, "host": host, "addresses": self.addresses(host), "status": status}
            waited = round(self.clock() - began, 1)
            self.result["projects"].append(
                {**found, "waited_s": waited, "message": "" if status == OK else harmless(text)}
            )
            say(f"{endpoint}: HTTP {status} after {waited:.0f} s.")

    def intrude(self, token: str) -> None:
        """Call the projects of the other environments, which must not open."""
        own = self.own()
        hosts = {host_of(endpoint) for endpoint in own}
        others = self.request.get("others")
        for name, endpoints in others.items() if isinstance(others, dict) else ():
            if name == self.result["environment"]:
                continue
            found = self.result["others"].setdefault(str(name), [])
            for endpoint in endpoints if isinstance(endpoints, list) else ():
                if str(endpoint).rstrip("/") in own:
                    continue
                near = any(neighbours(host, host_of(str(endpoint))) for host in hosts)
                status, said = None, "not called, as it is in another domain"
                if near:
                    status, text = self.call(str(endpoint).rstrip("/"), token)
                    said = f"HTTP {status}"
                    if CLOSED.search(text):  # says nothing about the identity's rights
                        status, said = None, "closed to this network"
                say(f"{harmless(str(name))}'s project: {said}.")
                found.append({"endpoint": str(endpoint), "status": status})

    def excused(self) -> list[str]:
        """The environments whose projects the job may reach, since it has their identity, or deploys there, too."""
        told = self.request.get("excused")
        mine = told.get(self.result["environment"]) if isinstance(told, dict) else None
        return [str(name) for name in mine] if isinstance(mine, list) else []

    # -- in order -------------------------------------------------------------------------------------------

    @property
    def sound(self) -> bool:
        """Whether all is as it should be."""
        others = {n: found for n, found in self.result["others"].items() if n not in self.excused()}
        entered = [other["status"] for found in others.values() for other in found]
        own = [project["status"] for project in self.result["projects"]]
        return bool(self.result["exchange"]["ok"] and set(own) == {OK} and OK not in entered)

    def step_exchange(self) -> str:
        """Exchange the token and say so. Raises FailedError."""
        token = self.exchange()
        waited = self.result["exchange"]["waited_s"]
        say(f"Entra exchanged the token of {self.result['subject']} after {waited:.0f} s.")
        return token

    def run(self, step: str) -> bool:
        """Do one step of the job (`exchange`, then `projects`), or both (nothing). Returns whether it is sound."""
        try:
            token = self.step_exchange()
            if step == "exchange":
                self.remember()
                return True
            self.result["exchange"]["waited_s"] += self.remembered()
            self.reach(token)
            self.intrude(token)
        except FailedError as failed:
            self.result["exchange"].update(code=failed.code, message=failed.message)
            say(f"No token for Foundry: {failed.message}")
        print(MARK + encoded(self.result), flush=True)
        return self.sound

    def note(self) -> Path:
        """Where the first step tells the second how long it waited."""
        return Path(self.env.get("RUNNER_TEMP", ""), "trustsmith-waited")

    def remember(self) -> None:
        """Write that down, where there is a place for it."""
        if self.env.get("RUNNER_TEMP"):
            self.note().write_text(str(self.result["exchange"]["waited_s"]), encoding="utf-8")

    def remembered(self) -> float:
        """Read it."""
        try:
            return float(self.note().read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return 0


def refusal(status: int, text: str) -> FailedError:
    """Entra's no, by the code in its body."""
    body = parsed(text)
    codes = body.get("error_codes")
    code = f"AADSTS{codes[0]}" if isinstance(codes, list) and codes else ""
    said = str(body.get("error_description") or text).partition(" Trace ID:")[0]
    return FailedError(said if code else f"Entra gave no token (HTTP {status}): {said}", code)


def encoded(result: Mapping[str, Any]) -> str:
    """The result as base64 of JSON that the runner leaves alone.

    It stars out secrets (and ids are often kept as such) in plain and in base64, so every second character of a text
    is written as JSON's escape: then neither is there.
    """

    def scattered(text: re.Match[str]) -> str:
        units = re.findall(r"\\u[0-9a-f]{4}|\\.|.", text[0][1:-1])
        spelled = [f"\\u{ord(c):04x}" if n % 2 and len(c) == 1 else c for n, c in enumerate(units)]
        return f'"{"".join(spelled)}"'

    document = re.sub(r'"(?:[^"\\]|\\.)*"', scattered, json.dumps(result))
    return base64.b64encode(document.encode()).decode()


def say(text: str) -> None:
    """A line for people who read the log."""
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(0 if Probe(os.environ).run("".join(sys.argv[1:2])) else 1)
