"""The script of check-trust: what it sends its token to, what it waits for, and that no token gets out of it."""

from __future__ import annotations

import ast
import base64
import json
from pathlib import Path
from typing import Any

import pytest

from templates import probe
from tests.golden.cases import SITE
from trustsmith.model import proof

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"
OWN = "https://foundry-dev.services.ai.azure.com/api/projects/agents"
OTHER = "https://foundry-prod.services.ai.azure.com/api/projects/agents"
ENV = {
    "AZURE_CLIENT_ID": "11111111-2222-3333-4444-555555555555",
    "AZURE_TENANT_ID": "contoso.com",
    "AZURE_AI_PROJECT_ENDPOINT": OWN,
    "TRUSTSMITH_ENVIRONMENT": "dev",
    "TRUSTSMITH_NONCE": "n1",
    "TRUSTSMITH_AUTHORITY": SITE.authority,
}


class World(probe.Probe):
    """A probe whose answers are made up, and whose time passes by what it sleeps.

    codes: Entra's, in order; nothing for a token. answers: what an endpoint answers, in order; the last one stays.
    """

    def __init__(self, codes: tuple[str, ...] = ("",), request: Any = None, **env: str) -> None:
        super().__init__({**ENV, "TRUSTSMITH_REQUEST": json.dumps(request or {}), **env})
        self.codes = list(codes)
        self.answers: dict[str, list[tuple[int, str]]] = {OWN: [(200, "")]}
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def access_token(self) -> str:
        code = self.codes.pop(0)
        self.result.update(subject="repo:contoso/agents:environment:dev", issuer="https://issuer")
        if code:
            raise probe.FailedError(f"{code}: no {JWT}", code)
        return JWT

    def call(self, endpoint: str, token: str) -> tuple[int, str]:
        assert token == JWT
        left = self.answers[endpoint]
        return left.pop(0) if len(left) > 1 else left[0]

    def addresses(self, host: str) -> list[str]:
        return [f"address of {host}"]


def with_answers(world: World, *own: tuple[int, str], other: int = 403) -> World:
    world.answers = {OWN: list(own) or [(200, "")], OTHER: [(other, "")]}
    return world


def ran(world: World, capsys: pytest.CaptureFixture[str], step: str = "") -> tuple[bool, proof.Result, str]:
    sound = world.run(step)
    out = capsys.readouterr().out
    assert JWT not in out
    assert out.count(probe.MARK) == 1
    read = proof.read(out)
    assert read is not None
    return sound, read[0], out


def test_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    world = with_answers(World(request={"others": {"prod": [OTHER], "dev": [OWN]}}))
    sound, result, _ = ran(world, capsys)

    assert sound
    assert (result.nonce, result.environment, result.ok) == ("n1", "dev", True)
    assert [(p.host, p.status, p.addresses) for p in result.projects] == [
        ("foundry-dev.services.ai.azure.com", 200, ("address of foundry-dev.services.ai.azure.com",))
    ]
    assert result.others == {"prod": (403,)}


def test_what_lags_is_waited_for_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    world = World(codes=("AADSTS70025", "AADSTS700213", ""))
    sound, result, out = ran(with_answers(world, (401, ""), (403, ""), (200, "")), capsys)

    assert sound
    assert (result.ok, result.code, result.waited_s) == (True, "", 10.0)
    assert result.projects[0].waited_s == 20.0
    assert "AADSTS70025: a new federated credential takes minutes" in out
    assert "HTTP 403: a new role takes up to ten minutes" in out


@pytest.mark.parametrize("code", ["AADSTS7002138", "AADSTS700024", "AADSTS90002", ""])
def test_what_waiting_cannot_mend_is_final(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    world = World(codes=(code or "no code",))
    sound, result, out = ran(world, capsys)

    assert not sound
    assert (result.ok, world.codes) == (False, [])
    assert "Waiting" not in out
    assert "(a token)" in result.message


def test_waiting_has_an_end_and_a_request_can_only_shorten_it(capsys: pytest.CaptureFixture[str]) -> None:
    for asked, waited in ((6, 6.0), (10**400, 600.0), ("x", 600.0)):
        sound, result, _ = ran(
            with_answers(World(request={"projects_wait_s": asked}), (403, "no role")), capsys
        )
        assert not sound
        assert result.projects[0].waited_s == pytest.approx(waited, abs=waited / 30)
        assert result.projects[0].message == "no role"
    assert not ran(World(codes=("AADSTS70025",) * 99), capsys)[0]


def test_a_closed_network_is_not_waited_for(capsys: pytest.CaptureFixture[str]) -> None:
    closed = (403, "Public access is disabled. Please configure private endpoint.")
    _, result, out = ran(with_answers(World(), closed), capsys)
    assert result.projects[0].waited_s == 0
    assert "Waiting" not in out


def test_reaching_another_environment_is_not_sound(capsys: pytest.CaptureFixture[str]) -> None:
    world = with_answers(World(request={"others": {"prod": [OTHER]}}), other=200)
    sound, result, _ = ran(world, capsys)
    assert (sound, result.others) == (False, {"prod": (200,)})


def test_where_the_identity_is_shared_the_others_project_may_open(capsys: pytest.CaptureFixture[str]) -> None:
    request = {"others": {"prod": [OTHER]}, "excused": {"dev": ["prod"], "prod": ["dev"]}}
    sound, result, _ = ran(with_answers(World(request=request), other=200), capsys)
    assert (sound, result.others) == (True, {"prod": (200,)})


@pytest.mark.parametrize("excused", [None, [], {"dev": "prod"}, {"prod": ["prod"]}, {"dev": ["live"]}])
def test_no_other_word_excuses(excused: object, capsys: pytest.CaptureFixture[str]) -> None:
    request = {"others": {"prod": [OTHER]}, "excused": excused}
    sound, _, _ = ran(with_answers(World(request=request), other=200), capsys)
    assert not sound


def test_a_closed_network_does_not_say_that_another_environment_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    world = World(request={"others": {"prod": [OTHER]}})
    world.answers[OTHER] = [(403, "Public access is disabled. Please configure private endpoint.")]
    _, result, out = ran(world, capsys)
    assert result.others == {"prod": (None,)}
    assert "prod's project: closed to this network." in out


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://evil.example/api",
        "http://foundry-prod.services.ai.azure.com/api",
        "https://foundry-prod.services.ai.azure.com:8443/api",
        "https://a@foundry-prod.services.ai.azure.com/api",
        "https://services.ai.azure.com/api",
        "https://a.b.services.ai.azure.com/api",
        "https://foundry-prod.services.ai.azure.com.evil.example/api",
        "https://[",
        "",
        {"not": "a text"},
    ],
)
def test_the_token_goes_nowhere_else(endpoint: Any, capsys: pytest.CaptureFixture[str]) -> None:
    _, result, _ = ran(World(request={"others": {"prod": [endpoint]}}), capsys)
    assert result.others == {"prod": (None,)}


