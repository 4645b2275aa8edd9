"""Configurations whose workflows are kept as golden files, and which every checker of workflows is shown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

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
    "us-government": (
        config(environment("dev"), cloud="AzureUSGovernment"),
        replace(SITE, audience="api://AzureADTokenExchangeUSGov", login_environment="azureusgovernment"),
    ),
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
        replace(
            SITE, authority="https://login.microsoftonline.us", audience="api://AzureADTokenExchangeUSGov"
        ),
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
            runner=Runner(labels=("self-hosted",)),
            options={"cron": "30 */6 * * 1-5"},
        ),
        SITE,
    ),
    "check-drift-hostile-names": (
        watched(environment("dev"), observer=Observer(environment=HOSTILE[0])),
        SITE,
    ),
    "by-hand-only": (config(environment("dev", branches=("release-?", "**/x"))), SITE),
}
