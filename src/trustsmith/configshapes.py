"""What values of the configuration look like: their form in words for people, and in JSON Schema for editors.

A shape may allow more than the reader does, never less: what exactly a value may be is in `configvalues` and its
neighbours, which take their patterns from here. Must not know any key, nor YAML.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trustsmith.model.foundry import ROLES

Json = dict[str, Any]

GUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
HOST = r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*(:[0-9]{1,5})?"
LOGIN = r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}"
TEAM = r"[A-Za-z0-9_.-]+"
OWNER = r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}"
REPOSITORY = r"[A-Za-z0-9._-]{1,100}"
SLUG = r"[A-Za-z0-9]([A-Za-z0-9_-]*[A-Za-z0-9])?"
UPN = r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+"
SCOPES = ("project", "account", "resource-group", "subscription")
PLACEHOLDERS = ("repository", "environment", "owner")
FOLDER = r"[A-Za-z0-9._ /-]+"
OPTION = r"[a-z][a-z0-9_]*"
TEMPLATE = r"[a-z0-9-]+"
WORKFLOW_PATH = r"\.github/workflows/[A-Za-z0-9_][A-Za-z0-9_. -]*\.ya?ml"
NOT_IN_REFS = r"\s~^:\\"


@dataclass(frozen=True)
class Shape:
    """What a value looks like. words: for people, in Markdown; schema: for editors."""

    words: str
    schema: Json


@dataclass(frozen=True)
class Key:
    """A key of the file.

    meaning: a sentence or more, in Markdown on one line. default: what stands for it when it is left out; None when
    nothing does, which `otherwise` then says in words.
    """

    shape: Shape
    meaning: str
    required: bool = False
    default: str | int | bool | None = None
    otherwise: str = "none"


def text(words: str = "text", pattern: str = r"\S(.*\S)?", example: str = "") -> Shape:
    """Text on one line, whole in `pattern`: a regular expression that Python and JavaScript read alike."""
    schema: Json = {"type": "string", "pattern": f"^({pattern})$"}
    if example:
        plain = words.replace("`", "")
        schema |= {"examples": [example], "patternErrorMessage": f"Expected: {plain}, for example {example}"}
    return Shape(words, schema)


def one_of(*options: str) -> Shape:
    """One of a few words."""
    quoted = [f"`{option}`" for option in options]
    words = f"{', '.join(quoted[:-1])} or {quoted[-1]}" if len(options) > 1 else quoted[0]
    return Shape(words, {"type": "string", "enum": list(options)})


def whole(low: int, high: int) -> Shape:
    """A whole number."""
    words = f"`{low}`" if low == high else f"{low} to {high}"
    return Shape(words, {"type": "integer", "minimum": low, "maximum": high})


def either(words: str, *shapes: Shape) -> Shape:
    """Any of these."""
    return Shape(words, {"anyOf": [shape.schema for shape in shapes]})


def listed(words: str, item: Shape, *, least: int = 1, most: int | None = None, unique: bool = True) -> Shape:
    """A list; unless told otherwise, one in which nothing is twice."""
    schema: Json = {"type": "array", "items": item.schema, "minItems": least}
    if unique:
        schema["uniqueItems"] = True
    if most is not None:
        schema["maxItems"] = most
    return Shape(words, schema)


def section(name: str, words: str = "mapping") -> Shape:
    """A mapping with the keys of that section."""
    return Shape(words, {"$ref": f"#/definitions/{name}"})


def named(words: str, entry: Shape, *, names: str = ".+", least: int = 0) -> Shape:
    """A mapping of names of one's own, each whole in the pattern `names`."""
    rules = {"propertyNames": {"pattern": f"^({names})$"}, "minProperties": least}
    return Shape(words, {"type": "object", "additionalProperties": entry.schema, **rules})


def one_kind(words: str, kinds: tuple[str, ...]) -> Shape:
    """A mapping with one key, the kind, and what that takes."""
    properties = {kind: section(kind).schema for kind in kinds}
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return Shape(words, schema | {"minProperties": 1, "maxProperties": 1})


def any_case(word: str) -> str:
    """A pattern for a word of ASCII in upper or lower case: JSON Schema knows no flags."""
    return "".join(f"[{c.lower()}{c.upper()}]" if c.isalpha() else c.replace(".", r"\.") for c in word)


_GUID_EXAMPLE = "22222222-2222-2222-2222-222222222222"
_SUBSCRIPTION = f"{any_case('/subscriptions/')}{GUID}"
_PROJECT = (
    f"{_SUBSCRIPTION}{any_case('/resourceGroups/')}[^/]+"
    f"{any_case('/providers/Microsoft.CognitiveServices/accounts/')}[^/]+{any_case('/projects/')}[^/]+/*"
)
_LOOKS = (
    f"/subscriptions/{_GUID_EXAMPLE}/resourceGroups/agents-dev/providers/Microsoft.CognitiveServices/accounts"
    "/foundry-dev/projects/agents"
)

TEXT = text()
SCRIPT = Shape("text", {"type": "string", "pattern": r"\S"})
FLAG = Shape("true or false", {"type": "boolean"})
ID = text("GUID", GUID, _GUID_EXAMPLE)
PROJECT = text("ARM id", _PROJECT, _LOOKS)
#: A name to which Entra compares to the byte.
NAME = text("name", r"[^*]+")
HOST_NAME = text("host name", HOST, "github.com")
REF_PATTERNS = listed("list of patterns", text("pattern", rf"[^{NOT_IN_REFS}]+", "main"))
ROLE = Shape("role", {"anyOf": [{"type": "string", "enum": [role.slug for role in ROLES]}, ID.schema]})
SCOPE = either(
    "`project`, `account`, `resource-group`, `subscription`, or an ARM id",
    one_of(*SCOPES),
    text("ARM id", rf"{_SUBSCRIPTION}(/[^/\s]+/[^/\s]+)*/*", f"/subscriptions/{_GUID_EXAMPLE}"),
)
REVIEWER = text("`team:<slug>` or `user:<login>`", rf"team:{TEAM}|user:{LOGIN}", "team:platform")
ENDPOINT = text(
    "address",
    rf"{any_case('https')}://{HOST}/api/projects/[^/]+/*\??#?",
    "https://foundry-dev.services.ai.azure.com/api/projects/agents",
)
ISSUER = text("address", rf"{any_case('https')}://[^*?#@\s]+", "https://issuer.example.com/")
DISPLAY_NAME = text("text", rf"([^{{}}]|\{{({'|'.join(PLACEHOLDERS)})\}})+", "{repository}-{environment}")
