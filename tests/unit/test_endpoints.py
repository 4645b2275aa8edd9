"""Which hosts: clouds by name, GitHub hosts, and the endpoints file with everything that can be wrong in it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from trustsmith.clients.endpoints import AUDIENCE, for_cloud, from_file, login_environment
from trustsmith.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path


def good() -> dict[str, Any]:
    return {
        "schema": 1,
        "azure": {
            "authority": "https://localhost:1/",
            "graph": "https://localhost:1",
            "resource_manager": "https://localhost:1",
            "graph_scope": "https://localhost:1//.default",
            "resource_manager_scope": "https://localhost:1/arm/.default",
            "foundry_scope": "https://ai.azure.com/.default",
            "audience": "api://x/",
        },
        "github": {
            "api": "https://localhost:1/api/v3",
            "issuer": "https://localhost:1/_services/token/",
            "web": "https://localhost:1",
        },
        "ca_bundle": None,
    }


@pytest.mark.parametrize("cloud", ["AzureCloud", "AzureUSGovernment", "AzureChinaCloud", "AzureBleuCloud"])
@pytest.mark.parametrize(
    ("host", "enterprise", "issuer"),
    [
        ("github.com", None, "https://token.actions.githubusercontent.com"),
        ("github.com", "contoso", "https://token.actions.githubusercontent.com/contoso"),
        ("contoso.ghe.com", None, "https://token.actions.contoso.ghe.com"),
        ("contoso.ghe.com", "contoso", "https://token.actions.contoso.ghe.com/contoso"),
        ("github.contoso.com", None, "https://github.contoso.com/_services/token"),
    ],
)
def test_issuer_and_audience(cloud: str, host: str, enterprise: str | None, issuer: str) -> None:
    plain = for_cloud(cloud, host)
    found = plain.refined(enterprise, None)
    assert (found.issuer, found.audience) == (issuer, "api://AzureADTokenExchange")
    assert plain.refined(enterprise, "api://other").audience == "api://other"


def test_an_issuer_of_a_file_is_used_as_written(tmp_path: Path) -> None:
    found = from_file(written(tmp_path, good())).refined("contoso", "api://other")
    assert (found.issuer, found.audience) == ("https://localhost:1/_services/token/", "api://other")


def written(folder: Path, value: object) -> Path:
    file = folder / "endpoints.json"
    file.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return file


def test_the_public_cloud_with_github_com() -> None:
    found = for_cloud()
    assert found.authority == "https://login.microsoftonline.com"
    assert found.graph_scope == "https://graph.microsoft.com/.default"
    assert found.resource_manager_scope == "https://management.azure.com/.default"
    assert found.foundry() == "https://ai.azure.com/.default"
    assert (found.api, found.issuer) == (
        "https://api.github.com",
        "https://token.actions.githubusercontent.com",
    )
    assert (found.audience, found.discovery, found.github_host) == (AUDIENCE, True, "github.com")


@pytest.mark.parametrize(
    ("host", "api", "issuer"),
    [
        pytest.param(
            "octo.ghe.com", "https://api.octo.ghe.com", "https://token.actions.octo.ghe.com", id="ghe.com"
        ),
        pytest.param(
            "Code.Example.org",
            "https://code.example.org/api/v3",
            "https://code.example.org/_services/token",
            id="server",
        ),
    ],
)
def test_github_hosts(host: str, api: str, issuer: str) -> None:
    found = for_cloud("AzureCloud", host)
    assert (found.api, found.issuer, found.web) == (api, issuer, f"https://{host.lower()}")


@pytest.mark.parametrize("host", ["", "github.com/o", "me@github.com"], ids=["empty", "path", "user"])
def test_what_is_no_github_host(host: str) -> None:
    with pytest.raises(UsageError):
        for_cloud("AzureCloud", host)


@pytest.mark.parametrize("cloud", ["AzureUSGovernment", "AzureChinaCloud", "AzureBleuCloud"])
def test_foundry_is_not_guessed_where_nothing_is_published(cloud: str) -> None:
    found = for_cloud(cloud)
    assert found.foundry_scope is None
    with pytest.raises(UsageError, match=cloud) as caught:
        found.foundry()
    assert "--endpoints" in caught.value.hint


def test_unknown_cloud_names_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        for_cloud("AzureMoonCloud")
    assert "AzureChinaCloud" in caught.value.hint


def test_what_azure_login_calls_a_cloud() -> None:
    assert login_environment("AzureUSGovernment") == "azureusgovernment"
    with pytest.raises(UsageError, match="AzureBleuCloud"):
        login_environment("AzureBleuCloud")


def test_a_file_is_taken_as_written(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("")
    found = from_file(written(tmp_path, good() | {"ca_bundle": "ca.pem"}))
    assert found.authority == "https://localhost:1"
    assert found.issuer == "https://localhost:1/_services/token/", "compared byte for byte, so kept"
    assert found.audience == "api://x/"
    assert found.graph_scope == "https://localhost:1//.default"
    assert found.ca_bundle == str(bundle.resolve())
    assert (found.discovery, found.github_host) == (False, "localhost:1")


def test_all_problems_are_listed_at_once(tmp_path: Path) -> None:
    value = good()
    value["schema"] = 2
    value["more"] = 1
    value["ca_bundle"] = "absent.pem"
    value["azure"] |= {"authority": "http://login", "graph": "https://me:secret@graph", "audience": "a b"}
    value["azure"] |= {"graph_scope": "https://graph", "foundry_scope": None, "portal": "x"}
    del value["azure"]["resource_manager"]
    value["github"] |= {"api": 7, "issuer": "https://i?x=1", "web": "https://host:port"}
    with pytest.raises(UsageError) as caught:
        from_file(written(tmp_path, value))
    wanted = [
        "schema", "more", "ca_bundle", "azure.authority", "azure.graph", "azure.audience", "azure.graph_scope",
        "azure.foundry_scope", "azure.portal", "azure.resource_manager", "github.api", "github.issuer", "github.web",
    ]  # fmt: skip
    lines = caught.value.message.splitlines()
    assert sorted(line.strip().partition(":")[0] for line in lines[1:]) == sorted(wanted)
    assert f"has {len(wanted)} problems" in lines[0]
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    ("value", "says"),
    [
        pytest.param("{", "line 1, column 2", id="no JSON"),
        pytest.param("[]", "must be a JSON object", id="a list"),
        pytest.param(good() | {"azure": []}, "azure: must be an object", id="section"),
        pytest.param(good() | {"ca_bundle": 1}, "ca_bundle: must be a path or null", id="bundle"),
        pytest.param({}, "azure: missing", id="empty"),
    ],
)
def test_other_files(tmp_path: Path, value: object, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        from_file(written(tmp_path, value))
    assert says in caught.value.message


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Cannot read"):
        from_file(tmp_path / "absent.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="UTF-8"):
        from_file(tmp_path / "binary.json")
