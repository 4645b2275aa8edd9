"""`migrate --undo`: the workflows as they were, out of git's history, while the secrets are there. In this process."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.flows.test_migrate import change, checkout
from tests.flows.test_rewriting import DEPLOY, HERE, legacy, migrate, push
from trustsmith.model.branch import RESTORED, REWRITTEN

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Sandbox

__all__ = ["checkout", "migrate"]
pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
Json = dict[str, Any]
Migrate = "Callable[..., tuple[int, Json]]"
NIGHTLY = ".github/workflows/nightly.yml"


def commit(checkout: Path, message: str = "Work") -> None:
    who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    subprocess.run(["git", "-C", checkout, "add", "--all"], check=True)
    subprocess.run(["git", "-C", checkout, *who, "commit", "-qm", message], check=True)


def texts(checkout: Path) -> dict[str, str]:
    files = [*checkout.glob(".github/**/*.yml"), checkout / "scripts" / "clean.sh"]
    return {file.relative_to(checkout).as_posix(): file.read_bytes().decode() for file in sorted(files)}


@pytest.fixture
def was(checkout: Path) -> dict[str, str]:
    """The files of a checkout that is committed as it is."""
    commit(checkout)
    return texts(checkout)


@pytest.fixture
def rewritten(
    was: dict[str, str], migrate: Callable[..., tuple[int, Json]]
) -> Callable[..., tuple[int, Json]]:
    """`migrate`, in that checkout rewritten and not committed."""
    assert was
    migrate("--rewrite", "--write", *HERE)
    return migrate


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("committed", [False, True])
def test_all_is_as_it_was(
    checkout: Path, was: dict[str, str], migrate: Callable[..., tuple[int, Json]], *, committed: bool
) -> None:
    migrate("--rewrite", "--write", *HERE)
    if committed:
        commit(checkout)
    code, document = migrate("--undo")
    assert (code, len(document["files"]), document["written"]) == (0, 8, False)
    assert document["secrets"] == ["AZURE_CLIENT_SECRET", "AZURE_CREDENTIALS"]
    assert texts(checkout) != was
    code, document = migrate("--undo", "--write")
    assert (code, texts(checkout)) == (0, was)
    assert migrate("--undo")[1]["files"] == []


def test_what_was_changed_since_stays(
    checkout: Path, was: dict[str, str], migrate: Callable[..., tuple[int, Json]]
) -> None:
    migrate("--rewrite", "--write", *HERE)
    edit(checkout / NIGHTLY, "az consumption usage list", "az consumption budget list")
    commit(checkout)
    edit(checkout / DEPLOY, "# Builds the shop", "# Builds the famous shop")
    commit(checkout)
    edit(checkout / DEPLOY, "shop-staging --resource", "shop-stage --resource")
    assert migrate("--undo", "--write")[0] == 0
    now = texts(checkout)
    assert now[DEPLOY] == was[DEPLOY].replace("# Builds the shop", "# Builds the famous shop").replace(
        "shop-staging --resource", "shop-stage --resource"
    )
    assert now[NIGHTLY] == was[NIGHTLY], "what is in the rewriting's own commit cannot be told from it"


def test_an_edit_beside_a_rewriting_that_is_not_committed_stays(
    checkout: Path, was: dict[str, str], migrate: Callable[..., tuple[int, Json]]
) -> None:
    migrate("--rewrite", "--write", *HERE)
    edit(checkout / DEPLOY, "# Builds the shop", "# Builds the famous shop")
    migrate("--undo", "--write")
    assert texts(checkout) == was | {DEPLOY: was[DEPLOY].replace("the shop", "the famous shop")}


def test_a_rewriting_in_two_goes_is_undone_whole(
    checkout: Path, was: dict[str, str], migrate: Callable[..., tuple[int, Json]]
) -> None:
    migrate("--rewrite", "--write")
    commit(checkout)
    migrate("--rewrite", "--write", *HERE)
    assert migrate("--undo", "--write")[0] == 0
    assert texts(checkout) == was


def test_windows_line_ends(checkout: Path, migrate: Callable[..., tuple[int, Json]]) -> None:
    file = checkout / DEPLOY
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes().replace(b"\n", b"\r\n"))
    commit(checkout)
    was = texts(checkout)
    migrate("--rewrite", "--write", *HERE)
    commit(checkout)
    assert migrate("--undo", "--write")[0] == 0
    assert texts(checkout) == was


def test_what_does_not_fit_is_shown_and_nothing_is_written(
    checkout: Path, was: dict[str, str], migrate: Callable[..., tuple[int, Json]]
) -> None:
    assert was
    migrate("--rewrite", "--write", *HERE)
    commit(checkout)
    edit(checkout / DEPLOY, "tenant-id: ${{ vars.AZURE_TENANT_ID }}", "tenant-id: ${{ vars.MY_TENANT }}")
    before = texts(checkout)
    code, document = migrate("--undo", "--write")
    assert (code, texts(checkout)) == (5, before)
    (conflict,) = document["conflicts"]
    assert (conflict["file"], "it was changed since" in conflict["why"]) == (DEPLOY, True)


def drop(*places: str) -> Callable[[Json], None]:
    """Take AZURE_CLIENT_SECRET away at these levels."""

    def edit(world: Json) -> None:
        repository = world["github"]["repositories"]["4002"]
        holders = {
            "production": repository["environments"]["production"]["secrets"],
            "repository": repository["secrets"],
            "organization": world["github"]["organizations"]["contoso"]["secrets"],
        }
        for place in places:
            del holders[place]["AZURE_CLIENT_SECRET"]

    return edit


@pytest.mark.parametrize(
    ("places", "code"),
    [
        (("repository",), 0),
        (("repository", "organization"), 5),  # the job in staging reads it there
        (("production", "repository", "organization"), 5),
    ],
)
def test_without_the_secrets_there_is_no_way_back(
    sandbox: Sandbox,
    checkout: Path,
    rewritten: Callable[..., tuple[int, Json]],
    places: tuple[str, ...],
    code: int,
) -> None:
    before = texts(checkout)
    change(sandbox, drop(*places))
    ended, document = rewritten("--undo", "--write")
    assert ended == code
    if code:
        assert (
            "AZURE_CLIENT_SECRET, which .github/workflows/evaluate.yml:13 would"
            in document["error"]["message"]
        )
        assert texts(checkout) == before


@pytest.mark.parametrize("how", ["signed out", "hidden", "no remote"])
def test_what_cannot_be_told_is_refused(
    checkout: Path,
    rewritten: Callable[..., tuple[int, Json]],
    monkeypatch: pytest.MonkeyPatch,
    sandbox: Sandbox,
    how: str,
) -> None:
    before = texts(checkout)
    if how == "signed out":
        monkeypatch.delenv("GH_TOKEN")
    elif how == "hidden":
        change(sandbox, drop("organization"))
        spec = {"service": "github", "method": "GET", "path": "*/actions/secrets", "status": 403, "times": 99}
        sandbox.control("faults", spec)
    else:
        subprocess.run(["git", "-C", checkout, "remote", "remove", "origin"], check=True)
    code, document = rewritten("--undo", "--write")
    assert (code, texts(checkout)) == (5, before)
    assert "could not be told" in document["error"]["message"]


def test_nothing_was_rewritten(
    checkout: Path, was: dict[str, str], migrate: Callable[..., tuple[int, Json]]
) -> None:
    edit(checkout / DEPLOY, was[DEPLOY][was[DEPLOY].index("\n  production:") :], "")
    commit(checkout, "No production any more")
    code, document = migrate("--undo")
    assert (code, document["files"]) == (0, [])


def test_the_default_branch_is_restored_in_one_pull_request(
    sandbox: Sandbox, migrate: Callable[..., tuple[int, Json]]
) -> None:
    was = legacy(sandbox)["files"]["main"]
    migrate("--rewrite", "--pr", *HERE)
    rewritten = legacy(sandbox)["files"][REWRITTEN.branch]
    push(sandbox, {path: text for path, text in rewritten.items() if was[path] != text})
    push(sandbox, {DEPLOY: rewritten[DEPLOY].replace("# Builds the shop", "# Builds the famous shop")})
    code, document = migrate("--undo", "--pr")
    assert (code, document["pull_request"]["state"]) == (0, "opened")
    files = legacy(sandbox)["files"][RESTORED.branch]
    assert files == was | {DEPLOY: was[DEPLOY].replace("the shop", "the famous shop")}
    (pull,) = [p for p in legacy(sandbox)["pulls"].values() if p["head"] == RESTORED.branch]
    assert "| AZURE\\_CREDENTIALS |" in pull["body"]
    assert migrate("--undo", "--pr")[1]["pull_request"]["state"] == "unchanged"
