"""The configuration file: what it means, what is said about mistakes, and that edits touch nothing else."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from trustsmith.configfile import Source, load, new, read, save, update
from trustsmith.editorschema import URL
from trustsmith.errors import ConfigError, UsageError
from trustsmith.model.config import (
    Config,
    Environment,
    Grant,
    Identity,
    Protection,
    Reviewer,
    Workflow,
    default_workflows,
)
from trustsmith.model.foundry import ROLES, ProjectId

TENANT = "11111111-1111-1111-1111-111111111111"
GROUP = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg"
ACCOUNT = f"{GROUP}/providers/Microsoft.CognitiveServices/accounts/foundry"
DOCS = Path(__file__).resolve().parents[2] / "docs" / "configuration.md"


def project(name: str) -> ProjectId:
    parsed = ProjectId.parse(f"{ACCOUNT}/projects/{name}")
    assert parsed
    return parsed


SMALL = f"""\
version: 1
repository: contoso/agents
tenant: {TENANT}
environments:
  dev:
    project: {ACCOUNT}/projects/dev
"""
FULL = f"""\
# Ours.
version: 1
repository: contoso/agents
tenant: {TENANT}   # contoso.com
cloud: AzureCloud
identity:
  kind: application
  owners: [user@contoso.com]
  service_management_reference: null
environments:
  # The playground.
  dev:
    project: {ACCOUNT}/projects/dev
  prod:
    projects:
    - {ACCOUNT}/projects/one   # the first
    - {ACCOUNT}/projects/two
    role: foundry-project-manager
    grants:
      - {{role: foundry-account-owner, scope: account, because: deploys models}}
    client_id:
    protection:
      reviewers: [team:platform, user:octocat]   # ask them
      wait_minutes: 10
      prevent_self_review: true
      branches: [main, "release/*"]
      tags: ["v*"]
workflows:
  deploy: {{template: deploy-agents, path: .github/workflows/deploy.yml, run: "python deploy.py"}}
"""
ACCOUNT_OWNER = next(role.guid for role in ROLES if role.slug == "foundry-account-owner")
FULL_CONFIG = Config(
    repository="contoso/agents",
    tenant=TENANT,
    identity=Identity(owners=("user@contoso.com",)),
    environments=(
        Environment(name="dev", projects=(project("dev"),)),
        Environment(
            name="prod",
            projects=(project("one"), project("two")),
            grants=(Grant(role=ACCOUNT_OWNER, scope="account", because="deploys models"),),
            protection=Protection(
                reviewers=(Reviewer(kind="team", name="platform"), Reviewer(kind="user", name="octocat")),
                wait_minutes=10,
                prevent_self_review=True,
                branches=("main", "release/*"),
                tags=("v*",),
            ),
        ),
    ),
    workflows=(
        Workflow(
            name="deploy",
            template="deploy-agents",
            path=".github/workflows/deploy.yml",
            stages=(("dev",), ("prod",)),
            run="python deploy.py",
        ),
    ),
)


def problems(text: str) -> list[str]:
    """Each problem as `line:column: message -> hint`."""
    with pytest.raises(ConfigError) as caught:
        load(text, "f.yml")
    return [f"{p.line}:{p.column}: {p.message} -> {p.hint}" for p in caught.value.problems]


def said(text: str) -> str:
    return "\n".join(problems(text))


def with_dev(lines: str) -> str:
    """The small file with more lines in its environment."""
    return SMALL + "".join(f"    {line}\n" for line in lines.splitlines())


def test_the_whole_format() -> None:
    assert load(FULL, "f.yml").config == FULL_CONFIG


def test_without_workflows_there_are_a_deployment_through_all_environments_and_its_proof() -> None:
    config = load(SMALL + f"  prod: {{project: {ACCOUNT}/projects/prod}}\n", "f.yml").config
    assert [(w.name, w.template, w.path, w.environments) for w in config.workflows] == [
        ("deploy", "deploy-agents", ".github/workflows/deploy-agents.yml", ("dev", "prod")),
        ("check-trust", "check-trust", ".github/workflows/check-trust.yml", ("dev", "prod")),
    ]
    assert config.workflows == default_workflows(("dev", "prod"))


def test_an_empty_mapping_of_workflows_means_none() -> None:
    assert load(SMALL + "workflows: {}\n", "f.yml").config.workflows == ()


def test_ids_are_kept_in_lower_case() -> None:
    text = SMALL.replace(TENANT, "AAAAAAAA-1111-1111-1111-111111111111")
    assert load(text, "f.yml").config.tenant.startswith("aaaaaaaa-")


def test_merge_keys_and_aliases() -> None:
    more = "protection: &rules {wait_minutes: 5, prevent_self_review: false}\nclient_id: &id " + TENANT
    prod = f"  prod:\n    project: {ACCOUNT}/projects/prod\n    protection: {{<<: *rules, wait_minutes: 9}}\n    client_id: *id\n"
    config = load(with_dev(more) + prod, "f.yml").config
    assert config.environment("prod").protection == Protection(wait_minutes=9, prevent_self_review=False)
    assert config.environment("prod").client_id == TENANT


#: A page of mistakes, and what is said about them: the messages are what people see of this module.
MISTAKES = f"""\
version: 1.0
reposiory: contoso/agents
repository: https://github.com/contoso/agents.git
tenant: contoso.onmicrosoft.com
cloud: AzureGovernment
github: https://ghe.contoso.com/contoso
identity:
  kind: managed-identity
  per: job
  name: "{{repo}}-{{environment}}"
  owners: [ana]
  service_management_reference: 4711
