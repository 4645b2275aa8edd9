"""The JSON Schema for editors: it has every key, lets through whatever the reader takes, and catches what it can."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from trustsmith import editorschema
from trustsmith.configfile import load
from trustsmith.configkeys import KEYS, TRUSTS
from trustsmith.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SCHEMA = editorschema.schema()
EDITOR = Draft7Validator(SCHEMA)
GUID = "11111111-2222-3333-4444-555555555555"
PROJECT = f"/subscriptions/{GUID}/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/foundry/projects/a"


def complaints(text: str) -> list[str]:
    """What an editor has to say about a file."""
    document = json.loads(json.dumps(YAML(typ="safe", pure=True).load(text), default=str))
    return [f"{error.json_path}: {error.message}" for error in EDITOR.iter_errors(document)]


def is_taken(text: str) -> bool:
    """Whether the reader takes it."""
    try:
        load(text, "x.yml")
    except ConfigError:
        return False
    return True


def file(top: str = "", environment: str = "", workflow: str = "") -> str:
    """A small file with more lines at its top, in its environment and in its workflow."""
    lines = ["version: 1", "repository: contoso/agents", f"tenant: {GUID}", *top.splitlines()]
    lines += ["environments:", "  dev:", f"    project: {PROJECT}"]
    lines += [f"    {line}" for line in environment.splitlines()]
    if workflow:
        lines += ["workflows:", "  deploy:", "    template: deploy-agents"]
        lines += [f"    {line}" for line in workflow.splitlines()]
    return "\n".join([*lines, ""])


def test_the_published_file_is_this_one() -> None:
    published = DOCS / editorschema.URL.rpartition("/")[2]
    assert published.read_text("utf-8") == editorschema.text(), (
        "write it anew: python -m tests.unit.test_docs"
    )
    assert (
        f'Source = "https://github.com/{editorschema._REPOSITORY}"' in (ROOT / "pyproject.toml").read_text()
    )


def test_it_is_a_schema_and_leads_nowhere_else() -> None:
    Draft7Validator.check_schema(SCHEMA)
    referred = set(re.findall(r'"\$ref": "#/definitions/(\w+)"', editorschema.text()))
    assert referred == set(SCHEMA["definitions"])


def test_it_has_every_key_and_no_other() -> None:
    sections = {"": SCHEMA} | SCHEMA["definitions"]
    assert sections.keys() == KEYS.keys()
    for name, keys in KEYS.items():
        section = sections[name]
        assert list(section["properties"]) == list(keys)
        assert section.get("required", []) == [key for key, one in keys.items() if one.required]
        assert section["additionalProperties"] is False
        assert all(
            one["description"] and "](" not in one["description"] for one in section["properties"].values()
        )


def test_the_addresses_in_it_are_there() -> None:
    pages = set(re.findall(r"/blob/main/docs/([\w.-]+)#([\w-]+)\)", editorschema.text()))
    assert pages
    for page, place in pages:
        headings = re.findall(r"^#+ (.*)$", (DOCS / page).read_text("utf-8"), re.MULTILINE)
        assert place in {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("number", [0, 1])
def test_the_examples_of_the_documentation_pass(number: int) -> None:
    example = re.findall(r"```yaml\n(.*?)```", (DOCS / "configuration.md").read_text("utf-8"), re.DOTALL)[
        number
    ]
    assert complaints(example) == []


def _forms(node: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in the schema."""
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _forms(inner)


def test_examples_match_what_they_are_examples_of() -> None:
    with_examples = [form for form in _forms(SCHEMA) if isinstance(form.get("examples"), list)]
    assert len(with_examples) > 20
    for form in with_examples:
        assert all(Draft7Validator(form).is_valid(example) for example in form["examples"]), form


def test_defaults_are_values_that_the_key_takes() -> None:
    for section in (SCHEMA, *SCHEMA["definitions"].values()):
        for name, one in section["properties"].items():
            if "default" in one:
                rooted = one | {"definitions": SCHEMA["definitions"]}
                assert Draft7Validator(rooted).is_valid(one["default"]), name


