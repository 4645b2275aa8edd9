"""Config → text: a fresh file, or the smallest change of an existing one.

Must not read or write files, nor decide what is configured. The text always loads to exactly the given Config.
"""

from __future__ import annotations

from dataclasses import fields
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from trustsmith import configedit, configschema, configtree
from trustsmith.configkeys import VERSION
from trustsmith.editorschema import modeline
from trustsmith.errors import ConfigError
from trustsmith.model.config import (
    HOSTED,
    Config,
    Environment,
    Identity,
    Observer,
    Protection,
    Runner,
    Workflow,
    default_path,
    default_workflows,
    one_by_one,
)
from trustsmith.model.foundry import PROJECT_MANAGER, role_slug

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trustsmith.configedit import Plain
    from trustsmith.configtree import KeyPath
    from trustsmith.model.issuers import Trust

    Edit = Callable[[str], str]

_HEADER = (
    "# How this repository deploys to Microsoft Foundry, for trustsmith. No secrets: only names and ids.\n"
)
_SHARED = "One identity for all environments: a job in any of them may do what a job in every other may."
_VARIABLES = "The ids are no secrets; as variables they can be read back and show in logs."
_IN_ORDER = "In the order of deployment."


def plain(config: Config) -> dict[str, Plain]:
    """The configuration as the file's own structure, without what is the default."""
    names = tuple(environment.name for environment in config.environments)
    usual = default_workflows(names, observes=config.observer is not None)
    workflows = {workflow.name: _workflow(workflow, names) for workflow in config.workflows}
    return _given(
        version=VERSION,
        repository=config.repository,
        tenant=config.tenant,
        cloud=_unless(Config.cloud, config.cloud),
        github=_unless(Config.github, config.github),
        enterprise=config.enterprise,
        audience=config.audience,
        identity=_identity(config.identity) or None,
        store=_unless(Config.store, config.store),
        immutable_subjects=config.immutable_subjects or None,
        runner=None if config.runner == HOSTED else _runner(config.runner),
        templates=config.templates,
        environments={environment.name: _environment(environment) for environment in config.environments},
        observer=_observer(config.observer),
        workflows=None if config.workflows == usual else workflows,
    )


def _given(**keys: Plain) -> dict[str, Plain]:
    return {key: value for key, value in keys.items() if value is not None}


def _unless(default: str, value: str) -> str | None:
    return None if value == default else value


def _identity(identity: Identity) -> dict[str, Plain]:
    return _given(
        per=_unless(Identity.per, identity.per),
        name=_unless(Identity.name, identity.name),
        owners=list(identity.owners) or None,
        service_management_reference=identity.service_management_reference,
    )


def _environment(environment: Environment) -> dict[str, Plain]:
    projects = [project.id for project in environment.projects]
    grants = [
        {"role": role_slug(grant.role), "scope": grant.scope, "because": grant.because}
        for grant in environment.grants
    ]
    return _given(
        project=projects[0] if len(projects) == 1 else None,
        projects=projects if len(projects) != 1 else None,
        role=None if environment.role == PROJECT_MANAGER.guid else role_slug(environment.role),
        grants=grants or None,
        client_id=environment.client_id,
        endpoint=environment.endpoint,
        protection=_protection(environment.protection) or None,
        runner=_runner(environment.runner) if environment.runner else None,
        trusts=[_trust(trust) for trust in environment.trusts] or None,
    )


def _observer(observer: Observer | None) -> dict[str, Plain] | None:
    if observer is None:
        return None
    return _given(
        environment=_unless(Observer.environment, observer.environment),
        client_id=observer.client_id,
        github=_unless(Observer.github, observer.github),
        reach=_unless(Observer.reach, observer.reach),
    )


def _trust(trust: Trust) -> dict[str, Plain]:
    """A trust's kind and words; fields are called as the file's keys are."""
    given = {f.name: getattr(trust, f.name) for f in fields(trust) if getattr(trust, f.name) != f.default}
    return {trust.kind: {name: list(v) if isinstance(v, tuple) else v for name, v in given.items()}}


def _protection(protection: Protection) -> dict[str, Plain]:
    branches = protection.branches
    return _given(
        reviewers=None
        if protection.reviewers is None
        else [str(reviewer) for reviewer in protection.reviewers],
        wait_minutes=protection.wait_minutes,
        prevent_self_review=protection.prevent_self_review,
        branches=list(branches) if isinstance(branches, tuple) else branches,
        tags=None if protection.tags is None else list(protection.tags),
    )


def _runner(runner: Runner) -> Plain:
    if runner.group:
        return _given(group=runner.group, labels=list(runner.labels) or None)
    return runner.labels[0] if len(runner.labels) == 1 else list(runner.labels)


