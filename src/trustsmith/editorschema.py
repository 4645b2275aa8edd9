"""The configuration file's JSON Schema, which editors complete, explain and check by while one types.

Made of `configkeys` alone. It may let through what the reader refuses, and never refuses what the reader takes. Draft 7,
since that is what the language server for YAML supports (its README: "JSON Schema 7 and below"). Must not read or write
a file.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from trustsmith.configkeys import KEYS, VERSION
from trustsmith.configshapes import section

if TYPE_CHECKING:
    from trustsmith.configkeys import Keys
    from trustsmith.configshapes import Json, Key

_REPOSITORY = "trustsmith/trustsmith"
#: Where the schema of this version of the format is, for good: keys are added there, none is taken away.
URL = f"https://raw.githubusercontent.com/{_REPOSITORY}/main/docs/trustsmith-{VERSION}.schema.json"
_PAGES = f"https://github.com/{_REPOSITORY}/blob/main/docs"
_LINK = re.compile(r"\[([^\]]+)\]\(([^)]+)\)")


def modeline(address: str = URL) -> str:
    """The first line of a configuration, by which editors find its schema; a path counts from the file's folder."""
    return f"# yaml-language-server: $schema={address}\n"


def schema() -> Json:
    """The whole schema, as JSON values."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$id": URL,
        "title": "trustsmith.yml",
        "description": "How a repository deploys to Microsoft Foundry. Names and ids, never a secret.",
        **_section(KEYS[""]),
        "definitions": {name: _definition(name, keys) for name, keys in KEYS.items() if name},
    }


def text() -> str:
    """The schema as the text of a file."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def _section(keys: Keys) -> Json:
    required = [name for name, key in keys.items() if key.required]
    properties = {name: _property(key) for name, key in keys.items()}
    form: Json = {"type": "object", "properties": properties, "additionalProperties": False}
    return form | ({"required": required} if required else {})


def _definition(name: str, keys: Keys) -> Json:
    """A section; it may be null where a key that may be left out has it as its value."""
    referred = [key for keys in KEYS.values() for key in keys.values() if key.shape == section(name)]
    return _section(keys) | (
        {"type": ["object", "null"]} if any(not key.required for key in referred) else {}
    )


def _property(key: Key) -> Json:
    plain = _LINK.sub(lambda found: f"{found[1]} ({_address(found[2])})", key.meaning)
    marked = _LINK.sub(lambda found: f"[{found[1]}]({_address(found[2])})", key.meaning)
    said = {"description": plain, "markdownDescription": marked}  # the latter is no standard, and widely used
    default = {} if key.default is None else {"default": key.default}
    form = key.shape.schema if key.required else _or_nothing(key.shape.schema)
    return said | default | ({"allOf": [form]} if "$ref" in form else form)  # beside "$ref" nothing counts


def _or_nothing(form: Json) -> Json:
    """The form of a value that may also be null, which is as if the key were not there."""
    if "$ref" in form:  # see `_definition`
        return form
    if "anyOf" in form:
        return form | {"anyOf": [*form["anyOf"], {"type": "null"}]}
    options = {"enum": [*form["enum"], None]} if "enum" in form else {}
    return form | {"type": [form["type"], "null"]} | options


def _address(link: str) -> str:
    """A link of the documentation's pages, for readers elsewhere."""
    page, mark, place = link.partition("#")
    return f"{_PAGES}/{page or 'configuration.md'}{mark}{place}"
