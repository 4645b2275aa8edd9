"""`render --pr`: one branch, one commit, one pull request, whatever is there before; and nobody's line is lost."""

from __future__ import annotations

import asyncio
import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.desk import World, config
from tests.flows.conftest import Silent
from trustsmith.errors import Incomplete, NotAllowed, Refused, ServiceError, TrustsmithError, UsageError
from trustsmith.flows.pull import propose
from trustsmith.flows.pushing import Push
from trustsmith.flows.rendering import Named, write
from trustsmith.flows.session import Options, Session
from trustsmith.model.branch import RENDERED
from trustsmith.systems.published import Published
from trustsmith.ui.console import Console

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.flows.conftest import Bench

DEPLOY, TRUST = ".github/workflows/deploy-agents.yml", ".github/workflows/check-trust.yml"
BRANCH = RENDERED.branch
FILE, PINS = ".github/trustsmith.yml", ".github/trustsmith-actions.json"
ONE, TWO = config(), config(environments=("dev", "staging"))
#: The writes of a first run, and of one that finds the branch and the pull request there.
FIRST = ("POST */git/trees", "POST */git/commits", "POST */git/refs", "POST */pulls")
LATER = ("POST */git/trees", "POST */git/commits", "PATCH */git/refs/*", "PATCH */pulls/*")
Json = dict[str, Any]


@pytest.fixture
def pr(bench: Bench, capsys: pytest.CaptureFixture[str]) -> Callable[..., Json]:
    """`trustsmith render --pr --format json`, in this process: its document, with what was said as `said`."""

    def run(**named: tuple[str, ...]) -> Json:
        capsys.readouterr()
        console = Console("json", ask=False)
        propose(Options(bench.checkout), console, Named(**named))
        console.close()
        seen = capsys.readouterr()
        document: Json = json.loads(seen.out)
        return {**document["pull_request"], "said": seen.err, "plan": document["plan"]}

    return run


def repository(bench: Bench) -> Json:
    found: Json = World(bench.sandbox.state()).repository
    return found


def pulls(bench: Bench, state: str = "open") -> list[Json]:
    return [pull for pull in repository(bench).get("pulls", {}).values() if pull["state"] == state]


def branch(bench: Bench) -> list[Json]:
    """The commits that only our branch has, the newest first."""
    objects = repository(bench)["objects"]
    main, found = set[str](), list[Json]()
    waiting = [objects["heads"]["main"]]
    while waiting:
        sha = waiting.pop()
        main.add(sha)
        waiting += objects["commits"][sha]["parents"]
    sha = objects["heads"].get(BRANCH)
    while sha and sha not in main:
        found.append(objects["commits"][sha])
        (sha,) = objects["commits"][sha]["parents"]
    return found


def rendered(bench: Bench, text: str) -> dict[str, str]:
    """What a configuration renders, by path."""
    bench.write(text)
    out = bench.checkout.with_name("rendered")
    write(Options(bench.checkout), Console(ask=False), out, Named(), check=False)
    return {path: (out / path).read_text() for path in (DEPLOY, TRUST)}


def push(bench: Bench, files: dict[str, str | None], to: str = "main", message: str = "Work") -> None:
    body = {"repository": "contoso/agents", "branch": to, "files": files, "message": message}
    bench.sandbox.control("push", body)


def on_main(bench: Bench, text: str = ONE) -> dict[str, str]:
    """The default branch has this configuration and all that it renders."""
    files = rendered(bench, text)
    push(bench, {FILE: text, **files})
    return files


def test_everything_in_one_commit_and_one_pull_request(bench: Bench, pr: Callable[..., Json]) -> None:
    files = rendered(bench, ONE)
    made = pr()
    assert made["state"] == "opened"
    assert made["url"].endswith("/contoso/agents/pull/1")
    there = repository(bench)["files"]
    assert there[BRANCH] == there["main"] | {FILE: ONE, **files}
    (commit,) = branch(bench)
    assert f"Trustsmith-Tree: {commit['tree']}" in commit["message"]
    assert [path.name for path in bench.checkout.rglob("*.yml")] == ["trustsmith.yml"], (
        "the checkout is as it was"
    )
    (pull,) = pulls(bench)
    assert (pull["head"], pull["base"]) == (BRANCH, "main")
    assert DEPLOY in pull["body"]
    assert pr()["state"] == "unchanged"
    assert (len(branch(bench)), len(pulls(bench))) == (1, 1)


def test_a_later_run_replaces_the_commit_and_keeps_what_people_wrote(
    bench: Bench, pr: Callable[..., Json]
) -> None:
    bench.write(ONE)
    pr()

    def review(world: World) -> None:
        pull = world.repository["pulls"]["1"]
        pull["body"] = f"Please look at it, @octocat.\n\n{pull['body']}\n\nTicket 7"
        pull["title"] = "Deploy"

    bench.edit(review)
    push(bench, {"README.md": "# Agents\n"})
    files = rendered(bench, TWO)
    assert pr()["state"] == "updated"
    (commit,) = branch(bench)
    there = repository(bench)
    assert commit["parents"] == [there["objects"]["heads"]["main"]]
    assert there["files"][BRANCH] == {"README.md": "# Agents\n", FILE: TWO, **files}
    (pull,) = pulls(bench)
    assert pull["title"] == "Deploy"
    assert pull["body"].startswith("Please look at it, @octocat.\n\n<!--")
    assert pull["body"].endswith("-->\n\nTicket 7")
    assert pull["body"].count("trustsmith: begin") == 1


