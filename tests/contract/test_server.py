"""The sandbox as a program: what it writes, how it stops, and the faults and delays that one can ask for."""

from __future__ import annotations

import json
import signal
import socket
import ssl
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.contract.callers import Caller, ask_for_token, graph_of
from tests.contract.github_contract import client
from tests.contract.workflows import Hub, alive
from trustsmith_sandbox import coverage

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Sandbox

_EXPORTS = {
    "TRUSTSMITH_SANDBOX",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_AUTHORITY_HOST",
    "GH_TOKEN",
    "SSL_CERT_FILE",
    "REQUESTS_CA_BUNDLE",
    "TRUSTSMITH_ENDPOINTS",
}


@pytest.fixture
def graph(sandbox: Sandbox) -> Caller:
    return replace(graph_of(sandbox), checks=False)


def test_exports_and_endpoints(sandbox: Sandbox) -> None:
    assert set(sandbox.env) == _EXPORTS
    endpoints = json.loads(Path(sandbox.env["TRUSTSMITH_ENDPOINTS"]).read_text())
    assert endpoints == {
        "schema": 1,
        "azure": {
            "authority": sandbox.origin,
            "graph": sandbox.origin,
            "resource_manager": sandbox.origin,
            "graph_scope": f"{sandbox.origin}/.default",
            "resource_manager_scope": f"{sandbox.origin}/arm/.default",
            "foundry_scope": "https://ai.azure.com/.default",
            "audience": "api://AzureADTokenExchange",
        },
        "github": {
            "api": f"{sandbox.origin}/api/v3",
            "issuer": f"{sandbox.origin}/_services/token",
            "web": sandbox.origin,
        },
        "ca_bundle": sandbox.env["SSL_CERT_FILE"],
    }


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stops_cleanly(start_sandbox: Callable[..., Sandbox], tmp_path: Path, number: signal.Signals) -> None:
    own = start_sandbox()
    with client(own) as github:
        Hub(own, github).asleep(tmp_path / "pids")
    own.http.get(f"{own.origin}/_sandbox/state")  # a connection that is kept alive must not hold it up
    own.process.send_signal(number)
    assert own.process.wait(5) == 0
    assert not Path(own.env["SSL_CERT_FILE"]).exists()
    assert not alive(tmp_path / "pids")


def test_unknown_route_says_its_name(sandbox: Sandbox, graph: Caller) -> None:
    answer = graph.get("/v1.0/sites/root", status=501)
    assert "GET /v1.0/sites/root" in answer["error"]["message"]
    assert "DELETE /nobody/here" in sandbox.http.delete(f"{sandbox.origin}/nobody/here").text


def test_log_has_no_secrets(sandbox: Sandbox, graph: Caller) -> None:
    graph.get("/v1.0/applications?$filter=displayName eq 'needle'")
    lines = [json.loads(line) for line in sandbox.log.read_text().splitlines()]
    assert lines[-1] | {"ms": 0} == {
        "service": "graph",
        "method": "GET",
        "path": "/v1.0/applications",
        "status": 200,
        "ms": 0,
    }
    assert "needle" not in sandbox.log.read_text()


def _fault(**wanted: Any) -> dict[str, Any]:
    return {"service": "graph", "method": "POST", "path": "/v1.0/applications", **wanted}


def _names(sandbox: Sandbox) -> list[str]:
    return [app["displayName"] for app in sandbox.state()["applications"].values()]


