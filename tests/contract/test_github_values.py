"""Secrets and variables of the sandbox's GitHub: sealed boxes, names, pages, and who inherits what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.github_contract import client, keys_of, observed, put_secret, seal

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.conftest import Sandbox

AGENTS = "/repos/contoso/agents"
PROD, DEV = f"{AGENTS}/environments/prod", f"{AGENTS}/environments/dev"
PLACES = [PROD, f"{AGENTS}/actions", "/orgs/contoso/actions", "/repositories/4001/environments/prod"]


@pytest.fixture
def github(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """The sandbox's GitHub as an administrator reaches it, with two environments."""
    with client(sandbox) as http:
        http.put(PROD)
        http.put(DEV)
        yield http


def _more(place: str) -> dict[str, Any]:
    return {"visibility": "all"} if place.startswith("/orgs") else {}


class TestSecrets:
    @pytest.mark.parametrize("place", PLACES)
    def test_life_of_a_secret(self, github: httpx.Client, place: str) -> None:
        made = put_secret(github, place, "azure_client_id", "first", **_more(place))
        assert (made.status_code, made.json()) == (201, {})
        assert put_secret(github, place, "AZURE_CLIENT_ID", "second", **_more(place)).status_code == 204
        listed = github.get(f"{place}/secrets").json()
        seeded = {"AZURE_CREDENTIALS", "AZURE_CLIENT_SECRET"}  # the organization's, for contoso/legacy
        assert {each["name"] for each in listed["secrets"]} - seeded == {"AZURE_CLIENT_ID"}
        one = github.get(f"{place}/secrets/Azure_Client_Id").json()
        assert one["updated_at"] > one["created_at"]
        assert "second" not in str(listed) + str(one)
        gone = [github.delete(f"{place}/secrets/AZURE_CLIENT_ID").status_code for _ in range(2)]
        assert gone == [204, 404]

    def test_looks_like_real_answers(self, github: httpx.Client) -> None:
        put_secret(github, PROD, "A", "x")
        ours = keys_of(github.get(f"{PROD}/secrets").json())
        assert ours == observed("GET /repos/{o}/{r}/environments/{env}/secrets", 200)

    def test_value_sealed_for_another_environment(self, github: httpx.Client) -> None:
        keys = [github.get(f"{place}/secrets/public-key").json() for place in (PROD, DEV)]
        assert keys[0]["key_id"] != keys[1]["key_id"]
        body = {"encrypted_value": seal(keys[1]["key"], "x"), "key_id": keys[0]["key_id"]}
        assert github.put(f"{PROD}/secrets/A", json=body).status_code == 422
        body = {"encrypted_value": seal(keys[1]["key"], "x"), "key_id": keys[1]["key_id"]}
        assert github.put(f"{PROD}/secrets/A", json=body).status_code == 422
        assert github.get(f"{PROD}/secrets").json()["total_count"] == 0

    def test_environment_made_anew_has_another_key(self, github: httpx.Client) -> None:
        before = github.get(f"{PROD}/secrets/public-key").json()
        assert github.get(f"{PROD}/secrets/public-key").json() == before
        github.delete(PROD)
        assert github.get(f"{PROD}/secrets/public-key").status_code == 404
        github.put(PROD)
        assert github.get(f"{PROD}/secrets/public-key").json()["key_id"] != before["key_id"]

    @pytest.mark.parametrize("name", ["1A", "A-B", "GITHUB_X", "github_x", "A%20B"])
    def test_names_that_github_refuses(self, github: httpx.Client, name: str) -> None:
        assert put_secret(github, PROD, name, "x").status_code == 422

    def test_size_and_number(self, github: httpx.Client, sandbox: Sandbox) -> None:
        sandbox.control("limits", {"github": False})
        assert put_secret(github, PROD, "BIG", "x" * 48 * 1024).status_code == 201
        assert put_secret(github, PROD, "BIGGER", "x" * (48 * 1024 + 1)).status_code == 422
        answers = [put_secret(github, PROD, f"S{number}", "x").status_code for number in range(100)]
        assert answers == [201] * 99 + [422]
        assert put_secret(github, PROD, "S1", "y").status_code == 204

    def test_free_plan_has_no_environment_secrets(self, github: httpx.Client) -> None:
        github.put("/repos/tailwind/agents/environments/dev")
        assert github.get("/repos/tailwind/agents/environments/dev/secrets").status_code == 403


