"""Input that cannot be right (2): where it is in the file, what is wrong with it, and nothing changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.desk import SETUP, config, project

if TYPE_CHECKING:
    from tests.cli.desk import Desk

FILE = ".github/trustsmith.yml"
TWICE = config().replace("environments:\n", f"environments:\n  dev:\n    project: {project('dev')}\n")
CASES = ("dev:\n", f"dev:\n    project: {project('dev')}\n  Dev:\n")

#: What is in the file, where the problem is, and a word of what is said.
FILES = {
    "not-yaml": ("version: 1\nrepository: [contoso\n", ":", "trustsmith.yml"),
    "empty": ("", "", "trustsmith.yml"),
    "unknown-key": (config("colour: red"), ":4:1", "colour"),
    "missing-key": (config().replace("tenant:", "# tenant:"), "", "tenant"),
    "environment-twice": (TWICE, ":7:3", "dev"),
    "differs-in-case": (config().replace(*CASES), ":7:3", "Dev"),
    "not-a-project": (config().replace("/projects/agents", ""), ":6:14", "project"),
    "not-a-repository": (config(repository="contoso"), ":2:13", "repository"),
    "no-such-version": (config().replace("version: 1", "version: 9"), ":1:10", "version"),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_cannot_be_right(desk: Desk, name: str) -> None:
    text, where, word = FILES[name]
    desk.write(text)
    done = desk("plan").ends(2, f"{FILE}{where}", word)
    assert done.out == ""
    assert desk.requests() == []


#: What only the services know: the file, where the problem is, and a word of what is said.
WORLDLY = {
    "no-such-project": (config().replace("projects/agents", "projects/nobody"), ":6:14", "nobody"),
    "github-spells-it-otherwise": (config().replace("  dev:", "  Dev:"), ":", "'dev'"),
    "unknown-reviewer": (
        config() + "    protection:\n      reviewers: [team:nobody, user:nobody]\n",
        ":8:19",
        "nobody",
    ),
    "another-tenant": (
        config().replace(
            project("dev"),
            project("fabrikam").replace("/subscriptions/aaaaaaaa", "/subscriptions/bbbbbbbb"),
        ),
        ":6:14",
        "bbbbbbbb-0000-0000-0000-000000000001",
    ),
    "another-owner": (
        config().replace("environments:", "identity:\n  owners: [nobody@contoso.com]\nenvironments:"),
        ":5:12",
        "nobody@contoso.com",
    ),
}


@pytest.mark.parametrize("name", WORLDLY)
def test_a_file_that_the_services_contradict(desk: Desk, name: str) -> None:
    text, where, word = WORLDLY[name]
    headers = {"Authorization": f"Bearer {desk.sandbox.env['GH_TOKEN']}"}
    url = f"{desk.sandbox.origin}/api/v3/repos/contoso/agents/environments/dev"
    desk.sandbox.http.put(url, headers=headers).raise_for_status()
    desk.forget()
    desk.write(text)
    before = desk.world().data
    desk("apply", "--yes").ends(2, f"{FILE}{where}", word)
    assert desk.writes() == []
    assert desk.world().data == before


#: Command lines, and a word of what is said; only the first two get as far as a service.
LINES = {
    "repository": (("setup", "--no-input", "--yes", "--env", f"dev={project('dev')}"), "--repo"),
    "environments": (SETUP[:5], "--env"),
    "no-project": ((*SETUP[:5], "--env", "dev"), "--env"),
    "not-a-project": ((*SETUP[:5], "--env", "dev=/subscriptions/x"), "Foundry project"),
    "not-minutes": ((*SETUP, "--wait", "dev=soon"), "--wait"),
    "of-no-environment": ((*SETUP, "--wait", "live=5"), "live"),
    "not-a-reviewer": ((*SETUP, "--reviewer", "prod=platform"), "platform"),
    "case": ((*SETUP, "--env", f"DEV={project('dev')}"), "DEV"),
    "no-file": (("plan",), "trustsmith setup"),
    "no-such-command": (("plam",), "plam"),
    "no-such-flag": (("plan", "--foo"), "--foo"),
    "no-such-side": (("plan", "--only", "moon"), "moon"),
    "no-such-plan": (("apply", "plan.json"), "plan.json"),
    "no-such-directory": (("-C", "nowhere", "plan"), "nowhere"),
    "no-endpoints": (("--endpoints", "nowhere.json", "render"), "nowhere.json"),
}


@pytest.mark.parametrize("name", LINES)
def test_a_command_line_that_cannot_be_right(desk: Desk, name: str) -> None:
    args, word = LINES[name]
    if name in {"no-such-plan", "no-endpoints"}:
        desk.write(config())
    done = desk(*args).ends(2, word)
    assert done.out == ""
    assert desk.writes() == []


def test_nobody_is_asked_where_nobody_can_answer(configured: Desk) -> None:
    configured.edit(lambda world: world.environment("prod").update(wait_timer=1))
    done = configured("apply").ends(2, "--yes")
    assert "1 to update" in done.out, "the plan is shown first"
    assert configured.writes() == []


def test_endpoints_with_an_unknown_key(desk: Desk) -> None:
    desk.write(config())
    known = desk.sandbox.env["TRUSTSMITH_ENDPOINTS"]
    with open(known, encoding="utf-8") as file:  # noqa: PTH123 - a path that the sandbox named
        text = file.read()
    wrong = desk.write(text.replace('"authority"', '"authoritee"'), desk.checkout / "endpoints.json")
    desk("--endpoints", wrong, "render").ends(2, "authoritee", "endpoints.json")
