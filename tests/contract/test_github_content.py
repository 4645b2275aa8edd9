"""Files, branches, Git objects, pull requests and GraphQL of the sandbox's GitHub."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.github_contract import client

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx

    from tests.conftest import Sandbox

AGENTS = "/repos/contoso/agents"


@pytest.fixture
def github(sandbox: Sandbox) -> Iterator[httpx.Client]:
    """The sandbox's GitHub as an administrator reaches it."""
    with client(sandbox) as http:
        yield http


def _message(answer: httpx.Response) -> str:
    return str(answer.json()["message"])


class TestContents:
    def test_write_read_delete(self, github: httpx.Client) -> None:
        path = f"{AGENTS}/contents/docs/a.md"
        body = {"message": "Add", "content": base64.b64encode(b"one").decode()}
        made = github.put(path, json=body)
        assert made.status_code == 201
        assert github.put(path, json=body).status_code == 422
        assert github.put(path, json=body | {"sha": "0" * 40}).status_code == 409
        sha = made.json()["content"]["sha"]
        two = body | {"sha": sha, "content": base64.b64encode(b"two").decode()}
        assert github.put(path, json=two).status_code == 200
        read = github.get(path).json()
        assert base64.b64decode(read["content"]) == b"two"
        assert github.get(path, headers={"Accept": "application/vnd.github.raw+json"}).text == "two"
        assert [each["name"] for each in github.get(f"{AGENTS}/contents").json()] == ["README.md", "docs"]
        gone = github.request("DELETE", path, json={"message": "Drop", "sha": read["sha"]})
        assert gone.status_code == 200
        assert github.get(path).status_code == 404

    def test_git_computes_the_same_ids(self, github: httpx.Client) -> None:
        text = {"content": "hello\n", "encoding": "utf-8"}
        blob = github.post(f"{AGENTS}/git/blobs", json=text).json()["sha"]
        assert blob == "ce013625030ba8dba906f756967f9e9ca394464a"
        entry = {"path": "hello.txt", "mode": "100644", "type": "blob", "sha": blob}
        tree = github.post(f"{AGENTS}/git/trees", json={"tree": [entry]}).json()["sha"]
        assert tree == "aaa96ced2d9a1c8e72c56b253a0e2fe78393feb7"

    def test_one_commit_of_many_files(self, github: httpx.Client) -> None:
        head = github.get(f"{AGENTS}/git/ref/heads/main").json()["object"]["sha"]
        base = github.get(f"{AGENTS}/git/commits/{head}").json()["tree"]["sha"]
        entries = [
            {"path": f"a/{n}.txt", "mode": "100644", "type": "blob", "content": str(n)} for n in range(3)
        ]
        tree = github.post(f"{AGENTS}/git/trees", json={"base_tree": base, "tree": entries}).json()["sha"]
        wanted = {"message": "Three", "tree": tree, "parents": [head]}
        commit = github.post(f"{AGENTS}/git/commits", json=wanted).json()["sha"]
        made = github.post(f"{AGENTS}/git/refs", json={"ref": "refs/heads/x/y", "sha": commit})
        assert made.status_code == 201
        listed = github.get(f"{AGENTS}/git/trees/x/y?recursive=1").json()["tree"]
        assert [each["path"] for each in listed] == ["README.md", "a", "a/0.txt", "a/1.txt", "a/2.txt"]
        assert github.get(f"{AGENTS}/git/blobs/{listed[-1]['sha']}").json()["size"] == 1
        assert len(github.get(f"{AGENTS}/git/matching-refs/heads/").json()) == 2

    def test_refs_move_forward_only(self, github: httpx.Client) -> None:
        ref = github.get(f"{AGENTS}/git/ref/heads/main").json()["object"]["sha"]
        taken = github.post(f"{AGENTS}/git/refs", json={"ref": "refs/heads/main", "sha": ref})
        assert _message(taken) == "Reference already exists"
        tree = github.get(f"{AGENTS}/git/commits/{ref}").json()["tree"]["sha"]
        orphan = github.post(
            f"{AGENTS}/git/commits", json={"message": "m", "tree": tree, "parents": []}
        ).json()
        stale = github.patch(f"{AGENTS}/git/refs/heads/main", json={"sha": orphan["sha"]})
        assert _message(stale) == "Update is not a fast forward"
        forced = github.patch(f"{AGENTS}/git/refs/heads/main", json={"sha": orphan["sha"], "force": True})
        assert forced.status_code == 200

    def test_branches(self, sandbox: Sandbox, github: httpx.Client) -> None:
        sandbox.control("push", {"repository": "contoso/agents", "branch": "a/b", "files": {"x": "1"}})
        assert [each["name"] for each in github.get(f"{AGENTS}/branches").json()] == ["a/b", "main"]
        assert len(github.get(f"{AGENTS}/branches?protected=true").json()) == 1
        assert github.get(f"{AGENTS}/branches/main").json()["protected"] is True
        assert github.get(f"{AGENTS}/branches/a/b").json()["commit"]["commit"]["message"] == "Update files"
        assert github.delete(f"{AGENTS}/git/refs/heads/a/b").status_code == 204
        assert github.get(f"{AGENTS}/branches/a%2Fb").status_code == 404

    def test_pull_requests(self, sandbox: Sandbox, github: httpx.Client) -> None:
        sandbox.control("push", {"repository": "contoso/agents", "branch": "topic", "files": {"x": "1"}})
        body = {"title": "t", "head": "topic", "base": "main", "body": "b"}
        made = github.post(f"{AGENTS}/pulls", json=body)
        assert made.status_code == 201
        again = github.post(f"{AGENTS}/pulls", json=body)
        assert "already exists for contoso:topic." in again.text
        one = f"{AGENTS}/pulls/{made.json()['number']}"
        assert github.get(one).json()["state"] == "open"
        assert github.patch(one, json={"state": "closed"}).json()["state"] == "closed"
        assert github.get(f"{AGENTS}/pulls").json() == []
        assert len(github.get(f"{AGENTS}/pulls?state=all&head=contoso:topic").json()) == 1

    def test_workflows(self, sandbox: Sandbox, github: httpx.Client) -> None:
        files = {".github/workflows/deploy.yml": "name: Deploy\non: push\n"}
        sandbox.control("push", {"repository": "contoso/agents", "files": files})
        (workflow,) = github.get(f"{AGENTS}/actions/workflows").json()["workflows"]
        assert workflow["name"] == "Deploy"
        assert github.get(f"{AGENTS}/actions/workflows/deploy.yml").json() == workflow
        assert github.get(f"{AGENTS}/actions/permissions/workflow").status_code == 200
        settings = {"enabled": True, "allowed_actions": "selected", "sha_pinning_required": True}
        assert github.put(f"{AGENTS}/actions/permissions", json=settings).status_code == 204
        assert github.get(f"{AGENTS}/actions/permissions").json()["sha_pinning_required"] is True


