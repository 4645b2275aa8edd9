"""A repository read at GitHub is the one that a checkout of the same commit has; in this process."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.contract.clients_on_sandbox import Bench, export, run
from trustsmith.errors import NotFound
from trustsmith.migrate.scan import scan
from trustsmith.systems import remote, sources

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Sandbox

LEGACY = "contoso/legacy"
SIGN_IN = "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: azure/login@v1\n        with: {creds: '${{ secrets.AZURE_CREDENTIALS }}'}\n"


@pytest.fixture(autouse=True)
def _ready(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    export(sandbox, monkeypatch)


def files(sandbox: Sandbox, branch: str = "main", **more: Any) -> dict[str, str]:
    """The files of a branch of contoso/legacy, as they are in the sandbox, after a change."""
    world = sandbox.state()
    branches: dict[str, Any] = world["github"]["repositories"]["4002"]["files"]
    branches.update(more)
    if more:
        sandbox.control("reset", world)
    found: dict[str, str] = branches[branch]
    return found


def requests(sandbox: Sandbox, since: int) -> Iterator[str]:
    """The paths that GitHub was asked for."""
    return (
        json.loads(line)["path"] for line in sandbox.log.read_text()[since:].splitlines() if "github" in line
    )


def test_it_is_what_a_checkout_has(sandbox: Sandbox, tmp_path: Path) -> None:
    odd = {
        ".github/workflows/deeper/x.yaml": "on: push\njobs: {a: {steps: [{run: ./scripts/one.sh}]}}\n",
        ".github/workflows/broken.yml": "on: [\n",
        ".github/workflows/long.yml": "# " + "x" * sources.LARGEST,
        "scripts/one.sh": "bash scripts/two.sh\n",
        "scripts/two.sh": "bash scripts/three.sh\n",
        "scripts/three.sh": "true\n",
        "vendor/tool/action.yml": "runs: {using: composite, steps: []}\n",
        "sub/action.yaml": "\ufeffruns: {using: composite, steps: [{run: ./scripts/one.sh}]}\n",
    }
    for name, text in files(sandbox, main=files(sandbox) | odd).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")

    found, problems = run(sandbox, lambda bench: remote.read(bench.github, LEGACY))
    here, wrong = sources.read(tmp_path)

    by_file = sorted(here.workflows, key=lambda workflow: workflow.file)
    assert [(w.file, w.text) for w in found.workflows] == [(w.file, w.text) for w in by_file]
    assert found.scripts == here.scripts
    assert {"scripts/clean.sh", "scripts/two.sh"} <= found.scripts.keys()
    assert "scripts/three.sh" not in found.scripts
    assert problems == wrong
    assert [problem.file.rsplit("/")[-1] for problem in problems] == ["broken.yml", "long.yml"]
    assert [use.order for use in scan(found)] == [use.order for use in scan(here)]


def test_no_more_is_asked_than_is_looked_at(sandbox: Sandbox) -> None:
    sandbox.state()
    since = len(sandbox.log.read_text())
    found, _ = run(sandbox, lambda bench: remote.read(bench.github, LEGACY))
    asked = list(requests(sandbox, since))
    blobs = [path for path in asked if "/git/blobs/" in path]
    assert len(blobs) == len(found.workflows) + len(found.scripts)
    assert len(asked) == len(blobs) + 3, "the repository, its branch, one tree"


def test_other_branches_share_what_was_read(sandbox: Sandbox) -> None:
    main = files(sandbox)
    old = {".github/workflows/old.yml": SIGN_IN}
    files(sandbox, same=main, clean={"README.md": "# x\n"}, old=main | old, left={"a": "b"})
    since = len(sandbox.log.read_text())

    async def story(bench: Bench) -> tuple[list[remote.Branch], list[str]]:
        return await remote.branches(bench.github, LEGACY, without="main", most=3)

    found, left = run(sandbox, story)

    asked = [path for path in requests(sandbox, since) if "/git/blobs/" in path]
    assert len(asked) == len(set(asked))
    assert len(found) + len(left) == 4
    uses = {each.name: {use.file for use in scan(each.repository)} for each in found}
    assert uses == {"clean": set(), "left": set(), "old": uses["old"]}
    assert ".github/workflows/old.yml" in uses["old"]
    assert left == ["same"]


def test_what_is_not_there_is_said(sandbox: Sandbox) -> None:
    async def story(bench: Bench) -> None:
        with pytest.raises(NotFound, match="has no branch nowhere"):
            await remote.read(bench.github, LEGACY, "nowhere")
        with pytest.raises(NotFound, match="does not show contoso/gone"):
            await remote.read(bench.github, "contoso/gone")
        with pytest.raises(NotFound, match="northwind/ideas has no commit yet"):
            await remote.read(bench.github, "northwind/ideas")
        commit = await remote.head(bench.github, LEGACY)
        assert (await remote.read(bench.github, LEGACY, commit))[0].scripts

    run(sandbox, story)
