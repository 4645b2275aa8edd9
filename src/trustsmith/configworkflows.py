"""The configuration's part about workflows: where jobs run, what is rendered, and with which options.

What options a template takes is the templates' affair; here a value only has to be of a kind that one may have.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ruamel.yaml.nodes import Node, ScalarNode, SequenceNode

from trustsmith import configshapes as shapes
from trustsmith import configvalues as values
from trustsmith.configkeys import required
from trustsmith.configreader import Reader, Wrong, describe, shown
from trustsmith.configtree import tag
from trustsmith.errors import closest
from trustsmith.model.config import CHECK_DRIFT, Runner, Workflow, default_path, default_workflows

if TYPE_CHECKING:
    from trustsmith.model.config import OptionValue


def runner(reader: Reader, node: Node | None) -> Runner | None:
    """Where jobs run: one label, a list of labels, or a mapping with `group` and `labels`."""
    if isinstance(node, ScalarNode):
        label = reader.value(node, "runner", _label)
        return Runner(labels=(label,)) if label else None
    if isinstance(node, SequenceNode):
        labels = reader.values(node, "runner", _label)
        return Runner(labels=labels) if labels else None
    fields = reader.mapping(node, "runner", required("runner"))
    group = reader.value(fields.get("group"), "group", _label)
    given = fields.get("labels")
    if isinstance(given, ScalarNode):
        single = reader.value(given, "labels", _label)
        labels = (single,) if single else ()
    else:
        labels = reader.values(given, "labels", _label) or ()
    if node is not None and not fields:
        reader.report(
            node, "'runner' names neither a label nor a group.", "Write, for example, 'runner: ubuntu-24.04'."
        )
    return Runner(labels=labels, group=group) if labels or group else None


def read(
    reader: Reader, node: Node | None, names: tuple[str, ...], *, observes: bool
) -> tuple[Workflow, ...]:
    """The workflows; without the section, the usual ones for all environments, whose names are given.

    observes: whether the file has an observer.
    """
    if node is None:
        return default_workflows(names, observes=observes)
    workflows = []
    paths: dict[str, str] = {}
    for name, key, value in reader.named(node, "workflows"):
        reader.parsed(key, name if name.isprintable() else None, "a workflow's name", values.any_text)
        workflow = _workflow(reader, name, value, names)
        if workflow.observes and not observes:
            message = f"Workflow {shown(name)} is the observer's, and the file has none."
            reader.report(value, message, "Add 'observer: {}' at the top of the file.")
        # Case is folded because file systems on Windows and macOS do.
        twin = paths.setdefault(workflow.path.casefold(), name)
        if twin != name:
            message = f"{shown(workflow.path)} is already written by workflow {shown(twin)}."
            reader.report(value, message, "Give this one another 'path'.")
        workflows.append(workflow)
    return tuple(workflows)


def _workflow(reader: Reader, name: str, node: Node, names: tuple[str, ...]) -> Workflow:
    fields = reader.mapping(node, f"workflow {shown(name, 40)}", required("workflow"))
    template = reader.value(fields.get("template"), "template", _template) or name
    looks = template == CHECK_DRIFT
    if looks and "environments" in fields:
        message = f"The job of {CHECK_DRIFT} runs in the observer's environment and in no other."
        reader.report(fields["environments"], message, "Remove 'environments'.")
    return Workflow(
        name=name,
        template=template,
        path=reader.value(fields.get("path"), "path", _workflow_path) or default_path(template),
        stages=() if looks else _stages(reader, fields.get("environments"), names),
        run=reader.script(fields.get("run"), "run"),
        paths=reader.values(fields.get("paths"), "paths", _path_filter) or (),
        reusable=reader.flag(fields.get("reusable"), "reusable") or False,
        options=_options(reader, fields.get("with")),
    )


def _stages(reader: Reader, node: Node | None, names: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """A list of names, and of lists of names; absent, all environments one after another."""
    seen: set[str] = set()

    def known(text: str) -> str:
        if text not in names:
            hint = f"{closest(text, names)}Known: {', '.join(names)}."
            raise Wrong(f"There is no environment {shown(text)} in this file.", hint)
        if text in seen:
            raise Wrong(f"{shown(text)} is listed twice in 'environments'.", "Keep one.")
        seen.add(text)
        return text

    stages: list[tuple[str, ...]] = []
    for item in reader.items(node, "environments") or ():
        if isinstance(item, SequenceNode):
            inner = reader.items(item, "environments") or ()
            found = [reader.value(each, "an item of environments", known) for each in inner]
        else:
            found = [reader.value(item, "an item of environments", known)]
        stages.append(tuple(name for name in found if name is not None))
    return tuple(stage for stage in stages if stage) or tuple((name,) for name in names)


def _options(reader: Reader, node: Node | None) -> dict[str, OptionValue]:
    """The template's options, each a text, a whole number, true or false, or a list of texts."""
    found = {}
    for name, key, value in reader.named(node, "with"):
        reader.parsed(key, name if name.isprintable() else None, "an option's name", _option_name)
        option = _option(reader, name, value)
        if option is not None:
            found[name] = option
    return found


