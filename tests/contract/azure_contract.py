"""Holds answers of Graph and Resource Manager to their published descriptions (``tests/contracts``).

Strict about unknown properties; lenient about nulls in Resource Manager, whose real answers are full of
them although its descriptions say otherwise. It must not know what the sandbox does.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

if TYPE_CHECKING:
    import httpx

_FOLDER = Path(__file__).resolve().parents[1] / "contracts"
_ARM = ("arm-authorization", "arm-cognitiveservices", "arm-deployments", "arm-pim", "arm-resources")
_SEVERAL = {"scope", "resourceId", "roleAssignmentId", "parentResourcePath"}
_NOT_DESCRIBED = re.compile(
    r"/metadata/endpoints|.*/\$batch|.*/owners/\$ref|.*/deletedItems/microsoft.graph.application|.*/restore"
    r"|.*/owners/[^/]+/\$ref|/providers/.*ScheduleInstances|.*/locks"
    r"|/v1.0/(me|users/[^/]+|servicePrincipals/[^/]+)/(memberOf|transitiveMemberOf)(/microsoft.graph.\w+)?"
    r"|/v1.0/policies/authorizationPolicy"
    r"|/v1.0/servicePrincipals.*/(add|remove)Password|/v1.0/applications\(.*/owners"
    r"|/v1.0/applications.*/federatedIdentityCredentials\(name=.*"
    r"|/v1.0/applications\(.*federatedIdentityCredentials/.*",
)

# Seen in real traffic, or documented for a newer api-version, though the descriptions lack them.
_OBSERVED: dict[str, Any] = {"@odata": {}, "^createdDateTime$": {}, "^condition(Version)?$": {}}


def _converted(schema: Any, *, nulls: bool, closed: bool = True) -> Any:
    """Return an OpenAPI 3.0 schema as a JSON Schema, closed if it can be; ``nulls``: anything may be null."""
    if isinstance(schema, list):
        return [_converted(each, nulls=nulls) for each in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: _converted(value, nulls=nulls) for key, value in schema.items() if key != "nullable"}
    if not closed:
        return plain
    if (
        isinstance(plain.get("properties"), dict)
        and "additionalProperties" not in plain
        and "allOf" not in plain
    ):
        plain |= {"patternProperties": _OBSERVED, "additionalProperties": False}
    typed = isinstance(schema.get("type"), str) or "$ref" in schema or "allOf" in schema
    return {"anyOf": [plain, {"type": "null"}]} if typed and (nulls or schema.get("nullable")) else plain


@cache
def _description(name: str) -> dict[str, Any]:
    known: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    nulls = name.startswith("arm")
    bases = set(re.findall(r'"allOf": \[\{"\$ref": "#/components/schemas/([^"]+)"', json.dumps(known)))
    listed = known["components"]["schemas"].items()
    schemas = {key: _converted(value, nulls=nulls, closed=key not in bases) for key, value in listed}
    return known | {"components": known["components"] | {"schemas": schemas}}


@cache
def _templates(names: tuple[str, ...]) -> list[tuple[re.Pattern[str], str, str]]:
    """Return (pattern, description, path), the most literal path first."""
    found = [(name, path) for name in names for path in _description(name)["paths"]]
    found.sort(key=lambda pair: -len(re.sub(r"\{\w+\}", "", pair[1])))
    return [(re.compile(_pattern(path), re.IGNORECASE), name, path) for name, path in found]


def _pattern(path: str) -> str:
    parts = re.split(r"\{(\w+)\}", path)
    literal = [
        re.escape(part) if at % 2 == 0 else ".+" if part in _SEVERAL else "[^/]+"
        for at, part in enumerate(parts)
    ]
    return "".join(literal)


def check(answer: httpx.Response) -> None:
    """Assert that an answer of the sandbox's Graph or Resource Manager is one that the service could give."""
    path = answer.request.url.raw_path.decode().partition("?")[0].replace("//", "/")
    if answer.is_error:
        _check_error(answer)
        return
    if not answer.is_success or _NOT_DESCRIBED.fullmatch(path):
        return
    graph = path.startswith(("/v1.0", "/beta"))
    schema = _schema(answer, path.removeprefix("/v1.0").removeprefix("/beta"), ("graph",) if graph else _ARM)
    if schema is None or answer.request.method == "HEAD":
        assert not answer.content
        return
    _check_body(answer, schema)


def _schema(answer: httpx.Response, path: str, names: tuple[str, ...]) -> dict[str, Any] | None:
    method = answer.request.method.lower().replace("head", "get")
    for pattern, name, template in _templates(names):
        known = _description(name)["paths"][template]
        operation = known.get(method) or (known.get("get") if method == "put" else None)
        if operation is None or not pattern.fullmatch(path):
            continue
        schema = _content(operation, answer.status_code)
        if schema is None and answer.content:  # an upsert that created: described by the object's GET
            schema = _content(known["get"], 200)
        if schema is None:
            return None
        return {"components": _description(name)["components"], **_converted(schema, nulls=name != "graph")}
    raise AssertionError(f"no description has {method} {path}")


def _content(operation: dict[str, Any], status: int) -> dict[str, Any] | None:
    statuses = operation["responses"]
    known = statuses.get(str(status)) or statuses.get("2XX") or {}
    schema: dict[str, Any] | None = known.get("content", {}).get("application/json", {}).get("schema")
    return schema


def _check_body(answer: httpx.Response, schema: dict[str, Any]) -> None:
    problem = best_match(Draft202012Validator(schema).iter_errors(answer.json()))
    assert problem is None, f"{'.'.join(map(str, problem.absolute_path))}: {problem.message}"[:1000]


def _check_error(answer: httpx.Response) -> None:
    error = answer.json()["error"]
    assert isinstance(error["code"], str)
    assert isinstance(error["message"], str)
