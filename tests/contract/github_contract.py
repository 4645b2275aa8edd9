"""Holds answers to GitHub's published API description, and gives tests clients that always do.

The description is ``tests/contracts/github.json``, with ``github-api-*.json`` beside it for what was added; what real traffic looked like is in
``github-observed.json``. It must not know what the sandbox does.
"""

from __future__ import annotations

import base64
import json
import re
import ssl
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
from jsonschema import Draft202012Validator
from nacl.public import PublicKey, SealedBox

if TYPE_CHECKING:
    from tests.conftest import Sandbox

CONTRACTS = Path(__file__).resolve().parents[1] / "contracts"
ADMIN, READ_ONLY, WRITER = "sandbox-admin-token", "sandbox-read-only-token", "sandbox-writer-token"
# Routes of GitHub's that its description, as we have it, leaves out.
_NOT_DESCRIBED = re.compile(
    r"GET (/|/meta|.*/readme|.*/permission|.*/teams|.*/contents|.*/selected-actions|/orgs/[^/]+/actions/permissions)"
    r"|GET .*/annotations|GET .*/properties/values|\w+ .*/customization/properties/repo(/.*)?"
    r"|(POST /graphql|POST .*/transfer|POST .*/cancel|PUT .*/actions/permissions)"
)
_ENVELOPE = {"message", "documentation_url", "status"}


def _with_null(schema: Any) -> Any:
    """Return an OpenAPI 3.0 schema as JSON Schema: ``nullable`` becomes a type."""
    if isinstance(schema, list):
        return [_with_null(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _with_null(value) for key, value in schema.items() if key != "nullable"}
    return {"anyOf": [plain, {"type": "null"}]} if schema.get("nullable") is True else plain


@cache
def _described() -> dict[str, Any]:
    known: dict[str, Any] = json.loads((CONTRACTS / "github.json").read_text(encoding="utf-8"))
    for file in sorted(CONTRACTS.glob("github-api-*.json")):
        _add(known, json.loads(file.read_text(encoding="utf-8")))
    known["components"] = _with_null(known["components"])
    return known


def _add(known: dict[str, Any], more: dict[str, Any]) -> None:
    """Add what another file describes: further paths, further methods of a path, further components."""
    for path, methods in more["paths"].items():
        known["paths"].setdefault(path, {}).update(methods)
    for kind, named in more["components"].items():
        known["components"].setdefault(kind, {}).update(named)


@cache
def _templates() -> list[tuple[re.Pattern[str], str]]:
    """Return the described paths, the most literal first; contents and refs may have several segments."""
    paths = sorted(_described()["paths"], key=lambda path: (path.count("{"), path))
    several = {"path", "ref", "tree_sha", "branch", "basehead"}
    return [(re.compile(_pattern(path, several)), path) for path in paths]


def _pattern(path: str, several: set[str]) -> str:
    return re.sub(r"\{(\w+)\}", lambda found: "(.+)" if found[1] in several else "([^/]+)", path)


def response_schema(method: str, path: str, status: int) -> dict[str, Any] | None:
    """Return the schema of an answer's body; None where it has none. Raises KeyError for what is not described."""
    for pattern, template in _templates():
        if pattern.fullmatch(path) and method.lower() in _described()["paths"][template]:
            answers = _described()["paths"][template][method.lower()]["responses"]
            content = _followed(answers[str(status)]).get("content", {})
            if not content:
                return None
            schema = next(iter(content.values()))["schema"]
            return {"components": _described()["components"], **_with_null(schema)}
    raise KeyError(f"{method} {path}")


def _followed(answer: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in answer:
        return answer
    found: dict[str, Any] = _described()["components"]["responses"][answer["$ref"].rpartition("/")[2]]
    return found


def check(answer: httpx.Response) -> None:
    """Assert that an answer of the sandbox's GitHub is one that GitHub could give."""
    answer.read()
    path = answer.request.url.raw_path.decode().partition("?")[0].removeprefix("/api/v3")
    if path.startswith(("/_", "/api/")):
        return
    assert answer.headers["x-github-request-id"]
    assert answer.headers["x-ratelimit-remaining"]
    if answer.is_error:
        assert set(answer.json()) >= _ENVELOPE
    elif answer.is_success and not _NOT_DESCRIBED.fullmatch(f"{answer.request.method} {path or '/'}"):
        _check_body(answer, re.sub(r"^/repositories/\d+", "/repos/some/one", path))


def _check_body(answer: httpx.Response, path: str) -> None:
    schema = response_schema(answer.request.method, path, answer.status_code)
    if schema is None:
        assert not answer.content
        return
    if answer.headers["content-type"].startswith("application/vnd.github.raw"):
        return
    problems = [
        f"{'.'.join(map(str, problem.absolute_path))}: {problem.message}"
        for problem in Draft202012Validator(schema).iter_errors(answer.json())
    ]
    assert not problems, "\n".join(problems)[:2000]


def client(sandbox: Sandbox, token: str | None = ADMIN, prefix: str = "/api/v3") -> httpx.Client:
    """Return a client whose every answer is checked; redirects are shown, not followed."""
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return httpx.Client(
        base_url=sandbox.origin + prefix,
        verify=ssl.create_default_context(cafile=sandbox.env["SSL_CERT_FILE"]),
        headers=headers,
        trust_env=False,
        event_hooks={"response": [check]},
    )


def seal(key: str, value: str) -> str:
    """Return a value as GitHub wants it: sealed for a public key, in Base64."""
    box = SealedBox(PublicKey(base64.b64decode(key)))
    return base64.b64encode(box.encrypt(value.encode())).decode()


def put_secret(http: httpx.Client, place: str, name: str, value: str, **more: Any) -> httpx.Response:
    """Write a secret below ``place`` (``/repos/o/r/environments/e``, ``/orgs/o/actions``, …)."""
    key = http.get(f"{place}/secrets/public-key").json()
    body = {"encrypted_value": seal(key["key"], value), "key_id": key["key_id"], **more}
    return http.put(f"{place}/secrets/{name}", json=body)


def observed(endpoint: str, status: int) -> set[str]:
    """Return the keys that real answers had: dotted paths, ``[]`` for the elements of a list."""
    known = json.loads((CONTRACTS / "github-observed.json").read_text(encoding="utf-8"))["endpoints"]
    return {key.partition(":")[0] for key in known[endpoint]["response_keys"][str(status)]}


def keys_of(value: Any, prefix: str = "") -> set[str]:
    """Return a body's keys in the same form."""
    if isinstance(value, list):
        return set().union(*(keys_of(each, f"{prefix}[]") for each in value))
    if not isinstance(value, dict):
        return set()
    start = f"{prefix}." if prefix else ""
    inner = (keys_of(each, start + key) for key, each in value.items())
    return {start + key for key in value} | set().union(*inner)
