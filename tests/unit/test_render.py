from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from tests.golden.cases import HOSTILE, RUN, SITE, config, environment, project, workflow
from trustsmith.errors import UsageError
from trustsmith.generated import block, inspect, name_of, scalar, stamp
from trustsmith.model.config import CONFIG_PATH
from trustsmith.render import endpoint_names, login_environment, render

if TYPE_CHECKING:
    from trustsmith.model.config import Config


def parsed(wanted: Config) -> dict[str, Any]:
    (rendered,) = render(wanted, SITE)
    document: dict[str, Any] = YAML(typ="safe").load(rendered.text)
    return document


def named(*names: str, run: str | None = None) -> Config:
    """A configuration whose one workflow deploys to these environments."""
    return config(*map(environment, names), workflows=(workflow(*names, run=run),))


# The workflow


def test_several_workflows_come_in_the_files_order() -> None:
    both = (workflow("prod", path="b.yml"), workflow("dev", path="a.yml"))

    rendered = render(config(environment("dev"), environment("prod"), workflows=both), SITE)

    assert [one.path for one in rendered] == ["b.yml", "a.yml"]


def test_jobs_are_chained_in_the_workflows_order() -> None:
    wanted = config(
        environment("a"), environment("b"), environment("c"), workflows=(workflow("c", "a", "b"),)
    )

    jobs = parsed(wanted)["jobs"]

    assert [(name, job.get("needs")) for name, job in jobs.items()] == [
        ("deploy-c", None),
        ("deploy-a", "deploy-c"),
        ("deploy-b", "deploy-a"),
    ]


def test_no_permission_on_top_and_two_on_the_job() -> None:
    document = parsed(named("dev"))

    assert document["permissions"] == {}
    assert document["jobs"]["deploy-dev"]["permissions"] == {"contents": "read", "id-token": "write"}


def test_environments_keep_their_spelling_and_ids_stay_unique() -> None:
    jobs = parsed(named(*HOSTILE))["jobs"]

    assert [job["environment"] for job in jobs.values()] == list(HOSTILE)
    assert len({name.lower() for name in jobs}) == len(HOSTILE)


def test_long_names_give_ids_that_github_takes() -> None:
    names = ("x" * 255, "x" * 254)

    assert all(len(name) < 100 for name in parsed(named(*names))["jobs"])


@pytest.mark.parametrize(("store", "context"), [("secrets", "secrets"), ("variables", "vars")])
def test_ids_come_from_where_they_are_stored(store: Any, context: str) -> None:
    steps = parsed(config(environment("dev"), store=store))["jobs"]["deploy-dev"]["steps"]

    assert steps[2]["with"]["client-id"] == f"${{{{ {context}.AZURE_CLIENT_ID }}}}"
    assert steps[5]["env"]["AZURE_AI_PROJECT_ENDPOINT"] == f"${{{{ {context}.AZURE_AI_PROJECT_ENDPOINT }}}}"


def test_the_subscription_cannot_end_the_sign_in() -> None:
    # azure/login v3 runs `az account set` when it is given, and fails while Azure does not list the subscription.
    login = parsed(named("dev"))["jobs"]["deploy-dev"]["steps"][2]["with"]

    assert login["allow-no-subscriptions"] is True
    assert "subscription-id" not in login


def test_endpoints_are_numbered_from_the_second() -> None:
    assert endpoint_names(0) == ()
    assert endpoint_names(1) == ("AZURE_AI_PROJECT_ENDPOINT",)
    assert endpoint_names(3)[1:] == ("AZURE_AI_PROJECT_ENDPOINT_2", "AZURE_AI_PROJECT_ENDPOINT_3")


# What starts it


