"""The sandbox's GitHub gives the answers that GitHub would: repositories, environments, files, who may what.

Every successful answer is held to the published schema by the client itself (``github_contract.check``).
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.github_contract import (
    READ_ONLY,
    WRITER,
    client,
    keys_of,
    observed,
    put_secret,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.conftest import Sandbox

AGENTS = "/repos/contoso/agents"
PROD = f"{AGENTS}/environments/prod"
CUSTOM = {"protected_branches": False, "custom_branch_policies": True}
PROTECTED = {
    "wait_timer": 10,
    "prevent_self_review": True,
    "reviewers": [{"type": "Team", "id": 3001}, {"type": "User", "id": 2001}],
    "deployment_branch_policy": CUSTOM,
}


@pytest.fixture
def github(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """The sandbox's GitHub as an administrator reaches it."""
    with client(sandbox) as http:
        yield http


def _message(answer: httpx.Response) -> str:
    return str(answer.json()["message"])


class TestRepositories:
    def test_answers_carry_the_address_that_was_used(self, sandbox: Sandbox, github: httpx.Client) -> None:
        assert github.get(AGENTS).json()["url"] == f"{sandbox.origin}/api/v3{AGENTS}"
        with client(sandbox, prefix="") as plain:
            assert plain.get(AGENTS).json()["url"] == f"{sandbox.origin}{AGENTS}"

    def test_names_are_canonical_whatever_the_case(self, github: httpx.Client) -> None:
        assert github.get("/repos/CONTOSO/Agents").json()["full_name"] == "contoso/agents"

    @pytest.mark.parametrize(
        "path",
        [
            "/user",
            "/user/2002",
            "/users/hubot",
            "/orgs/contoso",
            "/orgs/contoso/teams/platform",
            "/rate_limit",
        ],
    )
    def test_people_and_organizations(self, github: httpx.Client, path: str) -> None:
        assert github.get(path).status_code == 200

    @pytest.mark.parametrize("path", ["/repos/contoso/none", "/users/nobody", "/orgs/nobody"])
    def test_what_is_not_there(self, github: httpx.Client, path: str) -> None:
        assert github.get(path).status_code == 404

    def test_rename_redirects_and_makes_subjects_immutable(self, github: httpx.Client) -> None:
        legacy = "/repos/contoso/legacy"
        assert github.patch(legacy, json={"name": "renamed"}).json()["full_name"] == "contoso/renamed"
        moved = github.get(f"{legacy}/environments?per_page=5")
        assert moved.status_code == 301
        assert moved.headers["location"].endswith("/api/v3/repositories/4002/environments?per_page=5")
        assert github.get(moved.headers["location"]).json()["total_count"] == 2
        assert github.put(f"{legacy}/environments/dev").status_code == 307
        template = github.get("/repositories/4002/actions/oidc/customization/sub").json()
        assert template["sub_claim_prefix"] == "repo:contoso@1001/renamed@4002"
        assert template["use_immutable_subject"] is True

    def test_transfer(self, github: httpx.Client) -> None:
        answer = github.post("/repos/contoso/legacy/transfer", json={"new_owner": "Fabrikam"})
        assert (answer.status_code, answer.json()["full_name"]) == (202, "fabrikam/legacy")
        assert github.get("/repos/contoso/legacy").status_code == 301
        assert github.post(f"{AGENTS}/transfer", json={"new_owner": "nobody"}).status_code == 422

    def test_name_that_is_taken(self, github: httpx.Client) -> None:
        assert github.patch(AGENTS, json={"name": "Legacy"}).status_code == 422

    def test_archived_is_read_only(self, github: httpx.Client) -> None:
        github.patch(AGENTS, json={"archived": True})
        assert github.put(PROD).status_code == 403
        assert github.get(f"{AGENTS}/environments").status_code == 200


