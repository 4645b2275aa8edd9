"""How values get into templates, whoever wrote the template."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.golden.cases import SITE, config, environment, workflow
from tests.property.worlds import project
from trustsmith.configreader import Wrong
from trustsmith.configworkflows import folder
from trustsmith.errors import UsageError
from trustsmith.flows.session import Options
from trustsmith.flows.templates import show
from trustsmith.model.pins import Pin
from trustsmith.render import catalogue, render
from trustsmith.render.catalogue import SUFFIX
from trustsmith.ui.console import Console

PLAIN = """\
name: [[ name ]]
on: {push: [[ push ]]}
permissions: {}
jobs:
[% for job in jobs %]
  [[ job.id | plain ]]:
    runs-on: [[ job.runner ]]
    environment: [[ job.environment ]]
    permissions: {id-token: write}
    steps:
      - run: [[ run | block(10) ]]
        env: {A: [[ options.a ]], B: [[ options.b ]]}
[% endfor %]
"""


def rendered(root: Path, text: str, *, about: str = "", **fields: Any) -> Any:
    """What a YAML parser reads in the rendering of somebody's template."""
    place = root / "mine"
    place.mkdir(exist_ok=True)
    (place / "own.yml.j2").write_text(text, encoding="utf-8")
    if about:
        (place / "own.toml").write_text(about, encoding="utf-8")
    pins = fields.pop("pins", ())
    values = {"template": "own", "run": "echo 1", "options": {"a": 1, "b": ("x", "y")}} | fields
    wanted = config(environment("dev"), templates="mine", pins=pins, workflows=(workflow("dev", **values),))
    (file,) = render(wanted, SITE, root)
    return YAML(typ="safe").load(file.text)


def test_values_are_quoted_without_being_asked_to(tmp_path: Path) -> None:
    hostile = 'x": {y: z} # [% no %] \ue0000\ue000'

    document = rendered(tmp_path, PLAIN, name=hostile, run="a\n\n  b\n", options={"a": True, "b": (hostile,)})

    (step,) = document["jobs"]["job-dev"]["steps"]
    assert document["name"] == hostile
    assert document["on"] == {"push": {"branches": ["main"]}}
    assert step == {"run": "a\n\n  b\n", "env": {"A": True, "B": [hostile]}}


