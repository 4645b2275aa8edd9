"""Whatever the file says: a Config or all its problems, never a traceback; and what is written loads to the same."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from trustsmith import editorschema
from trustsmith.configfile import load, new, update
from trustsmith.configwrite import plain
from trustsmith.errors import ConfigError
from trustsmith.model.config import (
    CHECK_DRIFT,
    CLOUDS,
    HOSTED,
    Config,
    Environment,
    Grant,
    Identity,
    Observer,
    Protection,
    Reviewer,
    Runner,
    Workflow,
    default_workflows,
    one_by_one,
)
from trustsmith.model.foundry import PROJECT_MANAGER, ROLES, ProjectId
from trustsmith.model.issuers import Aks, AzureDevOps, AzureDevOpsEntra, GitLab, TerraformCloud, credentials

EDITOR = Draft7Validator(editorschema.schema())
GUID = "11111111-2222-3333-4444-555555555555"
PROJECT = (
    f"/subscriptions/{GUID}/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/foundry/projects"
)

WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=8)
#: One-line text with everything that YAML, shells and people find special.
LINE = st.one_of(
    st.text(st.characters(exclude_categories=("C", "Z"), include_characters=" "), min_size=1, max_size=30),
    st.sampled_from(
        ["true", "null", "~", "010", "1.0", "on", "2026-01-01", "<<", "- a", "a: b", "a #b", "*x", "&x", "!x"]
    ),
    st.sampled_from(
        [
            "'",
            '"',
            "{",
            "[]",
            "%",
            "@",
            "`",
            "|",
            ">",
            "?",
            ":",
            ",",
            "=",
            "${{ x }}",
            "é ü",
            "\U0001f600",
            "\\n",
        ]
    ),
).filter(lambda text: text == text.strip() and text.isprintable())
GUIDS = st.uuids().map(str)
PROJECTS = st.builds(ProjectId, GUIDS, WORD, WORD, WORD)
ROLE = st.one_of(st.sampled_from([role.guid for role in ROLES]), st.uuids())
PATTERN = st.sampled_from(["main", "release/*", "v*", "*", "[ab]", "1.0", "feature/a-b", "true", "#x", "?"])


def unique(items: st.SearchStrategy[str], size: int = 3) -> st.SearchStrategy[tuple[str, ...]]:
    return st.lists(items, min_size=1, max_size=size, unique_by=str.casefold).map(tuple)


REVIEWERS = unique(st.tuples(st.sampled_from(["team", "user"]), WORD).map(":".join), 6)
PROTECTIONS = st.builds(
    Protection,
    reviewers=st.none()
    | st.just(())
    | REVIEWERS.map(lambda them: tuple(Reviewer(kind=r[:4], name=r[5:]) for r in them)),  # type: ignore[arg-type]
    wait_minutes=st.none() | st.integers(0, 43200),
    prevent_self_review=st.none() | st.booleans(),
    branches=st.none() | unique(PATTERN),
    tags=st.none() | unique(PATTERN),
) | st.builds(Protection, branches=st.just("protected"))
GRANTS = st.builds(
    Grant,
    role=ROLE,
    scope=st.sampled_from(["project", "account", "resource-group", "subscription", f"/subscriptions/{GUID}"]),
    because=LINE,
)
AUDIENCES = st.sampled_from(["api://AzureADTokenExchange", "https://gitlab.com", "1.0"])
TRUSTS = st.one_of(
    st.builds(
        Aks,
        issuer=WORD.map(lambda word: f"https://{word}.contoso.com/a:b/"),
        namespace=WORD,
        service_account=WORD,
        audience=AUDIENCES,
    ),
    st.builds(
        TerraformCloud,
        organization=WORD,
        project=st.sampled_from(["Default Project", "1", "true"]),
        workspace=WORD,
        host=st.sampled_from(["app.terraform.io", "tfe.contoso.com:8443"]),
        phases=st.sampled_from([("plan",), ("apply",), ("plan", "apply")]),
        audience=AUDIENCES,
    ),
    st.builds(
        AzureDevOps,
        organization=WORD,
        organization_id=GUIDS,
        project=st.sampled_from(["Fabrikam Fiber", "1.0"]),
        service_connection=LINE.filter(lambda text: "*" not in text),
    ),
    st.builds(AzureDevOpsEntra, organization_id=GUIDS, service_connection_id=GUIDS),
    st.builds(GitLab, project=WORD.map(lambda word: f"a/{word}"), branch=WORD),
    st.builds(
        GitLab, project=st.just("a/b.c"), tag=WORD, host=st.just("git.contoso.com"), audience=AUDIENCES
    ),
)


OPTIONS = (
    st.booleans() | st.integers(0, 999) | st.sampled_from(["3.13", "yes", "x"]) | st.just(()) | unique(LINE)
)
LABELS = unique(LINE.filter(lambda text: "${{" not in text))
RUNNERS = st.builds(Runner, labels=LABELS) | st.builds(
    Runner, labels=st.just(()) | LABELS, group=st.sampled_from(["private", "1"])
)


@st.composite
def environments(draw: st.DrawFn, name: str) -> Environment:
    return Environment(
        name=name,
        projects=tuple(draw(st.lists(PROJECTS, min_size=1, max_size=3, unique_by=lambda p: p.key))),
        role=draw(st.just(PROJECT_MANAGER.guid) | ROLE),
        grants=tuple(draw(st.lists(GRANTS, max_size=2))),
        client_id=draw(st.none() | GUIDS),
        endpoint=draw(st.none() | WORD.map(lambda w: f"https://{w}.services.ai.azure.com/api/projects/{w}")),
        protection=draw(PROTECTIONS),
        trusts=draw(st.just(()) | TRUSTS.map(lambda trust: (trust,))),
        runner=draw(st.none() | RUNNERS),
    )


@st.composite
def workflows(draw: st.DrawFn, names: tuple[str, ...], index: int) -> Workflow:
    some = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    cut = draw(st.integers(0, len(some)))
    stages = tuple(stage for stage in (tuple(some[:cut]), *((name,) for name in some[cut:])) if stage)
    return Workflow(
        name=draw(LINE.filter(lambda name: name != "<<")) + str(index),
        template=f"{draw(WORD)}{index}",
        path=f".github/workflows/{draw(WORD)}{index}.yml",
        stages=draw(st.sampled_from([one_by_one(names), stages])),
        run=draw(st.none() | LINE | st.lists(LINE | st.just("  x"), min_size=2, max_size=4).map("\n".join)),
        paths=draw(st.just(()) | unique(st.sampled_from(["agents/**", "!docs/**", "*.py", "#x"]))),
        reusable=draw(st.booleans()),
        options=draw(st.dictionaries(st.sampled_from(["python_version", "y", "a1"]), OPTIONS, max_size=2)),
    )


OBSERVERS = st.builds(
    Observer,
    environment=st.just("observer") | WORD.map(lambda word: f"look at {word}"),
    client_id=st.none() | GUIDS,
    github=st.sampled_from(["token", "app"]),
    reach=st.sampled_from(["accounts", "subscriptions"]),
)
LOOKING = st.builds(
    Workflow,
    name=st.just("look"),
    template=st.just(CHECK_DRIFT),
    path=st.sampled_from([".github/workflows/check-drift.yml", ".github/workflows/look.yml"]),
    stages=st.just(()),
    options=st.just({}) | st.just({"cron": "5 6 * * *"}),
).map(lambda workflow: (workflow,))
HOSTS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [
        {"github": "github.com", "enterprise": "1"},
        {"github": "contoso.ghe.com", "enterprise": "contoso"},
        {"github": "ghe.contoso.com:8443"},
    ]
)


@st.composite
def configs(draw: st.DrawFn) -> Config:
    """Those with a trust twice in one identity, or with one that the cloud lacks, are no configurations."""
    config = draw(_configs())
    subjects = [
        (config.identity.per == "repository" or environment.client_id or environment.name, credential[:2])
        for environment in config.environments
        for trust in environment.trusts
        for credential in credentials(trust, config.tenant)
    ]
    assume(len(subjects) == len(set(subjects)))
    entra = any(isinstance(trust, AzureDevOpsEntra) for e in config.environments for trust in e.trusts)
    return replace(config, cloud="AzureCloud") if entra else config


@st.composite
def _configs(draw: st.DrawFn) -> Config:
    names = draw(unique(LINE.filter(lambda name: name not in (".", ".."))))
    written = tuple(draw(workflows(names, index)) for index in range(draw(st.integers(0, 2))))
    observer = draw(st.none() | OBSERVERS)
    looking = draw(st.just(()) | LOOKING) if observer else ()
    return Config(
        repository=f"{draw(WORD)}/{draw(WORD)}",
        tenant=draw(GUIDS),
        cloud=draw(st.sampled_from(CLOUDS)),
        **draw(HOSTS),
        audience=draw(st.none() | AUDIENCES),
        identity=draw(
            st.builds(
                Identity,
                per=st.sampled_from(["environment", "repository"]),
                name=st.sampled_from(["{repository}-{environment}", "x {owner}: {environment}"]),
                owners=st.just(()) | unique(WORD.map(lambda word: f"{word}@contoso.com")),
                service_management_reference=st.none() | LINE,
            )
        ),
        store=draw(st.sampled_from(["secrets", "variables"])),
        runner=draw(st.just(HOSTED) | RUNNERS),
        templates=draw(st.none() | st.sampled_from([".github/templates", "1/2.0"])),
        environments=tuple(draw(environments(name)) for name in names),
        observer=observer,
        workflows=draw(
            st.sampled_from([written + looking, default_workflows(names, observes=bool(observer))])
        ),
    )


#: Files as people write them: comments everywhere, CRLF, anchors, flow style, indentless lists, quotes, no last newline.
CORPUS = {
    "plain": f"""\
