"""Which releases of actions are taken, what a policy lets run, and the file of pins."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from trustsmith import pinsfile
from trustsmith.errors import ConfigError, UsageError
from trustsmith.model.actions_policy import policy_of
from trustsmith.model.pins import (
    Pin,
    Release,
    choose,
    choose_named,
    merged,
    named,
    outdated,
    uses_in,
    version_of,
)
from trustsmith.render import packaged_pins

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Sandbox

DAY = 86_400
NOW = datetime(2026, 11, 1, tzinfo=UTC).timestamp()
ACTION = "actions/checkout"
PIN = '{"version": "v1", "sha": "%s", "date": "2026-01-01"}'


def pin(version: str) -> Pin:
    return Pin(action=ACTION, version=version, sha="a" * 40, date="2026-01-01")


def release(tag: str, days: float = 100, **more: Any) -> Release:
    return Release(tag=tag, published=NOW - days * DAY, url=f"https://github.com/{tag}", **more)


def taken(version: str, *releases: Release) -> str | None:
    chosen = choose(pin(version), releases, NOW).take
    return chosen.tag if chosen else None


def test_versions_are_ordered_as_semantic_versioning_says() -> None:
    order = "v1.0.0-alpha v1.0.0-alpha.1 v1.0.0-alpha.beta v1.0.0-beta v1.0.0-beta.2 v1.0.0-beta.11 v1 v1.0.1 v1.2"
    versions = [version_of(tag) for tag in [*order.split(), "2.0.0", "v10.0.0"]]
    assert versions == sorted(versions, key=lambda version: version or ((0, 0, 0), 0, ()))
    assert version_of("v1") == version_of("1.0.0+build")
    assert version_of("release-2024") is version_of("main") is None


@pytest.mark.parametrize(
    ("releases", "tag"),
    [
        ([release("v7.0.1"), release("v7.1.0"), release("v7.0.9")], "v7.1.0"),
        ([release("v7.0.0"), release("v6.9.9"), release("v7")], None),
        ([release("v8.0.0"), release("v10.0.0")], None),
        ([release("v7.1.0", 6.9), release("v7.0.2", 7.1)], "v7.0.2"),
        ([release("v7.1.0", 6.9)], None),
        ([release("v7.1.0-rc.1"), release("v7.2.0", prerelease=True), release("v7.3.0", draft=True)], None),
        ([release("nightly"), release("7.1.0")], "7.1.0"),
    ],
)
def test_the_newest_of_the_same_line_that_is_old_enough(releases: list[Release], tag: str | None) -> None:
    assert taken("v7.0.1", *releases) == tag


def test_a_prerelease_is_taken_where_one_is_pinned() -> None:
    assert taken("v3-beta", release("v3-beta"), release("v3-beta.2"), release("v3.0.0")) == "v3.0.0"
    assert taken("v3-beta", release("v3-beta.2"), release("v4-beta")) == "v3-beta.2"


def test_below_one_a_minor_version_is_another_line() -> None:
    assert taken("v0.1.1", release("v0.2.0"), release("v0.1.2")) == "v0.1.2"
    assert "--pin actions/checkout@v0.2" in choose(pin("v0.1.1"), [release("v0.2.0")], NOW).remarks[0]


def test_what_is_not_taken_is_said() -> None:
    young, major = choose(
        pin("v7.0.1"), [release("v7.1.0", 2), release("v8.1.0"), release("v8.0.0")], NOW
    ).remarks
    assert "v7.1.0 is 2 days old; it is taken from 2026-11-06 on" in young
    assert "v8.1.0 is another major version" in major
    assert "trustsmith render --pin actions/checkout@v8" in major
    assert "which is no version" in choose(pin("main"), [release("v8.0.0")], NOW).remarks[0]


@pytest.mark.parametrize(
    ("version", "tag"),
    [
        ("v8", "v8.1.0"),
        ("v8.0", "v8.0.3"),
        ("8.0.0", "v8.0.0"),
        ("v8.1.1", "v8.1.1"),
        ("v9.0.0-rc.1", "v9.0.0-rc.1"),
        ("v7.0.1", "v7.0.1"),
    ],
)
def test_by_name(version: str, tag: str) -> None:
    names = ("v7.0.1", "v8.0.0", "v8.0.3", "v8.1.0", "v9.0.0-rc.1")
    releases = [*map(release, names), release("v8.1.1", 1)]
    chosen = choose_named(ACTION, pin("v7.0.1"), releases, version, NOW)
    assert chosen.take is not None
    assert chosen.take.tag == tag
    assert bool(chosen.remarks) == (version == "v8"), "of a line, the young one is not taken"
    assert choose_named(ACTION, None, releases, version, NOW).take == chosen.take


@pytest.mark.parametrize(
    ("version", "said"), [("v9", "no release v9"), ("v6.0.0", "is older"), ("v6", "is older")]
)
def test_by_name_what_cannot_be(version: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        choose_named(ACTION, pin("v7.0.1"), [release("v7.0.1"), release("v6.0.0")], version, NOW)
    assert caught.value.hint


@pytest.mark.parametrize(
    "word",
    [
        "actions/checkout",
        "checkout@v1",
        "actions/checkout@main",
        "a/b/../c@v1",
        "./a@v1",
        "a/..@v1",
        "é/b@v1",
        "@v1",
    ],
)
def test_names_are_an_action_and_a_version(word: str) -> None:
    with pytest.raises(UsageError, match="ACTION@VERSION"):
        named([word])
    assert named(["github/codeql-action/init@v3"]) == {"github/codeql-action/init": "v3"}


def test_the_repositorys_pins_go_first_and_old_ones_are_named() -> None:
    packaged = merged(packaged_pins(), ())
    assert merged(packaged_pins(), [pin("v6.0.0")])[ACTION].version == "v6.0.0"
    assert outdated(packaged, [pin("v6.0.0")])
    assert not outdated(packaged, [pin("v99.0.0"), pin("main")])


def test_a_pin_counts_in_whatever_case_its_action_is_written() -> None:
    own = replace(pin("v6.0.0"), action="Actions/Checkout")
    assert merged(packaged_pins(), [own])[ACTION] == pin("v6.0.0")
    assert outdated(merged(packaged_pins(), ()), [own])


def test_what_a_workflow_uses() -> None:
    text = '- uses: a/b@v1 # v1\n  - name: x\n    uses: "c/d@v2"\n    run: echo uses: e/f\n- uses: a/b@v1\n'
    assert uses_in(text) == ["a/b@v1", "c/d@v2"]


SELECTED = {"allowed_actions": "selected"}


@pytest.mark.parametrize(
    ("answer", "selected", "use", "says"),
    [
        ({"allowed_actions": "all"}, {}, "a/b@v1", "yes"),
        ({"allowed_actions": "local_only"}, {}, "actions/checkout@v1", "no"),
        ({"allowed_actions": "local_only"}, {}, "Contoso/x@v1", "yes"),
        ({"allowed_actions": "local_only"}, {}, "./inner", "yes"),
        (SELECTED, {"github_owned_allowed": True}, "actions/checkout@v1", "yes"),
        (SELECTED, {"verified_allowed": True}, "azure/login@v1", "verified"),
        (SELECTED, {"verified_allowed": True, "patterns_allowed": ["!azure/*"]}, "azure/login@v1", "no"),
        (SELECTED, {"patterns_allowed": ["Azure/login"]}, "azure/login@v1", "yes"),
        (SELECTED, {"patterns_allowed": ["azure/login@v2"]}, "azure/login@v1", "no"),
        (SELECTED, {"patterns_allowed": ["azure/*"]}, "azure/a/b@v1", "yes"),
        (SELECTED, {}, "azure/login@v1", "no"),
    ],
)
def test_what_a_policy_says(answer: dict[str, Any], selected: dict[str, Any], use: str, says: str) -> None:
    assert policy_of("contoso/agents", answer, selected).says(use) == says


def test_a_policy_objects() -> None:
    policy = policy_of(
        "o/r", SELECTED | {"sha_pinning_required": True}, {"patterns_allowed": ["microsoft/*"]}
    )
    use = f"microsoft/x@{'a' * 40}"
    assert policy.objections(use) == []
    refused, loose = policy.objections(use, ["actions/setup-python@v5"])
    assert "actions/setup-python, which microsoft/x uses" in refused
    assert "by the pattern actions/setup-python@*" in refused
    assert "microsoft/x itself uses actions/setup-python@v5" in loose
    assert "names none" in policy.objections("microsoft/x@v1")[0]


def test_the_file_is_read_as_it_is_written(tmp_path: Path) -> None:
    pins = tuple(sorted(packaged_pins(), key=lambda each: each.action.lower()))
    text = pinsfile.text_of(pins)
    assert pinsfile.load(text, "pins") == pins
    assert json.loads(text)[ACTION]["sha"] == {each.action: each for each in pins}[ACTION].sha
    assert pinsfile.read(tmp_path / "none.json") == ()


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ('{"a/b": {"version": "v1", "sha": "%s", "date": "2026-13-01"}}', [(1, 86)]),
        ('{\n "a": {"version": "v 1", "sha": "ABC", "date": "x"}}', [(2, 2), (2, 19), (2, 33), (2, 48)]),
        ('{"a/b": {}}', [(1, 9)] * 3),
        ('{"a/b": 1}', [(1, 9)]),
        ("[]", [(1, 1)]),
        ('{"a/b": %p, "A/b": %p}'.replace("%p", PIN), [(1, 101)]),
        ('{"a/b": {"version": "v1\\n", "sha": "%s", "date": "2026-01-01"}}', [(1, 21)]),
        ('{"a/b": ', [(1, 9)]),
    ],
)
def test_everything_wrong_with_the_file_is_told_with_its_place(
    text: str, places: list[tuple[int, int]]
) -> None:
    with pytest.raises(ConfigError) as caught:
        pinsfile.load(text.replace("%s", "a" * 40), "pins.json")
    assert [(problem.line, problem.column) for problem in caught.value.problems] == places


def test_the_sandbox_knows_the_commits_that_are_packaged(sandbox: Sandbox) -> None:
    """Where it has the action's repository: what is pinned is what its tag leads to there."""
    known = sandbox.state()["github"]["repositories"].values()
    repositories = {f"{each['owner']}/{each['name']}".lower(): each for each in known}
    compared = 0
    for each in packaged_pins():
        repository = repositories.get(each.action.lower())
        if repository:
            objects = repository["objects"]
            sha = objects["tags"][each.version]
            target = objects.get("tag_objects", {}).get(sha, {"object": {"sha": sha}})
            assert target["object"]["sha"] == each.sha
            compared += 1
    assert compared >= 3