class TestAccess:
    def test_no_user_agent(self, sandbox: Sandbox) -> None:
        with client(sandbox) as http:
            del http.headers["User-Agent"]
            answer = http.get(AGENTS)
        assert answer.status_code == 403
        assert "User Agent" in _message(answer)

    def test_token_that_nobody_has(self, sandbox: Sandbox) -> None:
        with client(sandbox, "nobody's") as http:
            answer = http.get(AGENTS)
        assert (answer.status_code, _message(answer)) == (401, "Bad credentials")

    def test_anonymous_sees_what_is_public(self, sandbox: Sandbox) -> None:
        with client(sandbox, None) as http:
            assert http.get(AGENTS).status_code == 404
            assert http.get("/repos/octocat/hello-world").status_code == 200
            assert http.put("/repos/octocat/hello-world/environments/dev").status_code == 404
            assert http.get("/user").status_code == 401

    def test_fine_grained_token_that_lacks_a_permission(self, sandbox: Sandbox) -> None:
        with client(sandbox, READ_ONLY) as http:
            assert http.get(f"{AGENTS}/environments").status_code == 200
            answer = http.put(PROD)
        assert (answer.status_code, _message(answer)) == (
            403,
            "Resource not accessible by personal access token",
        )
        assert answer.headers["x-accepted-github-permissions"] == "administration=write"

    def test_environments_are_for_administrators(self, sandbox: Sandbox) -> None:
        with client(sandbox, WRITER) as http:
            assert http.put(PROD).status_code == 404
            assert put_secret(http, f"{AGENTS}/actions", "TOKEN", "x").status_code == 201

    def test_app_has_permissions_and_no_role(self, sandbox: Sandbox) -> None:
        world = sandbox.state()
        app = {"app": "deployer", "permissions": {"actions": "read", "environments": "write"}}
        world["github"]["tokens"]["app"] = app
        sandbox.control("reset", world)
        with client(sandbox, "app") as http:
            assert http.get(f"{AGENTS}/environments").status_code == 200
            assert _message(http.put(PROD)) == "Resource not accessible by integration"
            assert http.get("/user").status_code == 403

    def test_token_for_chosen_repositories(self, sandbox: Sandbox) -> None:
        world = sandbox.state()
        world["github"]["tokens"][READ_ONLY]["repositories"] = ["contoso/legacy"]
        sandbox.control("reset", world)
        with client(sandbox, READ_ONLY) as http:
            assert http.get(AGENTS).status_code == 404
            assert http.get("/repos/contoso/legacy").status_code == 200

    def test_scopes_are_told(self, github: httpx.Client) -> None:
        headers = github.get(AGENTS).headers
        assert headers["x-oauth-scopes"] == "repo, workflow, admin:org"
        assert headers["x-github-api-version-selected"] == "2022-11-28"

    def test_workflows_need_a_scope_of_their_own(self, sandbox: Sandbox, github: httpx.Client) -> None:
        world = sandbox.state()
        world["github"]["tokens"]["plain"] = {"login": "octocat", "scopes": ["repo"]}
        sandbox.control("reset", world)
        body = {"message": "m", "content": base64.b64encode(b"on: push").decode()}
        with client(sandbox, "plain") as http:
            assert http.put(f"{AGENTS}/contents/.github/workflows/a.yml", json=body).status_code == 404
            assert http.put(f"{AGENTS}/contents/a.yml", json=body).status_code == 201
        assert github.put(f"{AGENTS}/contents/.github/workflows/a.yml", json=body).status_code == 201


