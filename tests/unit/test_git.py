"""Where a checkout came from, what its files once were, and three texts merged."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from trustsmith.clients import git

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/contoso/agents",
        "https://github.com/contoso/agents.git",
        "https://github.com/contoso/agents.git/",
        "https://user:token@GitHub.com/contoso/agents.git",
        "git@github.com:contoso/agents.git",
        "ssh://git@github.com/contoso/agents.git",
        "ssh://github.com/contoso/agents",
    ],
)
def test_addresses_of_a_repository(url: str) -> None:
    assert git.parse(url) == ("github.com", "contoso/agents")


def test_a_port_is_part_of_the_host() -> None:
    assert git.parse("https://127.0.0.1:8443/contoso/agents.git") == ("127.0.0.1:8443", "contoso/agents")


def test_dots_in_a_name_are_the_name_s() -> None:
    assert git.parse("https://github.com/contoso/agents.net.git") == ("github.com", "contoso/agents.net")


@pytest.mark.parametrize(
    "url", ["", "/srv/git/agents.git", "../agents", "file:///srv/agents", "https://github.com/contoso", "a@b"]
)
def test_anything_else_is_no_hosted_repository(url: str) -> None:
    assert git.parse(url) is None


def test_a_checkout_s_origin(tmp_path: Path) -> None:
    assert git.remote(tmp_path / "absent") is None
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    assert git.remote(tmp_path) is None
    command = ["git", "-C", str(tmp_path), "remote", "add", "origin", "git@github.com:contoso/agents.git"]
    subprocess.run(command, check=True)
    assert git.remote(tmp_path) == ("github.com", "contoso/agents")


def test_without_git_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git.remote(tmp_path) is None


# History


class Repository:
    """A repository that is written to by committing texts."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.git("init", "-q", "-b", "main", str(root))

    def git(self, *words: str) -> None:
        identity = ("-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(["git", *identity, "-C", str(self.root), *words], check=True, capture_output=True)

    def commit(self, **texts: str | bytes | None) -> None:
        for name, text in texts.items():
            file = self.root / name
            if text is None:
                file.unlink()
            else:
                file.write_bytes(text.encode() if isinstance(text, str) else text)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "x")

    def texts(self, *paths: str, most: int = 200) -> list[list[str]]:
        found = git.history(self.root, paths, most)
        return [[version.text for version in found[path]] for path in paths]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path)


def test_versions_are_those_of_all_branches_oldest_first(repository: Repository) -> None:
    repository.commit(a="1", b="other")
    repository.git("checkout", "-q", "-b", "side")
    repository.commit(a="2")
    repository.git("checkout", "-q", "main")
    repository.commit(b="another")
    repository.git("merge", "-q", "-s", "ours", "side")
    repository.commit(a=None)
    repository.commit(a="3", b=b"\xff")
    repository.commit(a="1")
    assert repository.texts("a", "b", "c") == [["1", "2", "3"], ["other", "another"], []]
    assert repository.texts("a", most=2) == [["3", "1"]]


def test_what_only_a_merge_made_is_a_version(repository: Repository) -> None:
    repository.commit(a="1")
    repository.git("checkout", "-q", "-b", "side")
    repository.commit(a="2")
    repository.git("checkout", "-q", "main")
    repository.commit(a="3")
    with pytest.raises(subprocess.CalledProcessError):
        repository.git("merge", "-q", "side")
    repository.commit(a="solved")
    assert {*repository.texts("a")[0]} == {"1", "2", "3", "solved"}
    assert repository.texts("a")[0][-1] == "solved"


def test_what_was_amended_away_is_a_version_still(repository: Repository) -> None:
    repository.commit(a="1")
    (repository.root / "a").write_text("2")
    repository.git("commit", "-q", "-a", "--amend", "-m", "x")
    assert {*repository.texts("a")[0]} == {"1", "2"}


@pytest.mark.skipif(sys.platform == "win32", reason="no such names there")
def test_a_path_is_a_path_whatever_is_in_it(repository: Repository) -> None:
    for name in ("*", ":(top)a", 'ü \t\n"', "-x", "[ab]"):
        repository.commit(**{name: f"of {name}", "b": f"not of {name}"})
        assert repository.texts(name) == [[f"of {name}"]]


def test_a_folder_s_paths_are_its_own(repository: Repository) -> None:
    repository.commit(a="top")
    (repository.root / "sub").mkdir()
    repository.commit(**{"sub/a": "of sub"})
    repository.root /= "sub"
    assert repository.texts("a") == [["of sub"]]
    versions = git.history(repository.root, ["a"], 1)["a"]
    assert git.texts_at(repository.root, [versions[0].commit, "HEAD", "HEAD~1"], "a") == [
        "of sub",
        "of sub",
        None,
    ]


def test_settings_change_nothing(repository: Repository) -> None:
    for name, value in (
        ("diff.renames", "copies"),
        ("log.follow", "true"),
        ("log.showSignature", "true"),
        ("color.ui", "always"),
        ("diff.relative", "false"),
        ("log.showRoot", "false"),
        ("core.quotePath", "true"),
        ("format.pretty", "fuller"),
    ):
        repository.git("config", name, value)
    repository.commit(a="a long text\n" * 9)
    repository.git("mv", "a", "ü")
    repository.commit()
    assert repository.texts("a", "ü") == [["a long text\n" * 9]] * 2


def test_what_is_no_repository_has_no_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert git.history(tmp_path, ["a"], 9) == {"a": []}
    assert git.history(tmp_path / "absent", ["a"], 9) == {"a": []}
    assert git.lack(tmp_path)
    Repository(tmp_path)
    assert git.history(tmp_path, ["a"], 9) == {"a": []}
    assert git.texts_at(tmp_path, ["HEAD"], "a") == [None]
    assert git.lack(tmp_path) == ""
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git.history(tmp_path, ["a"], 9) == {"a": []}
    assert git.lack(tmp_path)


# Merging


def test_what_does_not_overlap_is_merged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = "".join(f"{n}\n" for n in range(9))
    ours, theirs = base.replace("1\n", "é\n"), base + "end"
    assert git.merge(ours, base, theirs) == ours + "end"
    assert git.merge(ours, base, base.replace("1\n", "x\n")) is None
    assert git.merge("\0a", "\0", "\0b") is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git.merge(ours, base, theirs) is None


def test_the_line_that_led_here(tmp_path: Path) -> None:
    """Other branches are none of it, a merge is one change, and what came back is there twice."""

    def run(*words: str) -> None:
        who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com", "-c", "commit.gpgsign=false")
        subprocess.run(["git", "-C", str(tmp_path), *who, *words], check=True, capture_output=True)

    def commit(text: str) -> None:
        (tmp_path / "a.yml").write_text(text)
        run("add", "a.yml")
        run("commit", "-qm", text)

    run("init", "-q", "-b", "main")
    for text in ("1", "2", "1"):
        commit(text)
    run("switch", "-qc", "other")
    commit("3")
    commit("4")
    run("switch", "-q", "main")
    run("merge", "-q", "--no-ff", "other")
    run("switch", "-qc", "elsewhere")
    commit("5")
    run("switch", "-q", "main")
    assert [version.text for version in git.line(tmp_path, ["a.yml", "b"], 9)["a.yml"]] == [
        "1",
        "2",
        "1",
        "4",
    ]
    assert [version.text for version in git.line(tmp_path, ["a.yml"], 2)["a.yml"]] == ["1", "4"]
