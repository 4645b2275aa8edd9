"""Proxies and certificates: what the environment says holds for all four services."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from tests.cli import proxy
from tests.cli.desk import config

if TYPE_CHECKING:
    from tests.cli.desk import Desk

CA = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")


def _endpoints(desk: Desk, tmp_path: Path, **changed: object) -> None:
    """The sandbox's endpoints, changed."""
    known = json.loads(Path(desk.env["TRUSTSMITH_ENDPOINTS"]).read_text())
    file = tmp_path / "endpoints.json"
    file.write_text(json.dumps(known | changed))
    desk.env["TRUSTSMITH_ENDPOINTS"] = str(file)


def test_the_proxy_is_asked_for_everything(desk: Desk) -> None:
    port = desk.sandbox.origin.rpartition(":")[2]
    desk.write(config())
    with proxy.running() as company:
        desk.env |= {"HTTPS_PROXY": company.url, "NO_PROXY": "", "no_proxy": ""}
        desk("plan").ends(0)
        services = desk.services()
        connections = company.asked
    assert services == {"entra", "graph", "arm", "github"}
    assert set(connections) == {f"localhost:{port}"}
    assert len(connections) >= 4, "one for each SDK at least"
    desk.forget()
    desk.env["HTTPS_PROXY"] = "http://127.0.0.1:9"
    desk("plan").ends(6)
    assert desk.requests() == [], "nothing goes around the proxy"


def test_no_proxy_is_honoured(desk: Desk) -> None:
    desk.write(config())
    desk.env |= {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "localhost"}
    desk("plan").ends(0)


@pytest.mark.parametrize("name", CA)
def test_either_variable_names_the_ca_for_all(desk: Desk, tmp_path: Path, name: str) -> None:
    desk.write(config())
    _endpoints(desk, tmp_path, ca_bundle=None)
    for other in CA:
        if other != name:
            del desk.env[other]
    desk("plan").ends(0)
    assert desk.services() == {"entra", "graph", "arm", "github"}


def test_a_certificate_that_is_not_trusted(desk: Desk, tmp_path: Path) -> None:
    desk.write(config())
    wrong = tmp_path / "wrong.pem"
    trustme.CA().cert_pem.write_to_path(str(wrong))
    _endpoints(desk, tmp_path, ca_bundle=str(wrong))
    done = desk("plan").ends(6, "is not trusted here", "SSL_CERT_FILE")
    assert done.out == ""
    assert desk.requests() == []


def test_a_ca_bundle_that_is_none(desk: Desk, tmp_path: Path) -> None:
    desk.write(config())
    _endpoints(desk, tmp_path, ca_bundle=str(tmp_path / "nowhere.pem"))
    desk("plan").ends(2, "nowhere.pem")


def test_nobody_answers(desk: Desk, tmp_path: Path) -> None:
    desk.write(config())
    known = json.loads(Path(desk.env["TRUSTSMITH_ENDPOINTS"]).read_text())
    _endpoints(desk, tmp_path, github=known["github"] | {"api": "https://127.0.0.1:9/api/v3"})
    desk("plan").ends(6, "127.0.0.1", "HTTPS_PROXY")
