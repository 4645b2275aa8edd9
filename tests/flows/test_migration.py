"""The whole way of contoso/legacy off its secrets; and cut at its writes, and gone on with.

At no moment is there neither a secret that works nor a federated path that was proven.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.desk import wait_until
from tests.corpus.marks import repository_of
from tests.flows.legacy import APPLICATION, PROJECTS, Legacy
from trustsmith.migrate.scan import of_entra, scan

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Sandbox

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
Json = dict[str, Any]
#: The ids as variables; the subscription of production's project is another than the one that the repository names.
EXPAND = ("--expand", "--yes", "--allow", "shadow=production/AZURE_SUBSCRIPTION_ID", *PROJECTS)
PLACED = ("--environment", "push=production", "--environment", "apply=production")
#: What the rewriting leaves in nightly.yml and in the script that it runs.
BY_HAND = {
    ".github/workflows/nightly.yml": (
        "        env:\n          AZURE_CLIENT_SECRET: ${{ secrets.AZURE_CLIENT_SECRET }}\n",
        "",
    ),
    "scripts/clean.sh": (
        (
            "az login --service-principal --username 0a000000-0000-0000-0000-000000000003 \\\n"
            '  --password "$AZURE_CLIENT_SECRET" --tenant 11111111-1111-1111-1111-111111111111 --output none\n'
        ),
        "",
    ),
}
#: Every request that may change something, after so many; it is refused, and so are all that follow.
_WRITE = {"method": "[DP]*", "path": r"^(?!.*(graphql|/token)).*$", "status": 403, "times": 999}
_WORLDS: dict[str, tuple[Json, dict[str, str]]] = {}


@pytest.fixture
def legacy(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Legacy:
    found = Legacy.at(sandbox, tmp_path, monkeypatch, capsys)
    found.change(_may_take_roles)
    return found


def _may_take_roles(world: Json) -> None:
    """Whoever migrates may take roles of the subscription away, and not of projects alone."""
    roles = world["role_assignments"]
    own = next(r for r in roles.values() if r["properties"]["scope"].endswith("rg-foundry-staging"))
    text = json.dumps(own).replace("/resourceGroups/rg-foundry-staging", "").replace("ee00", "ee99")
    more = json.loads(text)
    roles[more["id"].lower()] = more


@pytest.fixture
def rewritten(legacy: Legacy) -> Legacy:
    """After expansion, rewriting and proof; made once a worker."""
    if "proven" not in _WORLDS:
        legacy(*EXPAND).ends(0)
        legacy("--rewrite", "--write", *PLACED).ends(3)
        _by_hand(legacy)
        legacy.push()
        legacy("--prove", "--timeout", "60s").ends(0)
        _WORLDS["proven"] = legacy.sandbox.state(), legacy.files
    world, files = _WORLDS["proven"]
    legacy.sandbox.control("reset", world)
    for name, text in files.items():
        legacy.write(name, text)
    return legacy


def _by_hand(legacy: Legacy) -> None:
    for name, (old, new) in BY_HAND.items():
        text = (legacy.checkout / name).read_text("utf-8")
        assert text.count(old) == 1, text
        legacy.write(name, text.replace(old, new))


def ways_in(legacy: Legacy, *, proven: bool) -> set[str]:
    """Which of the ways in are open now. proven: a job has shown that the new one works."""
    world = legacy.sandbox.state()
    (app,) = (a for a in world["applications"].values() if a["appId"] == APPLICATION)
    passwords = [p for p in app["passwordCredentials"] if p["endDateTime"] > "2027"]
    uses = of_entra(scan(repository_of(legacy.files)))
    repository = legacy.repository
    stored = set(repository["secrets"]) | set(world["github"]["organizations"]["contoso"]["secrets"])
    read = {name for use in uses for name in use.secrets}
    subjects = {f["subject"] for f in app["federatedIdentityCredentials"]}
    trusted = {f"repo:contoso/legacy:environment:{name}" for name in ("staging", "production")} <= subjects
    found = {"secret"} if passwords and read <= stored else set()
    return found | ({"federated"} if trusted and proven and not uses else set())


def stages(legacy: Legacy) -> dict[str, bool | None]:
    return {
        stage["stage"]: stage["done"]
        for stage in legacy("--status", "--format", "json").ends(0).json["stages"]
    }


def all_words(legacy: Legacy) -> list[str]:
    """The words for all that may go, and the one for the password that another repository's secret may hold."""
    left = legacy("--contract", "--format", "json").json["plan"]["strays"]
    words = [stray["word"] for stray in left]
    held = [word.replace("delete-password", "still-held") for word in words if word.endswith("0002")]
    return [part for word in [*words, *held] for part in ("--allow", word)]


