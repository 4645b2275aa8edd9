"""What makes a repository's credentials urgent, and how many repositories are shown together."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from trustsmith.errors import Problem
from trustsmith.migrate.inventory import Seen, Stored
from trustsmith.migrate.listing import Listing, listing
from trustsmith.migrate.overview import Looked, Overview
from trustsmith.migrate.risk import LEVELS, POINTS, STRANGERS, About, level, reasons
from trustsmith.migrate.scan import scan
from trustsmith.systems.sources import read
from trustsmith.ui import report_organization

DOCS = Path(__file__).resolve().parents[2] / "docs" / "migrate.md"
TODAY = "2026-11-28T12:00:00"
SHOP = About(full_name="contoso/shop", pushed="2026-11-01T00:00:00Z")
LOGIN = "      - uses: azure/login@v1\n        with: {creds: '${{ secrets.AZURE_CREDENTIALS }}'}\n"
PUSHED = "on: push\njobs:\n  a:\n    runs-on: x\n    environment: prod\n    steps:\n" + LOGIN
OUTSIDE = PUSHED.replace("    environment: prod\n", "")
KEY = (
    "on: push\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: x\n        env: {AZURE_OPENAI_API_KEY: "
    "'${{ secrets.AZURE_OPENAI_API_KEY }}'}\n"
)
CALLED = PUSHED.replace("on: push", "on: workflow_call")
INHERITING = "on: push\njobs:\n  c:\n    uses: ./.github/workflows/called.yml\n    secrets: inherit\n"
HANDING = INHERITING.replace(
    "secrets: inherit", "secrets: {AZURE_CREDENTIALS: '${{ secrets.AZURE_CREDENTIALS }}'}"
)
STORED = Stored(name="AZURE_CREDENTIALS", level="repository")
GUARDED = replace(STORED, level="environment", environment="prod")
SHARED = replace(STORED, level="organization", visibility="all")


@pytest.fixture
def found(tmp_path: Path) -> Listed:
    return Listed(tmp_path)


class Listed:
    """What a scan finds in these workflows, where these secrets are."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def __call__(self, *stored: Stored, **files: str) -> Listing:
        folder = self._root / ".github" / "workflows"
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / f"{name}.yml").write_text(text, "utf-8")
        repository, problems = read(self._root)
        seen = Seen(stored=stored or None)
        return listing(repository, scan(repository), seen=seen, problems=problems, today=TODAY)


def ids(found: Listing, about: About = SHOP) -> set[str]:
    return {reason.id for reason in reasons(about, found, TODAY)}


def says(found: Listing, wanted: str, about: About = SHOP) -> str:
    (said,) = (reason.says for reason in reasons(about, found, TODAY) if reason.id == wanted)
    return said


def test_a_secret_in_an_environment_is_only_a_secret(found: Listed) -> None:
    assert ids(found(GUARDED, a=PUSHED)) == {"entra-secret"}
    assert ids(found(a=PUSHED)) == {"entra-secret"}, "where it lives is not known"


def test_a_job_in_an_environment_does_not_guard_a_secret_of_the_repository(found: Listed) -> None:
    for stored in (STORED, SHARED):
        said = says(found(stored, a=PUSHED), "no-environment")
        assert said == "kept outside of environments: AZURE_CREDENTIALS"


def test_nothing_is_no_risk(found: Listed) -> None:
    assert ids(found(a="on: issues\njobs: {}\n"), replace(SHOP, pushed="2001-01-01T00:00:00Z")) == set()


