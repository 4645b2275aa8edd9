"""The sandbox's GitHub as a service: its limits, its names, stock PyGithub, and what it lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import jwt
import pytest
from github import Auth, Github

from tests.contract.github_contract import client, response_schema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import httpx

    from tests.conftest import Sandbox

AGENTS = "/repos/contoso/agents"
PROD = f"{AGENTS}/environments/prod"


@pytest.fixture
def github(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """The sandbox's GitHub as an administrator reaches it."""
    with client(sandbox) as http:
        yield http


def _message(answer: httpx.Response) -> str:
    return str(answer.json()["message"])


class TestLimits:
    def test_points_of_a_minute(self, sandbox: Sandbox, github: httpx.Client) -> None:
        writes = [github.put(PROD) for _ in range(181)]
        assert {answer.status_code for answer in writes[:180]} == {200}
        refused = writes[180]
        assert refused.status_code == 403
        assert "secondary rate limit" in _message(refused)
        assert int(refused.headers["retry-after"]) > 0
        sandbox.control("clock", {"advance_s": 61})
        assert github.put(PROD).status_code == 200
        sandbox.control("clock", {"advance_s": -61})

    def test_switched_off(self, sandbox: Sandbox, github: httpx.Client) -> None:
        sandbox.control("limits", {"github": False})
        assert {github.put(PROD).status_code for _ in range(185)} == {200}

    def test_what_is_left_is_told(self, github: httpx.Client) -> None:
        first, second = (github.get(AGENTS).headers["x-ratelimit-remaining"] for _ in range(2))
        assert int(first) - int(second) == 1


def test_pygithub_works_unmodified(sandbox: Sandbox) -> None:
    verify: Any = sandbox.env["SSL_CERT_FILE"]  # PyGithub passes it on to requests, which takes a path
    auth = Auth.Token("sandbox-admin-token")
    with Github(
        base_url=f"{sandbox.origin}/api/v3", verify=verify, auth=auth, seconds_between_writes=0
    ) as api:
        repository = api.get_repo("contoso/agents")
        environment = repository.create_environment("prod", wait_timer=5)
        environment.create_variable("NAME", "value")
        environment.create_secret("SECRET", "value")
        assert [each.value for each in environment.get_variables()] == ["value"]
        assert [each.name for each in environment.get_secrets()] == ["SECRET"]
        assert repository.create_file("a.txt", "Add", "text")["commit"].sha
        assert api.get_user().login == "octocat"
        repository.edit(name="renamed")
        assert api.get_repo("contoso/agents").full_name == "contoso/renamed"


def test_production_names(start_sandbox: Callable[..., Sandbox]) -> None:
    named = start_sandbox("--production-names")
    headers = {"Host": "api.github.com", "Authorization": "Bearer sandbox-admin-token"}
    repository = named.http.get(f"{named.origin}{AGENTS}", headers=headers).json()
    assert repository["url"] == f"https://api.github.com{AGENTS}"
    assert repository["html_url"] == "https://github.com/contoso/agents"
    job = named.control("jobs", {"repository": "contoso/agents", "environment": "dev"})
    issuer = "https://token.actions.githubusercontent.com"
    assert job["ACTIONS_ID_TOKEN_REQUEST_URL"].startswith(f"{issuer}/token/")
    url = job["ACTIONS_ID_TOKEN_REQUEST_URL"].replace(issuer, named.origin)
    bearer = {"Authorization": f"bearer {job['ACTIONS_ID_TOKEN_REQUEST_TOKEN']}"}
    host = {"Host": "token.actions.githubusercontent.com"}
    token = named.http.get(f"{url}&audience=x", headers=bearer | host).json()["value"]
    assert jwt.decode(token, options={"verify_signature": False})["iss"] == issuer
    found = named.http.get(f"{named.origin}/.well-known/openid-configuration", headers=host).json()
    assert found["jwks_uri"] == f"{issuer}/.well-known/jwks"


def test_a_route_that_is_not_there_is_named(sandbox: Sandbox) -> None:
    answer = sandbox.http.get(f"{sandbox.origin}/repos/contoso/agents/stargazers")
    assert answer.status_code == 501
    assert "GET /repos/contoso/agents/stargazers" in answer.text


def test_the_check_itself_refuses_what_is_not_described() -> None:
    with pytest.raises(KeyError):
        response_schema("GET", "/repos/contoso/agents/stargazers", 200)
