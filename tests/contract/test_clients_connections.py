"""How connections are made and who signs in: proxies, certificates, Azure CLI, device codes, foreign hosts."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import gc
import json
import socket
import threading
import time
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from tests.contract.clients_on_sandbox import QUICK, Bench, endpoints_of, export, run
from trustsmith.clients import tls
from trustsmith.clients.arm import Arm
from trustsmith.clients.arm_wire import Wire as ArmWire
from trustsmith.clients.credentials import Credentials
from trustsmith.clients.github import GitHub
from trustsmith.clients.graph import Graph
from trustsmith.clients.graph_wire import Wire as GraphWire
from trustsmith.clients.prefetch import prefetch
from trustsmith.errors import NotSignedIn, ServiceError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import Sandbox

# msgraph's builders warn about themselves when they are imported.
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")


@pytest.fixture(autouse=True)
def _signed_in(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    export(sandbox, monkeypatch)


async def ask_everybody(bench: Bench) -> None:
    await bench.graph.application("absent")
    await bench.arm.subscriptions()
    await bench.github.repository("contoso/agents")


@contextmanager
def proxy() -> Iterator[tuple[int, list[str]]]:
    """A proxy that tunnels: yields its port, and the targets it was asked for."""
    targets: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    client, _ = listening.accept()
                except OSError:
                    return
                head = client.recv(65536)
                targets.append(head.split()[1].decode())
                host, _, port = targets[-1].rpartition(":")
                server = socket.create_connection((host, int(port)))
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                threading.Thread(target=tunnel, args=(client, server), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1], targets
        listening.shutdown(socket.SHUT_RDWR)


def tunnel(client: socket.socket, server: socket.socket) -> None:
    with client, server:
        back = threading.Thread(target=pump, args=(server, client), daemon=True)
        back.start()
        pump(client, server)
        back.join()


def pump(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


def test_all_go_through_the_proxy(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxy() as (port, targets):
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        run(sandbox, ask_everybody)
        assert len(targets) >= 4, "Entra, Graph, ARM and GitHub"
        targets.clear()
        monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
        run(sandbox, ask_everybody)
        assert targets == []


def without_bundle(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Take the CA out of the endpoints file and of the environment."""
    data = json.loads(Path(sandbox.env["TRUSTSMITH_ENDPOINTS"]).read_text()) | {"ca_bundle": None}
    file = folder / "endpoints.json"
    file.write_text(json.dumps(data))
    monkeypatch.setitem(sandbox.env, "TRUSTSMITH_ENDPOINTS", str(file))
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name)
    tls.context.cache_clear()


