"""Jobs of the sandbox's GitHub Actions: what their tokens say, what they see, and where they may deploy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt
import pytest

from tests.contract.github_contract import client, put_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.conftest import Sandbox

AGENTS, LEGACY = "/repos/contoso/agents", "/repos/contoso/legacy"
TEMPLATE = f"{AGENTS}/actions/oidc/customization/sub"
AUDIENCE = "api://AzureADTokenExchange"
PROJECT_MANAGER = "eadc314b-1a2d-4efa-be10-5d325db5065e"
IMMUTABLE = "repo:contoso@1001/agents@4001"


@pytest.fixture
def github(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """The sandbox's GitHub as an administrator reaches it."""
    with client(sandbox) as http:
        yield http


def _job(sandbox: Sandbox, repository: str = "contoso/agents", **more: Any) -> dict[str, Any]:
    started: dict[str, Any] = sandbox.control("jobs", {"repository": repository, **more})
    return started


def _ask(sandbox: Sandbox, job: dict[str, Any], audience: str | None = AUDIENCE) -> httpx.Response:
    query = "" if audience is None else f"&audience={audience}"
    bearer = {"Authorization": f"bearer {job['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"}
    return sandbox.http.get(job["ACTIONS_ID_TOKEN_REQUEST_URL"] + query, headers=bearer)


def _verified(sandbox: Sandbox, token: str, audience: str = AUDIENCE) -> dict[str, Any]:
    """Return the claims, as a relying party would accept them: by discovery and key set."""
    issuer = f"{sandbox.origin}/_services/token"
    found = sandbox.http.get(f"{issuer}/.well-known/openid-configuration").json()
    assert found["issuer"] == issuer
    listed = jwt.PyJWKSet.from_dict(sandbox.http.get(found["jwks_uri"]).json())
    key = listed[jwt.get_unverified_header(token)["kid"]]
    # the clocks of two processes may be part of a second apart
    return jwt.decode(token, key, algorithms=["RS256"], audience=audience, issuer=issuer, leeway=2)


def _token(sandbox: Sandbox, **wanted: Any) -> dict[str, Any]:
    return _verified(sandbox, _ask(sandbox, _job(sandbox, **wanted)).json()["value"])


class TestTokens:
    def test_claims(self, sandbox: Sandbox) -> None:
        job = _job(sandbox, environment="prod")
        claims = _verified(sandbox, _ask(sandbox, job).json()["value"])
        assert claims["sub"] == job["sub"] == f"{IMMUTABLE}:environment:prod"
        assert (claims["exp"] - claims["iat"], claims["iat"] - claims["nbf"]) == (300, 600)
        texts = {
            "repository": "contoso/agents",
            "repository_id": "4001",
            "repository_owner_id": "1001",
            "environment": "prod",
            "ref": "refs/heads/main",
            "event_name": "workflow_dispatch",
            "runner_environment": "github-hosted",
            "repository_visibility": "private",
        }
        assert {key: claims[key] for key in texts} == texts

    def test_each_has_its_own_id(self, sandbox: Sandbox) -> None:
        job = _job(sandbox)
        tokens = [_verified(sandbox, _ask(sandbox, job).json()["value"])["jti"] for _ in range(2)]
        assert tokens[0] != tokens[1]

    def test_audience_is_the_owner_by_default(self, sandbox: Sandbox) -> None:
        token = _ask(sandbox, _job(sandbox), audience=None).json()["value"]
        _verified(sandbox, token, f"{sandbox.origin}/contoso")

    @pytest.mark.parametrize(
        ("wanted", "tail"),
        [
            ({}, "ref:refs/heads/main"),
            ({"ref": "topic"}, "ref:refs/heads/topic"),
            ({"ref": "refs/tags/v1"}, "ref:refs/tags/v1"),
            ({"event": "pull_request"}, "pull_request"),
            ({"event": "pull_request", "environment": "dev"}, "environment:dev"),
            ({"environment": "Production:V1"}, "environment:Production%3AV1"),
            ({"environment": "with space/slash"}, "environment:with space/slash"),
        ],
    )
    def test_default_subjects(self, sandbox: Sandbox, wanted: dict[str, str], tail: str) -> None:
        assert _token(sandbox, **wanted)["sub"] == f"{IMMUTABLE}:{tail}"
        assert _token(sandbox, repository="contoso/legacy", **wanted)["sub"] == f"repo:contoso/legacy:{tail}"

    def test_environment_as_the_job_spells_it(self, sandbox: Sandbox, github: httpx.Client) -> None:
        github.put(f"{AGENTS}/environments/Prod")
        assert _token(sandbox, environment="PROD")["sub"].endswith(":environment:PROD")
        assert github.get(f"{AGENTS}/environments").json()["total_count"] == 1

    def test_no_token_without_the_permission(self, sandbox: Sandbox) -> None:
        job = _job(sandbox, permissions={"contents": "read"})
        assert not {key for key in job if key.startswith("ACTIONS_ID_TOKEN")}
        assert job["sub"]

    def test_request_tokens_of_others(self, sandbox: Sandbox) -> None:
        one, other = _job(sandbox), _job(sandbox)
        stolen = one | {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": other["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]}
        assert _ask(sandbox, stolen).status_code == 401
        forged = jwt.encode({"job": {"run_id": "1"}, "exp": 2**40}, "not the sandbox's key, but long enough")
        assert _ask(sandbox, one | {"ACTIONS_ID_TOKEN_REQUEST_TOKEN": forged}).status_code == 401

    def test_job_that_is_long_over(self, sandbox: Sandbox) -> None:
        job = _job(sandbox)
        sandbox.control("clock", {"advance_s": 7 * 3600})
        try:
            assert _ask(sandbox, job).status_code == 401
        finally:
            sandbox.control("clock", {"advance_s": -7 * 3600})

    def test_keys_survive_a_reset(self, sandbox: Sandbox) -> None:
        token = _ask(sandbox, _job(sandbox)).json()["value"]
        sandbox.reset()
        assert _verified(sandbox, token)["repository"] == "contoso/agents"