class TestGraphQL:
    BULK = """query($o:String!,$r:String!,$first:Int=10){ repository(owner:$o,name:$r) {
      databaseId owner { login ...on Organization { databaseId } }
      environments(first:$first) { totalCount pageInfo { hasNextPage endCursor } nodes { name
        protectionRules(first:10) { nodes { type timeout reviewers(first:6) { nodes { __typename
          ...on User { login } ...on Team { slug } } } } } } }
      object(expression:"HEAD:") { ...on Tree { entries { name object { ...on Blob { text } } } } } } }"""

    def _ask(self, github: httpx.Client, query: str, **variables: str) -> Any:
        url = str(github.base_url).replace("/v3/", "/graphql")
        return github.post(url, json={"query": query, "variables": variables}).json()

    def test_reads_in_bulk(self, github: httpx.Client) -> None:
        reviewers = [{"type": "Team", "id": 3001}, {"type": "User", "id": 2001}]
        github.put(f"{AGENTS}/environments/prod", json={"wait_timer": 10, "reviewers": reviewers})
        found = self._ask(github, self.BULK, o="contoso", r="agents")["data"]["repository"]
        assert found["owner"] == {"login": "contoso", "databaseId": 1001}
        rules = {rule["type"]: rule for rule in found["environments"]["nodes"][0]["protectionRules"]["nodes"]}
        assert rules["WAIT_TIMER"]["timeout"] == 10
        assert [each["__typename"] for each in rules["REQUIRED_REVIEWERS"]["reviewers"]["nodes"]] == [
            "Team",
            "User",
        ]
        assert found["object"]["entries"] == [{"name": "README.md", "object": {"text": "# agents\n"}}]

    def test_fragments_and_aliases(self, github: httpx.Client) -> None:
        query = (
            'fragment a on Repository { n: name } { repository(owner:"contoso", name:"agents") { ...a id } }'
        )
        assert self._ask(github, query)["data"]["repository"]["n"] == "agents"

    def test_what_is_not_there(self, github: httpx.Client) -> None:
        answer = self._ask(github, '{ repository(owner:"contoso", name:"none") { id } }')
        assert answer["data"] == {"repository": None}
        assert answer["errors"][0]["type"] == "NOT_FOUND"

    @pytest.mark.parametrize(
        "query",
        ["{ viewer { bio } }", "mutation { x }", "{ viewer", "{ viewer { id @skip(if: true) } }", "%"],
    )
    def test_what_the_sandbox_lacks(self, github: httpx.Client, query: str) -> None:
        assert self._ask(github, query)["errors"][0]["message"]