WRONG = {
    "unknown variable": ("name: [[ nmae ]]", "own.yml.j2, line 1: 'nmae' is undefined", "jobs"),
    "unknown attribute": ("a: 1\nname: [[ jobs[0].enviroment ]]", "line 2: ", "There is:"),
    "syntax": ("a: 1\n[% for %]", "line 2: ", "docs/templates.md"),
    "unknown filter": ("a: [[ name | nope ]]", "line 1: No filter named 'nope'", ""),
    "no end": ("[% if name %]\n", "Unexpected end of template", ""),
    "inside other text": ("name: deploy-[[ name ]]\njobs: {}", "a value stands inside other text; join", ""),
    "no YAML": ("name: [[ name ]]: x: [", "it is no YAML", ""),
    "no workflow": ("- 1", "it is no workflow", ""),
    "nothing": ("name: [[ none ]]", "line 1: a value is nothing", ""),
    "an object": ("name: [[ cloud.keys() ]]", "line 1: a value is dict_keys", ""),
    "plain": ("[[ repository | plain ]]: 1", "line 1: 'contoso/agents' cannot stand without quotes", ""),
    "out of the sandbox": ("a: [[ name.__class__.__mro__ ]]", "line 1: access to attribute '__class__'", ""),
    "division": ("a: [[ 1 // 0 ]]", "line 1: ", "docs/templates.md"),
    "no pin": ("a: [[ 'a/b' | pinned ]]", "line 1: 'a/b' has no pin", ""),
    "missing part": ("[% include '_x.yml.j2' %]", "line 1: _x.yml.j2", ""),
    "a token outside of environments": (
        "jobs: {x: {permissions: {id-token: write}}}",
        "may ask for a token (id-token: write) and runs in no environment",
        "job.environment",
    ),
    "a token in a strange environment": (
        "permissions: write-all\njobs: {x: {environment: {name: prod}}}",
        "runs in prod, not in one of the workflow's: dev",
        "job.environment",
    ),
    "a token in a matrix of strangers": (
        "permissions: write-all\njobs: {x: {environment: '${{ matrix.environment }}', strategy: {matrix: {environment: [dev, p]}}}}",
        "runs in p,",
        "",
    ),
}
JOB = "jobs: {{x: {{permissions: {0}, environment: {1}, strategy: {{matrix: {2}}}}}}}"
MATRIX = "'${{ matrix.environment }}'"
STRANGERS = {
    "a word that is a value": (JOB.format('{id-token: [[ "write" ]]}', "p", "{}"), "runs in p,"),
    "all of it as a value": (JOB.format('[[ "write-all" ]]', "p", "{}"), "runs in p,"),
    "a key that is a value": (JOB.format('{[[ "id-token" ]]: write}', "p", "{}"), "runs in p,"),
    "a second key": (JOB.format("write-all", 'dev, [[ "environment" ]]: p', "{}"), "duplicate key"),
    "a key in capitals": (
        JOB.format("write-all", MATRIX, "{Environment: [p], include: [{environment: dev}]}"),
        "its matrix has 'Environment'",
    ),
    "a row without": (
        JOB.format("write-all", MATRIX, "{os: [a, b], include: [{os: a, environment: dev}]}"),
        "its matrix has 'os'",
    ),
    "a call": (
        "jobs: {x: {permissions: write-all, uses: a/b/.github/workflows/c.yml@v1}}",
        "'a/b/.github/workflows/c.yml@v1', which is not in this repository",
    ),
    "a tag": (JOB.format("{id-token: !!null write}", "p", "{}"), "it has the tag tag:yaml.org,2002:null"),
    "a line end to some": ("jobs:\n  x:\n    # \u2028    environment: dev\n", "it holds U+2028"),
    "several lines": (JOB.format("write-all", '"a\\n::error::b"', "{}"), "runs in a ::error::b, not in"),
}


@pytest.mark.parametrize("case", STRANGERS)
def test_no_spelling_gets_a_strange_job_a_token(case: str, tmp_path: Path) -> None:
    template, said = STRANGERS[case]

    with pytest.raises(UsageError) as caught:
        rendered(tmp_path, template)

    assert said in caught.value.message
    assert "\n" not in caught.value.message


ALLOWED = {
    "a workflow of this repository": "jobs: {x: {permissions: write-all, uses: ./.github/workflows/c.yml}}",
    "a matrix of ours and others": JOB.format("write-all", MATRIX, "{environment: [dev], os: [a, b]}"),
}


@pytest.mark.parametrize("case", ALLOWED)
def test_jobs_that_may_ask_for_a_token(case: str, tmp_path: Path) -> None:
    assert rendered(tmp_path, ALLOWED[case])["jobs"]["x"]["permissions"] == "write-all"


