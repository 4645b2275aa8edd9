"""`render` in a checkout of git's: rounds of edits, commits and other configurations, and what is said about them."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.desk import CONFIG, WORKFLOW, config
from trustsmith.errors import Differences, Refused, TrustsmithError, UsageError
from trustsmith.flows.rendering import Named, write
from trustsmith.flows.session import Options
from trustsmith.generated import inspect
from trustsmith.ui.console import Console

PATH = WORKFLOW.as_posix()
TRUST = ".github/workflows/check-trust.yml"
MINE = ("timeout-minutes: 60", "timeout-minutes: 90 # mine")


@dataclass
class Checkout:
    """A checkout with one configured environment, and the terminal on which it is rendered."""

    root: Path
    capsys: pytest.CaptureFixture[str]

    def git(self, *words: str) -> str:
        identity = ("-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false")
        command = ["git", "-C", str(self.root), *identity, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def commit(self, *words: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", "x", *words)

    def configure(self, *lines: str) -> None:
        (self.root / CONFIG).parent.mkdir(exist_ok=True)
        (self.root / CONFIG).write_text(config(*lines), encoding="utf-8")

    @property
    def text(self) -> str:
        return (self.root / WORKFLOW).read_bytes().decode()

    def put(self, text: str) -> str:
        (self.root / WORKFLOW).write_bytes(text.encode())
        return text

    def edit(self, old: str, new: str) -> str:
        assert old in self.text
        return self.put(self.text.replace(old, new, 1))

    def render(self, *, check: bool = False, out: Path | None = None, **named: list[str]) -> Any:
        """The JSON document. Raises as the command does; then `said` has it."""
        console = Console("json")
        try:
            write(Options(self.root), console, out, Named(**named), check=check)
        except TrustsmithError as error:
            console.close(error)
            raise
        console.close()
        return self.said()

    def said(self) -> Any:
        return json.loads(self.capsys.readouterr().out)

    def states(self) -> dict[str, str]:
        """Path → state, as `render --check` says."""
        try:
            found = self.render(check=True)
        except Differences:
            found = self.said()
        return {file["path"]: file["state"] for file in found["files"]}

    def refused(self) -> str:
        """Why it is refused; nothing is changed then."""
        before = {path: path.read_bytes() for path in self.root.rglob("*.y*ml")}
        with pytest.raises(Refused) as refused:
            self.render()
        assert {path: path.read_bytes() for path in self.root.rglob("*.y*ml")} == before
        self.capsys.readouterr()
        return refused.value.message


@pytest.fixture
def checkout(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """Rendered and committed once."""
    monkeypatch.delenv("TRUSTSMITH_ENDPOINTS", raising=False)
    made = Checkout(tmp_path / "checkout", capsys)
    made.root.mkdir()
    made.git("init", "-q")
    made.configure()
    made.render()
    made.commit()
    return made


def test_edits_go_through_rounds_of_rendering(checkout: Checkout) -> None:
    checkout.edit(*MINE)
    checkout.commit()
    for number, store in enumerate(["variables", "secrets", "variables"]):
        line = f"# round {number}"
        checkout.edit("# trustsmith: template", f"{line}\n# trustsmith: template")
        checkout.edit("      - name: Deploy", f"      {line}\n      - name: Deploy")
        checkout.commit()
        checkout.configure(f"store: {store}")
        assert checkout.states()[PATH] == "merged"
        checkout.render()
        assert ("vars.AZURE_CLIENT_ID" in checkout.text) == (store == "variables")
        assert MINE[1] in checkout.text
        for earlier in range(number + 1):
            assert checkout.text.count(f"# round {earlier}\n") == 2
        checkout.commit()
        assert checkout.states() == {}


def test_edited_and_rendered_in_one_commit(checkout: Checkout) -> None:
    """Neither the edit nor the rendering is in a commit by itself; the configuration of the commit says what it was."""
    for store in ("variables", "secrets", "variables"):
        checkout.edit("      - name: Deploy", f"      # {store}\n      - name: Deploy")
        checkout.configure(f"store: {store}")
        checkout.render()
        checkout.commit()
    assert checkout.text.count("# variables") == 2
    assert "vars.AZURE_CLIENT_ID" in checkout.text


def test_a_base_that_is_only_on_another_branch(checkout: Checkout) -> None:
    checkout.git("checkout", "-q", "-b", "other")
    checkout.configure("store: variables")
    checkout.render()
    checkout.commit()
    checkout.edit(*MINE)
    edited = checkout.text
    checkout.git("checkout", "-q", "-f", "--orphan", "alone")
    checkout.git("rm", "-q", "-r", "-f", "--cached", ".")
    checkout.put(edited)
    checkout.commit()
    checkout.configure("store: secrets")
    checkout.render()
    assert MINE[1] in checkout.text
    assert "vars." not in checkout.text


def test_a_shallow_clone(checkout: Checkout, tmp_path: Path) -> None:
    """The configuration in its one commit says what an edit was made in, if that was rendered from it."""
    checkout.edit(*MINE)
    checkout.commit()
    origin = checkout.root
    for name, lost in (("one", False), ("two", True)):
        checkout.root = tmp_path / name
        subprocess.run(
            ["git", "clone", "-q", "--depth=1", f"file://{origin}", str(checkout.root)], check=True
        )
        if lost:
            checkout.put(re.sub("sha256=.*", f"sha256={'0' * 64}", checkout.text))
        checkout.configure("store: variables")
        if lost:
            assert "git fetch --unshallow" in checkout.refused()
            checkout.render(adopt=["deploy"])
            assert "vars." not in checkout.text
        else:
            checkout.render()
            assert "vars.AZURE_CLIENT_ID" in checkout.text
        assert MINE[1] in checkout.text
        assert checkout.states() == {}


def test_a_hash_that_names_nothing(checkout: Checkout) -> None:
    checkout.edit(*MINE)
    checkout.put(re.sub("sha256=.*", f"sha256={'0' * 64}", checkout.text))
    assert checkout.refused().endswith("no commit here holds the text that the edits were made in")


def test_without_git_an_edit_is_a_conflict(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout.edit(*MINE)
    assert checkout.states() == {}
    checkout.configure("store: variables")
    monkeypatch.setenv("PATH", str(checkout.root))
    assert "there is no git here" in checkout.refused()


def test_what_was_adopted_is_merged_later(checkout: Checkout) -> None:
    mine = "name: mine\non: push\njobs: {}\n"
    checkout.put(mine)
    assert "no header" in checkout.refused()
    checkout.render(adopt=[PATH])
    assert checkout.text.endswith(f"\n{mine}")
    checkout.commit()
    checkout.configure("store: variables")
    assert checkout.states() == {
        PATH: "conflict",
        TRUST: "outdated",
    }  # it has nothing in common with the rendering


def test_a_conflict_is_solved_by_hand_and_adopted(checkout: Checkout) -> None:
    checkout.edit("${{ secrets.AZURE_TENANT_ID }}", "${{ secrets.MY_TENANT }}")
    checkout.configure("store: variables")
    assert "differs as well" in checkout.refused()
    with pytest.raises(Differences) as found:
        checkout.render(check=True)
    assert "render --adopt deploy\n  trustsmith render --overwrite deploy" in found.value.hint
    checkout.put(checkout.text.replace("secrets.A", "vars.A"))
    checkout.capsys.readouterr()
    checkout.render(adopt=["deploy"])
    checkout.commit()
    checkout.configure("store: variables", "enterprise: contoso")
    assert PATH not in checkout.states()
    checkout.configure()
    assert "differs as well" in checkout.refused()
    checkout.render(overwrite=["deploy"])
    assert checkout.states() == {}
    assert "MY_TENANT" not in checkout.text


def test_windows_line_ends_stay(checkout: Checkout) -> None:
    checkout.put(checkout.text.replace("\n", "\r\n"))
    checkout.edit(*MINE)
    assert checkout.states() == {}
    checkout.configure("store: variables")
    checkout.render()
    assert MINE[1] in checkout.text
    assert checkout.text.count("\r\n") == checkout.text.count("\n") > 0


def test_conflict_markers_are_said(checkout: Checkout) -> None:
    checkout.put(
        checkout.text.replace("name:", "<<<<<<< HEAD\nname:\n=======\nname:\n>>>>>>> other\nname:", 1)
    )
    assert "conflict markers" in checkout.refused()


# Files that nobody asks for


def test_files_that_are_no_longer_asked_for(checkout: Checkout) -> None:
    edited = checkout.root / TRUST
    edited.write_text(edited.read_text() + "# mine\n")
    checkout.configure("workflows: {ship: {template: deploy-agents, path: .github/workflows/ship.yml}}")
    assert checkout.states() == {".github/workflows/ship.yml": "missing", PATH: "stale", TRUST: "stale"}
    checkout.render()
    assert not (checkout.root / PATH).exists()
    assert checkout.states() == {TRUST: "stale"}
    with pytest.raises(UsageError) as wrong:
        checkout.render(remove=[".github/workflows/check-trusd.yml"])
    assert f"Did you mean '{TRUST}'" in wrong.value.hint
    checkout.capsys.readouterr()
    checkout.render(remove=[TRUST])
    assert not edited.exists()
    assert checkout.states() == {}


# Words


def test_names_that_are_none(checkout: Checkout) -> None:
    for word in ("adopt", "overwrite"):
        with pytest.raises(UsageError) as wrong:
            checkout.render(**{word: ["deploi"]})  # type: ignore[arg-type]
        assert "Did you mean 'deploy'" in wrong.value.hint
    with pytest.raises(UsageError, match="keeps the text"):
        checkout.render(adopt=["deploy"], overwrite=[PATH])
    with pytest.raises(UsageError, match="--out"):
        checkout.render(remove=[TRUST], out=checkout.root)


def test_words_that_change_nothing_are_said(checkout: Checkout) -> None:
    notes = checkout.render(adopt=["deploy"], overwrite=["check-trust"])["plan"]["notes"]
    assert notes == [
        f"--adopt changes nothing about {PATH}: it was not in conflict.",
        f"--overwrite changes nothing about {TRUST}: nobody wrote anything into it.",
    ]


def test_another_folder_is_only_added_to(checkout: Checkout, tmp_path: Path) -> None:
    out = tmp_path / "out"
    old = out / ".github/workflows/old.yml"
    old.parent.mkdir(parents=True)
    old.write_text(checkout.text)
    checkout.render(out=out)
    assert old.exists()
    assert (out / PATH).read_text() == checkout.text
    checkout.render(check=True, out=out)


# What is said


def test_a_diff_is_one_that_git_takes(checkout: Checkout) -> None:
    checkout.edit(*MINE)
    checkout.put(checkout.text.rstrip("\n"))
    (checkout.root / TRUST).unlink()
    checkout.configure("store: variables")
    console = Console()
    with pytest.raises(Differences):
        write(Options(checkout.root), console, None, Named(), check=True)
    diff = checkout.capsys.readouterr().out
    checkout.root.joinpath("x.diff").write_text(diff)
    checkout.git("apply", "x.diff")
    assert checkout.states() == {}
    made = inspect(checkout.text)
    assert made is not None
    assert made.edited


def test_nothing_to_do_is_said(checkout: Checkout) -> None:
    write(Options(checkout.root), Console(), None, Named(), check=True)
    assert checkout.capsys.readouterr().out == "Nothing to do: 2 workflow files are as wanted.\n"
    checkout.edit(*MINE)
    write(Options(checkout.root), Console(color="always"), None, Named(), check=True)
    assert f"edited, and up to date: {PATH}" in checkout.capsys.readouterr().out


OTHER = ".github/other.yml"


def test_two_configurations_leave_each_other_s_files_alone(checkout: Checkout) -> None:
    mine = checkout.text
    lines = (
        "workflows:",
        "  check-other: {template: check-trust, path: .github/workflows/check-other.yml, environments: [dev]}",
    )
    (checkout.root / OTHER).write_text(checkout.root.joinpath(CONFIG).read_text() + "\n".join(lines) + "\n")
    for path in (Path(OTHER), checkout.root / ".github/../.github/other.yml"):
        write(Options(checkout.root, path), Console("json"), None, Named(), check=False)
    made = inspect((checkout.root / ".github/workflows/check-other.yml").read_text())
    assert made is not None
    assert made.config == OTHER
    assert checkout.text == mine
    assert checkout.states() == {}


def test_a_file_of_another_configuration_is_overwritten_by_name_only(checkout: Checkout) -> None:
    text = checkout.root.joinpath(CONFIG).read_text()
    (checkout.root / CONFIG).rename(checkout.root / OTHER)
    options = Options(checkout.root, Path(OTHER))
    with pytest.raises(Refused, match=r"from another configuration, \.github/trustsmith\.yml"):
        write(options, Console("json"), None, Named(), check=False)
    named = Named(overwrite=["deploy"], adopt=["check-trust"])
    write(options, Console("json"), None, named, check=False)
    write(options, Console("json"), None, Named(), check=True)
    (checkout.root / CONFIG).write_text(text)
    assert f"another configuration, {OTHER}" in checkout.refused()


def _run_console(checkout: Checkout, *, check: bool) -> str:
    """What people see."""
    console = Console("text")
    try:
        write(Options(checkout.root), console, None, Named(), check=check)
    except Differences as found:
        console.fail(found)
    said = checkout.capsys.readouterr()
    return said.out + said.err


@pytest.mark.parametrize(
    ("old", "new", "line", "why"),
    [
        ("    environment: ", "    # environment: ", "  deploy-dev:", "job 'deploy-dev' may ask for a token"),
        (
            "jobs:\n",
            "jobs:\n  mine:\n    permissions: {id-token: write}\n    runs-on: x\n    steps: [{run: x}]\n",
            "  mine:",
            "job 'mine' may ask for a token (id-token: write) and runs in no environment",
        ),
        ("jobs:\n", "jobs:\n  mine: nothing\n", "name: ", "it is no workflow"),
        ("jobs:\n", "jobs: [\n", "", "YAML"),
    ],
    ids=["no environment", "a token for another job", "no job", "no YAML"],
)
def test_edits_do_not_break_the_rules(checkout: Checkout, old: str, new: str, line: str, why: str) -> None:
    mine = checkout.edit(old, new)
    with pytest.raises(Differences, match="Edited workflow files break rules"):
        checkout.render(check=True)
    said = checkout.said()
    (problem,) = said["plan"]["broken"]
    assert why in problem["message"]
    assert problem["file"] == PATH
    assert mine.splitlines()[problem["line"] - 1].startswith(line)
    assert f"{PATH}:{problem['line']}:" in _run_console(checkout, check=True)
    assert f"{PATH}:{problem['line']}:" in _run_console(checkout, check=False), "and render writes nothing"
    assert checkout.text == mine
    checkout.render(overwrite=["deploy"])
    assert checkout.render(check=True)["plan"]["broken"] == []


def test_what_breaks_no_rule_is_nobodys_business(checkout: Checkout) -> None:
    checkout.edit("jobs:\n", "jobs:\n  mine:\n    runs-on: x\n    steps: [{uses: a/b@v1}]\n")
    assert checkout.render(check=True)["plan"]["broken"] == []