class TestActions:
    """What pins of actions are made from: releases, tags, and where a commit can be reached from."""

    def test_releases(self, github: httpx.Client) -> None:
        found = github.get("/repos/azure/login/releases?per_page=2").json()
        assert [each["tag_name"] for each in found] == ["v3.1.0", "v3.0.1"]
        tags = [each["tag_name"] for each in github.get("/repos/actions/checkout/releases").json()]
        assert "v7.2.0" not in tags, "a draft is seen by those who write"

    def test_annotated_tags_point_to_an_object_of_their_own(self, github: httpx.Client) -> None:
        target = github.get("/repos/azure/login/git/ref/tags/v3.0.1").json()["object"]
        assert target["type"] == "tag"
        tag = github.get(f"/repos/azure/login/git/tags/{target['sha']}").json()
        commit = "f5d393ae46f8fde4be8b75f32e3fc50e654ad0ca"
        assert (tag["tag"], tag["object"]["sha"], tag["object"]["type"]) == ("v3.0.1", commit, "commit")
        assert github.get(f"/repos/azure/login/git/tags/{commit}").status_code == 404
        heads = github.get(f"/repos/azure/login/commits/{commit}/branches-where-head").json()
        assert [each["name"] for each in heads] == ["releases/v3.0.1"]
        plain = github.get("/repos/actions/checkout/git/ref/tags/v7.0.1").json()["object"]
        assert plain["type"] == "commit"

    @pytest.mark.parametrize(
        ("ends", "status"),
        [
            ("main...v7.0.1", "behind"),
            ("v7.0.1...main", "ahead"),
            ("main...v6.1.1", "diverged"),
            ("v7.0.1...v7.0.1", "identical"),
        ],
    )
    def test_compare(self, github: httpx.Client, ends: str, status: str) -> None:
        assert github.get(f"/repos/actions/checkout/compare/{ends}").json()["status"] == status

    def test_commits_of_a_file(self, sandbox: Sandbox, github: httpx.Client) -> None:
        for text in ("1", "2"):
            sandbox.control("push", {"repository": "contoso/agents", "files": {"x": text, "y": "same"}})
        assert len(github.get(f"{AGENTS}/commits").json()) == 3
        assert len(github.get(f"{AGENTS}/commits?path=x").json()) == 2
        assert len(github.get(f"{AGENTS}/commits?path=y&sha=main").json()) == 1
        assert github.get(f"{AGENTS}/commits?sha=none").status_code == 404