@pytest.mark.parametrize("name", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_either_variable_names_the_certificates(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    without_bundle(sandbox, monkeypatch, tmp_path)
    monkeypatch.setenv(name, sandbox.env["SSL_CERT_FILE"])
    run(sandbox, ask_everybody)
    tls.context.cache_clear()


def test_a_certificate_that_nobody_vouches_for(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Not tried five times, and not taken for a missing sign-in."""
    without_bundle(sandbox, monkeypatch, tmp_path)

    async def story(bench: Bench) -> None:
        for ask in (bench.credentials.whoami(), bench.graph.application("x"), bench.github.repository("o/r")):
            with pytest.raises(ServiceError, match=r"certificate|Cannot reach") as caught:
                await ask
            assert not isinstance(caught.value, NotSignedIn)
            assert "SSL_CERT_FILE" in caught.value.hint
        assert bench.waits == []

    run(sandbox, story)
    tls.context.cache_clear()


def test_a_bundle_that_is_none(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("no certificate")
    with pytest.raises(UsageError, match=r"ca\.pem"):
        tls.context(str(file))


def test_nobody_answers(sandbox: Sandbox) -> None:
    """A port that is closed: nothing was sent, and it is tried five times."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    closed = f"https://localhost:{port}"
    endpoints = dataclasses.replace(endpoints_of(sandbox), graph=closed, api=closed, resource_manager=closed)

    async def story() -> None:
        credentials = Credentials(endpoints, sandbox.env["AZURE_TENANT_ID"])
        clients = Graph(credentials, endpoints, pace=QUICK), Arm(credentials, endpoints, pace=QUICK)
        hub = GitHub(endpoints, pace=QUICK)
        for write in (
            clients[0].upsert_application("x", {}),
            clients[1].delete_role_assignment("/x"),
            hub.put_environment("o/r", "e", {}),
        ):
            with pytest.raises(ServiceError, match="Cannot reach") as caught:
                await write
            assert not caught.value.unsure
        for client in (*clients, hub):
            await client.aclose()
        credentials.close()

    asyncio.run(story())


@contextmanager
def hanging_up_once(port: int) -> Iterator[int]:
    """Leads to a port of this machine, but ends the first connection at once; yields where it listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with contextlib.suppress(OSError):
                listening.accept()[0].close()
                while True:
                    client, _ = listening.accept()
                    server = socket.create_connection(("127.0.0.1", port))
                    threading.Thread(target=tunnel, args=(client, server), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def test_every_connection_is_closed(sandbox: Sandbox) -> None:
    """Also one that several requests have waited for, and whose first attempt failed."""
    endpoints = endpoints_of(sandbox)
    port = urlsplit(endpoints.graph).port or 443

    async def story(graph: Graph) -> None:
        try:
            await asyncio.gather(*(graph.application(f"absent-{number}") for number in range(3)))
        finally:
            await graph.aclose()

    with hanging_up_once(port) as there:
        endpoints = dataclasses.replace(endpoints, graph=endpoints.graph.replace(f":{port}", f":{there}"))
        credentials = Credentials(endpoints, sandbox.env["AZURE_TENANT_ID"])
        gc.collect()
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always", ResourceWarning)
            asyncio.run(story(Graph(credentials, endpoints, pace=QUICK)))
            gc.collect()
        credentials.close()
    assert [str(one.message) for one in heard if one.category is ResourceWarning] == []


def test_no_token_for_a_foreign_host(sandbox: Sandbox) -> None:
    endpoints = endpoints_of(sandbox)
    credentials = Credentials(endpoints)
    with pytest.raises(ServiceError, match="another host"):
        GraphWire(credentials, endpoints)._check_host("https://evil.example/v1.0/x", "list")

    async def story(bench: Bench) -> None:
        wire = ArmWire(bench.credentials, endpoints, pace=QUICK)
        with pytest.raises(ServiceError, match="another host"):
            await wire.pages("list", "https://evil.example/subscriptions", "2022-12-01")
        await wire.aclose()

    run(sandbox, story)


def as_azure_cli(folder: Path, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """Put an `az` first on PATH that prints `answer` and notes each call."""
    for name in ("AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"):
        monkeypatch.delenv(name)
    az = folder / "az"
    az.write_text(f"#!/bin/sh\necho \"$*\" >> '{folder}/calls'\n{answer}\n")
    az.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_azure_cli_is_asked_once_for_each_service(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    token = json.dumps({"accessToken": "opaque", "expires_on": int(time.time()) + 3600})
    as_azure_cli(tmp_path, monkeypatch, f"echo '{token}'")
    endpoints = endpoints_of(sandbox)
    tenant = sandbox.env["AZURE_TENANT_ID"]
    credentials = Credentials(endpoints, tenant)
    for _ in range(3):
        assert credentials.token(endpoints.graph_scope).token == "opaque"
    assert credentials.token(endpoints.resource_manager_scope).token == "opaque"
    calls = (tmp_path / "calls").read_text().splitlines()
    assert len(calls) == 2
    assert all(f"--tenant {tenant}" in call for call in calls)


def test_azure_cli_that_has_to_sign_in_again(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    as_azure_cli(
        tmp_path, monkeypatch, "echo 'ERROR: AADSTS700082: The refresh token has expired' >&2; exit 1"
    )
    endpoints = endpoints_of(sandbox)
    with pytest.raises(NotSignedIn, match="expired") as caught:
        Credentials(endpoints).token(endpoints.graph_scope)
    assert caught.value.code == "AADSTS700082"
    assert "az login" in caught.value.hint


def test_a_device_code_is_shown_and_used_for_both_services(sandbox: Sandbox) -> None:
    endpoints = endpoints_of(sandbox)
    said: list[str] = []

    def approve(message: str) -> None:
        said.append(message)
        sandbox.control("devicecode", {"user_code": message.rsplit(maxsplit=1)[-1]})

    tenant = sandbox.env["AZURE_TENANT_ID"]
    credentials = Credentials(endpoints, tenant, method="device-code", on_event=approve)
    credentials.token(endpoints.graph_scope)
    credentials.token(endpoints.resource_manager_scope)
    assert len(said) == 1
    assert asyncio.run(credentials.whoami())["method"] == "device code"
    credentials.close()


def test_a_head_start_signs_in_and_loads(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        before = bench.asked()["entra POST"]
        prefetch(bench.credentials)
        await ask_everybody(bench)
        assert bench.asked()["entra POST"] == before + 2

    run(sandbox, story)
