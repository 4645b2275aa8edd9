"""Plain HTTPS callers of the sandbox: no SDK between the test and the wire."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from tests.contract import azure_contract

if TYPE_CHECKING:
    import httpx

    from tests.conftest import Sandbox

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def ask_for_token(sandbox: Sandbox, **fields: str) -> httpx.Response:
    """Ask for a token; by default as the operator, for Graph. ``tenant=`` and ``host=`` go elsewhere."""
    tenant = fields.pop("tenant", sandbox.env["AZURE_TENANT_ID"])
    headers = {"Host": fields.pop("host", urlsplit(sandbox.origin).netloc)}
    form = {
        "grant_type": "client_credentials",
        "client_id": sandbox.env["AZURE_CLIENT_ID"],
        "scope": f"{sandbox.origin}//.default",
        "client_assertion_type": JWT_BEARER,
        "client_assertion": Path(sandbox.env["AZURE_FEDERATED_TOKEN_FILE"]).read_text(),
    }
    wanted = {name: value for name, value in (form | fields).items() if value}
    return sandbox.http.post(f"{sandbox.origin}/{tenant}/oauth2/v2.0/token", data=wanted, headers=headers)


@dataclass(frozen=True)
class Caller:
    """Calls one service with one identity; ``host`` for production names, ``who`` for other token fields."""

    sandbox: Sandbox
    scope: str
    host: str | None = None
    who: tuple[tuple[str, str], ...] = ()
    checks: bool = True
    user: str | None = None

    @cached_property
    def token(self) -> str:
        """The bearer, fetched once: an application's, or that of the ``user`` who is signed in."""
        if self.user:
            wanted = {"user": self.user, "resource": self.scope.removesuffix("/.default")}
            return str(self.sandbox.control("token", wanted)["accessToken"])
        where = {"host": "login.microsoftonline.com"} if self.host else {}
        answer = ask_for_token(self.sandbox, scope=self.scope, **where, **dict(self.who))
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def raw(self, method: str, path: str, json: Any = None, **headers: str) -> httpx.Response:
        """Send a request (underscores in header names stand for dashes) and return the response."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent |= {"Authorization": f"Bearer {self.token}"} | ({"Host": self.host} if self.host else {})
        answer = self.sandbox.http.request(method, self.sandbox.origin + path, json=json, headers=sent)
        if self.checks:
            azure_contract.check(answer)
        return answer

    def call(self, method: str, path: str, json: Any = None, *, status: int = 200, **headers: str) -> Any:
        """Send a request, check its status, and return its JSON (None if empty)."""
        answer = self.raw(method, path, json, **headers)
        assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
        return answer.json() if answer.content else None

    def get(self, path: str, *, status: int = 200, **headers: str) -> Any:
        """GET, see ``call``."""
        return self.call("GET", path, status=status, **headers)


def graph_of(sandbox: Sandbox, **who: str) -> Caller:
    """Return a caller of Graph."""
    return Caller(sandbox, f"{sandbox.origin}/.default", who=tuple(who.items()))


def arm_of(sandbox: Sandbox, **who: str) -> Caller:
    """Return a caller of Resource Manager."""
    return Caller(sandbox, f"{sandbox.origin}/arm/.default", who=tuple(who.items()))


def person_of(sandbox: Sandbox, user: str, scope: str) -> Caller:
    """Return a caller who is a person, signed in as Azure CLI signs them in."""
    return Caller(sandbox, scope, user=user)


def bystander(sandbox: Sandbox) -> dict[str, str]:
    """Return the token fields of the service principal that may do nothing."""
    assertion = Path(sandbox.env["AZURE_FEDERATED_TOKEN_FILE"]).with_name("bystander.jwt").read_text()
    return {"client_id": "0a000000-0000-0000-0000-000000000002", "client_assertion": assertion}
