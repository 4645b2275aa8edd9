"""Configurations whose workflows are kept as golden files, and which every checker of workflows is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trustsmith.model.config import (
    Config,
    Environment,
    Observer,
    Protection,
    Reviewer,
    Runner,
    Workflow,
    default_path,
    one_by_one,
)
from trustsmith.model.foundry import ProjectId
from trustsmith.render import Site

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trustsmith.model.config import OptionValue

SITE = Site(
    authority="https://login.microsoftonline.com",
    audience="api://AzureADTokenExchange",
    foundry_scope="https://ai.azure.com/.default",
    login_environment=None,
    version="1.2.3",
)
PATH = ".github/workflows/deploy.yml"


def project(account: str = "foundry-dev") -> ProjectId:
    return ProjectId("11111111-1111-1111-1111-111111111111", "rg-agents", account, "agents")


def environment(name: str, *, projects: int = 1, **protection: Any) -> Environment:
    return Environment(
        name=name,
        projects=tuple(project(f"foundry-{number}") for number in range(1, projects + 1)),
        protection=Protection(**protection),
    )


def config(*environments: Environment, **fields: Any) -> Config:
    """A configuration of these environments; unless said otherwise with the one workflow deploy-agents for all."""
    fields.setdefault("workflows", (named("deploy-agents", *environments),))
    return Config(repository="contoso/agents", tenant="contoso.com", environments=environments, **fields)


def named(template: str, *environments: Environment) -> Workflow:
    """The workflow of a template for these environments, called like it."""
    names = (environment.name for environment in environments)
    return workflow(*names, name=template, template=template, path=default_path(template))


def checked(*environments: Environment, **fields: Any) -> Config:
    """A configuration whose one workflow is check-trust, for all environments."""
    return config(*environments, workflows=(named("check-trust", *environments),), **fields)


def workflow(*environments: str, **fields: Any) -> Workflow:
    values = {"name": "deploy", "template": "deploy-agents", "path": PATH} | fields
    return Workflow(stages=one_by_one(environments), **values)


def watched(*environments: Environment, **fields: Any) -> Config:
    """A configuration whose one workflow is check-drift; with `options` for it."""
    options = fields.pop("options", {})
    drift = workflow(
        name="check-drift", template="check-drift", path=default_path("check-drift"), options=options
    )
    return config(*environments, workflows=(drift,), **fields)


HOSTILE = (
    'it\'s "live": #1',
    "-dash",
    "*star & co",
    "!bang",
    "yes",
    "null",
    "1e3",
    "}}{{ %} [[ x ]]",
    "back\\slash\ttab",
    "生产 🚀",
    "YES",
)
RUN = """  echo "indented first line"
\t# a tab, and a comment: not YAML's
cat <<'END'
- name: "not a step"
  uses: evil/action@main

