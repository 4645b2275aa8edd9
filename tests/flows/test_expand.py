"""`migrate --expand` and `--prove` in contoso/legacy: the new way in beside the old one, which stays as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.flows.legacy import APPLICATION, NONPROD, PROJECTS, Legacy, project
from trustsmith import configfile

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Sandbox

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
Json = dict[str, Any]


@pytest.fixture
def legacy(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Legacy:
    return Legacy.at(sandbox, tmp_path, monkeypatch, capsys)


def old_way(world: Json) -> Json:
    """All that the old way in needs."""
    repository = world["github"]["repositories"]["4002"]
    (app,) = (a for a in world["applications"].values() if a["appId"] == APPLICATION)
    environments = repository["environments"]
    return {
        "secrets": {name: environments[name]["secrets"] for name in ("staging", "production")},
        "rules": {name: environments[name]["reviewers"] for name in ("staging", "production")},
        "own": (repository["secrets"], repository["variables"], repository["stores"]),
        "passwords": app["passwordCredentials"],
        "roles": world["role_assignments"],
    }


def holds(after: Any, before: Any) -> bool:
    """Whether all of `before` is still there."""
    if isinstance(before, dict):
        return all(name in after and holds(after[name], value) for name, value in before.items())
    if isinstance(before, list | tuple):
        return all(item in after for item in before)
    return bool(after == before)


def test_the_new_way_in_stands_beside_the_old_one(legacy: Legacy) -> None:
    before, files = old_way(legacy.sandbox.state()), legacy.files
    ran = legacy("--expand", "--yes", "--format", "json", *PROJECTS)
    assert ran.code == 0, ran.err
    config = configfile.read(legacy.checkout / ".github" / "trustsmith.yml").config
    assert [(e.name, e.client_id) for e in config.environments] == [
        ("staging", APPLICATION),
        ("production", APPLICATION),
    ]
    assert config.workflows[0].template == "check-trust"
    assert len(config.workflows) == 1
    # The workflows read the variable AZURE_SUBSCRIPTION_ID, and production's project is in another subscription.
    assert config.store == "secrets"
    jobs = {f"{j['file'].rsplit('/', 1)[-1]}:{j['job']}": j["names"] for j in ran.json["jobs"]}
    assert jobs == {
        "deploy.yml:staging": ["staging"],
        "deploy.yml:production": ["production"],
        "evaluate.yml:agents": ["staging"],
        "images.yml:push": None,
        "infrastructure.yml:apply": None,
        "nightly.yml:report": ["production"],
        "nightly.yml:clean": ["production"],
        "publish.yml:publish": ["production"],
    }
    after = legacy.sandbox.state()
    assert holds(old_way(after), before)
    assert legacy.files == files
    # And once more there is nothing to do.
    again = legacy("--expand", "--yes", "--format", "json")
    assert (again.code, again.json["plan"]["changes"]) == (0, [])


def test_what_is_next_is_said_with_a_proposal_for_jobs_without_an_environment(legacy: Legacy) -> None:
    ran = legacy("--expand", "--yes", *PROJECTS)
    assert "infrastructure.yml:apply  production: the last one that is deployed to" in ran.err
    assert "repo:contoso/legacy:environment:ENV" in ran.err
    assert (
        "trustsmith migrate --rewrite --environment push=production --environment apply=production" in ran.err
    )


def test_new_applications_come_with_the_narrow_role_alone(legacy: Legacy) -> None:
    ran = legacy("--expand", "--new-applications", "--yes", "--format", "json", *PROJECTS)
    assert ran.code == 0, ran.err
    assert [name for name in ran.creates if name.startswith("application")] == [
        "application trustsmith-localhost-4002-staging",
        "application trustsmith-localhost-4002-production",
    ]
    roles = [name for name in ran.creates if name.startswith("role assignment")]
    assert len(roles) == 2
    assert all("foundry-project-manager" in name for name in roles)


def test_ids_are_variables_where_they_hide_nothing(legacy: Legacy) -> None:
    def with_secrets(text: str) -> str:
        return text.replace("vars.AZURE_", "secrets.AZURE_")

    for name, text in legacy.files.items():
        legacy.write(name, with_secrets(text))
    legacy.push()
    ran = legacy("--expand", "--yes", "--application", APPLICATION, "--format", "json", *PROJECTS)
    assert ran.code == 0, ran.err
    assert ran.json["store"] == "variables"
    assert "environment variable production/AZURE_CLIENT_ID" in ran.creates


def test_what_the_default_branch_reads_is_not_hidden_either(legacy: Legacy) -> None:
    """The checkout may be of another branch; what runs meanwhile is the default one."""
    for name, text in legacy.files.items():
        legacy.write(name, text.replace("vars.AZURE_SUBSCRIPTION_ID", "env.ELSEWHERE"))
    ran = legacy("--expand", "--yes", "--format", "json", *PROJECTS)
    assert ran.code == 0, ran.err
    assert ran.json["store"] == "secrets"


def test_an_id_that_would_hide_another_takes_a_word(legacy: Legacy) -> None:
    """Where the file says which store, nothing else is tried."""
    legacy("--expand", "--yes", *PROJECTS)
    file = legacy.checkout / ".github" / "trustsmith.yml"
    file.write_text(
        file.read_text("utf-8").replace("\nenvironments", "\nstore: variables\n\nenvironments"), "utf-8"
    )
    ran = legacy("--expand", "--yes")
    assert ran.code == 5
    assert "shadow=production/AZURE_SUBSCRIPTION_ID" in ran.err
    assert "deploy.yml:31" in ran.err
    assert "shadow=staging/AZURE_SUBSCRIPTION_ID" not in ran.err  # has the same value
    assert legacy.repository["environments"]["production"]["variables"].keys() == {"TRUSTSMITH"}
    words = ("--allow", "shadow=production/AZURE_SUBSCRIPTION_ID")
    assert legacy("--expand", "--yes", *words).code == 0


def test_nothing_is_removed(legacy: Legacy) -> None:
    legacy("--expand", "--yes", *PROJECTS)
    file = legacy.checkout / ".github" / "trustsmith.yml"
    text = file.read_text("utf-8")
    file.write_text(text[: text.index("  staging:")] + text[text.index("  production:") :], "utf-8")
    ran = legacy("--expand", "--yes", "--allow", "delete-environment=staging")
    assert ran.code in {2, 5}
    assert "staging" in legacy.repository["environments"]


def test_nothing_is_overwritten(legacy: Legacy) -> None:
    def ids(world: Json) -> None:
        secrets = world["github"]["repositories"]["4002"]["environments"]["production"]["secrets"]
        secrets["AZURE_CLIENT_ID"] = secrets["AZURE_CLIENT_SECRET"] | {"name": "AZURE_CLIENT_ID"}

    legacy.change(ids)
    shadow = ("--allow", "shadow=production/AZURE_SUBSCRIPTION_ID")
    assert (
        "overwrite=" not in legacy("--expand", "--yes", *PROJECTS).ends(5).err
    )  # variables overwrite nothing
    assert (
        legacy("--expand", "--yes", "--format", "json", *shadow, *PROJECTS).ends(0).json["store"]
        == "variables"
    )
    file = legacy.checkout / ".github" / "trustsmith.yml"
    file.write_text(file.read_text("utf-8").replace("store: variables", "store: secrets"), "utf-8")
    ran = legacy("--expand", "--yes", "--allow", "overwrite=production/AZURE_CLIENT_ID").ends(5)
    assert "Expanding overwrites nothing" in ran.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ((), "--project production=PROJECT_ID"),
        (("--project", "staging=x", "--project", "production=y"), "is not the ARM id of a Foundry project"),
        ((*PROJECTS, "--application", "x"), "is not a client id"),
        (("--project", "staging"), "is not ENV=VALUE"),
        (("--environment", "nobody=prod", *PROJECTS), "There is no job 'nobody'"),
    ],
)
def test_what_is_not_known_is_asked_for_as_flags(legacy: Legacy, words: tuple[str, ...], says: str) -> None:
    ran = legacy("--expand", "--yes", *words)
    assert (ran.code, ran.out) == (2, "")
    assert says in ran.err


def test_the_application_has_to_be_known(legacy: Legacy) -> None:
    def hide(world: Json) -> None:
        world["github"]["repositories"]["4002"]["variables"] = {}

    legacy.change(hide)
    (legacy.checkout / "scripts" / "clean.sh").unlink()
    ran = legacy("--expand", "--yes", *PROJECTS)
    assert ran.code == 2
    assert "--application CLIENT_ID\n  --new-applications" in ran.err


def test_a_repository_whose_jobs_have_no_environment(legacy: Legacy) -> None:
    for name in legacy.files:
        if name not in {".github/workflows/infrastructure.yml", "README.md"}:
            (legacy.checkout / name).unlink()
    ran = legacy("--expand", "--yes")
    assert ran.code == 2
    assert "trustsmith migrate --expand --environment apply=ENV --project ENV=PROJECT_ID" in ran.err
    words = ("--environment", "apply=prod", "--project", f"prod={project('prod')}")
    ran = legacy("--expand", "--yes", *words)
    assert ran.code == 0, ran.err
    assert "prod (as you say; to be added)" in ran.err
    assert "prod" in legacy.repository["environments"]
    assert legacy.repository["environments"]["prod"][
        "deployment_branch_policy"
    ]  # it was not there: main alone


def test_nothing_to_expand(legacy: Legacy) -> None:
    for name in legacy.files:
        if name.startswith((".github", "scripts")) and not name.endswith("test.yml"):
            (legacy.checkout / name).unlink()
    ran = legacy("--expand", "--yes")
    assert (ran.code, ran.out) == (0, "")
    assert "Nothing to expand" in ran.err


def test_what_still_reads_a_secret_is_not_proven(legacy: Legacy) -> None:
    legacy("--expand", "--yes", *PROJECTS)
    legacy.push()
    ran = legacy("--prove", "--timeout", "60s", "--format", "json")
    assert ran.code == 3, ran.err
    failed = {(f["check"], f["about"]) for f in ran.json["findings"] if f["verdict"] == "fail"}
    assert failed == {("reads-no-secret", "AZURE_CLIENT_SECRET"), ("reads-no-secret", "AZURE_CREDENTIALS")}
    # Both environments have one identity, so that each reaches the other's project; that is no failure of the jobs.
    exchanged = [f for f in ran.json["findings"] if f["check"] == "exchange"]
    assert [(f["about"], f["verdict"]) for f in exchanged] == [("staging", "pass"), ("production", "pass")]
    assert NONPROD in str(legacy.repository["variables"])


def test_prove_needs_the_configuration(legacy: Legacy) -> None:
    ran = legacy("--prove")
    assert ran.code == 2