@pytest.mark.parametrize("name", ["../secret", "{}/secret", "link", "../../secret"])
def test_templates_read_their_own_folder_only(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("token", encoding="utf-8")
    (tmp_path / "mine").mkdir()
    if name == "link":
        (tmp_path / "mine" / "link").symlink_to(tmp_path / "secret")
    name = name.format(tmp_path.as_posix())

    with pytest.raises(UsageError, match="leads out of"):
        rendered(tmp_path, f'[% set x %][% include "{name}" %][% endset %]\nname: [[ x ]]\njobs: {{}}')


def test_descriptions_read_their_own_folder_only(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text('purpose = "Secret."', encoding="utf-8")

    with pytest.raises(UsageError, match="leads out of"):
        rendered(tmp_path, "jobs: {}", about='include = ["../other"]')


@pytest.mark.parametrize("name", [".git", "a/.GIT/b", "../a", "/a", "a//b"])
def test_a_folder_that_is_none_of_the_repository_s_files(name: str) -> None:
    with pytest.raises(Wrong, match="is not a folder inside this repository"):
        folder(name)


def test_a_linked_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "mine").symlink_to(tmp_path / "other")

    with pytest.raises(UsageError, match="elsewhere"):
        rendered(tmp_path, PLAIN)


REFUSED = {
    "a macro's text": ("[% macro m(x) %][[ x ]][% endmacro %]\na: [[ m(name) ]]", "was rendered already"),
    "a block of a macro's text": (
        "[% macro m(x) %][[ x ]][% endmacro %]\na: [[ m(name) | block(2) ]]",
        "was rendered already",
    ),
    "a block in a comment": ("jobs:\n  # [[ options.text | block(2) ]]", "reads other than it was meant"),
    "a strange mark": ("a: \ue0000\ue000\njobs: {x: [[ name ]]}", "reads other than it was meant"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_would_come_out_otherwise_is_refused(case: str, tmp_path: Path) -> None:
    template, said = REFUSED[case]

    with pytest.raises(UsageError, match=said):
        rendered(tmp_path, template, options={"text": "x: 1\ny: 2\n"})


def test_a_block_may_be_one_line_and_a_template_may_have_a_byte_order_mark(tmp_path: Path) -> None:
    document = rendered(tmp_path, "\ufeffname: [[ name | block(2) ]]\njobs: {}")

    assert document == {"name": "deploy", "jobs": {}}


@pytest.mark.parametrize("case", WRONG)
def test_a_broken_template_is_explained_with_its_line(case: str, tmp_path: Path) -> None:
    template, said, hint = WRONG[case]

    with pytest.raises(UsageError) as caught:
        rendered(tmp_path, template)

    assert said in caught.value.message
    assert "own.yml.j2" in caught.value.message
    assert hint in caught.value.hint


def test_parts_of_ours_can_be_used(tmp_path: Path) -> None:
    template = (
        '[% include "_start.yml.j2" %]\njobs:\n[% for job in jobs %]\n  [[ job.id | plain ]]:\n    steps:\n'
    )
    template += '[% include "_sign-in.yml.j2" %]\n[% endfor %]\n'

    document = rendered(tmp_path, template)

    assert document["jobs"]["job-dev"]["steps"][0]["uses"].startswith("azure/login@")


ABOUT = """\
purpose = "Ours."
title = "Do {environment}"
verb = "do"
takes = ["run"]
facts = ["resource_group"]
options.a = {kind = "number", default = 3, about = "How many."}
options.b = {kind = "list", default = ["x"], about = "Which.", values = ["x", "y"]}
[[operations]]
does = "read agents"
action = "a/read"
at = "account"
[[operations]]
does = "more"
action = "b/write"
at = "project"
data = true
when = {b = ["y", "z"]}
"""


def test_a_template_says_what_it_takes_and_does(tmp_path: Path) -> None:
    document = rendered(tmp_path, PLAIN, about=ABOUT, options={"b": ("y",)})
    own = catalogue(tmp_path / "mine")["own"]

    assert document["jobs"]["do-dev"]["steps"][0]["env"] == {"A": 3, "B": ["y"]}
    assert [o.action for o in own.operations_of(workflow("dev"))] == ["a/read"]
    assert [o.action for o in own.operations_of(workflow("dev", options={"b": ("y",)}))] == [
        "a/read",
        "b/write",
    ]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"options": {"c": 1}}, "has no option 'c'"),
        ({"options": {"a": "1"}}, "'a' must be a whole number"),
        ({"options": {"a": True}}, "'a' must be a whole number"),
        ({"options": {"b": ("z",)}}, "'b' knows x, y; not 'z'"),
        ({"options": {}, "paths": ("x",)}, "has 'paths', which the template own has no use for"),
        ({"options": {}, "template": "onw"}, "There is no template 'onw'"),
        ({"options": {}, "name": "${{ x }}"}, "GitHub would evaluate it"),
    ],
)
def test_what_a_template_does_not_take_is_refused(fields: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        rendered(tmp_path, PLAIN, about=ABOUT, **fields)

    assert said in caught.value.message


@pytest.mark.parametrize(
    "about",
    [
        "purpose = 1",
        "purpose",
        "nonsense = 1",
        'takes = ["everything"]',
        'facts = ["subscription"]',
        'options.a = {kind = "text", about = ""}',
        'options.a = {kind = "text", about = "", default = 1}',
        'options.a = {kind = "date", about = "", default = 1}',
        'operations = [{does = "x", action = "y", at = "tenant"}]',
        "options = 1",
        'include = ["_nowhere"]',
        'operations = [{does = "x", action = "y", at = "account", when = {z = 1}}]',
        'options.runner = {kind = "path", about = "", default = ""}',
        'options.a = {kind = "path", about = "", default = "../x"}',
        'options.a = {kind = "text", about = "", default = "", required = {b = 1}}',
        'options.a = {kind = "text", about = 1, default = ""}',
        'options.a = {kind = "number", about = "", default = 1, values = [1]}',
        'options.a = {kind = "list", about = "", default = [["x"]]}',
        'operations = [{does = 1, action = "y", at = "account"}]',
        """options.a = {kind = "list", about = "", default = []}
        operations = [{does = "x", action = "y", at = "account", when = {a = [["x"]]}}]""",
        "purpose = " + "[" * 5000,
    ],
)
def test_a_broken_description_is_explained(about: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"own\.toml does not describe a template"):
        rendered(tmp_path, PLAIN, about=about)


def test_what_is_compiled_once_holds_nobodys_pins(tmp_path: Path) -> None:
    text = PLAIN.replace("      - run:", "      - uses: [[ 'a/b' | pinned ]]\n      - run:")
    for sha in ("1" * 40, "2" * 40):
        pin = Pin(action="a/b", version="v1", sha=sha, date="2026-01-01")
        steps = rendered(tmp_path, text, pins=(pin,))["jobs"]["job-dev"]["steps"]
        assert steps[0] == {"uses": f"a/b@{sha}"}


def test_templates_that_are_broken_do_not_hide_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own").mkdir()
    for name, about in {"good": 'purpose = "x"', "bad": "a = 1\nb = \nc = 1", "worse": "c = 1"}.items():
        (tmp_path / "own" / f"{name}{SUFFIX}").write_text(PLAIN, encoding="utf-8")
        (tmp_path / "own" / f"{name}.toml").write_text(about, encoding="utf-8")
    text = "version: 1\nrepository: o/n\ntenant: 11111111-1111-1111-1111-111111111111\ntemplates: own\n"
    environments = f"environments:\n  dev:\n    project: {project('dev').id}\n"
    (tmp_path / "trustsmith.yml").write_text(text + environments, encoding="utf-8")
    options, console = Options(tmp_path, Path("trustsmith.yml")), Console()
    with pytest.raises(
        UsageError, match=r"bad\.toml:2:5 does not describe a template: (?s:.*)worse\.toml does not"
    ):
        show(options, console, None, source=False)
    listed = capsys.readouterr().out
    assert "good " in listed
    assert "deploy-agents" in listed
    assert "bad" not in listed
    with pytest.raises(UsageError, match=r"bad\.toml:2:5 does not"):
        show(options, console, "bad", source=False)
    show(options, console, "good", source=True)


def test_a_folder_that_is_not_there_and_a_name_that_is_ours(tmp_path: Path) -> None:
    (tmp_path / "deploy-agents.yml.j2").write_text("x", encoding="utf-8")

    with pytest.raises(UsageError, match="There is no folder"):
        catalogue(tmp_path / "nowhere")
    with pytest.raises(UsageError, match="has the name of a template of trustsmith"):
        catalogue(tmp_path)
