"""What of a checkout is read: workflows, actions and scripts, inside of it, as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from trustsmith.errors import Refused
from trustsmith.systems.sources import Changed, changed, read, save, whole

if TYPE_CHECKING:
    from pathlib import Path

WORKFLOW = "on: push\njobs:\n  a:\n    steps:\n      - run: ./x.sh\n"


def write(root: Path, file: str, data: bytes | str) -> Path:
    path = root / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def test_what_is_read(tmp_path: Path) -> None:
    for file in (
        ".github/workflows/a.yml",
        ".github/workflows/old/b.yaml",
        "x/action.yml",
        "node_modules/y/action.yml",
    ):
        write(tmp_path, file, WORKFLOW)
    write(tmp_path, "other.yml", WORKFLOW)
    write(tmp_path, "x.sh", "./y.sh\n")
    write(tmp_path, "y.sh", "true\n")
    write(tmp_path, "z.sh", "true\n")

    repository, problems = read(tmp_path)

    assert not problems
    files = [workflow.file for workflow in repository.workflows]
    assert files == [".github/workflows/a.yml", ".github/workflows/old/b.yaml", "x/action.yml"]
    assert set(repository.scripts) == {"x.sh", "y.sh"}


def test_line_ends_stay_and_a_byte_order_mark_goes(tmp_path: Path) -> None:
    text = WORKFLOW.replace("\n", "\r\n")
    write(tmp_path, ".github/workflows/a.yml", b"\xef\xbb\xbf" + text.encode())
    repository, _ = read(tmp_path)
    assert [workflow.text for workflow in repository.workflows] == [text]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"a: \xff\xfe", "not UTF-8 text (byte 3)"),
        (b"a: [", "never closed"),
        (b"# " + b"x" * 1024 * 1024, "larger than a megabyte"),
    ],
)
def test_what_cannot_be_read_is_a_problem(tmp_path: Path, data: bytes, says: str) -> None:
    write(tmp_path, ".github/workflows/a.yml", data)
    repository, problems = read(tmp_path)
    assert not repository.workflows
    assert [(p.file, says in p.message) for p in problems] == [(".github/workflows/a.yml", True)]


def test_links_out_of_the_checkout_are_not_followed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "checkout", tmp_path / "outside"
    write(inside, ".github/workflows/a.yml", WORKFLOW)
    (inside / "x.sh").symlink_to(write(outside, "x.sh", "az login -p y\n"))
    (inside / ".github/workflows/b.yml").symlink_to(write(outside, "b.yml", WORKFLOW))
    repository, problems = read(inside)
    assert [workflow.file for workflow in repository.workflows] == [".github/workflows/a.yml"]
    assert not repository.scripts
    assert ["leads out" in problem.message for problem in problems] == [True]


def test_a_folder_without_workflows(tmp_path: Path) -> None:
    repository, problems = read(tmp_path)
    assert (repository.workflows, problems) == ((), [])


# -- what was rewritten ----------------------------------------------------------------------------------------------

FILE = ".github/workflows/a.yml"


def rewriting(root: Path, data: bytes) -> list[Changed]:
    write(root, FILE, data)
    repository, _ = read(root)
    (workflow,) = repository.workflows
    return changed(whole(root, [FILE]), repository, {FILE: workflow.text.replace("push", "pull_request")})


def test_a_rewriting_is_written_with_its_mark_and_its_line_ends(tmp_path: Path) -> None:
    before = b"\xef\xbb\xbf" + WORKFLOW.replace("\n", "\r\n").encode()
    save(tmp_path, rewriting(tmp_path, before))
    assert (tmp_path / FILE).read_bytes() == before.replace(b"push", b"pull_request")


def test_nothing_is_written_when_one_file_has_changed_meanwhile(tmp_path: Path) -> None:
    found = rewriting(tmp_path, WORKFLOW.encode())
    other = Changed("b.yml", "as it was", "as it will be")
    write(tmp_path, "b.yml", "somebody has saved it")
    with pytest.raises(Refused, match=r"b\.yml was changed while this ran"):
        save(tmp_path, [*found, other])
    assert (tmp_path / FILE).read_text("utf-8") == WORKFLOW


def test_a_file_that_has_changed_since_it_was_read_is_refused(tmp_path: Path) -> None:
    write(tmp_path, FILE, WORKFLOW)
    repository, _ = read(tmp_path)
    write(tmp_path, FILE, f"{WORKFLOW}# more\n")
    with pytest.raises(Refused, match="was changed while this ran"):
        changed(whole(tmp_path, [FILE]), repository, {FILE: "on: push\n"})


def test_one_file_under_two_names_is_written_once(tmp_path: Path) -> None:
    write(tmp_path, FILE, WORKFLOW)
    (tmp_path / "link.yml").symlink_to(FILE)
    same = [Changed(FILE, WORKFLOW, "new"), Changed("link.yml", WORKFLOW, "new")]
    save(tmp_path, same)
    assert (tmp_path / FILE).read_text("utf-8") == "new"
    assert (tmp_path / "link.yml").is_symlink()
    with pytest.raises(Refused):
        save(tmp_path, [Changed(FILE, "new", "a"), Changed("link.yml", "new", "b")])
    assert (tmp_path / FILE).read_text("utf-8") == "new"
