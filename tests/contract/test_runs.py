"""Workflow runs at the sandbox's GitHub: dispatched, really run, held up by environments, and told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.contract.callers import graph_of
from tests.contract.github_contract import client
from tests.contract.workflows import AGENTS, Hub, check_trust

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Sandbox

SUBJECT = "repo:contoso@1001/agents@4001:environment:"


@pytest.fixture
def hub(sandbox: Sandbox) -> Iterator[Hub]:
    """The repository contoso/agents, as its administrator reaches it."""
    with client(sandbox) as http:
        yield Hub(sandbox, http)


def _trusted(hub: Hub, environment: str) -> None:
    """Make an application that trusts the environment, and tell the environment its ids."""
    graph = graph_of(hub.sandbox)
    application = graph.call("POST", "/v1.0/applications", {"displayName": environment}, status=201)
    graph.call("POST", "/v1.0/servicePrincipals", {"appId": application["appId"]}, status=201)
    trust = {
        "name": environment,
        "issuer": f"{hub.sandbox.origin}/_services/token",
        "subject": SUBJECT + environment,
        "audiences": ["api://AzureADTokenExchange"],
    }
    path = f"/v1.0/applications/{application['id']}/federatedIdentityCredentials"
    graph.call("POST", path, trust, status=201)
    place, tenant = f"{AGENTS}/environments/{environment}", hub.sandbox.env["AZURE_TENANT_ID"]
    hub.http.put(place)
    tokens = f"{hub.sandbox.origin}/{tenant}/oauth2/v2.0/token"
    for name, value in (("AZURE_CLIENT_ID", application["appId"]), ("TOKENS", tokens)):
        assert hub.http.post(f"{place}/variables", json={"name": name, "value": value}).is_success


class TestCheckTrust:
    def test_two_runs_at_once(self, hub: Hub) -> None:
        _trusted(hub, "dev")
        _trusted(hub, "prod")
        hub.push(check_trust("dev", "prod"))
        both = hub.dispatch(nonce="n1")
        one = hub.dispatch(nonce="n2", environment="prod")
        assert hub.ended(both) == hub.ended(one) == "success"
        assert hub.run(one)["display_title"] == "Check trust n2"
        ends = {name: job["conclusion"] for name, job in hub.jobs(one).items()}
        assert ends == {"check-dev": "skipped", "check-prod": "success"}
        for name in ("dev", "prod"):
            told = hub.told(both, f"check-{name}")
            assert (told["code"], told["subject"]) == ("ok", SUBJECT + name)
        claims = hub.told(one, "check-prod")["claims"]
        job = hub.jobs(one)["check-prod"]
        expected = {
            "run_id": str(one),
            "run_number": "2",
            "check_run_id": str(job["id"]),
            "actor": "octocat",
            "workflow": "check-trust",
            "workflow_ref": "contoso/agents/.github/workflows/check-trust.yml@refs/heads/main",
            "sha": hub.run(one)["head_sha"],
            "environment": "prod",
            "event_name": "workflow_dispatch",
        }
        assert {key: claims[key] for key in expected} == expected