LENIENT = [
    file("cloud:\ngithub: null\nidentity:\nstore: ~\nimmutable_subjects:\nrunner:\ntemplates:\nworkflows:"),
    file("identity: {kind: , per: , name: , owners: , service_management_reference: }"),
    file("github: contoso.ghe.com\nenterprise: contoso"),
    file("github: GHE.Contoso.com:8443"),
    file("audience: 'ä:b'"),
    file(
        "identity: {name: 'x {owner}: {environment}', owners: [a.b@c.d.e, 11111111-2222-3333-4444-55555555555F]}"
    ),
    file("immutable_subjects: TRUE"),
    file("runner: [self-hosted, 'a b']"),
    file("runner: {group: g}"),
    file("runner: {labels: one}"),
    file("templates: a b/c.d/"),
    file("workflows: {}"),
    file("observer: {}"),
    file(f"observer: {{environment: watch, client_id: {GUID}, github: app, reach: subscriptions}}"),
    file(environment="projects:"),
    file(
        environment="role: ACDD72A7-3385-48EF-BD42-F606FBA81AE7\ngrants: []\nclient_id:\nendpoint:\ntrusts: []"
    ),
    file(
        environment="grants: [{role: reader, scope: /SUBSCRIPTIONS/11111111-2222-3333-4444-555555555555/a/b/, because: x}]"
    ),
    file(environment="grants: [&g {role: reader, scope: account, because: x}, *g]"),
    file(environment="endpoint: HTTPS://foundry.example:443/api/projects/a//"),
    file(environment="endpoint: 'https://foundry.example/api/projects/a?'"),
    file(
        environment="protection: {reviewers: [], wait_minutes: 0, prevent_self_review: false, branches: protected}"
    ),
    file(environment="protection: {reviewers: ['team:a.b_c'], branches: ['[ab]*', v?], tags: ['v{1}']}"),
    file(environment="trusts: [{gitlab: {project: a/b.c/d, branch: x, tag: }}]"),
    file(environment="trusts: [{gitlab: {project: a/b, tag: 'v 1'}}]".replace("v 1", "v1")),
    file(environment="trusts: [{aks: {issuer: 'HTTPS://x.y/a:b', namespace: a, service_account: b.c}}]"),
    file(
        environment="trusts: [{terraform_cloud: {organization: a, project: D P, workspace: w, phases: [apply], host: H.x}}]"
    ),
    file(
        environment="trusts: [{azure_devops: {organization: a, organization_id: "
        + GUID
        + ", project: A B, service_connection: 'c d'}}]"
    ),
    file(
        environment="trusts: [{azure_devops_entra: {organization_id: "
        + GUID
        + ", service_connection_id: "
        + GUID
        + "}}]"
    ),
    file(workflow="environments: [[dev]]\npaths: ['!docs/**', 'a b']\nreusable: true\nrun: |\n  a\n   b\n"),
    file(workflow="with: {a_1: 3, b: true, c: [], d: [x, y], e: text}"),
    file(workflow="path: .github/workflows/a b.yaml\nwith: {}"),
    file().replace("project: /sub", "project: /SUB").replace("Microsoft.Cog", "microsoft.cog"),
    file().replace("projects/a", "projects/a//"),
    file().replace("  dev:", '  "a/b: c":'),
]


@pytest.mark.parametrize("text", LENIENT)
def test_what_the_reader_takes_passes(text: str) -> None:
    assert is_taken(text), text
    assert complaints(text) == []


def test_every_key_is_in_one_of_those() -> None:
    """A key that is new has to be tried here, too."""
    everything = "\n".join(LENIENT)
    tried = set(re.findall(r"(\w+):", everything))
    assert {key for keys in KEYS.values() for key in keys} - tried == set()
    assert TRUSTS.keys() <= tried


CAUGHT = [
    ("", "required"),
    (file("tennant: x"), "'tennant' was unexpected"),
    (file().replace("version: 1", "version: 2"), "maximum"),
    (file().replace("contoso/agents", "https://github.com/contoso/agents"), "$.repository"),
    (file().replace(f"tenant: {GUID}", "tenant: contoso.com"), "$.tenant"),
    (file("cloud: AzurePublic"), "is not one of"),
    (file("store: vault"), "is not one of"),
    (file("immutable_subjects: yes"), "is not of type"),
    (file("identity: {name: 'x-{env}'}"), "$.identity"),
    (file("github: https://github.com"), "$.github"),
    (file(environment="role: owner-of-all"), "$.environments.dev.role"),
    (file(environment="grants: [{role: reader, scope: account}]"), "'because' is a required property"),
    (file(environment="grants: [{role: reader, scope: group, because: x}]"), "scope"),
    (file(environment="protection: {reviewers: [platform]}"), "reviewers"),
    (file(environment="protection: {reviewers: [user:a, user:a]}"), "non-unique"),
    (file(environment="protection: {wait_minutes: 43201}"), "maximum"),
    (file(environment="protection: {branches: main}"), "branches"),
    (file(environment="trusts: [{jenkins: {}}]"), "'jenkins' was unexpected"),
    (file(environment="trusts: [{aks: {issuer: 'https://x'}}]"), "'namespace' is a required property"),
    (file(workflow="path: deploy.yml"), "path"),
    (file(workflow="with: {Python: 3}"), "'Python' does not match"),
    (file(workflow="run: ''"), "run"),
    (file().replace(f"{PROJECT}", "https://foundry.services.ai.azure.com/api/projects/a"), "project"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "words"), CAUGHT)
def test_what_it_catches_the_reader_refuses_too(text: str, words: str) -> None:
    said = complaints(text or "{}")
    assert any(words in line for line in said), said
    assert not is_taken(text)
