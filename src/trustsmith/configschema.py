"""How the sections of the configuration become a `Config`. Reports every problem, with its position.

Must not read files, contact anything, or fill in what only a service knows. What a single value may be is in
`configvalues`, which keys there are in `configkeys`; what YAML is, in `configtree`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from ruamel.yaml.nodes import Node, ScalarNode

from trustsmith import configobserver, configtrusts, configworkflows
from trustsmith import configvalues as values
from trustsmith.configkeys import LONGEST_WAIT, REVIEWERS, VERSION, required
from trustsmith.configreader import Reader, describe, shown
from trustsmith.configtree import tag
from trustsmith.errors import ConfigError
from trustsmith.model.config import (
    CLOUDS,
    HOSTED,
    Config,
    Environment,
    Grant,
    Identity,
    Protection,
)
from trustsmith.model.foundry import PROJECT_MANAGER, ProjectId
from trustsmith.model.observing import observing

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_DISPLAY_NAME = 256  # Graph v1.0, application resource


def read(root: Node | None, file: str) -> Config:
    """The document as a Config. Raises ConfigError with everything that is wrong."""
    reader = Reader(file)
    config = _config(reader, root)
    if reader.problems:
        raise ConfigError(reader.problems)
    return config


def _config(reader: Reader, root: Node | None) -> Config:
    if root is None or tag(root) == "null":
        reader.report(root, "The file is empty.", "Run 'trustsmith setup' to write it.")
        root = None
    fields = reader.mapping(root, "", required(""))
    _version(reader, fields.get("version"))
    environments = _environments(reader, fields.get("environments"))
    names = tuple(environment.name for environment in environments)
    observer = configobserver.read(reader, fields.get("observer"))
    config = Config(
        repository=reader.value(fields.get("repository"), "repository", values.repository) or "",
        tenant=reader.value(fields.get("tenant"), "tenant", values.tenant) or "",
        cloud=reader.value(fields.get("cloud"), "cloud", values.one_of(CLOUDS)) or "AzureCloud",
        github=reader.value(fields.get("github"), "github", values.github_host) or "github.com",
        enterprise=reader.value(fields.get("enterprise"), "enterprise", values.enterprise),
        audience=reader.value(fields.get("audience"), "audience", values.audience),
        identity=_identity(reader, fields.get("identity")),
        store=cast(
            "Literal['secrets', 'variables']",
            reader.value(fields.get("store"), "store", values.one_of(["secrets", "variables"])) or "secrets",
        ),
        immutable_subjects=reader.flag(fields.get("immutable_subjects"), "immutable_subjects") or False,
        runner=configworkflows.runner(reader, fields.get("runner")) or HOSTED,
        templates=reader.value(fields.get("templates"), "templates", configworkflows.folder),
        environments=environments,
        observer=observer,
        workflows=configworkflows.read(reader, fields.get("workflows"), names, observes=observer is not None),
    )
    _check_enterprise(reader, config, fields)
    _check_identities(reader, config, fields)
    configtrusts.check(reader, config, fields.get("environments"))
    configobserver.check(reader, config, fields.get("observer"))
    return config


def _check_enterprise(reader: Reader, config: Config, fields: Mapping[str, Node]) -> None:
    """Where an enterprise's name is part of the issuer: github.com, and ghe.com with the subdomain (GitHub Docs)."""
    subdomain = config.github.removesuffix(".ghe.com") if config.github.endswith(".ghe.com") else None
    if config.enterprise is None or config.github == "github.com" or config.enterprise == subdomain:
        return
    if subdomain is None:
        message, hint = "An enterprise server's issuer has no enterprise's name.", "Remove 'enterprise'."
    else:
        message = f"On {config.github} the issuer ends in the subdomain."
        hint = f"Write: enterprise: {subdomain}"
    reader.report(fields["enterprise"], message, hint)


def _version(reader: Reader, node: Node | None) -> None:
    if (
        isinstance(node, ScalarNode)
        and tag(node) == "int"
        and node.value.isdecimal()
        and int(node.value[:9]) > VERSION
    ):
        reader.report(
            node,
            f"Version {node.value[:9]} of the format is newer than this trustsmith, which knows version {VERSION}.",
            "Update trustsmith.",
        )
    else:
        reader.whole(node, "version", VERSION, VERSION)


def _identity(reader: Reader, node: Node | None) -> Identity:
    fields = reader.mapping(node, "identity", required("identity"))
    reader.value(fields.get("kind"), "kind", values.identity_kind)
    per = reader.value(fields.get("per"), "per", values.one_of(["environment", "repository"]))
    return Identity(
        per=cast("Literal['environment', 'repository']", per or "environment"),
        name=reader.value(fields.get("name"), "name", values.name_pattern) or Identity().name,
        owners=reader.values(fields.get("owners"), "owners", values.owner, allow_empty=True) or (),
        service_management_reference=reader.value(
            fields.get("service_management_reference"), "service_management_reference", values.any_text
        ),
    )