class TestEnvironments:
    def test_looks_like_real_answers(self, github: httpx.Client) -> None:
        github.put(PROD, json=PROTECTED)
        ours = keys_of(github.get(PROD).json())
        endpoint = "repos/{o}/{r}/environments/{env}"
        assert observed(f"PUT /{endpoint}", 200) | observed(f"GET /{endpoint}", 200) <= ours

    def test_protection_comes_back_as_written(self, github: httpx.Client) -> None:
        rules = {rule["type"]: rule for rule in github.put(PROD, json=PROTECTED).json()["protection_rules"]}
        assert rules["wait_timer"]["wait_timer"] == 10
        assert rules["required_reviewers"]["prevent_self_review"] is True
        assert [
            (each["type"], each["reviewer"]["id"]) for each in rules["required_reviewers"]["reviewers"]
        ] == [
            ("Team", 3001),
            ("User", 2001),
        ]
        assert "branch_policy" in rules

    def test_put_replaces_everything(self, github: httpx.Client) -> None:
        github.put(PROD, json=PROTECTED)
        github.post(f"{PROD}/deployment-branch-policies", json={"name": "main"})
        plain = github.put(PROD).json()
        assert (plain["protection_rules"], plain["deployment_branch_policy"]) == ([], None)
        github.put(PROD, json={"deployment_branch_policy": CUSTOM})
        assert github.get(f"{PROD}/deployment-branch-policies").json()["total_count"] == 0

    def test_first_spelling_is_kept(self, github: httpx.Client) -> None:
        github.put(f"{AGENTS}/environments/Prod")
        assert github.put(PROD, json={"wait_timer": 1}).json()["name"] == "Prod"
        assert github.get(f"{AGENTS}/environments").json()["total_count"] == 1

    @pytest.mark.parametrize("name", ["a%2Fb", "with%20space", "v1%3Ax", "%C3%BCber", "100%25"])
    def test_names_that_need_escaping(self, github: httpx.Client, name: str) -> None:
        made = github.put(f"{AGENTS}/environments/{name}").json()
        assert github.get(made["url"]).json()["id"] == made["id"]

    def test_two_writes_never_have_the_same_second(self, github: httpx.Client) -> None:
        times = [github.put(PROD, json={"wait_timer": n}).json()["updated_at"] for n in range(4)]
        assert times == sorted(set(times))

    @pytest.mark.parametrize(
        "body",
        [
            {"wait_timer": -1},
            {"wait_timer": 43201},
            {"wait_timer": "5"},
            {"wait_minutes": 5},
            {"reviewers": [{"type": "User", "id": 99}]},
            {"reviewers": [{"type": "Robot", "id": 2001}]},
            {"reviewers": [{"type": "User", "id": 2001}] * 7},
            {"deployment_branch_policy": {"protected_branches": True, "custom_branch_policies": True}},
            {"deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": False}},
            {"deployment_branch_policy": {"protected_branches": True}},
            [],
        ],
    )
    def test_what_github_refuses(self, github: httpx.Client, body: Any) -> None:
        assert github.put(PROD, json=body).status_code == 422
        assert github.get(PROD).status_code == 404

    @pytest.mark.parametrize("owner", ["fabrikam", "tailwind"])
    @pytest.mark.parametrize("rule", [{"wait_timer": 5}, {"reviewers": [{"type": "User", "id": 2001}]}])
    def test_plan_without_the_rule(self, github: httpx.Client, owner: str, rule: dict[str, Any]) -> None:
        path = f"/repos/{owner}/agents/environments/prod"
        answer = github.put(path, json=rule)
        assert answer.status_code == 422
        assert "billing plan" in _message(answer)
        assert github.get(path).json()["protection_rules"] == []

    def test_branch_policies_by_plan(self, github: httpx.Client) -> None:
        policy = {"deployment_branch_policy": CUSTOM}
        assert github.put("/repos/fabrikam/agents/environments/prod", json=policy).status_code == 200
        assert github.put("/repos/tailwind/agents/environments/prod", json=policy).status_code == 422

    def test_public_repositories_have_everything(self, github: httpx.Client) -> None:
        answer = github.put("/repos/octocat/hello-world/environments/prod", json={"wait_timer": 5})
        assert answer.status_code == 200

    def test_delete(self, github: httpx.Client) -> None:
        github.put(PROD)
        assert [github.delete(PROD).status_code, github.delete(PROD).status_code] == [204, 404]

    def test_custom_rules_are_none(self, github: httpx.Client) -> None:
        github.put(PROD)
        assert github.get(f"{PROD}/deployment_protection_rules").json()["total_count"] == 0

    def test_pages(self, github: httpx.Client) -> None:
        for number in range(5):
            github.put(f"{AGENTS}/environments/e{number}")
        path, names = f"{AGENTS}/environments?per_page=2", []
        while path:
            answer = github.get(path)
            names += [each["name"] for each in answer.json()["environments"]]
            path = answer.links.get("next", {}).get("url", "")
        assert names == [f"e{number}" for number in range(5)]


class TestPolicies:
    POLICIES = f"{PROD}/deployment-branch-policies"

    def test_life_of_a_policy(self, github: httpx.Client) -> None:
        github.put(PROD, json={"deployment_branch_policy": CUSTOM})
        made = github.post(self.POLICIES, json={"name": "release/*"}).json()
        one = f"{self.POLICIES}/{made['id']}"
        assert github.get(one).json()["type"] == "branch"
        assert github.put(one, json={"name": "stable"}).json()["name"] == "stable"
        assert github.post(self.POLICIES, json={"name": "v*", "type": "tag"}).status_code == 200
        assert github.get(self.POLICIES).json()["total_count"] == 2
        assert [github.delete(one).status_code, github.get(one).status_code] == [204, 404]

    def test_same_pattern_again(self, github: httpx.Client) -> None:
        github.put(PROD, json={"deployment_branch_policy": CUSTOM})
        answers = [github.post(self.POLICIES, json={"name": "main"}).status_code for _ in range(2)]
        assert answers == [200, 303]

    def test_custom_policies_off(self, github: httpx.Client) -> None:
        github.put(PROD)
        assert github.post(self.POLICIES, json={"name": "main"}).status_code == 404
