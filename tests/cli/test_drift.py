"""Whatever is changed by hand: `plan --check` exits 3 and names just that, and `apply` heals it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.desk import CONFIG, WORKFLOW, apart, without_makers
from tests.cli.drifts import GROUPS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.cli.desk import Desk
    from tests.cli.drifts import Change, Drift


def _filled(changes: Iterable[Change], names: dict[str, str]) -> list[Change]:
    return [(verb, kind, name.format(**names)) for verb, kind, name in changes]


@pytest.mark.parametrize("drifts", GROUPS, ids=lambda group: "+".join(map(str, group)))
def test_a_change_by_hand_is_named_and_healed(configured: Desk, drifts: tuple[Drift, ...]) -> None:
    world = configured.world()
    before = world.shape()
    names = {drift: drift.names(world) for drift in drifts}
    for drift in drifts:
        configured.edit(lambda world, drift=drift: drift.by_hand(world, drift.environment))  # type: ignore[misc]
    shown = configured("plan", "--check", "--format", "json").ends(3)
    assert shown.changes == sorted(c for d in drifts for c in _filled(d.changes, names[d]))
    strays = [(s["verb"], s["kind"], s["name"]) for s in shown.json["strays"]]
    assert sorted(strays) == sorted(c for d in drifts for c in _filled(d.strays, names[d]))
    assert configured.writes() == []
    words = [word.format(**names[drift]) for drift in drifts for word in drift.allow]
    configured("apply", "--yes", *(part for word in words for part in ("--allow", word))).ends(0)
    configured("plan", "--check").ends(0)
    # Who made an environment is forgotten with its mark.
    assert apart(without_makers(configured.world().shape()), without_makers(before)) == []


def test_a_disabled_principal_is_not_enabled_without_a_word(configured: Desk) -> None:
    drift = next(d for group in GROUPS for d in group if str(d) == "principal_disabled-staging")
    configured.edit(lambda world: drift.by_hand(world, "staging"))
    configured("apply", "--yes").ends(5, "--allow enable=trustsmith-localhost-4001-staging")
    assert configured.writes() == []


def test_somebody_else_s_workflow_is_not_overwritten_without_a_word(configured: Desk) -> None:
    file = configured.checkout / WORKFLOW
    generated = file.read_text()
    configured.write("name: mine\n", WORKFLOW)
    shown = configured("plan", "--check", "--format", "json").ends(3)
    assert shown.changes == [("update", "workflow file", WORKFLOW.as_posix())]
    configured("apply", "--yes").ends(5, f"--allow overwrite={WORKFLOW.as_posix()}")
    configured("setup", "--no-input", "--yes").ends(5, "overwrite=")
    assert file.read_text() == "name: mine\n"
    configured("apply", "--yes", "--allow", f"overwrite={WORKFLOW.as_posix()}").ends(0)
    assert file.read_text() == generated
    assert configured.writes() == []


def test_an_edited_workflow_is_as_planned_and_what_changes_is_merged_into_it(configured: Desk) -> None:
    _commit(configured.checkout)
    text = (configured.checkout / WORKFLOW).read_text()
    configured.write(text.replace("Deploy to dev", "Deploy to test"), WORKFLOW)
    configured("plan", "--check").ends(0)
    config = (configured.checkout / CONFIG).read_text()
    run = (
        "workflows: {deploy: {template: deploy-agents, run: ./mine.sh}, check-trust: {template: check-trust}}"
    )
    configured.write(f"{config}{run}\n")
    saved = configured("plan", "--format", "json").ends(0)
    assert saved.changes == [("update", "workflow file", WORKFLOW.as_posix())]
    assert saved.json["hazards"] == []
    plan = configured.write(saved.out, Path("plan.json"))
    configured("apply", plan, "--yes").ends(0)
    merged = (configured.checkout / WORKFLOW).read_text()
    assert "Deploy to test" in merged
    assert "./mine.sh" in merged
    assert configured.writes() == []
    configured("plan", "--check").ends(0)


def _commit(checkout: Path) -> None:
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false")
    for words in (("init", "-q"), ("add", "-A"), (*identity, "commit", "-q", "-m", "x")):
        subprocess.run(["git", "-C", str(checkout), *words], check=True)


def test_a_deleted_workflow_is_written_again(configured: Desk) -> None:
    file = configured.checkout / WORKFLOW
    generated = file.read_text()
    file.unlink()
    shown = configured("plan", "--check", "--format", "json").ends(3)
    assert shown.changes == [("create", "workflow file", WORKFLOW.as_posix())]
    configured("apply", "--yes").ends(0)
    assert file.read_text() == generated


def test_a_lost_repository_tag_is_not_taken_for_ours(configured: Desk) -> None:
    configured.edit(lambda world: world.app("dev")["tags"].remove("trustsmith:repository=localhost/4001"))
    shown = configured("plan", "--check", "--format", "json").ends(3)
    assert ("update", "application", "trustsmith-localhost-4001-dev") in shown.changes
    configured("apply", "--yes").ends(5, "foreign-application=trustsmith-localhost-4001-dev")
    assert configured.writes() == []


def test_an_environment_taken_out_of_the_file_is_taken_away(configured: Desk) -> None:
    text = (configured.checkout / CONFIG).read_text()
    start, end = text.index("  staging:"), text.index("  prod:")
    configured.write(text[:start] + text[end:])
    shown = configured("plan", "--check", "--format", "json").ends(3)
    app = "trustsmith-localhost-4001-staging"
    assert ("delete", "application", app) in shown.changes
    assert ("delete", "github environment", "staging") in shown.changes
    configured("apply", "--yes").ends(5, f"delete-application={app}", "delete-environment=staging")
    assert configured.writes() == []
    words = ["--allow", f"delete-application={app}", "--allow", "delete-environment=staging"]
    configured("apply", "--yes", *words).ends(0)
    world = configured.world()
    assert sorted(world.environments) == ["dev", "prod"]
    assert app not in world.apps
    assert not [r for r in world.shape()["roles"] if r[0] == "?"], "a grant of nobody is left over"
    configured("plan", "--check").ends(0)