def test_others_commits_are_not_pushed_over(bench: Bench, pr: Callable[..., Json]) -> None:
    bench.write(ONE)
    pr()
    push(bench, {DEPLOY: "name: mine\n"}, to=BRANCH, message="Repair the deployment")
    before = repository(bench)["files"][BRANCH]
    bench.write(TWO)
    with pytest.raises(Refused, match="Repair the deployment"):
        pr()
    assert repository(bench)["files"][BRANCH] == before


def test_a_closed_one_stays_closed(bench: Bench, pr: Callable[..., Json]) -> None:
    bench.write(ONE)
    pr()
    bench.edit(lambda world: world.repository["pulls"]["1"].update(state="closed"))
    assert pr()["number"] == 2
    assert (len(pulls(bench)), len(pulls(bench, "closed")), len(branch(bench))) == (1, 1, 1)


def test_nothing_to_do(bench: Bench, pr: Callable[..., Json]) -> None:
    on_main(bench)
    assert pr()["state"] == "none"
    assert BRANCH not in repository(bench)["files"]
    bench.write(TWO)
    pr()
    on_main(bench, TWO)
    done = pr()
    assert done["state"] == "needless"
    assert "is open and no longer needed" in done["said"]


def test_edits_on_the_default_branch_stay(bench: Bench, pr: Callable[..., Json]) -> None:
    files = on_main(bench)
    edited = files[DEPLOY].replace("timeout-minutes: 60", "timeout-minutes: 90  # slow")
    assert edited != files[DEPLOY]
    push(bench, {DEPLOY: edited})
    bench.write(
        ONE.replace(
            "environments:",
            "workflows:\n  deploy:\n    template: deploy-agents\n    run: make\nenvironments:",
        )
    )
    done = pr()
    text = repository(bench)["files"][BRANCH][DEPLOY]
    assert "timeout-minutes: 90  # slow" in text
    assert "make" in text
    assert TRUST not in repository(bench)["files"][BRANCH], "it is no longer asked for, and nobody edited it"
    assert {change["verb"] for change in done["plan"]["changes"]} == {"update", "delete"}


def test_a_conflict_leaves_everything_as_it_is(bench: Bench, pr: Callable[..., Json]) -> None:
    on_main(bench)
    push(bench, {DEPLOY: "name: mine\non: push\njobs: {}\n"})
    bench.write(TWO)
    with pytest.raises(Refused, match="What others wrote would be lost"):
        pr()
    assert BRANCH not in repository(bench)["files"]
    pr(overwrite=("deploy",))
    assert "name: mine" not in repository(bench)["files"][BRANCH][DEPLOY]


def test_a_configuration_that_is_older_than_githubs_is_not_pushed(
    bench: Bench, pr: Callable[..., Json]
) -> None:
    on_main(bench, ONE)
    on_main(bench, TWO)
    bench.write(ONE)
    with pytest.raises(Refused, match=r"later than what is here") as caught:
        pr()
    assert "git pull" in caught.value.hint
    git = ("git", "-C", str(bench.checkout), "-c", "user.name=x", "-c", "user.email=x@example.org")
    origin = f"{bench.sandbox.origin}/contoso/agents.git"
    for words in (
        ("init", "-q"),
        ("remote", "add", "origin", origin),
        ("add", "."),
        ("commit", "-q", "-m", "1"),
    ):
        subprocess.run([*git, *words], check=True)
    bench.write(ONE.replace("version: 1", "version: 1\nstore: variables"))
    with pytest.raises(Refused):  # edited here, from what is older than GitHub's
        pr()
    bench.write(TWO)
    subprocess.run([*git, "commit", "-q", "-am", "two"], check=True)
    bench.write(TWO.replace("version: 1", "version: 1\nstore: variables"))
    assert pr()["state"] == "opened"


def test_pins_go_along_and_githubs_count_where_there_are_none_here(
    bench: Bench, pr: Callable[..., Json]
) -> None:
    pins = json.dumps({"actions/checkout": {"version": "v7.1.0", "sha": "c710" * 10, "date": "2026-09-01"}})
    push(bench, {PINS: pins})
    bench.write(ONE)
    pr()
    there = repository(bench)["files"][BRANCH]
    assert f"actions/checkout@{'c710' * 10} # v7.1.0" in there[DEPLOY]
    assert there[PINS] == pins
    (bench.checkout / PINS).write_text(pins.replace("v7.1.0", "v8.0.0").replace("c710" * 10, "c8" * 20))
    pr()
    assert f"actions/checkout@{'c8' * 20} # v8.0.0" in repository(bench)["files"][BRANCH][DEPLOY]
    assert "| actions/checkout | v7.1.0 | v8.0.0 of 2026-09-01 |" in pulls(bench)[0]["body"]