@pytest.mark.parametrize(
    ("own", "other", "near"),
    [
        ("localhost:1", "localhost:1", True),
        ("localhost:1", "localhost:2", False),
        ("10.0.0.1", "11.0.0.1", False),
        ("contoso.com", "fabrikam.com", False),
        ("dev.services.ai.azure.com", "prod.services.ai.azure.com", True),
        ("dev.services.ai.azure.com", "prod.services.ai.azure.us", False),
        ("dev.services.ai.azure.com", "prod.services.ai.azure.com:8443", False),
        ("contoso.azure-api.net", "stranger.azure-api.net", False),
        ("", "", False),
    ],
)
def test_neighbours(own: str, other: str, near: bool) -> None:  # noqa: FBT001 - what is expected
    assert probe.neighbours(own, other) is near


def test_the_first_step_tells_the_second_how_long_it_waited(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert World(codes=("AADSTS70025", ""), RUNNER_TEMP=str(tmp_path)).run("exchange")
    assert probe.MARK not in capsys.readouterr().out
    assert [file.read_text() for file in tmp_path.iterdir()] == ["5.0"]
    _, result, _ = ran(World(RUNNER_TEMP=str(tmp_path)), capsys, "projects")
    assert result.waited_s == 5.0


def test_it_runs_on_old_runners_and_github_evaluates_nothing_in_it() -> None:
    text = (Path(__file__).parents[2] / "templates" / "probe.py").read_text("utf-8")
    ast.parse(text, feature_version=(3, 8))
    assert "${{" not in text


def test_the_runners_masking_leaves_a_result_readable() -> None:
    secrets = [ENV["AZURE_CLIENT_ID"], "contoso.com", OWN, 'a "quoted" \\ and ünï\n']
    line = probe.encoded({"ids": secrets, "count": 2})
    for secret in secrets:
        raw = secret.encode()
        masks = [base64.b64encode(raw[shift:]).decode().rstrip("=")[:-1] for shift in range(3)]
        assert not [mask for mask in (secret, *masks) if mask in line]
    assert json.loads(base64.b64decode(line)) == {"ids": secrets, "count": 2}


def test_a_job_without_permission_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    world = probe.Probe(ENV)
    assert not world.run("exchange")
    read = proof.read(capsys.readouterr().out)
    assert read
    assert "id-token: write" in read[0].message


def test_an_environment_without_ids_says_which_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    assert not probe.Probe(ENV | {"AZURE_TENANT_ID": " "}).run("")
    read = proof.read(capsys.readouterr().out)
    assert read
    assert read[0].message == "AZURE_TENANT_ID is empty in this environment."


def test_projects_are_called_in_the_order_of_their_names() -> None:
    names = {f"AZURE_AI_PROJECT_ENDPOINT_{n}": f"https://{n}" for n in (10, 2)}
    assert World(("",), None, **names).own() == [OWN, "https://2", "https://10"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("::add-mask::x", "(command) add-mask::x"),
        ("two\nlines ##[error]", "two lines (command) error]"),
        (f"Bearer {JWT}.", "Bearer (a token)"),
    ],
)
def test_what_services_say_does_no_harm_in_a_log(text: str, line: str) -> None:
    assert probe.harmless(text) == line


def test_claims_are_read_without_the_one_time_id() -> None:
    payload = base64.urlsafe_b64encode(json.dumps({"sub": "s", "jti": "j"}).encode()).decode().rstrip("=")
    assert probe.claims_of(f"x.{payload}.y") == {"sub": "s"}
    assert probe.claims_of("no token") == probe.claims_of("x.%%%.y") == {}


def test_entras_no_is_known_by_the_code_in_its_body() -> None:
    body = {
        "error_codes": [700213],
        "error_description": "AADSTS700213: No match. Trace ID: 1 Correlation ID: 2",
    }
    failed = probe.refusal(401, json.dumps(body))
    assert (failed.code, failed.message) == ("AADSTS700213", "AADSTS700213: No match.")
    assert probe.refusal(502, "<html>").message == "Entra gave no token (HTTP 502): <html>"


def test_nothing_is_sent_without_tls_and_errors_hold_nothing_that_was_sent() -> None:
    assert probe.send("http://localhost:1", {})[0] == 0
    assert probe.send("https://localhost:1/a b\n", {"Authorization": "s3cret"}) == (0, "InvalidURL")
    assert probe.send("https://localhost:1", {"Authorization": "s3cret\nx"}) == (0, "ValueError")