def _check_identities(reader: Reader, config: Config, fields: Mapping[str, Node]) -> None:
    """What concerns identity and environments together: credentials per application, lengths of display names."""
    node = fields.get("identity")
    count = len(config.environments)
    if config.identity.per == "repository" and count > configtrusts.CREDENTIALS:
        reader.report(
            node,
            f"{count} environments cannot share one identity: an application holds {configtrusts.CREDENTIALS} federated credentials.",
            "Remove 'per: repository', so that each environment has its own.",
        )
    pattern = config.identity.name.replace("{repository}", config.repository.partition("/")[2])
    pattern = pattern.replace("{owner}", config.repository.partition("/")[0])
    if config.identity.per == "repository" and not pattern.replace("{environment}", "").strip("-_. /"):
        reader.report(
            node, "A shared identity's name cannot be {environment} alone.", 'Write: name: "{repository}"'
        )
    named = config.environments if config.identity.per == "environment" else ()
    for environment in (*named, *filter(None, [observing(config)])):
        length = len(pattern.replace("{environment}", environment.name))
        if length > LONGEST_DISPLAY_NAME:
            message = (
                f"The display name for {shown(environment.name, 40)} has {length} characters; Entra takes "
            )
            reader.report(
                node or fields["environments"], f"{message}{LONGEST_DISPLAY_NAME}.", "Shorten identity.name."
            )


def _environments(reader: Reader, node: Node | None) -> tuple[Environment, ...]:
    spelled: dict[str, str] = {}
    found = []
    for name, key, value in reader.named(node, "environments"):
        reader.parsed(
            key, name if name.isprintable() else None, "an environment's name", values.environment_name
        )
        twin = spelled.setdefault(name.casefold(), name)
        if twin != name:
            reader.report(
                key,
                f"{shown(name)} and {shown(twin)} differ only in case, which GitHub takes for one environment.",
                "Rename or remove one.",
            )
        found.append(_environment(reader, name, value))
    if node is not None and tag(node) == "map" and not found:
        reader.report(node, "'environments' names no environment.", "Add one, such as dev.")
    return tuple(found)


def _environment(reader: Reader, name: str, node: Node) -> Environment:
    fields = reader.mapping(node, f"environment {shown(name, 40)}", required("environment"))
    return Environment(
        name=name,
        projects=_projects(reader, name, node, fields),
        role=reader.value(fields.get("role"), "role", values.role) or PROJECT_MANAGER.guid,
        grants=_grants(reader, fields.get("grants")),
        client_id=reader.value(fields.get("client_id"), "client_id", values.client_id),
        endpoint=reader.value(fields.get("endpoint"), "endpoint", values.endpoint),
        protection=_protection(reader, fields.get("protection")),
        trusts=configtrusts.read(reader, fields.get("trusts")),
        runner=configworkflows.runner(reader, fields.get("runner")),
    )


def _projects(reader: Reader, name: str, node: Node, fields: Mapping[str, Node]) -> tuple[ProjectId, ...]:
    one, many = fields.get("project"), fields.get("projects")
    if one is not None and many is not None:
        reader.report(
            many, "Both 'project' and 'projects' are given.", "Keep 'projects', with all of them in its list."
        )
    if one is None and many is None and tag(node) in ("map", "null"):
        reader.report(
            node, f"Environment {shown(name, 40)} has no project.", "Add 'project: <the project's ARM id>'."
        )
    if isinstance(one, Node) and tag(one) == "seq":
        reader.report(one, "'project' takes one id.", "Write 'projects:' for a list.")
        return ()
    single = reader.value(one, "project", values.project)
    return (single,) if single else reader.values(many, "projects", values.project) or ()


def _grants(reader: Reader, node: Node | None) -> tuple[Grant, ...]:
    grants = []
    for item in reader.items(node, "grants", allow_empty=True) or ():
        fields = reader.mapping(item, "a grant", required("grant"))
        role = reader.value(fields.get("role"), "role", values.role)
        scope = reader.value(fields.get("scope"), "scope", values.scope)
        because = reader.value(fields.get("because"), "because", values.any_text)
        if role and scope and because:
            grants.append(Grant(role=role, scope=scope, because=because))
    return tuple(grants)


def _protection(reader: Reader, node: Node | None) -> Protection:
    fields = reader.mapping(node, "protection", required("protection"))
    reviewers = reader.values(fields.get("reviewers"), "reviewers", values.reviewer, allow_empty=True)
    if reviewers and len(reviewers) > REVIEWERS:
        message = f"{len(reviewers)} reviewers; GitHub takes {REVIEWERS}."
        reader.report(
            fields["reviewers"], message, "Name a team: one approval of any of its members is enough."
        )
    branches = _branches(reader, fields.get("branches"))
    tags = reader.values(fields.get("tags"), "tags", values.ref_pattern)
    if branches == "protected" and "tags" in fields:
        message = (
            "'tags' cannot be used with 'branches: protected': GitHub knows protected branches, or patterns."
        )
        reader.report(
            fields["tags"], message, "Write the branches as patterns, such as [main], or remove 'tags'."
        )
    return Protection(
        reviewers=reviewers,
        wait_minutes=reader.whole(fields.get("wait_minutes"), "wait_minutes", 0, LONGEST_WAIT),
        prevent_self_review=reader.flag(fields.get("prevent_self_review"), "prevent_self_review"),
        branches=branches,
        tags=tags,
    )


def _branches(reader: Reader, node: Node | None) -> tuple[str, ...] | Literal["protected"] | None:
    if not isinstance(node, ScalarNode):
        return reader.values(node, "branches", values.ref_pattern)
    if tag(node) == "str" and node.value == "protected":
        return "protected"
    found = shown(node.value) if tag(node) == "str" else describe(node)
    hint = f"Write [{node.value[:80]}], or protected."
    reader.report(node, f"'branches' must be a list of patterns or the word protected, not {found}.", hint)
    return None