store: secret
environments:
  Dev:
    project: https://foundry.services.ai.azure.com/api/projects/agents
    role: Azure AI Developer
    client_secret: hunter2
    client_id: hunter2
  dev:
    project: {ACCOUNT}
    role: Foundry User
    grants:
      - {{role: owner, scope: everything, because: ""}}
    protection:
      reviewers: [platform, team:contoso/platform, "@octocat"]
      wait_minutes: 50000
      prevent_self_review: yes
      branches: main
      tags: []
  dev: {{}}
workflows:
  deploy: {{template: Deploy, path: ci/deploy.yml, environments: [dev, Prod], run: 5}}
"""
SAID = """\
1:10: 'version' must be 1; it is a number (1.0). -> Write, for example, 'version: 1'.
2:1: Unknown key 'reposiory'. -> Did you mean 'repository'? Known here: version, repository, tenant, cloud, github, \
enterprise, audience, identity, store, immutable_subjects, runner, templates, environments, observer, workflows.
3:13: 'https://github.com/contoso/agents.git' is an address; 'repository' is owner/name. -> Write: repository: contoso/agents
4:9: 'contoso.onmicrosoft.com' is a domain; 'tenant' must be the tenant's id, a GUID. -> Find it with: az account show \
--query tenantId -o tsv
5:8: 'AzureGovernment' is not one of AzureCloud, AzureUSGovernment, AzureChinaCloud, AzureBleuCloud. -> Did you mean \
'AzureUSGovernment'?
6:9: 'https://ghe.contoso.com/contoso' is not a host name: no https://, no path. -> Write: github: ghe.contoso.com
8:9: Managed identities are not supported yet: 'kind' must be application. -> Write: kind: application
9:8: 'job' is not one of environment, repository. ->\x20
10:9: Unknown placeholder {repo} in the display name. -> Known placeholders: {repository}, {environment} and {owner}.
11:12: 'ana' is not an owner: write a user principal name or an object id. -> Find yours with: az ad signed-in-user \
show --query userPrincipalName -o tsv
12:33: 'service_management_reference' must be text, not a number (4711). -> Put it in quotes: "4711"
13:8: 'secret' is not one of secrets, variables. -> Did you mean 'secrets'?
16:14: 'https://foundry.services.ai.azure.com/api/projects/agents' is a project's endpoint; the project's ARM id is needed.
17:11: 'Azure AI Developer' is not for Foundry projects: Microsoft's role documentation advises against it. -> For a \
pipeline write: foundry-project-manager; for an app: foundry-user
18:5: Unknown key 'client_secret'. -> No secret belongs in this file. Remove it, and revoke it if it was ever pushed.
19:16: 'client_id' must be the application (client) id, a GUID. -> Find it with: az ad app list --display-name NAME \
--query "[].appId" -o tsv
20:3: 'dev' and 'Dev' differ only in case, which GitHub takes for one environment. -> Rename or remove one.
21:14: is a Foundry account, not a project: add /projects/<project>.
22:11: Unknown role 'Foundry User'. -> Write 'foundry-user'.
24:16: Unknown role 'owner'. -> Did you mean 'foundry-owner'? Known: foundry-user, foundry-project-manager,
24:30: 'everything' is not a scope. -> Use project, account, resource-group or subscription, or an ARM id \
(/subscriptions/<guid>/…).
24:51: 'because' must not be empty, nor start or end with a space. ->\x20
26:19: 'platform' is not a reviewer: write team:<slug> or user:<login>. -> Write user:platform for a person, or \
team:platform for a team of the repository's organization.
26:29: 'team:contoso/platform' is not a reviewer: write team:<slug> or user:<login>. -> Write team:platform, without \
the organization.
26:52: '@octocat' is not a reviewer: write team:<slug> or user:<login>. -> Write user:octocat for a person, or \
team:octocat for a team of the repository's organization.
27:21: 'wait_minutes' must be a whole number from 0 to 43200, in plain digits; it is '50000'. -> Write, for example, \
'wait_minutes: 10'.
28:28: 'prevent_self_review' must be true or false, not text. -> Write 'prevent_self_review: true'.
29:17: 'branches' must be a list of patterns or the word protected, not 'main'. -> Write [main], or protected.
30:13: 'tags' is an empty list. -> List at least one, or remove 'tags'.
31:3: 'dev' is given twice; the first is on line 20. -> Keep one.
33:22: 'Deploy' is not a template's name: a-z, 0-9 and '-'. -> For example: deploy-agents
33:36: 'ci/deploy.yml' must be a .yml or .yaml file directly in .github/workflows. -> Write: path: \
.github/workflows/deploy.yml
33:71: There is no environment 'Prod' in this file. -> Known: Dev, dev.
33:83: 'run' must be text, not a number (5). -> Put it in quotes: "5"
"""


def test_every_mistake_is_told_at_once_with_its_place() -> None:
    told = problems(MISTAKES)
    expected = SAID.splitlines()
    assert [line.split(" ")[0] for line in told] == [line.split(" ")[0] for line in expected]
    for line, start in zip(told, expected, strict=True):
        place, _, words = start.partition(" ")
        assert line.startswith(place)
        assert words in line
    assert "hunter2" not in "".join(told)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "1:1: The file is empty."),
        ("# nothing\n", "The file is empty."),
        ("- a\n", "1:1: The file must be a mapping ('key: value' lines), not a list."),
        ("a:\n\tb: 1\n", "2:1: This is not valid YAML: a tab is used for indentation."),
        ("a: [1\nb: 2\n", "This is not valid YAML"),
        ("a: 'x\n", "This is not valid YAML: a quoted text is never closed."),
        ("a: 1\n---\nb: 2\n", "2:1: This is not valid YAML: a second YAML document starts here."),
        ("a: b: c\n", "1:5: This is not valid YAML: a ':' where none can be."),
        ("a: *b\n", "1:4: This is not valid YAML: an alias (*name) without an anchor"),
        ("a:\n  b: 1\n c: 2\n", "3:2: This is not valid YAML: the indentation does not fit what is above."),
        ("a\x07: 1\n", "1:2: This is not valid YAML: a control character is in the text."),
        ("[" * 1000, "This cannot be read as YAML"),
        ('a: "\\UFFFFFFFF"\n', "This cannot be read as YAML"),
        ("? [a]\n: 1\n", "1:3: A key must be text, not a list."),
        ("<<: 1\n", "1:5: '<<' merges mappings only."),
        ("&a {<<: *a}\n", "'version' is missing."),
    ],
)
def test_what_is_no_mapping_of_keys(text: str, words: str) -> None:
    assert words in said(text)


@pytest.mark.parametrize(
    ("old", "instead", "words"),
    [
        ("version: 1", "version: 2", "Version 2 of the format is newer than this trustsmith"),
        ("version: 1", 'version: "1"', "'version' must be 1; it is '1'."),
        ("version: 1", "# no version", "'version' is missing. -> Add 'version: …'."),
        ("tenant: ", "tenant: # ", "3:7: 'tenant' has no value."),
        ("contoso/agents", "contoso", "'contoso' is not a repository: write owner/name."),
        ("contoso/agents", "git@github.com:contoso/agents.git", "Write: repository: contoso/agents"),
        ("contoso/agents", "contoso/..", "is not a repository"),
        (
            "contoso/agents",
            '"contoso/agents\\n"',
            "'repository' contains a line break or an invisible character.",
        ),
        ("version: 1", "version: 1\ngithub: www.github.com", "Write: github: github.com"),
        ("  dev:", "  010:", '5:3: A key must be text, not a number (010). -> Put it in quotes: "010":'),
        ("  dev:", '  "":', "An environment's name must not be empty"),
        ("  dev:", "  ' dev':", "An environment's name must not be empty, nor start or end with a space."),
        ("  dev:", '  "d\\tv":', "An environment's name contains a line break or an invisible character."),
        (
            "  dev:",
            '  "d\\u200bv":',
            "An environment's name contains a line break or an invisible character.",
        ),
        ("  dev:", "  ..:", "'..' cannot be an environment's name."),
        ("  dev:", f"  {'d' * 256}:", "The environment's name has 256 characters; GitHub takes 255."),
        ("  dev:", f"  {'d' * 250}:", "has 257 characters; Entra takes 256. -> Shorten identity.name."),
        ("  dev:", "  - dev:", "5:3: 'environments' must be a mapping ('key: value' lines), not a list."),
        ("  dev:\n", "  {} # dev", "'environments' names no environment. -> Add one, such as dev."),
        ("    project: ", "    # ", "5:6: Environment 'dev' has no project."),
        ("    project: ", "    projects: [] # ", "'projects' is an empty list."),
        ("    project: ", "    project: [] # ", "'project' takes one id. -> Write 'projects:' for a list."),
        ("/subscriptions/2", "subscriptions/2", "lacks the slash at its start."),
        ("22222222-2222", "my-subscription", "/subscriptions/ is followed by a GUID."),
        (
            "projects/dev",
            "projects/dev/agents/a",
            "is something inside a project: cut it after the project's name.",
        ),
        ("project: /", "project: https://ai.azure.com/", "is a web address; the project's ARM id is needed"),
        (f"{ACCOUNT}/projects/dev", "agents", "'agents' is not the id of a Foundry project."),
        (
            f"{ACCOUNT}/projects/dev",
            f"{GROUP}/providers/Microsoft.MachineLearningServices/workspaces/hub",
            "is a hub or a workspace of Azure Machine Learning",
        ),
    ],
)
def test_mistakes_in_the_small_file(old: str, instead: str, words: str) -> None:
    assert old in SMALL
    assert words in said(SMALL.replace(old, instead, 1))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (f"projects: [{ACCOUNT}/projects/x]", "7:15: Both 'project' and 'projects' are given."),
        ("role: 64702f94-c441-49e6-a78b-ef80e0188fee", "Azure AI Developer is not for Foundry projects"),
        ("role: cognitive-services-openai-user", "is not for Foundry projects"),
        ("role: Azure AI Project Manager", "Write 'foundry-project-manager'."),
        ("grants: {role: reader}", "'grants' must be a list, not a mapping."),
        ("grants: [{role: reader, scope: project}]", "7:14: 'because' is missing in a grant."),
        (
            "grants: [{role: reader, scope: /providers/Microsoft.Management/managementGroups/g, because: x}]",
            "A management group is too wide",
        ),
        (
            "grants: [{role: reader, scope: /subscriptions/x, because: x}]",
            "'/subscriptions/x' is not a scope.",
        ),
        ("endpoint: http://foundry.services.ai.azure.com/api/projects/x", "is not a project's endpoint."),
        ("endpoint: https://foundry.services.ai.azure.com/", "is not a project's endpoint."),
        (
            "protection: {reviewers: [user:a, user:A]}",
            "'user:A' is listed twice in 'reviewers'. -> Keep one.",
        ),
        (
            "protection: {reviewers: [user:a, user:b, user:c, user:d, user:e, user:f, user:g]}",
            "7 reviewers; GitHub takes 6.",
        ),
        ("protection: {wait_minutes: 010}", "in plain digits; it is '010'. -> Write 10."),
        ("protection: {wait_minutes: -1}", "must be a whole number from 0 to 43200"),
        ("protection: {wait_minutes: soon}", "it is 'soon'."),
        ("protection: {branches: protected, tags: [v*]}", "'tags' cannot be used with 'branches: protected'"),
        (
            "protection: {branches: [refs/heads/main]}",
            "is a full ref; a pattern is a name only. -> Write: main",
        ),
        ("protection: {branches: [a b]}", "Git allows no such name."),
        (
            "protection: {branches: [1.0]}",
            'An item of branches must be text, not a number (1.0). -> Put it in quotes: "1.0"',
        ),
        ("protection: {branches: true}", "or the word protected, not true or false (true)."),
        ("protection: []", "'protection' must be a mapping ('key: value' lines), not a list."),
        ("protectoin: {}", "Did you mean 'protection'?"),
    ],
)
def test_mistakes_in_an_environment(lines: str, words: str) -> None:
    assert words in said(with_dev(lines))


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("store: []", "'store' must be text, not a list."),
        ("identity: {name: '{repository'}", "A brace without its partner in the display name."),
        (
            "identity: {per: repository, name: '{environment}'}",
            "A shared identity's name cannot be {environment} alone.",
        ),
        ("workflows: {a: }", "'template' is missing in workflow 'a'."),
        ("workflows: {a: {template: x, environments: []}}", "'environments' is an empty list."),
        ("workflows: {a: {template: x, environments: [dve]}}", "Did you mean 'dev'? Known: dev."),
        (
            "workflows: {a: {template: x, environments: [dev, dev]}}",
            "'dev' is listed twice in 'environments'.",
        ),
        ("workflows: {a: {template: x, path: .github/workflows/../x.yml}}", "directly in .github/workflows."),
        (
            "workflows: {a: {template: x, path: .github/workflows/sub/x.yaml}}",
            "Write: path: .github/workflows/x.yml",
        ),
        ("workflows: {a: {template: x, run: ' '}}", "'run' is empty."),
        ('workflows: {a: {template: x, run: "a\\0"}}', "'run' contains a control or invisible character."),
        (
            "workflows: {a: {template: x}, b: {template: y, path: .github/workflows/X.yml}}",
            "'.github/workflows/X.yml' is already written by workflow 'a'.",
        ),
    ],
)
def test_mistakes_elsewhere(lines: str, words: str) -> None:
    assert words in said(SMALL + lines)


def test_a_shared_identity_holds_twenty_credentials() -> None:
    twenty = "".join(f"  e{number}: {{project: {ACCOUNT}/projects/p{number}}}\n" for number in range(19))
    text = SMALL + twenty
    shared = "identity: {per: repository}\n"
    assert len(load(text + shared, "f.yml").config.environments) == 20
    assert "21 environments cannot share one identity" in said(
        text + f"  x: {{project: {ACCOUNT}/projects/x}}\n" + shared
    )


def test_the_same_project_twice_in_one_environment() -> None:
    text = SMALL.replace(
        "project:", f"projects: [{ACCOUNT.upper().replace('SUBSCRIPTIONS', 'subscriptions')}/projects/DEV,"
    )
    assert "is listed twice in 'projects'" in said(text.rstrip() + "]\n")


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("tenant",), (4, 9)),
        (("environments", "dev", "project"), (13, 14)),
        (("environments", "prod", "projects", 1), (17, 7)),
        (("environments", "dev", "projects", 0), (13, 14)),  # written as `project`
        (("environments", "dev", "role"), (13, 5)),  # absent: its environment
        (("environments", "prod", "protection", "branches", 1), (26, 24)),
        (("workflows", "deploy", "environments"), (29, 11)),
        (("store",), (2, 1)),
    ],
)
def test_a_later_step_can_point_into_the_file(path: tuple[str | int, ...], place: tuple[int, int]) -> None:
    problem = load(FULL, "f.yml").problem(path, "This is wrong.", "Do that.")
    assert (problem.line, problem.column) == place
    assert str(problem).startswith(f"f.yml:{place[0]}:{place[1]}: This is wrong.")


def test_a_new_file_says_what_it_is_and_only_what_is_not_the_default() -> None:
    assert new(replace(FULL_CONFIG, store="variables", workflows=default_workflows(("dev", "prod")))) == (
        f"""\