END
echo "$GITHUB_SHA"
"""

US_GOVERNMENT = replace(
    SITE,
    authority="https://login.microsoftonline.us",
    audience="api://AzureADTokenExchangeUSGov",
    login_environment="azureusgovernment",
)
#: What a template cannot do without.
NEEDED: dict[str, dict[str, OptionValue]] = {
    "deploy-azd": {"location": "swedencentral"},
    "evaluate-agents": {"agent_ids": ("support",), "deployment_name": "gpt-5-mini"},
}
HANDED_ON: dict[str, OptionValue] = {"variables": ("MODEL", "TF_VAR_size"), "secrets": ("SEARCH_KEY",)}
#: Template → case → options that change its workflow.
OPTIONS: dict[str, dict[str, dict[str, OptionValue]]] = {
    "deploy-agents": {"timeout": {"timeout_minutes": 90}},
    "deploy-infra": {
        "files": {"template_file": "bicep/all.bicep", "parameters": "bicep/{environment}.bicepparam"},
        "subscription": {"scope": "subscription", "location": "swedencentral"},
        "what-if-only": {"what_if_only": True},
        "handed-on": HANDED_ON,
        "timeout": {"timeout_minutes": 90},
    },
    "deploy-azd": {
        "provision": {"command": "provision"},
        "deploy": {"command": "deploy"},
        "resource-group": {"scope": "resource-group"},
        "elsewhere": {
            "folder": "apps/agents",
            "environment_name": "contoso-{environment}",
            "location": "eastus2",
        },
        "version": {"azd_version": "1.30.0"},
        "handed-on": HANDED_ON,
        "timeout": {"timeout_minutes": 90},
    },
    "deploy-terraform": {
        "files": {
            "working_directory": "terraform/live",
            "backend_config": "terraform/{environment}.tfbackend",
            "var_file": "terraform/{environment}.tfvars",
        },
        "at-the-top": {"working_directory": ""},
        "backend-in-code": {"backend_config": ""},
        "plan-only": {"plan_only": True},
        "version": {"terraform_version": "1.15.8"},
        "handed-on": HANDED_ON,
        "timeout": {"timeout_minutes": 90},
    },
    "evaluate-agents": {
        "several": {"agent_ids": ("support:4", "billing"), "baseline_agent_id": "support:3"},
        "gate": {"pass_rate": 95, "evaluators": ("builtin.violence", "fluency")},
        "files": {
            "data_path": "evaluations/{environment}.json",
            "constraints": "evaluations/constraints.txt",
        },
        "judge": {"deployment_name": "gpt-5"},
        "timeout": {"timeout_minutes": 90},
    },
}


def with_options(template: str, *stages: tuple[str, ...], **options: OptionValue) -> Config:
    """A configuration with the one workflow of a template, with what it needs and these options."""
    one = named(template, *(environment(name) for stage in stages or (("dev",),) for name in stage))
    one = replace(one, stages=stages or one.stages, options=NEEDED.get(template, {}) | options)
    return config(*map(environment, one.environments), workflows=(one,))


def _of_options() -> Iterator[tuple[str, tuple[Config, Site]]]:
    """Cases of each template that takes options: side by side, another cloud, and each option."""
    for template, cases in OPTIONS.items():
        if template != "deploy-agents":
            yield template, (with_options(template), SITE)
            yield f"{template}-side-by-side", (with_options(template, ("dev",), ("eu", "us")), SITE)
            abroad = replace(with_options(template), cloud="AzureUSGovernment")
            yield f"{template}-us-government", (abroad, US_GOVERNMENT)
        for case, options in cases.items():
            yield f"{template}-{case}", (with_options(template, **options), SITE)


CASES: dict[str, tuple[Config, Site]] = {
    "one-environment": (config(environment("prod", branches=("main", "release/*"))), SITE),
    "three-environments": (
        config(
            environment("dev"), environment("staging"), environment("prod", branches=("trunk",), tags=("v*",))
        ),
        SITE,
    ),
    "variables": (config(environment("dev"), store="variables"), SITE),
    "several-projects": (config(environment("dev", projects=3)), SITE),
    "us-government": (config(environment("dev"), cloud="AzureUSGovernment"), US_GOVERNMENT),
    "hostile-names": (
        config(
            environment(HOSTILE[0], branches=("!important", "c++", "it's", "#1", "-x", "feature/*/ünï")),
            *map(environment, HOSTILE[1:]),
            workflows=(workflow(*HOSTILE, name='yes: & *#\' "quoted"'),),
        ),
        SITE,
    ),
    "own-command": (config(environment("dev"), workflows=(workflow("dev", run=RUN),)), SITE),
    "check-trust": (checked(environment("dev"), environment("prod")), SITE),
    "check-trust-variables": (checked(environment("dev", projects=3), store="variables"), SITE),
    "check-trust-hostile-names": (checked(*map(environment, HOSTILE)), SITE),
    "check-trust-us-government": (
        checked(environment("dev"), cloud="AzureUSGovernment"),
        US_GOVERNMENT,
    ),
    "side-by-side": (
        config(
            environment("dev"),
            replace(environment("eu"), runner=Runner(labels=("self-hosted", "eu"))),
            replace(environment("us"), runner=Runner(group="private")),
            runner=Runner(labels=("self-hosted", "linux")),
            workflows=(
                replace(workflow(), stages=(("dev",), ("eu", "us")), paths=("agents/**", "!agents/*.md")),
            ),
        ),
        SITE,
    ),
    "reusable": (
        config(
            environment("dev"),
            environment("prod"),
            workflows=(workflow("dev", "prod", reusable=True, options={"python_version": "3.12"}),),
        ),
        SITE,
    ),
    "check-drift": (watched(environment("dev"), observer=Observer()), SITE),
    "check-drift-app": (
        watched(
            environment("prod", reviewers=(Reviewer(kind="team", name="platform"),)),
            observer=Observer(github="app"),
            store="variables",
            runner=Runner(labels=("ubuntu-latest",)),
            options={"cron": "30 */6 * * 1-5"},
        ),
        SITE,
    ),
    "check-drift-hostile-names": (
        watched(environment("dev"), observer=Observer(environment=HOSTILE[0])),
        SITE,
    ),
    "by-hand-only": (config(environment("dev", branches=("release-?", "**/x"))), SITE),
    **dict(_of_options()),
}
