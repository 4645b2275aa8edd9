"""Starts the sandbox, tells what to export, and serves until it is told to stop.

The files that it writes appear whole (by rename), the environment file last: who sees it can start. It must
not print a secret that is anybody's but the sandbox's own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import shlex
import signal
import socket
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn

from trustsmith_sandbox import assertions, coverage, entra, github_seed, keys, seed, server, tls, tokens
from trustsmith_sandbox.names import AUDIENCE, Names
from trustsmith_sandbox.relay import Relay
from trustsmith_sandbox.runner import Runner, runner_of
from trustsmith_sandbox.world import World

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_HOST = "localhost"
_HTTPS = 443
_BACKLOG = 512


@dataclass(frozen=True)
class Options:
    """What the command line says; times in seconds, paths None when not asked for."""

    port: int = 0
    endpoints_file: Path | None = None
    env_file: Path | None = None
    log: Path | None = None
    latency: float = 0.0
    lag: float = 0.0
    seed: Path | None = None
    production_names: bool = False
    runner: bool = True
    actions: Path | None = None


class _Server(uvicorn.Server):
    """uvicorn, which says when it serves, and which on a signal returns, so that the process ends with 0."""

    def __init__(
        self, config: uvicorn.Config, world: World, relay: Relay | None, ready: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._world, self._relay, self._ready = world, relay, ready
        self._warming: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, say so, and then do what would make the first sign-in slow."""
        await super().startup(sockets)
        if self._relay:
            await self._relay.start()
        self._ready()
        self._warming = asyncio.create_task(self._warm())

    async def _warm(self) -> None:
        with contextlib.suppress(assertions.AssertionRefused):  # when we are stopped at once
            await assertions.issuers(self._world).ask(self._world, self._world.names.workload_issuer)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop; the jobs and our own client first, which would keep connections open."""
        await runner_of(self._world).close()
        if self._relay:
            await self._relay.close()
        if self._warming:
            await self._warming
        await assertions.issuers(self._world).close()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals for as long as we serve."""
        caught = (signal.SIGINT, signal.SIGTERM)
        before = {number: signal.signal(number, self._stop) for number in caught}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, _number: int, _frame: object) -> None:
        self.should_exit = True


def run(options: Options) -> None:
    """Serve until SIGINT or SIGTERM. Raises ``OSError`` when the port is taken, ``ValueError`` for a bad seed."""
    with tempfile.TemporaryDirectory(prefix="trustsmith-sandbox-") as name, contextlib.ExitStack() as stack:
        if options.env_file:
            options.env_file.unlink(missing_ok=True)  # an old one would say that we serve already
        folder, sockets = Path(name), _listen(options.port)
        world = _world(_names(sockets[0], options), options)
        bundle, certificate = _make_keys(world, folder)
        log = stack.enter_context(options.log.open("a", encoding="utf-8")) if options.log else None
        application = server.Application(world, coverage.SERVICES, log)
        relay = _relay(world, sockets[0])
        exports = _write_files(world, folder, bundle, options) | (relay.variables if relay else {})
        config = _config(application, certificate)
        serving = _Server(
            config, world, relay, lambda: _announce(world.names.origin, exports, options.env_file)
        )
        serving.run(sockets)


def _names(listening: socket.socket, options: Options) -> Names:
    port = listening.getsockname()[1]
    origin = f"https://{_HOST}" + ("" if port == _HTTPS else f":{port}")
    return Names(origin, options.production_names)


def _hosts(world: World) -> tuple[str, ...]:
    """Return the public hosts that we answer as."""
    return tuple(h for s in coverage.SERVICES for h in s.hosts) if world.names.production else ()


def _relay(world: World, listening: socket.socket) -> Relay | None:
    """Return what leads the public hosts here, for who exports what we say and for the jobs of workflow runs."""
    if not world.names.production:
        return None
    relay = Relay(_bound(socket.AF_INET, "127.0.0.1", 0), _hosts(world), listening.getsockname()[1])
    world.kept("relay", lambda: relay.variables)
    return relay


def _make_keys(world: World, folder: Path) -> tuple[Path, Path]:
    """Make every key that a first request would wait for; return the CA's and the server's certificate."""
    with ThreadPoolExecutor() as pool:  # an RSA key takes a tenth of a second
        for make in (tokens.entra_key, tokens.workload_key, keys.issuer_key):
            pool.submit(make, world)
        bundle, certificate = tls.make_certificates(folder, _hosts(world))
    world.kept("ca file", lambda: str(bundle))
    world.kept("jobs' ca file", lambda: str(tls.for_jobs(bundle)))
    world.kept("own request", lambda: secrets.token_hex(16))
    return bundle, certificate


