"""Split rights: each side's part by somebody else, in any order; nobody is contacted who need not be."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from tests.cli.desk import WORKFLOW, apart, config

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cli.desk import Desk

CLIENT = "8ca0bc89-640e-4d2d-9689-eae53e912b0f"
ENDPOINT = "https://foundry-dev.services.ai.azure.com/api/projects/agents"


def _only(desk: Desk, side: str) -> None:
    """One side's part: it ends well, and says what waits for whom."""
    desk.forget()
    done = desk("apply", "--yes", "--only", side, "--format", "json").ends(0)
    written = {request["service"] for request in desk.writes()}
    assert written <= {{"entra": "graph", "azure": "arm", "files": ""}.get(side, side)}
    for entry in done.json["plan"]["waiting"]:
        assert "waits until" in entry["why"]


@pytest.fixture(scope="session")
def whole() -> list[dict[str, object]]:
    """What the first order made; all others make the same."""
    return []


@pytest.mark.parametrize("order", list(permutations(("entra", "azure", "github"))), ids="-".join)
def test_any_order_ends_the_same(desk: Desk, whole: list[dict[str, object]], order: tuple[str, ...]) -> None:
    desk.write(config())
    for side in order:
        _only(desk, side)
    desk("apply", "--yes").ends(0)
    shape = desk.world().shape()
    assert not whole or apart(shape, whole[0]) == []
    whole.append(shape)


def test_entra_waits_for_the_environment(desk: Desk) -> None:
    desk.write(config())
    done = desk("apply", "--yes", "--only", "entra", "--format", "json").ends(0)
    (waiting,) = done.json["plan"]["waiting"]
    assert waiting["kind"] == "federated credential"
    assert "github environment dev" in waiting["why"]
    assert "--only github" in waiting["why"]
    assert "arm" not in desk.services()
    assert desk.world().app("dev")["federatedIdentityCredentials"] == []


def test_azure_waits_for_entra(desk: Desk) -> None:
    desk.write(config())
    done = desk("apply", "--yes", "--only", "azure", "--format", "json").ends(0)
    (waiting,) = done.json["plan"]["waiting"]
    assert waiting["kind"] == "role assignment"
    assert "--only entra" in waiting["why"]
    assert desk.writes() == []


def test_github_waits_for_the_client_id(desk: Desk) -> None:
    desk.write(config())
    done = desk("apply", "--yes", "--only", "github", "--format", "json").ends(0)
    assert [w["name"] for w in done.json["plan"]["waiting"]] == ["dev/AZURE_CLIENT_ID"]
    assert sorted(desk.world().environment("dev")["secrets"]) == [
        "AZURE_AI_PROJECT_ENDPOINT",
        "AZURE_SUBSCRIPTION_ID",
        "AZURE_TENANT_ID",
    ]


def test_files_need_nobody(desk: Desk) -> None:
    desk.write(config())
    desk.env = {"GH_TOKEN": "", "TRUSTSMITH_ENDPOINTS": desk.env["TRUSTSMITH_ENDPOINTS"]}
    desk("apply", "--yes", "--only", "files").ends(0)
    assert (desk.checkout / WORKFLOW).exists()
    assert desk.requests() == []


def _without_azure(desk: Desk, tmp_path: Path) -> None:
    desk.env = {name: value for name, value in desk.env.items() if not name.startswith("AZURE_")}
    desk.env["PATH"] = str(tmp_path)


def test_github_with_ids_in_the_file_needs_no_azure(desk: Desk, tmp_path: Path) -> None:
    _without_azure(desk, tmp_path)
    desk.write(config().replace("  dev:\n", f"  dev:\n    client_id: {CLIENT}\n    endpoint: {ENDPOINT}\n"))
    done = desk("apply", "--yes", "--only", "github", "--format", "json").ends(0)
    assert done.json["plan"]["waiting"] == []
    assert desk.services() == {"github"}
    seen = desk.job("dev")["secrets"]
    assert (seen["AZURE_CLIENT_ID"], seen["AZURE_AI_PROJECT_ENDPOINT"]) == (CLIENT, ENDPOINT)


def test_github_with_a_client_id_only_lets_the_endpoint_wait(desk: Desk, tmp_path: Path) -> None:
    _without_azure(desk, tmp_path)
    desk.write(config().replace("  dev:\n", f"  dev:\n    client_id: {CLIENT}\n"))
    done = desk("apply", "--yes", "--only", "github", "--format", "json").ends(0)
    assert [w["name"] for w in done.json["plan"]["waiting"]] == ["dev/AZURE_AI_PROJECT_ENDPOINT"]
    assert desk.services() == {"github"}


def test_github_with_all_but_a_sign_in_does_what_it_can(desk: Desk, tmp_path: Path) -> None:
    _without_azure(desk, tmp_path)
    desk.write(config())
    done = desk("apply", "--yes", "--only", "github", "--format", "json").ends(0)
    waiting = {w["name"] for w in done.json["plan"]["waiting"]}
    assert waiting == {"dev/AZURE_CLIENT_ID", "dev/AZURE_AI_PROJECT_ENDPOINT"}