def _option(reader: Reader, name: str, node: Node) -> OptionValue | None:
    if isinstance(node, SequenceNode):
        return reader.values(node, name, values.any_text, allow_empty=True)
    if tag(node) == "bool":
        return reader.flag(node, name)
    if tag(node) == "int" and isinstance(node, ScalarNode) and re.fullmatch(r"0|[1-9][0-9]{0,8}", node.value):
        return int(node.value)
    if isinstance(node, ScalarNode) and tag(node) != "str":
        # 3.10 is the number 3.1 to YAML: what looks like a version has to be text.
        reader.report(
            node, f"'{name}' must be text, not {describe(node)}.", f'Put it in quotes: "{node.value}"'
        )
        return None
    return reader.value(node, name, values.any_text)


def _path_filter(text: str) -> str:
    """A pattern of GitHub's `paths`, from the top of the repository; the format knows no escapes for blanks."""
    if text.startswith(("/", "./")) or "\\" in text:
        better = text.replace("\\", "/").lstrip("./")
        raise Wrong(
            f"{shown(text)} matches nothing: paths begin at the repository's top.", f"Write: {better}"
        )
    return text


def folder(text: str) -> str:
    """A folder inside the repository, from its top, with `/`."""
    parts = text.removesuffix("/").split("/")
    strange = {"", ".", "..", ".git"} & {part.lower() for part in parts}
    if not re.fullmatch(shapes.FOLDER, text) or strange:
        raise Wrong(
            f"{shown(text)} is not a folder inside this repository.",
            "For example: .github/trustsmith-templates",
        )
    return "/".join(parts)


def _label(text: str) -> str:
    """A label or a group of runners. GitHub would evaluate an expression in it."""
    if "${{" in text:
        raise Wrong(f"{shown(text)} is an expression; a runner is named.", "For example: ubuntu-24.04")
    return text


def _option_name(text: str) -> str:
    """The name of a template's option, as it is spelled in templates."""
    if not re.fullmatch(shapes.OPTION, text):
        raise Wrong(
            f"{shown(text)} is not an option's name: a-z, 0-9 and '_'.",
            f"Write: {re.sub(r'[^a-z0-9_]', '_', text.lower())}",
        )
    return text


def _template(text: str) -> str:
    """A template's name: lower-case letters, digits and hyphens."""
    if not re.fullmatch(shapes.TEMPLATE, text):
        raise Wrong(
            f"{shown(text)} is not a template's name: a-z, 0-9 and '-'.", "For example: deploy-agents"
        )
    return text


def _workflow_path(text: str) -> str:
    """A file directly in `.github/workflows`, the only place where GitHub looks for workflows."""
    if not re.fullmatch(shapes.WORKFLOW_PATH, text) or ".." in text:
        name = re.split(r"[/\\]", text)[-1].removesuffix(".yml").removesuffix(".yaml")
        better = f".github/workflows/{name}.yml"
        hint = (
            f"Write: path: {better}"
            if re.fullmatch(shapes.WORKFLOW_PATH, better) and ".." not in better
            else ""
        )
        raise Wrong(f"{shown(text)} must be a .yml or .yaml file directly in .github/workflows.", hint)
    return text