# top

version: 1   # the format
repository:    'contoso/agents'
tenant: "{GUID}"   # ours
store: secrets


# where to
environments:
    # first
    dev:     # small
        project: {PROJECT}/dev     # in West Europe
        # nothing to add
    prod:
        # the real one
        project: {PROJECT}/prod
        protection:
            reviewers:
            # the platform team
            - team:platform   # all of them
            - user:octocat
            wait_minutes: 10    # coffee
            branches: [ main , "release/*" ]   # no others
# the end
""",
    "flow": f"""\
{{version: 1, repository: contoso/agents, tenant: {GUID},   # who
 environments: {{dev: {{project: {PROJECT}/dev}}, # one
   prod: {{projects: [ {PROJECT}/prod , ], protection: {{reviewers: [], tags: [ 'v*' ]}}}}}},
 workflows: {{}}}}""",
    "anchors": f"""\
---
version: 1
repository: contoso/agents
tenant: &tenant {GUID}
environments:
  dev: &base
    project: {PROJECT}/dev
    client_id: *tenant
    grants: &grants
    - {{role: reader, scope: account, because: "reads: all"}}
    - role: acr-push      # images
      scope: subscription
      # a reason
      because: >-
        pushes
        images
    protection: &rules {{wait_minutes: 5, prevent_self_review: true}}
  prod:
    <<: *base
    project: {PROJECT}/prod
    protection:
      <<: *rules
      wait_minutes: 60