class TestTemplates:
    def test_boolean_is_not_the_truth(self, github: httpx.Client) -> None:
        assert github.get(TEMPLATE).json() == {
            "use_default": True,
            "use_immutable_subject": False,
            "sub_claim_prefix": IMMUTABLE,
        }
        legacy = github.get(f"{LEGACY}/actions/oidc/customization/sub").json()
        assert legacy["sub_claim_prefix"] == "repo:contoso/legacy"

    @pytest.mark.parametrize(
        ("keys", "subject"),
        [
            (["repo", "context"], f"{IMMUTABLE}:environment:a%3Ab"),
            (["repository_id"], "repository_id:4001"),
            (["repository_owner_id", "environment"], "repository_owner_id:1001:environment:a%3Ab"),
            (["repo", "repository_visibility"], f"{IMMUTABLE}:repository_visibility:private"),
        ],
    )
    def test_own_template(
        self, sandbox: Sandbox, github: httpx.Client, keys: list[str], subject: str
    ) -> None:
        wanted = {"use_default": False, "include_claim_keys": keys}
        assert github.put(TEMPLATE, json=wanted).status_code == 201
        assert github.get(TEMPLATE).json()["include_claim_keys"] == keys
        assert _token(sandbox, environment="a:b")["sub"] == subject
        assert github.put(TEMPLATE, json={"use_default": True}).status_code == 201
        assert _token(sandbox, environment="dev")["sub"] == f"{IMMUTABLE}:environment:dev"

    def test_template_of_the_organization(self, sandbox: Sandbox, github: httpx.Client) -> None:
        shared = "/orgs/contoso/actions/oidc/customization/sub"
        assert github.get(shared).json()["include_claim_keys"] == ["repo", "context"]
        github.put(shared, json={"include_claim_keys": ["repository_owner", "context"]})
        assert _token(sandbox, environment="dev")["sub"] == f"{IMMUTABLE}:environment:dev"
        github.put(TEMPLATE, json={"use_default": False})
        assert _token(sandbox, environment="dev")["sub"] == "repository_owner:contoso:environment:dev"

    def test_template_that_needs_an_environment(self, sandbox: Sandbox, github: httpx.Client) -> None:
        github.put(TEMPLATE, json={"use_default": False, "include_claim_keys": ["repo", "environment"]})
        answer = _ask(sandbox, _job(sandbox))
        assert answer.status_code == 400
        assert "environment is required" in answer.text

    def test_opting_in(self, sandbox: Sandbox, github: httpx.Client) -> None:
        path = f"{LEGACY}/actions/oidc/customization/sub"
        github.put(path, json={"use_default": True, "use_immutable_subject": True})
        assert github.get(path).json()["sub_claim_prefix"] == "repo:contoso@1001/legacy@4002"
        assert _token(sandbox, repository="contoso/legacy")["sub"].startswith(
            "repo:contoso@1001/legacy@4002:"
        )

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"use_default": False, "include_claim_keys": ["a b"]},
            {"use_default": False, "include_claim_keys": ["repo", "repo"]},
        ],
    )
    def test_what_github_refuses(self, github: httpx.Client, body: dict[str, Any]) -> None:
        assert github.put(TEMPLATE, json=body).status_code == 422