def test_the_whole_way(legacy: Legacy) -> None:
    assert stages(legacy) == {"expand": False, "rewrite": False, "prove": None, "contract": None}
    assert ways_in(legacy, proven=False) == {"secret"}
    legacy(*EXPAND).ends(0)
    assert ways_in(legacy, proven=False) == {"secret"}
    assert stages(legacy) == {"expand": True, "rewrite": False, "prove": False, "contract": False}
    assert legacy("--contract", "--allow", "delete-secret=repository/AZURE_CREDENTIALS", "--yes").code == 5
    legacy("--rewrite", "--write", *PLACED).ends(3)
    _by_hand(legacy)
    legacy.push()
    assert ways_in(legacy, proven=False) == {"secret"}
    assert stages(legacy) == {"expand": True, "rewrite": True, "prove": False, "contract": False}
    assert legacy("--contract", "--allow", "delete-secret=repository/AZURE_CREDENTIALS", "--yes").code == 5
    legacy("--prove", "--timeout", "60s").ends(0)
    assert ways_in(legacy, proven=True) == {"secret", "federated"}
    assert stages(legacy)["prove"] is True
    legacy("--contract", "--yes", *all_words(legacy)).ends(0)
    assert ways_in(legacy, proven=True) == {"federated"}
    legacy("--prove", "--timeout", "60s").ends(0)
    left = legacy("--contract", "--format", "json").ends(0).json["plan"]
    assert left["strays"] == []
    assert "can be used by contoso/agents" in left["notes"][0]
    assert stages(legacy)["contract"] is True


@pytest.mark.parametrize("cut", [2, 11])
def test_an_expansion_that_is_cut_is_gone_on_with(legacy: Legacy, cut: int) -> None:
    legacy.sandbox.control("faults", _WRITE | {"nth": cut})
    ran = legacy(*EXPAND)
    assert ran.code in {4, 7}, ran.err
    assert ways_in(legacy, proven=False) == {"secret"}
    legacy.change(lambda _: None)  # clears the fault
    legacy(*EXPAND).ends(0)
    assert stages(legacy)["expand"] is True
    assert ways_in(legacy, proven=False) == {"secret"}


@pytest.mark.parametrize("cut", [2, 9, 11])
def test_a_contraction_that_is_cut_is_gone_on_with(rewritten: Legacy, cut: int) -> None:
    words = all_words(rewritten)
    rewritten.sandbox.control("faults", _WRITE | {"nth": cut})
    ran = rewritten("--contract", "--yes", *words)
    assert ran.code in {4, 7}, ran.err
    assert "federated" in ways_in(rewritten, proven=True)
    rewritten.change(lambda _: None)  # clears the fault
    rewritten("--contract", "--yes", *words).ends(0)
    assert ways_in(rewritten, proven=True) == {"federated"}
    assert rewritten("--contract", "--format", "json").ends(0).json["plan"]["strays"] == []


TRIED = """\
on: push
jobs:
  {job}:
    runs-on: ubuntu-latest
    environment: production
    env: {{ARM_USE_OIDC: "true"}}
    steps:
      - run: {does}
"""


def test_what_has_not_been_seen_to_work_is_named(rewritten: Legacy) -> None:
    folder = ".github/workflows/"
    good, bad = TRIED.format(job="good", does="true"), TRIED.format(job="bad", does="false")
    pushed = {f"{folder}good.yml": good, f"{folder}bad.yml": bad, f"{folder}changed.yml": good}
    rewritten.sandbox.control("push", {"repository": "contoso/legacy", "files": pushed, "start": True})
    wait_until(lambda: {"good", "bad", "changed"} <= _ended(rewritten))
    changed = {f"{folder}changed.yml": good + "# changed\n", f"{folder}new.yml": good}
    rewritten.sandbox.control("push", {"repository": "contoso/legacy", "files": changed})
    untried = rewritten("--prove", "--timeout", "60s", "--format", "json").ends(0).json["untried"]
    said = {line.partition(" has ")[0].partition(": ")[0]: line for line in untried}
    assert "good.yml" not in " ".join(untried)
    assert "the last run of bad.yml ended with failure" in said
    assert said["changed.yml"] == "changed.yml has not run on main since it was changed"
    assert said["new.yml"] == "new.yml has not run on main yet"
    assert "evaluate.yml" in said


def _ended(legacy: Legacy) -> set[str]:
    """The workflows with a run that has ended."""
    runs = legacy.repository["runs"].values()
    return {run["path"].rpartition("/")[2].removesuffix(".yml") for run in runs if run["finished"]}


def test_a_file_that_cannot_be_read_keeps_the_way_open(legacy: Legacy) -> None:
    broken = {".github/workflows/a.yml": "on: [push\n"}

    def only_broken(world: Json) -> None:
        world["github"]["repositories"]["4002"]["files"]["main"] = broken

    legacy.change(only_broken)
    rewritten = legacy("--status", "--format", "json").ends(0).json["stages"][1]
    assert (rewritten["stage"], rewritten["done"]) == ("rewrite", False)
    assert ".github/workflows/a.yml" in rewritten["said"]
    ran = legacy("--expand", "--yes", *PROJECTS)  # the checkout has them all
    assert "not looked at on the default branch: .github/workflows/a.yml" in ran.err


def test_a_role_that_is_left_goes_by_its_word(rewritten: Legacy) -> None:
    every = all_words(rewritten)[1::2]
    (role,) = (word for word in every if word.startswith("delete-role="))
    others = [part for word in every if word != role for part in ("--allow", word)]
    rewritten("--contract", "--yes", *others).ends(0)
    ran = rewritten("--contract").ends(5)
    assert role in ran.out
    assert "trustsmith migrate --contract --allow WORD" in ran.err
    rewritten("--contract", "--yes", "--allow", role).ends(0)
    assert stages(rewritten)["contract"] is True