class TestVariables:
    @pytest.mark.parametrize("place", PLACES)
    def test_life_of_a_variable(self, github: httpx.Client, place: str) -> None:
        body = {"name": "trustsmith", "value": "1", **_more(place)}
        assert github.post(f"{place}/variables", json=body).status_code == 201
        again = github.post(f"{place}/variables", json=body)
        assert again.status_code == 409
        assert again.json()["message"] == "Already exists - Variable already exists"
        assert github.patch(f"{place}/variables/TRUSTSMITH", json={"value": "2"}).status_code == 204
        one = github.get(f"{place}/variables/trustsmith").json()
        assert (one["name"], one["value"]) == ("TRUSTSMITH", "2")
        assert github.patch(f"{place}/variables/TRUSTSMITH", json={"name": "NEXT"}).status_code == 204
        assert [each["name"] for each in github.get(f"{place}/variables").json()["variables"]] == ["NEXT"]
        assert github.patch(f"{place}/variables/TRUSTSMITH", json={"value": "3"}).status_code == 404
        gone = [github.delete(f"{place}/variables/NEXT").status_code for _ in range(2)]
        assert gone == [204, 404]

    def test_ten_a_page_and_thirty_at_most(self, github: httpx.Client) -> None:
        for number in range(31):
            github.post(f"{PROD}/variables", json={"name": f"V{number:02}", "value": "x"})
        sizes = [
            len(github.get(f"{PROD}/variables{query}").json()["variables"])
            for query in ("", "?per_page=100", "?per_page=30&page=2")
        ]
        assert sizes == [10, 30, 1]

    def test_a_later_write_never_looks_earlier(self, github: httpx.Client) -> None:
        for value in "abc":
            put_secret(github, PROD, "A", value)
        github.post(f"{PROD}/variables", json={"name": "MARK", "value": "x"})
        secret, mark = (github.get(f"{PROD}/{path}").json() for path in ("secrets/A", "variables/MARK"))
        assert secret["updated_at"] <= mark["updated_at"]


class TestOrganization:
    def test_reaches_the_repositories_it_is_for(self, github: httpx.Client) -> None:
        put_secret(github, "/orgs/contoso/actions", "ALL", "x", visibility="all")
        chosen = {"visibility": "selected", "selected_repository_ids": [4002]}
        put_secret(github, "/orgs/contoso/actions", "SOME", "x", **chosen)
        github.post("/orgs/contoso/actions/variables", json={"name": "V", "value": "x", **chosen})
        names = {}
        for name in ("agents", "legacy"):
            listed = github.get(f"/repos/contoso/{name}/actions/organization-secrets").json()
            made = {"ALL", "SOME"}
            names[name] = [each["name"] for each in listed["secrets"] if each["name"] in made]
        assert names == {"agents": ["ALL"], "legacy": ["ALL", "SOME"]}
        for path in ("secrets/SOME", "variables/V"):
            chosen_for = github.get(f"/orgs/contoso/actions/{path}/repositories").json()
            assert [each["id"] for each in chosen_for["repositories"]] == [4002]
        assert github.get(f"{AGENTS}/actions/organization-variables").json()["total_count"] == 0


class TestOtherStores:
    """Secrets of Dependabot, Codespaces and agents, which no job of Actions sees."""

    @pytest.mark.parametrize("store", ["dependabot", "codespaces", "agents"])
    @pytest.mark.parametrize("owner", [AGENTS, "/orgs/contoso"])
    def test_life_of_a_secret(self, github: httpx.Client, owner: str, store: str) -> None:
        place = f"{owner}/{store}"
        assert put_secret(github, place, "a", "first", **_more(owner)).status_code == 201
        assert put_secret(github, place, "A", "second", **_more(owner)).status_code == 204
        assert [each["name"] for each in github.get(f"{place}/secrets").json()["secrets"]] == ["A"]
        assert github.get(f"{place}/secrets/a").json()["name"] == "A"
        assert "'A'" not in str(github.get(f"{owner}/actions/secrets").json())
        gone = [github.delete(f"{place}/secrets/A").status_code for _ in range(2)]
        assert gone == [204, 404]

    def test_each_has_its_own_key(self, github: httpx.Client) -> None:
        keys = {
            github.get(f"{AGENTS}/{store}/secrets/public-key").json()["key_id"]
            for store in ("actions", "dependabot", "codespaces", "agents")
        }
        assert len(keys) == 4

    def test_who_an_organizations_secret_is_for(self, github: httpx.Client) -> None:
        chosen = {"visibility": "selected", "selected_repository_ids": [4002]}
        put_secret(github, "/orgs/contoso/agents", "SOME", "x", **chosen)
        listed = github.get("/orgs/contoso/agents/secrets/SOME/repositories").json()
        assert [each["id"] for each in listed["repositories"]] == [4002]
        usable = [
            [
                each["name"]
                for each in github.get(f"/repos/contoso/{name}/agents/organization-secrets").json()["secrets"]
            ]
            for name in ("agents", "legacy")
        ]
        assert usable == [[], ["SOME"]]