@pytest.mark.parametrize(
    ("first", "second", "push"),
    [
        ({}, {}, {"branches": ["main"]}),
        ({"branches": "protected"}, {}, {"branches": ["main"]}),
        ({"branches": ()}, {}, {"branches": ["main"]}),
        ({"branches": ("trunk", "release/*")}, {"branches": ("x",)}, {"branches": ["trunk", "release/*"]}),
        ({}, {"branches": ("trunk",)}, {"branches": ["trunk"]}),
        ({"tags": ("v*",)}, {}, {"tags": ["v*"]}),
        ({"branches": ("main",), "tags": ("v*",)}, {}, {"branches": ["main"], "tags": ["v*"]}),
        ({"branches": ("c++", "!x", "a!b")}, {}, {"branches": [r"c\+\+", r"\!x", "a!b"]}),
        ({"branches": ("main", "rel-?", "[ab]", "**/x", "a\\*")}, {}, {"branches": ["main"]}),
    ],
)
def test_the_trigger_follows_the_first_list(first: Any, second: Any, push: dict[str, list[str]]) -> None:
    wanted = config(environment("dev", **first), environment("prod", **second))

    assert parsed(wanted)["on"] == {"workflow_dispatch": None, "push": push}


def test_without_a_pattern_for_the_trigger_it_starts_by_hand_only() -> None:
    assert parsed(config(environment("dev", branches=("rel-?",))))["on"] == {"workflow_dispatch": None}


# The repository's own command


@pytest.mark.parametrize(
    "run",
    [
        "python deploy.py",
        RUN,
        "\n\n  first\nsecond",
        "a: b # c\n\n\n",
        "\tx",
        "echo ${{ github.sha }}",
        "line\x85\u2028separators",
        "bell\x07",
        "- name: x\n  uses: y",
        "'\"%@`\\",
    ],
)
def test_the_command_arrives_as_it_is(run: str) -> None:
    assert parsed(named("dev", run=run))["jobs"]["deploy-dev"]["steps"][-1]["run"] == run.rstrip("\n") + "\n"


def test_windows_line_ends_do_not_reach_the_shell() -> None:
    assert parsed(named("dev", run="a\r\nb\r\n"))["jobs"]["deploy-dev"]["steps"][-1]["run"] == "a\nb\n"


@pytest.mark.parametrize("run", [None, "", " \n"])
def test_without_a_command_the_template_has_one(run: str | None) -> None:
    assert "python deploy.py" in parsed(named("dev", run=run))["jobs"]["deploy-dev"]["steps"][-1]["run"]


# What is refused


def test_an_unknown_template_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        render(config(environment("dev"), workflows=(workflow("dev", template="../x"),)), SITE)

    assert "deploy-agents" in caught.value.hint


@pytest.mark.parametrize("names", [(), ("staging",)])
def test_environments_that_are_not_there_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(UsageError):
        render(config(environment("dev"), workflows=(workflow(*names),)), SITE)


@pytest.mark.parametrize(
    "wanted",
    [
        named("${{ github.head_ref }}"),
        config(environment("dev", branches=("x${{",))),
        config(environment("dev", tags=("x${{",))),
        config(environment("dev"), workflows=(workflow("dev", name="${{ secrets.X }}"),)),
    ],
)
def test_a_name_that_github_would_evaluate_is_refused(wanted: Config) -> None:
    with pytest.raises(UsageError, match="GitHub would evaluate it"):
        render(wanted, SITE)


@pytest.mark.parametrize("wanted", [named("\ud800"), named("dev", run="echo \udfff")])
def test_half_a_character_is_refused(wanted: Config) -> None:
    with pytest.raises(UsageError, match="half of a character"):
        render(wanted, SITE)


def test_clouds_are_named_as_the_login_action_names_them() -> None:
    assert login_environment("AzureCloud") is None
    assert login_environment("AzureChinaCloud") == "azurechinacloud"
    with pytest.raises(UsageError, match="AzureBleuCloud"):
        login_environment("AzureBleuCloud")


def test_every_action_is_pinned_to_a_commit_with_its_version_beside_it() -> None:
    (rendered,) = render(named("dev"), SITE)
    lines = [line.split("uses: ")[1] for line in rendered.text.splitlines() if "uses: " in line]

    assert len(lines) == 3
    for line in lines:
        action, version = line.split(" # ")
        assert len(action.partition("@")[2]) == 40
        assert version.startswith("v")


# The header


def test_a_rendered_file_knows_where_it_comes_from() -> None:
    (rendered,) = render(named("dev"), SITE)

    provenance = inspect(rendered.text)

    assert provenance is not None
    assert (provenance.template, provenance.version, provenance.edited) == ("deploy-agents", "1.2.3", False)
    assert rendered.text.endswith(provenance.body)