@pytest.mark.parametrize("event", sorted(STRANGERS))
def test_strangers_weigh_more_where_anybody_is_one(found: Listed, event: str) -> None:
    listing = found(a=PUSHED.replace("on: push", f"on: [push, {event}]"))
    assert (
        says(listing, "strangers")
        == f"whoever may read it can start a workflow that reads one: a.yml ({event})"
    )
    points = {
        about.visibility: next(r.points for r in reasons(about, listing, TODAY) if r.id == "strangers")
        for about in (SHOP, replace(SHOP, visibility="public"))
    }
    assert points == {"private": POINTS["strangers"] // 2, "public": POINTS["strangers"]}


def test_a_stranger_starts_the_caller_of_a_script_or_a_workflow(found: Listed, tmp_path: Path) -> None:
    (tmp_path / "x.sh").write_text("az login --service-principal -u a -p $SECRET --tenant b\n", "utf-8")
    script = "on: issues\njobs:\n  a:\n    runs-on: x\n    steps:\n      - run: ./x.sh\n"
    assert "a.yml (issues)" in says(found(a=script), "strangers")
    calling = HANDING.replace("on: push", "on: pull_request_target")
    listing = found(a="on: push\n", called=CALLED, calling=calling)
    assert says(listing, "strangers").endswith("calling.yml (pull_request_target)")


def test_jobs_outside_of_environments(found: Listed) -> None:
    assert says(found(a=OUTSIDE), "no-environment") == "read outside of any environment: a.yml: a"
    whole = OUTSIDE.replace("jobs:", "env: {ARM_CLIENT_SECRET: '${{ secrets.ARM_CLIENT_SECRET }}'}\njobs:")
    assert "a.yml: a" in says(
        found(a=whole.replace(LOGIN, "      - run: terraform apply\n")), "no-environment"
    )


def test_what_is_handed_on_is_read_by_the_caller_and_what_is_inherited_by_the_called(found: Listed) -> None:
    assert says(found(called=CALLED, b=HANDING), "no-environment").endswith(": b.yml: c")
    assert "no-environment" not in ids(found(called=CALLED, b=INHERITING))
    outside = OUTSIDE.replace("on: push", "on: workflow_call")
    assert says(found(called=outside, b=INHERITING), "no-environment").endswith(": called.yml: a")


def test_other_keys(found: Listed) -> None:
    assert ids(found(a=KEY)) == {"other-key"}


def test_a_secret_of_the_organization_is_shared_unless_it_is_for_this_one_alone(found: Listed) -> None:
    assert "AZURE_CREDENTIALS (all)" in says(found(SHARED, a=PUSHED), "shared")
    chosen = replace(SHARED, visibility="selected", repositories=("contoso/shop",))
    assert "shared" not in ids(found(chosen, a=PUSHED))
    assert "shared" in ids(found(replace(chosen, repositories=("contoso/other", "contoso/shop")), a=PUSHED))
    assert "shared" not in ids(found(SHARED, STORED, a=PUSHED)), "the repository's own goes before it"
    assert "shared" not in ids(found(replace(SHARED, visibility=""), a=PUSHED)), "nobody knows"


def test_copies_and_left_overs(found: Listed) -> None:
    copy, old = replace(STORED, store="dependabot"), replace(STORED, name="AZURE_SP_PASSWORD")
    listing = found(STORED, copy, old, a=PUSHED)
    assert says(listing, "copies") == "copies in other stores: dependabot (AZURE_CREDENTIALS)"
    assert says(listing, "left-over") == "nothing uses AZURE_SP_PASSWORD any more"


def test_a_credential_that_is_written_out_comes_first(found: Listed) -> None:
    secret = "a1b8Q~" + "x" * 34
    text = PUSHED.replace(LOGIN, f"      - run: az login --service-principal -u a -p {secret} --tenant b\n")
    first, *_ = reasons(SHOP, found(a=text), TODAY)
    assert (first.id, first.says) == ("written-out", "written out in .github/workflows/a.yml:7")


@pytest.mark.parametrize(("pushed", "stale"), [("2025-11-27", True), ("2025-11-28", False), ("", False)])
def test_nobody_looks_after_it(found: Listed, pushed: str, *, stale: bool) -> None:
    assert ("stale" in ids(found(a=PUSHED), replace(SHOP, pushed=pushed and f"{pushed}T00:00:00Z"))) is stale


def test_archived_repositories_run_nothing(found: Listed) -> None:
    assert reasons(replace(SHOP, archived=True), found(a=OUTSIDE), TODAY) == ()


def test_levels() -> None:
    assert [level(points) for points in (90, 50, 49, 25, 24, 1, 0)] == [
        *("high", "high", "medium", "medium", "low", "low", "none")
    ]


def test_the_documentation_has_the_same_points() -> None:
    text = DOCS.read_text("utf-8")
    flowing = " ".join(text.split())
    told = {name: int(points) for name, points in re.findall(r"^\| `([a-z-]+)` \| (\d+)", text, re.MULTILINE)}
    assert told == POINTS
    for name, least in LEVELS.items():
        assert name == "none" or f"*{name}* from {least}" in flowing
    assert all(f"`{event}`" in text for event in STRANGERS)


def test_the_list_is_ordered_and_fits_a_terminal(found: Listed) -> None:
    listing = found(SHARED, a=OUTSIDE.replace("on: push", "on: [" + ", ".join(sorted(STRANGERS)) + "]"))
    quiet = Listing(entries=())

    def looked(name: str, listing: Listing | None = listing, why: str = "", **more: object) -> Looked:
        about = replace(SHOP, full_name=f"contoso/{name}", **more)  # type: ignore[arg-type]
        found = reasons(about, listing, TODAY) if listing else ()
        return Looked(about=about, listing=listing, reasons=found, why=why)

    problem = Problem(".github/workflows/x.yml", 1, 2, "This is no YAML.")
    overview = Overview(
        owner="contoso",
        kind="organization",
        looked=(
            looked("old", archived=True, visibility="public"),
            looked("shop"),
            looked("open", visibility="public"),
            looked("hidden", None, "GitHub does not find it, or the token may not see it."),
            looked("hidden-too", None, "GitHub does not find it, or the token may not see it."),
            looked("odd", replace(quiet, problems=(problem,))),
            *(looked(f"quiet-{number}", quiet, fork=True) for number in range(20)),
            Looked(about=replace(SHOP, full_name="contoso/new"), empty=True, why="no commit"),
        ),
        secrets=(SHARED,),
    )
    lines = [line.text for line in report_organization.lines(overview)]
    text = "\n".join(lines)
    heads = [line.split()[2] for line in lines if re.match(r" +\d+ (high|medium|low) ", line)]
    assert heads == ["open", "shop:"]
    assert text.index("old (public, archived)") > text.index("shop:")
    assert "Not read (2): GitHub does not find it" in text
    assert "odd: .github/workflows/x.yml:1:2: This is no YAML." in text
    assert "AZURE_CREDENTIALS (all): used by old, open, shop" in text
    assert "quiet-7 (fork)" in text
    assert lines[-1] == (
        "3 of 27 repositories of contoso use long-lived Azure credentials: 2 high, 1 archived. 2 could not be read."
    )
    assert max(map(len, lines[:-1])) < 80
    assert not overview.clean
    assert Overview(owner="x", kind="user", looked=(looked("quiet", quiet),)).clean
    states = {each["repository"]: each["state"] for each in overview.as_json()["repositories"]}
    assert (states["contoso/hidden"], states["contoso/new"]) == ("not read", "empty")


def test_many_without_anything_are_counted_and_named_when_asked() -> None:
    about = [replace(SHOP, full_name=f"contoso/quiet-{number}") for number in range(50)]
    looked = tuple(Looked(about=each, listing=Listing(entries=())) for each in about)
    overview = Overview(owner="contoso", kind="organization", looked=looked)
    brief = [line.text for line in report_organization.lines(overview)]
    assert brief[0] == "Nothing found in 50 others; -v names them"
    assert "quiet-49" in "\n".join(line.text for line in report_organization.lines(overview, full=True))