class TestWhereAJobMayDeploy:
    @pytest.mark.parametrize(
        ("pattern", "kind", "ref", "allowed"),
        [
            ("main", "branch", "main", True),
            ("main", "branch", "refs/tags/main", False),
            ("release/*", "branch", "release/1", True),
            ("release/*", "branch", "release/1/fix", False),
            ("release/**/*", "branch", "release/1/fix", True),
            ("v?", "tag", "refs/tags/v1", True),
            ("v?", "tag", "v1", False),
            ("main", "branch", "refs/pull/1/merge", False),
        ],
    )
    def test_by_pattern(
        self, sandbox: Sandbox, github: httpx.Client, *, pattern: str, kind: str, ref: str, allowed: bool
    ) -> None:
        custom = {"protected_branches": False, "custom_branch_policies": True}
        path = f"{AGENTS}/environments/prod"
        github.put(path, json={"deployment_branch_policy": custom})
        github.post(f"{path}/deployment-branch-policies", json={"name": pattern, "type": kind})
        assert self._may(sandbox, "contoso/agents", ref) is allowed

    @pytest.mark.parametrize(
        ("ref", "allowed"), [("main", True), ("topic", False), ("refs/tags/main", False)]
    )
    def test_by_protection(self, sandbox: Sandbox, github: httpx.Client, *, ref: str, allowed: bool) -> None:
        policy = {"protected_branches": True, "custom_branch_policies": False}
        github.put(f"{AGENTS}/environments/prod", json={"deployment_branch_policy": policy})
        assert self._may(sandbox, "contoso/agents", ref) is allowed

    def test_protected_branches_where_none_is(self, sandbox: Sandbox, github: httpx.Client) -> None:
        policy = {"protected_branches": True, "custom_branch_policies": False}
        github.put(f"{LEGACY}/environments/prod", json={"deployment_branch_policy": policy})
        assert self._may(sandbox, "contoso/legacy", "topic")

    def _may(self, sandbox: Sandbox, repository: str, ref: str) -> bool:
        wanted = {"repository": repository, "environment": "prod", "ref": ref}
        answer = sandbox.http.post(f"{sandbox.origin}/_sandbox/jobs", json=wanted)
        assert answer.status_code in {201, 422}
        assert answer.is_success or "protection rules" in answer.json()["message"]
        return answer.is_success


class TestWhatAJobSees:
    def test_nearest_value_wins(self, sandbox: Sandbox, github: httpx.Client) -> None:
        github.put(f"{AGENTS}/environments/prod")
        places = {
            "/orgs/contoso/actions": "org",
            f"{AGENTS}/actions": "repo",
            f"{AGENTS}/environments/prod": "env",
        }
        for name, count in (("ONE", 1), ("TWO", 2), ("THREE", 3)):
            for place, value in list(places.items())[:count]:
                more = {"visibility": "all"} if "orgs" in place else {}
                put_secret(github, place, name, value, **more)
                github.post(f"{place}/variables", json={"name": name, "value": value, **more})
        job = _job(sandbox, environment="PROD")
        assert job["secrets"].pop(
            "AZURE_CLIENT_SECRET"
        )  # the organization's, which contoso/agents may use as well
        assert job["secrets"] == job["vars"] == {"ONE": "org", "TWO": "repo", "THREE": "env"}
        assert _job(sandbox)["vars"] == {"ONE": "org", "TWO": "repo", "THREE": "repo"}

    def test_environment_that_does_not_exist_is_made_unprotected(
        self, sandbox: Sandbox, github: httpx.Client
    ) -> None:
        _job(sandbox, environment="new")
        assert github.get(f"{AGENTS}/environments/new").json()["protection_rules"] == []

    def test_approval_is_told(self, sandbox: Sandbox, github: httpx.Client) -> None:
        rules = {"wait_timer": 7, "reviewers": [{"type": "User", "id": 2001}]}
        github.put(f"{AGENTS}/environments/prod", json=rules)
        assert _job(sandbox, environment="prod")["needs_approval"] == rules

    def test_repository_that_is_not_there(self, sandbox: Sandbox) -> None:
        answer = sandbox.http.post(f"{sandbox.origin}/_sandbox/jobs", json={"repository": "contoso/none"})
        assert answer.status_code == 404