@pytest.mark.parametrize("text", ["", "on: push\n", "# Made by trustsmith\non: push\n"])
def test_a_file_without_the_header_is_not_ours(text: str) -> None:
    assert inspect(text) is None


def test_line_ends_and_a_byte_order_mark_are_no_edits() -> None:
    text = stamp("a: 1\n", template="t", version="1")

    for same in (text.replace("\n", "\r\n"), "\ufeff" + text, "\ufeff" + text.replace("\n", "\r\n")):
        provenance = inspect(same)
        assert provenance is not None
        assert (provenance.edited, provenance.body) == (False, "a: 1\n")


EDITS = {
    "a line more": lambda text: text + "b: 2\n",
    "a changed value": lambda text: text.replace("a: 1", "a: 2"),
    "a line above the header": lambda text: "env: {A: b}\n" + text,
    "no last line end": lambda text: text.rstrip("\n"),
    "another hash": lambda text: text.replace("sha256=", "sha256=" + "0" * 64 + "\n# "),
}


@pytest.mark.parametrize("edit", EDITS)
def test_edits_are_seen(edit: str) -> None:
    provenance = inspect(EDITS[edit](stamp("a: 1\n", template="t", version="1")))

    assert provenance is not None
    assert provenance.edited


def test_a_comment_above_the_header_is_no_edit_of_the_workflow() -> None:
    provenance = inspect("# Copyright Contoso\n\n" + stamp("a: 1\n", template="t", version="1"))

    assert provenance is not None
    assert not provenance.edited


def test_header_lines_of_other_versions_are_ours_and_lines_that_differ_are_not() -> None:
    text, other = (stamp("a: 1\n", template="t", version=version) for version in ("2", "1"))
    old = "".join(other.splitlines(keepends=True)[:3])

    merged = inspect(old + "# Contoso\n" + text)
    changed = inspect(old.replace("To change it", "To change this") + text)

    assert merged is not None
    assert (merged.preamble, merged.version) == ("# Contoso\n", "2")
    assert changed is not None
    assert changed.preamble.startswith("# To change this")


def test_another_version_changes_the_header_only() -> None:
    new, old = (render(named("dev"), replace(SITE, version=version))[0].text for version in ("2", "1"))
    seen = inspect(new), inspect(old)

    assert new != old
    assert seen[0] is not None
    assert seen[1] is not None
    assert seen[0].body == seen[1].body


# YAML


@pytest.mark.parametrize(
    "value", ["", "x", "${{ a }}", "\x7f\x85\u2028\ufeff", "a\nb\t", "😀", '"\\', "yes", "1e3"]
)
def test_a_scalar_is_read_back(value: str) -> None:
    assert YAML(typ="safe").load(f"a: {scalar(value)}\n") == {"a": value}


@pytest.mark.parametrize("text", ["x\n", "  x\ny\n", "\nx\n", "x\n\ny\n", "\tx\n", "x\x00\n"])
def test_a_block_is_read_back(text: str) -> None:
    assert YAML(typ="safe").load(f"a:\n  b: {block(text, 4)}\n") == {"a": {"b": text}}


def test_importing_the_renderer_loads_neither_jinja2_nor_ruamel() -> None:
    code = "import sys, trustsmith.render; print({'jinja2', 'ruamel.yaml'} & set(sys.modules))"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"


def test_projects_do_not_show_in_the_file() -> None:
    (rendered,) = render(named("dev"), SITE)

    assert project().subscription not in rendered.text


@pytest.mark.parametrize(
    "path", [".github/other.yml", "../a b.yml", "a\nname: x", "ü\u2028%20", "\udcff", "a sha256="]
)
def test_the_header_names_a_configuration_that_is_not_the_usual_one(path: str) -> None:
    (other,) = render(named("dev"), replace(SITE, config=path))
    (usual,) = render(named("dev"), SITE)
    made, plain = inspect(other.text), inspect(usual.text)

    assert made is not None
    assert plain is not None
    assert (made.config, made.preamble, made.edited) == (name_of(path), "", False)
    assert (made.body, plain.config) == (plain.body, CONFIG_PATH)
    assert "config=" not in usual.text.split("\n")[3]
