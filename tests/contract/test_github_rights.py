"""The sandbox's GitHub, as far as a token, a plan or a policy can be in the way; and what enterprises add to tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt
import pytest

from tests.contract.github_contract import ADMIN, WRITER, client

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from tests.conftest import Sandbox

AGENTS, PROD = "/repos/contoso/agents", "/repos/contoso/agents/environments/prod"
CLASSIC, FINE_GRAINED = "ghp_sandbox-classic-token", "github_pat_sandbox-fine-grained-token"
APP = "ghs_sandbox-installation-token"
_EXPIRY = "github-authentication-token-expiration"


def _changed(sandbox: Sandbox, change: Callable[[dict[str, Any]], object]) -> None:
    world = sandbox.state()
    change(world["github"])
    sandbox.control("reset", world)


def _get(sandbox: Sandbox, token: str, path: str) -> httpx.Response:
    with client(sandbox, token) as http:
        return http.get(path)


@pytest.mark.parametrize(
    ("token", "scopes", "expires"),
    [
        (CLASSIC, "repo, workflow, admin:org, read:user", True),
        (ADMIN, "repo, workflow, admin:org", False),
        (FINE_GRAINED, None, True),
        (APP, None, False),
    ],
)
def test_what_headers_say_about_a_token(
    sandbox: Sandbox, token: str, scopes: str | None, *, expires: bool
) -> None:
    answer = _get(sandbox, token, AGENTS)
    assert answer.headers.get("x-oauth-scopes") == scopes
    assert answer.headers.get(_EXPIRY) == ("2099-01-05 09:00:00 UTC" if expires else None)


def test_what_each_kind_may(sandbox: Sandbox) -> None:
    for token in (CLASSIC, FINE_GRAINED, APP):
        with client(sandbox, token) as http:
            assert http.put(PROD).status_code == 200
    _changed(sandbox, lambda github: github["tokens"][FINE_GRAINED]["permissions"].pop("administration"))
    with client(sandbox, FINE_GRAINED) as http:
        refused = http.put(PROD)
    assert refused.status_code == 403
    assert refused.headers["x-accepted-github-permissions"] == "administration=write"
    assert _get(sandbox, APP, "/user").status_code == 403
    assert _get(sandbox, APP, "/repos/contoso/legacy").status_code == 404


def test_a_token_that_has_run_out(sandbox: Sandbox) -> None:
    _changed(sandbox, lambda github: github["tokens"][FINE_GRAINED].update(expires_at="2026-01-06T00:00:00Z"))
    refused = _get(sandbox, FINE_GRAINED, AGENTS)
    assert (refused.status_code, refused.json()["message"]) == (401, "Bad credentials")


def test_single_sign_on(sandbox: Sandbox) -> None:
    _changed(sandbox, lambda github: github["organizations"]["contoso"].update(saml_required=True))
    for path in (AGENTS, "/orgs/contoso/actions/permissions"):
        refused = _get(sandbox, ADMIN, path)
        assert refused.status_code == 403
        assert refused.headers["x-github-sso"].startswith("required; url=https://")
        assert _get(sandbox, CLASSIC, path).status_code == 200
    assert _get(sandbox, FINE_GRAINED, AGENTS).status_code == 200
    assert _get(sandbox, ADMIN, "/repos/octocat/hello-world").status_code == 200


def test_plans_and_visibility(sandbox: Sandbox) -> None:
    plans = {
        name: _get(sandbox, ADMIN, f"/orgs/{name}").json()["plan"]["name"]
        for name in ("contoso", "fabrikam", "tailwind")
    }
    assert plans == {"contoso": "enterprise", "fabrikam": "team", "tailwind": "free"}
    assert "plan" not in _get(sandbox, WRITER, "/orgs/tailwind").json()
    assert _get(sandbox, CLASSIC, "/user").json()["plan"]["name"] == "free"
    assert "plan" not in _get(sandbox, ADMIN, "/user").json()
    _changed(sandbox, lambda github: github["repositories"]["4001"].update(disabled=True, archived=True))
    shown = _get(sandbox, ADMIN, AGENTS).json()
    assert (shown["visibility"], shown["private"]) == ("private", True)
    assert (shown["disabled"], shown["archived"], shown["permissions"]["admin"]) == (True, True, True)


@pytest.mark.parametrize("place", [AGENTS, "/orgs/contoso"])
def test_which_actions_are_allowed(sandbox: Sandbox, place: str) -> None:
    path = f"{place}/actions/permissions"
    plain = _get(sandbox, ADMIN, path).json()
    assert (plain["allowed_actions"], plain["sha_pinning_required"]) == ("all", False)
    assert "selected" not in plain
    assert _get(sandbox, ADMIN, f"{path}/selected-actions").status_code == 409
    chosen = {"github_owned_allowed": True, "verified_allowed": False, "patterns_allowed": ["azure/*"]}

    def restrict(github: dict[str, Any]) -> None:
        for owner in (github["repositories"]["4001"], github["organizations"]["contoso"]):
            owner["actions"] |= {"allowed_actions": "selected", "selected": chosen}

    _changed(sandbox, restrict)
    url = _get(sandbox, ADMIN, path).json()["selected_actions_url"]
    assert url == f"{sandbox.origin}/api/v3{path}/selected-actions"
    assert _get(sandbox, ADMIN, f"{path}/selected-actions").json() == chosen
    assert _get(sandbox, WRITER, f"{path}/selected-actions").status_code == 404


def _claims(sandbox: Sandbox) -> dict[str, Any]:
    job = sandbox.control("jobs", {"repository": "contoso/agents", "environment": "prod"})
    bearer = {"Authorization": f"bearer {job['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"}
    token = sandbox.http.get(job["ACTIONS_ID_TOKEN_REQUEST_URL"], headers=bearer).json()["value"]
    issuer = jwt.decode(token, options={"verify_signature": False})["iss"]
    found = sandbox.http.get(f"{issuer}/.well-known/openid-configuration").json()
    assert found["issuer"] == issuer
    key = jwt.PyJWKSet.from_dict(sandbox.http.get(found["jwks_uri"]).json()).keys[0]
    options: Any = {"verify_aud": False}
    claims: dict[str, Any] = jwt.decode(token, key, algorithms=["RS256"], options=options, leeway=2)
    return claims


def test_custom_properties_in_tokens(sandbox: Sandbox) -> None:
    _changed(sandbox, lambda github: github["repositories"]["4001"].update(custom_properties={"team": "ai"}))
    values = _get(sandbox, FINE_GRAINED, f"{AGENTS}/properties/values").json()
    assert values == [{"property_name": "team", "value": "ai"}]
    assert "repo_property_team" not in _claims(sandbox)
    path = "/orgs/contoso/actions/oidc/customization/properties/repo"
    with client(sandbox) as http:
        assert http.post(path, json={"custom_property_name": "team"}).status_code == 201
        assert http.post(path, json={"custom_property_name": "team"}).status_code == 422
        assert [each["custom_property_name"] for each in http.get(path).json()] == ["team"]
        keys = ["repo", "context", "repo_property_team", "enterprise"]
        template = {"use_default": False, "include_claim_keys": keys}
        assert http.put(f"{AGENTS}/actions/oidc/customization/sub", json=template).status_code == 201
        claims = _claims(sandbox)
        assert http.delete(f"{path}/team").status_code == 204
        assert http.delete(f"{path}/team").status_code == 404
    assert (claims["repo_property_team"], claims["enterprise_id"]) == ("ai", "501")
    assert claims["sub"].endswith(":environment:prod:repo_property_team:ai:enterprise:contoso-group")


def test_an_enterprise_with_an_issuer_of_its_own(sandbox: Sandbox) -> None:
    issuer = f"{sandbox.origin}/_services/token"
    assert _claims(sandbox)["iss"] == issuer
    _changed(
        sandbox,
        lambda github: github["organizations"]["contoso"]["enterprise"].update(include_enterprise_slug=True),
    )
    assert _claims(sandbox)["iss"] == f"{issuer}/contoso-group"
    unknown = sandbox.http.get(f"{issuer}/nobody/.well-known/openid-configuration")
    assert unknown.status_code == 404


@pytest.mark.parametrize(
    ("path", "token", "shown"),
    [
        ("/orgs/contoso/repos", ADMIN, {"agents", "legacy"}),
        ("/orgs/contoso/repos", APP, {"agents"}),
        ("/users/octocat/repos", WRITER, {"hello-world"}),
        ("/user/repos?affiliation=owner", ADMIN, {"hello-world"}),
        ("/orgs/northwind/repos", WRITER, {"shop", "website"}),
    ],
)
def test_whose_repositories_are_shown_to_whom(
    sandbox: Sandbox, path: str, token: str, shown: set[str]
) -> None:
    found = _get(sandbox, token, path).json()
    assert {each["name"] for each in found} == shown


def test_an_empty_repository_says_so(sandbox: Sandbox) -> None:
    """GitHub REST, "Git refs": 409."""
    answer = _get(sandbox, ADMIN, "/repos/northwind/ideas/git/ref/heads/main")
    assert (answer.status_code, answer.json()["message"]) == (409, "Git Repository is empty.")
