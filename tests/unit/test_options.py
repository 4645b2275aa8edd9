"""Options of templates: which values they take, and what becomes of them in each environment's job."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from tests.golden.cases import HOSTILE, SITE, config, environment, workflow
from trustsmith.render import Option, catalogue, problems, render

if TYPE_CHECKING:
    from pathlib import Path

TEMPLATE = """\
name: [[ name ]]
on: {workflow_dispatch: {}}
permissions: {}
jobs:
[% for job in jobs %]
  [[ job.id | plain ]]:
    runs-on: [[ job.runner ]]
    environment: [[ job.environment ]]
[% if job.matrix %]
    strategy:
      matrix:
        include: [[ job.matrix ]]
[% endif %]
    steps:
      - run: deploy
        env:
          FILE: [[ job.options.file ]]
          SIZE: [[ job.options.size ]]
[% for name, value in job.options.hand_on.items() %]
          [[ name | plain ]]: [[ value ]]
[% endfor %]
[% for name, value in job.options.hush.items() %]
          [[ name | plain ]]: [[ value ]]
[% endfor %]
[% endfor %]
"""
ABOUT = """\
include = ["_more"]
options.file = {kind = "path", default = "infra/{environment}.json", about = "The file.", apart = true}
options.hand_on = {kind = "variables", default = [], about = "Variables."}
options.hush = {kind = "secrets", default = [], about = "Secrets."}
options.place = {kind = "name", default = "", about = "Where.", required = {size = ["l", "xl"]}}
options.must = {kind = "list", about = "What.", required = true}
"""
MORE = """\
options.size = {kind = "text", default = "s", about = "How big."}
operations = [{does = "x", action = "a/write", at = "account", when = {size = ["s", "l"]}}]
"""


def wanted(folder: Path, *stages: tuple[str, ...], **options: Any) -> Any:
    """A configuration with one workflow of somebody's template, and that template's folder."""
    place = folder / "mine"
    place.mkdir()
    (place / "own.yml.j2").write_text(TEMPLATE, encoding="utf-8")
    (place / "own.toml").write_text(ABOUT, encoding="utf-8")
    (place / "_more.toml").write_text(MORE, encoding="utf-8")
    one = workflow(template="own", options={"must": ("x",)} | options)
    one = replace(one, stages=stages or (("dev",),))
    return config(*map(environment, one.environments), templates="mine", workflows=(one,))


def jobs(folder: Path, *stages: tuple[str, ...], **options: Any) -> list[Any]:
    (file,) = render(wanted(folder, *stages, **options), SITE, folder)
    return list(YAML(typ="safe").load(file.text)["jobs"].values())


def found(folder: Path, *stages: tuple[str, ...], **options: Any) -> list[str]:
    """What is wrong with the workflow."""
    (one,) = wanted(folder, *stages, **options).workflows
    return [problem.message for problem in problems(one, catalogue(folder / "mine"))]


def test_the_environments_name_is_filled_in(tmp_path: Path) -> None:
    files = [job["steps"][0]["env"]["FILE"] for job in jobs(tmp_path, ("dev",), ("prod",))]

    assert files == ["infra/dev.json", "infra/prod.json"]


def test_side_by_side_it_is_a_column_of_the_matrix(tmp_path: Path) -> None:
    (job,) = jobs(tmp_path, ("eu", "us"))

    assert job["strategy"]["matrix"]["include"] == [
        {"environment": "eu", "file": "infra/eu.json"},
        {"environment": "us", "file": "infra/us.json"},
    ]
    assert job["steps"][0]["env"] == {"FILE": "${{ matrix.file }}", "SIZE": "s"}


def test_variables_and_secrets_are_handed_on_by_name(tmp_path: Path) -> None:
    (job,) = jobs(tmp_path, hand_on=("MODEL", "TF_VAR_size"), hush=("KEY",))

    assert job["steps"][0]["env"] == {
        "FILE": "infra/dev.json",
        "SIZE": "s",
        "MODEL": "${{ vars.MODEL }}",
        "TF_VAR_size": "${{ vars.TF_VAR_size }}",
        "KEY": "${{ secrets.KEY }}",
    }


@pytest.mark.parametrize("name", [name for name in HOSTILE if name not in {"yes", "null", "1e3", "YES"}])
def test_no_environments_name_becomes_a_path_that_it_must_not_be(name: str, tmp_path: Path) -> None:
    (said,) = found(tmp_path, (name,))

    assert "cannot stand for {environment} in 'file'" in said


def test_without_the_name_in_it_a_path_takes_any_environment(tmp_path: Path) -> None:
    assert found(tmp_path, (HOSTILE[0],), file="infra/all.json") == []


def test_what_belongs_to_one_environment_is_not_shared(tmp_path: Path) -> None:
    (said,) = found(tmp_path, ("dev",), ("prod",), file="infra/all.json")

    assert "'file' (infra/all.json) would be the same for all of dev, prod." in said


def test_a_required_option_is_missed(tmp_path: Path) -> None:
    (one,) = wanted(tmp_path).workflows
    own = catalogue(tmp_path / "mine")

    (bare,) = problems(replace(one, options={}), own)
    (conditional,) = problems(replace(one, options={"must": ("x",), "size": "xl"}), own)

    assert bare.message.startswith("Workflow 'deploy' lacks 'must'")
    assert conditional.message.startswith("Workflow 'deploy' lacks 'place'")


def test_a_part_of_a_description_is_included(tmp_path: Path) -> None:
    config = wanted(tmp_path, size="m")
    own = catalogue(tmp_path / "mine")["own"]

    assert own.operations_of(config.workflows[0]) == ()
    assert [o.action for o in own.operations_of(workflow(options={"size": "l"}))] == ["a/write"]


GOOD = {
    "path": [
        "",
        "a",
        "a b/ü.json",
        "{environment}/x",
        "infra/{environment}-{environment}.tf",
        ".azure/x",
        "a..b",
    ],
    "name": ["", "{environment}", "app-{environment}_1", "x(1)", "westeurope"],
    "variables": ["MODEL", "_x", "TF_VAR_a", "AZURE_MODEL"],
}
BAD = {
    "path": [
        "/a",
        "../a",
        "a/../b",
        "./a",
        "a//b",
        "a/",
        "-a",
        "~a",
        "@a",
        "a\\b",
        "c:/a",
        "$HOME/a",
        "${{ x }}",
        "{env}",
        "a\nb",
        ".",
    ],
    "name": ["a b", "-a", "$x", "a/b", "{env}", "ü", "${{ x }}"],
    "variables": [
        "",
        "1x",
        "a-b",
        "a b",
        "GITHUB_TOKEN",
        "arm_client_id",
        "AZURE_CLIENT_ID",
        "PATH",
        "ACTIONS_X",
    ],
}


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind in GOOD for text in GOOD[kind]])
def test_good_values(kind: Any, text: str) -> None:
    assert option(kind).problem((text,) if kind == "variables" else text) == ""


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind in BAD for text in BAD[kind]])
def test_bad_values(kind: Any, text: str) -> None:
    assert option(kind).problem((text,) if kind == "variables" else text)


def option(kind: Any) -> Option:
    return Option(name="x", kind=kind, about="", default="")


# Schedules


def schedule(text: str) -> str:
    return Option(name="cron", kind="cron", about="When.", default="").problem(text)


@pytest.mark.parametrize(
    "text",
    ["", "17 5 * * *", "*/15 0-23/2 1,15 JAN-MAR,12 mon-Fri", "20/15 * 31 12 6", "5,10,59 23 * * SUN,0"],
)
def test_a_schedule_that_github_takes(text: str) -> None:
    assert schedule(text) == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hourly", "takes five fields"),
        ("@daily", "takes five fields"),
        ("0 5 * *", "takes five fields"),
        ("0 5 * * * *", "takes five fields"),
        ("0  5 * * *", "takes five fields"),
        ("60 5 * * *", "'60' in '60 5 * * *' is no part of a schedule: it takes *, 0 to 59, and"),
        ("0 24 * * *", "0 to 23"),
        ("0 5 0 * *", "1 to 31"),
        ("0 5 * 0 *", "1 to 12, JAN to DEC"),
        ("0 5 * * 7", "0 to 6, SUN to SAT"),
        ("0 5 * * MON-SUN", "'MON-SUN'"),
        ("5-1 5 * * *", "'5-1'"),
        ("*/0 5 * * *", "'*/0'"),
        ("1, 5 * * *", "'1,'"),
        ("٣ 5 * * *", "'٣'"),
        ("}}{{ %} [[ x ]]", "'}}{{'"),
        ("0\n5 * * * *", "no part of a schedule"),
    ],
)
def test_a_schedule_that_github_would_not_run(text: str, words: str) -> None:
    assert words in schedule(text)