@pytest.mark.parametrize(("when", "done"), [("before", False), ("after", True)])
def test_fault_answers_before_or_after_doing_it(
    sandbox: Sandbox, graph: Caller, when: str, *, done: bool
) -> None:
    sandbox.control("faults", _fault(when=when, status=503, retry_after=2))
    answer = graph.raw("POST", "/v1.0/applications", {"displayName": "faulty"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert ("faulty" in _names(sandbox)) is done
    graph.call("POST", "/v1.0/applications", {"displayName": "healthy"}, status=201)


@pytest.mark.parametrize(("when", "done"), [("cut-before", False), ("cut", True)])
def test_fault_cuts_the_connection(sandbox: Sandbox, graph: Caller, when: str, *, done: bool) -> None:
    sandbox.control("faults", _fault(when=when))
    with pytest.raises(httpx.TransportError):
        graph.raw("POST", "/v1.0/applications", {"displayName": "cut off"})
    assert ("cut off" in _names(sandbox)) is done


def test_fault_nth_times_and_garbage(sandbox: Sandbox, graph: Caller) -> None:
    sandbox.control("faults", _fault(method="GET", path="/v1.0/app*", nth=2, times=2, when="garbage"))
    bodies = [graph.raw("GET", "/v1.0/applications").text for _ in range(4)]
    assert [body.endswith("}") for body in bodies] == [True, False, False, True]


@pytest.mark.parametrize("wrong", [{"whn": "before"}, {"when": "never"}, {"path": "("}, {"path": 5}, "text"])
def test_fault_with_a_typo_is_refused(sandbox: Sandbox, wrong: Any) -> None:
    assert sandbox.http.post(f"{sandbox.origin}/_sandbox/faults", json=wrong).status_code == 400


@pytest.mark.parametrize(
    ("path", "struck"),
    [
        ("/v1.0/applications", True),
        ("/V1.0/APPL*", True),
        ("/v1.0/app", False),
        ("applications$", True),
        ("^/beta", False),
    ],
)
def test_where_a_fault_strikes(sandbox: Sandbox, graph: Caller, path: str, *, struck: bool) -> None:
    sandbox.control("faults", {"path": path})
    assert (graph.raw("GET", "/v1.0/applications").status_code == 503) is struck


def test_latency_and_slow_faults(sandbox: Sandbox, graph: Caller) -> None:
    sandbox.control("latency", {"ms": 80})
    started = time.monotonic()
    graph.get("/v1.0/applications")
    assert time.monotonic() - started >= 0.08
    sandbox.control("latency", {"ms": 0})
    sandbox.control("faults", _fault(method="GET", when="slow", retry_after=0.1))
    started = time.monotonic()
    graph.get("/v1.0/applications")
    assert time.monotonic() - started >= 0.1


def test_reset_and_seed_take_what_state_gives(
    sandbox: Sandbox, graph: Caller, start_sandbox: Callable[..., Sandbox], tmp_path: Path
) -> None:
    before = sandbox.state()
    made = graph.call("POST", "/v1.0/applications", {"displayName": "kept"}, status=201)
    changed = sandbox.state()
    sandbox.control("reset")
    assert sandbox.state() == before
    sandbox.control("reset", changed)
    assert sandbox.state() == changed
    assert graph.get(f"/v1.0/applications/{made['id']}")["displayName"] == "kept"
    seed = tmp_path / "seed.json"
    seed.write_text(json.dumps(changed))
    assert start_sandbox("--seed", str(seed)).state() == changed


def test_answers_are_not_held_back(graph: Caller) -> None:
    took = []
    for _ in range(10):
        started = time.monotonic()
        graph.get("/v1.0/applications?$top=1")
        took.append(time.monotonic() - started)
    assert min(took) < 0.03, "Nagle's algorithm and delayed acknowledgements wait 40 ms for each other"


def test_clock_makes_tokens_expire(sandbox: Sandbox, graph: Caller) -> None:
    graph.get("/v1.0/applications")
    sandbox.control("clock", {"advance_s": 4000})
    answer = graph.get("/v1.0/applications", status=401)
    assert answer["error"]["code"] == "InvalidAuthenticationToken"


def test_production_names(start_sandbox: Callable[..., Sandbox]) -> None:
    own = start_sandbox("--production-names")
    elsewhere, led_here = (
        {"AZURE_AUTHORITY_HOST", "TRUSTSMITH_ENDPOINTS"},
        {"HTTPS_PROXY", "NODE_USE_ENV_PROXY"},
    )
    assert set(own.env) == _EXPORTS - elsewhere | led_here
    arm = Caller(own, "https://management.azure.com/.default", "management.azure.com")
    listed = arm.get("/subscriptions?api-version=2022-12-01")["value"]
    scope = f"{listed[0]['id']}/resourceGroups/rg-foundry-dev/providers/Microsoft.CognitiveServices/accounts/foundry-dev"
    project = arm.get(f"{scope}/projects/agents?api-version=2025-06-01")
    endpoint = project["properties"]["endpoints"]["AI Foundry API"]
    assert endpoint == "https://foundry-dev.services.ai.azure.com/api/projects/agents"
    foundry = Caller(own, "https://ai.azure.com/.default", "foundry-dev.services.ai.azure.com", checks=False)
    assert (
        foundry.get("/api/projects/agents/agents?api-version=v1", status=403)["error"]["code"]
        == "PermissionDenied"
    )
    graph = Caller(own, "https://graph.microsoft.com/.default", "graph.microsoft.com")
    page = graph.get("/v1.0/applications?$top=1")
    assert page["@odata.nextLink"].startswith("https://graph.microsoft.com/v1.0/applications?")


def test_a_job_under_production_names(start_sandbox: Callable[..., Sandbox]) -> None:
    own = start_sandbox("--production-names")
    job = own.control("jobs", {"repository": "contoso/agents", "environment": "dev"})
    url = urlsplit(job["ACTIONS_ID_TOKEN_REQUEST_URL"])
    assert url.netloc == "token.actions.githubusercontent.com"
    headers = {"Host": url.netloc, "Authorization": f"bearer {job['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"}
    audience = "api://AzureADTokenExchange"
    asked = f"{own.origin}{url.path}?{url.query}&audience={audience}"
    assertion = own.http.get(asked, headers=headers).json()["value"]
    graph = Caller(own, "https://graph.microsoft.com/.default", "graph.microsoft.com")
    app = graph.call("POST", "/v1.0/applications", {"displayName": "job"}, status=201)
    graph.call("POST", "/v1.0/servicePrincipals", {"appId": app["appId"]}, status=201)
    trust = {"name": "dev", "issuer": f"https://{url.netloc}", "subject": job["sub"], "audiences": [audience]}
    graph.call("POST", f"/v1.0/applications/{app['id']}/federatedIdentityCredentials", trust, status=201)
    fields = {
        "client_id": app["appId"],
        "client_assertion": assertion,
        "scope": "https://ai.azure.com/.default",
    }
    assert ask_for_token(own, host="login.microsoftonline.com", **fields).status_code == 200


def test_the_certificate_has_the_production_names(start_sandbox: Callable[..., Sandbox]) -> None:
    own = start_sandbox("--production-names")
    trust = ssl.create_default_context(cafile=own.env["SSL_CERT_FILE"])
    address = ("127.0.0.1", urlsplit(own.origin).port or 0)
    for name in (
        "api.github.com",
        "login.microsoftonline.com",
        "productionresultssa0.blob.core.windows.net",
        "foundry-prod.services.ai.azure.com",
        "localhost",
    ):
        with (
            socket.create_connection(address) as plain,
            trust.wrap_socket(plain, server_hostname=name) as secure,
        ):
            assert secure.version()


def test_the_documented_coverage_is_the_real_one() -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")
    assert coverage.table() in text