workflows:
  deploy:
    template: deploy-agents
    run: |
      python deploy.py
      # a comment of the script

      echo done

  # another
  "evaluate": {{template: evaluate, environments: [prod]}}
...
""",
}
CORPUS["trusts"] = f"""\
version: 1
repository: contoso/agents
tenant: {GUID}
audience: api://AzureADTokenExchange   # as everywhere
environments:
  dev:
    project: {PROJECT}/dev
    trusts:
    # the cluster
    - aks: {{issuer: "https://oidc.contoso.com/", namespace: agents, service_account: deployer}}   # keep
    - terraform_cloud:
        organization: contoso   # ours
        project: Default Project
        workspace: dev
        phases: [plan]
    - gitlab: {{project: contoso/agents, tag: v1}}
"""
CORPUS |= {f"{name}, CRLF": text.replace("\n", "\r\n") for name, text in CORPUS.items()}
CORPUS["plain, no last line end"] = CORPUS["plain"].removesuffix("# the end\n").removesuffix("\n")


@settings(max_examples=40, deadline=None)
@given(configs())
def test_a_new_file_loads_to_what_was_written(config: Config) -> None:
    text = new(config)
    assert load(text, "new.yml").config == config
    assert text.startswith(editorschema.modeline())
    assert EDITOR.is_valid(plain(config))


@pytest.mark.parametrize("name", CORPUS)
def test_an_update_without_a_change_keeps_every_byte(name: str) -> None:
    text = CORPUS[name]
    assert update(text, load(text, name).config, name) == text


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(sorted(CORPUS)), configs())
def test_an_update_loads_to_what_is_wanted(name: str, config: Config) -> None:
    text = update(CORPUS[name], config, name)
    assert load(text, name).config == config
    assert "CRLF" not in name or "\n" not in text.replace("\r\n", "")


@settings(max_examples=15, deadline=None)
@given(configs(), configs())
def test_any_file_of_ours_can_become_any_other(old: Config, config: Config) -> None:
    text = update(new(old), config, "x.yml")
    assert load(text, "x.yml").config == config
    assert text.startswith(editorschema.modeline())


def config_or_problems(text: str) -> None:
    try:
        assert isinstance(load(text, "fuzz.yml").config, Config)
    except ConfigError as error:
        problems = error.problems
    else:
        document = YAML(typ="safe", pure=True).load(text)
        assert EDITOR.is_valid(document), "the schema for editors is stricter than the reader"
        return
    assert problems
    breaks = sum(text.count(character) for character in "\n\r\x85\u2028\u2029")
    for problem in problems:
        assert problem.message
        assert 0 <= problem.line <= breaks + 2


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_configuration_or_has_problems(text: str) -> None:
    config_or_problems(text)


@settings(deadline=None)
@given(st.text(st.sampled_from(list("abk:-?&*!|>'\"%@`{}[],#\n \t\\<~0.")), max_size=60))
def test_any_yaml_like_text_is_a_configuration_or_has_problems(text: str) -> None:
    config_or_problems(text)


@settings(deadline=None)
@given(
    st.sampled_from(sorted(CORPUS)),
    st.lists(
        st.tuples(
            st.integers(0, 3000),
            st.integers(0, 12),
            st.sampled_from(
                [
                    "",
                    "\n",
                    " ",
                    "\t",
                    ":",
                    ": ",
                    "- ",
                    "[",
                    "}",
                    "*a",
                    "&a ",
                    "<<: ",
                    "null",
                    "!!x ",
                    '"',
                    "1",
                    "é\x07",
                ]
            ),
        ),
        min_size=1,
        max_size=4,
    ),
)
def test_any_mutation_of_a_good_file_is_a_configuration_or_has_problems(
    name: str, mutations: list[tuple[int, int, str]]
) -> None:
    text = CORPUS[name]
    for place, length, replacement in mutations:
        start = place % len(text)
        text = text[:start] + replacement + text[start + length :]
    config_or_problems(text)


def test_role_guids_and_slugs_are_the_same_role() -> None:
    text = CORPUS["anchors"].replace("reader", str(UUID("acdd72a7-3385-48ef-bd42-f606fba81ae7")))
    assert load(text, "x").config == load(CORPUS["anchors"], "x").config