def _listen(port: int) -> list[socket.socket]:
    """Return listening sockets for localhost in both families, on one port (0: a free one)."""
    first = _bound(socket.AF_INET, "127.0.0.1", port)
    sockets = [first]
    with contextlib.suppress(OSError):  # a machine without IPv6, or the port is somebody else's there
        sockets.append(_bound(socket.AF_INET6, "::1", first.getsockname()[1]))
    return sockets


def _bound(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    # With the protocol named, asyncio turns Nagle's algorithm off; without, every answer is 40 ms late.
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(_BACKLOG)
    except OSError:
        made.close()
        raise
    return made


def _world(names: Names, options: Options) -> World:
    start = seed.default_world(names) | {"github": github_seed.seed_github()}
    if options.seed:
        start |= _read_seed(options.seed)
    world = World(names, start)
    world.lag.replication = world.lag.roles = options.lag
    world.kept("pace", lambda: {"latency": options.latency})
    world.kept("runner", lambda: Runner(options.runner, options.actions))
    return world


def _read_seed(path: Path) -> dict[str, Any]:
    seeded = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(seeded, dict):
        raise ValueError("a seed is a JSON object, as GET /_sandbox/state answers it")  # noqa: TRY004 - the text is wrong
    return seeded


def _write_files(world: World, folder: Path, bundle: Path, options: Options) -> dict[str, str]:
    """Write the token and the endpoints; return what to export."""
    token, endpoints = folder / "assertion.jwt", options.endpoints_file or folder / "endpoints.json"
    _write(token, entra.operator_assertion(world, seed.OPERATOR_SUBJECT, AUDIENCE))
    bystander = folder / "bystander.jwt"
    _write(bystander, entra.operator_assertion(world, seed.BYSTANDER_SUBJECT, AUDIENCE))
    _write(endpoints, json.dumps(_endpoints(world.names, bundle), indent=2) + "\n")
    exports = {
        "AZURE_TENANT_ID": seed.TENANT,
        "AZURE_CLIENT_ID": seed.OPERATOR_APP_ID,
        "AZURE_FEDERATED_TOKEN_FILE": str(token),
        "AZURE_AUTHORITY_HOST": world.names.authority + "/",
        "GH_TOKEN": github_seed.ADMIN_TOKEN,
        "SSL_CERT_FILE": str(bundle),
        "REQUESTS_CA_BUNDLE": str(bundle),
        "TRUSTSMITH_ENDPOINTS": str(endpoints.absolute()),
        "TRUSTSMITH_SANDBOX": world.names.origin,
    }
    left_out = ("AZURE_AUTHORITY_HOST", "TRUSTSMITH_ENDPOINTS") if options.production_names else ()
    return {name: value for name, value in exports.items() if name not in left_out}


def _endpoints(names: Names, bundle: Path) -> dict[str, Any]:
    return {
        "schema": 1,
        "azure": {
            "authority": names.authority,
            "graph": names.graph,
            "resource_manager": names.resource_manager,
            "graph_scope": names.scope("graph"),
            "resource_manager_scope": names.scope("arm"),
            "foundry_scope": names.scope("foundry"),
            "audience": AUDIENCE,
        },
        "github": {"api": names.github_api, "issuer": names.issuer, "web": names.github_web},
        "ca_bundle": str(bundle),
    }


def _write(path: Path, text: str) -> None:
    """Write a file that only we may read, and let it appear whole."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(
        os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)
    draft.replace(path)


def _config(application: server.Application, certificate: Path) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http=server.Protocol,
        ssl_certfile=certificate,
        lifespan="off",
        ws="none",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )


def _announce(origin: str, exports: dict[str, str], env_file: Path | None) -> None:
    lines = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in exports.items())
    sys.stdout.write(f"# {origin}\n{lines}")
    if sys.stderr.isatty():
        where = f". {shlex.quote(str(env_file))}" if env_file else "paste these lines"
        sys.stderr.write(
            f"Serving until Ctrl-C. In another terminal: {where}, then trustsmith setup --repo contoso/agents\n"
        )
    sys.stdout.flush()
    if env_file:
        _write(env_file, lines)