def _token(**values: object) -> Callable[[World], object]:
    return lambda world: world.data["github"]["tokens"]["sandbox-admin-token"].update(values)


def _permissions(**levels: str) -> Callable[[World], object]:
    def change(world: World) -> None:
        token = world.data["github"]["tokens"]["sandbox-admin-token"]
        del token["scopes"]
        token["permissions"] = (
            dict.fromkeys(("metadata", "contents", "pull_requests", "workflows"), "write") | levels
        )

    return change


RIGHTS = "Contents, Workflows and Pull requests to write"
NOBODY: dict[str, tuple[Callable[[World], object], type[TrustsmithError], str]] = {
    "no workflow scope": (_token(scopes=["repo"]), NotAllowed, "gh auth refresh --scopes workflow"),
    "no workflows": (_permissions(workflows="none"), NotAllowed, RIGHTS),
    "no contents": (_permissions(contents="read"), NotAllowed, RIGHTS),
    "no pulls": (_permissions(pull_requests="read"), Incomplete, "compare/main...trustsmith/workflows"),
    "a reader": (_token(login="monalisa"), NotAllowed, "Ask for the role Write"),
    "archived": (lambda world: world.repository.update(archived=True), UsageError, "gh repo unarchive"),
    "no branch": (
        lambda world: world.repository.update(default_branch="trunk"),
        UsageError,
        "Push a first commit",
    ),
    "nowhere": (lambda world: world.data["github"]["repositories"].pop("4001"), UsageError, "Check the name"),
}


@pytest.mark.parametrize("who", NOBODY)
def test_who_may_not(bench: Bench, pr: Callable[..., Json], who: str) -> None:
    fault, error, word = NOBODY[who]
    bench.write(ONE)
    bench.edit(fault)
    with pytest.raises(error) as caught:
        pr()
    assert word in caught.value.hint
    if who not in {"no pulls", "nowhere"}:
        assert BRANCH not in repository(bench)["files"]


def _fault(bench: Bench, write: str, **how: Any) -> None:
    method, path = write.split()
    bench.sandbox.control("faults", {"service": "github", "method": method, "path": path, **how})


def test_cut_after_each_write_the_next_run_finishes(bench: Bench, pr: Callable[..., Json]) -> None:
    """Each write is done, and the run ends there; at the end there is one of everything."""
    bench.write(ONE)
    for one in FIRST:
        _fault(bench, one, when="after", status=400)
        with pytest.raises((ServiceError, Incomplete)):
            pr()
    assert pr()["state"] == "unchanged"
    assert (len(branch(bench)), len(pulls(bench))) == (1, 1)
    bench.write(TWO)
    for one in LATER:
        _fault(bench, one, when="after", status=400)
        with pytest.raises((ServiceError, Incomplete)):
            pr()
    assert pr()["state"] == "unchanged"
    assert repository(bench)["files"][BRANCH][FILE] == TWO
    assert (len(branch(bench)), len(pulls(bench))) == (1, 1)


@pytest.mark.parametrize("when", ["cut", "cut-before", "garbage"])
def test_a_run_gets_over_writes_that_go_wrong_once(bench: Bench, pr: Callable[..., Json], when: str) -> None:
    bench.write(ONE)
    for one in FIRST:
        _fault(bench, one, when=when)
    assert pr()["state"] == "opened"
    bench.write(TWO)
    for one in LATER:
        _fault(bench, one, when=when)
    assert pr()["state"] == "updated"
    assert repository(bench)["files"][BRANCH][FILE] == TWO
    assert (len(branch(bench)), len(pulls(bench))) == (1, 1)


def test_what_moves_meanwhile_is_not_pushed_over(bench: Bench, pr: Callable[..., Json]) -> None:
    bench.write(ONE)
    pr()
    source = Options(bench.checkout).read_config()

    async def story(moved: str) -> None:
        session = Session.of(Options(bench.checkout), Silent(), source.config)
        try:
            hub, name = session.github.commits, "contoso/agents"
            await session.github.repository(name)
            commit = await hub.head(name, "main")
            assert commit is not None
            published = Published(session.github, name, "main", commit, await hub.tree_of(name, commit))
            pushing = Push(session, published, RENDERED)
            tip = await hub.head(name, BRANCH)
            push(bench, {"x": moved}, to=moved)
            await pushing._point(tip, commit)
        finally:
            await session.aclose()

    for moved in ("main", BRANCH):
        with pytest.raises(Refused, match=f"{moved} moved while this ran"):
            asyncio.run(story(moved))
    assert repository(bench)["files"][BRANCH]["x"] == BRANCH


def test_only_what_is_rendered_is_looked_at(bench: Bench, pr: Callable[..., Json]) -> None:
    push(bench, {".github/workflows/own.yml": "name: own\n", ".github/workflows/notes.txt": "x"})
    bench.write(ONE)
    pr()
    assert repository(bench)["files"][BRANCH][".github/workflows/own.yml"] == "name: own\n"
