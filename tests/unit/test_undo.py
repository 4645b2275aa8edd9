"""`rewrite.undo`: which change of a file was a rewriting, and what comes of taking it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.test_rewrite import FILE, LOGIN, job, rewritten
from trustsmith.clients import git
from trustsmith.migrate.inventory import Seen, Stored, is_readable
from trustsmith.rewrite.undo import UNCOMMITTED, Turn, is_keyless, latest, restore, turns
from trustsmith.systems import sources

if TYPE_CHECKING:
    from trustsmith.model.workflow import Workflow

OLD = job()
NEW = rewritten(OLD)[0]
OTHER = ".github/workflows/other.yml"
CALL = "on: push\njobs:\n  call:\n    uses: ./x.yml\n"
HANDED = CALL + "    secrets: {password: '${{ secrets.FOO }}'}\n"


def parse(text: str, file: str) -> Workflow | None:
    workflow, problems = sources.parsed(text, file)
    return None if problems else workflow


def commits(*texts: str) -> list[tuple[str, str]]:
    return [(str(number) * 40, text) for number, text in enumerate(texts)]


def test_a_file_that_may_have_been_rewritten() -> None:
    assert is_keyless(NEW)
    assert not is_keyless("on: push\njobs: {}\n")


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        ([OLD, NEW], ["1"]),
        ([OLD, NEW, NEW.replace("live", "alive")], ["1"]),
        ([OLD, NEW, OLD, NEW], ["3", "1"]),
        ([OLD, OLD.replace("v2", "v3")], []),
        ([OLD, "on: push\njobs: {}\n"], []),  # somebody did away with it
        ([NEW, NEW + LOGIN, NEW], []),  # a use that came and went
        ([OLD, "on: [push", NEW], []),  # what cannot be read says nothing
        ([NEW], []),
    ],
)
def test_where_a_file_was_rewritten(texts: list[str], found: list[str]) -> None:
    listed = turns({FILE: commits(*texts)}, parse).get(FILE, [])
    assert [turn.commit[0] for turn in listed] == found


def test_what_goes_with_it_is_in_the_same_commit() -> None:
    with_it = {FILE: commits(OLD, NEW), OTHER: commits(HANDED, CALL)}
    assert set(turns(with_it, parse)) == {FILE, OTHER}
    later = {FILE: commits(OLD, NEW), OTHER: [("0", HANDED), ("later", CALL)]}
    assert set(turns(later, parse)) == {FILE}


def test_an_older_migration_stays() -> None:
    old, new = (
        Turn(file=FILE, commit=commit, before="", after="", secrets=frozenset({secret}))
        for commit, secret in (("1", "AZURE_OLD"), ("2", "AZURE_CREDENTIALS"))
    )
    found = {FILE: [new, old], OTHER: [old]}
    assert latest(found, {"AZURE_CREDENTIALS"}) == {FILE: [new]}
    assert latest(found, {"AZURE_CREDENTIALS", "AZURE_OLD"}) == found
    assert latest(found, set()) == found, "it is for the check of the secrets to say that they are gone"


def turn(after: str = NEW, commit: str = "a" * 40) -> Turn:
    return Turn(file=FILE, commit=commit, before=OLD, after=after, secrets=frozenset())


def test_what_somebody_changed_since_stays() -> None:
    now = NEW.replace("on: push", "on: [push]")
    assert restore(now, [turn()], {}, parse, git.merge).text == OLD.replace("on: push", "on: [push]")
    windows = "\ufeff" + now.replace("\n", "\r\n")
    text = restore(windows, [turn()], {}, parse, git.merge).text
    assert text == "\ufeff" + OLD.replace("on: push", "on: [push]").replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("now", "after", "commit", "why"),
    [
        (NEW.replace("vars.AZURE_TENANT_ID", "vars.MINE"), NEW, "a" * 40, "in aaaaaaa"),
        (NEW, NEW, UNCOMMITTED, "where it was rewritten"),  # what a rewriting makes is not known
        ("on: push\njobs: {}\n", NEW, "a" * 40, "it was changed since"),
        (OLD.replace("creds", "credz"), OLD.replace("creds", "credz"), "a" * 40, ""),
        (OLD.replace("@v2", "/x@v2"), OLD, "a" * 40, "would not sign in as it did"),
    ],
)
def test_what_does_not_fit_is_refused(now: str, after: str, commit: str, why: str) -> None:
    result = restore(now, [turn(after, commit)], {}, parse, git.merge)
    assert why in result.why
    assert bool(result.why) == bool(why)


JOB = parse(OLD, FILE).jobs[0]  # type: ignore[union-attr]  # it is a workflow
DEV = Stored(name="X", level="environment", environment="dev")
EVERYWHERE = Stored(name="X", level="organization")
ELSEWHERE = Stored(name="X", level="repository", store="dependabot")


@pytest.mark.parametrize(
    ("stored", "environments", "notes", "readable"),
    [
        ((DEV,), {"dev"}, (), True),
        ((DEV,), {"dev", "prod"}, (), False),
        ((DEV,), set(), (), False),
        ((DEV,), None, (), None),  # nobody knows where it runs
        ((DEV, EVERYWHERE), None, (), True),
        ((EVERYWHERE,), set(), (), True),
        ((ELSEWHERE,), set(), (), False),
        ((), {"dev"}, ("the organization's secrets could not be read",), None),
        ((), None, (), False),
    ],
)
def test_whether_a_job_can_read_a_secret(
    stored: tuple[Stored, ...],
    environments: set[str] | None,
    notes: tuple[str, ...],
    *,
    readable: bool | None,
) -> None:
    named = None if environments is None else frozenset(environments)
    assert is_readable("X", JOB, named, Seen(stored=stored, notes=notes)) is readable