def _workflow(workflow: Workflow, names: tuple[str, ...]) -> dict[str, Plain]:
    stages: list[Plain] = [stage[0] if len(stage) == 1 else list(stage) for stage in workflow.stages]
    options: dict[str, Plain] = {
        name: list(value) if isinstance(value, tuple) else value for name, value in workflow.options.items()
    }
    return _given(
        template=workflow.template,
        path=_unless(default_path(workflow.template), workflow.path),
        environments=None if workflow.observes or workflow.stages == one_by_one(names) else stages,
        paths=list(workflow.paths) or None,
        reusable=workflow.reusable or None,
        run=workflow.run,
    ) | ({"with": options} if options else {})


def new(config: Config) -> str:
    """The text of a fresh file; as with `update`, load it before saving it."""
    reasons = {"environments": _IN_ORDER if len(config.environments) > 1 else ""}
    if config.identity.per == "repository":
        reasons["identity"] = _SHARED
    if config.store == "variables":
        reasons["store"] = _VARIABLES
    parts = [modeline(), _HEADER]
    for key, value in plain(config).items():
        gap = "\n" if isinstance(value, dict) else ""
        reason = f"# {reasons[key]}\n" if reasons.get(key) else ""
        parts.append(gap + reason + configedit.block({key: value}))
    return "".join(parts)


def update(text: str, config: Config, file: str) -> str:
    """`text`, changed just enough to load to `config`. Raises ConfigError when `text` itself does not load.

    A `config` that breaks a rule of the format is written as well as can be: whoever puts one together from answers
    or flags loads the result before saving it.

    Tried from the finest edits to the coarsest (a whole section, the whole file), since a layout that `configedit`
    cannot edit (an anchor on the edited value, say) must cost comments rather than be wrong.
    """
    before = configschema.read(configtree.compose(text, file), file)
    have, want = plain(before), plain(config)
    for depth in (9, 2, 1, 0):
        changed = _attempt(text, _edits(have, want, (), depth), config)
        if changed is not None:
            return changed
    return new(config).replace("\n", configedit.line_end(text))


def _attempt(text: str, edits: Iterator[Edit], config: Config) -> str | None:
    """The edited text, or None when it does not load to `config`."""
    try:
        for edit in edits:
            text = edit(text)
        loaded = configschema.read(configtree.compose(text, ""), "")
    except ConfigError:
        return None
    return text if loaded == config else None


def _edits(have: dict[str, Plain], want: dict[str, Plain], path: KeyPath, depth: int) -> Iterator[Edit]:
    """The edits that make one mapping into the other. New keys come first, so that no mapping is emptied meanwhile."""
    for count, (key, value) in enumerate(want.items()):
        if _differs(have.get(key), value):
            yield from _edit(have.get(key), value, (*path, key), depth, tuple(want)[:count])
    for key in have:
        if key not in want:
            yield _drop((*path, key))


def _edit(old: Plain, value: Plain, path: KeyPath, depth: int, before: tuple[str, ...]) -> Iterator[Edit]:
    if depth and isinstance(old, dict) and isinstance(value, dict) and value and _same_order(old, value):
        yield from _edits(old, value, path, depth - 1)
    elif depth and isinstance(old, list) and isinstance(value, list) and old and value:
        yield from _list_edits(old, value, path, depth)
    else:
        yield lambda text: configedit.put(text, path, value, before)


def _differs(old: Plain, value: Plain) -> bool:
    """Unlike `!=` on mappings, this sees the order: it is the order of deployment."""
    return bool(old != value) or (isinstance(value, dict) and list(old) != list(value))


def _same_order(old: dict[str, Plain], new_: dict[str, Plain]) -> bool:
    return [key for key in old if key in new_] == [key for key in new_ if key in old]


def _list_edits(old: list[Plain], value: list[Plain], path: KeyPath, depth: int) -> Iterator[Edit]:
    """Edits of single items, from the last to the first, so that the indexes before stay what they were."""
    matcher = SequenceMatcher(
        a=[repr(item) for item in old], b=[repr(item) for item in value], autojunk=False
    )
    for _, start, end, first, last in reversed(
        [code for code in matcher.get_opcodes() if code[0] != "equal"]
    ):
        if end - start == last - first and isinstance(old[start], dict):
            for index, item in enumerate(value[first:last], start):
                yield from _edits(old[index], item, (*path, index), depth - 1)
        else:
            yield from (_insert((*path, end), item) for item in reversed(value[first:last]))
            yield from (_drop((*path, index)) for index in reversed(range(start, end)))


def _drop(path: KeyPath) -> Edit:
    return lambda text: configedit.drop(text, path)


def _insert(path: KeyPath, item: Plain) -> Edit:
    return lambda text: configedit.insert(text, path, item)
