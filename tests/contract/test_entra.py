"""Entra's token endpoint: what it grants, and every way in which it refuses, by AADSTS number and status."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.contract.callers import Caller, arm_of, ask_for_token, graph_of

if TYPE_CHECKING:
    import httpx

    from tests.conftest import Sandbox

_AZ = "04b07795-8ddb-461a-bbee-02f9e1bf7b46"
_LEGACY = "0a000000-0000-0000-0000-000000000003"
_ENVELOPE = {
    "error",
    "error_description",
    "error_codes",
    "timestamp",
    "trace_id",
    "correlation_id",
    "error_uri",
}


def _refused(answer: httpx.Response) -> tuple[int, str, int]:
    """Return (status, error, AADSTS number), having checked the envelope."""
    body = answer.json()
    assert set(body) == _ENVELOPE
    assert body["error_description"].startswith(f"AADSTS{body['error_codes'][0]}: ")
    assert all(
        f"{label}: " in body["error_description"] for label in ("Trace ID", "Correlation ID", "Timestamp")
    )
    return answer.status_code, body["error"], body["error_codes"][0]


@pytest.mark.parametrize(
    "resource",
    [
        "https://graph.microsoft.com",
        "https://management.azure.com",
        "https://management.core.windows.net/",
        "https://ai.azure.com",
        "https://cognitiveservices.azure.com",
        "{origin}/arm",
        "{origin}/",
        "{origin}",
    ],
)
def test_token_is_signed_and_says_who(sandbox: Sandbox, resource: str) -> None:
    wanted = resource.format(origin=sandbox.origin)
    body = ask_for_token(sandbox, scope=wanted + "/.default").json()
    assert {key: body[key] for key in ("token_type", "expires_in")} == {
        "token_type": "Bearer",
        "expires_in": 3599,
    }
    claims = _verified(sandbox, body["access_token"], wanted)
    assert claims["oid"] == "0b000000-0000-0000-0000-000000000001"
    assert (claims["appid"], claims["tid"]) == (
        sandbox.env["AZURE_CLIENT_ID"],
        sandbox.env["AZURE_TENANT_ID"],
    )
    assert claims["idtyp"] == "app"


def _verified(sandbox: Sandbox, token: str, audience: str) -> dict[str, Any]:
    tenant = sandbox.env["AZURE_TENANT_ID"]
    found = sandbox.http.get(f"{sandbox.origin}/{tenant}/v2.0/.well-known/openid-configuration").json()
    keys = jwt.PyJWKSet.from_dict(sandbox.http.get(found["jwks_uri"]).json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    claims: dict[str, Any] = jwt.decode(token, key, algorithms=["RS256"], audience=audience)
    return claims


@pytest.mark.parametrize("tenant", ["common", "organizations", "contoso.onmicrosoft.com"])
def test_discovery(sandbox: Sandbox, tenant: str) -> None:
    found = sandbox.http.get(f"{sandbox.origin}/{tenant}/v2.0/.well-known/openid-configuration").json()
    assert found["token_endpoint"].startswith(sandbox.origin)
    instance = sandbox.http.get(f"{sandbox.origin}/common/discovery/instance").json()
    assert "tenant_discovery_endpoint" in instance


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"tenant": "no"}, (400, "invalid_request", 900023)),
        ({"tenant": "33333333-3333-3333-3333-333333333333"}, (400, "invalid_request", 90002)),
        ({"client_id": ""}, (400, "invalid_request", 900144)),
        ({"scope": ""}, (400, "invalid_request", 900144)),
        ({"scope": "https://graph.microsoft.com"}, (400, "invalid_scope", 70011)),
        ({"scope": "https://nobody.example/.default"}, (400, "invalid_resource", 500011)),
        ({"client_id": "44444444-4444-4444-4444-444444444444"}, (400, "unauthorized_client", 700016)),
        ({"tenant": "22222222-2222-2222-2222-222222222222"}, (400, "unauthorized_client", 700016)),
        ({"client_assertion": ""}, (401, "invalid_client", 7000218)),
        ({"client_assertion": "not.a.token"}, (400, "invalid_request", 50027)),
        ({"client_id": _LEGACY}, (401, "invalid_client", 70025)),
        ({"grant_type": "password"}, (400, "unsupported_grant_type", 70003)),
        ({"client_assertion": "", "client_secret": "wrong"}, (401, "invalid_client", 7000215)),
    ],
    ids=lambda value: str(value[2]) if isinstance(value, tuple) else None,
)
def test_refusals(sandbox: Sandbox, fields: dict[str, str], expected: tuple[int, str, int]) -> None:
    assert _refused(ask_for_token(sandbox, **fields)) == expected


def test_secret_of_the_old_world(sandbox: Sandbox) -> None:
    expired, secret = (f"sandbox-legacy-client-credential-{number}" for number in (1, 2))
    fields = {"client_id": _LEGACY, "client_assertion": "", "client_secret": expired}
    assert _refused(ask_for_token(sandbox, **fields)) == (401, "invalid_client", 7000222)
    fields["client_secret"] = secret
    assert ask_for_token(sandbox, **fields).status_code == 200
    sandbox.control("clock", {"advance_s": 3 * 365 * 86400})
    assert _refused(ask_for_token(sandbox, **fields)) == (401, "invalid_client", 7000222)


@pytest.fixture
def trusted(sandbox: Sandbox) -> dict[str, str]:
    """An application that trusts jobs of contoso/agents in the environment dev; returns its token fields."""
    sandbox.control("limits", {"github": False})
    return _trusting(sandbox, _job(sandbox)["sub"])


def _trusting(sandbox: Sandbox, subject: str, **changes: Any) -> dict[str, str]:
    graph = graph_of(sandbox)
    app = graph.call("POST", "/v1.0/applications", {"displayName": "job"}, status=201)
    graph.call("POST", "/v1.0/servicePrincipals", {"appId": app["appId"]}, status=201)
    credential = {
        "name": "dev",
        "issuer": f"{sandbox.origin}/_services/token",
        "subject": subject,
        "audiences": ["api://AzureADTokenExchange"],
        **changes,
    }
    graph.call("POST", f"/v1.0/applications/{app['id']}/federatedIdentityCredentials", credential, status=201)
    return {"client_id": app["appId"], "id": app["id"]}


def _job(sandbox: Sandbox, **wanted: Any) -> dict[str, Any]:
    job: dict[str, Any] = sandbox.control(
        "jobs", {"repository": "contoso/agents", "environment": "dev"} | wanted
    )
    return job


def _assertion(sandbox: Sandbox, job: dict[str, Any], audience: str = "api://AzureADTokenExchange") -> str:
    headers = {"Authorization": f"bearer {job['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"}
    url = f"{job['ACTIONS_ID_TOKEN_REQUEST_URL']}&audience={audience}"
    return str(sandbox.http.get(url, headers=headers).json()["value"])


def _exchange(sandbox: Sandbox, trusted: dict[str, str], assertion: str) -> httpx.Response:
    fields = {"client_id": trusted["client_id"], "client_assertion": assertion}
    return ask_for_token(sandbox, scope="https://ai.azure.com/.default", **fields)


def test_the_right_job_gets_a_token(sandbox: Sandbox, trusted: dict[str, str]) -> None:
    answer = _exchange(sandbox, trusted, _assertion(sandbox, _job(sandbox)))
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize(
    ("job", "code"),
    [
        ({"environment": "staging"}, 700213),
        ({"environment": None}, 700213),
        ({"environment": None, "event": "pull_request"}, 700213),
        ({"environment": "Dev"}, 7002138),
        ({"repository": "contoso/legacy"}, 700213),
    ],
    ids=["environment", "branch", "pull request", "case", "repository"],
)
def test_the_wrong_job_does_not(
    sandbox: Sandbox, trusted: dict[str, str], job: dict[str, Any], code: int
) -> None:
    answer = _exchange(sandbox, trusted, _assertion(sandbox, _job(sandbox, **job)))
    assert _refused(answer) == (401, "invalid_client", code)


def test_wrong_audience(sandbox: Sandbox, trusted: dict[str, str]) -> None:
    assertion = _assertion(sandbox, _job(sandbox), "https://github.com/contoso")
    assert _refused(_exchange(sandbox, trusted, assertion)) == (401, "invalid_client", 700212)


def test_expired(sandbox: Sandbox, trusted: dict[str, str]) -> None:
    assertion = _assertion(sandbox, _job(sandbox))
    sandbox.control("clock", {"advance_s": 301})
    assert _refused(_exchange(sandbox, trusted, assertion)) == (401, "invalid_client", 700024)


def test_forged(sandbox: Sandbox, trusted: dict[str, str]) -> None:
    genuine = _assertion(sandbox, _job(sandbox))
    claims = jwt.decode(genuine, options={"verify_signature": False})
    kid = jwt.get_unverified_header(genuine)["kid"]
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    secret = "a shared secret that is long enough"
    for forged in (
        jwt.encode(claims, other, algorithm="RS256", headers={"kid": kid}),
        jwt.encode(claims, secret, algorithm="HS256", headers={"kid": kid}),
        jwt.encode(claims, "", algorithm="none", headers={"kid": kid}),
    ):
        assert _refused(_exchange(sandbox, trusted, forged)) == (401, "invalid_client", 700027)


def test_issuer_with_a_slash_and_foreign_issuer(sandbox: Sandbox) -> None:
    subject = _job(sandbox)["sub"]
    slash = _trusting(sandbox, subject, issuer=f"{sandbox.origin}/_services/token/")
    answer = _exchange(sandbox, slash, _assertion(sandbox, _job(sandbox)))
    assert _refused(answer) == (401, "invalid_client", 700211)
    foreign = _trusting(sandbox, "me", issuer="https://issuer.example")
    claims = {
        "iss": "https://issuer.example",
        "sub": "me",
        "aud": "api://AzureADTokenExchange",
        "exp": time.time() + 60,
    }
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    answer = _exchange(sandbox, foreign, jwt.encode(claims, key, algorithm="RS256"))
    assert _refused(answer) == (400, "invalid_request", 50166)


def test_no_service_principal_and_a_disabled_one(sandbox: Sandbox, trusted: dict[str, str]) -> None:
    graph, assertion = graph_of(sandbox), _assertion(sandbox, _job(sandbox))
    graph.call(
        "PATCH",
        f"/v1.0/servicePrincipals(appId='{trusted['client_id']}')",
        {"accountEnabled": False},
        status=204,
    )
    assert _refused(_exchange(sandbox, trusted, assertion)) == (400, "unauthorized_client", 7000112)
    graph.call("DELETE", f"/v1.0/servicePrincipals(appId='{trusted['client_id']}')", status=204)
    assert _refused(_exchange(sandbox, trusted, assertion)) == (401, "invalid_client", 7000229)


def test_a_new_credential_takes_a_while(sandbox: Sandbox, trusted: dict[str, str]) -> None:
    sandbox.control("lag", {"replication_s": 60})
    sandbox.control("clock", {"advance_s": 100})
    path = f"/v1.0/applications/{trusted['id']}/federatedIdentityCredentials"
    staging = {
        "name": "staging",
        "issuer": f"{sandbox.origin}/_services/token",
        "subject": _job(sandbox, environment="staging")["sub"],
        "audiences": ["api://AzureADTokenExchange"],
    }
    graph_of(sandbox).call("POST", path, staging, status=201)
    assertion = _assertion(sandbox, _job(sandbox, environment="staging"))
    assert _refused(_exchange(sandbox, trusted, assertion)) == (401, "invalid_client", 700213)
    sandbox.control("clock", {"advance_s": 61})
    assert _exchange(sandbox, trusted, assertion).status_code == 200


def test_device_code(sandbox: Sandbox) -> None:
    root = f"{sandbox.origin}/organizations/oauth2/v2.0"
    scope = f"{sandbox.origin}/arm/.default openid profile offline_access"
    started = sandbox.http.post(f"{root}/devicecode", data={"client_id": _AZ, "scope": scope}).json()
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "client_id": _AZ}
    form["device_code"] = started["device_code"]
    waiting = sandbox.http.post(f"{root}/token", data=form)
    assert _refused(waiting) == (400, "authorization_pending", 70016)
    assert sandbox.control("devicecode", {"user": "admin@contoso.onmicrosoft.com"}) == {"approved": 1}
    tokens = sandbox.http.post(f"{root}/token", data=form).json()
    assert {"access_token", "refresh_token", "id_token", "client_info"} <= set(tokens)
    renewed = sandbox.http.post(
        f"{root}/token",
        data={
            "grant_type": "refresh_token",
            "client_id": _AZ,
            "refresh_token": tokens["refresh_token"],
            "scope": "https://graph.microsoft.com/.default",
        },
    ).json()
    me = sandbox.http.get(
        f"{sandbox.origin}/v1.0/me", headers={"Authorization": f"Bearer {renewed['access_token']}"}
    ).json()
    assert me["userPrincipalName"] == "admin@contoso.onmicrosoft.com"


def test_a_token_opens_only_what_it_is_for(sandbox: Sandbox) -> None:
    wrong = Caller(sandbox, "https://ai.azure.com/.default")
    assert wrong.get("/v1.0/applications", status=401)["error"]["code"] == "InvalidAuthenticationToken"
    answer = wrong.get("/subscriptions?api-version=2022-12-01", status=401)
    assert answer["error"]["code"] == "InvalidAuthenticationTokenAudience"
    assert arm_of(sandbox).get("/subscriptions?api-version=2022-12-01")["value"]


def test_the_operators_assertion_outlives_the_day(sandbox: Sandbox) -> None:
    sandbox.control("clock", {"advance_s": 30 * 86400})
    assert ask_for_token(sandbox).status_code == 200
    assert Path(sandbox.env["AZURE_FEDERATED_TOKEN_FILE"]).stat().st_mode & 0o077 == 0