# yaml-language-server: $schema={URL}
# How this repository deploys to Microsoft Foundry, for trustsmith. No secrets: only names and ids.
version: 1
repository: contoso/agents
tenant: {TENANT}

identity:
  owners: [user@contoso.com]
# The ids are no secrets; as variables they can be read back and show in logs.
store: variables

# In the order of deployment.
environments:
  dev:
    project: {ACCOUNT}/projects/dev
  prod:
    projects:
      - {ACCOUNT}/projects/one
      - {ACCOUNT}/projects/two
    grants:
      - role: foundry-account-owner
        scope: account
        because: deploys models
    protection:
      reviewers: [team:platform, user:octocat]
      wait_minutes: 10
      prevent_self_review: true
      branches: [main, release/*]
      tags: [v*]
"""
    )


def prod(**changes: object) -> Config:
    """The full configuration with another prod."""
    dev, old = FULL_CONFIG.environments
    return replace(FULL_CONFIG, environments=(dev, replace(old, **changes)))  # type: ignore[arg-type]


def rules(**changes: object) -> Config:
    old = FULL_CONFIG.environment("prod").protection
    return prod(protection=replace(old, **changes))  # type: ignore[arg-type]


STAGING = Environment(name="staging", projects=(project("staging"),), protection=Protection(wait_minutes=1))


@pytest.mark.parametrize(
    ("config", "old", "instead"),
    [
        (replace(FULL_CONFIG, cloud="AzureUSGovernment"), "cloud: AzureCloud", "cloud: AzureUSGovernment"),
        (
            replace(FULL_CONFIG, store="variables"),
            "environments:\n  #",
            "store: variables\nenvironments:\n  #",
        ),
        (
            replace(
                FULL_CONFIG, identity=Identity(per="repository", owners=("user@contoso.com", "b@contoso.com"))
            ),
            "  kind: application\n  owners: [user@contoso.com]\n",
            "  per: repository\n  kind: application\n  owners: [user@contoso.com, b@contoso.com]\n",
        ),
        (
            replace(
                FULL_CONFIG,
                environments=(FULL_CONFIG.environments[0], STAGING, FULL_CONFIG.environments[1]),
                workflows=(replace(FULL_CONFIG.workflows[0], stages=(("dev",), ("staging",), ("prod",))),),
            ),
            "  prod:\n",
            f"  staging:\n    project: {ACCOUNT}/projects/staging\n    protection:\n      wait_minutes: 1\n  prod:\n",
        ),
        (prod(projects=(project("one"),)), f"    - {ACCOUNT}/projects/two\n", ""),
        (
            prod(projects=(project("one"), project("two"), project("three"))),
            f"    - {ACCOUNT}/projects/two\n",
            f"    - {ACCOUNT}/projects/two\n    - {ACCOUNT}/projects/three\n",
        ),
        (prod(client_id=TENANT), "client_id:\n", f"client_id: {TENANT}\n"),
        (prod(grants=()), FULL[FULL.index("    grants:") : FULL.index("    client_id:")], ""),
        (
            prod(grants=(Grant(role=ACCOUNT_OWNER, scope="account", because="publishes"),)),
            "because: deploys models",
            "because: publishes",
        ),
        (rules(wait_minutes=None), "      wait_minutes: 10\n", ""),
        (rules(wait_minutes=20), "wait_minutes: 10", "wait_minutes: 20"),
        (rules(reviewers=()), "[team:platform, user:octocat]", "[]"),
        (rules(branches=("main",)), '[main, "release/*"]', "[main]"),
        (
            rules(branches="protected", tags=None),
            'branches: [main, "release/*"]\n      tags: ["v*"]',
            "branches: protected",
        ),
        (
            replace(FULL_CONFIG, workflows=(replace(FULL_CONFIG.workflows[0], run=None),)),
            ', run: "python deploy.py"',
            "",
        ),
        (replace(FULL_CONFIG, workflows=()), FULL[FULL.index("workflows:") :], "workflows: {}\n"),
    ],
)
@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["LF", "CRLF"])
def test_an_update_touches_only_what_changes(config: Config, old: str, instead: str, ends: str) -> None:
    assert FULL.count(old) == 1
    updated = update(FULL.replace("\n", ends), config, "f.yml")
    if len(config.environment("prod").projects) == 1:
        # One project is written with the other key; the list's own lines are all that changes.
        assert updated.replace("\r\n", "\n").splitlines()[:14] == FULL.splitlines()[:14]
        assert updated.endswith(FULL[FULL.index("    role:") :].replace("\n", ends))
    else:
        assert updated == FULL.replace(old, instead).replace("\n", ends)
    assert load(updated, "f.yml").config == config


def test_an_update_with_anchors_in_its_way_is_still_right() -> None:
    text = SMALL + f"  prod: {{project: {ACCOUNT}/projects/x, client_id: &id {TENANT}}}\n"
    text += f"  late: {{project: {ACCOUNT}/projects/y, client_id: *id}}   # kept?\n"
    source = load(text, "f.yml")
    changed = tuple(replace(e, client_id=None) if e.name == "prod" else e for e in source.config.environments)
    config = replace(source.config, environments=changed)
    assert load(update(text, config, "f.yml"), "f.yml").config == config


@pytest.mark.parametrize("name", ["?dev", ":dev", "?", ":", "- dev"])
def test_a_name_that_brackets_would_misread_is_quoted(name: str) -> None:
    more = f'  "{name}": {{project: {ACCOUNT}/projects/b}}\nworkflows: {{a: {{template: a, environments: ["{name}"]}}}}\n'
    config = load(SMALL + more, "x").config
    assert load(update(SMALL, config, "x"), "x").config == config
    assert load(new(config), "x").config == config


def test_an_update_of_a_file_that_does_not_load_is_refused() -> None:
    with pytest.raises(ConfigError):
        update("version: 2\n", FULL_CONFIG, "f.yml")


def test_saving_and_reading(tmp_path: Path) -> None:
    path = tmp_path / "deep" / ".github" / "trustsmith.yml"
    save(path, FULL.replace("\n", "\r\n"))
    assert read(path) == Source(str(path), FULL.replace("\n", "\r\n"), FULL_CONFIG)
    assert [child.name for child in path.parent.iterdir()] == ["trustsmith.yml"]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_saving_keeps_mode_and_link(tmp_path: Path) -> None:
    path, link = tmp_path / "a.yml", tmp_path / "b.yml"
    save(path, SMALL)
    path.chmod(0o640)
    link.symlink_to(path)
    save(link, FULL)
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert path.read_text(encoding="utf-8") == FULL


def test_a_failed_save_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="cannot be written"):
        save(tmp_path / "folder", SMALL)
    assert [child.name for child in tmp_path.iterdir()] == ["folder"]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as missing:
        read(tmp_path / "none.yml")
    assert "trustsmith setup" in missing.value.hint
    assert "--config" in missing.value.hint
    with pytest.raises(UsageError, match="cannot be read"):
        read(tmp_path)
    (tmp_path / "utf16.yml").write_text(SMALL, encoding="utf-16")
    with pytest.raises(UsageError, match="is not UTF-8 text"):
        read(tmp_path / "utf16.yml")


def test_a_byte_order_mark_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "bom.yml"
    path.write_bytes(b"\xef\xbb\xbf" + SMALL.encode())
    source = read(path)
    assert update(source.text, source.config, "f.yml") == source.text


def test_the_documentation_names_every_role_and_its_examples_load() -> None:
    text = DOCS.read_text(encoding="utf-8")
    assert not [role.slug for role in ROLES if f"`{role.slug}`" not in text]
    small, everything, default = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    load(everything, "docs")
    environment = small.partition("environments:\n")[2]
    both = f"{small}{environment.replace('dev:', 'prod:')}observer: {{}}\n"
    assert load(both, "docs").config.workflows == load(both + default, "docs").config.workflows
